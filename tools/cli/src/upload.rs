//! Carrying out a plan in the words of the asset canister of dfx: bodies first, in chunks, then
//! the commit.
//!
//! ```text
//! create_batch
//! create_chunks  a parcel each                                                (many at once)
//! commit_batch   everything, if it fits one message
//!            or  batch 0: 500 operations                                      (many, in order)
//!                the batch: nothing more
//! ```
//!
//! A deploy of one commit is seen at once or not at all; one of several is seen in parts. Each of
//! these calls has its effect once, or its error says that this is not known, and what is left of
//! a deploy that was broken off does no harm to the next:
//!
//! | broken off at | what may be left | the next deploy |
//! | --- | --- | --- |
//! | `create_batch` | an empty batch, which expires | has a batch of its own |
//! | `create_chunks` | chunks | uses those that the journal knows, if their batch is still there |
//! | a commit | the changes so far, and no chunk of which anything is known | makes the others |
//!
//! Hallmark's canister has something better: [`stage`](crate::stage).

use std::collections::HashMap;

use candid::Nat;
use serde_bytes::ByteBuf;

use crate::canister::Canister;
use crate::content::Asset;
use crate::freight::Freight;
use crate::journal::{Journal, Uploaded};
use crate::legacy::{
    AssetCanister, CreateAsset, DeleteAsset, Operation, SetAssetContent, SetAssetProperties,
    UnsetAssetContent,
};
use crate::plan::{Change, Plan};
use crate::report::{Report, Step};
use crate::{Error, parallel};

/// Operations that one commit carries.
pub const MAX_OPERATIONS: usize = 500;
/// Bytes of operations that one commit carries.
const MAX_COMMIT: usize = 1_500_000;

/// Makes the changes of `plan`, whose bodies are `freight`, and returns in how many commits.
///
/// `journal` is told what arrives, and tells what arrived before.
///
/// # Errors
///
/// [`Error::Undecided`], if it is not known whether the last commit was made; those of
/// [`AssetCanister`] otherwise, and the site is as it was before.
pub fn upload(
    canister: &dyn Canister,
    plan: &Plan<'_>,
    freight: &Freight<'_>,
    journal: &Journal,
    report: &dyn Report,
) -> Result<usize, Error> {
    let upload = Upload {
        lanes: canister.lanes(),
        canister: AssetCanister::new(canister),
        freight,
        journal,
        report,
    };
    let (batch, chunks) = match upload.found()? {
        Some(found) => (found.batch, found.chunks),
        None => {
            let batch = upload.canister.create_batch()?;
            journal.begin(&batch);
            (batch, HashMap::new())
        }
    };
    let result = upload.send(&batch, chunks).and_then(|chunks| {
        // Commits use chunks up.
        journal.end();
        let content = |change| {
            let pieces = freight.content(change).iter();
            Named::Chunks(pieces.map(|piece| chunks[*piece].clone()).collect())
        };
        upload.commit(&batch, commits(plan, content))
    });
    // Refused: what is left would expire anyway, so what happened before is what to report.
    // Unreachable: so would this be.
    if let Err(Error::Call { .. } | Error::Reply { .. }) = result {
        journal.end();
        let _ = upload.canister.delete_batch(&batch);
    }
    result
}

/// One upload.
struct Upload<'a> {
    canister: AssetCanister<'a>,
    lanes: usize,
    freight: &'a Freight<'a>,
    journal: &'a Journal,
    report: &'a dyn Report,
}

