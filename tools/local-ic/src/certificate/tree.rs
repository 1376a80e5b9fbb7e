//! State trees and what is shown of them.
//!
//! A [`Tree`] is the nested map of the interface specification ("State tree").
//! [`Tree::reveal`] turns it into a hash tree in which the paths asked for are
//! legible, the labels beside an absent path too (that proves the absence), and
//! everything else is a hash.

use std::collections::BTreeMap;
use std::ops::Range;

use minicbor::Encoder;
use sha2::{Digest, Sha256};

/// A value, or labels with trees below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Leaf(Vec<u8>),
    Node(BTreeMap<Vec<u8>, Tree>),
}

/// A hash tree (interface specification, "Certificate").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HashTree {
    Empty,
    Fork(Box<(HashTree, HashTree)>),
    Labeled(Vec<u8>, Box<HashTree>),
    Leaf(Vec<u8>),
    Pruned([u8; 32]),
}

/// Labels from the root on.
pub(crate) type Path = Vec<Vec<u8>>;

impl Tree {
    /// A tree without labels.
    pub(crate) fn empty() -> Self {
        Self::Node(BTreeMap::new())
    }

    /// Puts a value at a path. What is in the way is replaced.
    pub(crate) fn insert<const N: usize>(&mut self, path: [&[u8]; N], value: Vec<u8>) {
        let mut at = self;
        for label in path {
            if let Self::Leaf(_) = at {
                *at = Self::empty();
            }
            let Self::Node(children) = at else {
                unreachable!("a leaf was just replaced");
            };
            at = children.entry(label.to_vec()).or_insert_with(Self::empty);
        }
        *at = Self::Leaf(value);
    }

    /// The hash of all of it.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.reveal(&[]).digest()
    }

    /// The hash tree that shows these paths and whatever is below them.
    pub(crate) fn reveal(&self, paths: &[&[Vec<u8>]]) -> HashTree {
        if paths.is_empty() {
            return HashTree::Pruned(self.whole().digest());
        }
        if paths.iter().any(|path| path.is_empty()) {
            return self.whole();
        }
        let Self::Node(children) = self else {
            return self.whole();
        };
        let children: Vec<(&Vec<u8>, &Tree)> = children.iter().collect();
        let mut shown: BTreeMap<usize, Vec<&[Vec<u8>]>> = BTreeMap::new();
        for path in paths {
            match children.binary_search_by(|(label, _)| (*label).cmp(&path[0])) {
                Ok(index) => shown.entry(index).or_default().push(&path[1..]),
                Err(index) => {
                    for neighbour in [index.checked_sub(1), Some(index)].into_iter().flatten() {
                        if neighbour < children.len() {
                            shown.entry(neighbour).or_default();
                        }
                    }
                }
            }
        }
        forks(0..children.len(), &|index| {
            let (label, child) = children[index];
            Part {
                shown: shown.contains_key(&index),
                tree: HashTree::Labeled(
                    label.clone(),
                    Box::new(child.reveal(shown.get(&index).map_or(&[], Vec::as_slice))),
                ),
            }
        })
        .tree
    }

    fn whole(&self) -> HashTree {
        match self {
            Self::Leaf(value) => HashTree::Leaf(value.clone()),
            Self::Node(children) => {
                let children: Vec<(&Vec<u8>, &Tree)> = children.iter().collect();
                forks(0..children.len(), &|index| {
                    let (label, child) = children[index];
                    Part {
                        shown: true,
                        tree: HashTree::Labeled(label.clone(), Box::new(child.whole())),
                    }
                })
                .tree
            }
        }
    }
}

struct Part {
    shown: bool,
    tree: HashTree,
}

/// Balances labelled trees into forks; forks in which nothing is shown are hashes.
fn forks(range: Range<usize>, labeled: &impl Fn(usize) -> Part) -> Part {
    match range.len() {
        0 => Part {
            shown: true,
            tree: HashTree::Empty,
        },
        1 => {
            let part = labeled(range.start);
            if part.shown {
                return part;
            }
            Part {
                shown: false,
                tree: HashTree::Pruned(part.tree.digest()),
            }
        }
        len => {
            let middle = range.start + len / 2;
            let left = forks(range.start..middle, labeled);
            let right = forks(middle..range.end, labeled);
            let shown = left.shown || right.shown;
            let fork = HashTree::Fork(Box::new((left.tree, right.tree)));
            Part {
                shown,
                tree: if shown {
                    fork
                } else {
                    HashTree::Pruned(fork.digest())
                },
            }
        }
    }
}

