//! A canister on a network, called over HTTPS: with `ingress.rs`, what knows `ic_agent`'s calls.
//!
//! Every answer is verified, of queries too. What is lost on the way is sent again: queries
//! because they have no effect, updates as `ingress.rs` has it.

use std::sync::Arc;
use std::time::Duration;

use candid::Principal;
use ic_agent::agent::RejectCode;
use ic_agent::agent::agent_error::TransportError;
use ic_agent::{Agent, AgentError, Identity};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::canister::{Canister, Failure, Reject};
use crate::error::words;
use crate::ingress;
use crate::network::{Location, Trust};
use crate::outage::Outage;
use crate::report::Report;
use crate::root_key::root_key;
use crate::time::Time;

/// Updates under way at once. A block has room for two messages as large as parcels are, and an
/// answer takes a few blocks; beyond that, messages would only wait at the other end. With 1.5
/// seconds for each, 48 parcels take 72 seconds one after another, 18 in four lanes, 9 in eight.
const LANES: usize = 8;
/// How often a query is asked before it has failed.
const QUERIES: u32 = 4;
/// How long to wait for the answer to one.
const QUERY: Duration = Duration::from_secs(30);
/// Between the first two of them; doubled each time.
const PAUSE: Duration = Duration::from_millis(250);

/// A canister on a network.
#[derive(Debug)]
pub struct RemoteCanister {
    id: Principal,
    location: Location,
    agent: Agent,
    caller: Principal,
    lifetime: Option<Duration>,
    outage: Outage,
    runtime: Runtime,
}

impl RemoteCanister {
    /// The canister `id` on the network at `location`, as `identity` calls it.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], if the root key cannot be fetched.
    pub fn new(
        id: Principal,
        location: &Location,
        trust: Trust,
        identity: Box<dyn Identity>,
    ) -> Result<RemoteCanister, Error> {
        let broken = |reason: String| Error::Unreachable(reason);
        let caller = identity.sender().map_err(broken)?;
        // Calls run on the threads that make them; this one watches over their connections.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| broken(error.to_string()))?;
        let agent = Agent::builder()
            .with_url(location.url().as_str())
            .with_boxed_identity(identity)
            .build()
            .map_err(|error| broken(error.to_string()))?;
        match trust {
            // Agents know it.
            Trust::InternetComputer => {}
            Trust::RootKey(key) => agent.set_root_key(key),
            Trust::Fetched => agent.set_root_key(root_key(location, &Trust::Fetched)?),
        }
        Ok(RemoteCanister {
            id,
            location: location.clone(),
            agent,
            caller,
            lifetime: None,
            outage: Outage::default(),
            runtime,
        })
    }

    /// The same, with updates that may be executed for this long after they were sent; by
    /// default it is a few minutes.
    pub fn with_lifetime(self, lifetime: Duration) -> RemoteCanister {
        RemoteCanister {
            lifetime: Some(lifetime),
            ..self
        }
    }

    /// The same, telling somebody if the network does not answer for long, and when it does again.
    pub fn with_report(self, report: Arc<dyn Report + Send>) -> RemoteCanister {
        RemoteCanister {
            outage: Outage::told_to(report),
            ..self
        }
    }

    /// Its id.
    pub fn id(&self) -> Principal {
        self.id
    }

    /// The key that proves what the network answers, as DER.
    pub fn root_key(&self) -> Vec<u8> {
        self.agent.read_root_key()
    }

    /// Who calls it.
    pub fn caller(&self) -> Principal {
        self.caller
    }

    /// The error with who erred, where a refusal tells.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let (canister, principal) = (self.id, self.caller);
        match error {
            Error::Call { reject, .. } if reject.is_missing_permission() => Error::Forbidden {
                principal,
                canister,
                reject,
            },
            Error::Call { reject, .. } if reject.is_unknown_canister() => Error::UnknownCanister {
                canister,
                network: self.location.clone(),
            },
            Error::Call { method, reject } if reject.is_unknown_method() => {
                Error::NoAssets { canister, method }
            }
            Error::Call { reject, .. } if reject.is_without_module() => Error::NoModule(canister),
            other => other,
        }
    }
}

