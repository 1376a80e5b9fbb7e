//! Entries of the log: what happened to the site, as it is certified.
//!
//! ```text
//! CBOR [time, principal, kind, site hash, content hash, assets, bytes, note, release, since, changes, words, due,
//!       next site hash, next content hash]
//! ```
//!
//! The kind is a word, and what it has no use for is null or, at the end, left out. Readers skip what comes after
//! what they know, and kinds that they do not know.

use crate::{
    access::{Access, Permission},
    site::{Guard, Lock, Retention, from_cbor, to_cbor},
    storage::StorageError,
    tree::Hash,
    upload::Limits,
};
use candid::Principal;
use minicbor::{Decode, Encode};
use std::fmt::Write;

/// Bytes that the note of an entry may have.
pub const MAX_NOTE: usize = 1000;

/// Changes that an entry names; of more it says how many.
const NAMED: usize = 8;

/// Who changes the site, and when.
///
/// A time alone is a change that the canister makes of its own accord: the log names the management canister,
/// `aaaaa-aa`, for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub principal: Principal,
    /// When, in nanoseconds since 1970.
    pub now: u64,
}

impl From<u64> for By {
    fn from(now: u64) -> Self {
        Self {
            principal: Principal::management_canister(),
            now,
        }
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it happened, or the last of it, in nanoseconds since 1970.
    pub time: u64,
    /// Who did it.
    pub principal: Principal,
    /// What happened.
    pub kind: Kind,
    /// The site hash from then on.
    pub site: Hash,
    /// The content hash from then on; `None` if there was no asset.
    pub content: Option<Hash>,
    /// How many assets there were.
    pub assets: u32,
    /// Bytes of their content, in all encodings.
    pub bytes: u64,
    /// What the one who did it had to say.
    pub note: String,
}

/// What an entry of the log is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The site was replaced as a whole: a batch was closed, a proposal carried out, everything taken away.
    Publish,
    /// An earlier release came back.
    Rollback {
        /// Its number.
        to: u64,
    },
    /// The site was changed in place, by single calls or by commits of no batch.
    Amendment {
        /// When the first of them was, in nanoseconds since 1970.
        since: u64,
        /// How many there were.
        changes: u64,
    },
    /// Pages were told of another environment.
    Environment,
    /// Permissions were granted or revoked.
    Permissions {
        /// Which, in words.
        change: String,
    },
    /// A setting was changed.
    Configuration {
        /// Which, in words.
        change: String,
    },
    /// A publication or a rollback was scheduled.
    Schedule {
        /// When it will be carried out, or later, in nanoseconds since 1970.
        due: u64,
        /// Of a rollback: the number of the release that will come back.
        to: Option<u64>,
        /// The site hash from then on.
        site: Hash,
        /// The content hash from then on; `None` if there is no asset.
        content: Option<Hash>,
    },
    /// What was scheduled will not happen.
    Withdrawal {
        /// The number of its entry.
        of: u64,
    },
    /// Something that this version does not know.
    Unknown {
        /// Its name.
        kind: String,
    },
}

impl Kind {
    /// Its name in the log.
    pub fn name(&self) -> &str {
        match self {
            Self::Publish => "publish",
            Self::Rollback { .. } => "rollback",
            Self::Amendment { .. } => "amendment",
            Self::Environment => "environment",
            Self::Permissions { .. } => "permissions",
            Self::Configuration { .. } => "configuration",
            Self::Schedule { .. } => "schedule",
            Self::Withdrawal { .. } => "withdrawal",
            Self::Unknown { kind } => kind,
        }
    }

    /// Whether it changed what is live.
    pub fn is_about_live(&self) -> bool {
        match self {
            Self::Publish
            | Self::Rollback { .. }
            | Self::Amendment { .. }
            | Self::Environment
            | Self::Unknown { .. } => true,
            Self::Permissions { .. }
            | Self::Configuration { .. }
            | Self::Schedule { .. }
            | Self::Withdrawal { .. } => false,
        }
    }
}

#[derive(Default, Encode, Decode)]
struct Certified {
    #[n(0)]
    time: u64,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    principal: Vec<u8>,
    #[n(2)]
    kind: String,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    site: Hash,
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    content: Option<Hash>,
    #[n(5)]
    assets: u32,
    #[n(6)]
    bytes: u64,
    #[n(7)]
    note: String,
    #[n(8)]
    release: Option<u64>,
    #[n(9)]
    since: Option<u64>,
    #[n(10)]
    changes: Option<u64>,
    #[n(11)]
    words: Option<String>,
    #[n(12)]
    due: Option<u64>,
    #[n(13)]
    #[cbor(with = "minicbor::bytes")]
    next_site: Option<Hash>,
    #[n(14)]
    #[cbor(with = "minicbor::bytes")]
    next_content: Option<Hash>,
}

