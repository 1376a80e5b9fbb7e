//! The list of a canister's assets, which is its word until something proves it.

use candid::Nat;
use ic_hallmark::api::{AssetDetails, ListArguments};

use super::content::{self, Outlines};
use super::examination::{Source, without_reply};
use crate::Error;
use crate::canister::{Canister, Failure};
use crate::legacy::{all_pages, failed};

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
    let mut is_list = true;
    let assets = all_pages(
        |asset: &AssetDetails| &asset.key,
        |start| -> Result<Vec<AssetDetails>, Failure> {
            let wanted = ListArguments {
                start: Some(Nat::from(start)),
                length: None,
                release,
            };
            let argument = candid::encode_one(wanted).expect("the library's records always encode");
            let page = candid::decode_one(&canister.query("list", argument)?);
            is_list &= page.is_ok();
            Ok(page.unwrap_or_default())
        },
    )?;
    let assets = assets.filter(|_| is_list);
    Ok(assets.and_then(|assets| content::outlines(&assets)))
}
