//! The asset canister's interface, as far as deploying needs it: its records, and a typed
//! method for each call.
//!
//! This is the interface of the asset canister of dfx (`assets.did`), which Hallmark's
//! canister answers too; [`AssetCanister::site_hash`] and [`SetAssetContent::chunk_hashes`] alone
//! are Hallmark's own.

use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Nat};
use serde::Deserialize;
use serde_bytes::{ByteBuf, Bytes};

use crate::Error;
use crate::canister::{Canister, Failure};

/// Assets that are listed before it is plain that there is no end to them.
const MAX_ASSETS: usize = 1 << 20;

/// An asset as `list` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct AssetDetails {
    /// The path it is served under.
    pub key: String,
    /// The media type.
    pub content_type: String,
    /// What can be sent.
    pub encodings: Vec<EncodingDetails>,
    /// Seconds in `Cache-Control`.
    ///
    /// Canisters of dfx do not list this, and none of what follows.
    pub max_age: Option<u64>,
    /// Headers of its own.
    pub headers: Option<Vec<(String, String)>>,
    /// Whether unverified domains may serve it.
    pub allow_raw_access: Option<bool>,
    /// Whether it answers under names without `.html` and `index.html`.
    pub is_aliased: Option<bool>,
}

/// One encoding of an asset, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct EncodingDetails {
    /// The content coding.
    pub content_encoding: String,
    /// SHA-256 of the encoded bytes.
    pub sha256: Option<ByteBuf>,
}

/// What of an asset is not content, as `get_asset_properties` tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct AssetProperties {
    /// Seconds in `Cache-Control`.
    pub max_age: Option<u64>,
    /// Headers of its own.
    pub headers: Option<Vec<(String, String)>>,
    /// Whether unverified domains may serve it.
    pub allow_raw_access: Option<bool>,
    /// Whether it answers under names without `.html` and `index.html`.
    pub is_aliased: Option<bool>,
}

/// Argument of `commit_batch`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CommitBatch {
    /// The batch to close, or 0 to close none.
    pub batch_id: Nat,
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

/// One operation of a commit.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub enum Operation {
    /// Makes an asset without content.
    CreateAsset(CreateAsset),
    /// Gives an asset content in one encoding, instead of what it had.
    SetAssetContent(SetAssetContent),
    /// Changes what is not content.
    SetAssetProperties(SetAssetProperties),
    /// Takes one encoding away.
    UnsetAssetContent(UnsetAssetContent),
    /// Takes the asset away.
    DeleteAsset(DeleteAsset),
}

/// See [`Operation::CreateAsset`].
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CreateAsset {
    /// The path it is served under.
    pub key: String,
    /// The media type.
    pub content_type: String,
    /// Seconds in `Cache-Control`.
    pub max_age: Option<u64>,
    /// Headers of its own.
    pub headers: Option<Vec<(String, String)>>,
    /// Whether it answers under names without `.html` and `index.html`; null is yes.
    pub enable_aliasing: Option<bool>,
    /// Whether unverified domains may serve it; null is yes.
    pub allow_raw_access: Option<bool>,
}

/// See [`Operation::SetAssetContent`].
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct SetAssetContent {
    /// The asset.
    pub key: String,
    /// The content coding.
    pub content_encoding: String,
    /// The chunks that make up the bytes.
    pub chunk_ids: Vec<Nat>,
    /// SHA-256 of chunks that Hallmark's canister has, whose bytes come after those.
    pub chunk_hashes: Option<Vec<ByteBuf>>,
    /// Bytes after those.
    pub last_chunk: Option<ByteBuf>,
    /// What the bytes must hash to.
    pub sha256: Option<ByteBuf>,
}

/// See [`Operation::SetAssetProperties`]. An outer null leaves a property as it is, an inner
/// one takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct SetAssetProperties {
    /// The asset.
    pub key: String,
    /// Seconds in `Cache-Control`.
    pub max_age: Option<Option<u64>>,
    /// Headers of its own.
    #[allow(clippy::type_complexity, reason = "it is the interface's type")]
    pub headers: Option<Option<Vec<(String, String)>>>,
    /// Whether unverified domains may serve it.
    pub allow_raw_access: Option<Option<bool>>,
    /// Whether it answers under names without `.html` and `index.html`.
    pub is_aliased: Option<Option<bool>>,
}

/// See [`Operation::UnsetAssetContent`].
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct UnsetAssetContent {
    /// The asset.
    pub key: String,
    /// The content coding.
    pub content_encoding: String,
}

/// See [`Operation::DeleteAsset`].
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DeleteAsset {
    /// The asset.
    pub key: String,
}

/// An asset canister, by the methods of its interface.
///
/// Each fails with [`Error::Call`] when the canister refuses, with [`Error::Expired`] when it was
/// never asked, with [`Error::Unreachable`] or [`Error::Unproven`] when there is no answer to
/// believe, and with [`Error::Reply`] when it is another than the interface says.
#[derive(Clone, Copy)]
pub struct AssetCanister<'a> {
    canister: &'a dyn Canister,
}

impl<'a> AssetCanister<'a> {
    /// The asset canister behind `canister`.
    pub fn new(canister: &'a dyn Canister) -> Self {
        Self { canister }
    }

