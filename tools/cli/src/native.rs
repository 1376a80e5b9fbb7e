//! The part of the interface that is Hallmark's own: its records, as far as this program reads them.

use candid::CandidType;
use serde::Deserialize;
use serde_bytes::ByteBuf;

use crate::canister::{Canister, Failure};

/// Argument of `releases`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct WantedReleases {
    /// The number of the first entry of the reply; the last one if none is given.
    pub start: Option<u64>,
    /// How many entries.
    pub length: Option<u64>,
}

/// What `releases` replies: entries of the log, with their proof.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Releases {
    /// The newest first.
    pub entries: Vec<Release>,
    /// The entry that is about what is live; 0 if there is none.
    pub live: u64,
    /// The certificate of the canister's certified data.
    pub certificate: Option<ByteBuf>,
    /// The hash tree that has the certified data as its root hash.
    pub witness: ByteBuf,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Release {
    /// Its number.
    pub release: u64,
    /// Whether `rollback` can bring it back.
    pub kept: bool,
    /// What it says, as it is certified.
    pub certified: ByteBuf,
}

/// A certificate, and the tree that it is about.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedTree {
    /// The certificate of the canister's certified data.
    pub certificate: ByteBuf,
    /// The whole hash tree that has the certified data as its root hash.
    pub tree: ByteBuf,
}

/// Asks for a page of the log. `None` if the canister has no log, because it is not Hallmark's.
///
/// # Errors
///
/// See [`Failure`]; a reply that is none of this interface is [`Failure::Unreachable`].
pub fn releases(
    canister: &dyn Canister,
    wanted: WantedReleases,
) -> Result<Option<Releases>, Failure> {
    query(canister, "releases", (wanted,))
}

/// Asks for the whole certified tree, which every asset canister can show. `None` if this one
/// cannot.
///
/// # Errors
///
/// See [`releases`].
pub fn certified_tree(canister: &dyn Canister) -> Result<Option<CertifiedTree>, Failure> {
    #[derive(CandidType)]
    struct Nothing {}
    query(canister, "certified_tree", (Nothing {},))
}

fn query<T: CandidType + for<'de> Deserialize<'de>>(
    canister: &dyn Canister,
    method: &str,
    argument: impl candid::utils::ArgumentEncoder,
) -> Result<Option<T>, Failure> {
    let argument = candid::encode_args(argument).expect("the records of this module always encode");
    let reply = match canister.query(method, argument) {
        Err(Failure::Rejected(reject)) if reject.is_unknown_method() => return Ok(None),
        result => result?,
    };
    let reply = candid::decode_one(&reply);
    reply.map(Some).map_err(|error| {
        Failure::Unreachable(format!("the reply to {method} makes no sense: {error}"))
    })
}
