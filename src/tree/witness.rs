//! Witnesses: what a tree says about some paths, and nothing else of it.
//!
//! For a path that is there, its labels are shown. For one that is not, the labels next to its place are: the
//! last one before and the first one behind it in the directory where it parts from the tree. All of that is
//! gathered first, and then written in one walk as the CBOR of the interface specification, so nothing is
//! merged and, since forks hold the hashes of their edges, nothing is hashed.

use super::{
    Forest, Labels, Tree,
    fork::{Edge, Node, Side},
    labels::Difference,
    seal::pass_labels,
};
use crate::storage::Memory;
use ic_certification::hash_tree::leaf_hash;

/// What becomes of a leaf of which only the first labels are asked for.
#[derive(Clone, Copy)]
enum Rest {
    Shown,
    Pruned,
}

/// Show the first `labels` labels of the path of an existing leaf.
struct Reveal {
    path: Labels,
    labels: usize,
}

impl<M: Memory> Forest<M> {
    /// Appends to `cbor` a hash tree with the tree's root hash in which each of `paths` is found if it is there
    /// (a leaf with its value, a directory with its content pruned) and provably absent if it is not.
    ///
    /// The tree must be sealed.
    pub fn witness(&self, tree: &Tree, paths: &[Labels], cbor: &mut Vec<u8>) {
        self.witness_with(Rest::Shown, tree, paths, cbor);
    }

    /// As [`witness`](Self::witness), but the only leaves in it are those with one of `paths`: of others that begin with
    /// one, or stand next to it, no more labels than needed are shown. That takes hashing.
    pub fn witness_of_leaves(&self, tree: &Tree, paths: &[Labels], cbor: &mut Vec<u8>) {
        self.witness_with(Rest::Pruned, tree, paths, cbor);
    }

    fn witness_with(&self, rest: Rest, tree: &Tree, paths: &[Labels], cbor: &mut Vec<u8>) {
        let Some(top) = tree.top else {
            cbor.extend_from_slice(EMPTY);
            return;
        };
        let mut reveals = Vec::with_capacity(paths.len() + 1);
        for path in paths {
            self.resolve(top, path, &mut reveals);
        }
        let reveals: Vec<&Reveal> = reveals.iter().collect();
        self.emit(rest, top, 0, &reveals, cbor);
    }

    /// What a [`witness`](Self::witness) shows for a path: the beginnings of paths that are there.
    pub fn shown_for(&self, tree: &Tree, path: &Labels) -> Vec<Labels> {
        let mut reveals = Vec::new();
        if let Some(top) = tree.top {
            self.resolve(top, path, &mut reveals);
        }
        let shown = |Reveal { mut path, labels }| {
            path.truncate(labels);
            path
        };
        reveals.into_iter().map(shown).collect()
    }

    fn resolve(&self, top: Edge, path: &Labels, reveals: &mut Vec<Reveal>) {
        let nearest = self.leaf(self.nearest(top, path)).path;
        let position = match nearest.difference(path) {
            Difference::At(position) => position,
            Difference::Equal | Difference::Prefix => {
                let labels = path.len().min(nearest.len());
                reveals.push(Reveal {
                    path: nearest,
                    labels,
                });
                return;
            }
        };
        // No leaf has the path's label here. One neighbour is below the place where the path leaves the tree,
        // the other across the last fork in the same directory.
        let labels = position.label() + 1;
        let path_is_right = path.bit(position);
        let mut across = None;
        let mut below = top;
        while let Node::Fork(index) = below.node {
            let fork = self.fork(index);
            if fork.position > position {
                break;
            }
            let side = Side::of(path.bit(fork.position));
            let is_neighbour =
                fork.label() == position.label() && (side == Side::Right) != path_is_right;
            if is_neighbour {
                across = Some(*fork.edge(side.other()));
            }
            below = *fork.edge(side);
        }
        let near = Side::of(path_is_right);
        reveals.push(Reveal {
            path: self.extreme_leaf(below, near).path,
            labels,
        });
        if let Some(edge) = across {
            reveals.push(Reveal {
                path: self.extreme_leaf(edge, near.other()).path,
                labels,
            });
        }
    }

    /// Writes an edge that begins at label `from`.
    ///
    /// An edge is shown whole or not at all, so more may be shown than was asked for: that costs fewer
    /// instructions than hashing what could be left out, but for leaves where [`Rest::Pruned`] says so.
    fn emit(&self, rest: Rest, edge: Edge, from: usize, reveals: &[&Reveal], cbor: &mut Vec<u8>) {
        let Some(first) = reveals.first() else {
            emit_pruned(&edge.hash, cbor);
            return;
        };
        match edge.node {
            Node::Leaf(address) => {
                let leaf = self.leaf(address);
                let asked = reveals.iter().map(|reveal| reveal.labels).max();
                let end = leaf.path.len();
                let shown = match rest {
                    Rest::Shown => end,
                    Rest::Pruned => asked.unwrap_or(end),
                };
                emit_labels(&leaf.path, from, shown, cbor);
                if shown < end {
                    let below = pass_labels(&leaf.path, shown..end, leaf_hash(&leaf.value));
                    emit_pruned(&below, cbor);
                } else {
                    cbor.extend_from_slice(LEAF);
                    emit_bytes(&leaf.value, cbor);
                }
            }
            Node::Fork(index) => {
                let fork = self.fork(index);
                let label = fork.label();
                emit_labels(&first.path, from, label, cbor);
                cbor.extend_from_slice(FORK);
                for side in [Side::Left, Side::Right] {
                    let below: Vec<&Reveal> = reveals
                        .iter()
                        .filter(|reveal| {
                            reveal.labels > label
                                && Side::of(reveal.path.bit(fork.position)) == side
                        })
                        .copied()
                        .collect();
                    self.emit(rest, *fork.edge(side), label, &below, cbor);
                }
            }
        }
    }
}

const EMPTY: &[u8] = &[0x81, 0x00];
const FORK: &[u8] = &[0x83, 0x01];
const LABELED: &[u8] = &[0x83, 0x02];
const LEAF: &[u8] = &[0x82, 0x03];
const PRUNED: &[u8] = &[0x82, 0x04];

fn emit_labels(path: &Labels, from: usize, to: usize, cbor: &mut Vec<u8>) {
    for label in (from..to).filter_map(|index| path.get(index)) {
        cbor.extend_from_slice(LABELED);
        emit_bytes(label, cbor);
    }
}

fn emit_pruned(hash: &[u8], cbor: &mut Vec<u8>) {
    cbor.extend_from_slice(PRUNED);
    emit_bytes(hash, cbor);
}

/// A byte string (RFC 8949, §3.1, major type 2).
fn emit_bytes(bytes: &[u8], cbor: &mut Vec<u8>) {
    match bytes.len() {
        length @ 0..=23 => cbor.push(0x40 | length as u8),
        length @ 24..=0xff => cbor.extend_from_slice(&[0x58, length as u8]),
        length @ 0x100..=0xffff => {
            cbor.push(0x59);
            cbor.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            cbor.push(0x5a);
            cbor.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
    cbor.extend_from_slice(bytes);
}
