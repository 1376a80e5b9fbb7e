//! The two trees that make up a release, and that a commit replaces together.

use super::store::Store;
use crate::{
    certification::Root,
    storage::{Memory, StorageError},
    tree::{Hash, Tree},
};

/// What was uploaded, and what is answered because of it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "trees that are dropped without being released leak their nodes"]
pub(crate) struct Trees {
    /// Key ► asset.
    pub(super) assets: Tree,
    /// Expression path, expression, hashes ► resource.
    pub(super) answers: Tree,
    /// Bytes of the content of all assets, in all encodings.
    pub(super) bytes: u64,
}

impl Trees {
    pub(super) const EMPTY: Self = Self {
        assets: Tree::EMPTY,
        answers: Tree::EMPTY,
        bytes: 0,
    };

    pub(super) const ENCODED: usize = 2 * Tree::ENCODED + 8;

    /// The same trees once more, to change or to keep.
    pub(super) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self {
            assets: store.forest.share(&self.assets),
            answers: store.forest.share(&self.answers),
            bytes: self.bytes,
        }
    }

    pub(super) fn release<M: Memory>(self, store: &mut Store<M>) {
        store.forest.release(self.assets);
        store.forest.release(self.answers);
    }

    /// Brings all hashes up to date.
    pub(super) fn seal<M: Memory>(&mut self, store: &mut Store<M>) {
        store.forest.seal(&mut self.assets);
        store.forest.seal(&mut self.answers);
    }

    /// The root over these trees and over the log with this hash. Whatever a site holds, something answers every
    /// request, so there is always a site hash.
    pub(super) fn root(&self, log: Option<Hash>) -> Result<Root, StorageError> {
        let site = self.answers.hash().ok_or(StorageError::Corrupt {
            structure: "tree of answers",
            at: 0,
        })?;
        Ok(Root::new(site, self.assets.hash(), log))
    }

    /// The trees as bytes that [`decode`](Self::decode) reads.
    pub(super) fn encode(&self) -> [u8; Self::ENCODED] {
        let mut bytes = [0; Self::ENCODED];
        let (assets, rest) = bytes.split_at_mut(Tree::ENCODED);
        let (answers, length) = rest.split_at_mut(Tree::ENCODED);
        assets.copy_from_slice(&self.assets.encode());
        answers.copy_from_slice(&self.answers.encode());
        length.copy_from_slice(&self.bytes.to_le_bytes());
        bytes
    }

    /// The trees in the attachment of a leaf. They are the leaf's: this takes no references.
    pub(super) fn decode(stored: &[u8]) -> Option<Self> {
        let ([assets, answers], bytes) = stored.as_chunks() else {
            return None;
        };
        Some(Self {
            assets: Tree::decode(assets),
            answers: Tree::decode(answers),
            bytes: u64::from_le_bytes(bytes.try_into().ok()?),
        })
    }
}
