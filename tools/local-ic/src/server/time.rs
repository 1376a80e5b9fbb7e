//! The clock of an instance, and its rounds.

use axum::Json;
use pocket_ic::common::rest::{RawTickConfigs, RawTime};

use crate::Network;

use super::instances::On;
use super::json::Body;
use super::refusal::Refusal;

/// `GET read/get_time`
pub(super) async fn get(On(instance): On) -> Result<Json<RawTime>, Refusal> {
    let nanos_since_epoch = instance.with(|network| network.time()).await?;
    Ok(Json(RawTime { nanos_since_epoch }))
}

/// `POST update/set_time` and `POST update/set_certified_time`: certificates
/// are made when they are asked for, so the time is certified at once.
pub(super) async fn set(On(instance): On, Body(time): Body<RawTime>) -> Result<Json<()>, Refusal> {
    let set = move |network: &mut Network| network.set_time(time.nanos_since_epoch);
    instance
        .with(set)
        .await?
        .map_err(Refusal::IntoThePast)
        .map(Json)
}

/// `POST update/tick`: one round on every subnet.
pub(super) async fn tick(
    On(instance): On,
    Body(configs): Body<RawTickConfigs>,
) -> Result<Json<()>, Refusal> {
    if configs.blockmakers.is_some() {
        return Err(Refusal::NotSupported("blockmakers of a tick".to_owned()));
    }
    instance.with(|network| network.round()).await.map(Json)
}
