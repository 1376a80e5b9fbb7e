//! Blocks of any size, named by address.
//!
//! A two-level segregated fit allocator (Masmano et al., "TLSF: a New Dynamic Memory Allocator for Real-Time
//! Systems", ECRTS 2004): allocating and freeing are constant work whatever the history, neighbours that are
//! free are merged at once, and a good fit keeps waste below one sixteenth. All of it lives in the memory
//! itself, so that opening it reads two kilobytes and nothing else.
//!
//! ```text
//!    0  "HEAP"  unit u32  end u32  last u32  used u32  taken u32     blocks in use, and their units; last: size of
//!                                                               the last block; end, last in units
//!   64  bitmap of the first level u32, of the second levels [u16; 32]
//!  256  heads of the free lists [u32; 32 × 16]
//! 4096  block | block | …                                     each a whole number of units
//!
//! block:  size u32  size of the block before u32  FREE or USED u32  length u32  | content, or: next u32  previous u32
//! ```
//!
//! Invariants: two free blocks never touch; the last block is never free (it goes back to the end).

use super::{Memory, StorageError, region::Region};

const MAGIC: &[u8; 4] = b"HEAP";
const BITMAPS: u64 = 64;
const HEADS: u64 = 256;
const BLOCKS: u64 = 4096;
const BLOCK_HEADER: u64 = 16;
const NONE: u32 = u32::MAX;
const USED: u32 = 0x5553_4544;
const FREE: u32 = 0x4652_4545;
const FIRST: usize = 32;
const SECOND: usize = 16;

/// Where a block is, in units from the first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u32);

/// A heap in a memory of its own.
#[derive(Debug)]
pub struct Heap<M> {
    region: Region<M>,
    unit: u32,
    end: u32,
    last: u32,
    used: u32,
    taken: u32,
    first_level: u32,
    second_level: [u16; FIRST],
    heads: Box<[u32; FIRST * SECOND]>,
}

#[derive(Clone, Copy)]
struct Block {
    size: u32,
    before: u32,
    state: u32,
    length: u32,
}

impl<M: Memory> Heap<M> {
    /// Opens the heap; a memory never used becomes an empty one whose blocks are multiples of `unit` bytes.
    /// A larger unit wastes more per block and reaches further: a heap holds at most 2³¹ units.
    ///
    /// # Errors
    ///
    /// [`StorageError::Foreign`] if the memory holds something else or has another unit.
    pub fn open(memory: M, unit: u32) -> Result<Self, StorageError> {
        debug_assert!(unit.is_power_of_two() && u64::from(unit) >= BLOCK_HEADER);
        let region = Region(memory);
        if region.is_new() {
            region.ensure(BLOCKS)?;
            format(&region, unit);
        } else if &region.array(0) != MAGIC || region.u32(4) != unit {
            return Err(StorageError::Foreign { expected: "heap" });
        }
        let bitmaps: [u8; 4 + 2 * FIRST] = region.array(BITMAPS);
        let heads: [u8; 4 * FIRST * SECOND] = region.array(HEADS);
        let mut heap = Self {
            unit,
            end: region.u32(8),
            last: region.u32(12),
            used: region.u32(16),
            taken: region.u32(20),
            first_level: u32_at(&bitmaps, 0),
            second_level: [0; FIRST],
            heads: Box::new([NONE; FIRST * SECOND]),
            region,
        };
        for (i, bits) in heap.second_level.iter_mut().enumerate() {
            *bits = u16::from_le_bytes([bitmaps[4 + 2 * i], bitmaps[5 + 2 * i]]);
        }
        for (i, head) in heap.heads.iter_mut().enumerate() {
            *head = u32_at(&heads, 4 * i);
        }
        Ok(heap)
    }

    /// Where the content of the block that [`around`](Self::around) makes begins, in the memory.
    pub const CONTENT: u64 = BLOCKS + BLOCK_HEADER;

    /// Makes a heap of a memory that holds something else. All of that from byte [`CONTENT`](Self::CONTENT) on is
    /// the content of the one block in use, at address 0; what was before it is overwritten.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`] if the block would be larger than a block can be; nothing has changed then.
    pub fn around(memory: M, unit: u32) -> Result<Self, StorageError> {
        let region = Region(memory);
        let bytes = region.length().saturating_sub(BLOCKS);
        let full = StorageError::Full { needed: bytes };
        let length = bytes.checked_sub(BLOCK_HEADER).ok_or(full.clone())?;
        let length = u32::try_from(length).map_err(|_| full)?;
        let size = (bytes / u64::from(unit)) as u32;
        format(&region, unit);
        let mut heap = Self::open(region.0, unit)?;
        for (field, value) in [size, 0, USED, length].into_iter().enumerate() {
            heap.write_field(0, field as u64, value);
        }
        (heap.end, heap.last, heap.used, heap.taken) = (size, size, 1, size);
        heap.write_header();
        Ok(heap)
    }

