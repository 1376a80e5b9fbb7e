//! Bringing hashes up to date.
//!
//! Changes only mark the edges on their way as stale. Sealing visits those, each once, and hashes the node at
//! the end of the edge and then the labels that the edge passes, from the last to the first.

use super::{
    Forest, Labels, Tree,
    fork::{Edge, Node},
};
use crate::storage::Memory;
use ic_certification::hash_tree::{fork_hash, labeled_hash, leaf_hash};

impl<M: Memory> Forest<M> {
    /// Computes every hash that changes have left out of date.
    pub fn seal(&mut self, tree: &mut Tree) {
        if let Some(top) = &mut tree.top {
            self.seal_edge(top, 0);
        }
    }

    /// Seals an edge that begins at label `from`. Returns the path of some leaf below, if one was read.
    fn seal_edge(&mut self, edge: &mut Edge, from: usize) -> Option<Labels> {
        if !edge.stale {
            return None;
        }
        let (mut hash, to, mut sample) = match edge.node {
            Node::Leaf(address) => {
                let leaf = self.leaf(address);
                (leaf_hash(&leaf.value), leaf.path.len(), Some(leaf.path))
            }
            Node::Fork(index) => {
                let mut fork = self.fork(index);
                let label = fork.label();
                let [left, right] = &mut fork.edges;
                let stale = left.stale || right.stale;
                let sample = self.seal_edge(left, label);
                let sample = self.seal_edge(right, label).or(sample);
                let hash = fork_hash(&left.hash, &right.hash);
                if stale {
                    self.set_fork(index, &fork);
                }
                (hash, label, sample)
            }
        };
        if from < to {
            let path = sample.get_or_insert_with(|| self.first_leaf(*edge).path);
            for label in (from..to).rev().filter_map(|index| path.get(index)) {
                hash = labeled_hash(label, &hash);
            }
        }
        edge.hash = hash;
        edge.stale = false;
        sample
    }
}
