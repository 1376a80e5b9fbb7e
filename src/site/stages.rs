//! Staged releases: the next site, made beside the live one by any number of calls, and then put in its place by one
//! whose cost depends on neither.
//!
//! ```text
//! create ──► fill, … ──► seal, … ──► publish
//!              ▲                        │ the live site has moved on
//!              └──────── rebase ◄───────┘
//! ```
//!
//! Filling changes assets and hashes nothing but content. Sealing derives the answers of what was changed, key by
//! key, and then hashes both trees, node by node, as far as a call goes: what is left to do is in the trees themselves,
//! and in the key that was derived last. A sealed release is known by its hashes, so that it can be reviewed and voted
//! on, and published by somebody else.

use super::{
    By, Entry, Kind, Operation, Site,
    commit::RECLAIM_AT_LEAST,
    draft::{Draft, tree_error},
    log::{Event, Release, check_note},
    staging::Stage,
};
use crate::{
    access::Permission,
    error::{Error, StageError},
    storage::Memory,
    tree::{Hash, TreeError},
    upload::{LIFETIME, MAX_LIFETIME, Staged},
};
use candid::Principal;

/// Changed keys that are looked up at once.
const PAGE: usize = 200;
/// Instructions that the answers of an asset take at most to derive, but for hashing its content.
const DERIVE: u64 = 5_000_000;
/// Instructions for each byte of content, which is hashed again if it came in other parts than it is served in.
const DERIVE_BYTE: u64 = 80;
/// Instructions that a node takes to be hashed.
const HASH: u64 = 30_000;

/// How far a staged release is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// It takes operations.
    Open,
    /// It is being sealed.
    Sealing,
    /// It can be published.
    Sealed,
}

/// What a sealed release would make of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The site hash.
    pub site: Hash,
    /// The content hash; `None` if there is no asset.
    pub content: Option<Hash>,
}

/// What a caller says that a sealed release is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its site hash.
    pub site: Option<Vec<u8>>,
    /// Its content hash.
    pub content: Option<Vec<u8>>,
}

/// A staged release, as [`Site::stages`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedRelease {
    /// Its number.
    pub stage: u64,
    /// Who created it.
    pub owner: Principal,
    /// Until when it lives if nobody uses it, in nanoseconds since 1970. It is dropped when the next batch or stage is
    /// created after that.
    pub expires: u64,
    /// The release that was live when it began.
    pub base: u64,
    /// How far it is.
    pub state: StageState,
    /// Chunks that were uploaded to it.
    pub chunks: u32,
    /// Bytes of those.
    pub bytes: u64,
    /// Its hashes, if it is sealed.
    pub sealed: Option<Sealed>,
}

impl<M: Memory> Site<M> {
    /// Begins a release on what is live. Returns its number, which chunks can be uploaded to as to that of a batch.
    /// It lives for so many nanoseconds after its last use, [`LIFETIME`] if none are given.
    ///
    /// # Errors
    ///
    /// [`Error::Lifetime`], [`Error::BatchLimit`] or [`Error::Storage`]; nothing has changed then.
    pub fn create_stage(&mut self, lifetime: Option<u64>, by: impl Into<By>) -> Result<u64, Error> {
        let By { principal, now } = by.into();
        let lifetime = lifetime.unwrap_or(LIFETIME);
        if lifetime > MAX_LIFETIME {
            return Err(Error::Lifetime { lifetime });
        }
        let Self { store, state, .. } = self;
        let stage = Stage::of_live(store, state);
        let uploads = state.uploads.share(store);
        self.keep_stage(uploads, stage, |store, uploads, stage| {
            uploads.create_stage(store, stage, principal, lifetime, now)
        })
    }

    /// Applies operations to a staged release, all or none.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if it takes none from this caller, or the [`Error`] of the first operation that cannot be
    /// applied; nothing has changed then.
    pub fn fill_stage(
        &mut self,
        stage: u64,
        operations: impl IntoIterator<Item = Operation>,
        by: impl Into<By>,
    ) -> Result<(), Error> {
        let by = by.into();
        let found = self.staged(stage, by)?;
        if found.state != StageState::Open {
            return Err(StageError::Closed.of(stage));
        }
        let mut draft = self.draft_of(&found.stage, by);
        let store = &mut self.store;
        let done = draft.apply_all(store, operations.into_iter().collect());
        let (trees, uploads) = draft.finish(store)?;
        let mut next = found.stage.share(store);
        next.replace_trees(store, trees);
        self.keep_stage(uploads, next, |store, uploads, next| {
            done?;
            uploads.put_staged(store, stage, next, StageState::Open, by.now)
        })
    }

