//! The lock: what is published takes effect some time after it was logged, so that those who depend on the site can
//! look at it first, and leave if they do not like it.
//!
//! ```text
//! publish, roll back ──► logged as scheduled, trees attached ──due──► live, by the first call after
//!                                                    └──► withdrawn
//! ```
//!
//! While there is a delay, or something is scheduled, the live site changes in no other way; while it is frozen, in none:
//! except for what pages are told of the environment, which controllers set. The lock guards itself: it is made stricter
//! at once, and laxer only after its own delay.

use super::{
    By, Entry, Kind, Next, Site, State,
    commit::RECLAIM_AT_LEAST,
    entry::lock_change,
    log::{Event, Release, check_note},
    remainder::GRACE,
};
use crate::{
    error::Error,
    storage::{Memory, StorageError},
};
use minicbor::{Decode, Encode};
use std::mem;

/// Nanoseconds that publications can be delayed at most: a year.
pub const MAX_DELAY: u64 = 365 * 24 * 3_600_000_000_000;

/// How the live site is guarded against its publishers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Lock {
    /// Nanoseconds from the entry in the log until it takes effect.
    #[n(0)]
    pub delay: u64,
    /// Nothing takes effect, and nothing can be scheduled.
    #[n(1)]
    pub is_frozen: bool,
}

/// A publication or a rollback that is logged and not in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Scheduled {
    /// The number of its entry in the log.
    #[n(0)]
    pub release: u64,
    /// From when on it is carried out, in nanoseconds since 1970.
    #[n(1)]
    pub due: u64,
    /// Of a rollback: the release that comes back.
    #[n(2)]
    pub to: Option<u64>,
}

/// The lock, and what waits because of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Guard {
    /// The lock in force.
    #[n(0)]
    pub lock: Lock,
    /// A laxer one, and from when on it is in force, in nanoseconds since 1970.
    #[n(1)]
    pub next: Option<(Lock, u64)>,
    /// What will be live.
    #[n(2)]
    pub scheduled: Option<Scheduled>,
}

impl Lock {
    /// Whether this lock allows nothing that the other one does not.
    fn is_as_strict_as(&self, other: &Self) -> bool {
        self.delay >= other.delay && (self.is_frozen || !other.is_frozen)
    }
}

impl Guard {
    /// Whether this may happen to the live site at once.
    pub(crate) fn check(&self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Birth | Event::Environment | Event::Settings(_) => Ok(()),
            Event::Publish { .. } | Event::Rollback { .. } | Event::Amendment => {
                let Lock { delay, is_frozen } = self.lock;
                match (is_frozen, delay) {
                    // What a lock that is gone still has waiting would undo it.
                    (true, _) | (false, 0) => self.check_free(),
                    (false, delay) => Err(Error::Locked { delay }),
                }
            }
        }
    }

    /// Whether nothing waits that will change the site, and something else may.
    pub(super) fn check_free(&self) -> Result<(), Error> {
        match self.scheduled {
            _ if self.lock.is_frozen => Err(Error::Frozen),
            Some(Scheduled { release, due, .. }) => Err(Error::ScheduledBefore { release, due }),
            None => Ok(()),
        }
    }
}

impl<M: Memory> Site<M> {
    /// The lock, and what waits because of it.
    pub fn guard(&self) -> Guard {
        self.state.log.guard
    }

    /// Sets the lock: at once if it is as strict as the one in force, and else after the delay of that one. Replaces a
    /// laxer one that waits.
    ///
    /// # Errors
    ///
    /// As [`check_lock`](Self::check_lock), or [`Error::Storage`]; nothing has changed then.
    pub fn set_lock(&mut self, lock: Lock, by: impl Into<By>) -> Result<(), Error> {
        let by = by.into();
        self.check_lock(lock)?;
        let before = self.guard();
        let mut other = before;
        if lock.is_as_strict_as(&before.lock) || before.lock.delay == 0 {
            (other.lock, other.next) = (lock, None);
        } else {
            let due = by.now.saturating_add(before.lock.delay);
            other.next = Some((lock, due));
        }
        self.set_guard(before, other, by)
    }

    /// Whether the lock can be this one.
    ///
    /// # Errors
    ///
    /// [`Error::DelayTooLong`], or [`Error::Importing`]: what is imported changes the site.
    pub fn check_lock(&self, lock: Lock) -> Result<(), Error> {
        if lock.delay > MAX_DELAY {
            return Err(Error::DelayTooLong { delay: lock.delay });
        }
        match self.importing() {
            None => Ok(()),
            Some(_) => Err(Error::Importing),
        }
    }

    fn set_guard(&mut self, before: Guard, mut other: Guard, by: By) -> Result<(), Error> {
        let change = lock_change(&before, &other);
        if change.is_empty() {
            return Ok(());
        }
        let change = format!("lock: {change}");
        Ok(self.set(by, Kind::Configuration { change }, |state| {
            mem::swap(&mut state.log.guard, &mut other);
        })?)
    }

