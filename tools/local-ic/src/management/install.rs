//! Installing, upgrading, removing code. Either all of it happens or nothing:
//! hooks run on new state beside the old, which is replaced at the end.
//!
//! ```text
//!  upgrade      old code ─ copy ─ pre_upgrade ─┐ stable memory
//!               new code ─ start ─ post_upgrade┴─► replaces the old
//!  (re)install  new code ─ start ─ init ─────────► replaces the old
//! ```

use candid::Principal;
use ic_management_canister_types::{
    CanisterInstallMode, InstallChunkedCodeArgs, InstallCodeArgs, WasmMemoryPersistence,
};

use super::{chunks, decode, nothing};
use crate::canister::{Canister, Surroundings};
use crate::execution::Code;
use crate::meter::{Execution, limit};
use crate::module::{self, InvalidModule, SharedModule};
use crate::network::Network;
use crate::stable_memory::StableMemory;
use crate::system_api::{Effects, EntryPoint, Message, Trap};
use crate::{ErrorCode, InstallMode, Reject};

pub(super) fn install_code(
    network: &mut Network,
    sender: Principal,
    payload: &[u8],
) -> Result<Vec<u8>, Reject> {
    let args: InstallCodeArgs = decode(payload)?;
    install(
        network,
        sender,
        args.canister_id,
        args.mode,
        &args.wasm_module,
        args.arg,
    )
    .map(|()| nothing())
}

pub(super) fn install_chunked_code(
    network: &mut Network,
    sender: Principal,
    payload: &[u8],
) -> Result<Vec<u8>, Reject> {
    let args: InstallChunkedCodeArgs = decode(payload)?;
    let store = args.store_canister.unwrap_or(args.target_canister);
    if store != sender && !network.canister_mut(store)?.is_controlled_by(&sender) {
        return Err(Reject::new(
            ErrorCode::CanisterInvalidController,
            format!("Only controllers of canister {store} can use its chunk store"),
        ));
    }
    let wasm = chunks::assemble(
        network,
        store,
        &args.chunk_hashes_list,
        &args.wasm_module_hash,
    )?;
    install(
        network,
        sender,
        args.target_canister,
        args.mode,
        &wasm,
        args.arg,
    )
    .map(|()| nothing())
}

/// Installs `wasm` as `mode` says.
pub(crate) fn install(
    network: &mut Network,
    sender: Principal,
    id: Principal,
    mode: InstallMode,
    wasm: &[u8],
    arg: Vec<u8>,
) -> Result<(), Reject> {
    let surroundings = network.surroundings(id);
    let limit = network.limit(limit::INSTALL);
    let canister = network.canister_mut(id)?;
    if !canister.is_controlled_by(&sender) {
        return Err(Reject::new(
            ErrorCode::CanisterInvalidController,
            format!("Only controllers of canister {id} can call ic00 method install_code"),
        ));
    }
    check_mode(canister, mode)?;
    let invalid = |canister: &Canister, error: InvalidModule| {
        canister.error(ErrorCode::CanisterInvalidWasm, error)
    };
    let module = module::load(wasm).map_err(|error| invalid(canister, error))?;
    let code = match mode {
        CanisterInstallMode::Upgrade(Some(flags))
            if flags.wasm_memory_persistence == Some(WasmMemoryPersistence::Keep) =>
        {
            None
        }
        _ => {
            let heap = module.initial_heap();
            Some(Code::new(
                module.clone(),
                heap.map_err(|error| invalid(canister, error))?,
            ))
        }
    };
    let mut installation = Installation {
        surroundings: &surroundings,
        sender,
        limit,
        execution: Execution {
            compile: module.compile_charge,
            ..Execution::default()
        },
        stable: StableMemory::default(),
        changes: Effects::default(),
    };
    let result = match mode {
        CanisterInstallMode::Install | CanisterInstallMode::Reinstall => {
            installation.start_over(canister, code, arg)
        }
        CanisterInstallMode::Upgrade(flags) => {
            let skip = flags.and_then(|flags| flags.skip_pre_upgrade) == Some(true);
            installation.upgrade(canister, &module, code, skip, arg)
        }
    };
    let execution = installation.execution;
    network.executed(execution);
    network.state_changed();
    result
}

fn check_mode(canister: &Canister, mode: InstallMode) -> Result<(), Reject> {
    match mode {
        CanisterInstallMode::Install if canister.code.is_some() => Err(Reject::new(
            ErrorCode::CanisterAlreadyInstalled,
            format!(
                "Canister {} cannot be installed because the canister is not empty. \
                 Try installing with mode='reinstall' instead.",
                canister.id
            ),
        )),
        CanisterInstallMode::Upgrade(_) if canister.code.is_none() => Err(canister.no_code()),
        _ => Ok(()),
    }
}

