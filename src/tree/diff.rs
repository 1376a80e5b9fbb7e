//! What changed from one tree to another.
//!
//! Trees of a forest share what they have in common, so a walk down both that skips what is the same node sees
//! little more than what differs.

use super::{
    Forest, Labels, Leaf, Tree,
    fork::{Edge, Node},
    labels::{Difference, Position},
};
use crate::storage::Memory;
use std::ops::ControlFlow;

impl<M: Memory> Forest<M> {
    /// Visits, in label order, the path of each leaf that is not the same in both trees, with the leaf that
    /// `after` has there: from the first one past `past` on, until `visit` breaks. Work is proportional to the visits and
    /// to the depth of the trees.
    ///
    /// No path of one tree may begin with all of a path of the other, unless they are equal.
    pub fn changes(
        &self,
        before: &Tree,
        after: &Tree,
        past: Option<&Labels>,
        mut visit: impl FnMut(Labels, Option<Leaf>) -> ControlFlow<()>,
    ) {
        // Broken off or not, that is all.
        let _ = self.compare(before.top, after.top, past, &mut visit);
    }

    fn compare(
        &self,
        before: Option<Edge>,
        after: Option<Edge>,
        mut past: Option<&Labels>,
        visit: &mut impl FnMut(Labels, Option<Leaf>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match (before, after) {
            (None, None) => return ControlFlow::Continue(()),
            (Some(a), Some(b)) if a.node == b.node => return ControlFlow::Continue(()),
            (Some(a), None) if past.is_none() => {
                return self.each_leaf(a, &mut |leaf| visit(leaf.path, None));
            }
            (None, Some(b)) if past.is_none() => {
                return self.each_leaf(b, &mut |leaf| visit(leaf.path.clone(), Some(leaf)));
            }
            _ => {}
        }
        let [first, other] = [before, after].map(|edge| edge.map(|edge| self.first_leaf(edge)));
        let parting = match (&first, &other) {
            (Some(a), Some(b)) => match a.path.difference(&b.path) {
                Difference::At(position) => Some(position),
                Difference::Equal | Difference::Prefix => None,
            },
            _ => None,
        };
        let forks = [before, after].map(|edge| edge.and_then(|edge| self.position(edge)));
        // The bit that comes first: where either tree forks, or where they part.
        let next = forks.into_iter().chain([parting]).flatten().min();
        let paths = [&first, &other].map(|leaf| leaf.as_ref().map(|leaf| leaf.path.clone()));
        if let (Some(limit), Some(path)) = (past, paths.iter().flatten().next()) {
            match path.difference(limit) {
                // All of it is on one side of the limit.
                Difference::At(at) if next.is_none_or(|next| at < next) => {
                    if !path.bit(at) {
                        return ControlFlow::Continue(());
                    }
                    past = None;
                }
                Difference::Equal if next.is_none() => return ControlFlow::Continue(()),
                _ => {}
            }
        }
        let Some(next) = next else {
            // One path, with a leaf in one tree or two.
            let path = paths.into_iter().flatten().next().unwrap_or_default();
            return visit(path, other);
        };
        let below = |edge: Option<Edge>, path: &Option<Labels>| match (edge, path) {
            (Some(edge), Some(path)) => match edge.node {
                Node::Fork(index) if self.position(edge) == Some(next) => {
                    self.fork(index).edges.map(Some)
                }
                // All of it is on one side.
                _ if path.bit(next) => [None, Some(edge)],
                _ => [Some(edge), None],
            },
            _ => [None, None],
        };
        let (a, b) = (below(before, &paths[0]), below(after, &paths[1]));
        if !past.is_some_and(|past| past.bit(next)) {
            self.compare(a[0], b[0], past, visit)?;
        }
        self.compare(a[1], b[1], past, visit)
    }

    fn position(&self, edge: Edge) -> Option<Position> {
        match edge.node {
            Node::Fork(index) => Some(self.fork(index).position),
            Node::Leaf(_) => None,
        }
    }

    fn each_leaf(
        &self,
        edge: Edge,
        visit: &mut impl FnMut(Leaf) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match edge.node {
            Node::Leaf(address) => visit(self.leaf(address)),
            Node::Fork(index) => {
                let [left, right] = self.fork(index).edges;
                self.each_leaf(left, visit)?;
                self.each_leaf(right, visit)
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
        fn changes_lead_from_one_tree_to_the_other(
            common in edits(),
            more in edits(),
            other in edits(),
            at_once in 1usize..4,
        ) {
            let mut forest = Forest::open(VectorMemory::default(), VectorMemory::default()).unwrap();
            let (mut before, mut old) = (Tree::EMPTY, Model::new());
            edit(&mut forest, &mut before, &mut old, common);
            let (mut after, mut new) = (forest.share(&before), old.clone());
            let mut touched = edit(&mut forest, &mut after, &mut new, more);
            touched.extend(edit(&mut forest, &mut before, &mut old, other));

            let mut visited = Vec::new();
            let mut reached = old.clone();
            forest.changes(&before, &after, None, |path, leaf| {
                let key = path.get(0).unwrap().to_vec();
                match leaf {
                    Some(leaf) => reached.insert(key.clone(), leaf.value[0]),
                    None => reached.remove(&key),
                };
                visited.push(key);
                ControlFlow::Continue(())
            });
            prop_assert_eq!(reached, new);
            prop_assert!(visited.is_sorted());
            prop_assert!(visited.iter().all(|key| touched.contains(key)), "only what changed");

            // The same, a few at a time.
            let mut found: Vec<Vec<u8>> = Vec::new();
            loop {
                let past = found.last().map(|key| Labels::new().with(key));
                let count = found.len();
                forest.changes(&before, &after, past.as_ref(), |path, _| {
                    found.push(path.get(0).unwrap().to_vec());
                    match found.len() - count {
                        some if some < at_once => ControlFlow::Continue(()),
                        _ => ControlFlow::Break(()),
                    }
                });
                if found.len() == count {
                    break;
                }
            }
            prop_assert_eq!(found, visited);
        }
    }
}
