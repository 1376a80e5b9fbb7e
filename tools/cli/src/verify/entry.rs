//! Entries of a canister's log, told to people and to programs.

use ic_hallmark::site::{Entry, Kind};
use serde_json::{Value, json};

use crate::time::Time;

/// What happened, by whom and when, in a line.
pub fn in_words(entry: &Entry) -> String {
    let time = Time(entry.time);
    let mut words = format!("{} by {} at {time}", entry.kind.name(), entry.principal);
    if let Some(detail) = detail(&entry.kind) {
        words.push_str(&format!(", {detail}"));
    }
    if !entry.note.is_empty() {
        words.push_str(&format!(", {:?}", entry.note));
    }
    words
}

/// What is to be said of a kind beside its name.
pub fn detail(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Rollback { to } => Some(format!("back to {to}")),
        Kind::Amendment { changes: 1, .. } => Some("1 change".to_owned()),
        Kind::Amendment { changes, .. } => Some(format!("{changes} changes")),
        Kind::Permissions { change } | Kind::Configuration { change } => Some(change.clone()),
        Kind::Schedule { due, to, site, .. } => {
            let what = to.map_or("live".to_owned(), |to| format!("back to {to}"));
            let (due, site) = (Time(*due), hex::encode(site));
            Some(format!("{what} from {due} on, with site hash {site}"))
        }
        Kind::Withdrawal { of } => Some(format!("of {of}")),
        _ => None,
    }
}

/// The entry with this number. The shape is part of the interface, as that of
/// [`report`](super::report).
///
/// ```text
/// { "number", "time": ns since 1970, as text, "principal", "kind", "detail": words or null, "note",
///   "site_hash": hex, "content_hash": hex or null, "assets", "bytes" }
/// ```
pub fn in_json(number: u64, entry: &Entry) -> Value {
    json!({
        "number": number,
        "time": entry.time.to_string(),
        "principal": entry.principal.to_text(),
        "kind": entry.kind.name(),
        "detail": detail(&entry.kind),
        "note": entry.note,
        "site_hash": hex::encode(entry.site),
        "content_hash": entry.content.map(hex::encode),
        "assets": entry.assets,
        "bytes": entry.bytes,
    })
}