impl Canister for RemoteCanister {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let until = Time(Time::now().0 + (QUERIES * QUERY).as_nanos() as u64);
        let mut waiting = self.outage.wait(method, until);
        self.runtime.block_on(async {
            let mut pause = PAUSE;
            let mut tries = 1;
            loop {
                let query = self.agent.query(&self.id, method).with_arg(&*argument);
                let lost = match waiting.on(timeout(QUERY, query.call())).await {
                    Ok(Err(error)) if is_transient(&error) => reason(&error),
                    Ok(result) => {
                        waiting.answered();
                        return result.map_err(failure);
                    }
                    Err(_) => "there was no answer".to_owned(),
                };
                if tries == QUERIES {
                    return Err(Failure::Unreachable(lost));
                }
                waiting.failed(&lost);
                sleep(pause).await;
                pause *= 2;
                tries += 1;
            }
        })
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let Self {
            agent,
            id,
            lifetime,
            outage,
            ..
        } = self;
        let update = ingress::update(agent, *id, method, argument, *lifetime, outage);
        self.runtime.block_on(update)
    }

    fn lanes(&self) -> usize {
        LANES
    }
}

/// Whether the same request may well succeed in a moment: it was lost, or somebody on the way
/// had no time for it.
pub(crate) fn is_transient(error: &AgentError) -> bool {
    match error {
        AgentError::TransportError(_) | AgentError::TimeoutWaitingForResponse() => true,
        AgentError::HttpError(answer) => matches!(answer.status, 408 | 429 | 500..),
        AgentError::UncertifiedReject { reject, .. } => {
            reject.reject_code == RejectCode::SysTransient
        }
        _ => false,
    }
}

pub(crate) fn failure(error: AgentError) -> Failure {
    match error {
        AgentError::CertifiedReject { reject, .. }
        | AgentError::UncertifiedReject { reject, .. } => Failure::Rejected(Reject {
            code: reject.error_code.as_deref().map_or(0, number),
            message: reject.reject_message,
        }),
        AgentError::HttpError(answer) => match unknown_canister(&answer.content) {
            Some(reject) => reject.into(),
            None => Failure::Unreachable(reason(&AgentError::HttpError(answer))),
        },
        AgentError::CertificateVerificationFailed()
        | AgentError::QuerySignatureVerificationFailed
        | AgentError::CertificateNotAuthorized()
        | AgentError::CertificateOutdated(_)
        | AgentError::CertificateHasTooManyDelegations
        | AgentError::LookupPathAbsent(_)
        | AgentError::LookupPathUnknown(_)
        | AgentError::LookupPathError(_)
        | AgentError::MissingSignature
        | AgentError::MalformedSignature
        | AgentError::MalformedPublicKey
        | AgentError::TooManySignatures { .. }
        | AgentError::DerKeyLengthMismatch { .. }
        | AgentError::DerPrefixMismatch { .. } => Failure::Unproven(error.to_string()),
        other => Failure::Unreachable(reason(&other)),
    }
}

/// What boundary nodes say of a canister id that belongs to no subnet, as a subnet would say it.
pub(crate) fn unknown_canister(answer: &[u8]) -> Option<Reject> {
    let is_it = String::from_utf8_lossy(answer).contains("canister_not_found");
    is_it.then(|| Reject {
        code: 301,
        message: "no subnet of this network has the canister".to_owned(),
    })
}

/// The number in a code such as `IC0536`.
fn number(code: &str) -> u32 {
    code.strip_prefix("IC")
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// The words of an error; of one on the way, down to what caused it.
pub(crate) fn reason(error: &AgentError) -> String {
    let AgentError::TransportError(TransportError::Reqwest(transport)) = error else {
        return error.to_string();
    };
    words(transport)
}
