//! The message at hand: its argument, its caller, its answer.

use wasmtime::Linker;

use super::shape::{amount, blob, value};
use super::{
    Caller, In, Result, SystemState, Trap, bytes, contract, enter, pay, text, u128_of, write_u128,
};
use crate::meter::{Item, charge};

/// The largest answer of a replicated call: 2 MiB.
pub(crate) const MAX_REPLY: usize = 2 << 20;
/// The largest answer of a non-replicated query: 3 MiB.
const MAX_QUERY_REPLY: usize = 3 << 20;

const ARGUMENT: In = In::INIT
    .or(In::UPDATE)
    .or(In::REPLICATED_QUERY)
    .or(In::QUERY)
    .or(In::COMPOSITE_QUERY)
    .or(In::REPLY)
    .or(In::COMPOSITE_REPLY)
    .or(In::INSPECT);
const CYCLES: In = In::UPDATE.or(In::REPLICATED_QUERY).or(In::CALLBACKS);
const SENDER_INFO: In = In::CALLS
    .or(In::INSPECT)
    .or(In::CLEANUP)
    .or(In::COMPOSITE_CLEANUP);
const REJECT_CODE: In = In::CALLBACKS.or(In::COMPOSITE_CALLBACKS).or(In::CLEANUP);
const REJECT_MESSAGE: In = In::REJECT.or(In::COMPOSITE_REJECT);

pub(super) fn define(linker: &mut Linker<SystemState>) -> Result<()> {
    argument(linker)?;
    caller_of(linker)?;
    answer(linker)?;
    cycles(linker)?;
    inspect(linker)
}

fn argument(linker: &mut Linker<SystemState>) -> Result<()> {
    blob(
        linker,
        ["msg_arg_data_size", "msg_arg_data_copy"],
        ARGUMENT,
        |state| Ok(&state.message.argument),
    )
}

fn caller_of(linker: &mut Linker<SystemState>) -> Result<()> {
    blob(
        linker,
        ["msg_caller_size", "msg_caller_copy"],
        In::NOT_IN_START,
        |state| Ok(state.message.caller.as_slice()),
    )?;
    // Nobody sends information about callers here: both parts are empty.
    for names in [
        ["msg_caller_info_data_size", "msg_caller_info_data_copy"],
        ["msg_caller_info_signer_size", "msg_caller_info_signer_copy"],
    ] {
        blob(linker, names, SENDER_INFO, |_| Ok(&[]))?;
    }
    Ok(())
}

fn answer(linker: &mut Linker<SystemState>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "msg_reply_data_append",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            enter(&mut caller, "msg_reply_data_append", In::CALLS, charge::CALL)?;
            pay(&mut caller, Item::Reply, charge::TRANSMITTED_BYTE * u64::from(size))?;
            unanswered(&caller, "msg_reply_data_append")?;
            let data = bytes(&mut caller, src, size)?;
            let state = caller.data_mut();
            let total = state.reply.len() + data.len();
            let max = if state.message.entry.is_replicated() {
                MAX_REPLY
            } else {
                MAX_QUERY_REPLY
            };
            if total > max {
                return Err(contract(format!(
                    "ic0.msg_reply_data_append: application payload size ({total}) cannot be larger than {max}"
                )));
            }
            state.reply.extend(data);
            Ok(())
        },
    )?;
    linker.func_wrap("ic0", "msg_reply", |mut caller: Caller<'_>| {
        enter(&mut caller, "msg_reply", In::CALLS, charge::CALL)?;
        unanswered(&caller, "msg_reply")?;
        let state = caller.data_mut();
        state.effects.response = Some(Ok(std::mem::take(&mut state.reply)));
        Ok(())
    })?;
    linker.func_wrap(
        "ic0",
        "msg_reject",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            enter(&mut caller, "msg_reject", In::CALLS, charge::CALL)?;
            pay(
                &mut caller,
                Item::Reply,
                charge::TRANSMITTED_BYTE * u64::from(size),
            )?;
            unanswered(&caller, "msg_reject")?;
            let message = text(&mut caller, src, size)?;
            caller.data_mut().effects.response = Some(Err(message));
            Ok(())
        },
    )?;
    value(linker, "msg_deadline", In::CALLS, |state| {
        Ok(state.message.standing.deadline)
    })?;
    value(linker, "msg_reject_code", REJECT_CODE, |state| {
        let reject = state.message.reject.as_ref();
        Ok(reject.map_or(0, |reject| reject.reject_code() as u32))
    })?;
    blob(
        linker,
        ["msg_reject_msg_size", "msg_reject_msg_copy"],
        REJECT_MESSAGE,
        reject_message,
    )
}

fn reject_message(state: &SystemState) -> Result<&[u8]> {
    match &state.message.reject {
        Some(reject) => Ok(reject.message.as_bytes()),
        None => Err(contract("there is no reject in this execution")),
    }
}

fn unanswered(caller: &Caller<'_>, name: &str) -> Result<()> {
    if is_answered(caller.data()) {
        return Err(contract(format!("ic0.{name}: the call is already replied")));
    }
    Ok(())
}

fn is_answered(state: &SystemState) -> bool {
    state.message.standing.answered || state.effects.response.is_some()
}

fn cycles(linker: &mut Linker<SystemState>) -> Result<()> {
    value(linker, "msg_cycles_available", CYCLES, |state| {
        narrow(available(state))
    })?;
    amount(linker, "msg_cycles_available128", CYCLES, available)?;
    value(linker, "msg_cycles_refunded", In::CALLBACKS, |state| {
        narrow(state.message.refunded)
    })?;
    amount(linker, "msg_cycles_refunded128", In::CALLBACKS, |state| {
        state.message.refunded
    })?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_accept",
        |mut caller: Caller<'_>, max: u64| {
            enter(&mut caller, "msg_cycles_accept", CYCLES, charge::CALL)?;
            narrow(accept(caller.data_mut(), max.into()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_accept128",
        |mut caller: Caller<'_>, high: u64, low: u64, dst: u32| {
            enter(&mut caller, "msg_cycles_accept128", CYCLES, charge::CALL)?;
            let accepted = accept(caller.data_mut(), u128_of(high, low));
            write_u128(&mut caller, dst, accepted)
        },
    )?;
    Ok(())
}

/// What can still be accepted. With the answer, the rest goes back.
fn available(state: &SystemState) -> u128 {
    match is_answered(state) {
        true => 0,
        false => state.message.standing.cycles - state.effects.cycles_accepted,
    }
}

/// Accepts cycles, `max` at most; how many.
fn accept(state: &mut SystemState, max: u128) -> u128 {
    let accepted = max.min(available(state));
    state.effects.cycles_accepted += accepted;
    accepted
}

/// An amount for the functions that know 64 bits only.
pub(super) fn narrow(cycles: u128) -> Result<u64> {
    u64::try_from(cycles)
        .map_err(|_| Trap::Wasm("cycles amount exceeds 64 bit integer limits".into()).into())
}

fn inspect(linker: &mut Linker<SystemState>) -> Result<()> {
    blob(
        linker,
        ["msg_method_name_size", "msg_method_name_copy"],
        In::INSPECT,
        |state| Ok(state.message.method.as_bytes()),
    )?;
    linker.func_wrap("ic0", "accept_message", |mut caller: Caller<'_>| {
        enter(&mut caller, "accept_message", In::INSPECT, charge::CALL)?;
        let effects = &mut caller.data_mut().effects;
        if std::mem::replace(&mut effects.accepted, true) {
            return Err(contract(
                "ic0.accept_message: the function was already called.",
            ));
        }
        Ok(())
    })?;
    Ok(())
}
