//! A directory, deployed as often as it changes.
//!
//! What has to change is planned here, whatever interface the canister has; [`upload`] carries
//! the plan out in the words of one. `There` is what a canister is known to have, and so where
//! another way to carry it out would be chosen.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::Error;
use crate::canister::Canister;
use crate::changes::Changes;
use crate::content::{self, Asset};
use crate::freight::Freight;
use crate::journal::Journal;
use crate::legacy::{AssetCanister, AssetDetails};
use crate::parallel;
use crate::plan::{Plan, Stored};
use crate::report::{Report, Stage};
use crate::rules::{Settings, Unused};
use crate::scan::{File, scan};
use crate::upload::upload;

/// A directory, and what was read of it before: files that have not been written since are
/// neither read nor compressed again.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    known: HashMap<String, Known>,
}

/// An asset, and the file it was, as the directory listed it and its rules had it.
#[derive(Debug)]
struct Known {
    size: u64,
    modified: Option<SystemTime>,
    settings: Settings,
    asset: Arc<Asset>,
}

/// What a deploy did, or would do.
#[derive(Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Files in the directory.
    pub files: usize,
    /// What became of which asset.
    pub changes: Changes,
    /// The hash of everything the site can answer now, where the canister tells.
    pub site_hash: Option<[u8; 32]>,
}

impl Deployed {
    /// The site hash, in a line for people.
    pub fn summary(&self) -> String {
        match self.site_hash {
            Some(hash) => format!("  site hash  {}", hex::encode(hash)),
            None => "  site hash  not told by this canister".to_owned(),
        }
    }
}

impl Directory {
    /// The directory at this path, of which nothing is known yet.
    pub fn new(path: &Path) -> Directory {
        Directory {
            path: path.to_owned(),
            known: HashMap::new(),
        }
    }

    /// Makes the canister hold this directory, as it is now, and nothing else.
    ///
    /// A deploy that is broken off at any moment leaves the site as it was, and what it has
    /// uploaded to the next deploy with the same journal.
    ///
    /// # Errors
    ///
    /// Those of [`scan`], [`content::read_all`] and [`upload`]. What the canister answers has
    /// not changed then, but for [`Error::Undecided`] and [`Error::Overtaken`].
    pub fn deploy(
        &mut self,
        canister: &dyn Canister,
        journal: &Journal,
        report: &dyn Report,
    ) -> Result<Deployed, Error> {
        let (files, assets) = self.assets(report)?;
        let there = There::of(canister)?;
        let plan = Plan::new(&assets, &there.assets);
        let freight = Freight::new(&plan, there.is_hallmark());
        let site_hash = match plan.is_empty() {
            true => there.site_hash,
            false => {
                let commits = upload(canister, &plan, &freight, journal, report);
                conclude(commits, canister, &assets, &there)?;
                let site_hash = AssetCanister::new(canister).site_hash();
                site_hash.map_err(Error::after_publishing)?
            }
        };
        Ok(Deployed {
            files,
            changes: Changes::new(&plan, &freight),
            site_hash,
        })
    }

    /// What [`deploy`](Self::deploy) would do. Nothing is changed.
    ///
    /// # Errors
    ///
    /// As `deploy`.
    pub fn plan(
        &mut self,
        canister: &dyn Canister,
        report: &dyn Report,
    ) -> Result<Deployed, Error> {
        let (files, assets) = self.assets(report)?;
        let there = There::of(canister)?;
        let plan = Plan::new(&assets, &there.assets);
        let freight = Freight::new(&plan, there.is_hallmark());
        Ok(Deployed {
            files,
            changes: Changes::new(&plan, &freight),
            site_hash: there.site_hash,
        })
    }

    /// The number of files, and what they are as assets.
    fn assets(&mut self, report: &dyn Report) -> Result<(usize, Vec<Arc<Asset>>), Error> {
        let found = scan(&self.path)?;
        for Unused { path, glob } in &found.unused {
            let path = path.display();
            report.note(&format!("the rule for {glob} in {path} matches nothing"));
        }
        let assets = self.read(&found.files, report)?;
        Ok((found.files.len(), assets))
    }

