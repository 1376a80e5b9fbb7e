//! Reading the state that a subnet certifies.

use axum::response::Response;
use ic_transport_types::{EnvelopeContent, ReadStateResponse};

use super::access::{self, Reader};
use super::endpoint::{At, Ranges};
use super::envelope::Authentic;
use super::refusal::Refusal;
use super::{cbor, subnet};
use crate::{Local, Network};

/// `POST …/read_state`
pub(super) fn answer(
    local: &Local,
    ranges: Ranges,
    at: At,
    body: &[u8],
) -> Result<Response, Refusal> {
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
        ranges,
    };
    access::check(&network, &reader, &paths).map_err(Refusal::Denied)?;
    let shown = match ranges {
        Ranges::BesideKey => paths,
        Ranges::Apart => without_ranges(&network, paths),
    };
    let certificate = network
        .read_state(subnet, &shown)
        .ok_or(Refusal::Nowhere(at))?;
    Ok(cbor::response(&ReadStateResponse { certificate }))
}

/// These paths, without the canister ranges below those that hold the whole of
/// a subnet. Those of the root subnet are in no other place and stay.
fn without_ranges(network: &Network, paths: Vec<Vec<Vec<u8>>>) -> Vec<Vec<Vec<u8>>> {
    let of_subnet = |id: Vec<u8>| {
        let mut parts: Vec<&[u8]> = vec![b"public_key", b"type", b"node", b"metrics"];
        if id == network.root_subnet().as_slice() {
            parts.push(b"canister_ranges");
        }
        let path = move |part: &[u8]| vec![b"subnet".to_vec(), id.clone(), part.to_vec()];
        parts.into_iter().map(path).collect::<Vec<_>>()
    };
    let whole = |path: Vec<Vec<u8>>| match path.as_slice() {
        [label] if label == b"subnet" => {
            let ids = network.subnets().iter().map(|subnet| subnet.id);
            ids.flat_map(|id| of_subnet(id.as_slice().to_vec()))
                .collect()
        }
        [label, id] if label == b"subnet" => of_subnet(id.clone()),
        _ => vec![path],
    };
    paths.into_iter().flat_map(whole).collect()
}
