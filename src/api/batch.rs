//! Batches: uploading chunks and committing operations.

use crate::{
    site::{Content, Operation, Properties, PropertyChange},
    upload::Limits,
};
use candid::{CandidType, Deserialize, Nat};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

/// Headers by name, as the legacy canister keeps them: of two with the same name, the last counts.
type HeaderMap = Vec<(String, String)>;

/// Reply of `create_batch`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CreateBatchResponse {
    /// The id.
    pub batch_id: Nat,
}

/// Argument of `create_chunk`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CreateChunkArguments {
    /// The batch.
    pub batch_id: Nat,
    /// The chunk.
    pub content: ByteBuf,
}

/// Reply of `create_chunk`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CreateChunkResponse {
    /// The id.
    pub chunk_id: Nat,
}

/// Argument of `create_chunks`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CreateChunksArguments {
    /// The batch.
    pub batch_id: Nat,
    /// The chunks.
    pub content: Vec<ByteBuf>,
}

/// Reply of `create_chunks`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CreateChunksResponse {
    /// The ids, in the same order.
    pub chunk_ids: Vec<Nat>,
}

/// Argument of `commit_batch`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CommitBatchArguments {
    /// The batch to close. One that does not exist, such as 0, closes none.
    pub batch_id: Nat,
    /// What to do, in order.
    pub operations: Vec<BatchOperationKind>,
}

/// One operation of a commit.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub enum BatchOperationKind {
    /// A new asset.
    CreateAsset(CreateAssetArguments),
    /// Content for an asset.
    SetAssetContent(SetAssetContentArguments),
    /// Other properties for an asset.
    SetAssetProperties(SetAssetPropertiesArguments),
    /// Content of an asset goes.
    UnsetAssetContent(UnsetAssetContentArguments),
    /// An asset goes.
    DeleteAsset(DeleteAssetArguments),
    /// All assets go.
    Clear(ClearArguments),
}

/// A new asset.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CreateAssetArguments {
    /// Its key.
    pub key: String,
    /// Its `Content-Type`.
    pub content_type: String,
    /// Seconds that it may be cached.
    pub max_age: Option<u64>,
    /// Its headers.
    pub headers: Option<HeaderMap>,
    /// Whether it also answers for shorter paths.
    pub enable_aliasing: Option<bool>,
    /// Whether it may be had without verification.
    pub allow_raw_access: Option<bool>,
}

/// Content for an asset.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct SetAssetContentArguments {
    /// The asset.
    pub key: String,
    /// The encoding.
    pub content_encoding: String,
    /// Uploaded chunks, in order.
    pub chunk_ids: Vec<Nat>,
    /// What follows them.
    pub last_chunk: Option<ByteBuf>,
    /// SHA-256 of all of it.
    pub sha256: Option<ByteBuf>,
}

/// New properties for an asset; null leaves one as it is, opt null takes it away.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct SetAssetPropertiesArguments {
    /// The asset.
    pub key: String,
    /// Seconds that it may be cached.
    pub max_age: Option<Option<u64>>,
    /// Its headers.
    pub headers: Option<Option<HeaderMap>>,
    /// Whether it may be had without verification.
    pub allow_raw_access: Option<Option<bool>>,
    /// Whether it also answers for shorter paths.
    pub is_aliased: Option<Option<bool>>,
}

/// Content to take away.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct UnsetAssetContentArguments {
    /// The asset.
    pub key: String,
    /// The encoding.
    pub content_encoding: String,
}

/// An asset to take away.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct DeleteAssetArguments {
    /// Its key.
    pub key: String,
}

/// Nothing.
#[derive(Clone, Debug, Default, CandidType, Deserialize)]
pub struct ClearArguments {}

/// Argument of `commit_proposed_batch`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct CommitProposedBatchArguments {
    /// The batch.
    pub batch_id: Nat,
    /// Its evidence.
    pub evidence: ByteBuf,
}

