//! The log of releases, with its proof, and rollbacks.

use super::{ValidationResult, validation::with_note};
use crate::{
    site::{self, Kind, Logged, Site},
    storage::{Memory, StorageError},
};
use candid::{CandidType, Deserialize, Principal};
use serde_bytes::ByteBuf;

/// Entries that one reply has at most.
const PAGE: u64 = 100;

/// Argument of `releases`.
#[derive(Clone, Copy, Debug, Default, CandidType, Deserialize)]
pub struct ReleasesArguments {
    /// The number of the first entry of the reply; the last one if none is given.
    pub start: Option<u64>,
    /// How many entries; 100 if none is given, and at most.
    pub length: Option<u64>,
}

/// An entry of the log.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct Release {
    /// Its number.
    pub release: u64,
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Who did it.
    pub principal: Principal,
    /// What was done, by name.
    pub kind: String,
    /// The site hash from then on.
    pub site_hash: ByteBuf,
    /// The content hash from then on, if there was any content.
    pub content_hash: Option<ByteBuf>,
    /// How many assets there were.
    pub assets: u32,
    /// Bytes of their content, in all encodings.
    pub bytes: u64,
    /// What the one who did it had to say.
    pub note: String,
    /// Of a rollback, scheduled ones included: the release that came back.
    pub rolled_back_to: Option<u64>,
    /// Of an amendment: when the first change was.
    pub since: Option<u64>,
    /// Of an amendment: how many changes there were.
    pub changes: Option<u64>,
    /// Of permissions and configuration: what changed, in words.
    pub change: Option<String>,
    /// Of something scheduled: from when on it takes effect, in nanoseconds since 1970.
    pub due: Option<u64>,
    /// The site hash from then on.
    pub next_site_hash: Option<ByteBuf>,
    /// The content hash from then on.
    pub next_content_hash: Option<ByteBuf>,
    /// Of a withdrawal: the entry that will not take effect.
    pub withdrawn: Option<u64>,
    /// Whether `rollback` can bring it back.
    pub kept: bool,
    /// All but `kept`, as it is certified.
    pub certified: ByteBuf,
}

/// What `releases` replies.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ReleasesResponse {
    /// The newest first.
    pub entries: Vec<Release>,
    /// The number of the entry that is about what is live; 0 if there is none.
    pub live: u64,
    /// How many releases are kept beside the live one.
    pub retention: Retention,
    /// Bytes of stable memory that all bodies and answers take: of what is live, kept and uploaded.
    pub stored_bytes: u64,
    /// In a query, the certificate of the canister's certified data.
    pub certificate: Option<ByteBuf>,
    /// The hash tree that proves the entries, as CBOR.
    pub witness: ByteBuf,
    /// The first bytes of the parts that the witness shows.
    pub parts_beside: Vec<u64>,
}

/// Argument of `rollback`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct RollbackArguments {
    /// The release that shall come back.
    pub release: u64,
    /// What the log shall say of it.
    pub note: Option<String>,
}

/// What `publish_stage`, `rollback` and `withdraw` reply.
#[derive(Clone, Copy, Debug, CandidType, Deserialize)]
pub struct ReleaseNumber {
    /// The number of the entry that the log has of it.
    pub release: u64,
}

/// How many releases are kept beside the live one; argument of `set_retention`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CandidType, Deserialize)]
pub struct Retention {
    /// At most so many.
    pub releases: u32,
    /// None while everything that is stored takes more bytes than this.
    pub bytes: Option<u64>,
    /// Whether what was replaced last goes on to be answered; stays as it is unless given.
    pub answers_replaced: Option<bool>,
}

impl From<site::Retention> for Retention {
    fn from(retention: site::Retention) -> Self {
        Self {
            releases: retention.releases,
            bytes: retention.bytes,
            answers_replaced: Some(retention.answers_replaced),
        }
    }
}

impl Retention {
    /// What it makes of the retention that is set.
    pub fn after(self, set: site::Retention) -> site::Retention {
        site::Retention {
            releases: self.releases,
            bytes: self.bytes,
            answers_replaced: self.answers_replaced.unwrap_or(set.answers_replaced),
        }
    }

    /// What `set_retention` would do to this site, or why it would be refused.
    pub fn validate<M: Memory>(&self, site: &Site<M>) -> ValidationResult {
        let retention = self.after(site.retention());
        let mut words = format!("keep {} releases beside the live one", self.releases);
        if let Some(bytes) = self.bytes {
            words.push_str(&format!(", as long as all takes at most {bytes} bytes"));
        }
        let end = match retention.answers_replaced {
            true => "; what was replaced goes on to be answered",
            false => "; what was replaced is answered no more",
        };
        words.push_str(end);
        retention.check().map(|()| words).into()
    }
}

impl RollbackArguments {
    /// What `rollback` would do to this site, or why it would be refused.
    pub fn validate<M: Memory>(&self, site: &Site<M>) -> ValidationResult {
        let Self { release, note } = self;
        let note = note.as_deref().unwrap_or_default();
        let checked = site.check_rollback(*release, note);
        let words = with_note(format!("roll back to release {release}"), note);
        checked.map(|()| words).into()
    }
}

/// A page of the log, the newest entries first.
///
/// # Errors
///
/// [`StorageError::Corrupt`] if an entry cannot be read.
pub fn releases<M: Memory>(
    site: &Site<M>,
    wanted: &ReleasesArguments,
    certificate: Option<Vec<u8>>,
) -> Result<ReleasesResponse, StorageError> {
    let length = wanted.length.unwrap_or(PAGE).min(PAGE) as u32;
    let logged = site.log(wanted.start.unwrap_or(u64::MAX), length)?;
    let witness = site.log_witness(logged.iter().map(|entry| entry.number))?;
    Ok(ReleasesResponse {
        entries: logged.into_iter().map(Release::from).collect(),
        live: site.live_release(),
        retention: site.retention().into(),
        stored_bytes: site.stored_bytes(),
        certificate: certificate.map(ByteBuf::from),
        witness: witness.into(),
        parts_beside: site.parts_beside()?,
    })
}

impl From<Logged> for Release {
    fn from(logged: Logged) -> Self {
        let entry = logged.entry;
        let mut release = Self {
            release: logged.number,
            time: entry.time,
            principal: entry.principal,
            kind: entry.kind.name().to_owned(),
            site_hash: ByteBuf::from(entry.site),
            content_hash: entry.content.map(ByteBuf::from),
            assets: entry.assets,
            bytes: entry.bytes,
            note: entry.note,
            rolled_back_to: None,
            since: None,
            changes: None,
            change: None,
            due: None,
            next_site_hash: None,
            next_content_hash: None,
            withdrawn: None,
            kept: logged.is_kept,
            certified: logged.certified.into(),
        };
        match entry.kind {
            Kind::Publish | Kind::Environment | Kind::Unknown { .. } => {}
            Kind::Rollback { to } => release.rolled_back_to = Some(to),
            Kind::Schedule {
                due,
                to,
                site,
                content,
            } => {
                (release.due, release.rolled_back_to) = (Some(due), to);
                release.next_site_hash = Some(ByteBuf::from(site));
                release.next_content_hash = content.map(ByteBuf::from);
            }
            Kind::Withdrawal { of } => release.withdrawn = Some(of),
            Kind::Amendment { since, changes } => {
                (release.since, release.changes) = (Some(since), Some(changes));
            }
            Kind::Permissions { change } | Kind::Configuration { change } => {
                release.change = Some(change);
            }
        }
        release
    }
}
