//! Importing asset after asset, in as many messages as it takes.
//!
//! Small assets are committed in groups. Content of more than one part is uploaded part by part, in a batch, and
//! committed when all of it is there; so a step is never more than one part, or one commit.

use super::{
    BLOCK, Import, Pending, Place, Record, adopt::Moved, read_asset, state::Content as Found,
    wire::Shape, without_cookie,
};
use crate::{
    error::Error,
    http::UrlPath,
    site::{Content, Event, Operation, PART, Partition, SHIFTED, Site, from_cbor, to_cbor},
    storage::{Memory, StorageError},
    tree::Labels,
};
use candid::Principal;
use std::collections::BTreeSet;

/// What becomes of content that is not what its digest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// Nothing is imported: for an upgrade, which can still fail.
    Refuse,
    /// It is imported as it is.
    Keep,
}

/// How far an import is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Assets that are still to be imported. The import is done when there are none.
    pub left: u32,
    /// Keys whose content was not what its digest said, and was imported as it is.
    pub damaged: BTreeSet<String>,
}

/// Assets that are committed together, at most.
const GROUP: u32 = 64;

/// Instructions that an asset costs, whatever its content; that a byte costs to be copied and hashed; and that it
/// costs to be hashed once more, as one of a whole or of a part.
const ASSET: u64 = 5_000_000;
const BYTE: u64 = 90;
const BYTE_AGAIN: u64 = 80;

/// As late as time gets: a batch used then does not expire.
const FOREVER: u64 = u64::MAX;

/// An asset that is still to be imported.
struct Next {
    key: String,
    pending: Pending,
    record: Record,
}

impl<M: Memory> Site<M> {
    /// How many assets an import has left to do; `None` if there is no import.
    pub fn importing(&self) -> Option<u32> {
        self.state
            .import
            .as_ref()
            .map(|import| import.pending.len())
    }

    /// Goes on with an import, as long as `has_room` for so many more instructions; a step may take 37 billion. `now`
    /// is in nanoseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::HashMismatch`] for damaged content that is refused, [`Error::Tree`] if the answers of an asset do not
    /// fit into the tree, [`Error::Storage`] if there is no room for them. What was imported before stays.
    pub fn import(
        &mut self,
        now: u64,
        damaged: Damaged,
        has_room: &dyn Fn(u64) -> bool,
    ) -> Result<Progress, Error> {
        let mut progress = Progress::default();
        while let Some(import) = &self.state.import {
            let mut keys = Vec::new();
            self.store.forest.page(&import.pending, 0, GROUP, |leaf| {
                keys.push(
                    String::from_utf8_lossy(leaf.path.get(0).unwrap_or_default()).into_owned(),
                );
            });
            if keys.is_empty() {
                self.end_import()?;
                break;
            }
            let group = self.group(keys)?;
            if !has_room(group.iter().map(Next::cost).sum()) {
                break;
            }
            self.step(group, now, damaged, &mut progress)?;
        }
        progress.left = self.importing().unwrap_or(0);
        Ok(progress)
    }

    /// Imports what may answer a path, as far as `has_room`. Returns whether all of it is there.
    ///
    /// # Errors
    ///
    /// As [`import`](Self::import).
    pub(crate) fn import_for(
        &mut self,
        path: &UrlPath<'_>,
        now: u64,
        has_room: &dyn Fn(u64) -> bool,
    ) -> Result<bool, Error> {
        while let Some(key) = self.awaited(path)? {
            let group = self.group(vec![key])?;
            if !has_room(group.iter().map(Next::cost).sum()) {
                return Ok(false);
            }
            self.step(group, now, Damaged::Keep, &mut Progress::default())?;
        }
        Ok(true)
    }

