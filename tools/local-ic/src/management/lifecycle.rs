//! From creating a canister to deleting it.

use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CreateCanisterArgs, ProvisionalCreateCanisterWithCyclesArgs,
    ProvisionalTopUpCanisterArgs, UpdateSettingsArgs,
};

use super::{Answer, decode, encode, nothing};
use crate::canister::{Settings, Status};
use crate::network::{Call, Effective, INITIAL_CYCLES, Network};
use crate::system_api::CREATION_FEE;
use crate::{ErrorCode, Reject};

/// Where a canister is to be created: where its id belongs, if one is asked for.
pub(super) fn subnet_for(
    network: &Network,
    payload: &[u8],
    effective: Effective,
) -> Result<usize, Reject> {
    let args: ProvisionalCreateCanisterWithCyclesArgs = decode(payload)?;
    let owner = |id: Principal| {
        network.owner(id).ok_or_else(|| {
            Reject::new(
                ErrorCode::CanisterNotHostedBySubnet,
                format!("no subnet of this network has the canister id {id}"),
            )
        })
    };
    if let Some(id) = args.specified_id {
        return owner(id);
    }
    match effective {
        Effective::None => Ok(network.default_subnet()),
        // Any principal may be named when creating; only ids say where.
        Effective::Canister(id) => Ok(network.owner(id).unwrap_or(network.default_subnet())),
        Effective::Subnet(id) => network
            .subnets()
            .iter()
            .position(|subnet| subnet.id == id)
            .ok_or_else(|| Network::no_subnet(id)),
    }
}

pub(super) fn create(
    network: &mut Network,
    sender: Principal,
    payload: &[u8],
    effective: Effective,
) -> Result<Vec<u8>, Reject> {
    let subnet = subnet_for(network, payload, effective)?;
    let args: ProvisionalCreateCanisterWithCyclesArgs = decode(payload)?;
    let settings = Settings::of(sender)
        .with(args.settings.unwrap_or_default())
        .map_err(invalid)?;
    let cycles = args.amount.map_or(Ok(INITIAL_CYCLES), amount)?;
    if let Some(id) = args.specified_id
        && network.canister_exists(id)
    {
        return Err(Reject::new(
            ErrorCode::CanisterIdAlreadyExists,
            format!("Canister {id} already exists"),
        ));
    }
    let canister_id = network
        .add_canister(subnet, args.specified_id, settings, cycles)
        .ok_or_else(|| invalid("the subnet has no canister id left".to_owned()))?;
    encode(&CanisterIdRecord { canister_id })
}

/// Creates a canister for another one, on its subnet, which pays for it.
pub(super) fn create_paid(network: &mut Network, call: &mut Call) -> Result<Vec<u8>, Reject> {
    let args: CreateCanisterArgs = decode(&call.argument)?;
    let settings = Settings::of(call.caller)
        .with(args.settings.unwrap_or_default())
        .map_err(invalid)?;
    let cycles = call.cycles.checked_sub(CREATION_FEE).ok_or_else(|| {
        Reject::new(
            ErrorCode::InsufficientCyclesForCreateCanister,
            format!(
                "Creating a canister requires a fee of {CREATION_FEE} that is deducted from \
                 the canister's initial balance but only {} cycles were received with the \
                 create_canister request.",
                call.cycles
            ),
        )
    })?;
    let subnet = network
        .owner(call.caller)
        .unwrap_or(network.default_subnet());
    let canister_id = network
        .add_canister(subnet, None, settings, cycles)
        .ok_or_else(|| invalid("the subnet has no canister id left".to_owned()))?;
    call.cycles = 0;
    encode(&CanisterIdRecord { canister_id })
}

pub(super) fn top_up(network: &mut Network, payload: &[u8]) -> Result<Vec<u8>, Reject> {
    let args: ProvisionalTopUpCanisterArgs = decode(payload)?;
    network.add_cycles(args.canister_id, amount(args.amount)?);
    Ok(nothing())
}

pub(super) fn update_settings(network: &mut Network, payload: &[u8]) -> Result<Vec<u8>, Reject> {
    let args: UpdateSettingsArgs = decode(payload)?;
    let canister = network.canister_mut(args.canister_id)?;
    canister.settings = canister
        .settings
        .clone()
        .with(args.settings)
        .map_err(invalid)?;
    canister
        .log
        .set_capacity(canister.settings.log_memory_limit);
    canister.version += 1;
    Ok(nothing())
}

/// What waits for the canister to stop is told that it will not.
pub(super) fn start(network: &mut Network, id: Principal) -> Result<Vec<u8>, Reject> {
    network.canister_mut(id)?.status = Status::Running;
    let cancelled = Reject::new(
        ErrorCode::CanisterStoppingCancelled,
        format!("Canister {id}'s stop request was cancelled."),
    );
    network.answer_stops(id, Err(cancelled));
    Ok(nothing())
}

/// The canister stops when it is done with the calls it works on. A call that
/// never ends keeps it from that: there is no timeout here.
pub(super) fn stop(network: &mut Network, id: Principal) -> Result<Answer, Reject> {
    let canister = network.canister_mut(id)?;
    if canister.status == Status::Stopped {
        return Ok(Answer::Reply(nothing()));
    }
    canister.status = Status::Stopping;
    Ok(Answer::WhenStopped(id))
}

/// A stopped canister works on nothing, so no answer is on its way to it.
pub(super) fn delete(network: &mut Network, canister: Principal) -> Result<Vec<u8>, Reject> {
    if network.canister_mut(canister)?.status != Status::Stopped {
        return Err(Reject::new(
            ErrorCode::CanisterNotStopped,
            format!("Canister {canister} must be stopped before it is deleted."),
        ));
    }
    network.canisters.remove(&canister);
    Ok(nothing())
}

fn amount(cycles: Nat) -> Result<u128, Reject> {
    u128::try_from(cycles.0).map_err(|_| invalid("there are not that many cycles".to_owned()))
}

fn invalid(reason: String) -> Reject {
    Reject::new(ErrorCode::InvalidManagementPayload, reason)
}
