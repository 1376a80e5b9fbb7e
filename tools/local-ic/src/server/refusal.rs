//! Every way a request is refused, and the one place that says so.
//!
//! The client library turns any status but 200 into a panic with the `message`
//! of the JSON body, so the message must say all.

use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use candid::Principal;
use pocket_ic::common::rest::InstanceId;
use serde_json::json;

use crate::TimeError;

/// Why a request was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// PocketIC has it, local-ic does not.
    NotSupported(String),
    /// The body is not what the endpoint takes.
    Malformed(String),
    /// Bytes that are no principal.
    NotAPrincipal(Vec<u8>),
    NoInstance(InstanceId),
    NoGateway(InstanceId),
    NoCanister(Principal),
    NoSubnet(Principal),
    NoBlob(Vec<u8>),
    NoMessage(Vec<u8>),
    /// The status of a message is its sender's business.
    NotTheSender {
        caller: Principal,
    },
    /// Clocks do not run backwards.
    IntoThePast(TimeError),
    /// A message that rounds did not answer.
    Unanswered {
        message: Vec<u8>,
        rounds: usize,
    },
    /// The engine refused what it was asked to do to a canister.
    Impossible(String),
    /// The instance stopped working: a defect in local-ic.
    Broken {
        instance: InstanceId,
        panic: String,
    },
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::NotSupported(_) => StatusCode::NOT_IMPLEMENTED,
            Refusal::NoInstance(_) | Refusal::NoGateway(_) => StatusCode::NOT_FOUND,
            Refusal::NotTheSender { .. } => StatusCode::FORBIDDEN,
            Refusal::Broken { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Malformed(_)
            | Refusal::NotAPrincipal(_)
            | Refusal::NoCanister(_)
            | Refusal::NoSubnet(_)
            | Refusal::NoBlob(_)
            | Refusal::NoMessage(_)
            | Refusal::IntoThePast(_)
            | Refusal::Unanswered { .. }
            | Refusal::Impossible(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotSupported(what) => write!(f, "not supported by local-ic: {what}"),
            Refusal::Malformed(why) => write!(f, "malformed request: {why}"),
            Refusal::NotAPrincipal(bytes) => {
                write!(
                    f,
                    "malformed request: no principal has the bytes {}",
                    hex::encode(bytes)
                )
            }
            Refusal::NoInstance(id) => write!(f, "instance {id} does not exist"),
            Refusal::NoGateway(id) => write!(f, "HTTP gateway {id} does not exist"),
            Refusal::NoCanister(id) => write!(f, "canister {id} does not exist"),
            Refusal::NoSubnet(id) => write!(f, "subnet {id} does not exist"),
            Refusal::NoBlob(id) => write!(f, "no blob {} was uploaded", hex::encode(id)),
            Refusal::NoMessage(id) => {
                write!(
                    f,
                    "BadIngressMessage(\"Unknown message 0x{}.\")",
                    hex::encode(id)
                )
            }
            Refusal::NotTheSender { caller } => {
                write!(
                    f,
                    "{caller} did not send this message and may not read its status"
                )
            }
            Refusal::IntoThePast(TimeError { now, wanted }) => {
                write!(f, "SettingTimeIntoPast(({now}, {wanted}))")
            }
            Refusal::Unanswered { message, rounds } => write!(
                f,
                "BadIngressMessage(\"Failed to answer to ingress 0x{} after {rounds} rounds.\")",
                hex::encode(message)
            ),
            Refusal::Impossible(why) => write!(f, "{why}"),
            Refusal::Broken { instance, panic } => {
                write!(
                    f,
                    "instance {instance} stopped working, a defect in local-ic: {panic}"
                )
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({ "message": self.to_string() }))).into_response()
    }
}
