//! The chunk store: parts of modules too large for one message.

use candid::Principal;
use ic_management_canister_types::{ChunkHash, UploadChunkArgs};
use sha2::{Digest, Sha256};

use super::{decode, encode, nothing};
use crate::network::Network;
use crate::{ErrorCode, Reject};

const MAX_CHUNK: usize = 1 << 20;
const MAX_CHUNKS: usize = 100;

pub(super) fn upload(network: &mut Network, payload: &[u8]) -> Result<Vec<u8>, Reject> {
    let UploadChunkArgs { canister_id, chunk } = decode(payload)?;
    let canister = network.canister_mut(canister_id)?;
    let refuse = |reason: String| Err(canister_refuses(reason));
    if chunk.len() > MAX_CHUNK {
        return refuse(format!(
            "Wasm chunk size {} exceeds the maximum chunk size of {MAX_CHUNK}",
            chunk.len()
        ));
    }
    let hash: [u8; 32] = Sha256::digest(&chunk).into();
    if canister.chunks.len() >= MAX_CHUNKS && !canister.chunks.contains_key(&hash) {
        return refuse(format!(
            "Wasm chunk store has already reached maximum capacity of {MAX_CHUNKS} chunks"
        ));
    }
    canister.chunks.insert(hash, chunk);
    encode(&ChunkHash {
        hash: hash.to_vec(),
    })
}

pub(super) fn clear(network: &mut Network, canister: Principal) -> Result<Vec<u8>, Reject> {
    network.canister_mut(canister)?.chunks.clear();
    Ok(nothing())
}

pub(super) fn list(network: &mut Network, canister: Principal) -> Result<Vec<u8>, Reject> {
    let canister = network.canister_mut(canister)?;
    let hashes: Vec<ChunkHash> = canister
        .chunks
        .keys()
        .map(|hash| ChunkHash {
            hash: hash.to_vec(),
        })
        .collect();
    encode(&hashes)
}

/// The module that chunks of a store make up.
pub(super) fn assemble(
    network: &mut Network,
    store: Principal,
    hashes: &[ChunkHash],
    module_hash: &[u8],
) -> Result<Vec<u8>, Reject> {
    let canister = network.canister_mut(store)?;
    let mut module = Vec::new();
    for ChunkHash { hash } in hashes {
        let chunk = <[u8; 32]>::try_from(hash.as_slice())
            .ok()
            .and_then(|hash| canister.chunks.get(&hash))
            .ok_or_else(|| {
                canister_refuses(format!("Chunk hash {} was not found", hex::encode(hash)))
            })?;
        module.extend(chunk);
    }
    let actual: [u8; 32] = Sha256::digest(&module).into();
    if actual != module_hash {
        return Err(canister_refuses(format!(
            "Wasm module hash {} does not match given hash {}",
            hex::encode(actual),
            hex::encode(module_hash)
        )));
    }
    Ok(module)
}

fn canister_refuses(reason: String) -> Reject {
    Reject::new(
        ErrorCode::CanisterContractViolation,
        format!("Error from Wasm chunk store: {reason}."),
    )
}
