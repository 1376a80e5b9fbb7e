//! The canister's root: how the trees of a site join to the 32 bytes of its certified data.

use super::path::SELF_DESCRIBED;
use crate::tree::Hash;
use ic_certification::hash_tree::{fork_hash, labeled_hash};

/// The hashes that a root is made of, and the root hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    site: Hash,
    served: Hash,
    content: Option<Hash>,
    log: Option<Hash>,
    hallmark: Option<Hash>,
    hash: Hash,
}

/// What a witness shows of a tree: it appends to CBOR.
type Show<'a> = &'a dyn Fn(&mut Vec<u8>);

impl Root {
    /// The root over a site hash, a content hash and the hash of the log. The latter are `None` if nothing was uploaded
    /// or logged, because an empty tree may not stand under a fork.
    pub fn new(site: Hash, content: Option<Hash>, log: Option<Hash>) -> Self {
        Self::serving(site, site, content, log)
    }

    /// As [`new`](Self::new), where the tree of answers has others besides those of the site: `served` is its hash.
    pub(crate) fn serving(
        served: Hash,
        site: Hash,
        content: Option<Hash>,
        log: Option<Hash>,
    ) -> Self {
        let assets = content.map(|content| labeled_hash(b"assets", &content));
        let releases = log.map(|log| labeled_hash(b"releases", &log));
        let below = match (assets, releases) {
            (Some(assets), Some(releases)) => Some(fork_hash(&assets, &releases)),
            (one, other) => one.or(other),
        };
        let hallmark = below.map(|below| labeled_hash(b"hallmark", &below));
        let answers = labeled_hash(b"http_expr", &served);
        Self {
            site,
            served,
            content,
            log,
            hallmark,
            hash: hallmark.map_or(answers, |hallmark| fork_hash(&hallmark, &answers)),
        }
    }

    /// The certified data.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The site hash: everything that the site answers.
    pub fn site(&self) -> Hash {
        self.site
    }

    /// The content hash: everything that was uploaded, if anything was.
    pub fn content(&self) -> Option<Hash> {
        self.content
    }

    /// The hash of the log of releases, if anything was logged.
    pub fn log(&self) -> Option<Hash> {
        self.log
    }

    /// A witness of the whole, as self-described CBOR, around a witness of the `http_expr` tree that `site`
    /// appends.
    pub fn witness(&self, site: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut cbor = Vec::with_capacity(1024);
        cbor.extend_from_slice(&SELF_DESCRIBED);
        if let Some(hash) = &self.hallmark {
            cbor.extend_from_slice(FORK);
            emit_pruned(hash, &mut cbor);
        }
        cbor.extend_from_slice(HTTP_EXPR);
        site(&mut cbor);
        cbor
    }

    /// As [`witness`](Self::witness), around a witness of the log and one of the `http_expr` tree, which `log` and `site`
    /// append.
    pub fn log_witness(&self, log: impl Fn(&mut Vec<u8>), site: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let content = self.content.unwrap_or_default();
        self.join(&|cbor| emit_pruned(&content, cbor), &log, &site)
    }

    /// The whole, as self-described CBOR, around the three trees, which the arguments append.
    pub fn tree(
        &self,
        assets: impl Fn(&mut Vec<u8>),
        log: impl Fn(&mut Vec<u8>),
        site: impl Fn(&mut Vec<u8>),
    ) -> Vec<u8> {
        self.join(&assets, &log, &site)
    }

    fn join(&self, assets: Show<'_>, log: Show<'_>, site: Show<'_>) -> Vec<u8> {
        let mut cbor = Vec::with_capacity(1024);
        cbor.extend_from_slice(&SELF_DESCRIBED);
        if self.hallmark.is_some() {
            cbor.extend_from_slice(FORK);
            cbor.extend_from_slice(b"\x83\x02\x48hallmark");
        }
        if self.content.is_some() && self.log.is_some() {
            cbor.extend_from_slice(FORK);
        }
        if self.content.is_some() {
            cbor.extend_from_slice(b"\x83\x02\x46assets");
            assets(&mut cbor);
        }
        if self.log.is_some() {
            cbor.extend_from_slice(b"\x83\x02\x48releases");
            log(&mut cbor);
        }
        cbor.extend_from_slice(HTTP_EXPR);
        site(&mut cbor);
        cbor
    }
}

const FORK: &[u8] = b"\x83\x01";
const HTTP_EXPR: &[u8] = b"\x83\x02\x49http_expr";

fn emit_pruned(hash: &Hash, cbor: &mut Vec<u8>) {
    cbor.extend_from_slice(b"\x82\x04\x58\x20");
    cbor.extend_from_slice(hash);
}
