//! The two trees that make up a release, and that a commit replaces together; and what goes on beside them.

use super::{remainder::Remainder, store::Store};
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
    /// What is certified beside the answers for a while.
    pub(super) remainder: Remainder,
}

impl Trees {
    pub(super) const EMPTY: Self = Self {
        assets: Tree::EMPTY,
        answers: Tree::EMPTY,
        bytes: 0,
        remainder: Remainder::NONE,
    };

    pub(super) const ENCODED: usize = 8 + 4 * Tree::ENCODED;

    /// The same trees once more, to change or to publish.
    pub(super) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self {
            remainder: self.remainder.share(store),
            ..self.share_release(store)
        }
    }

    /// The same release once more, without what goes on beside it.
    pub(super) fn share_release<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self {
            assets: store.forest.share(&self.assets),
            answers: store.forest.share(&self.answers),
            bytes: self.bytes,
            remainder: Remainder::NONE,
        }
    }

    pub(super) fn release<M: Memory>(self, store: &mut Store<M>) {
        self.into_trees()
            .into_iter()
            .for_each(|tree| store.forest.release(tree));
    }

    pub(super) fn into_trees(self) -> [Tree; 4] {
        let [parts, served] = self.remainder.into_trees();
        [self.assets, self.answers, parts, served]
    }

    /// Whether these are the trees of the same release.
    pub(super) fn is_release_of(&self, other: &Self) -> bool {
        self.assets == other.assets && self.answers == other.answers
    }

    /// Brings all hashes up to date, and joins the remainder to the answers.
    pub(super) fn seal<M: Memory>(&mut self, store: &mut Store<M>) -> Result<(), StorageError> {
        self.seal_some(store, || true).map(|_| ())
    }

    /// As [`seal`](Self::seal), as long as `may` allows one more node. Returns true when all is done.
    pub(super) fn seal_some<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        mut may: impl FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        for tree in [&mut self.assets, &mut self.answers] {
            if !store.forest.seal_some(tree, &mut may) {
                return Ok(false);
            }
        }
        let served = self.remainder.join(store, &self.answers)?;
        Ok(store.forest.seal_some(served, may))
    }

    /// The tree that is certified: the answers, with the remainder if there is one.
    pub(super) fn served(&self) -> &Tree {
        self.remainder.served().unwrap_or(&self.answers)
    }

    /// The root over these trees and over the log with this hash. Whatever a site holds, something answers every
    /// request, so there is always a site hash.
    pub(super) fn root(&self, log: Option<Hash>) -> Result<Root, StorageError> {
        let hash = |tree: &Tree| {
            tree.hash().ok_or(StorageError::Corrupt {
                structure: "tree of answers",
                at: 0,
            })
        };
        let (served, site) = (hash(self.served())?, hash(&self.answers)?);
        Ok(Root::serving(served, site, self.assets.hash(), log))
    }

    /// The trees as bytes that [`decode`](Self::decode) reads.
    pub(super) fn encode(&self) -> [u8; Self::ENCODED] {
        let mut bytes = [0; Self::ENCODED];
        let (length, trees) = bytes.split_at_mut(8);
        length.copy_from_slice(&self.bytes.to_le_bytes());
        let [parts, served] = self.remainder.trees();
        let all = [&self.assets, &self.answers, parts, served];
        for (into, tree) in trees.chunks_exact_mut(Tree::ENCODED).zip(all) {
            into.copy_from_slice(&tree.encode());
        }
        bytes
    }

    /// The trees in the attachment of a leaf. They are the leaf's: this takes no references.
    pub(super) fn decode(stored: &[u8]) -> Option<Self> {
        let (bytes, trees) = stored.split_first_chunk()?;
        let ([assets, answers, parts, served], []) = trees.as_chunks() else {
            return None;
        };
        Some(Self {
            assets: Tree::decode(assets),
            answers: Tree::decode(answers),
            bytes: u64::from_le_bytes(*bytes),
            remainder: Remainder::of_trees([parts, served].map(Tree::decode)),
        })
    }
}
