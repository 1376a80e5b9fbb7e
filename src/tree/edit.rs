//! Changing one path of a tree.
//!
//! Every change reads its way down first, decides, and only then writes its way up, so that an error leaves the
//! tree as it was. A fork on the way is changed in place if this tree alone refers to it, and copied if not.

use super::{
    Forest, Labels, MAX_DEPTH, Tree, TreeError,
    fork::{Edge, Fork, Node, Side},
    labels::{Difference, MAX_LABEL, MAX_LABELS, Position},
};
use crate::storage::Memory;

/// The forks from the root to a place in the tree.
struct Descent {
    steps: Vec<Step>,
    /// The edge below the last step.
    below: Edge,
}

struct Step {
    index: u32,
    fork: Fork,
    side: Side,
}

impl<M: Memory> Forest<M> {
    /// Puts a leaf into a tree, in place of one with the same path if there is one.
    ///
    /// # Errors
    ///
    /// [`TreeError`] if the path does not fit into the tree or into memory; nothing has changed then.
    pub fn insert(
        &mut self,
        tree: &mut Tree,
        path: &Labels,
        value: &[u8],
        attachment: &[u8],
    ) -> Result<(), TreeError> {
        let labels = path.len();
        if labels > MAX_LABELS || path.iter().any(|label| label.len() > MAX_LABEL) {
            return Err(TreeError::TooLong { labels });
        }
        let difference = match tree.top {
            None => None,
            Some(top) => match self.leaf(self.nearest(top, path)).path.difference(path) {
                Difference::Equal => None,
                Difference::Prefix => return Err(TreeError::Prefix { path: path.clone() }),
                Difference::At(position) => Some(position),
            },
        };
        let new = Edge {
            node: Node::Fork(0),
            leaves: 1,
            depth: 1,
            stale: true,
            hash: [0; 32],
        };
        let descent = tree.top.map(|top| self.descend(top, path, difference));
        let deepest = match (&descent, difference) {
            (Some(descent), Some(position)) => {
                let mut moved = descent.below;
                relabel(&mut moved, descent.label(), position.label());
                let side = 1 + span(position.label(), labels);
                descent.depth(1 + moved.depth.max(side), position.label())
            }
            (Some(descent), None) => descent.below.depth,
            (None, _) => 1 + span(0, labels),
        };
        if deepest > MAX_DEPTH {
            return Err(TreeError::TooDeep { path: path.clone() });
        }
        let copies = descent.as_ref().map_or(0, |descent| {
            descent.steps.len() - first_shared(&descent.steps)
        });
        self.forks.reserve(1 + copies as u32)?;
        let node = Node::Leaf(self.store_leaf(path, value, attachment)?);

        let Some(descent) = descent else {
            tree.top = Some(Edge {
                node,
                depth: deepest,
                ..new
            });
            return Ok(());
        };
        let shared = first_shared(&descent.steps);
        let below = match difference {
            None => {
                if shared == descent.steps.len() {
                    self.drop_reference(descent.below.node);
                }
                Edge {
                    node,
                    depth: descent.below.depth,
                    ..new
                }
            }
            Some(position) => {
                if shared < descent.steps.len() {
                    self.retain(descent.below.node);
                }
                self.new_fork(&descent, position, path, Edge { node, ..new })
            }
        };
        tree.top = Some(self.ascend(descent.steps, shared, below));
        Ok(())
    }

    /// Takes the leaf with this path out of a tree. Returns false if there is none.
    ///
    /// # Errors
    ///
    /// [`TreeError::Storage`] if a copy of the path does not fit into memory; nothing has changed then.
    pub fn remove(&mut self, tree: &mut Tree, path: &Labels) -> Result<bool, TreeError> {
        let present = tree.top.is_some_and(|top| {
            self.leaf(self.nearest(top, path)).path.difference(path) == Difference::Equal
        });
        Ok(present && self.remove_below(tree, path)? > 0)
    }

