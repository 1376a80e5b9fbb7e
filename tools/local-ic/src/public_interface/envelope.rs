//! Requests as they come, authenticated.

use candid::Principal;
use ic_transport_types::{Envelope, EnvelopeContent, RequestId};

use super::authentication::{Targets, authenticate};
use super::cbor;
use super::endpoint::At;
use super::refusal::Refusal;
use crate::{Network, management};

/// A request of a sender who made it.
#[derive(Debug)]
pub(super) struct Authentic {
    pub(super) id: RequestId,
    pub(super) sender: Principal,
    pub(super) content: EnvelopeContent,
    /// What the sender's delegations are good for.
    pub(super) targets: Targets,
}

/// A call or a query, to the canister that the URL names.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: RequestId,
    pub(super) sender: Principal,
    pub(super) expiry: u64,
    pub(super) canister: Principal,
    pub(super) method: String,
    pub(super) argument: Vec<u8>,
}

impl Authentic {
    /// Reads the envelope of a request that came now.
    pub(super) fn read(body: &[u8], network: &Network) -> Result<Self, Refusal> {
        let envelope: Envelope<'_> = cbor::read(body)?;
        let id = envelope.content.to_request_id();
        let targets = authenticate(&envelope, &id, network.time()).map_err(Refusal::Unauthentic)?;
        let content = envelope.content.into_owned();
        Ok(Self {
            id,
            sender: *content.sender(),
            content,
            targets,
        })
    }

    /// The call it is.
    pub(super) fn call(self, at: At) -> Result<Message, Refusal> {
        match self.content {
            EnvelopeContent::Call { .. } => self.message(at),
            _ => Err(Refusal::RequestType { expected: "call" }),
        }
    }

    /// The query it is.
    pub(super) fn query(self, at: At) -> Result<Message, Refusal> {
        match self.content {
            EnvelopeContent::Query { .. } => self.message(at),
            _ => Err(Refusal::RequestType { expected: "query" }),
        }
    }

    fn message(self, at: At) -> Result<Message, Refusal> {
        let (EnvelopeContent::Call {
            ingress_expiry,
            canister_id,
            method_name,
            arg,
            ..
        }
        | EnvelopeContent::Query {
            ingress_expiry,
            canister_id,
            method_name,
            arg,
            ..
        }) = self.content
        else {
            return Err(Refusal::RequestType {
                expected: "call or query",
            });
        };
        Message {
            id: self.id,
            sender: self.sender,
            expiry: ingress_expiry,
            canister: canister_id,
            method: method_name,
            argument: arg,
        }
        .checked(at)
    }
}

impl Message {
    /// Refuses when the URL names another destination (interface specification,
    /// "Effective canister id").
    fn checked(self, at: At) -> Result<Self, Refusal> {
        let about = if self.canister == Principal::management_canister() {
            // What the management canister rejects, it rejects wherever sent.
            management::subject(&self.method, &self.argument).unwrap_or(None)
        } else {
            Some(self.canister)
        };
        match (about, at) {
            (None, _) => Ok(self),
            (Some(about), At::Canister(id)) if id == about => Ok(self),
            (Some(_), At::Subnet(_)) => Err(Refusal::NotOfASubnet),
            (Some(about), At::Canister(_)) => Err(Refusal::Elsewhere { at, about }),
        }
    }
}
