//! A canister on a network, asked for what proves what it is.
//!
//! Queries go through [`RemoteCanister`], which verifies the signatures of nodes, so that what is
//! not certified is at least the word of a node of the right subnet. The network's state is asked
//! for as it is: its certificate is what is to be examined.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use candid::Principal;
use ic_agent::identity::AnonymousIdentity;
use ic_transport_types::{Envelope, EnvelopeContent, ReadStateResponse};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use tokio::runtime::{Builder, Runtime};

use super::examination::Source;
use crate::Error;
use crate::canister::{Canister, Failure};
use crate::error::words;
use crate::network::{Location, Trust};
use crate::remote::{RemoteCanister, unknown_canister};
use crate::report::Report;
use crate::time::Time;

/// Nanoseconds that a request is good for: clocks differ, and five minutes is the most.
const EXPIRY: u64 = 240_000_000_000;

/// How long to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A canister on a network.
#[derive(Debug)]
pub struct Remote {
    id: Principal,
    canister: RemoteCanister,
    http: Client,
    read_state: Url,
    runtime: Runtime,
}

impl Remote {
    /// The canister `id` on the network at `location` that has this root key. `report` is told of
    /// outages.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], if this machine cannot ask anybody.
    pub fn new(
        id: Principal,
        location: &Location,
        root_key: &[u8],
        report: Arc<dyn Report + Send>,
    ) -> Result<Remote, Error> {
        let trust = Trust::RootKey(root_key.to_vec());
        let canister = RemoteCanister::new(id, location, trust, Box::new(AnonymousIdentity))?;
        let canister = canister.with_report(report);
        let read_state = location
            .url()
            .join(&format!("/api/v2/canister/{id}/read_state"))
            .map_err(|error| Error::Unreachable(error.to_string()))?;
        Ok(Remote {
            id,
            canister,
            http: client()?,
            read_state,
            runtime: runtime()?,
        })
    }

    /// The error with who erred, where a refusal tells.
    pub(crate) fn explain(&self, error: Error) -> Error {
        self.canister.explain(error)
    }

    async fn post(&self, body: Vec<u8>) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
        let request = self.http.post(self.read_state.clone());
        let request = request.header(CONTENT_TYPE, "application/cbor").body(body);
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.bytes().await?.to_vec()))
    }
}

impl Canister for Remote {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.canister.query(method, argument)
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.canister.update(method, argument)
    }

    fn lanes(&self) -> usize {
        self.canister.lanes()
    }
}

impl Source for Remote {
    fn read_state(&self, paths: &[Vec<Vec<u8>>]) -> Result<Vec<u8>, Failure> {
        let paths = paths.iter();
        let content = EnvelopeContent::ReadState {
            ingress_expiry: Time::now().0 + EXPIRY,
            sender: Principal::anonymous(),
            paths: paths
                .map(|path| path.iter().map(|label| label.clone().into()).collect())
                .collect(),
        };
        let envelope = Envelope {
            content: Cow::Owned(content),
            sender_pubkey: None,
            sender_sig: None,
            sender_delegation: None,
        };
        let unreachable = |why: String| Failure::Unreachable(why);
        let posted = self.runtime.block_on(self.post(envelope.encode_bytes()));
        let (status, body) = posted.map_err(|error| unreachable(words(&error)))?;
        if let Some(reject) = unknown_canister(&body).filter(|_| !status.is_success()) {
            return Err(reject.into());
        }
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body);
            let said = said.trim();
            return Err(unreachable(format!(
                "asked about {}, it answers with {status}: {said}",
                self.id
            )));
        }
        let response: Result<ReadStateResponse, _> = serde_cbor::from_slice(&body);
        let response = response.map_err(|error| unreachable(error.to_string()))?;
        Ok(response.certificate)
    }
}

/// What a gateway gives at a URL, which proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The URL.
    pub url: Url,
    /// The status code.
    pub status: u16,
    /// The canister that it says it shows.
    pub canister: Option<Principal>,
    /// The body, not encoded.
    pub body: Vec<u8>,
}

/// Gets what is at a URL, without following where it leads to.
///
/// # Errors
///
/// [`Error::Unreachable`].
pub fn get(url: &Url) -> Result<Given, Error> {
    let mut client = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
    if let Some(name) = url.host_str().filter(|name| name.ends_with(".localhost")) {
        // Not every resolver knows the names below it. A port of 0 is that of the URL.
        client = client.resolve(name, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    }
    let get = async {
        let request = client.build()?.get(url.clone());
        let response = request.header(ACCEPT_ENCODING, "identity").send().await?;
        let canister = response.headers().get("x-ic-canister-id");
        let canister = canister.and_then(|id| Principal::from_text(id.to_str().ok()?).ok());
        Ok::<_, reqwest::Error>(Given {
            url: url.clone(),
            status: response.status().as_u16(),
            canister,
            body: response.bytes().await?.to_vec(),
        })
    };
    let given = runtime()?.block_on(get);
    given.map_err(|error| Error::Unreachable(words(&error)))
}

fn client() -> Result<Client, Error> {
    let client = Client::builder().timeout(TIMEOUT).build();
    client.map_err(|error| Error::Unreachable(words(&error)))
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::Unreachable(error.to_string()))
}