    /// Blocks in use.
    pub fn live(&self) -> u32 {
        self.used
    }

    /// Bytes from the first block to the end of the last one, free ones between them included.
    pub fn extent(&self) -> u64 {
        u64::from(self.end) * u64::from(self.unit)
    }

    /// Bytes that the blocks in use take.
    pub fn taken(&self) -> u64 {
        u64::from(self.taken) * u64::from(self.unit)
    }

    /// Takes a block for `length` bytes. Its content is arbitrary until it is written.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`] if the memory cannot grow; nothing has changed then.
    pub fn allocate(&mut self, length: u32) -> Result<Address, StorageError> {
        let units = self.units(length)?;
        let (start, size) = match self.find(units) {
            Some(bin) => self.take(bin, units),
            None => self.append(units)?,
        };
        self.write_field(start, 2, USED);
        self.write_field(start, 3, length);
        self.used += 1;
        self.taken += size;
        self.write_header();
        Ok(Address(start))
    }

    /// Takes a block and fills it with `parts`, one after the other.
    ///
    /// # Errors
    ///
    /// As [`allocate`](Self::allocate).
    pub fn store(&mut self, parts: &[&[u8]]) -> Result<Address, StorageError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(|_| StorageError::Full { needed: u64::MAX })?;
        let address = self.allocate(length)?;
        let mut offset = 0;
        for part in parts {
            self.write(address, offset, part);
            offset += part.len() as u32;
        }
        Ok(address)
    }

    /// Gives a block back.
    pub fn free(&mut self, address: Address) {
        let mut start = address.0;
        let Block {
            mut size,
            mut before,
            ..
        } = self.block(start);
        self.used -= 1;
        self.taken -= size;
        if start + size < self.end {
            let after = self.block(start + size);
            if after.state == FREE {
                self.unlink(start + size, after.size);
                size += after.size;
            }
        }
        if before > 0 {
            let previous = self.block(start - before);
            if previous.state == FREE {
                self.unlink(start - before, previous.size);
                start -= before;
                size += previous.size;
                before = previous.before;
            }
        }
        if start + size == self.end {
            self.end = start;
            self.last = before;
        } else {
            self.write_free(start, size, before);
        }
        self.write_header();
    }

    /// The length that a block was allocated with.
    pub fn length(&self, address: Address) -> u32 {
        self.block(address.0).length
    }

    /// The whole content of a block.
    pub fn load(&self, address: Address) -> Vec<u8> {
        let mut content = vec![0; self.length(address) as usize];
        self.read(address, 0, &mut content);
        content
    }

    /// Reads part of a block, from byte `offset` on.
    pub fn read(&self, address: Address, offset: u32, into: &mut [u8]) {
        self.region.read(self.content(address, offset), into);
    }

    /// Writes part of a block, from byte `offset` on.
    pub fn write(&self, address: Address, offset: u32, bytes: &[u8]) {
        self.region.write(self.content(address, offset), bytes);
    }

    /// Four bytes of a block, from byte `offset` on.
    pub fn u32(&self, address: Address, offset: u32) -> u32 {
        self.region.u32(self.content(address, offset))
    }

    /// Writes four bytes of a block, from byte `offset` on.
    pub fn set_u32(&self, address: Address, offset: u32, value: u32) {
        self.region.set_u32(self.content(address, offset), value);
    }

    /// Walks every block and every free list, and returns the addresses in use, ascending.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first block that breaks an invariant.
    pub fn check(&self) -> Result<Vec<Address>, StorageError> {
        let (mut used, mut taken) = (Vec::new(), 0);
        let mut free = Vec::new();
        let (mut at, mut before) = (0, 0);
        while at < self.end {
            let block = self.block(at);
            let touches_free = free.last() == Some(&(at.wrapping_sub(before), before));
            let fits = block.size > 0
                && self.end - at >= block.size
                && u64::from(block.length) + BLOCK_HEADER
                    <= u64::from(block.size) * u64::from(self.unit);
            match block.state {
                _ if block.before != before => return Err(corrupt(at)),
                USED if fits => {
                    used.push(Address(at));
                    taken += block.size;
                }
                FREE if block.size > 0 && !touches_free => free.push((at, block.size)),
                _ => return Err(corrupt(at)),
            }
            before = block.size;
            at += block.size;
        }
        let ends_free = free
            .last()
            .is_some_and(|(start, size)| start + size == self.end);
        let counts = (used.len() as u32, taken) == (self.used, self.taken);
        if at != self.end || before != self.last || ends_free || !counts {
            return Err(corrupt(at));
        }
        let mut listed = Vec::new();
        for (bin, head) in self.heads.iter().enumerate() {
            let mut next = *head;
            while next != NONE {
                let size = self.block(next).size;
                if bin_of(size) != bin || listed.len() > free.len() {
                    return Err(corrupt(next));
                }
                listed.push((next, size));
                next = self.field(next, 4);
            }
        }
        listed.sort_unstable();
        if listed == free {
            Ok(used)
        } else {
            Err(corrupt(0))
        }
    }

    fn units(&self, length: u32) -> Result<u32, StorageError> {
        // A free block needs room for its links.
        let bytes = BLOCK_HEADER + u64::from(length).max(8);
        let units = bytes.div_ceil(u64::from(self.unit));
        if u64::from(self.end) + units >= 1 << 31 {
            return Err(StorageError::Full {
                needed: (u64::from(self.end) + units) * u64::from(self.unit),
            });
        }
        Ok(units as u32)
    }

    /// The nearest bin all of whose blocks hold `units`.
    fn find(&self, units: u32) -> Option<usize> {
        let bin = bin_above(units);
        let (first, second) = (bin / SECOND, bin % SECOND);
        let here = self.second_level[first] & (u16::MAX << second);
        if here != 0 {
            return Some(first * SECOND + here.trailing_zeros() as usize);
        }
        let above = self.first_level & u32::MAX.checked_shl(first as u32 + 1).unwrap_or(0);
        if above == 0 {
            return None;
        }
        let first = above.trailing_zeros() as usize;
        Some(first * SECOND + self.second_level[first].trailing_zeros() as usize)
    }

    /// Takes the first block of a bin and gives back what it has too much. Returns where it is, and its size.
    fn take(&mut self, bin: usize, units: u32) -> (u32, u32) {
        let start = self.heads[bin];
        let block = self.block(start);
        self.unlink(start, block.size);
        let rest = block.size - units;
        if u64::from(rest) * u64::from(self.unit) < BLOCK_HEADER + 8 {
            return (start, block.size);
        }
        self.write_field(start, 0, units);
        self.write_free(start + units, rest, units);
        (start, units)
    }

    fn append(&mut self, units: u32) -> Result<(u32, u32), StorageError> {
        let end = self.end + units;
        self.region
            .ensure(BLOCKS + u64::from(end) * u64::from(self.unit))?;
        let start = self.end;
        self.write_field(start, 0, units);
        self.write_field(start, 1, self.last);
        self.end = end;
        self.last = units;
        Ok((start, units))
    }

    /// Writes a free block, tells the block after it, and puts it at the head of its bin.
    fn write_free(&mut self, start: u32, size: u32, before: u32) {
        let bin = bin_of(size);
        let next = self.heads[bin];
        let mut bytes = [0; 24];
        for (field, value) in [size, before, FREE, 0, next, NONE].into_iter().enumerate() {
            bytes[4 * field..4 * field + 4].copy_from_slice(&value.to_le_bytes());
        }
        self.region.write(self.position(start), &bytes);
        self.write_field(start + size, 1, size);
        if next != NONE {
            self.write_field(next, 5, start);
        }
        self.set_head(bin, start);
    }

    /// Takes a free block out of its bin.
    fn unlink(&mut self, start: u32, size: u32) {
        let (next, previous) = (self.field(start, 4), self.field(start, 5));
        if next != NONE {
            self.write_field(next, 5, previous);
        }
        if previous == NONE {
            self.set_head(bin_of(size), next);
        } else {
            self.write_field(previous, 4, next);
        }
    }

    fn set_head(&mut self, bin: usize, head: u32) {
        let (first, second) = (bin / SECOND, bin % SECOND);
        let was_empty = self.heads[bin] == NONE;
        self.heads[bin] = head;
        self.region.set_u32(HEADS + 4 * bin as u64, head);
        if was_empty == (head == NONE) {
            return;
        }
        self.second_level[first] ^= 1 << second;
        self.region.write(
            BITMAPS + 4 + 2 * first as u64,
            &self.second_level[first].to_le_bytes(),
        );
        let bit = 1 << first;
        let marked = self.first_level & bit != 0;
        if marked == (self.second_level[first] == 0) {
            self.first_level ^= bit;
            self.region.set_u32(BITMAPS, self.first_level);
        }
    }

    fn block(&self, start: u32) -> Block {
        let bytes: [u8; BLOCK_HEADER as usize] = self.region.array(self.position(start));
        Block {
            size: u32_at(&bytes, 0),
            before: u32_at(&bytes, 4),
            state: u32_at(&bytes, 8),
            length: u32_at(&bytes, 12),
        }
    }

    fn field(&self, start: u32, field: u64) -> u32 {
        self.region.u32(self.position(start) + 4 * field)
    }

    fn write_field(&self, start: u32, field: u64, value: u32) {
        self.region.set_u32(self.position(start) + 4 * field, value);
    }

    fn position(&self, start: u32) -> u64 {
        BLOCKS + u64::from(start) * u64::from(self.unit)
    }

    fn content(&self, address: Address, offset: u32) -> u64 {
        self.position(address.0) + BLOCK_HEADER + u64::from(offset)
    }

    fn write_header(&self) {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.end.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.last.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.used.to_le_bytes());
        bytes[12..].copy_from_slice(&self.taken.to_le_bytes());
        self.region.write(8, &bytes);
    }
}

