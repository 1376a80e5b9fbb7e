//! The certified tree: hash trees in stable memory, copy-on-write and canonical.
//!
//! A [`Forest`] holds any number of [`Tree`]s that share what they have in common. Each is a Patricia tree over
//! whole [`Labels`] paths: one fork for each bit in which leaves first differ, so forks = leaves − 1, and the
//! shape depends on the labels alone, never on the order they came in. A fork's bit tells the label, and so the
//! directory, that it belongs to; a directory with one entry has no node at all, its label is passed by an edge.
//!
//! ```text
//!   paths                     nodes                         hash tree (interface specification, §Certification)
//!
//!   a / x → 1                 fork at label 0               fork
//!   a / y → 2                 ├─ "a": fork at label 1       ├─ labeled "a" (fork
//!   b / z → 3                 │       ├─ "x": leaf 1        │     ├─ labeled "x" (leaf 1)
//!                             │       └─ "y": leaf 2        │     └─ labeled "y" (leaf 2))
//!                             └─ "b","z": leaf 3            └─ labeled "b" (labeled "z" (leaf 3))
//! ```
//!
//! Changing a tree copies the forks on one path if another tree uses them too, and changes them in place if
//! not; nodes count their references. Hashes are brought up to date by [`Forest::seal`], once for any number of
//! changes. What no tree refers to any more waits in a list until [`Forest::reclaim`] frees it, in steps of
//! any size.
//!
//! A leaf has a *value*, which is hashed, and an *attachment*, which is not.

mod check;
mod diff;
mod edit;
mod fork;
mod graft;
mod labels;
mod leaf;
mod seal;
#[cfg(test)]
mod tests;
mod walk;
mod witness;

pub use check::Census;
pub use graft::Graft;
pub use labels::Labels;
pub use leaf::Leaf;

use crate::storage::{Heap, Memory, Slab, StorageError};
use fork::{EDGE, Edge, FORK, Fork, NEXT_DOOMED, Node};
use std::fmt;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Nesting of hash tree nodes that a tree may reach. Some decoders refuse CBOR nested 126 deep or more; the
/// rest is room for what a witness is wrapped in.
pub const MAX_DEPTH: u16 = 110;

/// Trees in stable memory that share nodes.
#[derive(Debug)]
pub struct Forest<M> {
    /// Slot 0 is the forest's own record: the list of doomed nodes.
    forks: Slab<M, FORK>,
    leaves: Heap<M>,
}

/// The root of one tree of a [`Forest`]. It owns a reference: end it with [`Forest::release`], or keep it with
/// [`Tree::encode`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a tree that is dropped without being released leaks its nodes"]
pub struct Tree {
    top: Option<Edge>,
}

/// Why a tree was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// A path may not begin with all of another.
    Prefix {
        /// The path given.
        path: Labels,
    },
    /// The path, together with those present, would nest deeper than [`MAX_DEPTH`].
    TooDeep {
        /// The path given.
        path: Labels,
    },
    /// The path has too many labels or too long a label for its place in a fork.
    TooLong {
        /// Labels in the path given.
        labels: usize,
    },
    /// Stable memory is full.
    Storage(StorageError),
}

impl Tree {
    /// A tree without leaves.
    pub const EMPTY: Self = Self { top: None };

    /// Bytes of [`Tree::encode`].
    pub const ENCODED: usize = EDGE;

    /// How many leaves there are.
    pub fn len(&self) -> u32 {
        self.top.map_or(0, |edge| edge.leaves)
    }

    /// True if there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.top.is_none()
    }

    /// Nesting of the tree in a witness of all its leaves.
    pub fn depth(&self) -> u16 {
        self.top.map_or(0, |edge| edge.depth)
    }

    /// The root hash as of the last [`Forest::seal`]; `None` for an empty tree, which must not stand under a
    /// fork (some verifiers would read it as a proof of absence for its siblings).
    pub fn hash(&self) -> Option<Hash> {
        self.top.map(|edge| edge.hash)
    }

    /// The tree as bytes that [`Tree::decode`] reads.
    pub fn encode(&self) -> [u8; EDGE] {
        self.top.map_or([0xff; EDGE], |edge| edge.encode())
    }

    /// The tree from bytes. The forest is as its owner left it, so this does not take a reference.
    pub fn decode(bytes: &[u8; EDGE]) -> Self {
        Self {
            top: (*bytes != [0xff; EDGE]).then(|| Edge::decode(bytes)),
        }
    }
}

