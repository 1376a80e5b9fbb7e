//! Stable memory: pages that are shared until written, and the writes of one
//! message kept aside until the message succeeds.
//!
//! ```text
//!           read ──► overlay (pages this message wrote) ──► base (Arc<page>, absent = zeros)
//!           write ─► overlay
//! commit: overlay moves into base      rollback: overlay is dropped
//! ```
//!
//! The 64 KiB pages of the interface only matter for the size; what is stored,
//! shared and charged for is the 4 KiB page of the operating system. Logical
//! size costs nothing: the base ends at the last page ever written.

use std::collections::HashMap;
use std::sync::Arc;

/// The unit of storing and charging.
pub(crate) const PAGE: usize = 4096;
/// The unit of growing.
pub(crate) const WASM_PAGE: u64 = 65_536;
/// 500 GiB in units of [`WASM_PAGE`].
const MAX_WASM_PAGES: u64 = 500 * (1 << 30) / WASM_PAGE;

type Page = [u8; PAGE];

/// The stable memory of one canister.
#[derive(Clone, Debug, Default)]
pub(crate) struct StableMemory {
    base: Vec<Option<Arc<Page>>>,
    size: u64,
    overlay: HashMap<u64, Box<Page>>,
    grown: Option<u64>,
}

/// An access beyond the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutOfBounds;

impl StableMemory {
    /// A stable memory with these contents, of whole 64 KiB pages.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let base = bytes
            .chunks(PAGE)
            .map(|chunk| {
                chunk.iter().any(|byte| *byte != 0).then(|| {
                    let mut page = [0; PAGE];
                    page[..chunk.len()].copy_from_slice(chunk);
                    Arc::new(page)
                })
            })
            .collect();
        Self {
            base,
            size: (bytes.len() as u64).div_ceil(WASM_PAGE),
            ..Self::default()
        }
    }

    /// All of it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size_in_bytes() as usize];
        let mut at = 0;
        while at < bytes.len() {
            if let Some(page) = self.page((at / PAGE) as u64) {
                bytes[at..at + PAGE].copy_from_slice(page);
            }
            at += PAGE;
        }
        bytes
    }

    /// Size in 64 KiB pages.
    pub(crate) fn size(&self) -> u64 {
        self.grown.unwrap_or(self.size)
    }

    /// Size in bytes.
    pub(crate) fn size_in_bytes(&self) -> u64 {
        self.size() * WASM_PAGE
    }

    /// Adds pages; the size before, or `None` if there is no room.
    pub(crate) fn grow(&mut self, pages: u64) -> Option<u64> {
        let old = self.size();
        let new = old
            .checked_add(pages)
            .filter(|new| *new <= MAX_WASM_PAGES)?;
        self.grown = Some(new);
        Some(old)
    }

    /// Whether `offset..offset + len` exists.
    pub(crate) fn check(&self, offset: u64, len: u64) -> Result<(), OutOfBounds> {
        match offset.checked_add(len) {
            Some(end) if end <= self.size_in_bytes() => Ok(()),
            _ => Err(OutOfBounds),
        }
    }

    /// How many pages a write there would be the first to touch in this message.
    pub(crate) fn clean_pages(&self, offset: u64, len: u64) -> u64 {
        pages(offset, len)
            .filter(|index| !self.overlay.contains_key(index))
            .count() as u64
    }

    /// How many pages this message wrote.
    pub(crate) fn dirty_pages(&self) -> u64 {
        self.overlay.len() as u64
    }

    /// Fills `dst` from `offset` on.
    pub(crate) fn read(&self, offset: u64, dst: &mut [u8]) -> Result<(), OutOfBounds> {
        self.check(offset, dst.len() as u64)?;
        for_each_part(offset, dst.len(), |index, within, part| {
            let dst = &mut dst[part];
            match self.page(index) {
                Some(page) => dst.copy_from_slice(&page[within..within + dst.len()]),
                None => dst.fill(0),
            }
        });
        Ok(())
    }

    /// Writes `src` at `offset`.
    pub(crate) fn write(&mut self, offset: u64, src: &[u8]) -> Result<(), OutOfBounds> {
        self.check(offset, src.len() as u64)?;
        let Self { base, overlay, .. } = self;
        for_each_part(offset, src.len(), |index, within, part| {
            let src = &src[part];
            let page = overlay.entry(index).or_insert_with(|| {
                match base.get(index as usize).and_then(Option::as_ref) {
                    Some(page) => Box::new(**page),
                    None => Box::new([0; PAGE]),
                }
            });
            page[within..within + src.len()].copy_from_slice(src);
        });
        Ok(())
    }

    /// Keeps what this message did.
    pub(crate) fn commit(&mut self) {
        if let Some(size) = self.grown.take() {
            self.size = size;
        }
        for (index, page) in self.overlay.drain() {
            let index = index as usize;
            if self.base.len() <= index {
                self.base.resize(index + 1, None);
            }
            self.base[index] = Some(Arc::from(page));
        }
    }

    /// Forgets what this message did.
    pub(crate) fn rollback(&mut self) {
        self.grown = None;
        self.overlay.clear();
    }

    fn page(&self, index: u64) -> Option<&Page> {
        match self.overlay.get(&index) {
            Some(page) => Some(page),
            None => self.base.get(index as usize)?.as_deref(),
        }
    }
}

