//! Uploads: batches of chunks that wait to become content.
//!
//! A chunk is hashed and stored when it arrives, where it will stay; using it in a commit copies nothing. Chunk
//! ids are unique over all batches: the batch's id is their upper half, so that a commit can name chunks of any
//! batch.
//!
//! ```text
//! uploads:  "b" / batch ► expiry, chunks, bytes, owner, phase
//!           "c" / batch / number ► body
//!           "s" / batch ► what it has staged
//!           "p" / batch ► what it proposes, and how far its evidence is computed
//! ```
//!
//! A batch expires five minutes after the last call that used it. As with the asset canister of dfx, what has
//! expired goes when the next batch is created.

mod proposal;

use crate::{
    error::Error,
    site::{CHUNK, Piece, Site, Stage, Store, from_cbor, to_cbor},
    storage::{Memory, StorageError},
    tree::{Labels, Tree, TreeError},
};
use candid::Principal;
use minicbor::{Decode, Encode};

/// Nanoseconds that a batch lives after its last use.
pub const EXPIRY: u64 = 300_000_000_000;

/// Bounds on what may wait to be committed; `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Limits {
    /// Batches open at once.
    #[n(0)]
    pub max_batches: Option<u64>,
    /// Chunks waiting at once.
    #[n(1)]
    pub max_chunks: Option<u64>,
    /// Bytes waiting at once.
    #[n(2)]
    pub max_bytes: Option<u64>,
}

/// The batches of a site.
#[derive(Debug)]
pub(crate) struct Uploads {
    tree: Tree,
    last_batch: u64,
    /// The batch that was closed last.
    last_closed: u64,
    totals: Totals,
    limits: Limits,
}

/// What waits, over all batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
struct Totals {
    #[n(0)]
    batches: u32,
    #[n(1)]
    chunks: u64,
    #[n(2)]
    bytes: u64,
}

/// [`Uploads`] as stored.
#[derive(Encode, Decode)]
pub(crate) struct Saved {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    tree: [u8; Tree::ENCODED],
    #[n(1)]
    last_batch: u64,
    #[n(2)]
    totals: Totals,
    #[n(3)]
    limits: Limits,
    #[n(4)]
    last_closed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Batch {
    #[n(0)]
    expires: u64,
    #[n(1)]
    chunks: u32,
    #[n(2)]
    bytes: u64,
    /// Who created it.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    owner: Vec<u8>,
    #[n(4)]
    phase: Phase,
}

/// What a batch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
enum Phase {
    /// Chunks, and the commit that closes it.
    #[n(0)]
    Open,
    /// As open; commits have been staged.
    #[n(1)]
    Staging,
    /// Its operations are known, their evidence is not.
    #[n(2)]
    Proposed,
    /// Its evidence is known; it does not expire any more.
    #[n(3)]
    Evident,
}

impl Batch {
    fn has_expired(&self, now: u64) -> bool {
        self.expires <= now && self.phase != Phase::Evident
    }

    fn is_proposed(&self) -> bool {
        matches!(self.phase, Phase::Proposed | Phase::Evident)
    }

    /// Begins the time that it lives without being used again.
    fn used(&mut self, now: u64) {
        self.expires = now.saturating_add(EXPIRY);
    }
}

impl<M: Memory> Site<M> {
    /// Opens a batch of this owner, after dropping those that have expired. Returns its id.
    ///
    /// # Errors
    ///
    /// [`Error::BatchProposed`], [`Error::EvidencePending`], [`Error::BatchLimit`] or [`Error::Storage`]; nothing
    /// has changed then.
    pub fn create_batch(&mut self, owner: Principal, now: u64) -> Result<u64, Error> {
        self.change_uploads(|store, uploads| {
            let (expired, live): (Vec<_>, Vec<_>) = uploads
                .batches(store)?
                .into_iter()
                .partition(|(_, batch)| batch.has_expired(now));
            if let Some((batch, proposed)) = live.iter().find(|(_, batch)| batch.is_proposed()) {
                return Err(match proposed.phase {
                    Phase::Evident => Error::BatchProposed { batch: *batch },
                    _ => Error::EvidencePending { batch: *batch },
                });
            }
            match uploads.limits.max_batches {
                Some(limit) if live.len() as u64 >= limit => {
                    return Err(Error::BatchLimit { limit });
                }
                _ => {}
            }
            for (id, _) in expired {
                uploads.remove(store, id)?;
            }
            let id = uploads.last_batch + 1;
            let batch = Batch {
                expires: now.saturating_add(EXPIRY),
                chunks: 0,
                bytes: 0,
                owner: owner.as_slice().to_vec(),
                phase: Phase::Open,
            };
            uploads.put(store, id, &batch)?;
            uploads.last_batch = id;
            uploads.totals.batches += 1;
            Ok(id)
        })
    }

