//! The Candid interface: records as they are on the wire, and what they mean to the site.
//!
//! `candid/assets.did` documents it. Names and shapes of the legacy part are those of the asset canister of dfx,
//! `ic-certified-assets`, which its clients decode.

mod access;
mod asset;
mod batch;
mod content;
mod http;
mod import;
mod lock;
mod releases;
mod stages;
mod validation;
mod wire;

pub use access::{
    AssetCanisterArgs, GrantPermission, InitArgs, ListPermitted, Permission, RevokePermission,
    SetPermissions, UpgradeArgs,
};
pub use asset::{
    AssetDetails, AssetEncodingDetails, AssetProperties, ListArguments, StateInfo, list,
    properties_of, state_info,
};
pub use batch::{
    BatchOperationKind, ClearArguments, Commit, CommitBatchArguments, CommitProposedBatchArguments,
    ComputeEvidenceArguments, ConfigurationResponse, ConfigureArguments, CreateAssetArguments,
    CreateBatchResponse, CreateChunkArguments, CreateChunkResponse, CreateChunksArguments,
    CreateChunksResponse, DeleteAssetArguments, DeleteBatchArguments, SetAssetContentArguments,
    SetAssetPropertiesArguments, UnsetAssetContentArguments, id_of,
};
pub use content::{
    ChunkOfContent, EncodedAsset, GetArguments, GetChunkResponse, StoreArguments,
    StreamingCallbackHttpResponse, get, get_chunk, retrieve, store, stream,
};
pub use http::{CertifiedTree, HttpRequest, HttpResponse, request_of};
pub use import::ImportProgress;
pub use lock::{Lock, LockResponse, NextLock, Scheduled, WithdrawArguments};
pub use releases::{
    Release, ReleaseNumber, ReleasesArguments, ReleasesResponse, Retention, RollbackArguments,
    releases,
};
pub use stages::{
    CreateStageArguments, Fill, FillStageArguments, PublishStageArguments, SealStageResponse,
    Stage, StageNumber, stages,
};
pub use validation::ValidationResult;
pub use wire::WireError;
