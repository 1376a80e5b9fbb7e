//! A directory, deployed as often as it changes.
//!
//! What has to change is planned here, whatever interface the canister has; [`stage`](crate::stage) carries
//! the plan out in Hallmark's words, and [`upload`] in those of the canister of dfx.

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
use crate::native::{Asked, Hashes, Live, Stages};
use crate::parallel;
use crate::plan::{Plan, Stored};
use crate::report::{Report, Step};
use crate::rules::{Settings, Unused};
use crate::scan::{File, scan};
use crate::stage::Release;
use crate::time::Time;
use crate::upload::upload;

/// How often a deploy that may replace what others publish begins again, if they do so while the
/// site is compared with the directory.
const RESTARTS: usize = 5;

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

/// What there is to say of a deploy beside what it deploys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// What the canister's log shall say of it.
    pub note: Option<String>,
    /// Whether to go on if somebody else publishes meanwhile, in whose place it is then put.
    pub rebase: bool,
}

/// What a deploy did, or would do.
#[derive(Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Files in the directory.
    pub files: usize,
    /// What became of which asset.
    pub changes: Changes,
    /// The number of the release that was published, if one was and the canister counts them.
    pub release: Option<u64>,
    /// When that is live, if it is not now: the canister has a lock.
    pub due: Option<Time>,
    /// What the site adds up to from then on, where the canister tells.
    pub hashes: Option<Hashes>,
}

impl Deployed {
    /// The site hash, in a line for people.
    pub fn summary(&self) -> String {
        match self.hashes {
            Some(hashes) => format!("  site hash  {}", hex::encode(hashes.site)),
            None => "  site hash  not told by this canister".to_owned(),
        }
    }

    /// What was published, in lines for people; the site hash is the last.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(release) = self.release {
            lines.push(match self.due {
                None => format!("  release    {release}"),
                Some(due) => format!("  release    {release}, live from {due} on"),
            });
        }
        if let Some(hashes) = self.hashes {
            let content = hashes.content.map_or("none".to_owned(), hex::encode);
            lines.push(format!("  content    {content}"));
        }
        lines.push(self.summary());
        lines
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
    /// A deploy to Hallmark's canister that is broken off at any moment leaves the site as it was,
    /// and what it has uploaded to the next deploy. So does one to a canister of dfx, if both have
    /// the same journal, until its first commit.
    ///
    /// # Errors
    ///
    /// Those of [`scan`], [`content::read_all`], [`Release::publish`] and [`upload`]. What the
    /// canister answers has not changed then, but for [`Error::Undecided`].
    pub fn deploy(
        &mut self,
        canister: &dyn Canister,
        journal: &Journal,
        report: &dyn Report,
    ) -> Result<Deployed, Error> {
        self.deploy_as(&Manner::default(), canister, journal, report)
    }

    /// The same, in this manner.
    ///
    /// # Errors
    ///
    /// As [`deploy`](Self::deploy).
    pub fn deploy_as(
        &mut self,
        manner: &Manner,
        canister: &dyn Canister,
        journal: &Journal,
        report: &dyn Report,
    ) -> Result<Deployed, Error> {
        let (files, assets) = self.assets(report)?;
        let release = Release {
            assets: &assets,
            note: manner.note.as_deref(),
            rebase: manner.rebase,
        };
        let mut restarts = if manner.rebase { RESTARTS } else { 0 };
        loop {
            let there = There::of(canister)?;
            match there.make(files, &release, canister, journal, report) {
                Err(Error::Moved) if restarts > 0 => restarts -= 1,
                result => return result,
            }
        }
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
        let release = Release {
            assets: &assets,
            note: None,
            rebase: false,
        };
        let there = There::of(canister)?;
        let (plan, freight) = there.plan(&release);
        there.planned(files, &release, &plan, &freight)
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
            report.begin(Step::Reading, unknown.len() as u64);
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
    /// What Hallmark's own canister tells, and no other.
    hallmark: Option<Hallmark>,
}

/// What was live before the assets were listed.
struct Hallmark {
    live: Live,
    site_hash: [u8; 32],
}

impl There {
    fn of(canister: &dyn Canister) -> Result<There, Error> {
        let assets = AssetCanister::new(canister);
        let hallmark = match Stages::new(canister).live(Asked::One)? {
            Some(live) => {
                let site_hash = assets.site_hash()?;
                site_hash.map(|site_hash| Hallmark { live, site_hash })
            }
            None => None,
        };
        let listed = assets.list()?;
        Ok(There {
            assets: told(canister, listed, hallmark.is_some())?,
            hallmark,
        })
    }

    /// What is to be done to have this release there, and what has to be uploaded for it.
    fn plan<'a>(&'a self, release: &'a Release<'_>) -> (Plan<'a>, Freight<'a>) {
        let plan = Plan::new(release.assets, &self.assets);
        let freight = Freight::new(&plan, self.hallmark.is_some());
        (plan, freight)
    }

    /// Has this release there.
    fn make(
        &self,
        files: usize,
        release: &Release<'_>,
        canister: &dyn Canister,
        journal: &Journal,
        report: &dyn Report,
    ) -> Result<Deployed, Error> {
        let (plan, freight) = self.plan(release);
        let mut deployed = self.planned(files, release, &plan, &freight)?;
        if plan.is_empty() {
            return Ok(deployed);
        }
        if let (Some(Hallmark { live, .. }), Some(hashes)) = (&self.hallmark, &mut deployed.hashes)
        {
            let number = release.publish(canister, *live, &plan, &freight, journal, report)?;
            deployed.release = Some(number);
            let outcome = Stages::new(canister).outcome(number);
            let outcome = outcome.map_err(Error::after_publishing)?;
            hashes.site = outcome.site;
            deployed.due = outcome.due.map(Time);
        } else {
            if release.note.is_some() {
                report.note("this canister has no log, so the note is lost");
            }
            let result = upload(canister, &plan, &freight, journal, report);
            conclude(result, canister, release.assets)?;
        }
        Ok(deployed)
    }

    /// What that comes to, before it is done: the site hash is that of what is there.
    fn planned(
        &self,
        files: usize,
        release: &Release<'_>,
        plan: &Plan<'_>,
        freight: &Freight<'_>,
    ) -> Result<Deployed, Error> {
        let hashes = match &self.hallmark {
            None => None,
            Some(hallmark) => Some(Hashes {
                site: hallmark.site_hash,
                content: release.content_hash()?,
            }),
        };
        Ok(Deployed {
            files,
            changes: Changes::new(plan, freight),
            release: None,
            due: None,
            hashes,
        })
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

/// Finds out what came of an upload to a canister of dfx where its calls do not tell.
fn conclude(
    uploaded: Result<usize, Error>,
    canister: &dyn Canister,
    wanted: &[Arc<Asset>],
) -> Result<(), Error> {
    let reason = match uploaded {
        Ok(_) => return Ok(()),
        Err(Error::Undecided(reason)) => reason,
        Err(error) => return Err(error),
    };
    let listed = AssetCanister::new(canister).list();
    match listed.and_then(|listed| told(canister, listed, false)) {
        Ok(stored) if Plan::new(wanted, &stored).is_empty() => Ok(()),
        _ => Err(Error::Undecided(reason)),
    }
}
