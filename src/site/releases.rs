//! Releases: what the log shows of them, coming back to one, and how many are kept.

use super::{
    Asset, By, Entry, Kind, Site, State,
    commit::RECLAIM_AT_LEAST,
    entry::{access_change, limits_change, retention_change},
    log::{self, Event, Release, Retention},
};
use crate::{
    access::Access,
    error::Error,
    storage::{Memory, StorageError},
    upload::Limits,
};
use std::mem;

/// An entry of the log, as [`Site::log`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its number, from 1.
    pub number: u64,
    /// What it says.
    pub entry: Entry,
    /// The same as it is certified, below `hallmark`, `releases` and the number as 8 bytes big-endian.
    pub certified: Vec<u8>,
    /// Whether [`Site::rollback`] can bring it back.
    pub is_kept: bool,
}

impl<M: Memory> Site<M> {
    /// Up to `limit` entries of the log, the newest first, from number `start` on back. Work is proportional to the
    /// entries returned.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first entry that cannot be read.
    pub fn log(&self, start: u64, limit: u32) -> Result<Vec<Logged>, StorageError> {
        let log = &self.state.log;
        let newest = start.min(log.last());
        let oldest = newest.saturating_sub(limit.into());
        let mut leaves = Vec::new();
        let count = (newest - oldest) as u32;
        self.store
            .forest
            .page(log.tree(), oldest as u32, count, |leaf| leaves.push(leaf));
        let numbered = leaves.into_iter().rev().zip((0..=newest).rev());
        numbered
            .map(|(leaf, number)| {
                Ok(Logged {
                    number,
                    entry: Entry::of_cbor(&leaf.value)?,
                    certified: leaf.value,
                    is_kept: log.is_kept(number),
                })
            })
            .collect()
    }

    /// How many entries the log has; the last one has this number.
    pub fn log_length(&self) -> u64 {
        self.state.log.last()
    }

    /// The entry that says what is live: the last one that is about the site itself. 0 if there is none.
    pub fn live_release(&self) -> u64 {
        self.state.log.live()
    }

