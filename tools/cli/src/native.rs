//! The part of the interface that is Hallmark's own: its records, as far as this program reads
//! them, and what can be done with staged releases.

use std::fmt;

use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Principal};
use serde::Deserialize;
use serde_bytes::{ByteBuf, Bytes};

use crate::Error;
use crate::canister::{Canister, Failure};
use crate::legacy::{AssetCanister, Operation};

/// Argument of `releases`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct WantedReleases {
    /// The number of the first entry of the reply; the last one if none is given.
    pub start: Option<u64>,
    /// How many entries.
    pub length: Option<u64>,
}

/// What `releases` replies: entries of the log, with their proof.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Releases {
    /// The newest first.
    pub entries: Vec<Release>,
    /// The entry that is about what is live; 0 if there is none.
    pub live: u64,
    /// The certificate of the canister's certified data.
    pub certificate: Option<ByteBuf>,
    /// The hash tree that has the certified data as its root hash.
    pub witness: ByteBuf,
    /// The first bytes of the parts that it shows beside the site.
    pub parts_beside: Option<Vec<u64>>,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Release {
    /// Its number.
    pub release: u64,
    /// Whether `rollback` can bring it back.
    pub kept: bool,
    /// What it says, as it is certified.
    pub certified: ByteBuf,
}

/// A certificate, and the tree that it is about.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedTree {
    /// The certificate of the canister's certified data.
    pub certificate: ByteBuf,
    /// The whole hash tree that has the certified data as its root hash.
    pub tree: ByteBuf,
}

/// Argument of `rollback`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Rollback {
    /// The release that shall come back.
    pub release: u64,
    /// What the log shall say of it.
    pub note: Option<String>,
}

/// What `rollback` replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct RolledBack {
    /// The number of the entry that says so.
    pub release: u64,
}

/// What a site adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// The hash of everything that can be answered.
    pub site: [u8; 32],
    /// The hash of everything that was uploaded; `None` if nothing was.
    pub content: Option<[u8; 32]>,
}

/// What is live: it is the same site as long as this is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// The entry of the log that is about it; 0 if there is none.
    pub release: u64,
    /// If that is an amendment, how many changes it has so far.
    pub changes: Option<u64>,
}

/// What came of a publication, as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The site hash, with what pages are told of their environment since.
    pub site: [u8; 32],
    /// When that is, in nanoseconds since 1970, if it is not now: the canister has a lock.
    pub due: Option<u64>,
}

/// Who is asked what has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// One replica, which may be a moment behind the others.
    One,
    /// All of them, after everything that was called before. It takes as long as a call.
    All,
}

/// A staged release, as the canister lists it.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Staged {
    /// Its number.
    pub stage: u64,
    /// Who created it.
    pub owner: Principal,
}

/// Staged releases of a canister: what can be done with them.
///
/// Each method fails as those of [`AssetCanister`] do.
#[derive(Clone, Copy)]
pub struct Stages<'a> {
    canister: AssetCanister<'a>,
}

#[derive(CandidType, Deserialize)]
struct Number {
    stage: u64,
}

impl<'a> Stages<'a> {
    /// Those of the canister behind `canister`.
    pub fn new(canister: &'a dyn Canister) -> Self {
        let canister = AssetCanister::new(canister);
        Self { canister }
    }

