//! The canister's root: how the trees of a site join to the 32 bytes of its certified data.

use super::path::SELF_DESCRIBED;
use crate::tree::Hash;
use ic_certification::hash_tree::{fork_hash, labeled_hash};

/// The hashes that a root is made of, and the root hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    site: Hash,
    content: Option<Hash>,
    hallmark: Option<Hash>,
    hash: Hash,
}

impl Root {
    /// The root over a site hash and a content hash, which is `None` if nothing was uploaded, because an empty
    /// tree may not stand under a fork.
    pub fn new(site: Hash, content: Option<Hash>) -> Self {
        let hallmark =
            content.map(|content| labeled_hash(b"hallmark", &labeled_hash(b"assets", &content)));
        let answers = labeled_hash(b"http_expr", &site);
        Self {
            site,
            content,
            hallmark,
            hash: hallmark.map_or(answers, |hallmark| fork_hash(&hallmark, &answers)),
        }
    }

    /// The certified data.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The site hash: everything that can be answered.
    pub fn site(&self) -> Hash {
        self.site
    }

    /// The content hash: everything that was uploaded, if anything was.
    pub fn content(&self) -> Option<Hash> {
        self.content
    }

    /// A witness of the whole, as self-described CBOR, around a witness of the `http_expr` tree that `site`
    /// appends.
    pub fn witness(&self, site: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        self.join(
            |hallmark, cbor| {
                cbor.extend_from_slice(b"\x82\x04\x58\x20");
                cbor.extend_from_slice(hallmark);
            },
            site,
        )
    }

    /// The whole, as self-described CBOR, around the two trees that `assets` and `site` append.
    pub fn tree(
        &self,
        assets: impl FnOnce(&mut Vec<u8>),
        site: impl FnOnce(&mut Vec<u8>),
    ) -> Vec<u8> {
        self.join(
            |_, cbor| {
                cbor.extend_from_slice(b"\x83\x02\x48hallmark\x83\x02\x46assets");
                assets(cbor);
            },
            site,
        )
    }

    fn join(
        &self,
        hallmark: impl FnOnce(&Hash, &mut Vec<u8>),
        site: impl FnOnce(&mut Vec<u8>),
    ) -> Vec<u8> {
        let mut cbor = Vec::with_capacity(1024);
        cbor.extend_from_slice(&SELF_DESCRIBED);
        if let Some(hash) = &self.hallmark {
            cbor.extend_from_slice(b"\x83\x01");
            hallmark(hash, &mut cbor);
        }
        cbor.extend_from_slice(b"\x83\x02\x49http_expr");
        site(&mut cbor);
        cbor
    }
}
