//! The heap of a canister between messages.
//!
//! An instance lives for one message. Its memory starts as the image kept
//! here; when the message succeeds, the pages it wrote become part of the
//! image, and when it fails, the instance is dropped and that was all.
//!
//! On Linux the image is a memory file that is mapped copy-on-write into each
//! instance, so starting a message copies nothing and the kernel knows which
//! pages were written ([`mapped`]). Elsewhere, and where the kernel does not
//! tell, images are copied and compared ([`copied`]).

mod copied;
#[cfg(target_os = "linux")]
mod mapped;

use wasmtime::{AsContextMut, Memory};

/// The unit in which writes are noticed, kept and charged for.
pub(crate) const PAGE: usize = 4096;
const WASM_PAGE: u64 = 65_536;

/// What a heap holds between messages.
#[derive(Debug)]
pub(crate) struct HeapImage {
    bytes: usize,
    content: Content,
}

#[derive(Debug)]
enum Content {
    #[cfg(target_os = "linux")]
    Mapped(mapped::Image),
    Copied(copied::Image),
}

/// The heap of an instance, started from an image.
#[derive(Debug)]
pub(crate) struct LoadedHeap {
    memory: Memory,
}

impl HeapImage {
    /// A heap of this many 64 KiB pages of zeros.
    pub(crate) fn new(wasm_pages: u64) -> Self {
        #[cfg(target_os = "linux")]
        let content = mapped::Image::new().map_or_else(Content::copied, Content::Mapped);
        #[cfg(not(target_os = "linux"))]
        let content = Content::copied();
        Self {
            bytes: (wasm_pages * WASM_PAGE) as usize,
            content,
        }
    }

    /// Size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Writes an initial data segment; `None` if it does not fit.
    pub(crate) fn initialise(&mut self, offset: usize, segment: &[u8]) -> Option<()> {
        let end = offset.checked_add(segment.len())?;
        if end > self.bytes {
            return None;
        }
        match &mut self.content {
            #[cfg(target_os = "linux")]
            Content::Mapped(image) => image.write(offset, segment),
            Content::Copied(image) => image.write(offset, segment),
        }
        Some(())
    }

    /// Makes the memory of a fresh instance this heap.
    pub(crate) fn load(
        &self,
        memory: Memory,
        mut store: impl AsContextMut,
    ) -> wasmtime::Result<LoadedHeap> {
        let missing = (self.bytes as u64).saturating_sub(memory.data_size(&store) as u64);
        memory.grow(&mut store, missing / WASM_PAGE)?;
        let base = memory.data_ptr(&store);
        match &self.content {
            #[cfg(target_os = "linux")]
            // SAFETY: `base` is the memory of an instance that has not run, in a
            // reservation of 4 GiB (the engine's configuration) that only
            // wasmtime's `munmap` and `mprotect` touch.
            Content::Mapped(image) => unsafe { image.map(base, memory.data_size(&store))? },
            // SAFETY: as above; nothing else refers to these bytes now.
            Content::Copied(image) => unsafe { image.copy_to(base) },
        }
        Ok(LoadedHeap { memory })
    }

    /// How many pages a message wrote, and where they are.
    pub(crate) fn dirty_pages(&self, heap: &LoadedHeap, store: impl AsContextMut) -> DirtyPages {
        let (base, len) = heap.extent(store);
        match &self.content {
            #[cfg(target_os = "linux")]
            Content::Mapped(_) => mapped::dirty_pages(base, len),
            // SAFETY: the memory lives as long as its store and nothing runs now.
            Content::Copied(image) => {
                image.differences(unsafe { std::slice::from_raw_parts(base, len) })
            }
        }
    }

    /// Takes over the pages a message wrote.
    pub(crate) fn commit(
        &mut self,
        heap: &LoadedHeap,
        dirty: &DirtyPages,
        store: impl AsContextMut,
    ) {
        let (base, len) = heap.extent(store);
        // SAFETY: as in `dirty_pages`.
        let memory = unsafe { std::slice::from_raw_parts(base, len) };
        for run in &dirty.runs {
            let start = run.start * PAGE;
            let bytes = &memory[start..(run.end * PAGE).min(len)];
            match &mut self.content {
                #[cfg(target_os = "linux")]
                Content::Mapped(image) => image.write(start, bytes),
                Content::Copied(image) => image.write(start, bytes),
            }
        }
        self.bytes = len;
    }