/// Removes code and state, and rejects what the code worked on.
pub(super) fn uninstall(network: &mut Network, id: Principal) -> Result<Vec<u8>, Reject> {
    let canister = network.canister_mut(id)?;
    canister.code = None;
    canister.stable = StableMemory::default();
    canister.certified_data.clear();
    canister.global_timer = 0;
    canister.log.forget_before(canister.log.next_index());
    canister.version += 1;
    network.orphan(id);
    Ok(nothing())
}

/// An installation under way.
struct Installation<'a> {
    surroundings: &'a Surroundings,
    sender: Principal,
    /// What compiling and all hooks may cost together.
    limit: u64,
    execution: Execution,
    stable: StableMemory,
    /// What the hooks did so far.
    changes: Effects,
}

impl Installation<'_> {
    fn start_over(
        &mut self,
        canister: &mut Canister,
        code: Option<Code>,
        arg: Vec<u8>,
    ) -> Result<(), Reject> {
        let mut code = code.ok_or_else(|| canister.no_code())?;
        let first_line = canister.log.next_index();
        self.changes.certified_data = Some(Vec::new());
        self.hook(
            canister,
            &mut code,
            EntryPoint::Start,
            module::START,
            Vec::new(),
        )?;
        self.hook(canister, &mut code, EntryPoint::Init, "canister_init", arg)?;
        canister.log.forget_before(first_line);
        self.finish(canister, code);
        Ok(())
    }

    fn upgrade(
        &mut self,
        canister: &mut Canister,
        module: &SharedModule,
        code: Option<Code>,
        skip_pre_upgrade: bool,
        arg: Vec<u8>,
    ) -> Result<(), Reject> {
        self.stable = canister.stable.clone();
        let old = canister.code.as_ref().ok_or_else(|| canister.no_code())?;
        let mut old = old.duplicate();
        if !skip_pre_upgrade {
            let (entry, hook) = (EntryPoint::PreUpgrade, "canister_pre_upgrade");
            self.hook(canister, &mut old, entry, hook, Vec::new())?;
        }
        let mut code = code.unwrap_or_else(|| Code::new(module.clone(), old.heap));
        self.hook(
            canister,
            &mut code,
            EntryPoint::Start,
            module::START,
            Vec::new(),
        )?;
        let (entry, hook) = (EntryPoint::Init, "canister_post_upgrade");
        self.hook(canister, &mut code, entry, hook, arg)?;
        self.finish(canister, code);
        Ok(())
    }

    /// Runs one entry point of `code`, if it has it.
    fn hook(
        &mut self,
        canister: &mut Canister,
        code: &mut Code,
        entry: EntryPoint,
        name: &str,
        argument: Vec<u8>,
    ) -> Result<(), Reject> {
        if !code.module.has_hook(name) {
            return self.check_budget(canister);
        }
        let mut environment = canister.environment(self.surroundings);
        environment.cycles = self.changes.balance(environment.cycles);
        if entry != EntryPoint::PreUpgrade {
            environment.version += 1;
            environment.global_timer = self.changes.global_timer.unwrap_or(0);
        }
        let message = Message {
            argument,
            ..Message::new(entry, name, self.sender)
        };
        self.check_budget(canister)?;
        let left = self.limit - self.execution.instructions - self.execution.compile;
        let outcome = code.execute(&mut self.stable, environment, message, left);
        let (result, execution) = canister.note(outcome, entry, self.surroundings.time);
        self.execution = self.execution.then(execution);
        let effects = result.map_err(|reject| match reject.error_code {
            ErrorCode::CanisterInstructionLimitExceeded => {
                canister.failure(&Trap::Instructions(self.limit))
            }
            _ => reject,
        })?;
        if effects.certified_data.is_some() {
            self.changes.certified_data = effects.certified_data;
        }
        // The timer does not survive an upgrade, so what `pre_upgrade` sets is lost.
        if entry != EntryPoint::PreUpgrade && effects.global_timer.is_some() {
            self.changes.global_timer = effects.global_timer;
        }
        self.changes.cycles_burned += effects.cycles_burned;
        Ok(())
    }

    fn check_budget(&self, canister: &Canister) -> Result<(), Reject> {
        if self.execution.instructions + self.execution.compile > self.limit {
            return Err(canister.failure(&Trap::Instructions(self.limit)));
        }
        Ok(())
    }

    fn finish(&mut self, canister: &mut Canister, code: Code) {
        self.execution.heap_bytes = code.heap.len() as u64;
        self.execution.stable_bytes = self.stable.size_in_bytes();
        canister.code = Some(code);
        canister.stable = std::mem::take(&mut self.stable);
        canister.global_timer = 0;
        canister.cycles = self.changes.balance(canister.cycles);
        canister.apply(&self.changes);
        canister.version += 1;
    }
}