    /// An asset that may answer a path and is not imported yet.
    pub(crate) fn awaited(&self, path: &UrlPath<'_>) -> Result<Option<String>, StorageError> {
        let Some(import) = &self.state.import else {
            return Ok(None);
        };
        for key in crate::site::keys_answering(path) {
            let label = Labels::new().with(key.as_bytes());
            if self.store.forest.get(&import.pending, &label).is_some() {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The first of these assets that are small, or the first one alone.
    fn group(&self, keys: Vec<String>) -> Result<Vec<Next>, Error> {
        let mut group: Vec<Next> = Vec::new();
        let mut bytes = 0;
        for key in keys {
            let next = self.next(key)?;
            bytes += next
                .record
                .encodings
                .values()
                .map(Found::length)
                .sum::<u64>();
            let fits = next.is_small() && bytes <= 2 * PART;
            if fits || group.is_empty() {
                group.push(next);
            }
            if !fits {
                break;
            }
        }
        Ok(group)
    }

    fn next(&self, key: String) -> Result<Next, Error> {
        let corrupt = StorageError::Corrupt {
            structure: "index of the import",
            at: 0,
        };
        let import = self.state.import.as_ref().ok_or(corrupt.clone())?;
        let label = Labels::new().with(key.as_bytes());
        let leaf = self
            .store
            .forest
            .get(&import.pending, &label)
            .ok_or(corrupt)?;
        let pending: Pending = from_cbor(&leaf.value)?;
        let place = Place {
            at: pending.at,
            shape: Shape(import.shape),
        };
        let mut record = read_asset(&self.old_state(import), place)?;
        without_cookie(&key, &mut record);
        Ok(Next {
            key,
            pending,
            record,
        })
    }

    /// Imports a group, or one part of a large asset.
    fn step(
        &mut self,
        group: Vec<Next>,
        now: u64,
        damaged: Damaged,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        loop {
            let done = match &group[..] {
                [next] if !next.is_small() => self.import_part(next, now, progress),
                _ => self.import_group(&group, now, progress),
            };
            match done {
                Err(Error::HashMismatch { key, .. }) if damaged == Damaged::Keep => {
                    progress.damaged.insert(key);
                }
                done => return done,
            }
        }
    }

    fn import_group(&mut self, group: &[Next], now: u64, progress: &Progress) -> Result<(), Error> {
        let mut operations = Vec::new();
        for next in group {
            operations.extend(next.creation());
            for (encoding, found) in &next.record.encodings {
                let content = Content {
                    rest: Some(self.part(found, 0)),
                    modified: Some(found.modified),
                    ..Content::default()
                };
                operations.push(next.set_content(encoding, found, content, progress));
            }
        }
        self.commit(operations, now)?;
        for next in group {
            self.imported(&next.key)?;
        }
        self.save()?;
        Ok(())
    }

    fn import_part(&mut self, next: &Next, now: u64, progress: &Progress) -> Result<(), Error> {
        let mut pending = next.pending;
        let Some((encoding, found)) = next.encoding() else {
            self.imported(&next.key)?;
            return Ok(self.save()?);
        };
        let last = partition_of(found).count() - 1;
        if u64::from(pending.parts) < last {
            if pending.batch == 0 {
                pending.batch = self.create_batch(Principal::management_canister(), now)?;
            }
            let part = self.part(found, pending.parts.into());
            match self.create_chunks(pending.batch, &[part], FOREVER) {
                Ok(_) => pending.parts += 1,
                // Someone dropped the batch: all over again.
                Err(Error::BatchNotFound { .. }) => (pending.batch, pending.parts) = (0, 0),
                Err(error) => return Err(error),
            }
        } else {
            let content = Content {
                chunks: (0..last)
                    .map(|number| pending.batch << 32 | number)
                    .collect(),
                held: Vec::new(),
                rest: Some(self.part(found, last)),
                modified: Some(found.modified),
            };
            let mut operations = Vec::new();
            if pending.encodings == 0 {
                operations.extend(next.creation());
            }
            operations.push(next.set_content(encoding, found, content, progress));
            match self.close_batch(pending.batch, operations, now.into(), Event::Amendment) {
                Ok(()) => pending.encodings += 1,
                Err(Error::ChunkNotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            (pending.batch, pending.parts) = (0, 0);
        }
        let label = Labels::new().with(next.key.as_bytes());
        if let Some(import) = &mut self.state.import {
            self.store
                .forest
                .insert(&mut import.pending, &label, &to_cbor(&pending), b"")
                .map_err(|reason| Error::Tree {
                    key: next.key.clone(),
                    reason,
                })?;
        }
        Ok(self.save()?)
    }

    /// Takes an asset off the index.
    fn imported(&mut self, key: &str) -> Result<(), Error> {
        let label = Labels::new().with(key.as_bytes());
        if let Some(import) = &mut self.state.import {
            self.store
                .forest
                .remove(&mut import.pending, &label)
                .map_err(|reason| Error::Tree {
                    key: key.to_owned(),
                    reason,
                })?;
        }
        Ok(())
    }

    /// Nothing is left to import: the old state goes.
    fn end_import(&mut self) -> Result<(), Error> {
        if let Some(import) = self.state.import.take() {
            let settings = import.settings;
            self.store.forest.release(import.pending);
            self.store.bodies.heap.free(BLOCK);
            self.state.last_change = settings.last_change;
            self.state
                .uploads
                .resume(settings.last_batch, settings.limits);
        }
        Ok(self.save()?)
    }

    fn old_state(&self, import: &Import) -> Moved<'_, M> {
        Moved {
            heap: &self.store.bodies.heap,
            pages: import.pages,
        }
    }

    /// Part of some content, as large as the parts that it is served in.
    fn part(&self, found: &Found, number: u64) -> Vec<u8> {
        let Some(import) = &self.state.import else {
            return Vec::new();
        };
        let source = self.old_state(import);
        let part = partition_of(found).range(number);
        let (from, to) = (part.start, part.end);
        let mut bytes = vec![0; (to - from) as usize];
        let (mut start, mut filled) = (0, 0);
        for chunk in &found.chunks {
            let end = start + chunk.length;
            let (first, last) = (from.max(start), to.min(end));
            if first < last {
                let slice = &mut bytes[filled..filled + (last - first) as usize];
                super::Source::read(&source, chunk.at + (first - start), slice);
                filled += slice.len();
            }
            start = end;
        }
        bytes
    }
}

impl Next {
    /// True if no encoding has more than one part.
    fn is_small(&self) -> bool {
        self.record
            .encodings
            .values()
            .all(|found| partition_of(found).count() == 1)
    }

    /// The encoding that a large asset is at.
    fn encoding(&self) -> Option<(&String, &Found)> {
        self.record
            .encodings
            .iter()
            .nth(self.pending.encodings as usize)
    }

    /// About how many instructions the next step takes.
    fn cost(&self) -> u64 {
        let length = |found: &Found| found.length();
        if self.is_small() {
            return ASSET + BYTE * self.record.encodings.values().map(length).sum::<u64>();
        }
        match self.encoding() {
            Some((_, found))
                if u64::from(self.pending.parts) + 1 == partition_of(found).count() =>
            {
                // If it is damaged, its parts are others.
                let length = found.length();
                ASSET + BYTE * PART + BYTE_AGAIN * length.max(2 * length.min(SHIFTED))
            }
            _ => ASSET + BYTE * PART,
        }
    }

    /// The asset without its content, in the place of what may be there.
    fn creation(&self) -> [Operation; 2] {
        let key = self.key.clone();
        let properties = self.record.properties.clone();
        [
            Operation::Delete { key: key.clone() },
            Operation::Create { key, properties },
        ]
    }

    fn set_content(
        &self,
        encoding: &str,
        found: &Found,
        content: Content,
        progress: &Progress,
    ) -> Operation {
        let is_damaged = progress.damaged.contains(&self.key);
        Operation::SetContent {
            key: self.key.clone(),
            encoding: encoding.to_owned(),
            content,
            sha256: (!is_damaged).then(|| found.sha256.to_vec()),
        }
    }
}

/// The parts that content is imported in, which are those that it is served in: their hashes are known then.
fn partition_of(found: &Found) -> Partition {
    Partition::of(&found.sha256, found.length())
}
