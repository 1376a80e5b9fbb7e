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
//! In the tree of uploads a stage is a leaf of its batch, with the cookie that its answers were made with for a
//! value, and it keeps its trees alive.

use super::{
    State,
    draft::Draft,
    store::{STAGE, Store},
    trees::Trees,
};
use crate::{
    error::Error,
    storage::{Memory, StorageError},
};

/// The stage of a batch.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(super) base: Trees,
    pub(super) trees: Trees,
    /// The cookie in the answers.
    pub(super) cookie: String,
}

impl Stage {
    /// The stage in the leaf of a batch. Its trees are the leaf's: this takes no references.
    pub(crate) fn decode(value: &[u8], attachment: &[u8]) -> Result<Self, StorageError> {
        let corrupt = StorageError::Corrupt {
            structure: "stage",
            at: 0,
        };
        let [base, trees] =
            Self::trees(attachment.get(1..).unwrap_or_default()).ok_or_else(|| corrupt.clone())?;
        let cookie = String::from_utf8(value.to_vec()).map_err(|_| corrupt)?;
        Ok(Self {
            base,
            trees,
            cookie,
        })
    }

    /// Value and attachment of the leaf.
    pub(crate) fn encode(&self) -> (&[u8], Vec<u8>) {
        let attachment = [&[STAGE], &self.base.encode()[..], &self.trees.encode()].concat();
        (self.cookie.as_bytes(), attachment)
    }

    /// The trees in an attachment, without its tag: those that the stage began with, and its own.
    pub(super) fn trees(stored: &[u8]) -> Option<[Trees; 2]> {
        let (base, trees) = stored.split_at_checked(Trees::ENCODED)?;
        Some([Trees::decode(base)?, Trees::decode(trees)?])
    }

    /// Gives its references back, if no leaf has taken them over.
    pub(super) fn release<M: Memory>(self, store: &mut Store<M>) {
        self.base.release(store);
        self.trees.release(store);
    }

    /// Whether publishing is a swap of roots: nothing but this stage has changed the site since it began.
    pub(super) fn is_next_of(&self, state: &State) -> bool {
        self.base == state.trees && self.cookie == state.cookie.text
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
            .changes(&self.base.assets, &self.trees.assets, |path, leaf| {
                changes.push((path, leaf));
            });
        changes
            .into_iter()
            .try_for_each(|(path, leaf)| draft.replace(store, &path, leaf))
    }
}