    /// Derives and hashes what a staged release would answer, as long as `has_room` for so many more instructions, but
    /// at least a little. `None`: call again, it goes on from there. The release takes no operations any more.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if the caller may not, [`Error::Tree`] if the answers do not fit into the tree, or
    /// [`Error::Storage`]; nothing has changed then.
    pub fn seal_stage(
        &mut self,
        stage: u64,
        by: impl Into<By>,
        has_room: &dyn Fn(u64) -> bool,
    ) -> Result<Option<Sealed>, Error> {
        let by = by.into();
        let found = self.staged(stage, by)?;
        if found.state == StageState::Sealed {
            return found.stage.sealed().map(Some);
        }
        // Whatever has room for nothing gets on all the same.
        let mut is_first = true;
        let mut may = |cost| std::mem::take(&mut is_first) || has_room(cost);
        let mut draft = self.draft_of(&found.stage, by);
        let store = &mut self.store;
        let mut next = found.stage.share(store);
        let mut derive = || {
            loop {
                let past = next.derived.as_deref();
                let keys = found.stage.changed_past(store, past, PAGE);
                if keys.is_empty() {
                    break;
                }
                for key in keys {
                    let length = draft.find(store, &key)?.map_or(0, |asset| asset.length());
                    if !may(DERIVE + DERIVE_BYTE * length) {
                        return Ok(false);
                    }
                    draft.touch([key.clone()]);
                    draft.derive_touched(store)?;
                    next.derived = Some(key);
                }
            }
            // A site without assets answers, too.
            draft.derive_answers(store)?;
            if draft.is_too_deep() {
                let path = store.forest.deepest(&draft.trees.answers);
                return Err(tree_error("a path", TreeError::TooDeep { path }));
            }
            Ok(true)
        };
        let derived: Result<bool, Error> = derive();
        let (trees, uploads) = draft.finish(store)?;
        next.replace_trees(store, trees);
        let is_sealed = derived
            .and_then(|is_derived| Ok(is_derived && next.trees.seal_some(store, || may(HASH))?));
        self.keep_stage(uploads, next, |store, uploads, next| {
            let is_sealed = is_sealed?;
            let (state, sealed) = match is_sealed {
                true => (StageState::Sealed, Some(next.sealed()?)),
                false => (StageState::Sealing, None),
            };
            uploads.put_staged(store, stage, next, state, by.now)?;
            Ok(sealed)
        })
    }

    /// Puts a sealed release in the place of the live site, in constant work, and keeps what was live. Returns the
    /// number of the entry that the log has of it. To publish once more what was published last is no error, and returns
    /// the same number, whatever has become of it. With a [`Lock`](super::Lock) that delays it, this only schedules it.
    ///
    /// # Errors
    ///
    /// As [`check_stage`](Self::check_stage), or [`Error::Storage`]; nothing has changed then.
    pub fn publish_stage(
        &mut self,
        stage: u64,
        expected: &Expected,
        note: &str,
        by: impl Into<By>,
    ) -> Result<u64, Error> {
        let by = by.into();
        // A client that has lost the reply asks again.
        if let Some(release) = self.state.uploads.just_published(stage) {
            let published = self.published_as(release)?;
            expected.check(stage, published)?;
            return Ok(release);
        }
        check_note(note)?;
        let found = self.publishable(stage, expected, by.principal)?;
        let note = note.to_owned();
        if self.state.is_delayed() {
            // It began on what is live, and has the same cookie, as far as that is written into its pages.
            let cookie = self.state.cookie.clone();
            let trees = found.trees;
            return self.schedule(&Release { trees, cookie }, None, Some(stage), note, by);
        }
        let draft = self.draft_of(&found, by);
        let event = Event::Publish { note };
        let release = self.log_length() + 1;
        self.publish(draft, by, event, RECLAIM_AT_LEAST, |store, draft| {
            Ok(draft.uploads.close_stage(store, stage, release)?)
        })?;
        Ok(release)
    }

    /// Whether [`publish_stage`](Self::publish_stage) would publish this for this caller.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`]: it is not there, not sealed, not what is expected, or not begun on what is live; or nothing is
    /// expected of it by one who did not create it. [`Error::NoteTooLong`], [`Error::Frozen`] or
    /// [`Error::ScheduledBefore`].
    pub fn check_stage(
        &self,
        stage: u64,
        expected: &Expected,
        note: &str,
        caller: Principal,
    ) -> Result<(), Error> {
        check_note(note)?;
        self.publishable(stage, expected, caller).map(|_| ())
    }

