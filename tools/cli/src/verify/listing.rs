//! The list of a canister's assets, which is its word until something proves it.

use candid::Nat;
use ic_hallmark::api::{AssetDetails, ListArguments};

use super::content::{self, Outlines};
use super::examination::{Source, without_reply};
use crate::Error;
use crate::canister::{Canister, Failure};
use crate::legacy::failed;

/// Assets that are listed before it is plain that there is no end to them.
const MAX_ASSETS: usize = 1 << 20;

/// What a canister lists.
pub(super) enum Listed {
    /// These assets.
    Assets(Outlines),
    /// Assets that are not told apart, or not told enough of.
    Nonsense,
    /// Nothing, and why.
    Nothing(String),
}

impl Listed {
    pub(super) fn ask(source: &dyn Source) -> Result<Listed, Error> {
        match list_of(source, None) {
            Ok(Some(assets)) => Ok(Listed::Assets(assets)),
            Ok(None) => Ok(Listed::Nonsense),
            Err(failure) => Ok(Listed::Nothing(without_reply(failure)?)),
        }
    }
}

/// What a canister lists of a release, or of what is live, which is its word.
///
/// # Errors
///
/// [`Error::Call`] if there is no such release any more, [`Error::Reply`] if the list makes no
/// sense, and those of the network.
pub fn list(canister: &dyn Canister, release: Option<u64>) -> Result<Outlines, Error> {
    let listed = list_of(canister, release).map_err(|failure| failed("list", failure))?;
    listed.ok_or_else(|| Error::Reply {
        method: "list",
        reason: "it does not tell what the assets are".to_owned(),
    })
}

/// `None` if it makes no sense.
fn list_of(canister: &dyn Canister, release: Option<u64>) -> Result<Option<Outlines>, Failure> {
    let mut assets: Vec<AssetDetails> = Vec::new();
    loop {
        let wanted = ListArguments {
            start: Some(Nat::from(assets.len())),
            length: None,
            release,
        };
        let argument = candid::encode_one(wanted).expect("the library's records always encode");
        let reply = canister.query("list", argument)?;
        let Ok(page) = candid::decode_one::<Vec<AssetDetails>>(&reply) else {
            return Ok(None);
        };
        // Older canisters of dfx list everything, whatever they are asked for.
        let begins_again = matches!(
            (page.first(), assets.first()),
            (Some(first), Some(known)) if first.key == known.key
        );
        if page.is_empty() || begins_again {
            return Ok(content::outlines(&assets));
        }
        assets.extend(page);
        if assets.len() > MAX_ASSETS {
            return Ok(None);
        }
    }
}