    /// Everything that is stored, in the order of keys.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn list(&self) -> Result<Vec<AssetDetails>, Error> {
        #[derive(CandidType)]
        struct Page {
            start: Option<Nat>,
            length: Option<Nat>,
        }
        let method = "list";
        let page = |start: usize| -> Result<Vec<AssetDetails>, Error> {
            let page = Page {
                start: Some(start.into()),
                length: None,
            };
            let (page,) = self.query(method, (page,))?;
            Ok(page)
        };
        all_pages(|asset| &asset.key, page)?.ok_or_else(|| Error::Reply {
            method,
            reason: format!("there are more than {MAX_ASSETS} assets"),
        })
    }

    /// What of an asset is not content; `None` from a canister too old to tell.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn properties(&self, key: &str) -> Result<Option<AssetProperties>, Error> {
        match self.query("get_asset_properties", (key,)) {
            Err(Error::Call { reject, .. }) if reject.is_unknown_method() => Ok(None),
            result => result.map(|(properties,)| Some(properties)),
        }
    }

    /// Opens a batch.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn create_batch(&self) -> Result<Nat, Error> {
        #[derive(CandidType)]
        struct Nothing {}
        #[derive(CandidType, Deserialize)]
        struct Reply {
            batch_id: Nat,
        }
        let (reply,): (Reply,) = self.update("create_batch", (Nothing {},))?;
        Ok(reply.batch_id)
    }

    /// Adds chunks to a batch; their ids come back in the same order.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn create_chunks(&self, batch: &Nat, content: &[&[u8]]) -> Result<Vec<Nat>, Error> {
        #[derive(CandidType)]
        struct Chunks<'a> {
            batch_id: &'a Nat,
            content: Vec<&'a Bytes>,
        }
        #[derive(CandidType, Deserialize)]
        struct Reply {
            chunk_ids: Vec<Nat>,
        }
        let chunks = Chunks {
            batch_id: batch,
            content: content.iter().copied().map(Bytes::new).collect(),
        };
        let (reply,): (Reply,) = self.update("create_chunks", (chunks,))?;
        if reply.chunk_ids.len() != content.len() {
            return Err(Error::Reply {
                method: "create_chunks",
                reason: format!("{} ids for {} chunks", reply.chunk_ids.len(), content.len()),
            });
        }
        Ok(reply.chunk_ids)
    }

    /// Does the operations, all or none, and closes the batch.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn commit_batch(&self, batch_id: Nat, operations: Vec<Operation>) -> Result<(), Error> {
        let commit = CommitBatch {
            batch_id,
            operations,
        };
        self.update("commit_batch", (commit,))
    }

    /// Drops a batch and what was uploaded with it.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn delete_batch(&self, batch: &Nat) -> Result<(), Error> {
        #[derive(CandidType)]
        struct Batch<'a> {
            batch_id: &'a Nat,
        }
        self.update("delete_batch", (Batch { batch_id: batch },))
    }

    /// The hash of everything the site can answer; `None` from a canister that is not
    /// Hallmark's.
    ///
    /// # Errors
    ///
    /// See [`AssetCanister`].
    pub fn site_hash(&self) -> Result<Option<[u8; 32]>, Error> {
        let method = "site_hash";
        let hash: (ByteBuf,) = match self.query(method, ()) {
            Err(Error::Call { reject, .. }) if reject.is_unknown_method() => return Ok(None),
            result => result?,
        };
        let length = hash.0.len();
        let hash = hash.0.into_vec().try_into().map_err(|_| Error::Reply {
            method,
            reason: format!("{length} bytes are no SHA-256"),
        })?;
        Ok(Some(hash))
    }

    pub(crate) fn query<T: for<'d> ArgumentDecoder<'d>>(
        &self,
        method: &'static str,
        argument: impl ArgumentEncoder,
    ) -> Result<T, Error> {
        let reply = self.canister.query(method, encode(argument));
        decode(method, &reply.map_err(|failure| failed(method, failure))?)
    }

    pub(crate) fn update<T: for<'d> ArgumentDecoder<'d>>(
        &self,
        method: &'static str,
        argument: impl ArgumentEncoder,
    ) -> Result<T, Error> {
        let reply = self.canister.update(method, encode(argument));
        decode(method, &reply.map_err(|failure| failed(method, failure))?)
    }
}

impl std::fmt::Debug for AssetCanister<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssetCanister").finish_non_exhaustive()
    }
}

/// Asks for page after page, each from a place on, until one has nothing new. `None`: there is no
/// end to them.
pub(crate) fn all_pages<T, E>(
    key: impl Fn(&T) -> &str,
    mut page: impl FnMut(usize) -> Result<Vec<T>, E>,
) -> Result<Option<Vec<T>>, E> {
    let mut all: Vec<T> = Vec::new();
    while all.len() <= MAX_ASSETS {
        let next = page(all.len())?;
        // Older canisters of dfx list everything, whatever they are asked for.
        let begins_again = next.first().map(&key) == all.first().map(&key);
        if next.is_empty() || begins_again {
            return Ok(Some(all));
        }
        all.extend(next);
    }
    Ok(None)
}

pub(crate) fn failed(method: &'static str, failure: Failure) -> Error {
    match failure {
        Failure::Rejected(reject) => Error::Call { method, reject },
        Failure::Expired => Error::Expired(method),
        Failure::Unreachable(reason) => Error::Unreachable(reason),
        Failure::Unproven(reason) => Error::Unproven(reason),
    }
}

fn encode(argument: impl ArgumentEncoder) -> Vec<u8> {
    candid::encode_args(argument).expect("the records of this module always encode")
}

fn decode<T: for<'d> ArgumentDecoder<'d>>(method: &'static str, reply: &[u8]) -> Result<T, Error> {
    candid::decode_args(reply).map_err(|error| Error::Reply {
        method,
        reason: error.to_string(),
    })
}
