//! The Candid interface of canisters that answer HTTP.
//!
//! These types are as wide as the interface allows: the method is text, and a
//! streaming token is whatever the canister says it is.

use candid::types::value::{IDLArgs, IDLValue, IDLValueVisitor};
use candid::types::{Serializer, Type, TypeInner};
use candid::{CandidType, DecoderConfig, Principal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_bytes::Bytes;

#[derive(Debug, CandidType)]
pub(super) struct HttpRequest<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a Bytes,
    pub(super) certificate_version: Option<u16>,
}

#[derive(Debug, CandidType, Deserialize)]
pub(super) struct HttpResponse {
    pub(super) status_code: u16,
    pub(super) headers: Vec<(String, String)>,
    #[serde(with = "serde_bytes")]
    pub(super) body: Vec<u8>,
    pub(super) upgrade: Option<bool>,
    pub(super) streaming_strategy: Option<StreamingStrategy>,
}

#[derive(Debug, CandidType, Deserialize)]
pub(super) enum StreamingStrategy {
    Callback { callback: Any, token: Any },
}

#[derive(Debug, CandidType, Deserialize)]
pub(super) struct StreamedPart {
    #[serde(with = "serde_bytes")]
    pub(super) body: Vec<u8>,
    pub(super) token: Option<Any>,
}

/// A value of any type.
#[derive(Debug)]
pub(super) struct Any(IDLValue);

impl Any {
    /// The method a function reference means.
    pub(super) fn as_function(&self) -> Option<(Principal, &str)> {
        match &self.0 {
            IDLValue::Func(canister, method) => Some((*canister, method)),
            _ => None,
        }
    }

    /// The value as the one argument of a call.
    pub(super) fn encode(&self) -> candid::Result<Vec<u8>> {
        IDLArgs::new(std::slice::from_ref(&self.0)).to_bytes()
    }
}

impl CandidType for Any {
    /// Everything is a subtype of this.
    fn _ty() -> Type {
        TypeInner::Reserved.into()
    }

    fn idl_serialize<S: Serializer>(&self, serializer: S) -> Result<(), S::Error> {
        self.0.idl_serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Any, D::Error> {
        // "Ignored" is how Candid is told to follow the type on the wire.
        deserializer
            .deserialize_ignored_any(IDLValueVisitor)
            .map(Any)
    }
}

/// Decodes what a canister replied, within bounds.
pub(super) fn decode<T: CandidType + DeserializeOwned>(reply: &[u8]) -> candid::Result<T> {
    let mut bounds = DecoderConfig::new();
    // A reply is up to 3 MiB, and a byte of a blob costs one.
    bounds.set_decoding_quota(10_000_000);
    bounds.set_skipping_quota(100_000);
    candid::utils::decode_one_with_config(reply, &bounds)
}