fn pages(offset: u64, len: u64) -> std::ops::Range<u64> {
    if len == 0 {
        return 0..0;
    }
    offset / PAGE as u64..(offset + len).div_ceil(PAGE as u64)
}

/// Calls `f(page, offset in the page, range of the buffer)` for each page in the way.
fn for_each_part(offset: u64, len: usize, mut f: impl FnMut(u64, usize, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < len {
        let at = offset + done as u64;
        let within = (at % PAGE as u64) as usize;
        let end = len.min(done + PAGE - within);
        f(at / PAGE as u64, within, done..end);
        done = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_seen_at_once_and_kept_only_by_a_commit() {
        let mut memory = StableMemory::default();
        assert_eq!(memory.grow(1), Some(0));
        memory.write(4090, b"across a page").unwrap();
        let mut read = [0; 13];
        memory.read(4090, &mut read).unwrap();
        assert_eq!(&read, b"across a page");
        assert_eq!(memory.dirty_pages(), 2);

        memory.rollback();
        assert_eq!((memory.size(), memory.dirty_pages()), (0, 0));

        memory.grow(1);
        memory.write(4090, b"across a page").unwrap();
        memory.commit();
        let before = memory.clone();
        memory.write(4090, b"ACROSS").unwrap();
        memory.rollback();
        assert_eq!(memory.to_bytes(), before.to_bytes());
        assert_eq!(&memory.to_bytes()[4090..4103], b"across a page");
    }

    #[test]
    fn a_page_is_clean_until_its_first_write() {
        let mut memory = StableMemory::default();
        memory.grow(1);
        assert_eq!(memory.clean_pages(4095, 2), 2);
        assert_eq!(memory.clean_pages(0, 0), 0);
        memory.write(0, &[1]).unwrap();
        assert_eq!(memory.clean_pages(4095, 2), 1);
        memory.commit();
        assert_eq!(memory.clean_pages(4095, 2), 2);
    }

    #[test]
    fn nothing_exists_beyond_the_end() {
        let mut memory = StableMemory::default();
        memory.grow(1);
        assert!(memory.write(65_535, &[1, 2]).is_err());
        assert!(memory.read(u64::MAX, &mut [0]).is_err());
        assert!(memory.read(65_536, &mut []).is_ok());
        assert_eq!(memory.grow(MAX_WASM_PAGES), None);
        assert_eq!(memory.grow(u64::MAX), None);
    }

    #[test]
    fn logical_size_costs_nothing() {
        let mut memory = StableMemory::default();
        memory.grow(1 << 20);
        memory.commit();
        assert_eq!(memory.base.len(), 0);
        assert_eq!(memory.size_in_bytes(), 64 << 30);
    }

    #[test]
    fn bytes_round_trip() {
        let mut bytes = vec![0; 2 * WASM_PAGE as usize];
        bytes[70_000] = 7;
        assert_eq!(StableMemory::from_bytes(&bytes).to_bytes(), bytes);
        assert_eq!(StableMemory::from_bytes(&[1]).size(), 1);
    }
}
