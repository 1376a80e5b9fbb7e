//! Forks, and the edges that lead to nodes.
//!
//! ```text
//! fork, 96 bytes:   references u32 | position u32 | left edge 44 | right edge 44
//! edge, 44 bytes:   node u32 | leaves u32 | depth u16 | stale u8 | 0 | hash 32
//! node:             bit 31 set: a leaf, the other bits its address in the heap; else the index of a fork
//! ```
//!
//! The hash of an edge is that of the node wrapped in the labels that the edge passes. Keeping it with the
//! parent means that a witness hashes nothing, and that an update never rereads what it did not change.

use super::{Hash, labels::Position};
use crate::storage::Address;

pub(super) const FORK: usize = 8 + 2 * EDGE;
pub(super) const EDGE: usize = 44;

/// A fork without references links to the next one here while it waits to be reclaimed.
pub(super) const NEXT_DOOMED: u64 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Fork(u32),
    Leaf(Address),
}

/// The way down to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) node: Node,
    /// Leaves below.
    pub(super) leaves: u32,
    /// Nesting of what is below in a witness, the labels on this edge included.
    pub(super) depth: u16,
    /// True if `hash` is out of date, or a hash below is.
    pub(super) stale: bool,
    pub(super) hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

#[derive(Clone, Debug)]
pub(super) struct Fork {
    pub(super) references: u32,
    /// The first bit in which what is left differs from what is right.
    pub(super) position: Position,
    pub(super) edges: [Edge; 2],
}

const LEAF: u32 = 1 << 31;

impl Node {
    pub(super) fn encode(self) -> u32 {
        match self {
            Self::Fork(index) => index,
            Self::Leaf(address) => LEAF | address.0,
        }
    }

    pub(super) fn decode(bits: u32) -> Self {
        if bits & LEAF == 0 {
            Self::Fork(bits)
        } else {
            Self::Leaf(Address(bits & !LEAF))
        }
    }
}

impl Edge {
    pub(super) fn encode(&self) -> [u8; EDGE] {
        let mut bytes = [0; EDGE];
        bytes[..4].copy_from_slice(&self.node.encode().to_le_bytes());
        bytes[4..8].copy_from_slice(&self.leaves.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.depth.to_le_bytes());
        bytes[10] = self.stale.into();
        bytes[12..].copy_from_slice(&self.hash);
        bytes
    }

    pub(super) fn decode(bytes: &[u8; EDGE]) -> Self {
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[12..]);
        Self {
            node: Node::decode(u32_at(0)),
            leaves: u32_at(4),
            depth: u16::from_le_bytes([bytes[8], bytes[9]]),
            stale: bytes[10] != 0,
            hash,
        }
    }
}

impl Side {
    pub(super) fn of(bit: bool) -> Self {
        if bit { Self::Right } else { Self::Left }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl Fork {
    pub(super) fn edge(&self, side: Side) -> &Edge {
        &self.edges[side as usize]
    }

    pub(super) fn edge_mut(&mut self, side: Side) -> &mut Edge {
        &mut self.edges[side as usize]
    }

    /// The label that the two sides differ in.
    pub(super) fn label(&self) -> usize {
        self.position.label()
    }

    pub(super) fn leaves(&self) -> u32 {
        self.edges[0].leaves + self.edges[1].leaves
    }

    /// Nesting of this fork in a witness. A tree that grafts have made too deep is refused, however deep.
    pub(super) fn depth(&self) -> u16 {
        1u16.saturating_add(self.edges[0].depth.max(self.edges[1].depth))
    }

    pub(super) fn encode(&self) -> [u8; FORK] {
        let mut bytes = [0; FORK];
        bytes[..4].copy_from_slice(&self.references.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.position.0.to_le_bytes());
        bytes[8..8 + EDGE].copy_from_slice(&self.edges[0].encode());
        bytes[8 + EDGE..].copy_from_slice(&self.edges[1].encode());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; FORK]) -> Self {
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let edge_at = |at: usize| {
            let mut edge = [0; EDGE];
            edge.copy_from_slice(&bytes[at..at + EDGE]);
            Edge::decode(&edge)
        };
        Self {
            references: u32_at(0),
            position: Position(u32_at(4)),
            edges: [edge_at(8), edge_at(8 + EDGE)],
        }
    }
}
