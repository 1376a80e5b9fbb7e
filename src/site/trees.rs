//! The two trees that are certified, and that a commit replaces together.

use super::store::{Store, TREES};
use crate::{
    certification::Root,
    storage::{Memory, StorageError},
    tree::Tree,
};

/// What was uploaded, and what is answered because of it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "trees that are dropped without being released leak their nodes"]
pub(crate) struct Trees {
    /// Key ► asset.
    pub(super) assets: Tree,
    /// Expression path, expression, hashes ► resource.
    pub(super) answers: Tree,
}

impl Trees {
    pub(super) const EMPTY: Self = Self {
        assets: Tree::EMPTY,
        answers: Tree::EMPTY,
    };

    const ENCODED: usize = 2 * Tree::ENCODED;

    /// The same trees once more, to change or to keep.
    pub(super) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        Self {
            assets: store.forest.share(&self.assets),
            answers: store.forest.share(&self.answers),
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

    /// Whatever a site holds, something answers every request, so there is always a site hash.
    pub(super) fn root(&self) -> Result<Root, StorageError> {
        let site = self.answers.hash().ok_or(StorageError::Corrupt {
            structure: "tree of answers",
            at: 0,
        })?;
        Ok(Root::new(site, self.assets.hash()))
    }

    /// The attachment of a leaf that keeps these alive.
    pub(super) fn attach(trees: [&Self; 2]) -> Vec<u8> {
        let mut attachment = Vec::with_capacity(1 + 2 * Self::ENCODED);
        attachment.push(TREES);
        for Self { assets, answers } in trees {
            attachment.extend_from_slice(&assets.encode());
            attachment.extend_from_slice(&answers.encode());
        }
        attachment
    }

    /// The trees in an attachment, without its tag. They are the leaf's: this takes no references.
    pub(super) fn of_attachment(stored: &[u8]) -> Option<[Self; 2]> {
        let (trees, []) = stored.as_chunks::<{ Tree::ENCODED }>() else {
            return None;
        };
        let [a, b, c, d] = trees else {
            return None;
        };
        Some([[a, b], [c, d]].map(|[assets, answers]| Self {
            assets: Tree::decode(assets),
            answers: Tree::decode(answers),
        }))
    }
}
