//! `http_request` and `http_request_update` (HTTP Gateway Protocol specification, "Canister HTTP Interface").

use crate::serve::{Request, Response};
use candid::{CandidType, Deserialize};
use serde_bytes::ByteBuf;

/// A request, as gateways send it.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct HttpRequest {
    /// The method. Text, because a strict type would make the canister trap before it can answer.
    pub method: String,
    /// Path and query.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// The version of response verification that the gateway wants. Answers are certified in version 2 whatever
    /// it is.
    pub certificate_version: Option<u16>,
}

/// An answer, as gateways expect it, but for the optional streaming strategy: what gateways get by callbacks, they do
/// not verify, so large bodies come as 206 parts.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct HttpResponse {
    /// The status code.
    pub status_code: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// True if the request should be repeated as an update call.
    pub upgrade: Option<bool>,
}

/// Reply of `certified_tree`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CertifiedTree {
    /// The certificate of the canister's certified data.
    pub certificate: ByteBuf,
    /// The tree that has it as its root hash, as self-described CBOR.
    pub tree: ByteBuf,
}

impl From<HttpRequest> for Request {
    fn from(request: HttpRequest) -> Self {
        Self {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
        }
    }
}

impl From<Response> for HttpResponse {
    fn from(response: Response) -> Self {
        Self {
            status_code: response.status,
            headers: response.headers,
            body: response.body,
            upgrade: response.upgrade.then_some(true),
        }
    }
}
