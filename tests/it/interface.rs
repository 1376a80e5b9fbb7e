//! The Candid records of the asset canister's interface, as its clients declare
//! them.

use candid::{CandidType, Deserialize, Principal};
use serde_bytes::ByteBuf;

pub(crate) type HeaderField = (String, String);

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<HeaderField>,
    pub(crate) body: ByteBuf,
    pub(crate) certificate_version: Option<u16>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status_code: u16,
    pub(crate) headers: Vec<HeaderField>,
    pub(crate) body: ByteBuf,
    pub(crate) upgrade: Option<bool>,
    pub(crate) streaming_strategy: Option<candid::Reserved>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct CreateAsset {
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) max_age: Option<u64>,
    pub(crate) headers: Option<Vec<HeaderField>>,
    pub(crate) enable_aliasing: Option<bool>,
    pub(crate) allow_raw_access: Option<bool>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct SetAssetContent {
    pub(crate) key: String,
    pub(crate) content_encoding: String,
    pub(crate) chunk_ids: Vec<u128>,
    pub(crate) last_chunk: Option<ByteBuf>,
    pub(crate) sha256: Option<ByteBuf>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct SetAssetProperties {
    pub(crate) key: String,
    pub(crate) max_age: Option<Option<u64>>,
    pub(crate) headers: Option<Option<Vec<HeaderField>>>,
    pub(crate) allow_raw_access: Option<Option<bool>>,
    pub(crate) is_aliased: Option<Option<bool>>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct UnsetAssetContent {
    pub(crate) key: String,
    pub(crate) content_encoding: String,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct DeleteAsset {
    pub(crate) key: String,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct Empty {}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) enum Operation {
    CreateAsset(CreateAsset),
    SetAssetContent(SetAssetContent),
    SetAssetProperties(SetAssetProperties),
    UnsetAssetContent(UnsetAssetContent),
    DeleteAsset(DeleteAsset),
    Clear(Empty),
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct CommitBatch {
    pub(crate) batch_id: u128,
    pub(crate) operations: Vec<Operation>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) batch_id: u128,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct Proposed {
    pub(crate) batch_id: u128,
    pub(crate) evidence: ByteBuf,
}

impl Proposed {
    pub(crate) fn new(batch_id: u128, evidence: &[u8]) -> Self {
        let evidence = ByteBuf::from(evidence);
        Self { batch_id, evidence }
    }
}

/// What a method would do, or why it would not.
#[derive(CandidType, Deserialize, Clone, Debug, PartialEq)]
pub(crate) enum Validation {
    Ok(String),
    Err(String),
}

/// What `store` takes.
#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct Store {
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) content_encoding: String,
    pub(crate) content: ByteBuf,
    pub(crate) sha256: Option<ByteBuf>,
    pub(crate) aliased: Option<bool>,
}

impl Store {
    pub(crate) fn new(key: &str, content_type: &str, content: &[u8]) -> Self {
        Self {
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            content_encoding: "identity".to_owned(),
            content: ByteBuf::from(content),
            sha256: None,
            aliased: None,
        }
    }
}

/// A chunk of content; also the token of a streaming callback.
#[derive(CandidType, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) key: String,
    pub(crate) content_encoding: String,
    pub(crate) index: u128,
    pub(crate) sha256: Option<ByteBuf>,
}

#[derive(CandidType, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct AssetDetails {
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) encodings: Vec<EncodingDetails>,
    pub(crate) max_age: Option<u64>,
    pub(crate) headers: Option<Vec<HeaderField>>,
    pub(crate) allow_raw_access: Option<bool>,
    pub(crate) is_aliased: Option<bool>,
}

#[derive(CandidType, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct EncodingDetails {
    pub(crate) content_encoding: String,
    pub(crate) sha256: Option<ByteBuf>,
    pub(crate) length: u128,
    pub(crate) modified: i128,
}

#[derive(CandidType, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct AssetProperties {
    pub(crate) max_age: Option<u64>,
    pub(crate) headers: Option<Vec<HeaderField>>,
    pub(crate) allow_raw_access: Option<bool>,
    pub(crate) is_aliased: Option<bool>,
}

#[derive(CandidType, Deserialize, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Permission {
    Commit,
    ManagePermissions,
    Prepare,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct GrantPermission {
    pub(crate) to_principal: Principal,
    pub(crate) permission: Permission,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct RevokePermission {
    pub(crate) of_principal: Principal,
    pub(crate) permission: Permission,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct SetPermissions {
    pub(crate) prepare: Vec<Principal>,
    pub(crate) commit: Vec<Principal>,
    pub(crate) manage_permissions: Vec<Principal>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) struct Permissions {
    pub(crate) set_permissions: Option<SetPermissions>,
}

#[derive(CandidType, Deserialize, Clone, Debug)]
pub(crate) enum CanisterArgs {
    Init(Permissions),
    Upgrade(Permissions),
}

/// Limits as `configure` takes them: outer `None` keeps one, `Some(None)` lifts it.
#[derive(CandidType, Deserialize, Clone, Debug, Default)]
pub(crate) struct Configure {
    pub(crate) max_batches: Option<Option<u64>>,
    pub(crate) max_chunks: Option<Option<u64>>,
    pub(crate) max_bytes: Option<Option<u64>>,
}

#[derive(CandidType, Deserialize, Clone, Debug, Default, PartialEq)]
pub(crate) struct Configuration {
    pub(crate) max_batches: Option<u64>,
    pub(crate) max_chunks: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
}

impl From<CreateAsset> for Operation {
    fn from(operation: CreateAsset) -> Self {
        Self::CreateAsset(operation)
    }
}

impl From<SetAssetContent> for Operation {
    fn from(operation: SetAssetContent) -> Self {
        Self::SetAssetContent(operation)
    }
}

impl From<SetAssetProperties> for Operation {
    fn from(operation: SetAssetProperties) -> Self {
        Self::SetAssetProperties(operation)
    }
}

/// An asset without properties.
pub(crate) fn create(key: &str, content_type: &str) -> CreateAsset {
    CreateAsset {
        key: key.to_owned(),
        content_type: content_type.to_owned(),
        max_age: None,
        headers: None,
        enable_aliasing: None,
        allow_raw_access: None,
    }
}

/// Content made of chunks that were uploaded.
pub(crate) fn content(key: &str, encoding: &str, chunk_ids: &[u128]) -> SetAssetContent {
    SetAssetContent {
        key: key.to_owned(),
        content_encoding: encoding.to_owned(),
        chunk_ids: chunk_ids.to_vec(),
        last_chunk: None,
        sha256: None,
    }
}

/// Content that comes with the operation itself.
pub(crate) fn inline(key: &str, encoding: &str, body: &[u8]) -> SetAssetContent {
    SetAssetContent {
        last_chunk: Some(ByteBuf::from(body)),
        ..content(key, encoding, &[])
    }
}

/// Properties of which none is touched.
pub(crate) fn properties(key: &str) -> SetAssetProperties {
    SetAssetProperties {
        key: key.to_owned(),
        max_age: None,
        headers: None,
        allow_raw_access: None,
        is_aliased: None,
    }
}

pub(crate) fn unset(key: &str, encoding: &str) -> Operation {
    Operation::UnsetAssetContent(UnsetAssetContent {
        key: key.to_owned(),
        content_encoding: encoding.to_owned(),
    })
}

pub(crate) fn delete(key: &str) -> Operation {
    Operation::DeleteAsset(DeleteAsset {
        key: key.to_owned(),
    })
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> Vec<HeaderField> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    fields.iter().map(owned).collect()
}
