//! What a test reads and changes behind a canister's back: controllers,
//! cycles, stable memory, and where it lives.

use std::sync::Arc;

use axum::Json;
use axum::extract;
use pocket_ic::common::rest::{
    RawAddCycles, RawCanisterId, RawCycles, RawPrincipalId, RawSetStableMemory, RawStableMemory,
    RawSubnetId,
};

use crate::Network;

use super::State;
use super::ingress::principal;
use super::instances::On;
use super::json::Body;
use super::refusal::Refusal;

/// `POST read/get_controllers`
pub(super) async fn controllers(
    On(instance): On,
    Body(canister): Body<RawCanisterId>,
) -> Result<Json<Vec<RawPrincipalId>>, Refusal> {
    let id = principal(&canister.canister_id)?;
    let look = move |network: &mut Network| network.controllers(id);
    let controllers = instance.with(look).await?.ok_or(Refusal::NoCanister(id))?;
    Ok(Json(
        controllers.into_iter().map(RawPrincipalId::from).collect(),
    ))
}

/// `POST read/get_cycles`
pub(super) async fn cycles(
    On(instance): On,
    Body(canister): Body<RawCanisterId>,
) -> Result<Json<RawCycles>, Refusal> {
    let id = principal(&canister.canister_id)?;
    let look = move |network: &mut Network| network.cycles(id);
    let cycles = instance.with(look).await?.ok_or(Refusal::NoCanister(id))?;
    Ok(Json(RawCycles { cycles }))
}

/// `POST update/add_cycles`: answers the new balance.
pub(super) async fn add_cycles(
    On(instance): On,
    Body(gift): Body<RawAddCycles>,
) -> Result<Json<RawCycles>, Refusal> {
    let id = principal(&gift.canister_id)?;
    let add = move |network: &mut Network| network.add_cycles(id, gift.amount);
    let cycles = instance.with(add).await?.ok_or(Refusal::NoCanister(id))?;
    Ok(Json(RawCycles { cycles }))
}

/// `POST read/get_stable_memory`: all of it.
pub(super) async fn stable_memory(
    On(instance): On,
    Body(canister): Body<RawCanisterId>,
) -> Result<Json<RawStableMemory>, Refusal> {
    let id = principal(&canister.canister_id)?;
    let look = move |network: &mut Network| network.stable_memory(id);
    let blob = instance.with(look).await?.ok_or(Refusal::NoCanister(id))?;
    Ok(Json(RawStableMemory { blob }))
}

/// `POST update/set_stable_memory`: from an uploaded blob.
pub(super) async fn set_stable_memory(
    extract::State(state): extract::State<Arc<State>>,
    On(instance): On,
    Body(change): Body<RawSetStableMemory>,
) -> Result<Json<()>, Refusal> {
    let id = principal(&change.canister_id)?;
    let blob = state
        .blobs
        .get(&change.blob_id.0)
        .ok_or(Refusal::NoBlob(change.blob_id.0))?;
    let set = move |network: &mut Network| network.set_stable_memory(id, &blob);
    if instance.with(set).await? {
        Ok(Json(()))
    } else {
        Err(Refusal::NoCanister(id))
    }
}

/// `POST read/get_subnet`: `null` for a canister that does not exist.
pub(super) async fn subnet(
    On(instance): On,
    Body(canister): Body<RawCanisterId>,
) -> Result<Json<Option<RawSubnetId>>, Refusal> {
    let id = principal(&canister.canister_id)?;
    let look = move |network: &mut Network| network.subnet_of(id);
    Ok(Json(instance.with(look).await?.map(RawSubnetId::from)))
}

/// `POST read/pub_key`: a subnet's key in DER, as an array of numbers.
pub(super) async fn public_key(
    On(instance): On,
    Body(subnet): Body<RawSubnetId>,
) -> Result<Json<Vec<u8>>, Refusal> {
    let id = principal(&subnet.subnet_id)?;
    let look = move |network: &mut Network| {
        let subnet = network.subnets().iter().find(|subnet| subnet.id == id);
        subnet.map(|subnet| subnet.public_key.clone())
    };
    instance
        .with(look)
        .await?
        .ok_or(Refusal::NoSubnet(id))
        .map(Json)
}