    /// What is live. `None` if the canister has no stages and no log, because it is not Hallmark's.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn live(&self, asked: Asked) -> Result<Option<Live>, Error> {
        #[derive(CandidType, Deserialize)]
        struct Page {
            live: u64,
            entries: Vec<Entry>,
        }
        #[derive(CandidType, Deserialize)]
        struct Entry {
            release: u64,
            changes: Option<u64>,
        }
        let mut start = None;
        loop {
            let length = Some(1);
            let wanted = WantedReleases { start, length };
            let (page,): (Page,) = match self.ask(asked, "releases", (wanted,)) {
                Err(Error::Call { reject, .. }) if reject.is_unknown_method() => return Ok(None),
                page => page?,
            };
            let release = page.live;
            let entry = page.entries.first();
            // Settings are entered after it.
            if entry.is_some_and(|entry| entry.release > release) && start != Some(release) {
                start = Some(release);
                continue;
            }
            let entry = entry.filter(|entry| entry.release == release);
            let changes = entry.and_then(|entry| entry.changes);
            return Ok(Some(Live { release, changes }));
        }
    }

    /// What came of the publication that has this number in the log, and was made just now.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn outcome(&self, release: u64) -> Result<Outcome, Error> {
        #[derive(CandidType, Deserialize)]
        struct Page {
            entries: Vec<Entry>,
        }
        #[derive(CandidType, Deserialize)]
        struct Entry {
            release: u64,
            site_hash: ByteBuf,
            due: Option<u64>,
            next_site_hash: Option<ByteBuf>,
        }
        let method = "releases";
        // It is the last one, but for what pages are told of a new environment, and for others.
        let wanted = WantedReleases {
            start: None,
            length: Some(10),
        };
        for asked in [Asked::One, Asked::All] {
            let (Page { entries },) = self.ask(asked, method, (wanted,))?;
            let found = entries.iter().find(|entry| entry.release == release);
            if let (Some(entry), Some(last)) = (found, entries.first()) {
                let site = entry.next_site_hash.as_ref().unwrap_or(&last.site_hash);
                return Ok(Outcome {
                    site: sha256(method, site.clone())?,
                    due: entry.due,
                });
            }
        }
        let reason = format!("release {release} is not in the log");
        Err(Error::Reply { method, reason })
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn all(&self, asked: Asked) -> Result<Vec<Staged>, Error> {
        let (stages,) = self.ask(asked, "stages", ())?;
        Ok(stages)
    }

    /// Which chunks with these SHA-256 the canister has, of whatever they may be.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn held<'h>(
        &self,
        asked: Asked,
        hashes: impl IntoIterator<Item = &'h [u8; 32]>,
    ) -> Result<Vec<bool>, Error> {
        let method = "held";
        let hashes: Vec<_> = hashes.into_iter().map(|hash| Bytes::new(hash)).collect();
        let questions = hashes.len();
        let (held,): (Vec<bool>,) = self.ask(asked, method, (hashes,))?;
        if held.len() != questions {
            let reason = format!("{} answers to {questions} questions", held.len());
            return Err(Error::Reply { method, reason });
        }
        Ok(held)
    }

    /// Begins one on what is live. It lives for an hour after its last use.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn create(&self) -> Result<u64, Error> {
        #[derive(CandidType)]
        struct Wanted {
            lifetime: Option<u64>,
        }
        let wanted = Wanted { lifetime: None };
        let (Number { stage },) = self.canister.update("create_stage", (wanted,))?;
        Ok(stage)
    }

    /// Does the operations, all or none.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn fill(&self, stage: u64, operations: &[Operation]) -> Result<(), Error> {
        #[derive(CandidType)]
        struct Fill<'a> {
            stage: u64,
            operations: &'a [Operation],
        }
        let fill = Fill { stage, operations };
        self.canister.update("fill_stage", (fill,))
    }

    /// Goes on with sealing it, and returns what it would make of the site. `None`: once more.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn seal(&self, stage: u64) -> Result<Option<Hashes>, Error> {
        #[derive(CandidType, Deserialize)]
        struct Reply {
            done: bool,
            site_hash: Option<ByteBuf>,
            content_hash: Option<ByteBuf>,
        }
        let method = "seal_stage";
        let (reply,): (Reply,) = self.canister.update(method, (Number { stage },))?;
        if !reply.done {
            return Ok(None);
        }
        let site = sha256(method, reply.site_hash.unwrap_or_default())?;
        let content = reply.content_hash.map(|hash| sha256(method, hash));
        let content = content.transpose()?;
        Ok(Some(Hashes { site, content }))
    }

    /// Makes the same changes to what is live now.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn rebase(&self, stage: u64) -> Result<(), Error> {
        self.canister.update("rebase_stage", (Number { stage },))
    }

    /// Drops it.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn discard(&self, stage: u64) -> Result<(), Error> {
        self.canister.update("discard_stage", (Number { stage },))
    }

    /// Puts it in the place of what is live, if this is its content hash. Returns the number of
    /// the entry that the log has of it.
    ///
    /// # Errors
    ///
    /// See [`Stages`].
    pub fn publish(
        &self,
        stage: u64,
        content: Option<[u8; 32]>,
        note: Option<&str>,
    ) -> Result<u64, Error> {
        #[derive(CandidType)]
        struct Publish<'a> {
            stage: u64,
            content_hash: Option<ByteBuf>,
            note: Option<&'a str>,
        }
        let publish = Publish {
            stage,
            content_hash: content.map(ByteBuf::from),
            note,
        };
        let (RolledBack { release },) = self.canister.update("publish_stage", (publish,))?;
        Ok(release)
    }

    fn ask<T: for<'d> ArgumentDecoder<'d>>(
        &self,
        asked: Asked,
        method: &'static str,
        argument: impl ArgumentEncoder,
    ) -> Result<T, Error> {
        match asked {
            Asked::One => self.canister.query(method, argument),
            Asked::All => self.canister.update(method, argument),
        }
    }
}

impl fmt::Debug for Stages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stages").finish_non_exhaustive()
    }
}

fn sha256(method: &'static str, bytes: ByteBuf) -> Result<[u8; 32], Error> {
    let hash = bytes.into_vec().try_into();
    hash.map_err(|bytes: Vec<u8>| Error::Reply {
        method,
        reason: format!("{} bytes are no SHA-256", bytes.len()),
    })
}

/// Asks for a page of the log. `None` if the canister has no log, because it is not Hallmark's.
///
/// # Errors
///
/// See [`Failure`]; a reply that is none of this interface is [`Failure::Unreachable`].
pub fn releases(
    canister: &dyn Canister,
    wanted: WantedReleases,
) -> Result<Option<Releases>, Failure> {
    decode("releases", canister.query("releases", encode((wanted,))))
}

/// Asks for the whole certified tree, which every asset canister can show. `None` if this one
/// cannot.
///
/// # Errors
///
/// See [`releases`].
pub fn certified_tree(canister: &dyn Canister) -> Result<Option<CertifiedTree>, Failure> {
    #[derive(CandidType)]
    struct Nothing {}
    let argument = encode((Nothing {},));
    decode("certified_tree", canister.query("certified_tree", argument))
}

/// Makes an earlier release the live one. `None` if the canister keeps none, because it is not
/// Hallmark's.
///
/// # Errors
///
/// See [`releases`].
pub fn rollback(canister: &dyn Canister, wanted: &Rollback) -> Result<Option<RolledBack>, Failure> {
    let argument = encode((wanted,));
    decode("rollback", canister.update("rollback", argument))
}

fn encode(argument: impl ArgumentEncoder) -> Vec<u8> {
    candid::encode_args(argument).expect("the records of this module always encode")
}

fn decode<T: CandidType + for<'de> Deserialize<'de>>(
    method: &str,
    reply: Result<Vec<u8>, Failure>,
) -> Result<Option<T>, Failure> {
    let reply = match reply {
        Err(Failure::Rejected(reject)) if reject.is_unknown_method() => return Ok(None),
        reply => reply?,
    };
    candid::decode_one(&reply).map(Some).map_err(|error| {
        Failure::Unreachable(format!("the reply to {method} makes no sense: {error}"))
    })
}
