//! The message at hand: its argument, its caller, its answer.

use wasmtime::Linker;

use super::{
    Caller, In, Result, SystemState, Trap, bytes, contract, copy, enter, pay, text, try_copy,
    u128_of, write_u128,
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
    linker.func_wrap("ic0", "msg_arg_data_size", |mut caller: Caller<'_>| {
        enter(&mut caller, "msg_arg_data_size", ARGUMENT, charge::CALL)?;
        Ok(caller.data().message.argument.len() as u32)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_arg_data_copy",
        |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
            const NAME: &str = "msg_arg_data_copy";
            enter(&mut caller, NAME, ARGUMENT, charge::CALL + u64::from(size))?;
            copy(&mut caller, NAME, (dst, offset, size), |state| {
                &state.message.argument
            })
        },
    )?;
    Ok(())
}

fn caller_of(linker: &mut Linker<SystemState>) -> Result<()> {
    linker.func_wrap("ic0", "msg_caller_size", |mut caller: Caller<'_>| {
        enter(
            &mut caller,
            "msg_caller_size",
            In::NOT_IN_START,
            charge::CALL,
        )?;
        Ok(caller.data().message.caller.as_slice().len() as u32)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_caller_copy",
        |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
            const NAME: &str = "msg_caller_copy";
            enter(
                &mut caller,
                NAME,
                In::NOT_IN_START,
                charge::CALL + u64::from(size),
            )?;
            copy(&mut caller, NAME, (dst, offset, size), |state| {
                state.message.caller.as_slice()
            })
        },
    )?;
    // Nobody sends information about callers here: both parts are empty.
    const SENDER_INFO: In = In::CALLS
        .or(In::INSPECT)
        .or(In::CLEANUP)
        .or(In::COMPOSITE_CLEANUP);
    for (size_name, copy_name) in [
        ("msg_caller_info_data_size", "msg_caller_info_data_copy"),
        ("msg_caller_info_signer_size", "msg_caller_info_signer_copy"),
    ] {
        linker.func_wrap("ic0", size_name, move |mut caller: Caller<'_>| {
            enter(&mut caller, size_name, SENDER_INFO, charge::CALL)?;
            Ok(0u32)
        })?;
        linker.func_wrap(
            "ic0",
            copy_name,
            move |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
                enter(
                    &mut caller,
                    copy_name,
                    SENDER_INFO,
                    charge::CALL + u64::from(size),
                )?;
                copy(&mut caller, copy_name, (dst, offset, size), |_| &[])
            },
        )?;
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
    linker.func_wrap("ic0", "msg_deadline", |mut caller: Caller<'_>| {
        enter(&mut caller, "msg_deadline", In::CALLS, charge::CALL)?;
        Ok(caller.data().message.standing.deadline)
    })?;
    linker.func_wrap("ic0", "msg_reject_code", |mut caller: Caller<'_>| {
        enter(&mut caller, "msg_reject_code", REJECT_CODE, charge::CALL)?;
        let reject = caller.data().message.reject.as_ref();
        Ok(reject.map_or(0, |reject| reject.reject_code() as u32))
    })?;
    linker.func_wrap("ic0", "msg_reject_msg_size", |mut caller: Caller<'_>| {
        enter(
            &mut caller,
            "msg_reject_msg_size",
            REJECT_MESSAGE,
            charge::CALL,
        )?;
        reject_message(caller.data()).map(|message| message.len() as u32)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_reject_msg_copy",
        |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
            const NAME: &str = "msg_reject_msg_copy";
            enter(
                &mut caller,
                NAME,
                REJECT_MESSAGE,
                charge::CALL + u64::from(size),
            )?;
            try_copy(&mut caller, NAME, (dst, offset, size), reject_message)
        },
    )?;
    Ok(())
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
    linker.func_wrap("ic0", "msg_cycles_available", |mut caller: Caller<'_>| {
        enter(&mut caller, "msg_cycles_available", CYCLES, charge::CALL)?;
        narrow(available(caller.data()))
    })?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_available128",
        |mut caller: Caller<'_>, dst: u32| {
            enter(&mut caller, "msg_cycles_available128", CYCLES, charge::CALL)?;
            let available = available(caller.data());
            write_u128(&mut caller, dst, available)
        },
    )?;
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
    linker.func_wrap("ic0", "msg_cycles_refunded", |mut caller: Caller<'_>| {
        enter(
            &mut caller,
            "msg_cycles_refunded",
            In::CALLBACKS,
            charge::CALL,
        )?;
        narrow(caller.data().message.refunded)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_refunded128",
        |mut caller: Caller<'_>, dst: u32| {
            enter(
                &mut caller,
                "msg_cycles_refunded128",
                In::CALLBACKS,
                charge::CALL,
            )?;
            let refunded = caller.data().message.refunded;
            write_u128(&mut caller, dst, refunded)
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
    linker.func_wrap("ic0", "msg_method_name_size", |mut caller: Caller<'_>| {
        enter(
            &mut caller,
            "msg_method_name_size",
            In::INSPECT,
            charge::CALL,
        )?;
        Ok(caller.data().message.method.len() as u32)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_method_name_copy",
        |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
            const NAME: &str = "msg_method_name_copy";
            enter(
                &mut caller,
                NAME,
                In::INSPECT,
                charge::CALL + u64::from(size),
            )?;
            copy(&mut caller, NAME, (dst, offset, size), |state| {
                state.message.method.as_bytes()
            })
        },
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
