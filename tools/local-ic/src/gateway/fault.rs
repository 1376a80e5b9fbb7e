//! Every reason a gateway does not pass a canister's answer, by who erred.

use std::fmt;

use axum::http::StatusCode;
use candid::Principal;

use super::content_range::ContentRange;
use super::verify::Unverified;
use crate::{ErrorCode, Reject};

/// Why there is no answer to pass.
#[derive(Debug)]
pub(super) enum Fault {
    // The client erred.
    NoHost,
    UnknownHost { host: String, domain: String },
    NoCanisterNamed { authority: String },
    NotACanisterId { name: String, why: String },
    OpaqueHeader(String),
    RequestTooLarge,
    PublicInterface,

    // The canister, or whoever answered in its name.
    Rejected { method: String, reject: Reject },
    Unreadable { method: String, why: String },
    Unverified { url: String, why: Unverified },
    Stream(StreamFault),
    Part { at: u64, fault: PartFault },
    Status(u16),
    Header(String),

    // The gateway or the engine.
    Broken(String),
}

/// What is wrong with a streaming strategy.
#[derive(Debug)]
pub(super) enum StreamFault {
    NoFunction,
    OfAnotherCanister(Principal),
    OfAnUpdate,
    TooLong { callbacks: usize },
}

/// What is wrong with a part of a body.
#[derive(Debug)]
pub(super) enum PartFault {
    Upgrade,
    Streamed,
    Status(u16),
    NoContentRange,
    BadContentRange(String),
    Elsewhere { range: ContentRange },
    Length { range: ContentRange, length: u64 },
    Total { range: ContentRange, before: u64 },
    TooMany { parts: u64, limit: u64 },
}

impl PartFault {
    /// The fault of the part asked for from byte `at` on.
    pub(super) fn at(self, at: u64) -> Fault {
        Fault::Part { at, fault: self }
    }
}

impl Fault {
    /// The status that tells a client as much as a status can.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Fault::NoHost
            | Fault::UnknownHost { .. }
            | Fault::NoCanisterNamed { .. }
            | Fault::NotACanisterId { .. }
            | Fault::OpaqueHeader(_) => StatusCode::BAD_REQUEST,
            Fault::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::PublicInterface => StatusCode::NOT_IMPLEMENTED,
            Fault::Rejected { reject, .. } => match reject.error_code {
                ErrorCode::CanisterNotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            },
            Fault::Unverified { .. } | Fault::Stream(_) | Fault::Part { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Fault::Unreadable { .. } | Fault::Status(_) | Fault::Header(_) => {
                StatusCode::BAD_GATEWAY
            }
            Fault::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoHost => write!(f, "The request names no host."),
            Fault::UnknownHost { host, domain } => write!(
                f,
                "{host} is not a domain of this gateway. \
                 Canisters are at http://<canister-id>.{domain}/."
            ),
            Fault::NoCanisterNamed { authority } => write!(
                f,
                "The URL names no canister. Open http://<canister-id>.{authority}/ \
                 or http://{authority}/?canisterId=<canister-id>."
            ),
            Fault::NotACanisterId { name, why } => {
                write!(f, "{name:?} is not a canister id: {why}.")
            }
            Fault::OpaqueHeader(name) => write!(
                f,
                "The header {name} holds more than visible ASCII, which canisters cannot take."
            ),
            Fault::RequestTooLarge => write!(
                f,
                "The request body is larger than {} bytes, the most a canister can take.",
                super::MAX_REQUEST_BODY
            ),
            Fault::PublicInterface => {
                write!(f, "Agents are not answered here, only browsers.")
            }
            Fault::Rejected { method, reject } => rejected(f, method, reject),
            Fault::Unreadable { method, why } => write!(
                f,
                "The reply to {method} does not have the type the interface gives it: {why}"
            ),
            Fault::Unverified { url, why } => write!(
                f,
                "The answer to {url} did not verify, and no byte of it is passed on: {why}."
            ),
            Fault::Stream(fault) => write!(f, "The answer cannot be streamed: {fault}."),
            Fault::Part { at, fault } => {
                write!(
                    f,
                    "The part of the answer that begins at byte {at} is of no use: {fault}."
                )
            }
            Fault::Status(status) => write!(
                f,
                "The canister answered with {status}, which is no final HTTP status."
            ),
            Fault::Header(name) => {
                write!(
                    f,
                    "The canister answered with a header {name:?} that HTTP cannot carry."
                )
            }
            Fault::Broken(why) => write!(f, "local-ic failed, which is a defect: {why}"),
        }
    }
}

fn rejected(f: &mut fmt::Formatter<'_>, method: &str, reject: &Reject) -> fmt::Result {
    match reject.error_code {
        ErrorCode::CanisterNotFound => write!(f, "There is no such canister: ")?,
        ErrorCode::CanisterWasmModuleNotFound => write!(f, "No code is installed: ")?,
        ErrorCode::CanisterMethodNotFound => write!(f, "The canister does not serve HTTP: ")?,
        ErrorCode::CanisterStopped | ErrorCode::CanisterStopping => {
            write!(f, "The canister is stopped: ")?;
        }
        _ => write!(f, "The canister failed in {method}: ")?,
    }
    write!(f, "{} ({})", reject.message, reject.error_code.name())
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamFault::NoFunction => write!(f, "its callback is no function"),
            StreamFault::OfAnotherCanister(canister) => {
                write!(f, "its callback belongs to another canister, {canister}")
            }
            StreamFault::OfAnUpdate => {
                write!(f, "an update answered it, and queries cannot continue that")
            }
            StreamFault::TooLong { callbacks } => write!(
                f,
                "it goes on after {callbacks} callbacks, and gateways verify no more; \
                 answer with 206 and certified parts instead"
            ),
        }
    }
}

impl fmt::Display for PartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartFault::Upgrade => write!(f, "it asks to be upgraded to an update call"),
            PartFault::Streamed => write!(f, "it has a streaming strategy"),
            PartFault::Status(status) => write!(f, "its status is {status}, not 206"),
            PartFault::NoContentRange => write!(f, "it has no certified Content-Range"),
            PartFault::BadContentRange(text) => {
                write!(
                    f,
                    "its Content-Range {text:?} does not say where it belongs"
                )
            }
            PartFault::Elsewhere { range } => write!(f, "its Content-Range is {range}"),
            PartFault::Length { range, length } => {
                write!(f, "its Content-Range is {range}, its length {length}")
            }
            PartFault::Total { range, before } => {
                write!(
                    f,
                    "its Content-Range is {range}, but the total was {before}"
                )
            }
            PartFault::TooMany { parts, limit } => {
                write!(
                    f,
                    "the body has {parts} parts or more, and gateways fetch {limit}"
                )
            }
        }
    }
}
