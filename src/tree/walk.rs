//! Finding leaves.

use super::{
    Forest, Labels, Leaf, Tree,
    fork::{Edge, Node, Side},
    labels::Difference,
};
use crate::storage::{Address, Memory};

impl<M: Memory> Forest<M> {
    /// The leaf with this path.
    pub fn get(&self, tree: &Tree, path: &Labels) -> Option<Leaf> {
        let leaf = self.leaf(self.nearest(tree.top?, path));
        (leaf.path.difference(path) == Difference::Equal).then_some(leaf)
    }

    /// The first leaf, in label order, whose path begins with `prefix`.
    pub fn first_below(&self, tree: &Tree, prefix: &Labels) -> Option<Leaf> {
        let leaf = self.leaf(self.nearest(tree.top?, prefix));
        leaf.path.starts_with(prefix).then_some(leaf)
    }

    /// How many leading labels a path has in common with the leaf that has the most.
    pub fn common_labels(&self, tree: &Tree, path: &Labels) -> usize {
        tree.top.map_or(0, |top| {
            let nearest = self.leaf(self.nearest(top, path)).path;
            let pairs = nearest.iter().zip(path.iter());
            pairs.take_while(|(ours, theirs)| ours == theirs).count()
        })
    }

    /// Visits up to `limit` leaves in label order, from leaf number `start` on. Work is proportional to the
    /// leaves visited, wherever they are.
    pub fn page(&self, tree: &Tree, start: u32, limit: u32, mut visit: impl FnMut(Leaf)) {
        if let Some(top) = tree.top {
            self.visit_page(top, start, &mut { limit }, &mut visit);
        }
    }

    fn visit_page(&self, edge: Edge, start: u32, limit: &mut u32, visit: &mut impl FnMut(Leaf)) {
        if *limit == 0 || start >= edge.leaves {
            return;
        }
        match edge.node {
            Node::Leaf(address) => {
                *limit -= 1;
                visit(self.leaf(address));
            }
            Node::Fork(index) => {
                let [left, right] = self.fork(index).edges;
                self.visit_page(left, start, limit, visit);
                self.visit_page(right, start.saturating_sub(left.leaves), limit, visit);
            }
        }
    }

    /// The path of a leaf that nests deepest in a witness; the empty path in an empty tree.
    pub fn deepest(&self, tree: &Tree) -> Labels {
        let Some(mut edge) = tree.top else {
            return Labels::new();
        };
        loop {
            match edge.node {
                Node::Leaf(address) => return self.leaf(address).path,
                Node::Fork(index) => {
                    let [left, right] = self.fork(index).edges;
                    edge = if left.depth < right.depth {
                        right
                    } else {
                        left
                    };
                }
            }
        }
    }

    /// The leaf that shares the most leading bits with a path; among equals, the first.
    pub(super) fn nearest(&self, top: Edge, path: &Labels) -> Address {
        let mut node = top.node;
        loop {
            match node {
                Node::Leaf(address) => return address,
                Node::Fork(index) => {
                    let fork = self.fork(index);
                    node = fork.edge(Side::of(path.bit(fork.position))).node;
                }
            }
        }
    }

    pub(super) fn first_leaf(&self, edge: Edge) -> Leaf {
        self.extreme_leaf(edge, Side::Left)
    }

    pub(super) fn extreme_leaf(&self, edge: Edge, side: Side) -> Leaf {
        let mut node = edge.node;
        loop {
            match node {
                Node::Leaf(address) => return self.leaf(address),
                Node::Fork(index) => node = self.fork(index).edge(side).node,
            }
        }
    }
}
