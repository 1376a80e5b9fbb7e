//! Carrying out a plan in Hallmark's own words: a release that is made beside the live one, and
//! put in its place by a single call once it is known to be the directory.
//!
//! ```text
//! create_stage
//! held?           which pieces the canister has, of whatever it may be
//! create_chunks   a parcel of the others each                                 (many at once)
//! fill_stage      500 operations, whose content is named by its hashes        (many, in order)
//! seal_stage      until it is done; its content hash must be the directory's
//! publish_stage   with that hash
//! ```
//!
//! Nobody sees any of it until the last call, which does nothing unless the stage has the content
//! hash that was computed from the directory, and began on what is live. So a call that arrives
//! late cannot do harm: to publish again what was published is no error, and all other calls name
//! a stage that is sealed by then, or gone.
//!
//! What a deploy that was broken off has uploaded is held until its stage expires, and the next
//! one finds it by asking. All that is written down, in the [`journal`](crate::journal), is the
//! stage's number: the next deploy discards it as soon as nothing that it holds is needed. Of a
//! stage whose number never arrived nobody knows, and it expires.
//!
//! If somebody else publishes meanwhile, that is an error; or, if so wished, the same changes are
//! made to what is live then, and what the other one has changed is changed to what the directory
//! has.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use candid::Nat;
use ic_hallmark::site::content_hash;
use serde_bytes::ByteBuf;

use crate::canister::Canister;
use crate::content::Asset;
use crate::freight::Freight;
use crate::journal::Journal;
use crate::legacy::{AssetCanister, Operation};
use crate::native::{Asked, Hashes, Live, Stages};
use crate::plan::{Plan, Stored};
use crate::report::{Report, Step};
use crate::upload::{Named, commits, send};
use crate::{Error, parallel};

/// How often a release is begun again on what others have published.
const REBASES: usize = 5;
/// Hashes that the canister is asked for at once.
const QUESTIONS: usize = 10_000;

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// All assets of the directory.
    pub assets: &'a [Arc<Asset>],
    /// What the log shall say.
    pub note: Option<&'a str>,
    /// Whether to go on if somebody else publishes meanwhile.
    pub rebase: bool,
}

impl Release<'_> {
    /// The hash of everything that is uploaded; `None` if nothing is.
    ///
    /// # Errors
    ///
    /// [`Error::Rehearsal`], if no canister could hold it.
    pub fn content_hash(&self) -> Result<Option<[u8; 32]>, Error> {
        let outlines = self.assets.iter();
        let outlines = outlines.map(|asset| (&*asset.key, asset.outline()));
        content_hash(outlines).map_err(Error::Rehearsal)
    }

    /// Makes the changes of `plan`, whose bodies are `freight`, and publishes them. They are
    /// changes to what is live, or was when `seen` was. `journal` knows of the stage as long as it
    /// is there. Returns the number of the entry that the log has of it.
    ///
    /// # Errors
    ///
    /// [`Error::Undecided`], if it is not known whether it was published; [`Error::Outdated`] or
    /// [`Error::Moved`], if somebody else has published; those of [`AssetCanister`] otherwise. The
    /// site is as it was before, or as the other one has made it.
    pub fn publish(
        &self,
        canister: &dyn Canister,
        seen: Live,
        plan: &Plan<'_>,
        freight: &Freight<'_>,
        journal: &Journal,
        report: &dyn Report,
    ) -> Result<u64, Error> {
        let content = self.content_hash()?;
        let stages = Stages::new(canister);
        let left = journal.stages();
        let number = stages.create()?;
        journal.begin_stage(number);
        let staging = Staging {
            release: self,
            content,
            canister,
            stages,
            number,
            left,
            journal,
            report,
        };
        let published = staging.publish(seen, plan, freight);
        match published {
            Ok(_) => journal.end_stage(number),
            // Unreachable: so would this be. The next deploy does it.
            Err(
                Error::Unreachable(_)
                | Error::Unproven(_)
                | Error::Expired(_)
                | Error::Undecided(_),
            ) => {}
            Err(_) => {
                staging.discard_left();
                staging.discard(number);
            }
        }
        published
    }
}

/// A release on its way.
struct Staging<'a> {
    release: &'a Release<'a>,
    content: Option<[u8; 32]>,
    canister: &'a dyn Canister,
    stages: Stages<'a>,
    number: u64,
    /// Stages that earlier deploys may have left.
    left: Vec<u64>,
    journal: &'a Journal,
    report: &'a dyn Report,
}

