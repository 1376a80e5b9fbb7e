//! Heap images as memory files, mapped copy-on-write into instances.
//!
//! ```text
//!  memory file   ┌────┬────┬────┬────┬─── sparse up to 4 GiB
//!                └─┬──┴────┴─┬──┴────┴───
//!   MAP_PRIVATE    │         │
//!  instance      ┌─▼──┬────┬─▼──┬────┐
//!                │file│ own│file│ own│   `own`: written, now anonymous: dirty
//!                └────┴────┴────┴────┘
//! ```
//!
//! Which pages became the instance's own is asked of `/proc/self/pagemap`,
//! bit 61 of whose entries tells file pages from anonymous ones.

use std::ffi::c_void;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};

use super::{DirtyPages, PAGE};

/// What a 32-bit memory can grow to.
const MAX: usize = 1 << 32;

const FILE_PAGE: u64 = 1 << 61;
const SWAPPED: u64 = 1 << 62;
const PRESENT: u64 = 1 << 63;

#[derive(Debug)]
pub(super) struct Image {
    file: File,
}

impl Image {
    /// A file of zeros, or `None` where this way of keeping heaps does not work.
    pub(super) fn new() -> Option<Self> {
        static WORKS: OnceLock<bool> = OnceLock::new();
        WORKS.get_or_init(works).then(Self::create).flatten()
    }

    fn create() -> Option<Self> {
        let file = File::from(memfd_create("heap", MemfdFlags::CLOEXEC).ok()?);
        file.set_len(MAX as u64).ok()?;
        Some(Self { file })
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.file
            .write_all_at(bytes, offset as u64)
            .expect("a memory file takes what fits in memory");
    }

    pub(super) fn read(&self, into: &mut [u8]) {
        self.file
            .read_exact_at(into, 0)
            .expect("a memory file of 4 GiB has the bytes of a heap");
    }

    /// Maps the image over a memory of `len` bytes, and inaccessibly over the
    /// rest of its reservation, into which it may grow.
    ///
    /// # Safety
    ///
    /// `base` starts a reservation of 4 GiB of which nobody refers to a byte.
    pub(super) unsafe fn map(&self, base: *mut u8, len: usize) -> std::io::Result<()> {
        let base = base.cast::<c_void>();
        let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        // SAFETY: promised by the caller.
        unsafe {
            mmap(base, MAX, ProtFlags::empty(), flags, self.file.as_fd(), 0)?;
            mprotect(base, len, MprotectFlags::READ | MprotectFlags::WRITE)?;
        }
        Ok(())
    }
}

/// The pages from `base` on that are no longer the file's.
pub(super) fn dirty_pages(base: *const u8, len: usize) -> DirtyPages {
    let mut dirty = DirtyPages::default();
    let mut entries = vec![0; 8 * (len / PAGE).min(65_536)];
    let mut first = 0;
    while first < len / PAGE {
        let count = (len / PAGE - first).min(65_536);
        let entries = &mut entries[..8 * count];
        let position = 8 * (base as usize / PAGE + first) as u64;
        pagemap()
            .and_then(|file| file.read_exact_at(entries, position).ok())
            .expect("pagemap was readable when images were chosen to be mapped");
        for (index, entry) in entries.chunks_exact(8).enumerate() {
            let entry = u64::from_le_bytes(entry.try_into().expect("eight bytes"));
            if entry & (PRESENT | SWAPPED) != 0 && entry & FILE_PAGE == 0 {
                dirty.push(first + index);
            }
        }
        first += count;
    }
    dirty
}

fn pagemap() -> Option<&'static File> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    FILE.get_or_init(|| File::open("/proc/self/pagemap").ok())
        .as_ref()
}

/// Tries it: exactly the page that is written must be seen to be.
fn works() -> bool {
    let trial = || -> Option<bool> {
        if rustix::param::page_size() != PAGE {
            return None;
        }
        let mut image = Image::create()?;
        image.write(0, &[1; 3 * PAGE]);
        // SAFETY: the reservation is fresh and only used here.
        unsafe {
            let base = mmap_anonymous(
                std::ptr::null_mut(),
                MAX,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
            .ok()?;
            let memory = base.cast::<u8>();
            let seen = image.map(memory, 4 * PAGE).ok().and_then(|()| {
                let read = memory.add(2 * PAGE).read_volatile();
                memory.add(PAGE).write_volatile(read + 1);
                let position = 8 * (memory as usize / PAGE) as u64;
                let mut entries = [0; 32];
                pagemap()?.read_exact_at(&mut entries, position).ok()?;
                Some(dirty_pages(memory, 4 * PAGE).runs)
            });
            munmap(base, MAX).ok()?;
            Some(seen?.as_slice() == std::slice::from_ref(&(1..2)))
        }
    };
    cfg!(target_endian = "little") && trial().unwrap_or(false)
}
