//! What an asset canister of dfx leaves in stable memory, written down independently of what reads it.
//!
//! The records are those of `ic-certified-assets`: [`State::candid`] as version 0.3.0 saves them, [`State::cbor`] as
//! its successors do.

use candid::{CandidType, Int, Nat, Principal};
use serde::{Serialize, Serializer};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, CandidType, Serialize)]
pub(crate) struct State {
    pub(crate) authorized: Vec<Principal>,
    pub(crate) permissions: Option<Permissions>,
    pub(crate) stable_assets: BTreeMap<String, Asset>,
    #[serde(serialize_with = "as_u64")]
    pub(crate) next_batch_id: Option<Nat>,
    pub(crate) configuration: Option<Configuration>,
    /// Not in Candid, where a reader that does not know it would skip it.
    pub(crate) last_state_update_timestamp: Option<u64>,
}

#[derive(Clone, Debug, Default, CandidType, Serialize)]
pub(crate) struct Permissions {
    pub(crate) commit: Vec<Principal>,
    pub(crate) prepare: Vec<Principal>,
    pub(crate) manage_permissions: Vec<Principal>,
}

#[derive(Clone, Debug, Default, CandidType, Serialize)]
pub(crate) struct Configuration {
    pub(crate) max_batches: Option<u64>,
    pub(crate) max_chunks: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
}

#[derive(Clone, Debug, Default, CandidType, Serialize)]
pub(crate) struct Asset {
    pub(crate) content_type: String,
    pub(crate) encodings: BTreeMap<String, Encoding>,
    pub(crate) max_age: Option<u64>,
    pub(crate) headers: Option<BTreeMap<String, String>>,
    pub(crate) is_aliased: Option<bool>,
    pub(crate) allow_raw_access: Option<bool>,
}

#[derive(Clone, Debug, CandidType, Serialize)]
pub(crate) struct Encoding {
    pub(crate) modified: Time,
    pub(crate) content_chunks: Vec<ByteBuf>,
    pub(crate) total_length: u64,
    pub(crate) certified: bool,
    pub(crate) sha256: [u8; 32],
    pub(crate) certificate_expression: Option<Expression>,
    pub(crate) response_hashes: Option<BTreeMap<u16, [u8; 32]>>,
}

#[derive(Clone, Debug, CandidType, Serialize)]
pub(crate) struct Expression {
    expression: String,
    expression_hash: ByteBuf,
}

/// Nanoseconds: `int` in Candid, an unsigned number in CBOR.
#[derive(Clone, Debug)]
pub(crate) struct Time(pub(crate) u64);

impl CandidType for Time {
    fn _ty() -> candid::types::Type {
        Int::ty()
    }

    fn idl_serialize<S: candid::types::Serializer>(&self, serializer: S) -> Result<(), S::Error> {
        serializer.serialize_int(&Int::from(self.0))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

fn as_u64<S: Serializer>(number: &Option<Nat>, serializer: S) -> Result<S::Ok, S::Error> {
    let number = number.as_ref().map(|nat| u64::try_from(&nat.0).unwrap());
    number.serialize(serializer)
}

impl State {
    pub(crate) fn candid(&self) -> Vec<u8> {
        candid::encode_one(self).unwrap()
    }

    pub(crate) fn cbor(&self) -> Vec<u8> {
        serde_cbor::to_vec(self).unwrap()
    }

    /// The same state with one more asset.
    pub(crate) fn with(mut self, key: &str, asset: Asset) -> Self {
        self.stable_assets.insert(key.to_owned(), asset);
        self
    }
}

impl Asset {
    pub(crate) fn new(content_type: &str) -> Self {
        Self {
            content_type: content_type.to_owned(),
            ..Self::default()
        }
    }

    /// The same asset with one more encoding.
    pub(crate) fn with(mut self, name: &str, chunks: &[&[u8]], modified: u64) -> Self {
        let encoding = Encoding {
            modified: Time(modified),
            content_chunks: chunks.iter().map(|chunk| ByteBuf::from(*chunk)).collect(),
            total_length: chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            certified: true,
            sha256: Sha256::digest(chunks.concat()).into(),
            certificate_expression: Some(Expression {
                expression: "default_certification(…)".to_owned(),
                expression_hash: ByteBuf::from([7; 32]),
            }),
            response_hashes: Some(BTreeMap::from([(200, [1; 32]), (304, [2; 32])])),
        };
        self.encodings.insert(name.to_owned(), encoding);
        self
    }

    /// The same asset with one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let headers = self.headers.get_or_insert_default();
        headers.insert(name.to_owned(), value.to_owned());
        self
    }
}
