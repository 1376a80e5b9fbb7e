//! Assets: what was uploaded under a key.
//!
//! In the tree an asset is a leaf with its key as the only label. What describes the asset is the leaf's value
//! and so part of the content hash; where its bodies lie and when they came is the attachment and is not.
//!
//! ```text
//! value       CBOR [content type, max age, headers, aliased, raw access, {encoding: [SHA-256, length]}]
//! attachment  1 | CBOR [[modified, pieces], …]       in the order of the encodings
//! ```

use super::bodies::Body;
use crate::{storage::StorageError, tree::Hash};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// What is stored under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    /// Everything but the content.
    pub properties: Properties,
    /// The content in each of its encodings, by the encoding's name; `identity` for none.
    pub encodings: BTreeMap<String, Encoding>,
}

/// Everything of an asset but its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Properties {
    /// The `Content-Type`.
    #[n(0)]
    pub content_type: String,
    /// Seconds that the asset may be cached.
    #[n(1)]
    pub max_age: Option<u64>,
    /// Further response headers.
    #[n(2)]
    pub headers: Option<BTreeMap<String, String>>,
    /// Whether `/a.html` also answers `/a`, and `/a/index.html` also `/a/`. `None` is yes.
    #[n(3)]
    pub is_aliased: Option<bool>,
    /// Whether the asset may be had without verification. `None` is yes.
    #[n(4)]
    pub allow_raw_access: Option<bool>,
}

/// The content of an asset in one encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// SHA-256 of the content as encoded.
    pub sha256: Hash,
    /// When it was set, in nanoseconds since 1970.
    pub modified: u64,
    /// The content.
    pub body: Body,
}

/// The value of an asset's leaf.
#[derive(Encode, Decode)]
pub(super) struct Certified {
    #[n(0)]
    pub(super) properties: Properties,
    #[n(1)]
    pub(super) encodings: BTreeMap<String, Digested>,
}

#[derive(Encode, Decode)]
pub(super) struct Digested {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) sha256: Hash,
    #[n(1)]
    pub(super) length: u64,
}

#[derive(Encode, Decode)]
struct Stored {
    #[n(0)]
    modified: u64,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pieces: Vec<u8>,
}

impl Asset {
    /// True if `/a.html` also answers `/a`.
    pub fn is_aliased(&self) -> bool {
        self.properties.is_aliased.unwrap_or(true)
    }

    /// Bytes of the content in all encodings.
    pub(super) fn length(&self) -> u64 {
        let bodies = self.encodings.values().map(|encoding| &encoding.body);
        bodies.map(Body::length).sum()
    }

    pub(super) fn value(&self) -> Vec<u8> {
        let digest = |encoding: &Encoding| Digested {
            sha256: encoding.sha256,
            length: encoding.body.length(),
        };
        to_cbor(&Certified {
            properties: self.properties.clone(),
            encodings: self
                .encodings
                .iter()
                .map(|(name, encoding)| (name.clone(), digest(encoding)))
                .collect(),
        })
    }

    /// The attachment, without its tag.
    pub(super) fn attachment(&self) -> Vec<u8> {
        let stored: Vec<Stored> = self
            .encodings
            .values()
            .map(|encoding| Stored {
                modified: encoding.modified,
                pieces: encoding.body.encode(),
            })
            .collect();
        to_cbor(&stored)
    }

    pub(super) fn decode(value: &[u8], attachment: &[u8]) -> Result<Self, StorageError> {
        let certified: Certified = from_cbor(value)?;
        let stored: Vec<Stored> = from_cbor(attachment)?;
        let encodings = certified
            .encodings
            .into_iter()
            .zip(stored)
            .map(|((name, digested), stored)| {
                let encoding = Encoding {
                    sha256: digested.sha256,
                    modified: stored.modified,
                    body: Body::decode(&stored.pieces),
                };
                (name, encoding)
            })
            .collect();
        Ok(Self {
            properties: certified.properties,
            encodings,
        })
    }

    /// The bodies in the attachment of an asset's leaf.
    pub(super) fn bodies(attachment: &[u8]) -> Result<Vec<Body>, StorageError> {
        let stored: Vec<Stored> = from_cbor(attachment)?;
        Ok(stored
            .iter()
            .map(|stored| Body::decode(&stored.pieces))
            .collect())
    }
}

pub(crate) fn to_cbor<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("a vector takes any CBOR")
}

pub(crate) fn from_cbor<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, StorageError> {
    minicbor::decode(bytes).map_err(|error| StorageError::Corrupt {
        structure: "record",
        at: error.position().unwrap_or(0) as u64,
    })
}
