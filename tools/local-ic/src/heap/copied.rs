//! Heap images as plain bytes: copied into an instance, compared afterwards.
//!
//! Works everywhere and costs time in proportion to the heap. A page written
//! with what it held already does not count as written.

use super::{DirtyPages, PAGE};

/// The bytes up to the last page written; the rest is zeros.
#[derive(Default)]
pub(super) struct Image {
    bytes: Vec<u8>,
}

impl Image {
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end.next_multiple_of(PAGE), 0);
        }
        self.bytes[offset..end].copy_from_slice(bytes);
    }

    pub(super) fn read(&self, into: &mut [u8]) {
        let len = into.len().min(self.bytes.len());
        into[..len].copy_from_slice(&self.bytes[..len]);
    }

    /// # Safety
    ///
    /// `base` starts a memory that is at least as long as what was written to
    /// this image, holds zeros and is not referred to by anything else.
    pub(super) unsafe fn copy_to(&self, base: *mut u8) {
        // SAFETY: promised by the caller.
        unsafe { std::ptr::copy_nonoverlapping(self.bytes.as_ptr(), base, self.bytes.len()) }
    }

    pub(super) fn differences(&self, memory: &[u8]) -> DirtyPages {
        let mut dirty = DirtyPages::default();
        for (index, page) in memory.chunks(PAGE).enumerate() {
            let clean = match self.bytes.get(index * PAGE..(index + 1) * PAGE) {
                Some(before) => before == page,
                None => page.iter().all(|byte| *byte == 0),
            };
            if !clean {
                dirty.push(index);
            }
        }
        dirty
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "copied::Image({} bytes)", self.bytes.len())
    }
}