impl Staging<'_> {
    fn publish(
        &self,
        mut seen: Live,
        plan: &Plan<'_>,
        freight: &Freight<'_>,
    ) -> Result<u64, Error> {
        self.fill(seen, plan, freight)?;
        // All that is needed of them belongs to this stage now.
        self.discard_left();
        let mut changed = plan.keys();
        for _ in 0..REBASES {
            match self.seal_and_publish(seen) {
                Err(Error::Outdated { .. }) if self.release.rebase => {
                    seen = self.rebase(&mut changed)?;
                }
                result => return result,
            }
        }
        self.seal_and_publish(seen)
    }

    /// Uploads what the canister has not, and makes the changes to the stage.
    fn fill(&self, seen: Live, plan: &Plan<'_>, freight: &Freight<'_>) -> Result<(), Error> {
        let mut missing = self.missing(Asked::One, freight)?;
        let mut uploaded = BTreeSet::new();
        self.upload(freight, &missing)?;
        uploaded.append(&mut missing);

        let pieces = freight.pieces();
        let fills = commits(plan, |change| {
            let pieces = freight.content(change).iter().map(|piece| &pieces[*piece]);
            let pieces = pieces.filter(|piece| !piece.bytes.is_empty());
            Named::Hashes(pieces.map(|piece| ByteBuf::from(piece.sha256)).collect())
        });
        let mut fills = VecDeque::from(fills);
        loop {
            let refused = match self.fill_with(&mut fills) {
                Err(Error::Call { method, reject }) => Error::Call { method, reject },
                result => return result,
            };
            // What belongs to others may go with them at any time; what was uploaded to this stage
            // stays as long as the stage does.
            let mut gone = self.missing(Asked::All, freight)?;
            gone.retain(|piece| !uploaded.contains(piece));
            if gone.is_empty() {
                // Changes to something else may be impossible here.
                return Err(match self.stages.live(Asked::All) {
                    Ok(Some(live)) if live != seen => Error::Moved,
                    _ => refused,
                });
            }
            self.upload(freight, &gone)?;
            uploaded.append(&mut gone);
        }
    }

    /// The pieces that the canister has not, by number.
    fn missing(&self, asked: Asked, freight: &Freight<'_>) -> Result<BTreeSet<usize>, Error> {
        let pieces = freight.pieces();
        let questions: Vec<_> = pieces.chunks(QUESTIONS).collect();
        let held = parallel::map(self.canister.lanes(), &questions, |pieces| {
            let hashes = pieces.iter().map(|piece| &piece.sha256);
            self.stages.held(asked, hashes)
        })?;
        let held = held.concat().into_iter();
        // What is empty is not worth a chunk.
        let missing = held
            .enumerate()
            .filter(|(piece, is_held)| !is_held && !pieces[*piece].bytes.is_empty());
        Ok(missing.map(|(piece, _)| piece).collect())
    }

    fn upload(&self, freight: &Freight<'_>, missing: &BTreeSet<usize>) -> Result<(), Error> {
        let lanes = self.canister.lanes();
        let parcels = freight.parcels(|piece| missing.contains(&piece));
        let chunks = AssetCanister::new(self.canister);
        send(lanes, freight, &parcels, self.report, |parcel| {
            let pieces = parcel.iter().map(|piece| freight.pieces()[*piece].bytes);
            let content: Vec<_> = pieces.collect();
            chunks.create_chunks(&Nat::from(self.number), &content)
        })?;
        Ok(())
    }

    /// Makes changes to the stage, and takes away those that are made.
    fn fill_with(&self, fills: &mut VecDeque<Vec<Operation>>) -> Result<(), Error> {
        let total: usize = fills.iter().map(Vec::len).sum();
        self.report.begin(Step::Staging, total as u64);
        while let Some(operations) = fills.front() {
            self.stages.fill(self.number, operations)?;
            self.report.advance(operations.len() as u64);
            fills.pop_front();
        }
        self.report.end();
        Ok(())
    }

    fn seal_and_publish(&self, seen: Live) -> Result<u64, Error> {
        let Hashes { content, .. } = loop {
            if let Some(sealed) = self.stages.seal(self.number)? {
                break sealed;
            }
        };
        if content != self.content {
            return Err(Error::Moved);
        }
        let note = self.release.note;
        let publish = || self.stages.publish(self.number, self.content, note);
        match publish() {
            // Whether it was or not: to publish it again is no error.
            Err(Error::Unreachable(reason) | Error::Unproven(reason)) => {
                publish().map_err(|_| Error::Undecided(reason))
            }
            Err(Error::Call { method, reject }) if !reject.is_missing_permission() => {
                Err(match self.stages.live(Asked::All) {
                    Ok(Some(live)) if live != seen => Error::Outdated {
                        base: seen.release,
                        live: live.release,
                    },
                    _ => Error::Call { method, reject },
                })
            }
            result => result,
        }
    }

    /// Begins again on what is live now, and returns what that is. What was changed here stays;
    /// `changed` are the keys. What is live otherwise is made what it should be.
    fn rebase(&self, changed: &mut BTreeSet<String>) -> Result<Live, Error> {
        // Before the rest: whatever is published from now on is noticed.
        let seen = self.stages.live(Asked::All)?.ok_or(Error::Moved)?;
        self.stages.rebase(self.number)?;
        let stored = AssetCanister::new(self.canister).list()?;
        let stored: Vec<_> = stored.into_iter().map(Stored::from).collect();
        let mut plan = Plan::new(self.release.assets, &stored);
        plan.changes
            .retain(|change| !changed.contains(change.key()));
        self.fill(seen, &plan, &Freight::new(&plan, true))?;
        changed.append(&mut plan.keys());
        Ok(seen)
    }

    /// Discards what earlier deploys have left, if it can be, and is theirs. After a canister was
    /// installed anew, stages of the same numbers may be somebody else's.
    fn discard_left(&self) {
        if self.left.is_empty() {
            return;
        }
        let Ok(all) = self.stages.all(Asked::All) else {
            return;
        };
        let owner = |number| {
            let mut all = all.iter();
            let found = all.find(|staged| staged.stage == number);
            found.map(|staged| staged.owner)
        };
        for number in &self.left {
            match owner(*number).is_some() && owner(*number) == owner(self.number) {
                true => self.discard(*number),
                false => self.journal.end_stage(*number),
            }
        }
    }

    /// Discards a stage. If it cannot be reached, the next deploy does it.
    fn discard(&self, number: u64) {
        match self.stages.discard(number) {
            Ok(()) | Err(Error::Call { .. }) => self.journal.end_stage(number),
            Err(_) => {}
        }
    }
}