impl Entry {
    /// The entry as it is certified.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut certified = Certified {
            time: self.time,
            principal: self.principal.as_slice().to_vec(),
            kind: self.kind.name().to_owned(),
            site: self.site,
            content: self.content,
            assets: self.assets,
            bytes: self.bytes,
            note: self.note.clone(),
            ..Certified::default()
        };
        match &self.kind {
            Kind::Publish | Kind::Environment | Kind::Unknown { .. } => {}
            Kind::Rollback { to } => certified.release = Some(*to),
            Kind::Schedule {
                due,
                to,
                site,
                content,
            } => {
                (certified.due, certified.release) = (Some(*due), *to);
                (certified.next_site, certified.next_content) = (Some(*site), *content);
            }
            Kind::Withdrawal { of } => certified.release = Some(*of),
            Kind::Amendment { since, changes } => {
                certified.since = Some(*since);
                certified.changes = Some(*changes);
            }
            Kind::Permissions { change } | Kind::Configuration { change } => {
                certified.words = Some(change.clone());
            }
        }
        to_cbor(&certified)
    }

    /// Reads an entry as it is certified, of this version or a later one.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] if it is none.
    pub fn of_cbor(bytes: &[u8]) -> Result<Self, StorageError> {
        let stored: Certified = from_cbor(bytes)?;
        let principal = Principal::try_from_slice(&stored.principal);
        let principal = principal.map_err(|_| StorageError::Corrupt {
            structure: "log",
            at: 0,
        })?;
        let kind = match (&stored.kind[..], stored.release, stored.words) {
            ("schedule", to, _) if let (Some(due), Some(site)) = (stored.due, stored.next_site) => {
                let content = stored.next_content;
                Kind::Schedule {
                    due,
                    to,
                    site,
                    content,
                }
            }
            ("withdrawal", Some(of), _) => Kind::Withdrawal { of },
            ("publish", ..) => Kind::Publish,
            ("environment", ..) => Kind::Environment,
            ("rollback", Some(to), _) => Kind::Rollback { to },
            ("amendment", ..) => Kind::Amendment {
                since: stored.since.unwrap_or(stored.time),
                changes: stored.changes.unwrap_or(1),
            },
            ("permissions", _, Some(change)) => Kind::Permissions { change },
            ("configuration", _, Some(change)) => Kind::Configuration { change },
            _ => Kind::Unknown { kind: stored.kind },
        };
        Ok(Self {
            time: stored.time,
            principal,
            kind,
            site: stored.site,
            content: stored.content,
            assets: stored.assets,
            bytes: stored.bytes,
            note: stored.note,
        })
    }
}

/// Changes in words, as many as an entry names.
#[derive(Default)]
struct Words {
    text: String,
    count: usize,
}

impl Words {
    fn say(&mut self, change: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= NAMED {
            let separator = if self.text.is_empty() { "" } else { "; " };
            self.text.push_str(separator);
            self.text.push_str(&change());
        }
    }

    fn finish(mut self) -> String {
        if let Some(more) = self.count.checked_sub(NAMED + 1) {
            let _ = write!(self.text, "; and {} more", more + 1);
        }
        self.text
    }
}

/// How permissions differ: `grant Commit to …; revoke Prepare from …`. Empty if they do not.
pub(super) fn access_change(before: &Access, after: &Access) -> String {
    let mut words = Words::default();
    for permission in [
        Permission::Commit,
        Permission::ManagePermissions,
        Permission::Prepare,
    ] {
        for principal in after.permitted(permission) {
            if !before.holds(permission, principal) {
                words.say(|| format!("grant {permission} to {principal}"));
            }
        }
        for principal in before.permitted(permission) {
            if !after.holds(permission, principal) {
                words.say(|| format!("revoke {permission} from {principal}"));
            }
        }
    }
    words.finish()
}

