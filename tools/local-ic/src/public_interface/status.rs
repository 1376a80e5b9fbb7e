//! What anybody may know about the network.

use std::collections::BTreeMap;

use axum::response::Response;
use serde_cbor::Value;

use super::cbor;
use crate::Local;

/// `GET /api/v2/status`
pub(super) fn answer(local: &Local) -> Response {
    let root_key = local.network().root_key().to_vec();
    let version = concat!("local-ic ", env!("CARGO_PKG_VERSION"));
    let status = BTreeMap::from([
        ("impl_version", Value::Text(version.to_owned())),
        ("replica_health_status", Value::Text("healthy".to_owned())),
        ("root_key", Value::Bytes(root_key)),
    ]);
    cbor::response(&status)
}