    fn read(&mut self, files: &[File], report: &dyn Report) -> Result<Vec<Arc<Asset>>, Error> {
        let unknown: Vec<_> = files.iter().filter(|file| !self.knows(file)).collect();
        let mut read = Vec::new();
        if !unknown.is_empty() {
            report.begin(Stage::Reading, unknown.len() as u64);
            read = content::read_all(&unknown, &|| report.advance(1))?;
            report.end();
        }
        let mut read = read.into_iter();
        let mut known = HashMap::new();
        for file in files {
            let entry = match self.known.remove(&file.key) {
                Some(entry) if entry.is(file) => entry,
                _ => Known {
                    size: file.size,
                    modified: file.modified,
                    settings: file.settings.clone(),
                    asset: read.next().expect("each unknown file was read"),
                },
            };
            known.insert(file.key.clone(), entry);
        }
        self.known = known;
        Ok(self
            .known
            .values()
            .map(|known| known.asset.clone())
            .collect())
    }

    fn knows(&self, file: &File) -> bool {
        self.known
            .get(&file.key)
            .is_some_and(|known| known.is(file))
    }
}

impl Known {
    fn is(&self, file: &File) -> bool {
        self.modified.is_some()
            && (self.size, self.modified) == (file.size, file.modified)
            && self.settings == file.settings
    }
}

/// What a canister has.
struct There {
    assets: Vec<Stored>,
    /// Hallmark's own canister tells it, and no other.
    site_hash: Option<[u8; 32]>,
}

impl There {
    fn of(canister: &dyn Canister) -> Result<There, Error> {
        let listed = AssetCanister::new(canister).list()?;
        let site_hash = AssetCanister::new(canister).site_hash()?;
        Ok(There {
            assets: told(canister, listed, site_hash.is_some())?,
            site_hash,
        })
    }

    /// Whether chunks outlive their use, and commits of batch 0 are staged.
    fn is_hallmark(&self) -> bool {
        self.site_hash.is_some()
    }
}

/// What there is to know of assets. Hallmark's canister lists all of it.
fn told(
    canister: &dyn Canister,
    listed: Vec<AssetDetails>,
    is_hallmark: bool,
) -> Result<Vec<Stored>, Error> {
    let lanes = canister.lanes();
    let canister = AssetCanister::new(canister);
    if is_hallmark {
        return Ok(listed.into_iter().map(Stored::from).collect());
    }
    parallel::map(lanes, &listed, |details: &AssetDetails| {
        Ok(Stored {
            properties: canister.properties(&details.key)?,
            ..details.clone().into()
        })
    })
}

/// Finds out what came of an upload where its calls alone do not tell.
fn conclude(
    commits: Result<usize, Error>,
    canister: &dyn Canister,
    wanted: &[Arc<Asset>],
    there: &There,
) -> Result<(), Error> {
    let undecided = match commits {
        // A commit of batch 0 does not say which upload it is part of.
        Ok(commits) if commits > 1 && there.is_hallmark() => None,
        Ok(_) => return Ok(()),
        Err(Error::Undecided(reason)) => Some(reason),
        Err(error) => return Err(error),
    };
    let listed = AssetCanister::new(canister).list();
    let stored = listed.and_then(|listed| told(canister, listed, there.is_hallmark()));
    let stored = match (stored, &undecided) {
        (Ok(stored), _) => stored,
        (Err(_), Some(reason)) => return Err(Error::Undecided(reason.clone())),
        (Err(error), None) => return Err(error.after_publishing()),
    };
    let plan = Plan::new(wanted, &stored);
    match (plan.fates().into_iter().next(), undecided) {
        (None, _) => Ok(()),
        (Some(_), Some(reason)) => Err(Error::Undecided(reason)),
        (Some((key, _)), None) => Err(Error::Overtaken {
            key: key.to_owned(),
        }),
    }
}
