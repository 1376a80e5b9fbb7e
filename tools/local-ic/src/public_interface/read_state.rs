//! Reading the state that a subnet certifies.

use axum::response::Response;
use ic_transport_types::{EnvelopeContent, ReadStateResponse};

use super::access::{self, Reader};
use super::endpoint::At;
use super::envelope::Authentic;
use super::refusal::Refusal;
use super::{cbor, subnet};
use crate::Local;

/// `POST …/read_state`
pub(super) fn answer(local: &Local, at: At, body: &[u8]) -> Result<Response, Refusal> {
    let network = local.network();
    let request = Authentic::read(body, &network)?;
    let EnvelopeContent::ReadState { paths, .. } = request.content else {
        return Err(Refusal::RequestType {
            expected: "read_state",
        });
    };
    let subnet = subnet(&network, at)?;
    let paths: Vec<Vec<Vec<u8>>> = paths
        .into_iter()
        .map(|path| path.iter().map(|label| label.as_bytes().to_vec()).collect())
        .collect();
    let reader = Reader {
        id: request.sender,
        targets: request.targets,
        at,
    };
    access::check(&network, &reader, &paths).map_err(Refusal::Denied)?;
    let certificate = network
        .read_state(subnet, &paths)
        .ok_or(Refusal::Nowhere(at))?;
    Ok(cbor::response(&ReadStateResponse { certificate }))
}
