//! Carrying out a plan: bodies first, in chunks, then the commit.
//!
//! ```text
//! create_batch
//! create_chunks  1.9 MB of small bodies, or a 1.9 MB piece of a large one     (many)
//! commit_batch   everything, if it fits one message
//!            or  batch 0: 500 operations                                      (many)
//!                the batch: nothing more, which publishes what was staged
//! ```
//!
//! Until the last commit nobody sees any of it. When something is refused, the batch is
//! dropped with all it holds.

use std::collections::HashMap;
use std::mem::take;

use candid::Nat;
use serde_bytes::ByteBuf;

use crate::Error;
use crate::canister::Canister;
use crate::legacy::{
    AssetCanister, CreateAsset, DeleteAsset, Operation, SetAssetContent, SetAssetProperties,
    UnsetAssetContent,
};
use crate::plan::{Change, Plan};

/// Bytes of content that one call carries; messages end at 2 MiB. Also where large bodies
/// are cut.
pub const MAX_CHUNK: usize = 1_900_000;
/// Chunks that one call carries, however small.
const MAX_CHUNKS: usize = 1_000;
/// Operations that one commit carries.
pub const MAX_OPERATIONS: usize = 500;
/// Bytes of operations that one commit carries.
const MAX_COMMIT: usize = 1_500_000;

/// How far a deploy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes more are at the canister.
    Uploaded(u64),
    /// So many operations more are done.
    Committed(u64),
}

/// Makes the changes of `plan`, and tells of progress.
///
/// # Errors
///
/// [`Error::Call`] or [`Error::Reply`]; the site is then as it was before.
pub fn upload(
    canister: &dyn Canister,
    plan: &Plan<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    if plan.is_empty() {
        return Ok(());
    }
    let canister = AssetCanister::new(canister);
    let batch = canister.create_batch()?;
    let result = send_bodies(&canister, &batch, plan, progress)
        .and_then(|chunks| commit(&canister, &batch, plan, chunks, progress));
    if result.is_err() {
        // It would expire anyway, so what happened before is what to report.
        let _ = canister.delete_batch(&batch);
    }
    result
}

/// The chunk ids of each [`Change::Set`], by its place in the plan.
type Chunks = HashMap<usize, Vec<Nat>>;

fn send_bodies(
    canister: &AssetCanister<'_>,
    batch: &Nat,
    plan: &Plan<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Chunks, Error> {
    let mut chunks = Chunks::new();
    let mut send = |parcel: &[(usize, &[u8])]| {
        let content: Vec<_> = parcel.iter().map(|(_, piece)| *piece).collect();
        let ids = canister.create_chunks(batch, &content)?;
        for ((place, _), id) in parcel.iter().zip(ids) {
            chunks.entry(*place).or_default().push(id);
        }
        let bytes: usize = content.iter().map(|piece| piece.len()).sum();
        progress(Progress::Uploaded(bytes as u64));
        Ok(())
    };

    let mut parcel = Vec::new();
    let mut bytes = 0;
    for (place, change) in plan.changes.iter().enumerate() {
        let Change::Set { encoding, .. } = change else {
            continue;
        };
        for piece in pieces(&encoding.body) {
            if bytes + piece.len() > MAX_CHUNK || parcel.len() == MAX_CHUNKS {
                send(&take(&mut parcel))?;
                bytes = 0;
            }
            bytes += piece.len();
            parcel.push((place, piece));
        }
    }
    if !parcel.is_empty() {
        send(&parcel)?;
    }
    Ok(chunks)
}

/// A body cut where chunks end. An empty body is one empty piece: content needs a chunk.
fn pieces(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = body.is_empty().then_some(body);
    empty.into_iter().chain(body.chunks(MAX_CHUNK))
}

fn commit(
    canister: &AssetCanister<'_>,
    batch: &Nat,
    plan: &Plan<'_>,
    mut chunks: Chunks,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let mut groups = vec![Vec::new()];
    let mut bytes = 0;
    for (place, change) in plan.changes.iter().enumerate() {
        let operation = operation(change, chunks.remove(&place).unwrap_or_default());
        let size = size(&operation);
        let group = groups.last_mut().expect("there is one from the start");
        if bytes + size > MAX_COMMIT || group.len() == MAX_OPERATIONS {
            groups.push(vec![operation]);
            bytes = size;
        } else {
            group.push(operation);
            bytes += size;
        }
    }

    if groups.len() > 1 {
        for group in take(&mut groups) {
            let count = group.len() as u64;
            canister.commit_batch(Nat::from(0u8), group)?;
            progress(Progress::Committed(count));
        }
    }
    let last = groups.pop().unwrap_or_default();
    let count = last.len() as u64;
    canister.commit_batch(batch.clone(), last)?;
    progress(Progress::Committed(count));
    Ok(())
}

fn operation(change: &Change<'_>, chunk_ids: Vec<Nat>) -> Operation {
    match *change {
        Change::Delete { key } => Operation::DeleteAsset(DeleteAsset {
            key: key.to_owned(),
        }),
        Change::Create { asset } => Operation::CreateAsset(CreateAsset {
            key: asset.key.clone(),
            content_type: asset.content_type.clone(),
            max_age: None,
            headers: None,
            enable_aliasing: None,
            allow_raw_access: None,
        }),
        Change::Unset { key, encoding } => Operation::UnsetAssetContent(UnsetAssetContent {
            key: key.to_owned(),
            content_encoding: encoding.to_owned(),
        }),
        Change::Set { key, encoding } => Operation::SetAssetContent(SetAssetContent {
            key: key.to_owned(),
            content_encoding: encoding.name.to_owned(),
            chunk_ids,
            last_chunk: None,
            sha256: Some(ByteBuf::from(encoding.sha256)),
        }),
        Change::Reset { key } => Operation::SetAssetProperties(SetAssetProperties {
            key: key.to_owned(),
            max_age: Some(None),
            headers: Some(None),
            allow_raw_access: Some(None),
            is_aliased: Some(None),
        }),
    }
}

/// An upper bound on the bytes that an operation takes in a message.
fn size(operation: &Operation) -> usize {
    /// Tags, lengths, and the fields of fixed size.
    const FIXED: usize = 100;
    /// A chunk id: a number below 2^64.
    const CHUNK_ID: usize = 10;
    FIXED
        + match operation {
            Operation::CreateAsset(create) => create.key.len() + create.content_type.len(),
            Operation::SetAssetContent(set) => {
                set.key.len() + set.content_encoding.len() + CHUNK_ID * set.chunk_ids.len()
            }
            Operation::SetAssetProperties(set) => set.key.len(),
            Operation::UnsetAssetContent(unset) => unset.key.len() + unset.content_encoding.len(),
            Operation::DeleteAsset(delete) => delete.key.len(),
        }
}
