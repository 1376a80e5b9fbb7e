//! `hallmark diff`: in which assets two releases differ, or a release and a directory.
//!
//! A canister lists the assets of what is live, kept or scheduled. Of any other release the log has
//! the hashes, which tell whether two are the same, and not in what they differ.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ic_hallmark::site::{Environment, Kind};
use serde_json::json;

use crate::Error;
use crate::hash::rehearse;
use crate::history::History;
use crate::releases::call_as;
use crate::report::{quote, say};
use crate::verify::content::{Outlines, check_list};
use crate::verify::listing::list;
use crate::verify::log::Hash;
use crate::verify::subject::Place;

/// What to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The site.
    pub place: Place,
    /// What it was.
    pub from: Side,
    /// What it is.
    pub to: Side,
    /// Whether to print JSON.
    pub json: bool,
}

/// One of two things to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// What is live.
    Live,
    /// A release, by the number of its entry in the log.
    Release(u64),
    /// A directory, as a deploy would make it.
    Directory(PathBuf),
}

impl FromStr for Side {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Side, Infallible> {
        Ok(match text.parse() {
            Ok(release) => Side::Release(release),
            Err(_) if text == "live" => Side::Live,
            Err(_) => Side::Directory(text.into()),
        })
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Live => write!(f, "what is live"),
            Side::Release(release) => write!(f, "release {release}"),
            Side::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

/// In what two sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// In nothing that was uploaded.
    None,
    /// In these assets: what becomes of each, by key.
    Assets(BTreeMap<String, Fate>),
    /// In something; the side is not listed by the canister.
    Unlisted(Side),
}

/// What becomes of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is other content, or served otherwise.
    Changed,
    /// It is gone.
    Deleted,
}

/// A side, as far as it is known.
struct Known {
    content: Option<Hash>,
    assets: Option<Outlines>,
}

/// Compares, prints, and tells whether there is a difference.
///
/// # Errors
///
/// Those of reading the log, the directory, or the list of what is live.
pub fn diff(options: &Diff) -> Result<Difference, Error> {
    let found = options.place.find()?;
    let canister = call_as(&found, "anonymous")?;
    let history = History::read(&canister, &found.against(), usize::MAX);
    let history = history.map_err(|error| canister.explain(error))?;
    let know = |side: &Side| -> Result<Known, Error> {
        let (release, content) = match side {
            Side::Directory(directory) => {
                // What pages are told is no part of what is uploaded.
                let (rehearsal, _) = rehearse(directory, &Environment::default())?;
                return Ok(Known {
                    content: rehearsal.hashes()?.content,
                    assets: Some(rehearsal.outlines()?),
                });
            }
            Side::Live => (None, history.content_hash),
            Side::Release(number) => {
                let entry = &history.entry(*number)?.entry;
                let content = match entry.kind {
                    Kind::Schedule { content, .. } => content,
                    _ => entry.content,
                };
                (Some(*number), content)
            }
        };
        // What is live may have come back from a release that is gone.
        let release = release.filter(|_| content != history.content_hash);
        let assets = match list(&canister, release) {
            Ok(listed) => {
                check_list(&listed, content).map_err(Error::Log)?;
                Some(listed)
            }
            Err(Error::Call { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Known { content, assets })
    };
    let difference = compare(options, know(&options.from)?, know(&options.to)?);
    say(match options.json {
        true => in_json(&difference),
        false => in_words(options, &difference),
    });
    Ok(difference)
}

fn compare(options: &Diff, from: Known, to: Known) -> Difference {
    if from.content == to.content {
        return Difference::None;
    }
    let (from, to) = match (from.assets, to.assets) {
        (Some(from), Some(to)) => (from, to),
        (None, _) => return Difference::Unlisted(options.from.clone()),
        (_, None) => return Difference::Unlisted(options.to.clone()),
    };
    let mut fates = BTreeMap::new();
    for (key, asset) in &to {
        match from.get(key) {
            None => fates.insert(key.clone(), Fate::Added),
            Some(before) if before != asset => fates.insert(key.clone(), Fate::Changed),
            Some(_) => None,
        };
    }
    let gone = from.keys().filter(|key| !to.contains_key(*key));
    fates.extend(gone.map(|key| (key.clone(), Fate::Deleted)));
    Difference::Assets(fates)
}

fn in_words(options: &Diff, difference: &Difference) -> String {
    match difference {
        Difference::None => format!("  {} and {} are the same", options.from, options.to),
        Difference::Unlisted(side) => format!(
            "  {} and {} differ; in what is not known, because the canister does not list the \
             assets of {side}",
            options.from, options.to
        ),
        Difference::Assets(fates) => {
            let lines = fates.iter().map(|(key, fate)| {
                let fate = match fate {
                    Fate::Added => "added",
                    Fate::Changed => "changed",
                    Fate::Deleted => "deleted",
                };
                format!("  {fate:<9}  {}", quote(key))
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn in_json(difference: &Difference) -> String {
    let keys = |wanted: Fate| match difference {
        Difference::Assets(fates) => {
            let keys = fates.iter().filter(|(_, fate)| **fate == wanted);
            Some(keys.map(|(key, _)| key.clone()).collect())
        }
        Difference::None => Some(Vec::new()),
        Difference::Unlisted(_) => None,
    };
    let report = json!({
        "same": *difference == Difference::None,
        "added": keys(Fate::Added),
        "changed": keys(Fate::Changed),
        "deleted": keys(Fate::Deleted),
    });
    format!("{report:#}")
}
