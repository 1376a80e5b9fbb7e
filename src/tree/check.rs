//! A walk over everything, that finds any leak and any broken invariant.

use super::{
    Forest, Labels, Tree,
    fork::{Edge, Node},
    labels::Difference,
};
use crate::storage::{Memory, StorageError};
use ic_certification::hash_tree::{fork_hash, labeled_hash, leaf_hash};
use std::collections::BTreeMap;

/// What [`Forest::check`] counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Forks that trees refer to.
    pub forks: u32,
    /// Leaves that trees refer to.
    pub leaves: u32,
    /// Forks and leaves that wait to be reclaimed, directly or below one that does.
    pub doomed: u32,
}

/// Nodes by their encoding, and how many references each should have.
type References = BTreeMap<u32, u32>;

impl<M: Memory> Forest<M> {
    /// Walks all memory. `trees` must be all the trees of the forest but those that a leaf keeps alive; `leaf` is
    /// shown the attachment of each leaf once, also of those that wait to be reclaimed, and returns the trees that
    /// it keeps alive.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first node that is not what it should be: a wrong order of labels, a
    /// stale or wrong hash, a wrong count of leaves or references, a leaked or doubly used node.
    pub fn check(
        &self,
        trees: &[&Tree],
        mut leaf: impl FnMut(&[u8]) -> Vec<Tree>,
    ) -> Result<Census, StorageError> {
        let mut expected = References::new();
        let mut kept: Vec<Edge> = trees.iter().filter_map(|tree| tree.top).collect();
        while let Some(top) = kept.pop() {
            let mut leaf = |attachment: &[u8]| kept.extend(tops(leaf(attachment)));
            self.check_edge(top, 0, &mut expected, &mut leaf)?;
        }
        let live = expected.clone();
        let mut next = self.next_doomed();
        let mut waiting = Vec::new();
        while let Some(node) = next {
            let bits = node.encode();
            // Nothing refers to a doomed node; what it refers to still counts it.
            if expected.insert(bits, 0).is_some() || self.references(node) != 0 {
                return Err(corrupt(bits));
            }
            waiting.push(node);
            let bits = match node {
                Node::Fork(index) => self.forks.u32(index, super::NEXT_DOOMED),
                Node::Leaf(address) => self.leaf_next(address),
            };
            next = (bits != u32::MAX).then(|| Node::decode(bits));
        }
        for node in waiting {
            let mut below = Vec::new();
            match node {
                Node::Leaf(address) => below.extend(tops(leaf(&self.leaf(address).attachment))),
                Node::Fork(index) => below.extend(self.fork(index).edges),
            }
            while let Some(edge) = below.pop() {
                let mut leaf = |attachment: &[u8]| below.extend(tops(leaf(attachment)));
                self.count_below(edge, &mut expected, &mut leaf);
            }
        }
        for (bits, references) in &expected {
            if self.references(Node::decode(*bits)) != *references {
                return Err(corrupt(*bits));
            }
        }
        self.check_allocation(&expected)?;
        let is_fork = |bits: &&u32| matches!(Node::decode(**bits), Node::Fork(_));
        let forks = live.keys().filter(is_fork).count() as u32;
        Ok(Census {
            forks,
            leaves: live.len() as u32 - forks,
            doomed: (expected.len() - live.len()) as u32,
        })
    }

    /// Checks what is below an edge, unless it was checked already, and returns the first and the last path
    /// there.
    fn check_edge(
        &self,
        edge: Edge,
        from: usize,
        expected: &mut References,
        leaf: &mut impl FnMut(&[u8]),
    ) -> Result<(Labels, Labels), StorageError> {
        let bits = edge.node.encode();
        let wrong = || corrupt(bits);
        let references = expected.entry(bits).or_default();
        *references += 1;
        let known = *references > 1;
        let (mut hash, to, depth, leaves, first, last) = match edge.node {
            Node::Leaf(address) => {
                let found = self.leaf(address);
                if !known {
                    leaf(&found.attachment);
                }
                let (path, hash) = (found.path, leaf_hash(&found.value));
                (hash, path.len(), 1, 1, path.clone(), path)
            }
            Node::Fork(index) => {
                let fork = self.fork(index);
                let [left, right] = fork.edges;
                let (first, last) = if known {
                    (self.first_leaf(left).path, self.first_leaf(right).path)
                } else {
                    let (first, before) = self.check_edge(left, fork.label(), expected, leaf)?;
                    let (behind, last) = self.check_edge(right, fork.label(), expected, leaf)?;
                    let parts =
                        |a: &Labels, b: &Labels| a.difference(b) == Difference::At(fork.position);
                    if !parts(&before, &behind) || !parts(&first, &last) || before >= behind {
                        return Err(wrong());
                    }
                    (first, last)
                };
                let hash = fork_hash(&left.hash, &right.hash);
                (hash, fork.label(), fork.depth(), fork.leaves(), first, last)
            }
        };
        let span = edge.depth.checked_sub(depth).map(usize::from);
        if span.is_none() || span != to.checked_sub(from) || edge.leaves != leaves {
            return Err(wrong());
        }
        for label in (from..to).rev() {
            let label = first.get(label).ok_or_else(wrong)?;
            hash = labeled_hash(label, &hash);
        }
        if !edge.stale && edge.hash != hash {
            return Err(wrong());
        }
        Ok((first, last))
    }

    /// Counts the references below a doomed node.
    fn count_below(&self, edge: Edge, expected: &mut References, leaf: &mut impl FnMut(&[u8])) {
        let references = expected.entry(edge.node.encode()).or_default();
        *references += 1;
        if *references > 1 {
            return;
        }
        match edge.node {
            Node::Leaf(address) => leaf(&self.leaf(address).attachment),
            Node::Fork(index) => {
                for edge in self.fork(index).edges {
                    self.count_below(edge, expected, leaf);
                }
            }
        }
    }

    /// Every slot and every block is either free or expected, and none is both.
    fn check_allocation(&self, expected: &References) -> Result<(), StorageError> {
        let mut forks = self.forks.free_slots()?;
        let mut leaves = Vec::new();
        for bits in expected.keys() {
            match Node::decode(*bits) {
                Node::Fork(index) => forks.push(index),
                Node::Leaf(address) => leaves.push(address),
            }
        }
        forks.sort_unstable();
        if let Some((_, index)) = (1..self.forks.slots())
            .zip(forks.iter().copied().chain([u32::MAX]))
            .find(|(slot, index)| slot != index)
        {
            return Err(corrupt(index));
        }
        leaves.sort_unstable();
        if forks.len() as u32 + 1 == self.forks.slots() && self.leaves.check()? == leaves {
            Ok(())
        } else {
            Err(corrupt(u32::MAX))
        }
    }
}

fn tops(trees: Vec<Tree>) -> impl Iterator<Item = Edge> {
    trees.into_iter().filter_map(|tree| tree.top)
}

fn corrupt(node: u32) -> StorageError {
    StorageError::Corrupt {
        structure: "tree",
        at: u64::from(node),
    }
}
