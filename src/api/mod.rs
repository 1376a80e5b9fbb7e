//! The Candid interface: records as they are on the wire, and what they mean to the site.
//!
//! `candid/assets.did` documents it. Names and shapes of the legacy part are those of the asset canister of dfx,
//! `ic-certified-assets`, which its clients decode.

mod access;
mod asset;
mod batch;
mod http;
mod wire;

pub use access::{
    AssetCanisterArgs, GrantPermission, InitArgs, ListPermitted, Permission, RevokePermission,
    SetPermissions, UpgradeArgs,
};
pub use asset::{
    AssetDetails, AssetEncodingDetails, AssetProperties, ListArguments, list, properties_of,
};
pub use batch::{
    BatchOperationKind, ClearArguments, Commit, CommitBatchArguments, ConfigurationResponse,
    ConfigureArguments, CreateAssetArguments, CreateBatchResponse, CreateChunkArguments,
    CreateChunkResponse, CreateChunksArguments, CreateChunksResponse, DeleteAssetArguments,
    DeleteBatchArguments, SetAssetContentArguments, SetAssetPropertiesArguments,
    UnsetAssetContentArguments, id_of,
};
pub use http::{HttpRequest, HttpResponse, request_of};
pub use wire::WireError;
