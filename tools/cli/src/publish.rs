//! `hallmark deploy`: a directory, and a canister that is there already, on whatever network.

use std::path::PathBuf;

use candid::Principal;
use ic_agent::Identity;
use ic_agent::identity::AnonymousIdentity;

use crate::Error;
use crate::deploy::Directory;
use crate::identity;
use crate::network::{Location, Trust};
use crate::remote::RemoteCanister;
use crate::report::{Console, say};
use crate::scan::scan;

/// What to deploy, and to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The directory.
    pub directory: PathBuf,
    /// The asset canister.
    pub canister: Principal,
    /// The network that it is on.
    pub network: Location,
    /// What proves the network's answers; `None` is [`Location::default_trust`].
    pub trust: Option<Trust>,
    /// The file with the private key of who deploys; `None` is nobody.
    pub identity: Option<PathBuf>,
}

/// Makes the canister hold the directory, and says what the site adds up to.
///
/// # Errors
///
/// Any [`Error`]. What the canister answers has not changed then, unless the network was lost
/// in the last call of all.
pub fn publish(options: &Publish) -> Result<(), Error> {
    // What can be wrong here is found before anybody is called.
    scan(&options.directory)?;
    let identity: Box<dyn Identity> = match &options.identity {
        Some(path) => identity::read(path)?,
        None => Box::new(AnonymousIdentity),
    };
    let trust = options.trust.clone();
    let trust = trust.unwrap_or_else(|| options.network.default_trust());
    let canister = RemoteCanister::new(options.canister, &options.network, trust, identity)?;

    let mut directory = Directory::new(&options.directory);
    let deployed = directory.deploy(&canister, &Console::default());
    let deployed = deployed.map_err(|error| match error {
        Error::Call { reject, .. } if reject.is_missing_permission() => Error::Forbidden {
            principal: canister.caller(),
            canister: options.canister,
            reject,
        },
        other => other,
    })?;
    if deployed.fates.is_empty() {
        eprintln!("  nothing has changed");
    }
    say(deployed.summary());
    Ok(())
}
