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
//! There is nothing to write down here, either: what a deploy that was broken off has uploaded
//! is held until its stage expires, and the next one finds it by asking.
//!
//! If somebody else publishes meanwhile, that is an error; or, if so wished, the same changes are
//! made to what is live then, and what the other one has changed is changed to what the directory
//! has.

use std::collections::BTreeSet;
use std::sync::Arc;

use candid::Nat;
use ic_hallmark::site::content_hash;
use serde_bytes::ByteBuf;

use crate::canister::Canister;
use crate::content::Asset;
use crate::freight::Freight;
use crate::legacy::AssetCanister;
use crate::native::{Sealed, Stages};
use crate::plan::{Plan, Stored};
use crate::report::{Report, Stage};
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

    /// Makes the changes of `plan`, whose bodies are `freight`, and publishes them. Returns the
    /// number of the entry that the log has of it.
    ///
    /// # Errors
    ///
    /// [`Error::Undecided`], if it is not known whether it was published; [`Error::Outdated`] or
    /// [`Error::Moved`], if somebody else has published; those of [`AssetCanister`] otherwise. The
    /// site is as it was before, or as the other one has made it.
    pub fn publish(
        &self,
        canister: &dyn Canister,
        plan: &Plan<'_>,
        freight: &Freight<'_>,
        report: &dyn Report,
    ) -> Result<u64, Error> {
        let content = self.content_hash()?;
        let stages = Stages::new(canister);
        let staging = Staging {
            release: self,
            content,
            canister,
            stages,
            number: stages.create()?,
            report,
        };
        let published = staging.publish(plan, freight);
        // Unreachable: so would this be, and it expires.
        if let Err(
            Error::Call { .. } | Error::Reply { .. } | Error::Outdated { .. } | Error::Moved,
        ) = published
        {
            let _ = stages.discard(staging.number);
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
    report: &'a dyn Report,
}

impl Staging<'_> {
    fn publish(&self, plan: &Plan<'_>, freight: &Freight<'_>) -> Result<u64, Error> {
        self.fill(plan, freight)?;
        let mut changed = plan.keys();
        for _ in 0..REBASES {
            match self.seal_and_publish() {
                Err(Error::Outdated { .. } | Error::Moved) if self.release.rebase => {
                    self.rebase(&mut changed)?;
                }
                result => return result,
            }
        }
        self.seal_and_publish()
    }

    /// Uploads what the canister has not, and makes the changes to the stage.
    fn fill(&self, plan: &Plan<'_>, freight: &Freight<'_>) -> Result<(), Error> {
        let pieces = freight.pieces();
        let questions: Vec<_> = pieces.chunks(QUESTIONS).collect();
        let held = parallel::map(self.canister.lanes(), &questions, |pieces| {
            self.stages.held(pieces.iter().map(|piece| &piece.sha256))
        })?;
        let held = held.concat();
        // What is empty is not worth a chunk.
        let parcels = freight.parcels(|piece| !held[piece] && !pieces[piece].bytes.is_empty());
        send(
            self.canister.lanes(),
            freight,
            &parcels,
            self.report,
            |parcel| {
                let content: Vec<_> = parcel.iter().map(|piece| pieces[*piece].bytes).collect();
                let chunks = AssetCanister::new(self.canister);
                chunks.create_chunks(&Nat::from(self.number), &content)
            },
        )?;

        let fills = commits(plan, |change| {
            let pieces = freight.content(change).iter().map(|piece| &pieces[*piece]);
            let pieces = pieces.filter(|piece| !piece.bytes.is_empty());
            Named::Hashes(pieces.map(|piece| ByteBuf::from(piece.sha256)).collect())
        });
        let total: usize = fills.iter().map(Vec::len).sum();
        self.report.begin(Stage::Staging, total as u64);
        for operations in fills {
            let done = operations.len() as u64;
            self.stages.fill(self.number, operations)?;
            self.report.advance(done);
        }
        self.report.end();
        Ok(())
    }

    fn seal_and_publish(&self) -> Result<u64, Error> {
        let Sealed { content, .. } = loop {
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
            result => result,
        }
    }

    /// Begins again on what is live now. What was changed here stays; `changed` are the keys. What
    /// is live otherwise is made what it should be.
    fn rebase(&self, changed: &mut BTreeSet<String>) -> Result<(), Error> {
        self.stages.rebase(self.number)?;
        let stored = AssetCanister::new(self.canister).list()?;
        let stored: Vec<_> = stored.into_iter().map(Stored::from).collect();
        let mut plan = Plan::new(self.release.assets, &stored);
        plan.changes
            .retain(|change| !changed.contains(change.key()));
        self.fill(&plan, &Freight::new(&plan, true))?;
        changed.append(&mut plan.keys());
        Ok(())
    }
}