    /// A witness, as self-described CBOR, of these entries, and that there is none after the last of all.
    ///
    /// While parts of what was replaced are certified beside the answers of the site, it shows those, and for a path that
    /// is gone the answers of its wildcard, at both places: without them the hash of `http_expr` is the site hash. It shows
    /// that the site has nothing there, too.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first answer that cannot be read.
    pub fn log_witness(
        &self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Result<Vec<u8>, StorageError> {
        let Self { store, state, .. } = self;
        let State { trees, log, .. } = state;
        let extra = trees.remainder.extra(store, &trees.answers)?;
        let paths: Vec<_> = numbers
            .into_iter()
            .chain([log.last() + 1])
            .map(log::path)
            .collect();
        Ok(self.root.log_witness(
            |cbor| store.forest.witness(log.tree(), &paths, cbor),
            |cbor| store.forest.witness_of_leaves(trees.served(), &extra, cbor),
        ))
    }

    /// The first bytes of the parts that are certified beside the answers of the site, in order: of all those of what was
    /// replaced, as soon as there is one.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] at the first answer that cannot be read.
    pub fn parts_beside(&self) -> Result<Vec<u64>, StorageError> {
        let State { trees, .. } = &self.state;
        let first_bytes = trees.remainder.first_bytes(&self.store, &trees.answers)?;
        Ok(first_bytes.into_iter().collect())
    }

    /// Makes an earlier release the live one, in constant work, and keeps the one that was. Returns the number of the
    /// entry that says so, which what came back belongs to from now on. Answers are those that the release had, byte
    /// for byte, what its pages were told of the environment included; what publishes next tells them anew if that has
    /// changed. With a [`Lock`](super::Lock) that delays it, this only schedules it.
    ///
    /// # Errors
    ///
    /// [`Error::ReleaseNotFound`], [`Error::ReleaseLive`], [`Error::ReleaseNotKept`], [`Error::NoteTooLong`],
    /// [`Error::Frozen`], [`Error::ScheduledBefore`] or [`Error::Storage`]; nothing has changed then.
    pub fn rollback(&mut self, to: u64, note: &str, by: impl Into<By>) -> Result<u64, Error> {
        self.check_rollback(to, note)?;
        let release = self.kept_release(to)?;
        let (by, note) = (by.into(), note.to_owned());
        if self.state.is_delayed() {
            return self.schedule(&release, Some(to), None, note, by);
        }
        self.put_live(release, by, Event::Rollback { to, note }, None)
    }

    /// Whether [`rollback`](Self::rollback) would bring this back, or schedule it.
    ///
    /// # Errors
    ///
    /// As [`rollback`](Self::rollback).
    pub fn check_rollback(&self, to: u64, note: &str) -> Result<(), Error> {
        log::check_note(note)?;
        self.kept_release(to)?;
        self.guard().check_free()
    }

    /// A release that can come back. Its trees are the log's: this takes no references.
    fn kept_release(&self, number: u64) -> Result<Release, Error> {
        match self.attached(number)? {
            Some(release) if self.state.log.is_kept(number) => Ok(release),
            _ if self.is_live(number)? => Err(Error::ReleaseLive { release: number }),
            _ => Err(Error::ReleaseNotKept { release: number }),
        }
    }

    /// What is attached to an entry: a release that is kept or scheduled.
    fn attached(&self, number: u64) -> Result<Option<Release>, Error> {
        let leaf = self.state.log.leaf(&self.store, number);
        let leaf = leaf.ok_or(Error::ReleaseNotFound { release: number })?;
        let stored = leaf.attachment.split_first();
        Ok(stored
            .map(|(_, stored)| Release::of_attachment(stored))
            .transpose()?)
    }

    /// Whether what is live is this release, published or come back.
    fn is_live(&self, number: u64) -> Result<bool, Error> {
        let log = &self.state.log;
        if number == log.live() {
            return Ok(true);
        }
        let Some(leaf) = log.leaf(&self.store, log.live()) else {
            return Ok(false);
        };
        let kind = Entry::of_cbor(&leaf.value)?.kind;
        Ok(matches!(kind, Kind::Rollback { to } if to == number))
    }

    /// As [`visit_assets`](Self::visit_assets), of a release that is live, kept or scheduled.
    ///
    /// # Errors
    ///
    /// [`Error::ReleaseNotFound`], [`Error::ReleaseNotKept`], or [`Error::Storage`] at the first record that cannot be
    /// read.
    pub fn visit_assets_of(
        &self,
        release: u64,
        start: u32,
        limit: u32,
        visit: impl FnMut(String, Asset),
    ) -> Result<(), Error> {
        let attached = self.attached(release)?;
        if attached.is_none() && !self.is_live(release)? {
            return Err(Error::ReleaseNotKept { release });
        }
        let live = &self.state.trees.assets;
        let assets = attached
            .as_ref()
            .map_or(live, |release| &release.trees.assets);
        Ok(self.visit_tree(assets, start, limit, visit)?)
    }

    /// How many releases are kept beside the live one.
    pub fn retention(&self) -> Retention {
        self.state.log.retention()
    }

    /// Sets how many releases are kept beside the live one, [`MAX_RETENTION`](super::MAX_RETENTION) at most. What is kept beyond is let go of
    /// with this and the next changes, oldest first: a few releases with each change if they are too many, one if they
    /// are too large.
    ///
    /// # Errors
    ///
    /// [`Error::RetentionTooLarge`] or [`Error::Storage`]; nothing has changed then.
    pub fn set_retention(&mut self, retention: Retention, by: impl Into<By>) -> Result<(), Error> {
        retention.check()?;
        let change = retention_change(self.retention(), retention);
        if change.is_empty() {
            return Ok(());
        }
        let change = format!("retention: {change}");
        let mut other = retention;
        let exchange = |state: &mut State| {
            let set = mem::replace(&mut other, state.log.retention());
            state.log.set_retention(set);
        };
        self.set(by.into(), Kind::Configuration { change }, exchange)?;
        if !retention.answers_replaced {
            self.end_remainder()?;
        }
        Ok(())
    }

    /// Changes who may do what.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`] if there is no room for it; nothing has changed then.
    pub fn change_access(
        &mut self,
        change: impl FnOnce(&mut Access),
        by: impl Into<By>,
    ) -> Result<(), StorageError> {
        let mut other = self.state.access.clone();
        change(&mut other);
        let change = access_change(&self.state.access, &other);
        if change.is_empty() {
            return Ok(());
        }
        self.set(by.into(), Kind::Permissions { change }, |state| {
            mem::swap(&mut state.access, &mut other);
        })
    }

    /// Sets the bounds on what may wait to be committed. What waits already may exceed them.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`]; nothing has changed then.
    pub fn set_limits(&mut self, limits: Limits, by: impl Into<By>) -> Result<(), Error> {
        let change = limits_change(self.limits(), limits);
        if change.is_empty() {
            return Ok(());
        }
        let mut other = limits;
        let kind = Kind::Configuration { change };
        Ok(self.set(by.into(), kind, |state| {
            mem::swap(state.uploads.limits_mut(), &mut other);
        })?)
    }

    /// Changes a setting and logs it. `exchange` puts the new value in the place of the old one, and when called
    /// again, the old one back.
    pub(super) fn set(
        &mut self,
        by: By,
        kind: Kind,
        mut exchange: impl FnMut(&mut State),
    ) -> Result<(), StorageError> {
        // First, so that a log that is replaced is never given up without being written.
        exchange(&mut self.state);
        let Self { store, state, .. } = self;
        let mut log = state.log.share(store);
        let recorded = log.record(store, state, &state.trees, by, Event::Settings(kind));
        let saved = recorded.and_then(|()| {
            mem::swap(&mut log, &mut self.state.log);
            self.save()
                .inspect_err(|_| mem::swap(&mut log, &mut self.state.log))
        });
        if saved.is_err() {
            exchange(&mut self.state);
        } else {
            self.root = self.state.root()?;
        }
        log.release(&mut self.store);
        self.free(RECLAIM_AT_LEAST)?;
        saved
    }
}
