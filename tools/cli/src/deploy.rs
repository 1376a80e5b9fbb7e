//! `hallmark deploy`: a directory, and a canister that is there already, on whatever network.

use std::path::PathBuf;
use std::sync::Arc;

use candid::Principal;
use directories::ProjectDirs;
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::directory::{Directory, Manner};
use crate::identity::{self, Stores};
use crate::journal::Journal;
use crate::network::{Location, Trust};
use crate::remote::RemoteCanister;
use crate::report::{Console, say};
use crate::scan::scan;

/// What to deploy, and to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// The directory.
    pub directory: PathBuf,
    /// The asset canister.
    pub canister: Principal,
    /// The network that it is on.
    pub network: Location,
    /// What proves the network's answers; `None` is [`Location::default_trust`].
    pub trust: Option<Trust>,
    /// Who deploys, as [`identity::find`] has it.
    pub identity: String,
    /// What to say of it in the canister's log, and what to do if somebody else publishes.
    pub manner: Manner,
    /// Whether the directory may be empty, and the site with it.
    pub empty: bool,
    /// Whether to say what would be done, and to leave it at that.
    pub dry_run: bool,
}

/// Assets that a deploy names before it only counts them.
const NAMED: usize = 20;

/// Makes the canister hold the directory, and says what has changed and what the site adds up to.
///
/// # Errors
///
/// Any [`Error`]. What the canister answers has not changed then, but for [`Error::Undecided`].
pub fn deploy(options: &Deploy) -> Result<(), Error> {
    // What can be wrong here is found before anybody is called.
    let found = scan(&options.directory)?;
    if found.files.is_empty() && !options.empty && !options.dry_run {
        return Err(Error::EmptyDirectory(options.directory.clone()));
    }
    let identity = identity::find(&options.identity, &Stores::of_user())?;
    let trust = options.network.trust(options.trust.as_ref());
    let canister = RemoteCanister::new(options.canister, &options.network, trust, identity)?;
    let report = Arc::new(Console::default());
    let canister = canister.with_report(report.clone());

    let mut directory = Directory::new(&options.directory);
    if options.dry_run {
        let planned = directory.plan(&canister, &*report);
        let planned = planned.map_err(|error| canister.explain(error))?;
        for line in planned.changes.lines(usize::MAX) {
            say(line);
        }
        say(planned.changes.summary());
        say("  dry run: the site is as it was");
        return Ok(());
    }
    let journal = journal(&canister);
    let deployed = directory.deploy_as(&options.manner, &canister, &journal, &*report);
    let deployed = deployed.map_err(|error| canister.explain(error))?;
    for line in deployed.changes.lines(NAMED) {
        say(line);
    }
    say(deployed.changes.summary());
    for line in deployed.lines() {
        say(line);
    }
    Ok(())
}

/// The journal of what this user uploads to this canister of this network.
fn journal(canister: &RemoteCanister) -> Journal {
    let Some(directories) = ProjectDirs::from("", "", "hallmark") else {
        return Journal::none();
    };
    let name = Sha256::new()
        .chain_update(canister.root_key())
        .chain_update([canister.id().as_slice().len() as u8])
        .chain_update(canister.id().as_slice())
        .chain_update(canister.caller().as_slice());
    let name = hex::encode(name.finalize());
    Journal::open(&directories.cache_dir().join("uploads").join(name))
}