    /// Lets what is scheduled never take effect. Returns the number of the entry that says so.
    ///
    /// # Errors
    ///
    /// As [`check_withdrawal`](Self::check_withdrawal), or [`Error::Storage`]; nothing has changed then.
    pub fn withdraw(&mut self, release: u64, note: &str, by: impl Into<By>) -> Result<u64, Error> {
        self.check_withdrawal(release, note)?;
        let by = by.into();
        let Self { store, state, .. } = self;
        let mut log = state.log.share(store);
        let kind = Kind::Withdrawal { of: release };
        let note = note.to_owned();
        let done = log
            .end_scheduled(store, release)
            .and_then(|()| log.record_about(store, &state.trees, by, kind, note));
        let next = Next {
            log: Some(log),
            ..Next::default()
        };
        self.conclude(done.map_err(Error::from), next, RECLAIM_AT_LEAST)?;
        Ok(self.log_length())
    }

    /// Whether [`withdraw`](Self::withdraw) would do so.
    ///
    /// # Errors
    ///
    /// [`Error::NotScheduled`] or [`Error::NoteTooLong`].
    pub fn check_withdrawal(&self, release: u64, note: &str) -> Result<(), Error> {
        check_note(note)?;
        match self.guard().scheduled {
            Some(scheduled) if scheduled.release == release => Ok(()),
            _ => Err(Error::NotScheduled { release }),
        }
    }

    /// Lets come into force what is due: a laxer lock, the end of what [goes on](super::GRACE) beside the site, and what
    /// is scheduled. Returns the number of the entry about what is live since. Costs next to nothing if nothing is due,
    /// and the same whatever is.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`]; nothing has changed then, or only the lock.
    pub fn carry_out(&mut self, now: u64) -> Result<Option<u64>, Error> {
        let before = self.guard();
        if let Some((lock, due)) = before.next
            && due <= now
        {
            let next = None;
            self.set_guard(
                before,
                Guard {
                    lock,
                    next,
                    ..before
                },
                now.into(),
            )?;
        }
        if self.last_change().saturating_add(GRACE) <= now {
            self.end_remainder()?;
        }
        let Guard {
            lock, scheduled, ..
        } = self.guard();
        let Some(Scheduled { release, to, .. }) =
            scheduled.filter(|scheduled| scheduled.due <= now && !lock.is_frozen)
        else {
            return Ok(None);
        };
        let corrupt = StorageError::Corrupt {
            structure: "log",
            at: release,
        };
        let leaf = self.state.log.leaf(&self.store, release);
        let leaf = leaf.ok_or(corrupt)?;
        let stored = leaf.attachment.get(1..).unwrap_or_default();
        let Entry {
            principal, note, ..
        } = Entry::of_cbor(&leaf.value)?;
        let by = By { principal, now };
        let event = match to {
            Some(to) => Event::Rollback { to, note },
            None => Event::Publish { note },
        };
        self.put_live(Release::of_attachment(stored)?, by, event, Some(release))
            .map(Some)
    }

    /// Makes trees of the log the live ones, which ends what is scheduled if it is that. Returns the number of the entry
    /// that says so.
    pub(super) fn put_live(
        &mut self,
        release: Release,
        by: By,
        event: Event,
        scheduled: Option<u64>,
    ) -> Result<u64, Error> {
        let Release { trees, cookie } = release;
        let Self { store, state, .. } = self;
        let mut log = state.log.share(store);
        let mut trees = trees.share(store);
        if !log.retention().answers_replaced {
            trees.remainder.end(store);
        }
        let done = match scheduled {
            Some(number) => log.end_scheduled(store, number),
            None => Ok(()),
        };
        let done = done.and_then(|()| log.record(store, state, &trees, by, event));
        if done.is_ok() {
            state.cookie = cookie;
            state.last_change = by.now;
        }
        let next = Next {
            trees: Some(trees),
            log: Some(log),
            ..Next::default()
        };
        self.conclude(done.map_err(Error::from), next, RECLAIM_AT_LEAST)?;
        Ok(self.live_release())
    }

    /// Logs that this release will be live, and closes the stage that it is of. Its trees are another's: this takes
    /// references of its own. Returns the number of the entry.
    pub(super) fn schedule(
        &mut self,
        release: &Release,
        to: Option<u64>,
        stage: Option<u64>,
        note: String,
        by: By,
    ) -> Result<u64, Error> {
        let Self { store, state, .. } = self;
        let mut log = state.log.share(store);
        let mut uploads = state.uploads.share(store);
        let number = log.last() + 1;
        let closed = stage.map_or(Ok(()), |stage| uploads.close_stage(store, stage, number));
        let done = closed.and_then(|()| log.schedule(store, &state.trees, release, to, by, note));
        let next = Next {
            uploads: Some(uploads),
            log: Some(log),
            ..Next::default()
        };
        self.conclude(done.map_err(Error::from), next, RECLAIM_AT_LEAST)?;
        Ok(number)
    }
}

impl State {
    /// Whether publications take effect later.
    pub(super) fn is_delayed(&self) -> bool {
        self.log.guard.lock.delay > 0
    }
}
