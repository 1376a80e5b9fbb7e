//! Typed reads and writes on a [`Memory`], and growing it.

use super::{Memory, StorageError};

const PAGE: u64 = 65_536;

/// Pages by which a memory grows at least. Growing inside a bucket of the memory manager costs only the
/// rewriting of its header, but that is two kilobytes each time.
const GROWTH: u64 = 16;

/// A memory with the access that the structures of this module need.
#[derive(Debug)]
pub(super) struct Region<M>(pub(super) M);

impl<M: Memory> Region<M> {
    /// True if nothing was ever written: a memory without a single page.
    pub(super) fn is_new(&self) -> bool {
        self.0.size() == 0
    }

    /// Bytes that the memory holds.
    pub(super) fn length(&self) -> u64 {
        self.0.size() * PAGE
    }

    /// Grows the memory until it holds `bytes` bytes.
    pub(super) fn ensure(&self, bytes: u64) -> Result<(), StorageError> {
        let full = StorageError::Full { needed: bytes };
        let pages = bytes.checked_add(PAGE - 1).ok_or(full.clone())? / PAGE;
        let held = self.0.size();
        if pages <= held {
            return Ok(());
        }
        let missing = pages - held;
        let generous = missing.max(GROWTH);
        if self.0.grow(generous) >= 0 || (generous > missing && self.0.grow(missing) >= 0) {
            Ok(())
        } else {
            Err(full)
        }
    }

    pub(super) fn read(&self, at: u64, into: &mut [u8]) {
        self.0.read(at, into);
    }

    pub(super) fn write(&self, at: u64, bytes: &[u8]) {
        self.0.write(at, bytes);
    }

    pub(super) fn array<const N: usize>(&self, at: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read(at, &mut bytes);
        bytes
    }

    pub(super) fn u32(&self, at: u64) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    pub(super) fn set_u32(&self, at: u64, value: u32) {
        self.0.write(at, &value.to_le_bytes());
    }
}