impl HashTree {
    pub(crate) fn digest(&self) -> [u8; 32] {
        let hash = |domain: &str, parts: &[&[u8]]| {
            let mut hasher = Sha256::new();
            hasher.update([domain.len() as u8]);
            hasher.update(domain);
            for part in parts {
                hasher.update(part);
            }
            hasher.finalize().into()
        };
        match self {
            Self::Empty => hash("ic-hashtree-empty", &[]),
            Self::Fork(both) => hash("ic-hashtree-fork", &[&both.0.digest(), &both.1.digest()]),
            Self::Labeled(label, tree) => hash("ic-hashtree-labeled", &[label, &tree.digest()]),
            Self::Leaf(value) => hash("ic-hashtree-leaf", &[value]),
            Self::Pruned(digest) => *digest,
        }
    }

    /// Writes the CBOR of the interface specification.
    pub(crate) fn encode(&self, cbor: &mut Encoder<Vec<u8>>) {
        // Writing to a vector does not fail.
        let _ = match self {
            Self::Empty => cbor.array(1).and_then(|cbor| cbor.u8(0)).map(|_| ()),
            Self::Fork(both) => {
                let _ = cbor.array(3).and_then(|cbor| cbor.u8(1));
                both.0.encode(cbor);
                both.1.encode(cbor);
                Ok(())
            }
            Self::Labeled(label, tree) => {
                let _ = cbor
                    .array(3)
                    .and_then(|cbor| cbor.u8(2))
                    .and_then(|cbor| cbor.bytes(label));
                tree.encode(cbor);
                Ok(())
            }
            Self::Leaf(value) => cbor
                .array(2)
                .and_then(|cbor| cbor.u8(3))
                .and_then(|cbor| cbor.bytes(value))
                .map(|_| ()),
            Self::Pruned(digest) => cbor
                .array(2)
                .and_then(|cbor| cbor.u8(4))
                .and_then(|cbor| cbor.bytes(digest))
                .map(|_| ()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::empty();
        for label in [b"a", b"c", b"e", b"g", b"i"] {
            tree.insert([b"top", label, b"leaf"], label.to_vec());
        }
        tree.insert([b"time"], vec![1]);
        tree
    }

    fn path(labels: &[&str]) -> Path {
        labels
            .iter()
            .map(|label| label.as_bytes().to_vec())
            .collect()
    }

    fn parse(tree: &HashTree) -> ic_certification::HashTree {
        match tree {
            HashTree::Empty => ic_certification::empty(),
            HashTree::Fork(both) => ic_certification::fork(parse(&both.0), parse(&both.1)),
            HashTree::Labeled(label, tree) => ic_certification::labeled(label.clone(), parse(tree)),
            HashTree::Leaf(value) => ic_certification::leaf(value.clone()),
            HashTree::Pruned(digest) => ic_certification::pruned(*digest),
        }
    }

    #[test]
    fn whatever_is_revealed_the_digest_is_the_same() {
        let tree = tree();
        let digest = parse(&tree.whole()).digest();
        for paths in [
            vec![],
            vec![path(&[])],
            vec![path(&["top", "c"])],
            vec![path(&["top", "d", "x"]), path(&["time"])],
            vec![path(&["nowhere"])],
        ] {
            let paths: Vec<&[Vec<u8>]> = paths.iter().map(Vec::as_slice).collect();
            let revealed = tree.reveal(&paths);
            assert_eq!(revealed.digest(), digest);
            assert_eq!(parse(&revealed).digest(), digest);
        }
        assert_eq!(tree.digest(), digest);
    }

    #[test]
    fn presence_and_absence_are_provable_and_the_rest_is_unknown() {
        use ic_certification::LookupResult;

        let (present, absent) = (path(&["top", "c", "leaf"]), path(&["top", "f"]));
        let shown = parse(&tree().reveal(&[&present, &absent]));
        let look = |labels: &[&str]| shown.lookup_path(path(labels));
        assert_eq!(look(&["top", "c", "leaf"]), LookupResult::Found(b"c"));
        assert_eq!(look(&["top", "f"]), LookupResult::Absent);
        assert_eq!(look(&["top", "b"]), LookupResult::Unknown);
        assert_eq!(look(&["top", "e", "leaf"]), LookupResult::Unknown);
        assert_eq!(look(&["time"]), LookupResult::Unknown);
        let beyond = path(&["zzz"]);
        assert_eq!(
            parse(&tree().reveal(&[&beyond])).lookup_path(beyond),
            LookupResult::Absent
        );
    }
}
