//! The log of a canister, read to its beginning and proven entry by entry.
//!
//! Each page comes with a certificate and a witness of its own; the first also proves that
//! nothing comes after it.

use crate::Error;
use crate::canister::Canister;
use crate::legacy::failed;
use crate::native::{Releases, WantedReleases, releases};
use crate::verify::certificate::{self, Trust, check_certified_data};
use crate::verify::chain::Reason;
use crate::verify::log::{self, Hash, Numbered, Witness};

/// All that happened to a site, as far as somebody wanted to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The newest entry first. They are proven.
    pub entries: Vec<Numbered>,
    /// The numbers of those that can come back, which is the canister's word.
    pub kept: Vec<u64>,
    /// The content hash of what is live.
    pub content_hash: Option<Hash>,
}

/// Entries that one page has.
const PAGE: u64 = 100;

impl History {
    /// Reads the log back to its beginning, or until it has so many entries.
    ///
    /// # Errors
    ///
    /// [`Error::NoReleases`] if there is no log, [`Error::Log`] if it is not proven, and those of
    /// the network.
    pub fn read(canister: &dyn Canister, trust: &Trust, limit: usize) -> Result<History, Error> {
        let (page, witness) = ask(canister, trust, None, limit)?;
        let mut history = History {
            entries: Vec::new(),
            kept: Vec::new(),
            content_hash: witness.content_hash().map_err(Error::Log)?,
        };
        log::last(&page, &witness).map_err(Error::Log)?;
        history.add(&page, &witness)?;
        while let Some(oldest) = history.entries.last() {
            let next = oldest.number - 1;
            if next == 0 || history.entries.len() >= limit {
                break;
            }
            let (page, witness) = ask(canister, trust, Some(next), limit)?;
            if page.entries.first().map(|entry| entry.release) != Some(next) {
                return Err(Error::Log(Reason::EntryOutOfOrder { number: next }));
            }
            history.add(&page, &witness)?;
        }
        history.entries.truncate(limit);
        Ok(history)
    }

    fn add(&mut self, page: &Releases, witness: &Witness) -> Result<(), Error> {
        let entries = log::page(page, witness).map_err(Error::Log)?;
        if entries.iter().any(|entry| entry.number == 0) {
            return Err(Error::Log(Reason::EntryOutOfOrder { number: 1 }));
        }
        self.entries.extend(entries);
        let kept = page.entries.iter().filter(|entry| entry.kept);
        self.kept.extend(kept.map(|entry| entry.release));
        Ok(())
    }

    /// The number of the entry that is about what is live.
    pub fn live(&self) -> Option<u64> {
        let mut entries = self.entries.iter();
        let live = entries.find(|numbered| numbered.entry.kind.is_about_live());
        live.map(|numbered| numbered.number)
    }

    /// The entry with this number.
    ///
    /// # Errors
    ///
    /// [`Error::NoRelease`].
    pub fn entry(&self, number: u64) -> Result<&Numbered, Error> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|numbered| numbered.number == number);
        entry.ok_or(Error::NoRelease(number))
    }
}

/// Asks for a page, and checks all but its entries.
fn ask(
    canister: &dyn Canister,
    trust: &Trust,
    start: Option<u64>,
    limit: usize,
) -> Result<(Releases, Witness), Error> {
    let wanted = WantedReleases {
        start,
        length: Some(PAGE.min(limit.max(1) as u64)),
    };
    let page = releases(canister, wanted).map_err(|failure| failed("releases", failure))?;
    let page = page.ok_or(Error::NoReleases(trust.canister))?;
    let witness = check(&page, trust).map_err(Error::Log)?;
    Ok((page, witness))
}

fn check(page: &Releases, trust: &Trust) -> Result<Witness, Reason> {
    let certificate = page.certificate.as_deref().map(Vec::as_slice);
    let checked = certificate::check(certificate.unwrap_or_default(), trust);
    let witness = Witness::read(&page.witness)?;
    match (checked.tree(), checked.reason()) {
        (Some(tree), _) => check_certified_data(tree, trust.canister, witness.root())?,
        (None, Some(reason)) => return Err(reason.clone()),
        (None, None) => return Err(Reason::OtherCanister),
    }
    Ok(witness)
}
