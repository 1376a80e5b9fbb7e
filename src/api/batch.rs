//! Batches: uploading chunks and committing operations.

use super::wire::{Value, WireError, argument, field, pair, required};
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
    /// SHA-256 of chunks that follow them and that the canister holds.
    pub chunk_hashes: Option<Vec<ByteBuf>>,
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

/// What a [`CommitBatchArguments`] says, as it comes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The batch to close, if there is one with this id.
    pub batch_id: u64,
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

impl Commit {
    /// Reads the argument of `commit_batch`.
    ///
    /// # Errors
    ///
    /// [`WireError`] if it is not one.
    pub fn of_argument(bytes: &[u8]) -> Result<Self, WireError> {
        argument(bytes, |arguments| {
            let (mut batch_id, mut operations) = (None, None);
            arguments.record(|name, value| {
                match name {
                    BATCH_ID => batch_id = Some(value.nat()?),
                    OPERATIONS => operations = Some(value.list(operation)?),
                    _ => value.skip()?,
                }
                Ok(())
            })?;
            Ok(Self {
                batch_id: required(batch_id, "batch_id")?,
                operations: required(operations, "operations")?,
            })
        })
    }
}

const BATCH_ID: u32 = field("batch_id");
pub(super) const OPERATIONS: u32 = field("operations");

pub(super) fn operation(value: Value<'_, '_>) -> Result<Operation, WireError> {
    const CREATE: u32 = field("CreateAsset");
    const SET_CONTENT: u32 = field("SetAssetContent");
    const SET_PROPERTIES: u32 = field("SetAssetProperties");
    const UNSET_CONTENT: u32 = field("UnsetAssetContent");
    const DELETE: u32 = field("DeleteAsset");
    const CLEAR: u32 = field("Clear");
    value.variant(|name, value| {
        let mut fields = Fields::default();
        value.record(|name, value| fields.read(name, value))?;
        match name {
            CREATE => fields.create(),
            SET_CONTENT => fields.set_content(),
            SET_PROPERTIES => fields.set_properties(),
            UNSET_CONTENT => Ok(Operation::UnsetContent {
                key: required(fields.key, "key")?,
                encoding: required(fields.content_encoding, "content_encoding")?,
            }),
            DELETE => Ok(Operation::Delete {
                key: required(fields.key, "key")?,
            }),
            CLEAR => Ok(Operation::Clear),
            _ => Err(WireError::Malformed("an operation that does not exist")),
        }
    })
}

/// The fields of all operations. Some are optional in one and optional twice in another, and read alike.
#[derive(Default)]
struct Fields {
    key: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    chunk_ids: Option<Vec<u64>>,
    chunk_hashes: Option<Vec<Vec<u8>>>,
    last_chunk: Option<Vec<u8>>,
    sha256: Option<Vec<u8>>,
    max_age: Option<Option<u64>>,
    headers: Option<Option<BTreeMap<String, String>>>,
    enable_aliasing: Option<bool>,
    is_aliased: Option<Option<bool>>,
    allow_raw_access: Option<Option<bool>>,
}

impl Fields {
    fn read(&mut self, name: u32, value: Value<'_, '_>) -> Result<(), WireError> {
        const KEY: u32 = field("key");
        const CONTENT_TYPE: u32 = field("content_type");
        const CONTENT_ENCODING: u32 = field("content_encoding");
        const CHUNK_IDS: u32 = field("chunk_ids");
        const CHUNK_HASHES: u32 = field("chunk_hashes");
        const LAST_CHUNK: u32 = field("last_chunk");
        const SHA256: u32 = field("sha256");
        const MAX_AGE: u32 = field("max_age");
        const HEADERS: u32 = field("headers");
        const ENABLE_ALIASING: u32 = field("enable_aliasing");
        const IS_ALIASED: u32 = field("is_aliased");
        const ALLOW_RAW_ACCESS: u32 = field("allow_raw_access");
        match name {
            KEY => self.key = Some(value.text()?.to_owned()),
            CONTENT_TYPE => self.content_type = Some(value.text()?.to_owned()),
            CONTENT_ENCODING => self.content_encoding = Some(value.text()?.to_owned()),
            CHUNK_IDS => self.chunk_ids = Some(value.list(|inner| inner.nat())?),
            CHUNK_HASHES => self.chunk_hashes = value.option(chunk_hashes)?,
            LAST_CHUNK => self.last_chunk = value.option(|inner| inner.blob())?.map(<[u8]>::to_vec),
            SHA256 => self.sha256 = value.option(|inner| inner.blob())?.map(<[u8]>::to_vec),
            MAX_AGE => self.max_age = value.twice(|inner| inner.nat64())?,
            HEADERS => self.headers = value.twice(header_map)?,
            ENABLE_ALIASING => self.enable_aliasing = value.option(|inner| inner.bool())?,
            IS_ALIASED => self.is_aliased = value.twice(|inner| inner.bool())?,
            ALLOW_RAW_ACCESS => self.allow_raw_access = value.twice(|inner| inner.bool())?,
            _ => value.skip()?,
        }
        Ok(())
    }

    fn create(self) -> Result<Operation, WireError> {
        Ok(Operation::Create {
            key: required(self.key, "key")?,
            properties: Properties {
                content_type: required(self.content_type, "content_type")?,
                max_age: self.max_age.flatten(),
                headers: self.headers.flatten(),
                is_aliased: self.enable_aliasing,
                allow_raw_access: self.allow_raw_access.flatten(),
            },
        })
    }

