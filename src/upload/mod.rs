//! Uploads: batches of chunks that wait to become content.
//!
//! A chunk is hashed and stored when it arrives, where it will stay; using it in a commit copies nothing. Chunk
//! ids are unique over all batches: the batch's id is their upper half, so that a commit can name chunks of any
//! batch.
//!
//! ```text
//! uploads:  "b" / batch ► expiry, chunks, bytes, owner, phase
//!           "c" / batch / number ► body
//!           "s" / batch ► the trees that it has staged
//!           "p" / batch ► what it proposes, and how far its evidence is computed
//! ```
//!
//! A batch expires five minutes after the last call that used it. As with the asset canister of dfx, what has
//! expired goes when the next batch is created.

mod batch;
mod proposal;
mod stage;

pub(crate) use stage::Staged;
pub use stage::{LIFETIME, MAX_LIFETIME};

use crate::{
    error::Error,
    site::{CHUNK, Content, Next, Piece, Site, Stage, Store, from_cbor, to_cbor},
    storage::{Memory, StorageError},
    tree::{Labels, Tree, TreeError},
};
use batch::{Batch, Phase};
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
    /// If it was a staged release, the entry of the log about its publication.
    last_release: Option<u64>,
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
    #[n(5)]
    last_release: Option<u64>,
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
            let live = uploads.drop_expired(store, now)?;
            if let Some((batch, proposed)) = live.iter().find(|(_, batch)| batch.is_proposed()) {
                return Err(match proposed.phase {
                    Phase::Evident => Error::BatchProposed { batch: *batch },
                    _ => Error::EvidencePending { batch: *batch },
                });
            }
            uploads.open(store, owner, Phase::Open, EXPIRY, now)
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
            if !batch.takes_chunks() {
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
    /// [`Error::BatchNotFound`], [`Error::Stage`] if it is a staged release, or [`Error::Storage`]; nothing has changed then.
    pub fn delete_batch(&mut self, batch_id: u64) -> Result<(), Error> {
        self.change_uploads(|store, uploads| {
            uploads
                .existing(store, batch_id)?
                .check_no_release(batch_id)?;
            uploads.remove(store, batch_id)?;
            Ok(())
        })
    }

    /// The bounds on what may wait.
    pub fn limits(&self) -> Limits {
        self.state.uploads.limits
    }

    /// Changes the uploads on a copy, which takes their place if all went well.
    pub(crate) fn change_uploads<R>(
        &mut self,
        change: impl FnOnce(&mut Store<M>, &mut Uploads) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut uploads = self.state.uploads.share(&mut self.store);
        let done = change(&mut self.store, &mut uploads);
        self.conclude(done, Next::from(uploads), RECLAIM)
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

    /// Drops the batches that have expired. Returns the others.
    fn drop_expired<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        now: u64,
    ) -> Result<Vec<(u64, Batch)>, StorageError> {
        let (expired, live): (Vec<_>, Vec<_>) = self
            .batches(store)?
            .into_iter()
            .partition(|(_, batch)| batch.has_expired(now));
        for (id, _) in expired {
            self.remove(store, id)?;
        }
        Ok(live)
    }

    /// A new batch.
    fn open<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        owner: Principal,
        phase: Phase,
        lifetime: u64,
        now: u64,
    ) -> Result<u64, Error> {
        match self.limits.max_batches {
            Some(limit) if u64::from(self.totals.batches) >= limit => {
                return Err(Error::BatchLimit { limit });
            }
            _ => {}
        }
        let id = self.last_batch + 1;
        let batch = Batch {
            expires: now.saturating_add(lifetime),
            chunks: 0,
            bytes: 0,
            owner: owner.as_slice().to_vec(),
            phase,
            lifetime,
        };
        self.put(store, id, &batch)?;
        self.last_batch = id;
        self.totals.batches += 1;
        Ok(id)
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
            (self.last_closed, self.last_release) = (id, None);
        }
        Ok(())
    }

    /// Whether this batch was closed, and nothing after it.
    pub(crate) fn was_just_closed(&self, id: u64) -> bool {
        id == self.last_closed && self.last_release.is_none()
    }

    /// Refuses the id of a batch that there was.
    pub(crate) fn check_not_gone<M: Memory>(&self, store: &Store<M>, id: u64) -> Result<(), Error> {
        if id <= self.last_batch {
            self.existing(store, id)?.check_no_release(id)?;
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
            batch.owner == owner.as_slice()
                && !batch.has_expired(now)
                && matches!(batch.phase, Phase::Open | Phase::Staging)
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
        self.put_stage_in(store, id, stage, Phase::Staging, now)
    }

    fn put_stage_in<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
        stage: &Stage,
        phase: Phase,
        now: u64,
    ) -> Result<(), Error> {
        let mut batch = self.existing(store, id)?;
        batch.phase = phase;
        batch.used(now);
        self.put(store, id, &batch)?;
        let (value, attachment) = stage.encode();
        store
            .forest
            .insert(&mut self.tree, &stage_path(id), &value, &attachment)
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
            Phase::Staging | Phase::Filling | Phase::Sealing | Phase::Sealed => {
                Some(stage_path(id))
            }
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

    /// One of the chunks that content names, by its number; `None` after the last.
    pub(crate) fn chunk_of<M: Memory>(
        &self,
        store: &Store<M>,
        content: &Content,
        number: usize,
    ) -> Result<Option<Piece>, Error> {
        if let Some(id) = content.chunks.get(number) {
            let piece = self.piece(store, *id);
            return piece.ok_or(Error::ChunkNotFound { chunk: *id }).map(Some);
        }
        let Some(sha256) = content.held.get(number - content.chunks.len()) else {
            return Ok(None);
        };
        let piece = store.bodies.find(&store.forest, sha256)?;
        piece
            .ok_or(Error::NotHeld {
                sha256: sha256.clone(),
            })
            .map(Some)
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
            last_release: None,
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
            last_release: uploads.last_release,
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
            last_release: saved.last_release,
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
