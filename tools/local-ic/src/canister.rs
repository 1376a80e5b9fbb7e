//! A canister: what the network knows about it between messages.

mod log;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use candid::Principal;

use crate::execution::{Code, Outcome};
use crate::meter::Execution;
use crate::reject::{ErrorCode, Reject};
use crate::stable_memory::StableMemory;
use crate::system_api::{Effects, EntryPoint, Environment, Message, Trap};

pub(crate) use log::Log;
pub(crate) use settings::Settings;

/// One canister.
#[derive(Debug)]
pub(crate) struct Canister {
    pub(crate) id: Principal,
    pub(crate) settings: Settings,
    pub(crate) status: Status,
    pub(crate) cycles: u128,
    /// Counts up with every change (`ic0.canister_version`).
    pub(crate) version: u64,
    pub(crate) code: Option<Code>,
    pub(crate) stable: StableMemory,
    pub(crate) certified_data: Vec<u8>,
    /// When the timer fires; 0 for never.
    pub(crate) global_timer: u64,
    pub(crate) log: Log,
    /// Chunks by their SHA-256.
    pub(crate) chunks: BTreeMap<[u8; 32], Vec<u8>>,
}

/// Whether a canister takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    /// Takes no calls any more, and still gets the answers to its own.
    Stopping,
    Stopped,
}

/// What a canister sees of the network.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) subnet: Principal,
    pub(crate) root_key: Arc<[u8]>,
    pub(crate) time: u64,
}

impl Canister {
    /// An empty canister.
    pub(crate) fn new(id: Principal, settings: Settings, cycles: u128) -> Self {
        Self {
            id,
            settings,
            status: Status::Running,
            cycles,
            version: 1,
            code: None,
            stable: StableMemory::default(),
            certified_data: Vec::new(),
            global_timer: 0,
            log: Log::default(),
            chunks: BTreeMap::new(),
        }
    }

