//! What a commit consists of.

use std::collections::BTreeMap;

/// One change to the assets of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new asset, without content yet.
    Create {
        /// Its key.
        key: String,
        /// What it is served with.
        properties: super::Properties,
    },
    /// Content for an asset, in place of that in the same encoding if there is any.
    SetContent {
        /// The asset.
        key: String,
        /// The encoding, `identity` for none.
        encoding: String,
        /// The content.
        content: Content,
        /// SHA-256 that the content must have, in 32 bytes.
        sha256: Option<Vec<u8>>,
    },
    /// An asset's content in one encoding goes, if there is any.
    UnsetContent {
        /// The asset.
        key: String,
        /// The encoding.
        encoding: String,
    },
    /// Some properties change.
    SetProperties {
        /// The asset.
        key: String,
        /// Which, and to what.
        change: PropertyChange,
    },
    /// An asset goes, if there is one.
    Delete {
        /// Its key.
        key: String,
    },
    /// All assets go.
    Clear,
}

/// Content for an asset: what was uploaded before, then what came with the operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Ids of uploaded chunks, in order, of any batch.
    pub chunks: Vec<u64>,
    /// Bytes that follow them.
    pub rest: Option<Vec<u8>>,
    /// When the content was set, in nanoseconds since 1970, if that is not now.
    pub modified: Option<u64>,
}

/// New values for some properties; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropertyChange {
    /// See [`Properties::max_age`](super::Properties::max_age).
    pub max_age: Option<Option<u64>>,
    /// See [`Properties::headers`](super::Properties::headers).
    pub headers: Option<Option<BTreeMap<String, String>>>,
    /// See [`Properties::is_aliased`](super::Properties::is_aliased).
    pub is_aliased: Option<Option<bool>>,
    /// See [`Properties::allow_raw_access`](super::Properties::allow_raw_access).
    pub allow_raw_access: Option<Option<bool>>,
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            chunks: Vec::new(),
            rest: Some(bytes),
            modified: None,
        }
    }
}
