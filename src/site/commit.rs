//! Changing the site: a draft takes the place of the live trees at once, or is dropped.
//!
//! ```text
//! live ──share──► draft ──operations, answers──► seal ──► live
//! ```
//!
//! A commit that fails drops its draft, and nothing has happened. One that does not is in the log: both happen in one
//! place, [`Site::publish`].

use super::{
    By, Next, Operation, Properties, Site, draft::Draft, log::Event, staging::Stage, store::Store,
};
use crate::{error::Error, storage::Memory, upload::Uploads};
use candid::Principal;

/// Nodes that one commit frees at most of what its predecessors left. A node costs a few thousand instructions.
const RECLAIM: u32 = 100_000;
/// Nodes that a change frees at most whose cost shall not depend on any size: more than it leaves itself.
pub(super) const RECLAIM_AT_LEAST: u32 = 50;

/// The id that no batch has.
const NO_BATCH: u64 = 0;

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is served.
    Published,
    /// It waits for the commit that closes its batch.
    Staged,
}

impl<M: Memory> Site<M> {
    /// Puts an asset in the place of what the key names, if it names something. It has this content only, no
    /// further headers, and its aliases.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn put(
        &mut self,
        key: &str,
        content_type: &str,
        content: impl Into<Vec<u8>>,
        by: impl Into<By>,
    ) -> Result<(), Error> {
        let key = key.to_owned();
        let properties = Properties {
            content_type: content_type.to_owned(),
            ..Properties::default()
        };
        let operations = [
            Operation::Delete { key: key.clone() },
            Operation::Create {
                key: key.clone(),
                properties,
            },
            Operation::SetContent {
                key,
                encoding: "identity".to_owned(),
                content: content.into().into(),
                sha256: None,
            },
        ];
        self.commit(operations, by)
    }

    /// Applies operations in order and publishes the result, all or nothing. In the log it is an amendment of what is
    /// live.
    ///
    /// # Errors
    ///
    /// [`Error`] of the first operation that cannot be applied, or that its answers cannot be certified; the
    /// site is unchanged.
    pub fn commit(
        &mut self,
        operations: impl IntoIterator<Item = Operation>,
        by: impl Into<By>,
    ) -> Result<(), Error> {
        let operations = operations.into_iter().collect();
        self.commit_as(Event::Amendment, operations, by.into())
    }

    pub(super) fn commit_as(
        &mut self,
        event: Event,
        operations: Vec<Operation>,
        by: By,
    ) -> Result<(), Error> {
        let draft = Draft::of_live(&mut self.store, &self.state, by.now);
        self.publish(draft, by, event, RECLAIM, |store, draft| {
            draft.apply_all(store, operations)
        })
    }

    /// As [`commit`](Self::commit), after what the batch with this id has staged, and closes the batch.
    ///
    /// Id 0, which no batch has, stages the operations in the caller's open batch, the latest if there are
    /// several. If the caller has none, it publishes them at once, and so does an id that was never given.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit), and [`Error::BatchNotFound`] if the batch is no longer there, and what it
    /// staged lost. A batch stays open, with its stage, when this fails. Closing the batch that was closed last
    /// once more, without operations, is no error.
    pub fn commit_batch(
        &mut self,
        batch: u64,
        caller: Principal,
        operations: impl IntoIterator<Item = Operation>,
        now: u64,
    ) -> Result<Committed, Error> {
        let operations: Vec<Operation> = operations.into_iter().collect();
        let by = By {
            principal: caller,
            now,
        };
        let uploads = &self.state.uploads;
        if batch == NO_BATCH {
            return match uploads.open_batch_of(&self.store, caller, now)? {
                Some(home) => {
                    self.stage(home, operations, now)?;
                    Ok(Committed::Staged)
                }
                None => {
                    self.commit(operations, by)?;
                    Ok(Committed::Published)
                }
            };
        }
        // A client that has lost the reply asks again.
        if operations.is_empty() && uploads.was_just_closed(batch) {
            return Ok(Committed::Published);
        }
        uploads.check_not_gone(&self.store, batch)?;
        let event = Event::Publish {
            note: String::new(),
        };
        self.close_batch(batch, operations, by, event)?;
        Ok(Committed::Published)
    }

    /// Takes away all assets and all batches. What was live is kept like any release that is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`]; the site is unchanged.
    pub fn clear(&mut self, by: impl Into<By>) -> Result<(), Error> {
        let by = by.into();
        let draft = Draft::of_next(&mut self.store, &self.state, by.now);
        let event = Event::Publish {
            note: String::new(),
        };
        self.publish(draft, by, event, RECLAIM, |store, draft| {
            draft.uploads.clear(store);
            draft.apply_all(store, vec![Operation::Clear])
        })
    }

    /// Publishes what a batch has staged and these operations after it, and closes the batch.
    pub(crate) fn close_batch(
        &mut self,
        batch: u64,
        operations: Vec<Operation>,
        by: By,
        event: Event,
    ) -> Result<(), Error> {
        let now = by.now;
        let Self { store, state, .. } = self;
        let stage = state.uploads.stage(store, batch)?;
        let (draft, moved) = match stage {
            Some(stage) if stage.is_next_of(state) => {
                (Draft::of_stage(store, state, &stage, now), None)
            }
            moved => (Draft::of_next(store, state, now), moved),
        };
        self.publish(draft, by, event, RECLAIM, |store, draft| {
            if let Some(stage) = moved {
                stage.replay(store, draft)?;
            }
            draft.apply_all(store, operations)?;
            draft.uploads.close(store, batch)?;
            Ok(())
        })
    }

    /// Applies operations to the stage of a batch.
    fn stage(&mut self, batch: u64, operations: Vec<Operation>, now: u64) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        let found = state.uploads.stage(store, batch)?;
        let mut stage = match found {
            None => Stage::of_live(store, state),
            Some(stage) => stage.share(store),
        };
        let mut draft = Draft::of_stage(store, state, &stage, now);
        let done = draft
            .apply_all(store, operations)
            .and_then(|()| draft.derive_answers(store));
        let (trees, uploads) = draft.finish(store)?;
        stage.replace_trees(store, trees);
        let done = done.and_then(|()| Ok(stage.trees.seal(store)?));
        self.keep_stage(uploads, stage, |store, uploads, stage| {
            done?;
            uploads.put_stage(store, batch, stage, now)
        })
    }

    /// Has `put` keep a stage in these uploads, and puts them in the place of the live ones; or drops both.
    pub(super) fn keep_stage<R>(
        &mut self,
        mut uploads: Uploads,
        stage: Stage,
        put: impl FnOnce(&mut Store<M>, &mut Uploads, &Stage) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let done = put(&mut self.store, &mut uploads, &stage);
        if done.is_err() {
            // No leaf has taken over its references.
            stage.release(&mut self.store);
        }
        self.conclude(done, Next::from(uploads), RECLAIM)
    }

    /// Puts a draft in the place of the live site once `fill` has made it what it shall be, and says so in the log; or
    /// drops it. Frees up to `reclaim` nodes of what went before.
    pub(super) fn publish(
        &mut self,
        mut draft: Draft,
        by: By,
        event: Event,
        reclaim: u32,
        fill: impl FnOnce(&mut Store<M>, &mut Draft) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { store, state, .. } = self;
        let now = draft.now;
        let mut log = state.log.share(store);
        let done = state
            .log
            .guard
            .check(&event)
            .and_then(|()| fill(store, &mut draft))
            .and_then(|()| draft.derive_answers(store));
        let (mut trees, uploads) = draft.finish(store)?;
        let done = done.and_then(|()| {
            trees.seal(store)?;
            Ok(log.record(store, state, &trees, by, event)?)
        });
        if done.is_ok() {
            state.last_change = now;
        }
        let next = Next {
            trees: Some(trees),
            uploads: Some(uploads),
            log: Some(log),
        };
        self.conclude(done, next, reclaim)
    }
}
