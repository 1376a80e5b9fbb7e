//! `hallmark releases` and `hallmark log`: what a canister keeps, and all that happened to it;
//! `hallmark rollback`: an earlier release again.

use std::sync::Arc;

use ic_hallmark::site::Kind;
use serde_json::{Value, json};

use crate::Error;
use crate::history::History;
use crate::identity::{self, Stores};
use crate::legacy::failed;
use crate::native::{self, RolledBack};
use crate::network::Trust;
use crate::remote::RemoteCanister;
use crate::report::{Console, bytes, count, quote, say};
use crate::time::Time;
use crate::verify::entry;
use crate::verify::log::Numbered;
use crate::verify::subject::{Found, Place};

/// What to show of a canister's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    /// The site.
    pub place: Place,
    /// How many entries to show, the newest ones.
    pub limit: usize,
    /// Whether to print JSON.
    pub json: bool,
}

/// What to bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The site.
    pub place: Place,
    /// The release, by the number of its entry in the log.
    pub release: u64,
    /// What the log shall say of it.
    pub note: Option<String>,
    /// Who does it, as [`identity::find`] has it.
    pub identity: String,
}

/// Entries among which that of a change is found that was made just now.
const RECENT: usize = 10;

/// Prints a table of the releases that are kept, and of the live one.
///
/// # Errors
///
/// Those of [`History::read`].
pub fn releases(options: &Show) -> Result<(), Error> {
    let history = read(&options.place, usize::MAX)?;
    let live = history.live();
    let is_there = |number| Some(number) == live || history.kept.contains(&number);
    let there = history.entries.iter().filter(|it| is_there(it.number));
    let there: Vec<_> = there.take(options.limit).collect();
    if options.json {
        let there = there.into_iter().map(|numbered| {
            let mut value = entry::in_json(numbered.number, &numbered.entry);
            value["live"] = Value::Bool(Some(numbered.number) == live);
            value
        });
        let there: Vec<_> = there.collect();
        say(format_args!("{:#}", json!(there)));
        return Ok(());
    }
    for numbered in there {
        say(row(numbered, Some(numbered.number) == live));
    }
    Ok(())
}

/// A release in a line.
fn row(Numbered { number, entry }: &Numbered, is_live: bool) -> String {
    let mark = if is_live { "live" } else { "kept" };
    let site_hash = hex::encode(&entry.site[..8]);
    let words = [
        entry::detail(&entry.kind).unwrap_or_default(),
        entry.note.clone(),
    ];
    let words = words.into_iter().filter(|words| !words.is_empty());
    let words: Vec<_> = words.collect();
    let row = format!(
        "  {number:>5}  {mark}  {}  {:<11}  {:>7} assets  {:>10}  {site_hash}…  {}",
        Time(entry.time),
        entry.kind.name(),
        entry.assets,
        bytes(entry.bytes),
        words.join(", ")
    );
    quote(row.trim_end())
}

/// Prints the log, proven, the newest entry first.
///
/// # Errors
///
/// Those of [`History::read`].
pub fn log(options: &Show) -> Result<(), Error> {
    let history = read(&options.place, options.limit)?;
    if options.json {
        let entries = history.entries.iter();
        let entries = entries.map(|numbered| entry::in_json(numbered.number, &numbered.entry));
        let entries: Vec<_> = entries.collect();
        say(format_args!("{:#}", json!(entries)));
        return Ok(());
    }
    for Numbered { number, entry } in &history.entries {
        let content = entry.content.map_or("none".to_owned(), hex::encode);
        say(format_args!(
            "  {number:>5}  {}\n         site hash     {}\n         content hash  {content}, {}, {}\n",
            quote(&entry::in_words(entry)),
            hex::encode(entry.site),
            count(entry.assets.into(), "asset"),
            bytes(entry.bytes),
        ));
    }
    let first = history.entries.last().map_or(0, |first| first.number);
    let entries = match history.entries.len() {
        1 => "1 entry".to_owned(),
        several => format!("{several} entries"),
    };
    say(match first {
        0 => "  the log is empty, which is proven".to_owned(),
        1 => format!("  {entries}, the whole log, each of them proven"),
        _ if history.entries.len() == 1 => "  the last entry, proven".to_owned(),
        _ => format!("  {entries}, the last ones, each of them proven"),
    });
    Ok(())
}

fn read(place: &Place, limit: usize) -> Result<History, Error> {
    let found = place.find()?;
    let canister = call_as(&found, "anonymous")?;
    let history = History::read(&canister, &found.against(), limit);
    history.map_err(|error| canister.explain(error))
}

/// The canister, as somebody calls it.
pub(crate) fn call_as(found: &Found, identity: &str) -> Result<RemoteCanister, Error> {
    let identity = identity::find(identity, &Stores::of_user())?;
    let trust = Trust::RootKey(found.root_key.clone());
    let canister = RemoteCanister::new(found.canister, &found.location, trust, identity)?;
    Ok(canister.with_report(Arc::new(Console::default())))
}

/// Makes an earlier release the live one, and says what the site adds up to now.
///
/// # Errors
///
/// Those of the call; the site is as it was then, but for [`Error::Undecided`].
pub fn rollback(options: &Rollback) -> Result<(), Error> {
    let found = options.place.find()?;
    let canister = call_as(&found, &options.identity)?;
    let wanted = native::Rollback {
        release: options.release,
        note: options.note.clone(),
    };
    let reply = native::rollback(&canister, &wanted);
    let lost = Error::after_publishing;
    let reply = reply.map_err(|failure| lost(canister.explain(failed("rollback", failure))))?;
    let RolledBack { release } = reply.ok_or(Error::NoReleases(found.canister))?;
    // It is the last entry, but for what pages are told of a new environment.
    let history = History::read(&canister, &found.against(), RECENT).map_err(lost)?;
    let live = history.entries.first().map(|last| last.entry.site);
    let (again, site) = match history.entry(release).map(|logged| &logged.entry.kind) {
        Ok(Kind::Schedule { due, site, .. }) => {
            let again = format!("will be live again from {} on", Time(*due));
            (again, Some(*site))
        }
        _ => ("is live again".to_owned(), live),
    };
    say(format_args!(
        "  release {} {again}; the log has it as {release}",
        options.release
    ));
    if let Some(hash) = site {
        say(format_args!("  site hash  {}", hex::encode(hash)));
    }
    Ok(())
}