    /// Stores chunks in a batch, all or none. Returns their ids.
    ///
    /// # Errors
    ///
    /// [`Error::ChunkLimit`], [`Error::ByteLimit`], [`Error::BatchNotFound`], [`Error::BatchClosed`] or
    /// [`Error::Storage`]; nothing has changed then.
    pub fn create_chunks<C: AsRef<[u8]>>(
        &mut self,
        batch_id: u64,
        contents: &[C],
        now: u64,
    ) -> Result<Vec<u64>, Error> {
        let bytes: u64 = contents.iter().map(|c| c.as_ref().len() as u64).sum();
        self.change_uploads(|store, uploads| {
            uploads.check_room(contents.len() as u64, bytes)?;
            let mut batch = uploads.existing(store, batch_id)?;
            if batch.is_proposed() {
                return Err(Error::BatchClosed { batch: batch_id });
            }
            let mut ids = Vec::with_capacity(contents.len());
            for content in contents {
                let path = chunk_path(batch_id, batch.chunks);
                uploads.put_chunk(store, &path, content.as_ref())?;
                ids.push(batch_id << 32 | u64::from(batch.chunks));
                batch.chunks += 1;
            }
            batch.bytes += bytes;
            batch.used(now);
            uploads.put(store, batch_id, &batch)?;
            uploads.totals.chunks += contents.len() as u64;
            uploads.totals.bytes += bytes;
            Ok(ids)
        })
    }

    /// Drops a batch and its chunks.
    ///
    /// # Errors
    ///
    /// [`Error::BatchNotFound`] or [`Error::Storage`]; nothing has changed then.
    pub fn delete_batch(&mut self, batch_id: u64) -> Result<(), Error> {
        self.change_uploads(|store, uploads| match uploads.remove(store, batch_id)? {
            true => Ok(()),
            false => Err(Error::BatchNotFound { batch: batch_id }),
        })
    }

    /// The bounds on what may wait.
    pub fn limits(&self) -> Limits {
        self.state.uploads.limits
    }

    /// Changes the uploads on a copy, which takes their place if all went well.
    fn change_uploads<R>(
        &mut self,
        change: impl FnOnce(&mut Store<M>, &mut Uploads) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let Self { store, state, .. } = self;
        let mut other = state.uploads.share(store);
        let done = change(store, &mut other);
        if done.is_ok() {
            std::mem::swap(&mut other, &mut state.uploads);
        }
        other.release(store);
        store.reclaim(RECLAIM)?;
        self.save()?;
        done
    }
}

/// Nodes of dropped batches that one call frees at most.
const RECLAIM: u32 = 20_000;

impl Uploads {
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// Takes over what another canister's uploads were held to.
    pub(crate) fn resume(&mut self, last_batch: u64, limits: Limits) {
        self.last_batch = self.last_batch.max(last_batch);
        self.limits = limits;
    }

    /// A copy to change beside this one.
    pub(crate) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self {
            tree: store.forest.share(&self.tree),
            ..*self
        }
    }

    /// Ends a copy, or what a copy replaced.
    pub(crate) fn release<M: Memory>(self, store: &mut Store<M>) {
        store.forest.release(self.tree);
    }

