//! Outgoing calls. They can be prepared, and are charged for, as on the
//! Internet Computer; performing one fails with a system error, which canisters
//! have to expect anyway, and leaves a line in the canister's log.

use candid::Principal;
use wasmtime::Linker;

use super::{Caller, In, Result, SystemState, bytes, contract, enter, pay, principal, text};
use crate::meter::{Item, charge};

const CALLERS: In = In::UPDATE.or(In::COMPOSITE_QUERY).or(In::TASK);
const PAYERS: In = In::UPDATE.or(In::TASK);

/// The reject code of a call that was not made: `SYS_TRANSIENT`.
const NOT_PERFORMED: u32 = 2;

/// A call between `call_new` and `call_perform`.
#[derive(Debug)]
pub(super) struct PreparedCall {
    callee: Principal,
    method: String,
    argument: Vec<u8>,
    has_cleanup: bool,
}

pub(super) fn define(linker: &mut Linker<SystemState>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "call_new",
        |mut caller: Caller<'_>,
         callee_src: u32,
         callee_size: u32,
         name_src: u32,
         name_size: u32,
         _reply_fun: u32,
         _reply_env: u32,
         _reject_fun: u32,
         _reject_env: u32| {
            let size = u64::from(callee_size) + u64::from(name_size);
            enter(&mut caller, "call_new", CALLERS, charge::CALL_NEW + size)?;
            let call = PreparedCall {
                callee: principal(&mut caller, callee_src, callee_size)?,
                method: text(&mut caller, name_src, name_size)?,
                argument: Vec::new(),
                has_cleanup: false,
            };
            caller.data_mut().call = Some(call);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_on_cleanup",
        |mut caller: Caller<'_>, _fun: u32, _env: u32| {
            enter(&mut caller, "call_on_cleanup", CALLERS, charge::CALL)?;
            let call = prepared(&mut caller, "call_on_cleanup")?;
            if std::mem::replace(&mut call.has_cleanup, true) {
                return Err(contract("ic0.call_on_cleanup can be called at most once"));
            }
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_data_append",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            enter(&mut caller, "call_data_append", CALLERS, charge::CALL)?;
            pay(
                &mut caller,
                Item::Reply,
                charge::TRANSMITTED_BYTE * u64::from(size),
            )?;
            let data = bytes(&mut caller, src, size)?;
            prepared(&mut caller, "call_data_append")?
                .argument
                .extend(data);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_with_best_effort_response",
        |mut caller: Caller<'_>, _timeout_seconds: u32| {
            enter(
                &mut caller,
                "call_with_best_effort_response",
                CALLERS,
                charge::CALL,
            )?;
            prepared(&mut caller, "call_with_best_effort_response").map(|_| ())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add",
        |mut caller: Caller<'_>, _amount: u64| {
            enter(&mut caller, "call_cycles_add", PAYERS, charge::CALL)?;
            prepared(&mut caller, "call_cycles_add").map(|_| ())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add128",
        |mut caller: Caller<'_>, _high: u64, _low: u64| {
            enter(&mut caller, "call_cycles_add128", PAYERS, charge::CALL)?;
            prepared(&mut caller, "call_cycles_add128").map(|_| ())
        },
    )?;
    linker.func_wrap("ic0", "call_perform", |mut caller: Caller<'_>| {
        enter(&mut caller, "call_perform", CALLERS, charge::CALL_PERFORM)?;
        prepared(&mut caller, "call_perform")?;
        let state = caller.data_mut();
        if let Some(call) = state.call.take() {
            state.printed.push(
                format!(
                    "not supported by local-ic: inter-canister calls (to {} of {}, {} bytes)",
                    call.method,
                    call.callee,
                    call.argument.len()
                )
                .into_bytes(),
            );
        }
        Ok(NOT_PERFORMED)
    })?;
    Ok(())
}

fn prepared<'a>(caller: &'a mut Caller<'_>, name: &str) -> Result<&'a mut PreparedCall> {
    caller.data_mut().call.as_mut().ok_or_else(|| {
        contract(format!(
            "ic0.{name} called when no call is under construction."
        ))
    })
}
