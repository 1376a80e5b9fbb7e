//! `hallmark verify`: what a canister serves, proven from the root key of its network down.
//!
//! [`chain`] names the links and the reasons why one breaks. Each is checked by a module that is
//! given bytes and a time, and asks nobody: [`certificate`], [`log`] with its [`entry`] and what is [`beside`] the site, [`answer`],
//! [`environment`], [`content`], [`module`]. [`examination`] asks a canister for those bytes and
//! puts the findings together, with `served` for what is served and [`listing`] for what is there,
//! whoever the canister is; [`fetch`] is one on a network, and
//! [`subject`] which one. [`report`] tells what was found.

pub mod answer;
pub mod beside;
pub mod certificate;
pub mod chain;
pub mod content;
pub mod entry;
pub mod environment;
pub mod examination;
pub mod fetch;
pub mod listing;
pub mod log;
pub mod module;
pub mod report;
mod served;
pub mod subject;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::report::{Console, say};
use examination::{Expected, examine};
use fetch::Remote;
use module::Modules;
use report::{Examined, Outcome};
use subject::{Place, Subject};

/// What to verify, and against what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// The site.
    pub place: Place,
    /// The directory that it should serve.
    pub directory: Option<PathBuf>,
    /// The module that it should run.
    pub wasm: Option<PathBuf>,
    /// A list of modules that it may run, besides those that are known.
    pub modules: Option<PathBuf>,
    /// Whether to print JSON.
    pub json: bool,
}

/// Verifies a site, and prints what is found.
///
/// # Errors
///
/// What keeps it from being examined; a link that breaks is an [`Outcome`].
pub fn verify(options: &Verify) -> Result<Outcome, Error> {
    let module = options.wasm.as_deref().map(sha256).transpose()?;
    let modules = match &options.modules {
        None => Modules::known(),
        Some(path) => {
            let text = String::from_utf8(read(path)?).ok();
            let modules = text.and_then(|text| Modules::read(&text));
            modules.ok_or_else(|| Error::Modules(path.clone()))?
        }
    };
    if let Some(directory) = &options.directory {
        crate::scan::scan(directory)?;
    }

    let found = options.place.find()?;
    let report = Arc::new(Console::default());
    let source = Remote::new(
        found.canister,
        &found.location,
        &found.root_key,
        report.clone(),
    )?;
    let given = match &options.place.subject {
        Subject::Url(url) => Some(fetch::get(url)?),
        Subject::Canister(_) => None,
    };
    let expected = Expected {
        directory: options.directory.as_deref(),
        given: given.as_ref(),
        module,
        modules: &modules,
    };
    let against = found.against();
    let findings = examine(&source, &expected, &against, &*report);
    let findings = findings.map_err(|error| source.explain(error))?;

    let time = against.now;
    let examined = Examined { found, time };
    say(match options.json {
        true => report::in_json(&examined, &findings),
        false => report::in_words(&examined, &findings),
    });
    Ok(Outcome::of(&findings))
}

fn sha256(path: &Path) -> Result<[u8; 32], Error> {
    Ok(Sha256::digest(read(path)?).into())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::reading(path, source))
}