    /// All batches, by id.
    fn batches<M: Memory>(&self, store: &Store<M>) -> Result<Vec<(u64, Batch)>, StorageError> {
        let mut leaves = Vec::new();
        store
            .forest
            .page(&self.tree, 0, self.totals.batches, |leaf| leaves.push(leaf));
        leaves
            .iter()
            .map(|leaf| {
                let id = leaf.path.get(1).and_then(|label| label.first_chunk());
                let id = u64::from_be_bytes(*id.ok_or_else(corrupt)?);
                Ok((id, from_cbor(&leaf.value)?))
            })
            .collect()
    }

    fn batch<M: Memory>(&self, store: &Store<M>, id: u64) -> Result<Option<Batch>, StorageError> {
        match store.forest.get(&self.tree, &batch_path(id)) {
            Some(leaf) => from_cbor(&leaf.value).map(Some),
            None => Ok(None),
        }
    }

    fn existing<M: Memory>(&self, store: &Store<M>, id: u64) -> Result<Batch, Error> {
        self.batch(store, id)?
            .ok_or(Error::BatchNotFound { batch: id })
    }

    /// Drops a batch, if there is one, because what it was for is done.
    pub(crate) fn close<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
    ) -> Result<(), StorageError> {
        if self.remove(store, id)? {
            self.last_closed = id;
        }
        Ok(())
    }

    /// Whether this batch was closed, and none after it.
    pub(crate) fn was_just_closed(&self, id: u64) -> bool {
        id == self.last_closed
    }

    /// Refuses the id of a batch that there was.
    pub(crate) fn check_not_gone<M: Memory>(&self, store: &Store<M>, id: u64) -> Result<(), Error> {
        if id <= self.last_batch {
            self.existing(store, id)?;
        }
        Ok(())
    }

    /// The latest batch of this owner that takes commits.
    pub(crate) fn open_batch_of<M: Memory>(
        &self,
        store: &Store<M>,
        owner: Principal,
        now: u64,
    ) -> Result<Option<u64>, StorageError> {
        let is_open = |(_, batch): &&(u64, Batch)| {
            batch.owner == owner.as_slice() && !batch.has_expired(now) && !batch.is_proposed()
        };
        let batches = self.batches(store)?;
        Ok(batches.iter().rfind(is_open).map(|(id, _)| *id))
    }

    /// What a batch has staged. The trees are the leaf's: this takes no references.
    pub(crate) fn stage<M: Memory>(
        &self,
        store: &Store<M>,
        id: u64,
    ) -> Result<Option<Stage>, StorageError> {
        let is_staging = |batch: &Batch| batch.phase == Phase::Staging;
        if !self.batch(store, id)?.as_ref().is_some_and(is_staging) {
            return Ok(None);
        }
        match store.forest.get(&self.tree, &stage_path(id)) {
            Some(leaf) => Stage::decode(&leaf.value, &leaf.attachment).map(Some),
            None => Err(corrupt()),
        }
    }

    /// Keeps what a batch has staged. If all goes well, the references of the stage are its leaf's.
    pub(crate) fn put_stage<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
        stage: &Stage,
        now: u64,
    ) -> Result<(), Error> {
        let mut batch = self.existing(store, id)?;
        batch.phase = Phase::Staging;
        batch.used(now);
        self.put(store, id, &batch)?;
        let (value, attachment) = stage.encode();
        store
            .forest
            .insert(&mut self.tree, &stage_path(id), value, &attachment)
            .map_err(storage_error)?;
        Ok(())
    }

    fn put<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
        batch: &Batch,
    ) -> Result<(), StorageError> {
        store
            .forest
            .insert(&mut self.tree, &batch_path(id), &to_cbor(batch), b"")
            .map_err(storage_error)
    }

    fn put_chunk<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        path: &Labels,
        content: &[u8],
    ) -> Result<(), StorageError> {
        let piece = store.put(content)?;
        self.put_piece(store, path, b"", piece)
    }

    /// Puts a leaf that keeps a piece, and takes over the reference to it.
    fn put_piece<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        path: &Labels,
        value: &[u8],
        piece: Piece,
    ) -> Result<(), StorageError> {
        let attachment = [&[CHUNK], &piece.encode()[..]].concat();
        let inserted = store
            .forest
            .insert(&mut self.tree, path, value, &attachment);
        match inserted {
            Ok(()) => Ok(()),
            Err(error) => {
                store.bodies.release(&mut store.forest, piece)?;
                Err(storage_error(error))
            }
        }
    }

    /// Drops a batch; false if there is none.
    pub(crate) fn remove<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
    ) -> Result<bool, StorageError> {
        let Some(batch) = self.batch(store, id)? else {
            return Ok(false);
        };
        let also = match batch.phase {
            Phase::Open => None,
            Phase::Staging => Some(stage_path(id)),
            Phase::Proposed | Phase::Evident => Some(proposal_path(id)),
        };
        for path in [batch_path(id), chunks_path(id)].into_iter().chain(also) {
            store
                .forest
                .remove_below(&mut self.tree, &path)
                .map_err(storage_error)?;
        }
        self.totals.batches -= 1;
        self.totals.chunks -= u64::from(batch.chunks);
        self.totals.bytes -= batch.bytes;
        Ok(true)
    }

    /// Drops all batches.
    pub(crate) fn clear<M: Memory>(&mut self, store: &mut Store<M>) {
        let tree = std::mem::replace(&mut self.tree, Tree::EMPTY);
        store.forest.release(tree);
        self.totals = Totals::default();
    }

    /// An uploaded chunk.
    pub(crate) fn piece<M: Memory>(&self, store: &Store<M>, chunk_id: u64) -> Option<Piece> {
        let path = chunk_path(chunk_id >> 32, chunk_id as u32);
        let leaf = store.forest.get(&self.tree, &path)?;
        piece_in(&leaf.attachment)
    }

    /// Whether this much more may wait.
    pub(crate) fn check_room(&self, chunks: u64, bytes: u64) -> Result<(), Error> {
        match (self.limits.max_chunks, self.limits.max_bytes) {
            (Some(limit), _) if self.totals.chunks + chunks > limit => {
                Err(Error::ChunkLimit { limit })
            }
            (_, Some(limit)) if self.totals.bytes + bytes > limit => {
                Err(Error::ByteLimit { limit })
            }
            _ => Ok(()),
        }
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            tree: Tree::EMPTY,
            last_batch: 0,
            last_closed: 0,
            totals: Totals::default(),
            limits: Limits::default(),
        }
    }
}

