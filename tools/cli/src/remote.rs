//! A canister on a network, called over HTTPS: the one place that knows `ic_agent`'s calls.
//!
//! Every answer is verified, of queries too.

use std::error::Error as _;

use candid::Principal;
use ic_agent::agent::agent_error::TransportError;
use ic_agent::{Agent, AgentError, Identity};
use tokio::runtime::{Builder, Runtime};

use crate::Error;
use crate::canister::{Canister, Failure, Reject};
use crate::network::{Location, Trust};

/// A canister on a network.
#[derive(Debug)]
pub struct RemoteCanister {
    id: Principal,
    agent: Agent,
    caller: Principal,
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
        let runtime = Builder::new_current_thread().enable_all().build();
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
            Trust::Fetched => {
                let fetched = runtime.block_on(agent.fetch_root_key());
                fetched.map_err(|error| broken(reason(&error)))?;
            }
        }
        Ok(RemoteCanister {
            id,
            agent,
            caller,
            runtime,
        })
    }

    /// Who calls it.
    pub fn caller(&self) -> Principal {
        self.caller
    }
}

impl Canister for RemoteCanister {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let query = self.agent.query(&self.id, method).with_arg(argument);
        self.runtime.block_on(query.call()).map_err(failure)
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let update = self.agent.update(&self.id, method).with_arg(argument);
        self.runtime
            .block_on(update.call_and_wait())
            .map_err(failure)
    }
}

fn failure(error: AgentError) -> Failure {
    match error {
        AgentError::CertifiedReject { reject, .. }
        | AgentError::UncertifiedReject { reject, .. } => Failure::Rejected(Reject {
            code: reject.error_code.as_deref().map_or(0, number),
            message: reject.reject_message,
        }),
        // No network has it, so no canister and no subnet could say so.
        AgentError::HttpError(answer) if is_canister_not_found(&answer.content) => {
            Failure::Rejected(Reject {
                code: 301,
                message: "no subnet of this network has the canister".to_owned(),
            })
        }
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

/// What boundary nodes say of a canister id that belongs to no subnet.
fn is_canister_not_found(answer: &[u8]) -> bool {
    String::from_utf8_lossy(answer).contains("canister_not_found")
}

/// The number in a code such as `IC0536`.
fn number(code: &str) -> u32 {
    code.strip_prefix("IC")
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// The words of an error, down to what caused it.
fn reason(error: &AgentError) -> String {
    let AgentError::TransportError(TransportError::Reqwest(transport)) = error else {
        return error.to_string();
    };
    let mut words = transport.to_string();
    let mut cause = transport.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}
