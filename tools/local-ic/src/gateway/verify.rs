//! Whether the network's root key vouches for a response.

use std::error::Error;
use std::fmt;

use candid::Principal;
use ic_http_certification::{HttpRequest, HttpResponse, Method, StatusCode};
use ic_response_verification::{ResponseVerificationError, verify_request_response_pair};

use super::Replica;
use super::exchange::Question;

/// How far from now a certificate's time may be, in ns: five minutes, as
/// everywhere on the Internet Computer.
const MAX_CERTIFICATE_AGE: u128 = 300_000_000_000;

/// Version 1 proves neither status nor headers, nor that a path is absent.
const MIN_VERSION: u8 = 2;

/// A response as a canister gave it or, once verified, as far as it is proven.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The value of a field that occurs exactly once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// Why a response is not to be believed.
#[derive(Debug)]
pub(super) enum Unverified {
    /// The status is none of HTTP's.
    Status(u16),
    /// The method is none of HTTP's.
    Method(String),
    /// The verifier refused it.
    Refused(Box<ResponseVerificationError>),
    /// The verifier left out the status, as version 1 does.
    NoStatus,
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unverified::Status(status) => write!(f, "{status} is not an HTTP status"),
            Unverified::Method(method) => write!(f, "{method:?} is not an HTTP method"),
            Unverified::NoStatus => write!(f, "its status is not certified"),
            Unverified::Refused(error) => {
                write!(f, "{error}")?;
                let mut source = error.source();
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
        }
    }
}

/// Reduces `reply` to what is certified of it.
pub(super) fn verify(
    replica: &dyn Replica,
    canister: Principal,
    question: &Question,
    reply: Reply,
) -> Result<Reply, Unverified> {
    let method = Method::from_bytes(question.method.as_bytes())
        .map_err(|_| Unverified::Method(question.method.clone()))?;
    let request = HttpRequest::builder()
        .with_method(method)
        .with_url(&question.url)
        .with_headers(question.headers.clone())
        .with_body(&question.body[..])
        .build();
    let status =
        StatusCode::from_u16(reply.status).map_err(|_| Unverified::Status(reply.status))?;
    let response = HttpResponse::builder()
        .with_status_code(status)
        .with_headers(reply.headers.clone())
        .with_body(&reply.body[..])
        .build();
    let verified = verify_request_response_pair(
        request,
        response,
        canister.as_slice(),
        replica.time().into(),
        MAX_CERTIFICATE_AGE,
        &replica.root_key(),
        MIN_VERSION,
    )
    .map_err(|error| Unverified::Refused(Box::new(error)))?;
    match verified.response {
        Some(response) => Ok(Reply {
            status: response.status_code.ok_or(Unverified::NoStatus)?,
            headers: response.headers,
            body: response.body,
        }),
        // The canister certified that it certifies nothing here.
        None => Ok(reply),
    }
}
