//! Uploaded blobs: the contents of a stable memory on its way to a canister.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::State;
use super::refusal::Refusal;

/// The largest blob, unpacked: as much as this machine's memory should see.
const MAX_BLOB: u64 = 4 << 30;

/// Blobs by the SHA-256 of their contents.
#[derive(Debug, Default)]
pub(super) struct Blobs(Mutex<HashMap<Vec<u8>, Arc<[u8]>>>);

impl Blobs {
    pub(super) fn get(&self, id: &[u8]) -> Option<Arc<[u8]>> {
        self.lock().get(id).cloned()
    }

    fn insert(&self, contents: Vec<u8>) -> Vec<u8> {
        let id = Sha256::digest(&contents).to_vec();
        self.lock().insert(id.clone(), contents.into());
        id
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Arc<[u8]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /blobstore/`: raw bytes, possibly gzipped; answers the id in hex.
pub(super) async fn upload(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, Refusal> {
    let contents = match headers.get(header::CONTENT_ENCODING).map(|v| v.as_bytes()) {
        None | Some(b"identity") => body.into(),
        Some(b"gzip") => gunzip(&body)?,
        Some(other) => {
            let encoding = String::from_utf8_lossy(other);
            return Err(Refusal::NotSupported(format!(
                "content-encoding {encoding}"
            )));
        }
    };
    Ok(hex::encode(state.blobs.insert(contents)))
}

fn gunzip(packed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut contents = Vec::new();
    MultiGzDecoder::new(packed)
        .take(MAX_BLOB + 1)
        .read_to_end(&mut contents)
        .map_err(|error| Refusal::Malformed(format!("the blob is not gzip: {error}")))?;
    if contents.len() as u64 > MAX_BLOB {
        return Err(Refusal::Malformed(format!(
            "the blob unpacks to more than {MAX_BLOB} bytes"
        )));
    }
    Ok(contents)
}
