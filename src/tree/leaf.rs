//! Leaves, as blocks of a heap.
//!
//! ```text
//! references u32 | next doomed u32 | path length u32 | value length u32 | path | value | attachment
//! ```

use super::{Forest, Labels};
use crate::storage::{Address, Memory, StorageError};

const HEADER: usize = 16;

/// A leaf of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The path from the root.
    pub path: Labels,
    /// What the tree certifies.
    pub value: Vec<u8>,
    /// What is kept beside it, and not certified.
    pub attachment: Vec<u8>,
}

impl<M: Memory> Forest<M> {
    pub(super) fn leaf(&self, address: Address) -> Leaf {
        let block = self.leaves.load(address);
        let length_at = |at: usize| {
            u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]) as usize
        };
        let value = HEADER + length_at(8);
        let attachment = value + length_at(12);
        Leaf {
            path: Labels::decode(&block[HEADER..value]),
            value: block[value..attachment].to_vec(),
            attachment: block[attachment..].to_vec(),
        }
    }

    /// Stores a leaf with one reference.
    pub(super) fn store_leaf(
        &mut self,
        path: &Labels,
        value: &[u8],
        attachment: &[u8],
    ) -> Result<Address, StorageError> {
        let path = path.encode();
        let mut head = Vec::with_capacity(HEADER + path.len() + value.len() + attachment.len());
        for field in [1, u32::MAX, path.len() as u32, value.len() as u32] {
            head.extend_from_slice(&field.to_le_bytes());
        }
        head.extend_from_slice(&path);
        head.extend_from_slice(value);
        head.extend_from_slice(attachment);
        self.leaves.store(&[&head])
    }

    pub(super) fn leaf_next(&self, address: Address) -> u32 {
        self.leaves.u32(address, 4)
    }

    pub(super) fn set_leaf_next(&mut self, address: Address, next: u32) {
        self.leaves.set_u32(address, 4, next);
    }
}
