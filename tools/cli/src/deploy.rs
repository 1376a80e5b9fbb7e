//! A directory, deployed as often as it changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::Error;
use crate::canister::Canister;
use crate::content::{self, Asset};
use crate::legacy::AssetCanister;
use crate::plan::{Fate, Plan};
use crate::report::{Report, Stage};
use crate::scan::{File, scan};
use crate::upload::{Progress, upload};

/// A directory, and what was read of it before: files that have not been written since are
/// neither read nor compressed again.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    known: HashMap<String, Known>,
}

/// An asset, and the file it was as the directory listed it.
#[derive(Debug)]
struct Known {
    size: u64,
    modified: Option<SystemTime>,
    asset: Arc<Asset>,
}

/// What a deploy did.
#[derive(Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Files in the directory.
    pub files: usize,
    /// What became of which asset, by key; unchanged ones are not among them.
    pub fates: Vec<(String, Fate)>,
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
    /// # Errors
    ///
    /// Those of [`scan`], [`content::read_all`] and [`upload`]. What the canister answers has
    /// not changed then.
    pub fn deploy(
        &mut self,
        canister: &dyn Canister,
        report: &dyn Report,
    ) -> Result<Deployed, Error> {
        let files = scan(&self.path)?;
        let assets = self.read(&files, report)?;

        let assets_there = AssetCanister::new(canister).list()?;
        let plan = Plan::new(&assets, &assets_there);
        if !plan.is_empty() {
            send(canister, &plan, report)?;
        }
        let fates = plan.fates().into_iter();
        Ok(Deployed {
            files: files.len(),
            fates: fates.map(|(key, fate)| (key.to_owned(), fate)).collect(),
            site_hash: AssetCanister::new(canister).site_hash()?,
        })
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
        self.modified.is_some() && (self.size, self.modified) == (file.size, file.modified)
    }
}

fn send(canister: &dyn Canister, plan: &Plan<'_>, report: &dyn Report) -> Result<(), Error> {
    let mut committing = false;
    report.begin(Stage::Uploading, plan.bytes());
    upload(canister, plan, &mut |progress| match progress {
        Progress::Uploaded(bytes) => report.advance(bytes),
        Progress::Committed(operations) => {
            if !committing {
                committing = true;
                report.end();
                report.begin(Stage::Committing, plan.changes.len() as u64);
            }
            report.advance(operations);
        }
    })?;
    report.end();
    Ok(())
}