    /// A copy to try something on: its messages see it as this canister.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            id: self.id,
            settings: self.settings.clone(),
            status: self.status,
            cycles: self.cycles,
            version: self.version,
            code: self.code.as_ref().map(Code::duplicate),
            stable: self.stable.clone(),
            certified_data: self.certified_data.clone(),
            global_timer: self.global_timer,
            log: Log::default(),
            chunks: BTreeMap::new(),
        }
    }

    /// Runs a message on the installed code. Keeps the log, and with a
    /// successful message of the right kind all it did. The calls it makes are
    /// for the caller to send; their cycles are gone from the balance.
    ///
    /// # Errors
    ///
    /// There is no code ([`ErrorCode::CanisterWasmModuleNotFound`]), or the
    /// execution failed.
    pub(crate) fn execute(
        &mut self,
        surroundings: &Surroundings,
        message: Message,
        limit: u64,
    ) -> (Result<Effects, Reject>, Execution) {
        let environment = self.environment(surroundings);
        let entry = message.entry;
        let Some(code) = &mut self.code else {
            return (Err(self.no_code()), Execution::default());
        };
        let outcome = code.execute(&mut self.stable, environment, message, limit);
        let (result, execution) = self.note(outcome, entry, surroundings.time);
        if let Ok(effects) = &result {
            if entry.is_replicated() {
                self.cycles = effects.balance(self.cycles);
            }
            if entry.keeps_changes() {
                self.apply(effects);
                self.version += u64::from(entry.is_replicated());
            }
        }
        (result, execution)
    }

    /// Takes an outcome apart: what was printed, and the trap, go to the log.
    pub(crate) fn note(
        &mut self,
        outcome: Outcome,
        entry: EntryPoint,
        time: u64,
    ) -> (Result<Effects, Reject>, Execution) {
        for line in &outcome.printed {
            eprintln!("[Canister {}] {}", self.id, String::from_utf8_lossy(line));
        }
        if entry.is_replicated() {
            for line in outcome.printed {
                self.log.push(time, line);
            }
            if let Err(trap) = &outcome.result {
                let line = match trap {
                    Trap::Called(message) => format!("[TRAP]: {message}"),
                    trap => format!("[TRAP]: {trap}"),
                };
                self.log.push(time, line.into_bytes());
            }
        }
        let result = outcome.result.map_err(|trap| self.failure(&trap));
        (result, outcome.execution)
    }

    /// Takes over what a message did besides writing to memory and moving cycles.
    pub(crate) fn apply(&mut self, effects: &Effects) {
        if let Some(data) = &effects.certified_data {
            self.certified_data.clone_from(data);
        }
        if let Some(time) = effects.global_timer {
            self.global_timer = time;
        }
    }

    /// What this canister would be told now.
    pub(crate) fn environment(&self, surroundings: &Surroundings) -> Environment {
        Environment {
            canister: self.id,
            subnet: surroundings.subnet,
            root_key: surroundings.root_key.clone(),
            time: surroundings.time,
            version: self.version,
            status: match self.status {
                Status::Running => 1,
                Status::Stopping => 2,
                Status::Stopped => 3,
            },
            cycles: self.cycles,
            controllers: self.settings.controllers.clone(),
            variables: self.settings.environment_variables.clone(),
            global_timer: self.global_timer,
            heap_limit: self.settings.wasm_memory_limit,
            log_capacity: self.settings.log_memory_limit,
        }
    }

    /// The entry points of the system to run in a round at `time`. A timer that
    /// is due is off from now on, whatever its run comes to.
    pub(crate) fn due_tasks(&mut self, time: u64) -> Vec<&'static str> {
        const TIMER: &str = "canister_global_timer";
        const HEARTBEAT: &str = "canister_heartbeat";
        let Some(code) = &self.code else {
            return Vec::new();
        };
        if self.status != Status::Running {
            return Vec::new();
        }
        let mut tasks = Vec::new();
        if self.global_timer != 0 && self.global_timer <= time {
            self.global_timer = 0;
            tasks.push(TIMER);
        }
        tasks.push(HEARTBEAT);
        tasks.retain(|task| code.module.has_hook(task));
        tasks
    }

    /// Whether `who` controls this canister.
    pub(crate) fn is_controlled_by(&self, who: &Principal) -> bool {
        self.settings.controllers.contains(who)
    }

    /// The reject of a message that failed like this.
    pub(crate) fn failure(&self, trap: &Trap) -> Reject {
        let code = match trap {
            Trap::Called(_) => ErrorCode::CanisterCalledTrap,
            Trap::Wasm(_) | Trap::NotSupported(_) => ErrorCode::CanisterTrapped,
            Trap::Contract(_) => ErrorCode::CanisterContractViolation,
            Trap::Instructions(_) => ErrorCode::CanisterInstructionLimitExceeded,
            Trap::HeapLimit(_) => ErrorCode::CanisterWasmMemoryLimitExceeded,
            Trap::OutOfCycles { .. } => ErrorCode::CanisterOutOfCycles,
            Trap::NoFunction(_) => ErrorCode::CanisterFunctionNotFound,
        };
        self.error(code, trap)
    }

    /// A reject that begins with the name of this canister.
    pub(crate) fn error(&self, code: ErrorCode, what: impl std::fmt::Display) -> Reject {
        Reject::new(code, format!("Error from Canister {}: {what}.", self.id))
    }

    pub(crate) fn no_code(&self) -> Reject {
        self.error(
            ErrorCode::CanisterWasmModuleNotFound,
            "Attempted to execute a message, but the canister contains no Wasm module",
        )
    }

    /// Refuses when not running.
    pub(crate) fn check_running(&self) -> Result<(), Reject> {
        match self.status {
            Status::Running => Ok(()),
            Status::Stopping => Err(Reject::new(
                ErrorCode::CanisterStopping,
                format!("Canister {} is stopping", self.id),
            )),
            Status::Stopped => Err(Reject::new(
                ErrorCode::CanisterStopped,
                format!("Canister {} is stopped", self.id),
            )),
        }
    }
}