    /// Takes all leaves whose paths begin with `prefix` out of a tree. Returns how many there were.
    ///
    /// # Errors
    ///
    /// As [`Forest::remove`].
    pub fn remove_below(&mut self, tree: &mut Tree, prefix: &Labels) -> Result<u32, TreeError> {
        let Some(top) = tree.top else {
            return Ok(0);
        };
        let Descent { mut steps, below } = self.descend(top, prefix, None);
        if !self.first_leaf(below).path.starts_with(prefix) {
            return Ok(0);
        }
        let shared = first_shared(&steps);
        // The last step goes; nothing is needed in a tree that shares nothing, so releasing never fails there.
        let copies = steps.len().saturating_sub(1 + shared);
        self.forks.reserve(copies as u32)?;
        if shared == steps.len() {
            self.drop_reference(below.node);
        }
        let Some(parent) = steps.pop() else {
            tree.top = None;
            return Ok(below.leaves);
        };
        // The sibling takes the place of their fork, which goes unless another tree still has both.
        let mut sibling = *parent.fork.edge(parent.side.other());
        let above = steps.last().map_or(0, |step| step.fork.label());
        relabel(&mut sibling, parent.fork.label(), above);
        if shared > steps.len() {
            self.forks.release(parent.index);
        } else {
            self.retain(sibling.node);
            if shared == steps.len() {
                self.drop_reference(Node::Fork(parent.index));
            }
        }
        tree.top = Some(self.ascend(steps, shared, sibling));
        Ok(below.leaves)
    }

    /// Reads down to where a path belongs: to the first node whose fork lies at or behind `stop`, or, without
    /// `stop`, to the first node all of whose leaves agree on every label of the path.
    fn descend(&self, top: Edge, path: &Labels, stop: Option<Position>) -> Descent {
        let mut steps = Vec::new();
        let mut below = top;
        while let Node::Fork(index) = below.node {
            let fork = self.fork(index);
            let behind = match stop {
                Some(stop) => fork.position >= stop,
                None => fork.label() >= path.len(),
            };
            if behind {
                break;
            }
            let side = Side::of(path.bit(fork.position));
            below = *fork.edge(side);
            steps.push(Step { index, fork, side });
        }
        Descent { steps, below }
    }

    /// The fork that parts a new leaf from what stood in its place.
    fn new_fork(
        &mut self,
        descent: &Descent,
        position: Position,
        path: &Labels,
        mut new: Edge,
    ) -> Edge {
        let mut moved = descent.below;
        relabel(&mut moved, descent.label(), position.label());
        new.depth = 1 + span(position.label(), path.len());
        let fork = Fork {
            references: 1,
            position,
            edges: if path.bit(position) {
                [moved, new]
            } else {
                [new, moved]
            },
        };
        let index = self.forks.allocate(&fork.encode());
        edge_to(index, &fork, descent.label())
    }

    /// Writes the steps from the last to the first, with `below` under the last: in place before step number
    /// `shared`, as copies from there on. Returns the new top.
    fn ascend(&mut self, mut steps: Vec<Step>, shared: usize, mut below: Edge) -> Edge {
        if let Some(step) = steps.get(shared) {
            self.set_references(Node::Fork(step.index), step.fork.references - 1);
        }
        while let Some(Step {
            mut index,
            mut fork,
            side,
        }) = steps.pop()
        {
            *fork.edge_mut(side) = below;
            if steps.len() >= shared {
                self.retain(fork.edge(side.other()).node);
                fork.references = 1;
                index = self.forks.allocate(&fork.encode());
            } else {
                self.set_fork(index, &fork);
            }
            below = edge_to(
                index,
                &fork,
                steps.last().map_or(0, |step| step.fork.label()),
            );
        }
        below
    }
}

impl Descent {
    /// The label at which the edge below the last step begins.
    fn label(&self) -> usize {
        self.steps.last().map_or(0, |step| step.fork.label())
    }

    /// How deep the whole tree nests if a node of this depth, at this label, takes the place below.
    fn depth(&self, node: u16, label: usize) -> u16 {
        let mut depth = node;
        let mut label = label;
        for step in self.steps.iter().rev() {
            depth += span(step.fork.label(), label);
            depth = 1 + depth.max(step.fork.edge(step.side.other()).depth);
            label = step.fork.label();
        }
        depth + span(0, label)
    }
}

/// The first step that another tree uses too; all below it are shared with it.
fn first_shared(steps: &[Step]) -> usize {
    steps
        .iter()
        .position(|step| step.fork.references > 1)
        .unwrap_or(steps.len())
}

/// The edge to a fork from one that branches at label `from`.
fn edge_to(index: u32, fork: &Fork, from: usize) -> Edge {
    Edge {
        node: Node::Fork(index),
        leaves: fork.leaves(),
        depth: fork.depth() + span(from, fork.label()),
        stale: true,
        hash: [0; 32],
    }
}

/// Lets an edge that began at label `from` begin at label `to`. Its hash stays true if it passes the same
/// labels.
fn relabel(edge: &mut Edge, from: usize, to: usize) {
    edge.depth = edge.depth + from as u16 - to as u16;
    edge.stale |= from != to;
}

fn span(from: usize, to: usize) -> u16 {
    (to - from) as u16
}