impl<M: Memory> Forest<M> {
    /// Opens a forest on two memories of its own, one for forks and one for leaves.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if a memory holds something else.
    pub fn open(forks: M, leaves: M) -> Result<Self, StorageError> {
        let mut forks = Slab::open(forks)?;
        let leaves = Heap::open(leaves, 16)?;
        if forks.slots() == 0 {
            forks.reserve(1)?;
            forks.allocate(&[0xff; FORK]);
        }
        Ok(Self { forks, leaves })
    }

    /// A second root of the same tree.
    pub fn share(&mut self, tree: &Tree) -> Tree {
        if let Some(edge) = &tree.top {
            self.retain(edge.node);
        }
        Tree { top: tree.top }
    }

    /// Ends a root. What only it referred to waits for [`Forest::reclaim`].
    pub fn release(&mut self, tree: Tree) {
        if let Some(edge) = tree.top {
            self.drop_reference(edge.node);
        }
    }

    /// Frees up to `budget` nodes that no tree refers to, and hands the attachment of each leaf among them to
    /// `freed`. Returns how many it freed.
    pub fn reclaim(&mut self, budget: u32, mut freed: impl FnMut(Vec<u8>)) -> u32 {
        for count in 0..budget {
            let Some(node) = self.next_doomed() else {
                return count;
            };
            let next = match node {
                Node::Fork(index) => self.forks.u32(index, NEXT_DOOMED),
                Node::Leaf(address) => self.leaf_next(address),
            };
            self.forks.set_u32(0, NEXT_DOOMED, next);
            match node {
                Node::Fork(index) => {
                    let fork = self.fork(index);
                    self.forks.release(index);
                    for edge in fork.edges {
                        self.drop_reference(edge.node);
                    }
                }
                Node::Leaf(address) => {
                    let leaf = self.leaf(address);
                    self.leaves.free(address);
                    freed(leaf.attachment);
                }
            }
        }
        budget
    }

    /// True if nothing waits to be freed.
    pub fn is_reclaimed(&self) -> bool {
        self.next_doomed().is_none()
    }

    fn next_doomed(&self) -> Option<Node> {
        let bits = self.forks.u32(0, NEXT_DOOMED);
        (bits != u32::MAX).then(|| Node::decode(bits))
    }

    fn retain(&mut self, node: Node) {
        let references = self.references(node);
        self.set_references(node, references + 1);
    }

    fn drop_reference(&mut self, node: Node) {
        let references = self.references(node);
        self.set_references(node, references - 1);
        if references == 1 {
            let next = self.forks.u32(0, NEXT_DOOMED);
            match node {
                Node::Fork(index) => self.forks.set_u32(index, NEXT_DOOMED, next),
                Node::Leaf(address) => self.set_leaf_next(address, next),
            }
            self.forks.set_u32(0, NEXT_DOOMED, node.encode());
        }
    }

    fn references(&self, node: Node) -> u32 {
        match node {
            Node::Fork(index) => self.forks.u32(index, 0),
            Node::Leaf(address) => self.leaves.u32(address, 0),
        }
    }

    fn set_references(&mut self, node: Node, references: u32) {
        match node {
            Node::Fork(index) => self.forks.set_u32(index, 0, references),
            Node::Leaf(address) => self.leaves.set_u32(address, 0, references),
        }
    }

    fn fork(&self, index: u32) -> Fork {
        Fork::decode(&self.forks.get(index))
    }

    fn set_fork(&mut self, index: u32, fork: &Fork) {
        self.forks.set(index, &fork.encode());
    }
}

impl From<StorageError> for TreeError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix { path } => {
                write!(
                    f,
                    "one of {path} and a path in the tree begins with the other"
                )
            }
            Self::TooDeep { path } => {
                write!(f, "{path} would nest the tree deeper than {MAX_DEPTH}")
            }
            Self::TooLong { labels } => write!(
                f,
                "a path of {labels} labels: at most {} of at most {} bytes each fit",
                labels::MAX_LABELS,
                labels::MAX_LABEL
            ),
            Self::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TreeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Storage(error) => Some(error),
            _ => None,
        }
    }
}
