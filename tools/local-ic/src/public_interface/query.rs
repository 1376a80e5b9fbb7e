//! Queries: answered by the one node of a subnet, which signs what it says.

use axum::response::Response;
use ic_transport_types::{NodeSignature, QueryResponse, ReplyResponse};

use super::endpoint::At;
use super::envelope::Authentic;
use super::refusal::Refusal;
use super::{cbor, reject, subnet};
use crate::Local;

/// `POST …/query`
pub(super) fn answer(local: &Local, at: At, body: &[u8]) -> Result<Response, Refusal> {
    let mut network = local.network();
    let query = Authentic::read(body, &network)?.query(at)?;
    let subnet = subnet(&network, at)?;
    let answer = network.query(query.sender, query.canister, &query.method, query.argument);
    let mut response = match answer {
        Ok(reply) => QueryResponse::Replied {
            reply: ReplyResponse { arg: reply },
            signatures: Vec::new(),
        },
        Err(rejected) => QueryResponse::Rejected {
            reject: reject::response(rejected),
            signatures: Vec::new(),
        },
    };
    let timestamp = network.time();
    let signable = response.signable(query.id, timestamp);
    let (identity, signature) = network
        .sign_as_node(subnet, &signable)
        .ok_or(Refusal::Nowhere(at))?;
    let (QueryResponse::Replied { signatures, .. } | QueryResponse::Rejected { signatures, .. }) =
        &mut response;
    signatures.push(NodeSignature {
        timestamp,
        signature,
        identity,
    });
    Ok(cbor::response(&response))
}
