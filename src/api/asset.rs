//! What is stored, as clients list it.

use crate::{
    error::{Error, Hex},
    site::{Asset, Outline, Properties, Site},
    storage::Memory,
};
use candid::{CandidType, Deserialize, Int, Nat};
use serde_bytes::ByteBuf;

/// Assets that one page of `list` has at most.
const PAGE: u32 = 100;

/// Argument of `list`.
#[derive(Clone, Debug, Default, CandidType, Deserialize)]
pub struct ListArguments {
    /// Assets to skip.
    pub start: Option<Nat>,
    /// Assets to return at most.
    pub length: Option<Nat>,
    /// The release to list, by the number of its entry in the log; what is live if none is given.
    pub release: Option<u64>,
}

/// One asset in a list.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct AssetDetails {
    /// The key.
    pub key: String,
    /// Its `Content-Type`.
    pub content_type: String,
    /// Its encodings, by name.
    pub encodings: Vec<AssetEncodingDetails>,
    /// Seconds that it may be cached.
    pub max_age: Option<u64>,
    /// Its headers.
    pub headers: Option<Vec<(String, String)>>,
    /// Whether it may be had without verification.
    pub allow_raw_access: Option<bool>,
    /// Whether it also answers for shorter paths.
    pub is_aliased: Option<bool>,
}

/// One encoding of an asset in a list.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct AssetEncodingDetails {
    /// The name.
    pub content_encoding: String,
    /// SHA-256 of the content.
    pub sha256: Option<ByteBuf>,
    /// Bytes of it.
    pub length: Nat,
    /// When it was set, in nanoseconds since 1970.
    pub modified: Int,
}

impl AssetDetails {
    /// What the content hash covers of it; `None` unless the digest of every encoding is told.
    pub fn outline(&self) -> Option<Outline> {
        let encodings = self.encodings.iter().map(|encoding| {
            let sha256 = encoding.sha256.as_deref()?.as_slice().try_into().ok()?;
            let length = u64::try_from(encoding.length.0.clone()).ok()?;
            Some((encoding.content_encoding.clone(), (sha256, length)))
        });
        Some(Outline {
            properties: Properties {
                content_type: self.content_type.clone(),
                max_age: self.max_age,
                headers: self
                    .headers
                    .as_ref()
                    .map(|headers| headers.iter().cloned().collect()),
                is_aliased: self.is_aliased,
                allow_raw_access: self.allow_raw_access,
            },
            encodings: encodings.collect::<Option<_>>()?,
        })
    }
}

/// Everything of an asset but type and content.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct AssetProperties {
    /// Seconds that it may be cached.
    pub max_age: Option<u64>,
    /// Its headers.
    pub headers: Option<Vec<(String, String)>>,
    /// Whether it may be had without verification.
    pub allow_raw_access: Option<bool>,
    /// Whether it also answers for shorter paths.
    pub is_aliased: Option<bool>,
}

/// A page of assets in the order of their keys.
///
/// # Errors
///
/// [`Error::ReleaseNotFound`] or [`Error::ReleaseNotKept`], or [`Error::Storage`] if a record cannot be read.
pub fn list<M: Memory>(
    site: &Site<M>,
    arguments: &ListArguments,
) -> Result<Vec<AssetDetails>, Error> {
    // A number too large for the wire skips nothing, as it always did there.
    let start = arguments
        .start
        .as_ref()
        .and_then(|n| u64::try_from(n.0.clone()).ok());
    let start = u32::try_from(start.unwrap_or_default()).unwrap_or(u32::MAX);
    let length = arguments.length.as_ref().map_or(PAGE, |length| {
        u32::try_from(length.0.clone()).map_or(PAGE, |length| length.min(PAGE))
    });
    let mut page = Vec::with_capacity(length as usize);
    let add = |key, asset| page.push(details(key, asset));
    match arguments.release {
        Some(release) => site.visit_assets_of(release, start, length, add)?,
        None => site.visit_assets(start, length, add)?,
    }
    Ok(page)
}

/// The properties of one asset.
///
/// # Errors
///
/// [`Error::AssetNotFound`].
pub fn properties_of<M: Memory>(site: &Site<M>, key: &str) -> Result<AssetProperties, Error> {
    let asset = site.asset(key)?.ok_or_else(|| Error::AssetNotFound {
        key: key.to_owned(),
    })?;
    let properties = asset.properties;
    Ok(AssetProperties {
        max_age: properties.max_age,
        headers: properties
            .headers
            .map(|headers| headers.into_iter().collect()),
        allow_raw_access: properties.allow_raw_access,
        is_aliased: properties.is_aliased,
    })
}

/// Reply of `get_state_info`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct StateInfo {
    /// When the assets last changed, in nanoseconds since 1970.
    pub last_state_update_timestamp: u64,
    /// The state hash in hexadecimal digits, if it was computed since.
    pub state_hash: Option<String>,
}

/// What is known of the state.
pub fn state_info<M: Memory>(site: &Site<M>) -> StateInfo {
    StateInfo {
        last_state_update_timestamp: site.last_change(),
        state_hash: site.state_hash().map(|hash| Hex(&hash).to_string()),
    }
}

fn details(key: String, asset: Asset) -> AssetDetails {
    let Asset {
        properties,
        encodings,
    } = asset;
    AssetDetails {
        key,
        content_type: properties.content_type,
        encodings: encodings
            .into_iter()
            .map(|(name, encoding)| AssetEncodingDetails {
                content_encoding: name,
                sha256: Some(ByteBuf::from(encoding.sha256)),
                length: encoding.body.length().into(),
                modified: encoding.modified.into(),
            })
            .collect(),
        max_age: properties.max_age,
        headers: properties
            .headers
            .map(|headers| headers.into_iter().collect()),
        allow_raw_access: properties.allow_raw_access,
        is_aliased: properties.is_aliased,
    }
}