/// Writes the header of a heap without blocks.
fn format<M: Memory>(region: &Region<M>, unit: u32) {
    region.write(0, &[0; BLOCKS as usize]);
    region.write(0, MAGIC);
    region.set_u32(4, unit);
    region.write(HEADS, &[0xff; 4 * FIRST * SECOND]);
}

/// The bin that a free block of `size` units belongs to: sizes below 16 have one each, from there on each
/// power of two is cut into sixteen.
fn bin_of(size: u32) -> usize {
    if size < SECOND as u32 {
        return size as usize;
    }
    let log = size.ilog2();
    let first = log as usize - 3;
    let second = (size >> (log - 4)) as usize & (SECOND - 1);
    first * SECOND + second
}

/// The lowest bin all of whose blocks are at least `size` units.
fn bin_above(size: u32) -> usize {
    if size < SECOND as u32 {
        return bin_of(size);
    }
    bin_of(size + (1 << (size.ilog2() - 4)) - 1)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn corrupt(at: u32) -> StorageError {
    StorageError::Corrupt {
        structure: "heap",
        at: u64::from(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;
    use proptest::prelude::*;

    #[test]
    fn bins_are_ordered_and_hold_what_they_promise() {
        let mut last = 0;
        for size in 1..100_000 {
            let bin = bin_of(size);
            assert!(bin == last || bin == last + 1, "bins ascend with sizes");
            last = bin;
            let above = bin_above(size);
            assert!(above >= bin && above <= bin + 1);
            assert!(above == bin || bin_of(size - 1) == bin, "{size}");
        }
    }

    #[test]
    fn returns_the_end_when_the_last_block_goes() {
        let mut heap = Heap::open(VectorMemory::default(), 16).unwrap();
        let [a, b, c] = [10, 100, 1000].map(|length| heap.allocate(length).unwrap());
        heap.free(b);
        heap.free(c);
        assert_eq!(heap.check().unwrap(), [a]);
        heap.free(a);
        assert_eq!(heap.extent(), 0);
    }

    proptest! {
        /// Any history keeps every content, passes the check, and leaves nothing behind at its end.
        #[test]
        fn keeps_contents_through_any_history(
            unit in prop_oneof![Just(16), Just(64)],
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0u32..3000, any::<bool>()), 1..120),
        ) {
            let memory = VectorMemory::default();
            let mut heap = Heap::open(memory.clone(), unit).unwrap();
            let mut model: Vec<(Address, Vec<u8>)> = Vec::new();
            for (step, (pick, length, free)) in steps.into_iter().enumerate() {
                if free && !model.is_empty() {
                    let (address, _) = model.swap_remove(pick.index(model.len()));
                    heap.free(address);
                } else {
                    let content = vec![step as u8; length as usize];
                    model.push((heap.store(&[&content]).unwrap(), content));
                }
                if step % 7 == 0 {
                    heap = Heap::open(memory.clone(), unit).unwrap();
                }
                let mut addresses: Vec<_> = model.iter().map(|(address, _)| *address).collect();
                addresses.sort();
                prop_assert_eq!(heap.check().unwrap(), addresses);
            }
            for (address, content) in model {
                prop_assert_eq!(heap.load(address), content);
                heap.free(address);
            }
            prop_assert_eq!(heap.extent(), 0);
        }
    }
}
