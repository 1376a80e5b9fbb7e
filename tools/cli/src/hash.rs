//! `hallmark hash`: what a directory adds up to once it is deployed, without deploying it.

use std::path::{Path, PathBuf};

use ic_hallmark::site::Environment;
use serde_json::json;

use crate::Error;
use crate::directory::Directory;
use crate::journal::Journal;
use crate::network::{Location, Trust};
use crate::rehearsal::{Hashes, Rehearsal};
use crate::report::say;
use crate::root_key::root_key;

/// What to hash, and what its pages will be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    /// The directory.
    pub directory: PathBuf,
    /// The network that it is for.
    pub network: Location,
    /// That network's root key; `None` is [`Location::default_trust`].
    pub trust: Option<Trust>,
    /// The canister's environment variables that pages are told of.
    pub variables: Vec<Variable>,
    /// Whether to print JSON.
    pub json: bool,
}

/// An environment variable of a canister: its name begins with `PUBLIC_`, or no page is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::str::FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Variable, String> {
        let (name, value) = text.split_once('=').ok_or("a variable is NAME=VALUE")?;
        if !name.starts_with("PUBLIC_") {
            return Err("pages are told of variables whose names begin with PUBLIC_".to_owned());
        }
        Ok(Variable {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Prints the hashes of the directory.
///
/// # Errors
///
/// Those of reading it, and [`Error::Unreachable`] if the root key is to be fetched and cannot.
pub fn hash(options: &Hash) -> Result<(), Error> {
    let trust = options.network.trust(options.trust.as_ref());
    let key = root_key(&options.network, &trust)?;
    let environment = Environment::new(
        &key,
        options
            .variables
            .iter()
            .map(|variable| (variable.name.clone(), variable.value.clone())),
    );
    let (rehearsal, files) = rehearse(&options.directory, &environment)?;
    let hashes = rehearsal.hashes()?;
    if options.json {
        say(in_json(&hashes, files, &key, &options.variables));
    } else {
        say(in_words(&hashes, &key, &trust, &options.variables));
    }
    Ok(())
}

/// Deploys a directory to a canister in memory. Returns how many files that were.
///
/// # Errors
///
/// Those of reading it.
pub fn rehearse(directory: &Path, environment: &Environment) -> Result<(Rehearsal, usize), Error> {
    let rehearsal = Rehearsal::new(environment)?;
    let deployed = Directory::new(directory).deploy(&rehearsal, &Journal::none(), &());
    match deployed {
        Ok(deployed) => Ok((rehearsal, deployed.files)),
        // It is this library's own, and refuses what any would.
        Err(Error::Call { reject, .. }) => Err(Error::Unfit(reject)),
        Err(error) => Err(error),
    }
}

fn in_words(hashes: &Hashes, key: &[u8], trust: &Trust, variables: &[Variable]) -> String {
    let network = match trust {
        Trust::InternetComputer => "the Internet Computer".to_owned(),
        Trust::RootKey(_) | Trust::Fetched => {
            let key = hex::encode(key);
            format!(
                "the network with the root key {}…{}",
                &key[..4],
                &key[key.len() - 16..]
            )
        }
    };
    let content = hashes.content.map_or("none".to_owned(), hex::encode);
    let mut lines = format!("  for pages on  {network}");
    for Variable { name, value } in variables {
        lines.push_str(&format!("\n                {name}={value}"));
    }
    lines.push_str(&format!(
        "\n  content hash  {content}\n  state hash    {}\n  site hash     {}",
        hex::encode(hashes.state),
        hex::encode(hashes.site)
    ));
    lines
}

fn in_json(hashes: &Hashes, files: usize, key: &[u8], variables: &[Variable]) -> String {
    let variables: serde_json::Map<_, _> = variables
        .iter()
        .map(|variable| (variable.name.clone(), variable.value.clone().into()))
        .collect();
    let hashes = json!({
        "files": files,
        "environment": { "root_key": hex::encode(key), "variables": variables },
        "content_hash": hashes.content.map(hex::encode),
        "state_hash": hex::encode(hashes.state),
        "site_hash": hex::encode(hashes.site),
    });
    format!("{hashes:#}")
}
