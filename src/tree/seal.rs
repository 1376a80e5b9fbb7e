//! Bringing hashes up to date.
//!
//! Changes only mark the edges on their way as stale. Sealing visits those, each once, and hashes the node at
//! the end of the edge and then the labels that the edge passes, from the last to the first.

use super::{
    Forest, Hash, Labels, Tree,
    fork::{Edge, Node},
};
use crate::storage::Memory;
use ic_certification::hash_tree::{fork_hash, labeled_hash, leaf_hash};
use std::ops::Range;

impl<M: Memory> Forest<M> {
    /// Computes every hash that changes have left out of date.
    pub fn seal(&mut self, tree: &mut Tree) {
        self.seal_some(tree, || true);
    }

    /// Computes hashes that changes have left out of date, each after asking whether it may. Returns false at the
    /// first refusal: the next call goes on from there.
    pub fn seal_some(&mut self, tree: &mut Tree, mut may: impl FnMut() -> bool) -> bool {
        match &mut tree.top {
            Some(top) => {
                self.seal_edge(top, 0, &mut may);
                !top.stale
            }
            None => true,
        }
    }

    /// Seals an edge that begins at label `from`, if all goes well: else it stays stale. Returns the path of some leaf
    /// below, if one was read.
    fn seal_edge(
        &mut self,
        edge: &mut Edge,
        from: usize,
        may: &mut impl FnMut() -> bool,
    ) -> Option<Labels> {
        if !edge.stale {
            return None;
        }
        let (mut hash, to, mut sample) = match edge.node {
            Node::Leaf(_) if !may() => return None,
            Node::Leaf(address) => {
                let leaf = self.leaf(address);
                let hash = match &leaf.value[..] {
                    [] => EMPTY_LEAF,
                    value => leaf_hash(value),
                };
                (hash, leaf.path.len(), Some(leaf.path))
            }
            Node::Fork(index) => {
                let mut fork = self.fork(index);
                let label = fork.label();
                let [left, right] = &mut fork.edges;
                let stale = left.stale || right.stale;
                let mut sample = self.seal_edge(left, label, may);
                if !left.stale {
                    sample = self.seal_edge(right, label, may).or(sample);
                }
                let is_sealed = !left.stale && !right.stale && may();
                if stale {
                    self.set_fork(index, &fork);
                }
                if !is_sealed {
                    return sample;
                }
                let [left, right] = &fork.edges;
                (fork_hash(&left.hash, &right.hash), label, sample)
            }
        };
        if from < to {
            let path = sample.get_or_insert_with(|| self.first_leaf(*edge).path);
            hash = pass_labels(path, from..to, hash);
        }
        edge.hash = hash;
        edge.stale = false;
        sample
    }
}

/// The hash of a node wrapped in labels of a path, from the last to the first.
pub(super) fn pass_labels(path: &Labels, labels: Range<usize>, node: Hash) -> Hash {
    labels
        .rev()
        .filter_map(|index| path.get(index))
        .fold(node, |hash, label| labeled_hash(label, &hash))
}

/// The hash of a leaf with an empty value, which is what all answers are.
pub(super) const EMPTY_LEAF: Hash = [
    0xd0, 0x01, 0xf3, 0xe7, 0xb8, 0x21, 0x66, 0xc6, 0xd3, 0x43, 0xa1, 0xef, 0xe7, 0x76, 0xe9, 0x6a,
    0xc0, 0x2a, 0x23, 0xa5, 0x1e, 0x08, 0x98, 0xbc, 0x2c, 0x4e, 0x32, 0x3f, 0xce, 0x0e, 0x62, 0x2c,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_leaf_is_hashed_like_any() {
        assert_eq!(EMPTY_LEAF, leaf_hash(b""));
    }
}