    fn set_content(self) -> Result<Operation, WireError> {
        Ok(Operation::SetContent {
            key: required(self.key, "key")?,
            encoding: required(self.content_encoding, "content_encoding")?,
            content: Content {
                chunks: required(self.chunk_ids, "chunk_ids")?,
                held: self.chunk_hashes.unwrap_or_default(),
                rest: self.last_chunk,
                modified: None,
            },
            sha256: self.sha256,
        })
    }

    fn set_properties(self) -> Result<Operation, WireError> {
        Ok(Operation::SetProperties {
            key: required(self.key, "key")?,
            change: PropertyChange {
                content_type: None,
                max_age: self.max_age,
                headers: self.headers,
                is_aliased: self.is_aliased,
                allow_raw_access: self.allow_raw_access,
            },
        })
    }
}

fn chunk_hashes(value: Value<'_, '_>) -> Result<Vec<Vec<u8>>, WireError> {
    value.list(|inner| inner.blob().map(<[u8]>::to_vec))
}

fn header_map(value: Value<'_, '_>) -> Result<BTreeMap<String, String>, WireError> {
    Ok(value.list(pair)?.into_iter().collect())
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
        let hashes = set.chunk_hashes.into_iter().flatten();
        Self::SetContent {
            key: set.key,
            encoding: set.content_encoding,
            content: Content {
                chunks: set.chunk_ids.iter().map(id_of).collect(),
                held: hashes.map(ByteBuf::into_vec).collect(),
                rest: set.last_chunk.map(ByteBuf::into_vec),
                modified: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use candid::encode_one;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        "[a-zé]{0,5}"
    }

    fn an_operation() -> impl Strategy<Value = BatchOperationKind> {
        let headers = || prop::collection::vec((text(), text()), 0..3);
        let bytes = || prop::option::of(prop::collection::vec(any::<u8>(), 0..4));
        let maybe = || any::<Option<bool>>();
        let create = (
            text(),
            text(),
            any::<Option<u64>>(),
            prop::option::of(headers()),
            maybe(),
            maybe(),
        );
        let set = (
            text(),
            text(),
            prop::collection::vec(any::<u64>(), 0..3),
            prop::option::of(prop::collection::vec(
                prop::collection::vec(any::<u8>(), 0..3),
                0..3,
            )),
            bytes(),
            bytes(),
        );
        let change = (
            text(),
            any::<Option<Option<u64>>>(),
            prop::option::of(prop::option::of(headers())),
            any::<Option<Option<bool>>>(),
            any::<Option<Option<bool>>>(),
        );
        prop_oneof![
            create.prop_map(
                |(key, content_type, max_age, headers, enable_aliasing, allow_raw_access)| {
                    BatchOperationKind::CreateAsset(CreateAssetArguments {
                        key,
                        content_type,
                        max_age,
                        headers,
                        enable_aliasing,
                        allow_raw_access,
                    })
                }
            ),
            set.prop_map(
                |(key, content_encoding, chunk_ids, hashes, last_chunk, sha256)| {
                    BatchOperationKind::SetAssetContent(SetAssetContentArguments {
                        key,
                        content_encoding,
                        chunk_ids: chunk_ids.into_iter().map(Nat::from).collect(),
                        chunk_hashes: hashes
                            .map(|all| all.into_iter().map(ByteBuf::from).collect()),
                        last_chunk: last_chunk.map(ByteBuf::from),
                        sha256: sha256.map(ByteBuf::from),
                    })
                }
            ),
            change.prop_map(|(key, max_age, headers, allow_raw_access, is_aliased)| {
                BatchOperationKind::SetAssetProperties(SetAssetPropertiesArguments {
                    key,
                    max_age,
                    headers,
                    allow_raw_access,
                    is_aliased,
                })
            }),
            (text(), text()).prop_map(|(key, content_encoding)| {
                BatchOperationKind::UnsetAssetContent(UnsetAssetContentArguments {
                    key,
                    content_encoding,
                })
            }),
            text().prop_map(|key| BatchOperationKind::DeleteAsset(DeleteAssetArguments { key })),
            Just(BatchOperationKind::Clear(ClearArguments {})),
        ]
    }

    proptest! {
        #[test]
        fn a_commit_is_read_as_candid_reads_it(
            batch_id in any::<u64>(),
            operations in prop::collection::vec(an_operation(), 0..5),
            cut in any::<prop::sample::Index>(),
            flip in any::<(prop::sample::Index, u8)>(),
        ) {
            let arguments = CommitBatchArguments { batch_id: batch_id.into(), operations: operations.clone() };
            let mut bytes = encode_one(&arguments).unwrap();
            let expected = Commit {
                batch_id,
                operations: operations.into_iter().map(Into::into).collect(),
            };
            prop_assert_eq!(Commit::of_argument(&bytes), Ok(expected));

            let cut = cut.index(bytes.len());
            prop_assert!(Commit::of_argument(&bytes[..cut]).is_err());

            // Whatever candid reads, is read alike.
            let at = flip.0.index(bytes.len());
            bytes[at] ^= flip.1;
            if let Ok(arguments) = candid::decode_one::<CommitBatchArguments>(&bytes) {
                let expected = Commit {
                    batch_id: id_of(&arguments.batch_id),
                    operations: arguments.operations.into_iter().map(Into::into).collect(),
                };
                prop_assert_eq!(Commit::of_argument(&bytes), Ok(expected));
            } else {
                let _ = Commit::of_argument(&bytes);
            }
        }
    }
}
