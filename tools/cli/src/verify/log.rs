//! The lower half of the chain: what the canister shows below its certified data, its log and the
//! hashes of what is live.
//!
//! ```text
//! certified data ─┬─ "hallmark" ─┬─ "assets"   ► content hash
//!                 │              └─ "releases" ─┬─ number      ► entry
//!                 │                             └─ number + 1  ► absent: the entry is the last one
//!                 └─ "http_expr"               ► site hash, and what is beside the site
//! ```

use ic_cbor::HashTreeToCbor as _;
use ic_certification::hash_tree::SubtreeLookupResult;
use ic_certification::{HashTree, LookupResult};
use ic_hallmark::site::Entry;

use super::beside::Beside;
use super::chain::Reason;
use crate::native::Releases;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// A tree that the canister shows, pruned to what was asked for.
#[derive(Debug)]
pub struct Witness(HashTree);

/// An entry of the log, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its number, from 1.
    pub number: u64,
    /// What it says.
    pub entry: Entry,
}

impl Witness {
    /// Reads a hash tree, as CBOR.
    ///
    /// # Errors
    ///
    /// [`Reason::WitnessUnreadable`].
    pub fn read(cbor: &[u8]) -> Result<Witness, Reason> {
        let tree = HashTree::from_cbor(cbor);
        tree.map(Witness)
            .map_err(|error| Reason::WitnessUnreadable(error.to_string()))
    }

    /// What the whole adds up to: what has to be certified.
    pub fn root(&self) -> Hash {
        self.0.digest()
    }

    /// The hash of everything that the site answers, and what is served beside it.
    ///
    /// # Errors
    ///
    /// [`Reason::HashNotShown`], or [`Reason::NotBeside`] if that is more than parts with these first bytes.
    pub fn site(&self, first_bytes: &[u64]) -> Result<Beside, Reason> {
        match self.0.lookup_subtree([b"http_expr"]) {
            SubtreeLookupResult::Found(answers) => Beside::of(answers, first_bytes),
            _ => Err(Reason::HashNotShown),
        }
    }

    /// The hash of everything that was uploaded; `None` if it is shown that there is nothing.
    ///
    /// # Errors
    ///
    /// [`Reason::HashNotShown`].
    pub fn content_hash(&self) -> Result<Option<Hash>, Reason> {
        self.hash(&[b"hallmark", b"assets"])
    }

    fn hash(&self, path: &[&[u8]]) -> Result<Option<Hash>, Reason> {
        match self.0.lookup_subtree(path.iter().copied()) {
            SubtreeLookupResult::Found(tree) => Ok(Some(tree.digest())),
            SubtreeLookupResult::Absent => Ok(None),
            SubtreeLookupResult::Unknown => Err(Reason::HashNotShown),
        }
    }

    fn entry(&self, number: u64) -> LookupResult<'_> {
        let number = number.to_be_bytes();
        self.0.lookup_path([&b"hallmark"[..], b"releases", &number])
    }
}

/// Reads a page of the log out of its proof: the newest entry first, one number after another.
///
/// # Errors
///
/// The reason why it is not what is certified.
pub fn page(reply: &Releases, witness: &Witness) -> Result<Vec<Numbered>, Reason> {
    let mut page = Vec::with_capacity(reply.entries.len());
    let mut expected = reply.entries.first().map_or(0, |first| first.release);
    for told in &reply.entries {
        let number = told.release;
        if number != expected {
            return Err(Reason::EntryOutOfOrder { number: expected });
        }
        let LookupResult::Found(certified) = witness.entry(number) else {
            return Err(Reason::EntryNotShown { number });
        };
        if certified != told.certified.as_slice() {
            return Err(Reason::EntryDiffers { number });
        }
        let entry = Entry::of_cbor(certified).map_err(|_| Reason::EntryUnreadable { number })?;
        page.push(Numbered { number, entry });
        expected = number.saturating_sub(1);
    }
    Ok(page)
}

/// The last entry of the log, proven to be the last; `None` if the log is proven to be empty.
///
/// # Errors
///
/// The reason why it is not what is certified.
pub fn last(reply: &Releases, witness: &Witness) -> Result<Option<Numbered>, Reason> {
    let last = page(reply, witness)?.into_iter().next();
    let number = last.as_ref().map_or(0, |last| last.number);
    match number.checked_add(1).map(|next| witness.entry(next)) {
        None | Some(LookupResult::Absent) => Ok(last),
        Some(_) => Err(Reason::NotLast { number }),
    }
}

/// Whether what is live is what the last entry says.
///
/// # Errors
///
/// [`Reason::LogDiffers`].
pub fn check_live(logged: Option<Hash>, live: Option<Hash>) -> Result<(), Reason> {
    if logged == live {
        return Ok(());
    }
    Err(Reason::LogDiffers { logged, live })
}
