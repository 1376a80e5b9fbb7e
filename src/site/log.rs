//! The log: what was published, by whom and when, in a certified tree that only grows; and the releases that it
//! keeps, to come back to.
//!
//! ```text
//! releases:  number, 8 bytes big-endian, from 1 ► entry          certified
//!                                               ► trees, cookie  attached while the release is kept
//! ```
//!
//! The live trees belong to the last entry that is about them, and no leaf holds them. What publishes or rolls back
//! attaches them to that entry and so keeps them. To let go of a release, its leaf is replaced by one with the same
//! entry and nothing attached: what is certified does not change.
//!
//! Changes in place are one entry an hour, if one principal makes them and nothing else happens: the entry is
//! replaced by one that says how many there were.

use super::{
    By, Entry, Kind, State,
    environment::Cookie,
    from_cbor,
    lock::{Guard, Lock, Scheduled},
    store::{RELEASE, Store},
    to_cbor,
    trees::Trees,
};
use crate::{
    certification::Root,
    error::Error,
    storage::{Memory, StorageError},
    tree::{Labels, Leaf, Tree, TreeError},
};
use minicbor::{Decode, Encode};

/// How many releases are kept beside the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Retention {
    /// At most so many; none if 0.
    #[n(0)]
    pub releases: u32,
    /// None but the live one while all bodies and answers, those of the live site and of uploads included, take more
    /// bytes of stable memory than this. `None` is no bound.
    #[n(1)]
    pub bytes: Option<u64>,
    /// Whether the release that was replaced last goes on to answer for files whose names hold a hash, and for the rest
    /// of what somebody has begun to download: as long as it is kept, or for [`GRACE`](super::GRACE).
    #[n(2)]
    pub answers_replaced: bool,
}

/// Releases that can be kept at most.
pub const MAX_RETENTION: u32 = 100;

/// Releases beyond their number that one message lets go of at most.
const PRUNE: usize = 4;
/// Nanoseconds that an entry takes amendments.
const WINDOW: u64 = 3_600_000_000_000;

/// The log of a site.
#[derive(Debug)]
pub(crate) struct Log {
    tree: Tree,
    /// The entry that the live trees belong to; 0 if there is none.
    live: u64,
    /// The entries that trees are attached to, in their order.
    kept: Vec<u64>,
    retention: Retention,
    pub(super) guard: Guard,
    /// Of a copy: bytes that bodies and answers took before the change that it is for, if nothing waited to be freed
    /// then.
    taken: Option<u64>,
}

/// [`Log`] as stored.
#[derive(Encode, Decode)]
pub(super) struct Saved {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    tree: [u8; Tree::ENCODED],
    #[n(1)]
    live: u64,
    #[n(2)]
    kept: Vec<u64>,
    #[n(3)]
    retention: Retention,
    #[n(4)]
    guard: Guard,
}

/// A release that is kept.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) trees: Trees,
    pub(super) cookie: Cookie,
}

/// Why the live trees change, or what else is to be logged.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The site is made; that is not logged.
    Birth,
    Publish {
        note: String,
    },
    Rollback {
        to: u64,
        note: String,
    },
    Amendment,
    Environment,
    /// The live trees stay.
    Settings(Kind),
}

impl Retention {
    /// What is kept unless something else is set.
    pub const DEFAULT: Self = Self {
        releases: 10,
        bytes: None,
        answers_replaced: true,
    };

    /// Whether it can be set.
    ///
    /// # Errors
    ///
    /// [`Error::RetentionTooLarge`].
    pub fn check(&self) -> Result<(), Error> {
        match self.releases {
            ..=MAX_RETENTION => Ok(()),
            releases => Err(Error::RetentionTooLarge { releases }),
        }
    }
}

impl Release {
    /// The release in an attachment, without its tag. Its trees are the leaf's: this takes no references.
    pub(super) fn of_attachment(stored: &[u8]) -> Result<Self, StorageError> {
        let (trees, cookie) = stored.split_at_checked(Trees::ENCODED).ok_or(corrupt(0))?;
        let trees = Trees::decode(trees).ok_or(corrupt(0))?;
        Ok(Self {
            trees,
            cookie: from_cbor(cookie)?,
        })
    }

    fn attachment(trees: &Trees, cookie: &Cookie) -> Vec<u8> {
        [&[RELEASE], &trees.encode()[..], &to_cbor(cookie)].concat()
    }
}

impl Log {
    pub(super) const EMPTY: Self = Self {
        tree: Tree::EMPTY,
        live: 0,
        kept: Vec::new(),
        retention: Retention::DEFAULT,
        guard: Guard {
            lock: Lock {
                delay: 0,
                is_frozen: false,
            },
            next: None,
            scheduled: None,
        },
        taken: None,
    };

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The number of the last entry; 0 if there is none.
    pub(super) fn last(&self) -> u64 {
        self.tree.len().into()
    }

    pub(super) fn live(&self) -> u64 {
        self.live
    }