impl Upload<'_> {
    /// What an earlier attempt has uploaded, if it is still there.
    fn found(&self) -> Result<Option<Uploaded>, Error> {
        let Some(found) = self.journal.read() else {
            return Ok(None);
        };
        // No chunks: they take no room, and the batch lives as long again as a new one.
        match self.canister.create_chunks(&found.batch, &[]) {
            Ok(_) => Ok(Some(found)),
            Err(Error::Call { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Uploads what is not among `chunks`, and returns the chunk of each piece.
    fn send(
        &self,
        batch: &Nat,
        mut chunks: HashMap<[u8; 32], Vec<Nat>>,
    ) -> Result<Vec<Nat>, Error> {
        let pieces = self.freight.pieces();
        // A chunk stands for one piece, and may be gone after its use.
        let mut take = |sha256| chunks.get_mut(sha256).and_then(Vec::pop);
        let mut places: Vec<Option<Nat>> = Vec::with_capacity(pieces.len());
        places.extend(pieces.iter().map(|piece| take(&piece.sha256)));

        let parcels = self.freight.parcels(|piece| places[piece].is_none());
        let sent = send(self.lanes, self.freight, &parcels, self.report, |parcel| {
            let content: Vec<_> = parcel.iter().map(|piece| pieces[*piece].bytes).collect();
            let ids = self.canister.create_chunks(batch, &content)?;
            let hashes = parcel.iter().map(|piece| &pieces[*piece].sha256);
            self.journal.note(hashes.zip(&ids));
            Ok(ids)
        })?;
        for (piece, id) in parcels.iter().flatten().zip(sent.into_iter().flatten()) {
            places[*piece] = Some(id);
        }
        Ok(places.into_iter().flatten().collect())
    }

    fn commit(&self, batch: &Nat, mut commits: Vec<Vec<Operation>>) -> Result<usize, Error> {
        let total: usize = commits.iter().map(Vec::len).sum();
        self.report.begin(Step::Committing, total as u64);
        if commits.len() > 1 {
            // Closes the batch.
            commits.push(Vec::new());
        }
        let last = commits.pop().unwrap_or_default();
        let count = commits.len() + 1;
        for operations in commits {
            let done = operations.len() as u64;
            self.canister.commit_batch(Nat::from(0u8), operations)?;
            self.report.advance(done);
        }
        let done = last.len() as u64;
        let published = self.canister.commit_batch(batch.clone(), last);
        published.map_err(Error::after_publishing)?;
        self.report.advance(done);
        self.report.end();
        Ok(count)
    }
}

/// Sends parcels, many at once, and returns what came of each.
pub(crate) fn send<R: Send>(
    lanes: usize,
    freight: &Freight<'_>,
    parcels: &[Vec<usize>],
    report: &dyn Report,
    call: impl Fn(&[usize]) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    if parcels.is_empty() {
        return Ok(Vec::new());
    }
    let length = |parcel: &Vec<usize>| -> u64 {
        let pieces = parcel.iter().map(|piece| freight.pieces()[*piece]);
        pieces.map(|piece| piece.bytes.len() as u64).sum()
    };
    report.begin(Step::Uploading, parcels.iter().map(length).sum());
    let sent = parallel::map(lanes, parcels, |parcel| {
        let reply = call(parcel)?;
        report.advance(length(parcel));
        Ok(reply)
    })?;
    report.end();
    Ok(sent)
}

/// How an operation names the pieces of content.
pub(crate) enum Named {
    /// By the chunks that they were uploaded in.
    Chunks(Vec<Nat>),
    /// By their SHA-256.
    Hashes(Vec<ByteBuf>),
}

/// The operations of a plan, as many together as one message carries. `content` names the
/// content of the change at a place of the plan.
pub(crate) fn commits(plan: &Plan<'_>, content: impl Fn(usize) -> Named) -> Vec<Vec<Operation>> {
    let mut commits = vec![Vec::new()];
    let mut bytes = 0;
    for (place, change) in plan.changes.iter().enumerate() {
        let operation = operation(change, content(place));
        let size = size(&operation);
        let commit = commits.last_mut().expect("there is one from the start");
        if bytes + size > MAX_COMMIT || commit.len() == MAX_OPERATIONS {
            commits.push(vec![operation]);
            bytes = size;
        } else {
            commit.push(operation);
            bytes += size;
        }
    }
    commits
}

fn operation(change: &Change<'_>, content: Named) -> Operation {
    match *change {
        Change::Delete { key } => Operation::DeleteAsset(DeleteAsset {
            key: key.to_owned(),
        }),
        Change::Create { asset } => Operation::CreateAsset(CreateAsset {
            key: asset.key.clone(),
            content_type: asset.properties.content_type.clone(),
            max_age: asset.properties.max_age,
            headers: headers(asset),
            enable_aliasing: asset.properties.is_aliased,
            allow_raw_access: asset.properties.allow_raw_access,
        }),
        Change::Unset { key, encoding } => Operation::UnsetAssetContent(UnsetAssetContent {
            key: key.to_owned(),
            content_encoding: encoding.to_owned(),
        }),
        Change::Set { key, encoding } => {
            let (chunk_ids, chunk_hashes, last_chunk) = match content {
                Named::Chunks(ids) => (ids, None, None),
                // Content needs a part, even if it is empty.
                Named::Hashes(hashes) if hashes.is_empty() => (vec![], None, Some(ByteBuf::new())),
                Named::Hashes(hashes) => (vec![], Some(hashes), None),
            };
            Operation::SetAssetContent(SetAssetContent {
                key: key.to_owned(),
                content_encoding: encoding.name.to_owned(),
                chunk_ids,
                chunk_hashes,
                last_chunk,
                sha256: Some(ByteBuf::from(encoding.sha256)),
            })
        }
        Change::Adjust { asset } => Operation::SetAssetProperties(SetAssetProperties {
            key: asset.key.clone(),
            max_age: Some(asset.properties.max_age),
            headers: Some(headers(asset)),
            allow_raw_access: Some(asset.properties.allow_raw_access),
            is_aliased: Some(asset.properties.is_aliased),
        }),
    }
}

fn headers(asset: &Asset) -> Option<Vec<(String, String)>> {
    let headers = asset.properties.headers.clone()?;
    Some(headers.into_iter().collect())
}

/// An upper bound on the bytes that an operation takes in a message.
fn size(operation: &Operation) -> usize {
    /// Tags, lengths, and the fields of fixed size.
    const FIXED: usize = 100;
    /// A chunk id: a number below 2^64.
    const CHUNK_ID: usize = 10;
    /// A SHA-256, and its length.
    const HASH: usize = 33;
    /// The lengths of a name and a value.
    const HEADER: usize = 6;
    let headers = |headers: Option<&Vec<(String, String)>>| -> usize {
        let headers = headers.into_iter().flatten();
        let sizes = headers.map(|(name, value)| HEADER + name.len() + value.len());
        sizes.sum()
    };
    FIXED
        + match operation {
            Operation::CreateAsset(create) => {
                create.key.len() + create.content_type.len() + headers(create.headers.as_ref())
            }
            Operation::SetAssetContent(set) => {
                let hashes = set.chunk_hashes.as_ref().map_or(0, Vec::len);
                set.key.len()
                    + set.content_encoding.len()
                    + CHUNK_ID * set.chunk_ids.len()
                    + HASH * hashes
            }
            Operation::SetAssetProperties(set) => {
                let set_headers = set.headers.as_ref().and_then(Option::as_ref);
                set.key.len() + headers(set_headers)
            }
            Operation::UnsetAssetContent(unset) => unset.key.len() + unset.content_encoding.len(),
            Operation::DeleteAsset(delete) => delete.key.len(),
        }
}
