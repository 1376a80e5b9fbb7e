//! Every way a request is refused before a canister hears of it. The body of
//! the response is the sentence that says why.

use std::fmt;

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use candid::Principal;

use super::access::Denied;
use super::authentication;
use super::endpoint::At;

/// Why a request was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    NoEndpoint {
        path: String,
    },
    Method {
        method: Method,
        expected: Method,
    },
    NotAPrincipal {
        text: String,
        why: String,
    },
    TooLarge,
    /// The body is not the CBOR of an envelope.
    Malformed(String),
    /// The body is that of another endpoint.
    RequestType {
        expected: &'static str,
    },
    Unauthentic(authentication::Fault),
    /// No subnet of the network has it.
    Nowhere(At),
    /// The URL names another canister than the request is about.
    Elsewhere {
        at: At,
        about: Principal,
    },
    /// Only few management calls are made to a subnet.
    NotOfASubnet,
    Denied(Denied),
    /// A defect in local-ic.
    Broken(String),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoEndpoint { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAPrincipal { .. }
            | Self::Malformed(_)
            | Self::RequestType { .. }
            | Self::Unauthentic(_)
            | Self::Nowhere(_)
            | Self::Elsewhere { .. }
            | Self::NotOfASubnet => StatusCode::BAD_REQUEST,
            Self::Denied(denied) => denied.status(),
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint { path } => write!(f, "The public interface has no endpoint {path}"),
            Self::Method { method, expected } => {
                write!(f, "This endpoint takes {expected} and not {method}")
            }
            Self::NotAPrincipal { text, why } => {
                write!(f, "The URL names no principal: {text:?}: {why}")
            }
            Self::TooLarge => write!(
                f,
                "The request has more than {} bytes",
                super::MAX_REQUEST_BODY
            ),
            Self::Malformed(why) => {
                write!(f, "The body is not an envelope in CBOR: {why}")
            }
            Self::RequestType { expected } => {
                write!(f, "This endpoint takes requests of the type {expected}")
            }
            Self::Unauthentic(fault) => write!(f, "{fault}"),
            Self::Nowhere(At::Canister(id)) => write!(
                f,
                "canister_not_found: no subnet of this network has the canister id {id}"
            ),
            Self::Nowhere(At::Subnet(id)) => {
                write!(f, "subnet_not_found: this network has no subnet {id}")
            }
            Self::Elsewhere { at, about } => write!(
                f,
                "The URL names {at} as the effective destination, but the request is about \
                 canister {about}"
            ),
            Self::NotOfASubnet => write!(
                f,
                "Only calls that create canisters can be made to a subnet; \
                 others go to /api/v4/canister/<id>/call"
            ),
            Self::Denied(denied) => write!(f, "{denied}"),
            Self::Broken(why) => write!(f, "local-ic failed, which is a defect: {why}"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}
