//! The canister and its surroundings: identity, time, cycles, certificates,
//! settings, and ways to say something.

use wasmtime::Linker;

use super::message::narrow;
use super::shape::{amount, blob, value};
use super::{
    Caller, In, Result, SystemState, Trap, bytes, contract, copy, enter, pay, principal, text,
    u128_of, write_u128,
};
use crate::meter::{Item, charge};

const ROOT_KEY: In = In::INIT
    .or(In::PRE_UPGRADE)
    .or(In::UPDATE)
    .or(In::REPLICATED_QUERY)
    .or(In::CALLBACKS)
    .or(In::CLEANUP)
    .or(In::TASK);
const CERTIFIED_DATA: In = In::INIT
    .or(In::PRE_UPGRADE)
    .or(In::UPDATE)
    .or(In::CALLBACKS)
    .or(In::TASK);
const CERTIFICATE: In = In::QUERY.or(In::COMPOSITE_QUERY);
const BURN: In = ROOT_KEY;
const TIMER: In = CERTIFIED_DATA.or(In::CLEANUP);

/// What certified data may be at most.
const MAX_CERTIFIED_DATA: u32 = 32;
/// How many nodes a subnet is said to have.
const NODES: u32 = 13;
/// What creating a canister costs on a subnet of that size, in cycles.
pub(crate) const CREATION_FEE: u128 = 500_000_000_000;

pub(super) fn define(linker: &mut Linker<SystemState>) -> Result<()> {
    identity(linker)?;
    cycles(linker)?;
    certification(linker)?;
    clock(linker)?;
    variables(linker)?;
    costs(linker)?;
    speech(linker)
}

fn identity(linker: &mut Linker<SystemState>) -> Result<()> {
    blob(
        linker,
        ["canister_self_size", "canister_self_copy"],
        In::NOT_IN_START,
        |state| Ok(state.environment.canister.as_slice()),
    )?;
    blob(
        linker,
        ["subnet_self_size", "subnet_self_copy"],
        In::NOT_IN_START,
        |state| Ok(state.environment.subnet.as_slice()),
    )?;
    value(linker, "subnet_self_node_count", In::NOT_IN_START, |_| {
        Ok(NODES)
    })?;
    value(linker, "canister_status", In::NOT_IN_START, |state| {
        Ok(state.environment.status)
    })?;
    value(linker, "canister_version", In::NOT_IN_START, |state| {
        Ok(state.environment.version)
    })?;
    value(linker, "in_replicated_execution", In::ANYWHERE, |state| {
        Ok(u32::from(state.message.entry.is_replicated()))
    })?;
    linker.func_wrap(
        "ic0",
        "is_controller",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            let charge = charge::IS_CONTROLLER + u64::from(size);
            enter(&mut caller, "is_controller", In::ANYWHERE, charge)?;
            let who = principal(&mut caller, src, size)?;
            Ok(u32::from(
                caller.data().environment.controllers.contains(&who),
            ))
        },
    )?;
    Ok(())
}

fn cycles(linker: &mut Linker<SystemState>) -> Result<()> {
    value(
        linker,
        "canister_cycle_balance",
        In::NOT_IN_START,
        |state| narrow(balance(state)),
    )?;
    for name in [
        "canister_cycle_balance128",
        "canister_liquid_cycle_balance128",
    ] {
        amount(linker, name, In::NOT_IN_START, balance)?;
    }
    linker.func_wrap(
        "ic0",
        "cycles_burn128",
        |mut caller: Caller<'_>, high: u64, low: u64, dst: u32| {
            enter(&mut caller, "cycles_burn128", BURN, charge::CALL)?;
            let burned = u128_of(high, low).min(balance(caller.data()));
            caller.data_mut().effects.cycles_burned += burned;
            write_u128(&mut caller, dst, burned)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "mint_cycles128",
        |_: Caller<'_>, _high: u64, _low: u64, _dst: u32| -> Result<()> {
            Err(Trap::NotSupported("mint_cycles128").into())
        },
    )?;
    Ok(())
}

