//! Grafts: subtrees made apart from any tree, to be put in any number of places.
//!
//! A resource answers several paths with the same leaves. Their shape and their hashes depend on nothing above
//! them, so a graft is hashed once, and putting it somewhere costs one descent, whatever it holds.
//!
//! ```text
//!            prefix "a" ─┐                       prefix "b" ─┐
//!   tree:    … ── "a" ── graft                   … ── "b" ── the same graft
//! ```

use super::{
    Forest, Hash, Labels, Tree, TreeError,
    fork::{Edge, Fork, Node},
    labels::{Difference, Position},
    seal::{EMPTY_LEAF, pass_labels},
};
use crate::storage::{Address, Memory};
use ic_certification::hash_tree::fork_hash;

/// Leaves with empty values, and the forks that part them.
#[derive(Clone, Debug)]
pub struct Graft {
    paths: Vec<Labels>,
    top: Option<Twig>,
}

/// A node of a graft: its kind, and the label it stands at, counted from where the graft begins.
#[derive(Clone, Debug)]
struct Twig {
    kind: Kind,
    label: usize,
    leaves: u32,
    depth: u16,
    hash: Hash,
    /// The hash with the labels that lead here from the fork above.
    edge_hash: Hash,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The number of its path.
    Leaf(usize),
    Fork(Position, Box<[Twig; 2]>),
}

impl Graft {
    /// A graft of leaves with these paths.
    ///
    /// # Errors
    ///
    /// [`TreeError::Prefix`] if one path begins with all of another, [`TreeError::TooLong`] if one does not fit
    /// into a tree.
    pub fn new(mut paths: Vec<Labels>) -> Result<Self, TreeError> {
        paths.iter().try_for_each(Labels::check_size)?;
        paths.sort_unstable();
        paths.dedup();
        if let Some(pair) = paths.windows(2).find(|pair| pair[1].starts_with(&pair[0])) {
            let path = pair[1].clone();
            return Err(TreeError::Prefix { path });
        }
        let top = Twig::of(&paths, 0);
        Ok(Self { paths, top })
    }

    /// How many leaves it has.
    pub fn len(&self) -> u32 {
        self.paths.len() as u32
    }

    /// True if it has no leaf.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

impl<M: Memory> Forest<M> {
    /// Puts a graft below a prefix, in place of all that is there. Each leaf gets the attachment.
    ///
    /// The tree may become deeper than [`MAX_DEPTH`](super::MAX_DEPTH), so that several grafts can be put in any
    /// order: compare [`Tree::depth`] when all are there.
    ///
    /// # Errors
    ///
    /// [`TreeError`] if a leaf stands above the prefix, or if the graft does not fit into memory; nothing has
    /// changed then.
    pub fn graft(
        &mut self,
        tree: &mut Tree,
        prefix: &Labels,
        graft: &Graft,
        attachment: &[u8],
    ) -> Result<(), TreeError> {
        let Some(top) = &graft.top else {
            self.remove_below(tree, prefix)?;
            return Ok(());
        };
        let place = self.place(tree, prefix)?;
        self.forks.reserve(place.forks() + graft.len() - 1)?;
        let leaves = self.store_leaves(prefix, graft, attachment)?;
        let edge = self.grow(top, prefix.len(), &leaves);
        self.put(tree, place, prefix, edge, prefix.len() + top.label);
        Ok(())
    }

    /// Stores all leaves of a graft, or none.
    fn store_leaves(
        &mut self,
        prefix: &Labels,
        graft: &Graft,
        attachment: &[u8],
    ) -> Result<Vec<Address>, TreeError> {
        let mut stored = Vec::with_capacity(graft.paths.len());
        for path in &graft.paths {
            let path = prefix.joined(path);
            let done = path
                .check_size()
                .and_then(|()| Ok(self.store_leaf(&path, b"", attachment)?));
            match done {
                Ok(address) => stored.push(address),
                Err(error) => {
                    for address in stored {
                        self.leaves.free(address);
                    }
                    return Err(error);
                }
            }
        }
        Ok(stored)
    }

    /// Makes the forks of a twig that begins at this label of the tree. Returns an edge that passes no label.
    fn grow(&mut self, twig: &Twig, at: usize, leaves: &[Address]) -> Edge {
        let node = match &twig.kind {
            Kind::Leaf(number) => Node::Leaf(leaves[*number]),
            Kind::Fork(position, twigs) => {
                let edges = twigs.each_ref().map(|below| Edge {
                    hash: below.edge_hash,
                    depth: below.depth_from(twig.label),
                    ..self.grow(below, at, leaves)
                });
                let fork = Fork {
                    references: 1,
                    position: position.below(at),
                    edges,
                };
                Node::Fork(self.forks.allocate(&fork.encode()))
            }
        };
        Edge {
            node,
            leaves: twig.leaves,
            depth: twig.depth,
            stale: false,
            hash: twig.hash,
        }
    }
}

impl Twig {
    /// The node over sorted paths, the first of which has this number.
    fn of(paths: &[Labels], first: usize) -> Option<Self> {
        let (low, high) = (paths.first()?, paths.last()?);
        let Difference::At(position) = low.difference(high) else {
            return Some(Self {
                kind: Kind::Leaf(first),
                label: low.len(),
                leaves: 1,
                depth: 1,
                hash: EMPTY_LEAF,
                edge_hash: EMPTY_LEAF,
            });
        };
        let middle = paths.partition_point(|path| !path.bit(position));
        let (left, right) = paths.split_at(middle);
        let mut twigs = Box::new([Self::of(left, first)?, Self::of(right, first + middle)?]);
        let label = position.label();
        for (twig, path) in twigs.iter_mut().zip([low, high]) {
            twig.edge_hash = pass_labels(path, label..twig.label, twig.hash);
        }
        let [left, right] = &*twigs;
        let hash = fork_hash(&left.edge_hash, &right.edge_hash);
        Some(Self {
            label,
            leaves: left.leaves + right.leaves,
            depth: 1 + left.depth_from(label).max(right.depth_from(label)),
            hash,
            edge_hash: hash,
            kind: Kind::Fork(position, twigs),
        })
    }

    /// Nesting of this node and of the labels that lead to it from label `from` on.
    fn depth_from(&self, from: usize) -> u16 {
        self.depth + (self.label - from) as u16
    }
}