    pub(super) fn is_kept(&self, number: u64) -> bool {
        self.kept.contains(&number)
    }

    pub(super) fn retention(&self) -> Retention {
        self.retention
    }

    pub(super) fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// A copy to change beside this one. To be made before all else that a change does.
    pub(super) fn share<M: Memory>(&self, store: &mut Store<M>) -> Self {
        // How much a release frees is known when all of it is freed, and what the change itself leaves to be freed is
        // none of that.
        let is_known = store.forest.is_reclaimed();
        Self {
            taken: is_known.then(|| store.bodies.heap.taken()),
            tree: store.forest.share(&self.tree),
            kept: self.kept.clone(),
            ..*self
        }
    }

    /// Ends a copy, or what a copy replaced.
    pub(super) fn release<M: Memory>(self, store: &mut Store<M>) {
        store.forest.release(self.tree);
    }

    /// The release that was replaced last, if it is kept. Its trees are its leaf's: this takes no references.
    pub(super) fn replaced<M: Memory>(
        &self,
        store: &Store<M>,
    ) -> Result<Option<Release>, StorageError> {
        let Some(number) = self.kept.last() else {
            return Ok(None);
        };
        let leaf = self.leaf(store, *number).ok_or(corrupt(*number))?;
        let stored = leaf.attachment.get(1..).unwrap_or_default();
        Release::of_attachment(stored).map(Some)
    }

    /// The leaf of an entry.
    pub(super) fn leaf<M: Memory>(&self, store: &Store<M>, number: u64) -> Option<Leaf> {
        store.forest.get(&self.tree, &path(number))
    }

    /// Enters what has happened to the site with the state `before`, of which `next` are the trees now, sealed.
    pub(super) fn record<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        before: &State,
        next: &Trees,
        by: By,
        event: Event,
    ) -> Result<(), StorageError> {
        let mut note = String::new();
        let kind = match event {
            Event::Birth => return Ok(()),
            // Told once more what they know, or there are none.
            Event::Environment if next.answers.hash() == before.trees.answers.hash() => {
                return Ok(());
            }
            Event::Publish { note: words } => {
                self.keep(store, before)?;
                note = words;
                Kind::Publish
            }
            Event::Rollback { to, note: words } => {
                self.keep(store, before)?;
                // The live site is this release now, and is kept again when it is replaced.
                self.let_go(store, to)?;
                note = words;
                Kind::Rollback { to }
            }
            Event::Amendment => Kind::Amendment {
                since: by.now,
                changes: 1,
            },
            Event::Environment => Kind::Environment,
            Event::Settings(kind) => kind,
        };
        self.record_about(store, next, by, kind, note)
    }

    /// Enters this, when these are the live trees.
    pub(super) fn record_about<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        trees: &Trees,
        by: By,
        kind: Kind,
        note: String,
    ) -> Result<(), StorageError> {
        let is_about_live = kind.is_about_live();
        let root = trees.root(None)?;
        let mut entry = Entry {
            time: by.now,
            principal: by.principal,
            kind,
            site: root.site(),
            content: root.content(),
            assets: trees.assets.len(),
            bytes: trees.bytes,
            note,
        };
        let mut number = self.last() + 1;
        if let Kind::Amendment { .. } = entry.kind
            && let Some(kind) = self.continued(store, by)?
        {
            entry.kind = kind;
            number = self.last();
        }
        self.enter(store, number, &entry)?;
        if is_about_live {
            self.live = number;
        }
        self.prune(store)?;
        store.forest.seal(&mut self.tree);
        Ok(())
    }

    /// Enters that these trees will be live after those that are, and attaches them to the entry.
    pub(super) fn schedule<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        live: &Trees,
        release: &Release,
        to: Option<u64>,
        by: By,
        note: String,
    ) -> Result<(), StorageError> {
        let due = by.now.saturating_add(self.guard.lock.delay);
        let Release { trees, cookie } = release;
        let root = trees.root(None)?;
        let kind = Kind::Schedule {
            due,
            to,
            site: root.site(),
            content: root.content(),
        };
        self.record_about(store, live, by, kind, note)?;
        let release = self.last();
        let trees = trees.share(store);
        self.attach_trees(store, release, trees, cookie)?;
        self.guard.scheduled = Some(Scheduled { release, due, to });
        Ok(())
    }

    /// Lets go of what is scheduled, because it happens, or shall not.
    pub(super) fn end_scheduled<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        number: u64,
    ) -> Result<(), StorageError> {
        self.guard.scheduled = None;
        self.attach(store, number, b"")
    }

    /// The last entry with one more amendment, if it takes it.
    fn continued<M: Memory>(&self, store: &Store<M>, by: By) -> Result<Option<Kind>, StorageError> {
        let Some(leaf) = self.leaf(store, self.last()) else {
            return Ok(None);
        };
        let last = Entry::of_cbor(&leaf.value)?;
        Ok(match last.kind {
            Kind::Amendment { since, changes }
                if last.principal == by.principal && by.now.saturating_sub(since) < WINDOW =>
            {
                let changes = changes + 1;
                Some(Kind::Amendment { since, changes })
            }
            _ => None,
        })
    }

    /// Attaches the live trees, which are about to be replaced, to the entry that they belong to.
    fn keep<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        before: &State,
    ) -> Result<(), StorageError> {
        if self.live == 0 || self.retention.releases == 0 {
            return Ok(());
        }
        let trees = before.trees.share_release(store);
        self.attach_trees(store, self.live, trees, &before.cookie)?;
        self.kept.push(self.live);
        Ok(())
    }

    fn attach_trees<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        number: u64,
        trees: Trees,
        cookie: &Cookie,
    ) -> Result<(), StorageError> {
        let attachment = Release::attachment(&trees, cookie);
        // Its leaf takes over the references.
        self.attach(store, number, &attachment)
            .inspect_err(|_| trees.release(store))
    }

    /// Lets go of what is kept beyond the retention, or of some of it.
    fn prune<M: Memory>(&mut self, store: &mut Store<M>) -> Result<(), StorageError> {
        let Retention {
            releases, bytes, ..
        } = self.retention;
        let surplus = self.kept.len().saturating_sub(releases as usize);
        let is_large = bytes.is_some_and(|bytes| self.taken.is_some_and(|taken| taken > bytes));
        let is_large = is_large && !self.kept.is_empty();
        // One at a time, until it is known how much it has freed.
        let count = surplus.min(PRUNE).max(is_large.into());
        for _ in 0..count {
            self.let_go(store, self.kept[0])?;
        }
        Ok(())
    }

    fn let_go<M: Memory>(&mut self, store: &mut Store<M>, number: u64) -> Result<(), StorageError> {
        self.attach(store, number, b"")?;
        self.kept.retain(|kept| *kept != number);
        Ok(())
    }

    fn enter<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        number: u64,
        entry: &Entry,
    ) -> Result<(), StorageError> {
        store
            .forest
            .insert(&mut self.tree, &path(number), &entry.to_cbor(), b"")
            .map_err(|error| storage_error(number, error))
    }

    fn attach<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        number: u64,
        attachment: &[u8],
    ) -> Result<(), StorageError> {
        let attached = store
            .forest
            .attach(&mut self.tree, &path(number), attachment);
        match attached {
            Ok(true) => Ok(()),
            Ok(false) => Err(corrupt(number)),
            Err(error) => Err(storage_error(number, error)),
        }
    }

    /// Walks the whole log: no gap, no entry that cannot be read, and no release but those that are kept.
    pub(super) fn check<M: Memory>(&self, store: &Store<M>) -> Result<(), StorageError> {
        let mut number = 0;
        let mut kept = Vec::new();
        let mut broken = None;
        store.forest.page(&self.tree, 0, self.tree.len(), |leaf| {
            number += 1;
            if leaf.path != path(number) || Entry::of_cbor(&leaf.value).is_err() {
                broken = Some(number);
            }
            if !leaf.attachment.is_empty() {
                kept.push(number);
            }
        });
        let scheduled = self.guard.scheduled.map(|scheduled| scheduled.release);
        let mut expected: Vec<u64> = self.kept.iter().copied().chain(scheduled).collect();
        expected.sort_unstable();
        if kept != expected || self.is_kept(self.live) || self.live > number {
            broken = Some(self.live);
        }
        broken.map_or(Ok(()), |at| Err(corrupt(at)))
    }
}

