//! What changed from one tree to another.
//!
//! Trees of a forest share what they have in common, so a walk down both that skips what is the same node sees
//! little more than what differs.

use super::{
    Forest, Labels, Leaf, Tree,
    fork::{Edge, Node, Side},
    labels::{Difference, Position},
};
use crate::storage::Memory;

impl<M: Memory> Forest<M> {
    /// Visits, in label order, the path of each leaf that is not the same in both trees, with the leaf that
    /// `after` has there. Work is proportional to the visits and to the depth of the trees.
    ///
    /// No path of one tree may begin with all of a path of the other, unless they are equal.
    pub fn changes(
        &self,
        before: &Tree,
        after: &Tree,
        mut visit: impl FnMut(Labels, Option<Leaf>),
    ) {
        self.compare(before.top, after.top, &mut visit);
    }

    fn compare(
        &self,
        before: Option<Edge>,
        after: Option<Edge>,
        visit: &mut impl FnMut(Labels, Option<Leaf>),
    ) {
        let (a, b) = match (before, after) {
            (None, None) => return,
            (Some(a), None) => return self.each_leaf(a, &mut |leaf| visit(leaf.path, None)),
            (None, Some(b)) => {
                return self.each_leaf(b, &mut |leaf| visit(leaf.path.clone(), Some(leaf)));
            }
            (Some(a), Some(b)) if a.node == b.node => return,
            (Some(a), Some(b)) => (a, b),
        };
        let (first, other) = (self.first_leaf(a).path, self.first_leaf(b));
        let parting = match first.difference(&other.path) {
            Difference::At(position) => Some(position),
            Difference::Equal | Difference::Prefix => None,
        };
        let (left, right) = (self.position(a), self.position(b));
        // The bit that comes first: where either tree forks, or where they part.
        let next = [left, right, parting].into_iter().flatten().min();
        let Some(next) = next else {
            // Two leaves with one path.
            return visit(first, Some(other));
        };
        let below = |edge: Edge, path: &Labels| match edge.node {
            Node::Fork(index) if self.position(edge) == Some(next) => {
                self.fork(index).edges.map(Some)
            }
            // All of it is on one side.
            _ if path.bit(next) => [None, Some(edge)],
            _ => [Some(edge), None],
        };
        let (a, b) = (below(a, &first), below(b, &other.path));
        for side in [Side::Left, Side::Right] {
            self.compare(a[side as usize], b[side as usize], visit);
        }
    }

    fn position(&self, edge: Edge) -> Option<Position> {
        match edge.node {
            Node::Fork(index) => Some(self.fork(index).position),
            Node::Leaf(_) => None,
        }
    }

    fn each_leaf(&self, edge: Edge, visit: &mut impl FnMut(Leaf)) {
        match edge.node {
            Node::Leaf(address) => visit(self.leaf(address)),
            Node::Fork(index) => {
                for edge in self.fork(index).edges {
                    self.each_leaf(edge, visit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    type Model = BTreeMap<Vec<u8>, u8>;

    fn edits() -> impl Strategy<Value = Vec<(Vec<u8>, Option<u8>)>> {
        let byte = prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), Just(0xff)];
        let key = prop::collection::vec(byte, 0..4);
        prop::collection::vec((key, any::<Option<u8>>()), 0..30)
    }

    fn edit(
        forest: &mut Forest<VectorMemory>,
        tree: &mut Tree,
        model: &mut Model,
        edits: Vec<(Vec<u8>, Option<u8>)>,
    ) -> BTreeSet<Vec<u8>> {
        let mut touched = BTreeSet::new();
        for (key, value) in edits {
            let path = Labels::new().with(&key);
            match value {
                Some(value) => {
                    forest.insert(tree, &path, &[value], b"").unwrap();
                    model.insert(key.clone(), value);
                }
                None => {
                    forest.remove(tree, &path).unwrap();
                    model.remove(&key);
                }
            }
            touched.insert(key);
        }
        touched
    }

    proptest! {
        #[test]
        fn changes_lead_from_one_tree_to_the_other(common in edits(), more in edits(), other in edits()) {
            let mut forest = Forest::open(VectorMemory::default(), VectorMemory::default()).unwrap();
            let (mut before, mut old) = (Tree::EMPTY, Model::new());
            edit(&mut forest, &mut before, &mut old, common);
            let (mut after, mut new) = (forest.share(&before), old.clone());
            let mut touched = edit(&mut forest, &mut after, &mut new, more);
            touched.extend(edit(&mut forest, &mut before, &mut old, other));

            let mut visited = Vec::new();
            let mut reached = old.clone();
            forest.changes(&before, &after, |path, leaf| {
                let key = path.get(0).unwrap().to_vec();
                match leaf {
                    Some(leaf) => reached.insert(key.clone(), leaf.value[0]),
                    None => reached.remove(&key),
                };
                visited.push(key);
            });
            prop_assert_eq!(reached, new);
            prop_assert!(visited.is_sorted());
            prop_assert!(visited.iter().all(|key| touched.contains(key)), "only what changed");
        }
    }
}