/// Argument of `compute_evidence`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ComputeEvidenceArguments {
    /// The batch.
    pub batch_id: Nat,
    /// Operations and chunks to hash at most; as many as fit a message if null.
    pub max_iterations: Option<u16>,
}

/// Argument of `delete_batch`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct DeleteBatchArguments {
    /// The batch.
    pub batch_id: Nat,
}

/// Reply of `get_configuration`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ConfigurationResponse {
    /// Batches open at once.
    pub max_batches: Option<u64>,
    /// Chunks waiting at once.
    pub max_chunks: Option<u64>,
    /// Bytes waiting at once.
    pub max_bytes: Option<u64>,
}

/// Argument of `configure`; null leaves a limit as it is, opt null takes it away.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ConfigureArguments {
    /// Batches open at once.
    pub max_batches: Option<Option<u64>>,
    /// Chunks waiting at once.
    pub max_chunks: Option<Option<u64>>,
    /// Bytes waiting at once.
    pub max_bytes: Option<Option<u64>>,
}

/// A batch or chunk id. None has the number that too large ones become.
pub fn id_of(id: &Nat) -> u64 {
    u64::try_from(id.0.clone()).unwrap_or(u64::MAX)
}

impl From<BatchOperationKind> for Operation {
    fn from(operation: BatchOperationKind) -> Self {
        match operation {
            BatchOperationKind::CreateAsset(create) => create.into(),
            BatchOperationKind::SetAssetContent(set) => set.into(),
            BatchOperationKind::SetAssetProperties(set) => set.into(),
            BatchOperationKind::UnsetAssetContent(unset) => Self::UnsetContent {
                key: unset.key,
                encoding: unset.content_encoding,
            },
            BatchOperationKind::DeleteAsset(delete) => Self::Delete { key: delete.key },
            BatchOperationKind::Clear(ClearArguments {}) => Self::Clear,
        }
    }
}

impl From<SetAssetContentArguments> for Operation {
    fn from(set: SetAssetContentArguments) -> Self {
        Self::SetContent {
            key: set.key,
            encoding: set.content_encoding,
            content: Content {
                chunks: set.chunk_ids.iter().map(id_of).collect(),
                rest: set.last_chunk.map(ByteBuf::into_vec),
            },
            sha256: set.sha256.map(ByteBuf::into_vec),
        }
    }
}

impl From<CreateAssetArguments> for Operation {
    fn from(create: CreateAssetArguments) -> Self {
        Self::Create {
            key: create.key,
            properties: Properties {
                content_type: create.content_type,
                max_age: create.max_age,
                headers: create.headers.map(by_name),
                is_aliased: create.enable_aliasing,
                allow_raw_access: create.allow_raw_access,
            },
        }
    }
}

impl From<SetAssetPropertiesArguments> for Operation {
    fn from(set: SetAssetPropertiesArguments) -> Self {
        Self::SetProperties {
            key: set.key,
            change: PropertyChange {
                max_age: set.max_age,
                headers: set.headers.map(|headers| headers.map(by_name)),
                is_aliased: set.is_aliased,
                allow_raw_access: set.allow_raw_access,
                ..PropertyChange::default()
            },
        }
    }
}

impl ConfigureArguments {
    /// The limits that result.
    pub fn apply_to(self, limits: Limits) -> Limits {
        Limits {
            max_batches: self.max_batches.unwrap_or(limits.max_batches),
            max_chunks: self.max_chunks.unwrap_or(limits.max_chunks),
            max_bytes: self.max_bytes.unwrap_or(limits.max_bytes),
        }
    }
}

impl From<Limits> for ConfigurationResponse {
    fn from(limits: Limits) -> Self {
        Self {
            max_batches: limits.max_batches,
            max_chunks: limits.max_chunks,
            max_bytes: limits.max_bytes,
        }
    }
}

fn by_name(headers: HeaderMap) -> BTreeMap<String, String> {
    headers.into_iter().collect()
}