/// What the canister has now, without what a call under construction takes.
pub(super) fn balance(state: &SystemState) -> u128 {
    let taken = state.call.as_ref().map_or(0, |call| call.cycles);
    state.effects.balance(state.environment.cycles) - taken
}

fn certification(linker: &mut Linker<SystemState>) -> Result<()> {
    blob(
        linker,
        ["root_key_size", "root_key_copy"],
        ROOT_KEY,
        |state| Ok(&state.environment.root_key),
    )?;
    blob(
        linker,
        ["data_certificate_size", "data_certificate_copy"],
        CERTIFICATE,
        certificate,
    )?;
    value(
        linker,
        "data_certificate_present",
        In::NOT_IN_START,
        |state| Ok(u32::from(state.message.certificate.is_some())),
    )?;
    linker.func_wrap(
        "ic0",
        "certified_data_set",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            let charge = charge::CALL + u64::from(size);
            enter(&mut caller, "certified_data_set", CERTIFIED_DATA, charge)?;
            if size > MAX_CERTIFIED_DATA {
                return Err(contract(format!(
                    "ic0_certified_data_set failed because the passed data must be \
                 no larger than {MAX_CERTIFIED_DATA} bytes. Found {size} bytes"
                )));
            }
            let data = bytes(&mut caller, src, size)?;
            caller.data_mut().effects.certified_data = Some(data);
            Ok(())
        },
    )?;
    Ok(())
}

fn certificate(state: &SystemState) -> Result<&[u8]> {
    state
        .message
        .certificate
        .as_deref()
        .ok_or_else(|| contract("there is no data certificate in this execution"))
}

fn clock(linker: &mut Linker<SystemState>) -> Result<()> {
    value(linker, "time", In::NOT_IN_START, |state| {
        Ok(state.environment.time)
    })?;
    linker.func_wrap(
        "ic0",
        "global_timer_set",
        |mut caller: Caller<'_>, time: u64| {
            enter(&mut caller, "global_timer_set", TIMER, charge::CALL)?;
            let state = caller.data_mut();
            let before = state.effects.global_timer.replace(time);
            Ok(before.unwrap_or(state.environment.global_timer))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "performance_counter",
        |mut caller: Caller<'_>, kind: u32| {
            enter(
                &mut caller,
                "performance_counter",
                In::ANYWHERE,
                charge::PERFORMANCE_COUNTER,
            )?;
            match kind {
                // Of this message.
                0 => Ok(caller.data().meter.spent(caller.get_fuel()?)),
                // Of the call.
                1 => {
                    let before = caller.data().message.standing.instructions;
                    Ok(before + caller.data().meter.spent(caller.get_fuel()?))
                }
                _ => Err(contract(format!(
                    "Error getting performance counter type {kind}"
                ))),
            }
        },
    )?;
    Ok(())
}

fn variables(linker: &mut Linker<SystemState>) -> Result<()> {
    value(linker, "env_var_count", In::NOT_IN_START, |state| {
        Ok(state.environment.variables.len() as u32)
    })?;
    linker.func_wrap(
        "ic0",
        "env_var_name_size",
        |mut caller: Caller<'_>, index: u32| {
            enter(
                &mut caller,
                "env_var_name_size",
                In::NOT_IN_START,
                charge::CALL,
            )?;
            nth_name(caller.data(), index).map(|name| name.len() as u32)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_name_copy",
        |mut caller: Caller<'_>, index: u32, dst: u32, offset: u32, size: u32| {
            const NAME: &str = "env_var_name_copy";
            enter(
                &mut caller,
                NAME,
                In::NOT_IN_START,
                charge::CALL + u64::from(size),
            )?;
            copy(&mut caller, NAME, (dst, offset, size), |state| {
                nth_name(state, index).map(str::as_bytes)
            })
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_name_exists",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            enter(
                &mut caller,
                "env_var_name_exists",
                In::NOT_IN_START,
                charge::CALL,
            )?;
            let name = text(&mut caller, src, size)?;
            Ok(u32::from(variable(caller.data(), &name).is_ok()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_value_size",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            enter(
                &mut caller,
                "env_var_value_size",
                In::NOT_IN_START,
                charge::CALL,
            )?;
            let name = text(&mut caller, src, size)?;
            variable(caller.data(), &name).map(|value| value.len() as u32)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_value_copy",
        |mut caller: Caller<'_>, src: u32, name_size: u32, dst: u32, offset: u32, size: u32| {
            const NAME: &str = "env_var_value_copy";
            enter(
                &mut caller,
                NAME,
                In::NOT_IN_START,
                charge::CALL + u64::from(size),
            )?;
            let name = text(&mut caller, src, name_size)?;
            copy(&mut caller, NAME, (dst, offset, size), |state| {
                variable(state, &name).map(str::as_bytes)
            })
        },
    )?;
    Ok(())
}

