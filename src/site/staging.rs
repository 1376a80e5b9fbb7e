//! Staging: what a batch has committed and not published yet.
//!
//! A large deploy comes as many commits. They change trees of the batch's own, which share with the live ones all
//! that they have in common, and the last commit puts them in the live ones' place.
//!
//! ```text
//!            ┌─ base:  the live trees when the stage began
//! live ──────┤
//!            └─ trees: the same, changed by every staged commit since
//!
//! publishing:  live is still base ──► trees are the live ones
//!              live has moved     ──► what differs between base and trees is done to the live ones, key by key
//! ```
//!
//! In the tree of uploads a stage is a leaf of its batch, that keeps its trees alive.

use super::{
    State,
    asset::{from_cbor, to_cbor},
    draft::Draft,
    store::{STAGE, Store},
    trees::Trees,
};
use crate::{
    error::Error,
    storage::{Memory, StorageError},
    tree::Labels,
};
use minicbor::{Decode, Encode};
use std::ops::ControlFlow;

/// The stage of a batch.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(super) base: Trees,
    pub(super) trees: Trees,
    /// The cookie in the answers.
    pub(super) cookie: String,
    /// The entry of the log that was about the live trees when the stage began.
    pub(super) release: u64,
    /// The last of the keys whose answers are derived already, of those that the stage changed. A batch derives answers
    /// with each commit and has none.
    pub(super) derived: Option<String>,
}

/// The value of the leaf.
#[derive(Encode, Decode)]
struct Saved {
    #[n(0)]
    cookie: String,
    #[n(1)]
    release: u64,
    #[n(2)]
    derived: Option<String>,
}

impl Stage {
    /// The stage that begins now.
    pub(super) fn of_live<M: Memory>(store: &mut Store<M>, state: &State) -> Self {
        Self {
            base: state.trees.share_release(store),
            trees: state.trees.share_release(store),
            cookie: state.cookie.text.clone(),
            release: state.log.live(),
            derived: None,
        }
    }

    /// The stage in the leaf of a batch. Its trees are the leaf's: this takes no references.
    pub(crate) fn decode(value: &[u8], attachment: &[u8]) -> Result<Self, StorageError> {
        let corrupt = StorageError::Corrupt {
            structure: "stage",
            at: 0,
        };
        let [base, trees] = Self::trees(attachment.get(1..).unwrap_or_default()).ok_or(corrupt)?;
        let Saved {
            cookie,
            release,
            derived,
        } = from_cbor(value)?;
        Ok(Self {
            base,
            trees,
            cookie,
            release,
            derived,
        })
    }

    /// Value and attachment of the leaf.
    pub(crate) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let attachment = [&[STAGE], &self.base.encode()[..], &self.trees.encode()].concat();
        let value = to_cbor(&Saved {
            cookie: self.cookie.clone(),
            release: self.release,
            derived: self.derived.clone(),
        });
        (value, attachment)
    }

    /// The trees in an attachment, without its tag: those that the stage began with, and its own.
    pub(super) fn trees(stored: &[u8]) -> Option<[Trees; 2]> {
        let (base, trees) = stored.split_at_checked(Trees::ENCODED)?;
        Some([Trees::decode(base)?, Trees::decode(trees)?])
    }

    /// The same stage once more.
    pub(super) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self {
            base: self.base.share(store),
            trees: self.trees.share(store),
            cookie: self.cookie.clone(),
            derived: self.derived.clone(),
            ..*self
        }
    }

    /// Lets the stage go on with these trees.
    pub(super) fn replace_trees<M: Memory>(&mut self, store: &mut Store<M>, trees: Trees) {
        std::mem::replace(&mut self.trees, trees).release(store);
    }

    /// Gives its references back, if no leaf has taken them over.
    pub(super) fn release<M: Memory>(self, store: &mut Store<M>) {
        self.base.release(store);
        self.trees.release(store);
    }

    /// Whether publishing is a swap of roots: nothing but this stage has changed the site since it began.
    pub(super) fn is_next_of(&self, state: &State) -> bool {
        self.base.is_release_of(&state.trees) && self.cookie == state.cookie.text
    }

    /// Does to a draft what the stage did to its base. An asset that both have changed becomes the stage's.
    pub(super) fn replay<M: Memory>(
        &self,
        store: &mut Store<M>,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        let mut changes = Vec::new();
        store
            .forest
            .changes(&self.base.assets, &self.trees.assets, None, |path, leaf| {
                changes.push((path, leaf));
                ControlFlow::Continue(())
            });
        changes
            .into_iter()
            .try_for_each(|(path, leaf)| draft.replace(store, &path, leaf))
    }

    /// Keys that the stage has changed, in order, from the first one past `past` on: `limit` at most.
    pub(super) fn changed_past<M: Memory>(
        &self,
        store: &Store<M>,
        past: Option<&str>,
        limit: usize,
    ) -> Vec<String> {
        let past = past.map(|key| Labels::new().with(key.as_bytes()));
        let (base, trees) = (&self.base.assets, &self.trees.assets);
        let mut keys = Vec::new();
        store.forest.changes(base, trees, past.as_ref(), |path, _| {
            let key = path.get(0).unwrap_or_default();
            keys.push(String::from_utf8_lossy(key).into_owned());
            match keys.len() {
                count if count < limit => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        });
        keys
    }
}