    /// Does to the live site what a staged release did to the one that it began on. An asset that both have changed
    /// becomes the stage's. The release is open again, and begun on what is live now.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if the caller may not, or [`Error::Storage`]; nothing has changed then.
    pub fn rebase_stage(&mut self, stage: u64, by: impl Into<By>) -> Result<(), Error> {
        let by = by.into();
        let found = self.staged(stage, by)?;
        let Self { store, state, .. } = self;
        let mut draft = Draft::of_next(store, state, by.now);
        let done = found.stage.replay(store, &mut draft);
        let (trees, uploads) = draft.finish(store)?;
        let mut next = Stage::of_live(store, state);
        next.replace_trees(store, trees);
        self.keep_stage(uploads, next, |store, uploads, next| {
            done?;
            uploads.put_staged(store, stage, next, StageState::Open, by.now)
        })
    }

    /// Drops a staged release, and what was uploaded to it.
    ///
    /// # Errors
    ///
    /// [`Error::Stage`] if the caller may not, or [`Error::Storage`]; nothing has changed then.
    pub fn discard_stage(&mut self, stage: u64, by: impl Into<By>) -> Result<(), Error> {
        self.staged(stage, by.into())?;
        self.change_uploads(|store, uploads| {
            uploads.remove(store, stage)?;
            Ok(())
        })
    }

    /// All staged releases, by number.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] at the first that cannot be read.
    pub fn stages(&self) -> Result<Vec<StagedRelease>, Error> {
        let all = self.state.uploads.all_staged(&self.store)?.into_iter();
        all.map(|(number, staged)| {
            let sealed = (staged.state == StageState::Sealed).then(|| staged.stage.sealed());
            Ok(StagedRelease {
                stage: number,
                owner: staged.owner,
                expires: staged.expires,
                base: staged.stage.release,
                state: staged.state,
                chunks: staged.chunks,
                bytes: staged.bytes,
                sealed: sealed.transpose()?,
            })
        })
        .collect()
    }

    /// Whether a chunk with this SHA-256 is here, of whatever it may be, and content can name it. It may go with what
    /// it belongs to.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the index cannot be read.
    pub fn holds(&self, sha256: &[u8]) -> Result<bool, Error> {
        let found = self.store.bodies.find(&self.store.forest, sha256)?;
        Ok(found.is_some())
    }

    /// A staged release, for one who may change it.
    fn staged(&self, stage: u64, by: By) -> Result<Staged, Error> {
        let found = self.state.uploads.staged(&self.store, stage)?;
        let may = Permission::Commit;
        if found.owner != by.principal && !self.access().allows(may, by.principal) {
            return Err(StageError::Foreign.of(stage));
        }
        Ok(found)
    }

    /// What an entry of the log says that is live from then on, or scheduled to be.
    fn published_as(&self, release: u64) -> Result<Sealed, Error> {
        let leaf = self.state.log.leaf(&self.store, release);
        let leaf = leaf.ok_or(Error::ReleaseNotFound { release })?;
        let entry = Entry::of_cbor(&leaf.value)?;
        let (site, content) = match entry.kind {
            Kind::Schedule { site, content, .. } => (site, content),
            _ => (entry.site, entry.content),
        };
        Ok(Sealed { site, content })
    }

    fn publishable(
        &self,
        stage: u64,
        expected: &Expected,
        caller: Principal,
    ) -> Result<Stage, Error> {
        let found = self.state.uploads.staged(&self.store, stage)?;
        if found.state != StageState::Sealed {
            return Err(StageError::Open.of(stage));
        }
        expected.check(stage, found.stage.sealed()?)?;
        if found.owner != caller && *expected == Expected::default() {
            return Err(StageError::HashRequired.of(stage));
        }
        if !found.stage.is_next_of(&self.state) {
            return Err(StageError::Outdated {
                base: found.stage.release,
                base_site: found.stage.base.answers.hash(),
                live: self.live_release(),
                live_site: Some(self.root.site()),
            }
            .of(stage));
        }
        self.guard().check_free()?;
        Ok(found.stage)
    }

    fn draft_of(&mut self, stage: &Stage, by: By) -> Draft {
        let Self { store, state, .. } = self;
        Draft::of_stage(store, state, stage, by.now)
    }
}

impl Expected {
    /// Whether a stage is this.
    fn check(&self, stage: u64, Sealed { site, content }: Sealed) -> Result<(), Error> {
        for (what, computed, given) in [
            ("site", Some(site), &self.site),
            ("content", content, &self.content),
        ] {
            match given {
                Some(given) if computed.is_none_or(|hash| hash[..] != **given) => {
                    let given = given.clone();
                    return Err(StageError::Mismatch {
                        what,
                        computed,
                        given,
                    }
                    .of(stage));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Stage {
    /// The hashes of its trees, if it is sealed.
    fn sealed(&self) -> Result<Sealed, Error> {
        let root = self.trees.root(None)?;
        Ok(Sealed {
            site: root.site(),
            content: root.content(),
        })
    }
}
