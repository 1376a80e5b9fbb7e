//! The lock: publications that take effect later.

use super::{ValidationResult, validation::with_note};
use crate::{
    site::{self, Site},
    storage::Memory,
};
use candid::{CandidType, Deserialize};

const SECOND: u64 = 1_000_000_000;

/// How the live site is guarded; argument of `set_lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub struct Lock {
    /// Seconds from the entry in the log until it takes effect.
    pub delay: u64,
    /// Nothing takes effect.
    pub frozen: bool,
}

/// A laxer lock, that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub struct NextLock {
    /// The lock.
    pub lock: Lock,
    /// From when on it is in force, in nanoseconds since 1970.
    pub due: u64,
}

/// What will be live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub struct Scheduled {
    /// The number of its entry in the log.
    pub release: u64,
    /// From when on it is carried out, in nanoseconds since 1970.
    pub due: u64,
}

/// Reply of `lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub struct LockResponse {
    /// The lock in force.
    pub lock: Lock,
    /// One that waits.
    pub next: Option<NextLock>,
    /// What is scheduled.
    pub scheduled: Option<Scheduled>,
}

/// Argument of `withdraw`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct WithdrawArguments {
    /// What shall not take effect.
    pub release: u64,
    /// What the log shall say of it.
    pub note: Option<String>,
}

impl Lock {
    /// What `set_lock` would do to this site, or why it would be refused.
    pub fn validate<M: Memory>(&self, site: &Site<M>) -> ValidationResult {
        let Self { delay, frozen } = self;
        let state = if *frozen { "freeze" } else { "do not freeze" };
        let words = format!("{state} the site, and let publications take effect after {delay} s");
        site.check_lock((*self).into()).map(|()| words).into()
    }
}

impl WithdrawArguments {
    /// What `withdraw` would do to this site, or why it would be refused.
    pub fn validate<M: Memory>(&self, site: &Site<M>) -> ValidationResult {
        let Self { release, note } = self;
        let note = note.as_deref().unwrap_or_default();
        let checked = site.check_withdrawal(*release, note);
        let words = with_note(format!("withdraw release {release}"), note);
        checked.map(|()| words).into()
    }
}

impl From<Lock> for site::Lock {
    fn from(lock: Lock) -> Self {
        Self {
            delay: lock.delay.saturating_mul(SECOND),
            is_frozen: lock.frozen,
        }
    }
}

impl From<site::Lock> for Lock {
    fn from(lock: site::Lock) -> Self {
        Self {
            delay: lock.delay / SECOND,
            frozen: lock.is_frozen,
        }
    }
}

impl From<site::Guard> for LockResponse {
    fn from(guard: site::Guard) -> Self {
        let next = |(lock, due): (site::Lock, u64)| NextLock {
            lock: lock.into(),
            due,
        };
        let scheduled = |scheduled: site::Scheduled| Scheduled {
            release: scheduled.release,
            due: scheduled.due,
        };
        Self {
            lock: guard.lock.into(),
            next: guard.next.map(next),
            scheduled: guard.scheduled.map(scheduled),
        }
    }
}
