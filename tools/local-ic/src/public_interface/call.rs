//! Calls: submitted, and in versions 3 and 4 waited for.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use candid::Principal;
use ic_transport_types::TransportCallResponse;

use super::endpoint::{At, Waiting};
use super::envelope::Authentic;
use super::refusal::Refusal;
use super::{blocking, cbor, reject, subnet};
use crate::{Effective, Ingress, IngressStatus, Local, MessageId, Network, Reject};

/// How long a client waits for an answer before it has to poll.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many rounds a client waits.
const MAX_ROUNDS: usize = 100;

/// `POST …/call`
pub(super) async fn answer(
    local: Local,
    waiting: Waiting,
    at: At,
    body: Bytes,
) -> Result<Response, Refusal> {
    let submitting = local.clone();
    let submitted = blocking(move || submit(&mut submitting.network(), at, &body)).await?;
    let accepted = match submitted {
        Ok(accepted) => accepted,
        Err(rejected) => {
            let response = reject::response(rejected);
            return Ok(cbor::response(
                &TransportCallResponse::NonReplicatedRejection(response),
            ));
        }
    };
    let certificate = match waiting {
        Waiting::Asynchronous => None,
        Waiting::Synchronous => {
            // When patience ends the call goes on.
            let execution = blocking(move || Ok(execute(&local, &accepted)));
            match tokio::time::timeout(PATIENCE, execution).await {
                Ok(certificate) => certificate?,
                Err(_) => None,
            }
        }
    };
    Ok(match certificate {
        Some(certificate) => cbor::response(&TransportCallResponse::Replied { certificate }),
        None => StatusCode::ACCEPTED.into_response(),
    })
}

/// A call that will be executed.
#[derive(Debug)]
struct Accepted {
    id: MessageId,
    subnet: Principal,
}

fn submit(network: &mut Network, at: At, body: &[u8]) -> Result<Result<Accepted, Reject>, Refusal> {
    let call = Authentic::read(body, network)?.call(at)?;
    let subnet = subnet(network, at)?;
    let id = MessageId(*call.id);
    let ingress = Ingress {
        sender: call.sender,
        canister_id: call.canister,
        effective: match at {
            At::Canister(id) => Effective::Canister(id),
            At::Subnet(id) => Effective::Subnet(id),
        },
        method: call.method,
        payload: call.argument,
    };
    let submitted = network.submit_as(id, ingress, call.expiry);
    Ok(submitted.map(|_| Accepted { id, subnet }))
}

/// Runs rounds until the call is answered; a certificate of the answer. Others
/// have their turn between rounds.
fn execute(local: &Local, accepted: &Accepted) -> Option<Vec<u8>> {
    let status = [b"request_status".to_vec(), accepted.id.0.to_vec()];
    for _ in 0..MAX_ROUNDS {
        let mut network = local.network();
        if let IngressStatus::Done(_) = network.ingress_status(&accepted.id)? {
            return network.read_state(accepted.subnet, &[status.to_vec()]);
        }
        network.round();
    }
    None
}