impl From<&Log> for Saved {
    fn from(log: &Log) -> Self {
        Self {
            tree: log.tree.encode(),
            live: log.live,
            kept: log.kept.clone(),
            retention: log.retention,
            guard: log.guard,
        }
    }
}

impl From<Saved> for Log {
    fn from(saved: Saved) -> Self {
        Self {
            tree: Tree::decode(&saved.tree),
            live: saved.live,
            kept: saved.kept,
            retention: saved.retention,
            guard: saved.guard,
            taken: None,
        }
    }
}

impl State {
    /// The hashes that are certified.
    pub(super) fn root(&self) -> Result<Root, StorageError> {
        self.trees.root(self.log.tree.hash())
    }
}

/// Where an entry is in the tree.
pub(super) fn path(number: u64) -> Labels {
    Labels::new().with(&number.to_be_bytes())
}

/// Whether an entry may say this.
pub(super) fn check_note(note: &str) -> Result<(), Error> {
    match note.len() {
        length if length > super::MAX_NOTE => Err(Error::NoteTooLong { length }),
        _ => Ok(()),
    }
}

fn storage_error(number: u64, error: TreeError) -> StorageError {
    match error {
        TreeError::Storage(error) => error,
        // All paths have one label of one length, and there are fewer than 2³² of them.
        TreeError::Prefix { .. } | TreeError::TooDeep { .. } | TreeError::TooLong { .. } => {
            corrupt(number)
        }
    }
}

fn corrupt(at: u64) -> StorageError {
    StorageError::Corrupt {
        structure: "log",
        at,
    }
}
