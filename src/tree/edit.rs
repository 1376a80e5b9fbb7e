//! Changing one path of a tree.
//!
//! Every change reads its way down first, decides, and only then writes its way up, so that an error leaves the
//! tree as it was. A fork on the way is changed in place if this tree alone refers to it, and copied if not.

use super::{
    Forest, Labels, MAX_DEPTH, Tree, TreeError,
    fork::{Edge, Fork, Node, Side},
    labels::{Difference, Position},
};
use crate::storage::Memory;

/// Where something is put into a tree.
#[derive(Default)]
pub(super) struct Place {
    /// The way there; `None` in an empty tree.
    descent: Option<Descent>,
    /// Where the path parts from all others; `None` if it leads to what is there already.
    parting: Option<Position>,
    /// True if longer paths than this one lead there already.
    is_above: bool,
}

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
        path.check_size()?;
        let place = self.place(tree, path)?;
        if place.is_above {
            return Err(TreeError::Prefix { path: path.clone() });
        }
        if place.depth(1, path.len()) > MAX_DEPTH {
            return Err(TreeError::TooDeep { path: path.clone() });
        }
        self.forks.reserve(place.forks())?;
        let leaf = Edge {
            node: Node::Leaf(self.store_leaf(path, value, attachment)?),
            leaves: 1,
            depth: 1,
            stale: true,
            hash: [0; 32],
        };
        self.put(tree, place, path, leaf, path.len());
        Ok(())
    }

    /// Gives the leaf with this path another attachment. No hash changes. Returns false if there is no such leaf.
    ///
    /// # Errors
    ///
    /// [`TreeError::Storage`] if it does not fit into memory; nothing has changed then.
    pub fn attach(
        &mut self,
        tree: &mut Tree,
        path: &Labels,
        attachment: &[u8],
    ) -> Result<bool, TreeError> {
        let Some(top) = tree.top else {
            return Ok(false);
        };
        let Descent { steps, below } = self.descend(top, path, None);
        let leaf = self.first_leaf(below);
        if leaf.path != *path {
            return Ok(false);
        }
        let shared = first_shared(&steps);
        self.forks.reserve((steps.len() - shared) as u32)?;
        let address = self.store_leaf(path, &leaf.value, attachment)?;
        if shared == steps.len() {
            self.drop_reference(below.node);
        }
        let below = Edge {
            node: Node::Leaf(address),
            ..below
        };
        tree.top = Some(self.ascend(steps, shared, below, Some(top)));
        Ok(true)
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
        tree.top = Some(self.ascend(steps, shared, sibling, None));
        Ok(below.leaves)
    }

    /// Finds where what a path leads to is, or belongs.
    pub(super) fn place(&self, tree: &Tree, path: &Labels) -> Result<Place, TreeError> {
        let Some(top) = tree.top else {
            return Ok(Place::default());
        };
        let nearest = self.leaf(self.nearest(top, path)).path;
        let is_above = nearest.len() > path.len();
        let parting = match nearest.difference(path) {
            Difference::At(position) => Some(position),
            Difference::Prefix if !is_above => {
                return Err(TreeError::Prefix { path: path.clone() });
            }
            Difference::Equal | Difference::Prefix => None,
        };
        Ok(Place {
            descent: Some(self.descend(top, path, parting)),
            parting,
            is_above: is_above && parting.is_none(),
        })
    }

    /// Puts a node into its place, of which nothing else has changed since it was found. The edge passes no label
    /// yet; the node stands at label `at` of a path that begins with `path`.
    pub(super) fn put(
        &mut self,
        tree: &mut Tree,
        place: Place,
        path: &Labels,
        mut edge: Edge,
        at: usize,
    ) {
        let Some(descent) = place.descent else {
            relabel(&mut edge, at, 0);
            tree.top = Some(edge);
            return;
        };
        let shared = first_shared(&descent.steps);
        let below = match place.parting {
            None => {
                if shared == descent.steps.len() {
                    self.drop_reference(descent.below.node);
                }
                relabel(&mut edge, at, descent.label());
                edge
            }
            Some(position) => {
                if shared < descent.steps.len() {
                    self.retain(descent.below.node);
                }
                relabel(&mut edge, at, position.label());
                self.new_fork(&descent, position, path, edge)
            }
        };
        tree.top = Some(self.ascend(descent.steps, shared, below, None));
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

    /// The fork that parts a new node from what stood in its place.
    fn new_fork(
        &mut self,
        descent: &Descent,
        position: Position,
        path: &Labels,
        new: Edge,
    ) -> Edge {
        let mut moved = descent.below;
        relabel(&mut moved, descent.label(), position.label());
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
    /// `shared`, as copies from there on. Returns the new top. Hashes are out of date then, unless the old top is given
    /// because what they are of is the same.
    fn ascend(
        &mut self,
        mut steps: Vec<Step>,
        shared: usize,
        mut below: Edge,
        same: Option<Edge>,
    ) -> Edge {
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
            let above = steps.last();
            below = match same {
                Some(top) => Edge {
                    node: Node::Fork(index),
                    ..above.map_or(top, |step| *step.fork.edge(step.side))
                },
                None => edge_to(index, &fork, above.map_or(0, |step| step.fork.label())),
            };
        }
        below
    }
}

impl Place {
    /// How many forks [`Forest::put`] makes.
    pub(super) fn forks(&self) -> u32 {
        let copies = self.descent.as_ref().map_or(0, |descent| {
            descent.steps.len() - first_shared(&descent.steps)
        });
        1 + copies as u32
    }

    /// How deep the whole tree nests with a node of this depth here, at this label.
    fn depth(&self, node: u16, at: usize) -> u16 {
        match (&self.descent, self.parting) {
            (None, _) => node + span(0, at),
            (Some(descent), None) => descent.depth(node, at),
            (Some(descent), Some(position)) => {
                let label = position.label();
                let mut moved = descent.below;
                relabel(&mut moved, descent.label(), label);
                descent.depth(1 + moved.depth.max(node + span(label, at)), label)
            }
        }
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
        depth: fork.depth().saturating_add(span(from, fork.label())),
        stale: true,
        hash: [0; 32],
    }
}

/// Lets an edge that began at label `from` begin at label `to`. Its hash stays true if it passes the same
/// labels.
fn relabel(edge: &mut Edge, from: usize, to: usize) {
    edge.depth = edge.depth.saturating_add(from as u16) - to as u16;
    edge.stale |= from != to;
}

fn span(from: usize, to: usize) -> u16 {
    (to - from) as u16
}
