//! The public interface of the Internet Computer: what agents speak.
//!
//! ```text
//!  POST /api/v4/canister/<id>/call
//!    │ endpoint         what is asked, and where
//!    │ envelope         CBOR: content, key, signature, delegations
//!    │ authentication   the sender made it, and it is still good
//!    ▼
//!  call        submit ──► rounds until answered ──► certificate of the answer
//!  query       answer ──► signed by the subnet's node
//!  read_state  access ──► certificate of the paths asked for
//!  status      root key
//! ```
//!
//! It is the interface specification's ["HTTPS interface"], without the TLS.
//! Keys are Ed25519, secp256k1 and P-256; canister signatures and WebAuthn are
//! refused by name. Bodies are the agent's own types ([`ic_transport_types`]),
//! so their encoding is right by construction.
//!
//! ["HTTPS interface"]: https://docs.internetcomputer.org/references/ic-interface-spec/https-interface

mod access;
mod authentication;
mod call;
mod cbor;
mod endpoint;
mod envelope;
mod key;
mod query;
mod read_state;
mod refusal;
mod reject;
mod status;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use candid::Principal;

use crate::{Local, Network};

use endpoint::{At, Endpoint};
use refusal::Refusal;

/// The largest request body, in bytes: a message of 2 MiB and its envelope.
const MAX_REQUEST_BODY: usize = 4 << 20;

/// The public interface of one network. Clones share it.
///
/// Canisters run on tokio's blocking threads, whose stacks must hold a
/// canister's; see [`server::runtime`](crate::server::runtime).
#[derive(Debug, Clone)]
pub struct PublicInterface {
    local: Local,
}

impl PublicInterface {
    /// The public interface of `local`. Whether a request expired is judged by
    /// the network's own time.
    pub fn new(local: Local) -> PublicInterface {
        PublicInterface { local }
    }

    /// Whether a path belongs to the public interface and to no canister.
    pub fn owns(path: &str) -> bool {
        endpoint::is_ours(path)
    }

    /// Answers one request, from whatever web page it comes.
    pub async fn answer(&self, request: Request) -> Response {
        let mut response = if *request.method() == Method::OPTIONS {
            preflight()
        } else {
            let (parts, body) = request.into_parts();
            self.try_answer(&parts.method, parts.uri.path(), body)
                .await
                .unwrap_or_else(IntoResponse::into_response)
        };
        let everybody = HeaderValue::from_static("*");
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, everybody);
        response
    }

    async fn try_answer(
        &self,
        method: &Method,
        path: &str,
        body: Body,
    ) -> Result<Response, Refusal> {
        let endpoint = Endpoint::of(method, path)?;
        let body = axum::body::to_bytes(body, MAX_REQUEST_BODY)
            .await
            .map_err(|_| Refusal::TooLarge)?;
        let local = self.local.clone();
        match endpoint {
            Endpoint::Status => blocking(move || Ok(status::answer(&local))).await,
            Endpoint::Call(waiting, at) => call::answer(local, waiting, at, body).await,
            Endpoint::Query(at) => blocking(move || query::answer(&local, at, &body)).await,
            Endpoint::ReadState(ranges, at) => {
                blocking(move || read_state::answer(&local, ranges, at, &body)).await
            }
        }
    }
}

/// Lets web pages of other origins in (Fetch standard, "CORS protocol").
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The subnet that a request goes to.
fn subnet(network: &Network, at: At) -> Result<Principal, Refusal> {
    let index = match at {
        // New canisters are created anywhere.
        At::Canister(id) if id == Principal::management_canister() => {
            Some(network.default_subnet())
        }
        At::Canister(id) => network.owner(id),
        At::Subnet(id) => network.subnets().iter().position(|subnet| subnet.id == id),
    };
    index
        .map(|index| network.subnets()[index].id)
        .ok_or(Refusal::Nowhere(at))
}

/// Runs what executes canisters and makes signatures where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::Broken(error.to_string())))
}