impl From<&Uploads> for Saved {
    fn from(uploads: &Uploads) -> Self {
        Self {
            tree: uploads.tree.encode(),
            last_batch: uploads.last_batch,
            last_closed: uploads.last_closed,
            totals: uploads.totals,
            limits: uploads.limits,
        }
    }
}

impl From<Saved> for Uploads {
    fn from(saved: Saved) -> Self {
        Self {
            tree: Tree::decode(&saved.tree),
            last_batch: saved.last_batch,
            last_closed: saved.last_closed,
            totals: saved.totals,
            limits: saved.limits,
        }
    }
}

fn piece_in(attachment: &[u8]) -> Option<Piece> {
    let (_, piece) = attachment.split_first()?;
    Some(Piece::decode(piece.first_chunk()?))
}

fn batch_path(id: u64) -> Labels {
    Labels::new().with(b"b").with(&id.to_be_bytes())
}

fn chunks_path(batch: u64) -> Labels {
    Labels::new().with(b"c").with(&batch.to_be_bytes())
}

fn chunk_path(batch: u64, number: u32) -> Labels {
    chunks_path(batch).with(&number.to_be_bytes())
}

fn stage_path(batch: u64) -> Labels {
    Labels::new().with(b"s").with(&batch.to_be_bytes())
}

fn proposal_path(batch: u64) -> Labels {
    Labels::new().with(b"p").with(&batch.to_be_bytes())
}

/// The paths here are short and none begins with another, so nothing but memory can be wrong.
fn storage_error(error: TreeError) -> StorageError {
    match error {
        TreeError::Storage(error) => error,
        TreeError::Prefix { .. } | TreeError::TooDeep { .. } | TreeError::TooLong { .. } => {
            corrupt()
        }
    }
}

fn corrupt() -> StorageError {
    StorageError::Corrupt {
        structure: "tree of uploads",
        at: 0,
    }
}