/// How retentions differ: `releases from 10 to 5; bytes from none to 1000000`. Empty if they do not.
pub(super) fn retention_change(before: Retention, after: Retention) -> String {
    let mut words = Words::default();
    if before.releases != after.releases {
        words.say(|| format!("releases from {} to {}", before.releases, after.releases));
    }
    if before.bytes != after.bytes {
        words.say(|| format!("bytes from {} to {}", show(before.bytes), show(after.bytes)));
    }
    if before.answers_replaced != after.answers_replaced {
        let not = if after.answers_replaced { "" } else { "not " };
        words.say(|| format!("replaced files {not}answered"));
    }
    words.finish()
}

/// How locks differ: `delay from 3600 s to 0 s at 1700000000000000000; frozen`. Empty if they do not.
pub(super) fn lock_change(before: &Guard, after: &Guard) -> String {
    let mut words = Words::default();
    compare_locks(&before.lock, &after.lock, "", &mut words);
    if before.next != after.next {
        match after.next {
            Some((lock, due)) => {
                compare_locks(&after.lock, &lock, &format!(" at {due}"), &mut words);
            }
            None if after.lock == before.lock => words.say(|| "stays as it is".to_owned()),
            None => {}
        }
    }
    words.finish()
}

fn compare_locks(before: &Lock, after: &Lock, when: &str, words: &mut Words) {
    let seconds = |delay: u64| delay / 1_000_000_000;
    if before.delay != after.delay {
        let (before, after) = (seconds(before.delay), seconds(after.delay));
        words.say(|| format!("delay from {before} s to {after} s{when}"));
    }
    if before.is_frozen != after.is_frozen {
        let state = if after.is_frozen {
            "frozen"
        } else {
            "not frozen"
        };
        words.say(|| format!("{state}{when}"));
    }
}

fn show(limit: Option<u64>) -> String {
    limit.map_or("none".to_owned(), |limit| limit.to_string())
}

/// How limits differ: `max_chunks from 5 to none`. Empty if they do not.
pub(super) fn limits_change(before: Limits, after: Limits) -> String {
    let mut words = Words::default();
    for (name, before, after) in [
        ("max_batches", before.max_batches, after.max_batches),
        ("max_chunks", before.max_chunks, after.max_chunks),
        ("max_bytes", before.max_bytes, after.max_bytes),
    ] {
        if before != after {
            words.say(|| format!("{name} from {} to {}", show(before), show(after)));
        }
    }
    words.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind) -> Entry {
        Entry {
            time: 7,
            principal: Principal::anonymous(),
            kind,
            site: [1; 32],
            content: None,
            assets: 3,
            bytes: 5000,
            note: "a note".to_owned(),
        }
    }

    #[test]
    fn entries_are_read_back() {
        let change = "a change".to_owned();
        for kind in [
            Kind::Publish,
            Kind::Environment,
            Kind::Rollback { to: 9 },
            Kind::Schedule {
                due: 8,
                to: None,
                site: [3; 32],
                content: None,
            },
            Kind::Schedule {
                due: 8,
                to: Some(6),
                site: [3; 32],
                content: Some([4; 32]),
            },
            Kind::Withdrawal { of: 5 },
            Kind::Amendment {
                since: 5,
                changes: 4,
            },
            Kind::Permissions {
                change: change.clone(),
            },
            Kind::Configuration { change },
        ] {
            let entry = entry(kind);
            assert_eq!(Entry::of_cbor(&entry.to_cbor()).unwrap(), entry);
        }
        let with_content = Entry {
            content: Some([2; 32]),
            ..entry(Kind::Publish)
        };
        assert_eq!(
            Entry::of_cbor(&with_content.to_cbor()).unwrap(),
            with_content
        );
    }

    #[test]
    fn entries_of_later_versions_are_read_as_far_as_they_are_known() {
        let kind = "freeze".to_owned();
        let later = entry(Kind::Unknown { kind });
        let known = later.to_cbor();
        assert_eq!(known[0], 0x88, "an array of the eight fields of any kind");
        // Eight fields more, the last of which this version does not know.
        let more = [&[0x90], &known[1..], &[0xf6; 7], &[0x01]].concat();
        assert_eq!(Entry::of_cbor(&more).unwrap(), later);
    }

    #[test]
    fn many_changes_are_counted() {
        let mut access = Access::default();
        let crowd = (0..20).map(|number| Principal::from_slice(&[number]));
        access.replace(Permission::Commit, crowd);
        let words = access_change(&Access::default(), &access);
        assert!(words.starts_with("grant Commit to "), "{words}");
        assert!(words.ends_with("; and 12 more"), "{words}");
        assert_eq!(access_change(&access, &access), "");
    }
}
