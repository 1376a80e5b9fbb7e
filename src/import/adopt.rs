//! Making a site of a stable memory that holds an old state.

use super::{
    Import, ImportError, Pending, Settings, read_state,
    state::{Record, Rest},
    stream::Source,
    wire::Shape,
    without_cookie,
};
use crate::{
    error::Error,
    site::{BODY_UNIT, BUCKET, Memories, Site, Store, check_asset, check_encoding, to_cbor},
    storage::{Address, Heap, Memory, StorageError},
    tree::{Labels, Tree},
};
use ic_stable_structures::memory_manager::{MemoryManager, VirtualMemory};
use std::collections::BTreeMap;

const PAGE: u64 = 65_536;

/// Pages at the beginning of the old state that move to its end: one is the memory manager's, one the heap's.
const HEAD: u64 = 2;

/// Pages that an old state may have: it comes from a heap of 4 GiB, and is a block, whose length has 32 bits.
const MAX_PAGES: u64 = 65_535;

/// Refusals that an error names.
const NAMED: usize = 10;

impl<M: Memory> Site<VirtualMemory<M>> {
    /// Opens the site in a stable memory that it has to itself, or makes one: in a memory never used an empty
    /// one, in that of an asset canister of dfx one whose import has yet to be [continued](Self::import).
    ///
    /// # Errors
    ///
    /// [`Error::Import`] if the memory holds something else, or assets that no site may have; it is unchanged
    /// then. [`Error::Storage`] if it cannot grow.
    pub fn of_stable_memory(memory: M) -> Result<Self, Error> {
        match Memories::check_stable_memory(&memory) {
            Ok(()) => Self::open(Memories::of_stable_memory(memory)?),
            Err(_) => adopt(memory),
        }
    }
}

fn adopt<M: Memory>(memory: M) -> Result<Site<VirtualMemory<M>>, Error> {
    let Survey { rest, newest, .. } = Survey::of(&memory)?;
    let pages = memory.size().max(HEAD);
    let buckets = (pages + 1).div_ceil(BUCKET.into());
    ensure(&memory, 1 + buckets * u64::from(BUCKET))?;
    let mut head = vec![0; (HEAD * PAGE) as usize];
    memory.read(0, &mut head);
    memory.write(pages * PAGE, &head);

    let manager = MemoryManager::init_with_bucket_size(memory, BUCKET);
    let bodies = Memories::of_manager(&manager, 0).bodies;
    bodies.grow(pages + 1);
    Heap::around(bodies, BODY_UNIT)?;
    let mut site = Site::open(Memories::of_manager(&manager, 0))?;
    let (pending, shape) = index(&mut site.store, pages)?;
    site.state.access = rest.access;
    site.state.import = Some(Import {
        pending,
        pages,
        shape: shape.0,
        settings: Settings {
            limits: rest.limits,
            last_batch: rest.last_batch,
            last_change: rest.last_change.unwrap_or(newest),
        },
    });
    site.save()?;
    Ok(site)
}

fn ensure<M: Memory>(memory: &M, pages: u64) -> Result<(), StorageError> {
    let missing = pages.saturating_sub(memory.size());
    if memory.grow(missing) < 0 {
        return Err(StorageError::Full {
            needed: pages * PAGE,
        });
    }
    Ok(())
}

/// What a first reading of the old state finds.
#[derive(Default)]
struct Survey {
    rest: Rest,
    /// When content was last set.
    newest: u64,
    refused: BTreeMap<String, Error>,
    count: u64,
}

impl Survey {
    /// Reads all of it but the content.
    fn of<M: Memory>(memory: &M) -> Result<Self, ImportError> {
        let pages = memory.size();
        if pages > MAX_PAGES {
            return Err(ImportError::TooLarge { pages });
        }
        let mut survey = Self::default();
        let rest = read_state(&InPlace(memory), &mut |key, _, mut record| {
            without_cookie(&key, &mut record);
            survey.see(key, &record);
            Ok(())
        })?;
        if survey.count > 0 {
            return Err(ImportError::Refused {
                assets: survey.refused.into_values().collect(),
                count: survey.count,
            });
        }
        Ok(Self { rest, ..survey })
    }

    fn see(&mut self, key: String, record: &Record) {
        for content in record.encodings.values() {
            self.newest = self.newest.max(content.modified);
        }
        let checked = record
            .encodings
            .iter()
            .map(|(name, content)| check_encoding(&key, name, content.length()))
            .chain([check_asset(
                &key,
                &record.properties,
                record.encodings.len(),
            )])
            .collect::<Result<(), Error>>();
        if let Err(error) = checked {
            self.count += 1;
            if self.refused.len() < NAMED {
                self.refused.insert(key, error);
            }
        }
    }
}

/// Enters every asset of the old state, which has been surveyed, into an index.
fn index<M: Memory>(store: &mut Store<M>, pages: u64) -> Result<(Tree, Shape), Error> {
    let Store { forest, bodies } = store;
    let source = Moved {
        heap: &bodies.heap,
        pages,
    };
    let mut pending = Tree::EMPTY;
    let mut shape = Shape(0);
    let mut failed = None;
    read_state(&source, &mut |key, place, _| {
        shape = place.shape;
        let entry = to_cbor(&Pending {
            at: place.at,
            encodings: 0,
            batch: 0,
            parts: 0,
        });
        let label = Labels::new().with(key.as_bytes());
        if let Err(reason) = forest.insert(&mut pending, &label, &entry, b"") {
            failed.get_or_insert(Error::Tree { key, reason });
        }
        Ok(())
    })?;
    match failed {
        None => Ok((pending, shape)),
        Some(error) => Err(error),
    }
}

/// The old state where its canister left it.
struct InPlace<'m, M>(&'m M);

impl<M: Memory> Source for InPlace<'_, M> {
    fn length(&self) -> u64 {
        self.0.size() * PAGE
    }

    fn read(&self, at: u64, into: &mut [u8]) {
        self.0.read(at, into);
    }
}

/// The old state as a block of the bodies.
pub(super) struct Moved<'h, M> {
    pub(super) heap: &'h Heap<M>,
    pub(super) pages: u64,
}

/// Where the old state is.
pub(crate) const BLOCK: Address = Address(0);

impl<M: Memory> Source for Moved<'_, M> {
    fn length(&self) -> u64 {
        self.pages * PAGE
    }

    fn read(&self, at: u64, into: &mut [u8]) {
        // In the memory of bodies, which begins a page later.
        let (moved, stayed) = ((self.pages - 1) * PAGE, PAGE);
        let in_head = (HEAD * PAGE).saturating_sub(at).min(into.len() as u64) as usize;
        let (head, rest) = into.split_at_mut(in_head);
        let read = |at: u64, into: &mut [u8]| {
            let offset = at - Heap::<M>::CONTENT;
            self.heap.read(BLOCK, offset as u32, into);
        };
        if !head.is_empty() {
            read(moved + at, head);
        }
        if !rest.is_empty() {
            read(at + in_head as u64 - stayed, rest);
        }
    }
}
