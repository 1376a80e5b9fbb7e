//! Records of one size, named by index.
//!
//! ```text
//!  0  "HSLB"  record size u32  slots u32  first free u32  free u32        header, 64 bytes
//! 64  slot 0 | slot 1 | …
//! ```
//!
//! A free slot starts with the index of the next free one. The header is mirrored in the heap, so that an
//! allocation reads nothing but the slot it takes.

use super::{Memory, StorageError, region::Region};

const MAGIC: &[u8; 4] = b"HSLB";
const HEADER: u64 = 64;
const NONE: u32 = u32::MAX;

/// A growing array of `N`-byte slots with a free list.
#[derive(Debug)]
pub struct Slab<M, const N: usize> {
    region: Region<M>,
    slots: u32,
    first_free: u32,
    free: u32,
}

impl<M: Memory, const N: usize> Slab<M, N> {
    /// Opens the slab; a memory never used becomes an empty one.
    ///
    /// # Errors
    ///
    /// [`StorageError::Foreign`] if the memory holds something else or records of another size.
    pub fn open(memory: M) -> Result<Self, StorageError> {
        let region = Region(memory);
        if region.is_new() {
            region.ensure(HEADER)?;
            region.write(0, MAGIC);
            region.set_u32(4, N as u32);
            let slab = Self {
                region,
                slots: 0,
                first_free: NONE,
                free: 0,
            };
            slab.write_header();
            return Ok(slab);
        }
        if &region.array(0) != MAGIC || region.u32(4) != N as u32 {
            return Err(StorageError::Foreign { expected: "slab" });
        }
        Ok(Self {
            slots: region.u32(8),
            first_free: region.u32(12),
            free: region.u32(16),
            region,
        })
    }

    /// Slots in use.
    pub fn live(&self) -> u32 {
        self.slots - self.free
    }

    /// Slots in use or free. Every index below is readable.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Makes sure that the next `count` calls of [`allocate`](Self::allocate) succeed.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`] if the memory cannot grow.
    pub fn reserve(&mut self, count: u32) -> Result<(), StorageError> {
        let fresh = u64::from(count.saturating_sub(self.free));
        let slots = u64::from(self.slots) + fresh;
        let needed = HEADER + slots * N as u64;
        // The upper half of the index space is the caller's, for tagging references.
        if slots >= 1 << 31 {
            return Err(StorageError::Full { needed });
        }
        self.region.ensure(needed)
    }

    /// Takes a slot that [`reserve`](Self::reserve) made available and writes `record` to it.
    pub fn allocate(&mut self, record: &[u8; N]) -> u32 {
        let index = if self.first_free == NONE {
            self.slots += 1;
            self.slots - 1
        } else {
            let index = self.first_free;
            self.first_free = self.region.u32(Self::offset(index));
            self.free -= 1;
            index
        };
        self.write_header();
        self.set(index, record);
        index
    }

    /// Gives a slot back.
    pub fn release(&mut self, index: u32) {
        self.region.set_u32(Self::offset(index), self.first_free);
        self.first_free = index;
        self.free += 1;
        self.write_header();
    }

    /// The record in a slot.
    pub fn get(&self, index: u32) -> [u8; N] {
        self.region.array(Self::offset(index))
    }

    /// Replaces the record in a slot.
    pub fn set(&self, index: u32, record: &[u8; N]) {
        self.region.write(Self::offset(index), record);
    }

    /// Replaces four bytes of the record in a slot, starting at byte `field`.
    pub fn set_u32(&self, index: u32, field: u64, value: u32) {
        self.region.set_u32(Self::offset(index) + field, value);
    }

    /// Four bytes of the record in a slot, starting at byte `field`.
    pub fn u32(&self, index: u32, field: u64) -> u32 {
        self.region.u32(Self::offset(index) + field)
    }

    /// The free slots, for a check.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] if the free list leaves the slab or has another length than it should.
    pub fn free_slots(&self) -> Result<Vec<u32>, StorageError> {
        let mut found = Vec::new();
        let mut next = self.first_free;
        while next != NONE {
            if next >= self.slots || found.len() as u32 >= self.free {
                return Err(corrupt(next));
            }
            found.push(next);
            next = self.region.u32(Self::offset(next));
        }
        if found.len() as u32 != self.free {
            return Err(corrupt(NONE));
        }
        Ok(found)
    }

    fn offset(index: u32) -> u64 {
        HEADER + u64::from(index) * N as u64
    }

    fn write_header(&self) {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.slots.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.first_free.to_le_bytes());
        bytes[8..].copy_from_slice(&self.free.to_le_bytes());
        self.region.write(8, &bytes);
    }
}

fn corrupt(index: u32) -> StorageError {
    StorageError::Corrupt {
        structure: "free list of a slab",
        at: u64::from(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;

    #[test]
    fn reuses_what_was_released_and_survives_reopening() {
        let memory = VectorMemory::default();
        let mut slab = Slab::<_, 8>::open(memory.clone()).unwrap();
        slab.reserve(3).unwrap();
        let [a, b, c] = [1u8, 2, 3].map(|n| slab.allocate(&[n; 8]));
        slab.release(b);
        slab.release(a);

        let mut slab = Slab::<_, 8>::open(memory).unwrap();
        assert_eq!(slab.live(), 1);
        assert_eq!(slab.free_slots().unwrap(), [a, b]);
        assert_eq!(slab.get(c), [3; 8]);
        slab.reserve(3).unwrap();
        assert_eq!([4u8, 5, 6].map(|n| slab.allocate(&[n; 8])), [a, b, 3]);
    }

    #[test]
    fn refuses_records_of_another_size() {
        let memory = VectorMemory::default();
        Slab::<_, 8>::open(memory.clone()).unwrap();
        assert!(Slab::<_, 16>::open(memory).is_err());
    }
}
