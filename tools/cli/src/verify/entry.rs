//! Entries of a canister's log, as they are certified.
//!
//! ```text
//! CBOR [time, principal, kind, site hash, content hash, assets, bytes, note, rolled back to, since, changes, change]
//! ```
//!
//! What a kind has no use for is null or, at the end, left out; later versions may append more.

use std::fmt;

use candid::Principal;
use serde_cbor::Value;

use super::log::Hash;
use super::time::Time;

/// What happened to a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, or when the last of it.
    pub time: Time,
    /// Who did it.
    pub principal: Principal,
    /// What, by name: `publish`, `rollback`, `amendment`, `environment`, `permissions`,
    /// `configuration`, or another.
    pub kind: String,
    /// The site hash from then on.
    pub site: Hash,
    /// The content hash from then on; `None` if there was no asset.
    pub content: Option<Hash>,
    /// How many assets there were.
    pub assets: u64,
    /// Bytes of their content, in all encodings.
    pub bytes: u64,
    /// What the one who did it had to say.
    pub note: String,
    /// Of a rollback: the release that came back.
    pub rolled_back_to: Option<u64>,
    /// Of an amendment: how many changes there were.
    pub changes: Option<u64>,
    /// Of permissions and configuration: what changed, in words.
    pub change: Option<String>,
}

impl Entry {
    /// Reads an entry; `None` if it is none.
    pub fn read(cbor: &[u8]) -> Option<Entry> {
        let Value::Array(fields) = serde_cbor::from_slice(cbor).ok()? else {
            return None;
        };
        let field = |at: usize| fields.get(at).unwrap_or(&Value::Null);
        Some(Entry {
            time: Time(number(field(0))??),
            principal: Principal::try_from_slice(bytes(field(1))??).ok()?,
            kind: text(field(2))??,
            site: bytes(field(3))??.try_into().ok()?,
            content: match bytes(field(4))? {
                None => None,
                Some(hash) => Some(hash.try_into().ok()?),
            },
            assets: number(field(5))??,
            bytes: number(field(6))??,
            note: text(field(7))??,
            rolled_back_to: number(field(8))?,
            changes: number(field(10))?,
            change: text(field(11))?,
        })
    }
}

// Each is `None` for what is of another type, and `Some(None)` for null.

fn number(value: &Value) -> Option<Option<u64>> {
    match value {
        Value::Null => Some(None),
        Value::Integer(number) => u64::try_from(*number).ok().map(Some),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<Option<&[u8]>> {
    match value {
        Value::Null => Some(None),
        Value::Bytes(bytes) => Some(Some(bytes)),
        _ => None,
    }
}

fn text(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::Text(text) => Some(Some(text.clone())),
        _ => None,
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} at {}", self.kind, self.principal, self.time)?;
        if let Some(release) = self.rolled_back_to {
            write!(f, ", back to {release}")?;
        }
        if let Some(changes) = self.changes {
            let plural = if changes == 1 { "" } else { "s" };
            write!(f, ", {changes} change{plural}")?;
        }
        if let Some(change) = &self.change {
            write!(f, ", {change}")?;
        }
        if !self.note.is_empty() {
            write!(f, ", {:?}", self.note)?;
        }
        Ok(())
    }
}