fn nth_name(state: &SystemState, index: u32) -> Result<&str> {
    match state.environment.variables.get(index as usize) {
        Some((name, _)) => Ok(name),
        None => Err(contract(format!(
            "there is no environment variable number {index}"
        ))),
    }
}

fn variable<'a>(state: &'a SystemState, name: &str) -> Result<&'a str> {
    state
        .environment
        .variables
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .ok_or_else(|| contract(format!("there is no environment variable '{name}'")))
}

/// Nothing is charged in cycles here, but for creating canisters.
fn costs(linker: &mut Linker<SystemState>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "cost_call",
        |mut caller: Caller<'_>, _name: u64, _payload: u64, dst: u32| {
            enter(&mut caller, "cost_call", In::ANYWHERE, charge::CALL)?;
            write_u128(&mut caller, dst, 0)
        },
    )?;
    amount(linker, "cost_create_canister", In::ANYWHERE, |_| {
        CREATION_FEE
    })?;
    linker.func_wrap(
        "ic0",
        "cost_http_request",
        |_: Caller<'_>, _request: u64, _response: u64, _dst: u32| -> Result<()> {
            Err(Trap::NotSupported("cost_http_request").into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "cost_http_request_v2",
        |_: Caller<'_>, _src: u32, _size: u32, _dst: u32| -> Result<()> {
            Err(Trap::NotSupported("cost_http_request_v2").into())
        },
    )?;
    for name in [
        "cost_sign_with_ecdsa",
        "cost_sign_with_schnorr",
        "cost_vetkd_derive_key",
    ] {
        linker.func_wrap(
            "ic0",
            name,
            move |_: Caller<'_>, _src: u32, _size: u32, _kind: u32, _dst: u32| -> Result<u32> {
                Err(Trap::NotSupported(name).into())
            },
        )?;
    }
    Ok(())
}

fn speech(linker: &mut Linker<SystemState>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "debug_print",
        |mut caller: Caller<'_>, src: u32, size: u32| {
            enter(
                &mut caller,
                "debug_print",
                In::ANYWHERE,
                charge::DEBUG_PRINT,
            )?;
            log_charge(&mut caller, size)?;
            // Printing from beyond the heap is not an error.
            let line = bytes(&mut caller, src, size)
                .unwrap_or_else(|_| b"(debug_print message out of memory bounds)".to_vec());
            caller.data_mut().printed.push(line);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "trap",
        |mut caller: Caller<'_>, src: u32, size: u32| -> Result<()> {
            enter(
                &mut caller,
                "trap",
                In::ANYWHERE,
                charge::CALL + u64::from(size),
            )?;
            log_charge(&mut caller, size)?;
            let message = match bytes(&mut caller, src, size) {
                Ok(message) => String::from_utf8_lossy(&message).into_owned(),
                Err(_) => "(trap message out of memory bounds)".to_owned(),
            };
            Err(Trap::Called(message).into())
        },
    )?;
    Ok(())
}

/// Storing and transmitting a line of the log.
fn log_charge(caller: &mut Caller<'_>, size: u32) -> Result<()> {
    let capacity = caller.data().environment.log_capacity;
    let printed: usize = caller.data().printed.iter().map(Vec::len).sum();
    let stored = u64::from(size).min(capacity);
    let transmitted = u64::from(size).min(capacity.saturating_sub(printed as u64));
    let amount = 2 * stored + charge::TRANSMITTED_BYTE * transmitted;
    pay(caller, Item::SystemApi, amount)
}
