//! The part of the interface that is Hallmark's own: its records, as far as this program reads them.

use candid::CandidType;
use candid::utils::ArgumentEncoder;
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

/// Argument of `rollback`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Rollback {
    /// The release that shall come back.
    pub release: u64,
    /// What the log shall say of it.
    pub note: Option<String>,
}

/// What `rollback` replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct RolledBack {
    /// The number of the entry that says so.
    pub release: u64,
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
    decode("releases", canister.query("releases", encode((wanted,))))
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
    let argument = encode((Nothing {},));
    decode("certified_tree", canister.query("certified_tree", argument))
}

/// Makes an earlier release the live one. `None` if the canister keeps none, because it is not
/// Hallmark's.
///
/// # Errors
///
/// See [`releases`].
pub fn rollback(canister: &dyn Canister, wanted: &Rollback) -> Result<Option<RolledBack>, Failure> {
    let argument = encode((wanted,));
    decode("rollback", canister.update("rollback", argument))
}

fn encode(argument: impl ArgumentEncoder) -> Vec<u8> {
    candid::encode_args(argument).expect("the records of this module always encode")
}

fn decode<T: CandidType + for<'de> Deserialize<'de>>(
    method: &str,
    reply: Result<Vec<u8>, Failure>,
) -> Result<Option<T>, Failure> {
    let reply = match reply {
        Err(Failure::Rejected(reject)) if reject.is_unknown_method() => return Ok(None),
        reply => reply?,
    };
    candid::decode_one(&reply).map(Some).map_err(|error| {
        Failure::Unreachable(format!("the reply to {method} makes no sense: {error}"))
    })
}
