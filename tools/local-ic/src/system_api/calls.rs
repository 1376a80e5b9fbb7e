//! Outgoing calls: put together, and made if the message that makes them
//! succeeds.

use candid::Principal;
use wasmtime::Linker;

use super::environment::balance;
use super::{
    Caller, In, Result, SystemState, Trap, bytes, contract, enter, pay, principal, text, u128_of,
};
use crate::meter::{Item, charge};

const PAYERS: In = In::UPDATE.or(In::CALLBACKS).or(In::TASK);
const CALLERS: In = PAYERS.or(In::COMPOSITE_QUERY).or(In::COMPOSITE_CALLBACKS);

/// The largest argument of a call within a subnet: 10 MiB.
const MAX_ARGUMENT: usize = 10 << 20;
/// How long a caller waits for a best-effort response at most, in seconds.
const MAX_TIMEOUT: u32 = 300;
const SECOND: u64 = 1_000_000_000;

/// A call that a canister makes.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingCall {
    pub(crate) callee: Principal,
    pub(crate) method: String,
    pub(crate) argument: Vec<u8>,
    /// What goes along; not part of the balance any more.
    pub(crate) cycles: u128,
    /// When a best-effort call would be given up, in ns since 1970; 0 for
    /// never. Callees can read it, but no call is given up here.
    pub(crate) deadline: u64,
    pub(crate) callbacks: Callbacks,
}

/// What to run when a call is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Callbacks {
    pub(crate) reply: Closure,
    pub(crate) reject: Closure,
    /// What to run when one of the above trapped.
    pub(crate) cleanup: Option<Closure>,
}

/// A function of the table and what it is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closure {
    pub(crate) function: u32,
    pub(crate) env: u32,
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
         reply_function: u32,
         reply_env: u32,
         reject_function: u32,
         reject_env: u32| {
            let size = u64::from(callee_size) + u64::from(name_size);
            enter(&mut caller, "call_new", CALLERS, charge::CALL_NEW + size)?;
            let call = OutgoingCall {
                callee: principal(&mut caller, callee_src, callee_size)?,
                method: text(&mut caller, name_src, name_size)?,
                argument: Vec::new(),
                cycles: 0,
                deadline: 0,
                callbacks: Callbacks {
                    reply: Closure {
                        function: reply_function,
                        env: reply_env,
                    },
                    reject: Closure {
                        function: reject_function,
                        env: reject_env,
                    },
                    cleanup: None,
                },
            };
            // What a call before it had taken is back with this.
            caller.data_mut().call = Some(call);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_on_cleanup",
        |mut caller: Caller<'_>, function: u32, env: u32| {
            enter(&mut caller, "call_on_cleanup", CALLERS, charge::CALL)?;
            let call = prepared(&mut caller, "call_on_cleanup")?;
            let closure = Closure { function, env };
            if call.callbacks.cleanup.replace(closure).is_some() {
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
            let call = prepared(&mut caller, "call_data_append")?;
            let total = call.argument.len() + data.len();
            if total > MAX_ARGUMENT {
                return Err(contract(format!(
                    "ic0.call_data_append: application payload size ({total}) cannot be \
                     larger than {MAX_ARGUMENT}"
                )));
            }
            call.argument.extend(data);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_with_best_effort_response",
        |mut caller: Caller<'_>, timeout_seconds: u32| {
            const NAME: &str = "call_with_best_effort_response";
            enter(&mut caller, NAME, CALLERS, charge::CALL)?;
            let now = caller.data().environment.time;
            let call = prepared(&mut caller, NAME)?;
            if call.deadline != 0 {
                return Err(contract(
                    "ic0.call_with_best_effort_response can be called at most once",
                ));
            }
            call.deadline = now + u64::from(timeout_seconds.min(MAX_TIMEOUT)) * SECOND;
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add",
        |mut caller: Caller<'_>, amount: u64| {
            enter(&mut caller, "call_cycles_add", PAYERS, charge::CALL)?;
            attach(&mut caller, "call_cycles_add", amount.into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add128",
        |mut caller: Caller<'_>, high: u64, low: u64| {
            enter(&mut caller, "call_cycles_add128", PAYERS, charge::CALL)?;
            attach(&mut caller, "call_cycles_add128", u128_of(high, low))
        },
    )?;
    linker.func_wrap("ic0", "call_perform", |mut caller: Caller<'_>| {
        enter(&mut caller, "call_perform", CALLERS, charge::CALL_PERFORM)?;
        prepared(&mut caller, "call_perform")?;
        let state = caller.data_mut();
        state.effects.calls.extend(state.call.take());
        // There is room for every call.
        Ok(0u32)
    })?;
    Ok(())
}

/// Moves cycles from the balance to the call under construction.
fn attach(caller: &mut Caller<'_>, name: &str, amount: u128) -> Result<()> {
    prepared(caller, name)?;
    let balance = balance(caller.data());
    if let Some(missing) = amount.checked_sub(balance)
        && missing > 0
    {
        return Err(Trap::OutOfCycles { missing }.into());
    }
    prepared(caller, name)?.cycles += amount;
    Ok(())
}

fn prepared<'a>(caller: &'a mut Caller<'_>, name: &str) -> Result<&'a mut OutgoingCall> {
    caller.data_mut().call.as_mut().ok_or_else(|| {
        contract(format!(
            "ic0.{name} called when no call is under construction."
        ))
    })
}