    /// A copy to start from elsewhere.
    pub(crate) fn duplicate(&self) -> Self {
        let mut copy = Self::new(self.bytes as u64 / WASM_PAGE);
        let bytes = self.to_bytes();
        for (index, page) in bytes.chunks(PAGE).enumerate() {
            if page.iter().any(|byte| *byte != 0) {
                copy.initialise(index * PAGE, page);
            }
        }
        copy
    }

    /// All of it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.bytes];
        match &self.content {
            #[cfg(target_os = "linux")]
            Content::Mapped(image) => image.read(&mut bytes),
            Content::Copied(image) => image.read(&mut bytes),
        }
        bytes
    }
}

impl Content {
    fn copied() -> Self {
        Self::Copied(copied::Image::default())
    }
}

impl LoadedHeap {
    fn extent(&self, store: impl AsContextMut) -> (*const u8, usize) {
        (
            self.memory.data_ptr(&store).cast_const(),
            self.memory.data_size(&store),
        )
    }
}

/// Pages written to, as ascending runs of page numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DirtyPages {
    runs: Vec<std::ops::Range<usize>>,
}

impl DirtyPages {
    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.runs.iter().map(|run| run.len() as u64).sum()
    }

    fn push(&mut self, page: usize) {
        match self.runs.last_mut() {
            Some(run) if run.end == page => run.end += 1,
            _ => self.runs.push(page..page + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Engine, MemoryType, Store};

    use super::*;

    fn engine() -> Engine {
        Engine::new(Config::new().memory_may_move(false)).unwrap()
    }

    fn images() -> Vec<HeapImage> {
        vec![
            HeapImage::new(2),
            HeapImage {
                bytes: 2 * WASM_PAGE as usize,
                content: Content::copied(),
            },
        ]
    }

    fn loaded(engine: &Engine, image: &HeapImage) -> (Store<()>, Memory, LoadedHeap) {
        let mut store = Store::new(engine, ());
        let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
        let heap = image.load(memory, &mut store).unwrap();
        (store, memory, heap)
    }

    #[test]
    fn written_pages_are_found_and_kept_by_a_commit_only() {
        let engine = engine();
        for mut image in images() {
            image.initialise(5_000, b"segment").unwrap();
            for keep in [false, true, true] {
                let (mut store, memory, heap) = loaded(&engine, &image);
                assert_eq!(&memory.data(&store)[5_000..5_007], b"segment");
                assert_eq!(image.dirty_pages(&heap, &mut store), DirtyPages::default());
                let seen = memory.data(&store)[100];
                memory.data_mut(&mut store)[100] = seen + 1;
                memory.data_mut(&mut store)[8_191] = seen + 1;
                memory.data_mut(&mut store)[70_000] = seen + 1;
                let dirty = image.dirty_pages(&heap, &mut store);
                assert_eq!(dirty.runs, [0..2, 17..18], "{image:?}");
                if keep {
                    image.commit(&heap, &dirty, &mut store);
                }
            }
            assert_eq!(image.to_bytes()[100], 2, "{image:?}");
            assert_eq!(image.to_bytes(), image.duplicate().to_bytes());
        }
    }

    #[test]
    fn growth_is_kept_by_a_commit_only() {
        let engine = engine();
        for mut image in images() {
            for keep in [false, true, true] {
                let before = image.len();
                let (mut store, memory, heap) = loaded(&engine, &image);
                memory.grow(&mut store, 1).unwrap();
                *memory.data_mut(&mut store).last_mut().unwrap() = 9;
                let dirty = image.dirty_pages(&heap, &mut store);
                assert_eq!(dirty.count(), 1, "{image:?}");
                if keep {
                    image.commit(&heap, &dirty, &mut store);
                    assert_eq!(image.to_bytes()[before..].last(), Some(&9));
                }
            }
            assert_eq!(image.len(), 4 * WASM_PAGE as usize);
        }
    }

    /// As on the Internet Computer; copied images cannot tell.
    #[cfg(target_os = "linux")]
    #[test]
    fn mapped_images_notice_writes_that_change_nothing() {
        let image = HeapImage::new(2);
        if let Content::Mapped(_) = image.content {
            let engine = engine();
            let (mut store, memory, heap) = loaded(&engine, &image);
            memory.data_mut(&mut store)[5_000] = 0;
            assert_eq!(image.dirty_pages(&heap, &mut store).count(), 1);
        }
    }

    #[test]
    fn a_segment_has_to_fit() {
        for mut image in images() {
            assert!(image.initialise(131_071, &[1, 2]).is_none());
            assert!(image.initialise(usize::MAX, &[1, 2]).is_none());
            assert!(image.initialise(131_072, &[]).is_some());
        }
    }
}
