//! Staged releases, as the batches that they are beside the batches of the asset canister of dfx: numbered,
//! limited and dropped alike, but with a lifetime of their own.

use super::{Batch, Phase, Uploads, corrupt, stage_path};
use crate::{
    error::{Error, StageError},
    site::{Stage, StageState, Store},
    storage::{Memory, StorageError},
};
use candid::Principal;

/// Nanoseconds that a staged release lives after its last use unless something else is asked for: an hour.
pub const LIFETIME: u64 = 3_600_000_000_000;
/// Nanoseconds that can be asked for: 30 days, in which any DAO has voted.
pub const MAX_LIFETIME: u64 = 30 * 24 * LIFETIME;

/// A staged release, and what is known of it beside its trees.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) stage: Stage,
    pub(crate) state: StageState,
    pub(crate) owner: Principal,
    pub(crate) expires: u64,
    pub(crate) chunks: u32,
    pub(crate) bytes: u64,
}

impl Uploads {
    /// Opens a staged release, after dropping what has expired. If all goes well, the references of the stage are its
    /// leaf's. Returns its number.
    pub(crate) fn create_stage<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        stage: &Stage,
        owner: Principal,
        lifetime: u64,
        now: u64,
    ) -> Result<u64, Error> {
        self.drop_expired(store, now)?;
        let id = self.open(store, owner, Phase::Filling, lifetime, now)?;
        self.put_stage_in(store, id, stage, Phase::Filling, now)?;
        Ok(id)
    }

    /// Keeps a staged release in its next state. If all goes well, the references of the stage are its leaf's.
    pub(crate) fn put_staged<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
        stage: &Stage,
        state: StageState,
        now: u64,
    ) -> Result<(), Error> {
        let phase = match state {
            StageState::Open => Phase::Filling,
            StageState::Sealing => Phase::Sealing,
            StageState::Sealed => Phase::Sealed,
        };
        self.put_stage_in(store, id, stage, phase, now)
    }

    /// Drops a staged release, because it is published, as this entry of the log says.
    pub(crate) fn close_stage<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
        release: u64,
    ) -> Result<(), StorageError> {
        self.close(store, id)?;
        self.last_release = Some(release);
        Ok(())
    }

    /// The entry of the log about the publication of this staged release, if nothing was closed after it.
    pub(crate) fn just_published(&self, id: u64) -> Option<u64> {
        self.last_release.filter(|_| id == self.last_closed)
    }

    /// A staged release. The trees are its leaf's: this takes no references.
    pub(crate) fn staged<M: Memory>(&self, store: &Store<M>, id: u64) -> Result<Staged, Error> {
        let batch = self.batch(store, id)?;
        let batch = batch.ok_or(StageError::NotFound.of(id))?;
        if !batch.is_release() {
            return Err(StageError::Batch.of(id));
        }
        Ok(self.staged_as(store, id, &batch)?)
    }

    /// All staged releases, by number.
    pub(crate) fn all_staged<M: Memory>(
        &self,
        store: &Store<M>,
    ) -> Result<Vec<(u64, Staged)>, StorageError> {
        let batches = self.batches(store)?.into_iter();
        batches
            .filter(|(_, batch)| batch.is_release())
            .map(|(id, batch)| Ok((id, self.staged_as(store, id, &batch)?)))
            .collect()
    }

    fn staged_as<M: Memory>(
        &self,
        store: &Store<M>,
        id: u64,
        batch: &Batch,
    ) -> Result<Staged, StorageError> {
        let leaf = store.forest.get(&self.tree, &stage_path(id));
        let leaf = leaf.ok_or_else(corrupt)?;
        Ok(Staged {
            stage: Stage::decode(&leaf.value, &leaf.attachment)?,
            state: match batch.phase {
                Phase::Sealed => StageState::Sealed,
                Phase::Sealing => StageState::Sealing,
                _ => StageState::Open,
            },
            owner: Principal::try_from_slice(&batch.owner).map_err(|_| corrupt())?,
            expires: batch.expires,
            chunks: batch.chunks,
            bytes: batch.bytes,
        })
    }
}
