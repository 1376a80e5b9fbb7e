//! An asset canister in memory: the words of the interface, its rules and its limits, and
//! nothing of HTTP.

use std::cell::RefCell;
use std::collections::BTreeMap;

use candid::{CandidType, Nat, decode_one, encode_one};
use hallmark::canister::{Canister, Failure, Reject};
use hallmark::legacy::{
    AssetDetails, CommitBatch, CreateAsset, EncodingDetails, Operation, SetAssetContent,
    SetAssetProperties,
};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use sha2::{Digest as _, Sha256};

/// What the Internet Computer carries in one message.
const MAX_MESSAGE: usize = 2 << 20;

/// The canister, and a record of the calls it got.
#[derive(Default)]
pub(crate) struct Memory {
    state: RefCell<State>,
    calls: RefCell<Vec<Call>>,
    refused: Option<&'static str>,
}

/// A call: its method and, of a commit, the number of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) operations: usize,
}

#[derive(Default, Clone)]
struct State {
    assets: BTreeMap<String, (CreateAsset, BTreeMap<String, Vec<u8>>)>,
    chunks: BTreeMap<u64, Vec<u8>>,
    open: Option<u64>,
    last_batch: u64,
    last_chunk: u64,
}

impl Memory {
    /// A canister that traps in one method.
    pub(crate) fn refusing(method: &'static str) -> Memory {
        Memory {
            refused: Some(method),
            ..Memory::default()
        }
    }

    /// What is stored under a key in an encoding.
    pub(crate) fn body(&self, key: &str, encoding: &str) -> Option<Vec<u8>> {
        let state = self.state.borrow();
        state.assets.get(key)?.1.get(encoding).cloned()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.borrow().assets.keys().cloned().collect()
    }

    pub(crate) fn has_open_batch(&self) -> bool {
        self.state.borrow().open.is_some()
    }

    /// The updates since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.take()
    }

    /// Changes properties behind the client's back.
    pub(crate) fn set_max_age(&self, key: &str, max_age: u64) {
        let mut state = self.state.borrow_mut();
        state.assets.get_mut(key).unwrap().0.max_age = Some(max_age);
    }
}

impl Canister for Memory {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match method {
            "list" => {
                #[derive(CandidType, Deserialize)]
                struct Page {
                    start: Option<Nat>,
                }
                let page: Page = decode_one(&argument).unwrap();
                let start = page.start.map_or(0, |start| number(&start));
                Ok(encode_one(self.state.borrow().page(start as usize)).unwrap())
            }
            _ => Err(Failure::Rejected(Reject {
                code: 536,
                message: format!("Canister has no query method '{method}'."),
            })),
        }
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        assert!(argument.len() <= MAX_MESSAGE, "{} bytes", argument.len());
        let mut operations = 0;
        if method == "commit_batch" {
            let commit: CommitBatch = decode_one(&argument).unwrap();
            operations = commit.operations.len();
        }
        self.calls.borrow_mut().push(Call {
            method: method.to_owned(),
            operations,
        });
        if self.refused == Some(method) {
            return Err(trap("refused"));
        }
        // A trap leaves everything as it was.
        let mut state = self.state.borrow().clone();
        let reply = state
            .update(method, &argument)
            .map_err(|error| trap(&error))?;
        *self.state.borrow_mut() = state;
        Ok(reply)
    }
}

impl State {
    fn page(&self, start: usize) -> Vec<AssetDetails> {
        let page = self.assets.values().skip(start).take(100);
        let details = page.map(|(create, encodings)| AssetDetails {
            key: create.key.clone(),
            content_type: create.content_type.clone(),
            encodings: encodings
                .iter()
                .map(|(name, body)| EncodingDetails {
                    content_encoding: name.clone(),
                    sha256: Some(ByteBuf::from(Sha256::digest(body).to_vec())),
                })
                .collect(),
            max_age: create.max_age,
            headers: create.headers.clone(),
            allow_raw_access: create.allow_raw_access,
            is_aliased: create.enable_aliasing,
        });
        details.collect()
    }

    fn update(&mut self, method: &str, argument: &[u8]) -> Result<Vec<u8>, String> {
        match method {
            "create_batch" => {
                #[derive(CandidType)]
                struct Reply {
                    batch_id: Nat,
                }
                self.last_batch += 1;
                self.open = Some(self.last_batch);
                let batch_id = self.last_batch.into();
                Ok(encode_one(Reply { batch_id }).unwrap())
            }
            "create_chunks" => {
                #[derive(CandidType, Deserialize)]
                struct Chunks {
                    batch_id: Nat,
                    content: Vec<ByteBuf>,
                }
                #[derive(CandidType)]
                struct Reply {
                    chunk_ids: Vec<Nat>,
                }
                let chunks: Chunks = decode_one(argument).unwrap();
                self.check_open(&chunks.batch_id)?;
                let mut chunk_ids = Vec::new();
                for chunk in chunks.content {
                    self.last_chunk += 1;
                    self.chunks.insert(self.last_chunk, chunk.into_vec());
                    chunk_ids.push(self.last_chunk.into());
                }
                Ok(encode_one(Reply { chunk_ids }).unwrap())
            }
            "commit_batch" => {
                let commit: CommitBatch = decode_one(argument).unwrap();
                for operation in commit.operations {
                    self.apply(operation)?;
                }
                if number(&commit.batch_id) != 0 {
                    self.check_open(&commit.batch_id)?;
                    self.close();
                }
                Ok(candid::encode_args(()).unwrap())
            }
            "delete_batch" => {
                self.close();
                Ok(candid::encode_args(()).unwrap())
            }
            _ => panic!("unexpected call of {method}"),
        }
    }

    fn apply(&mut self, operation: Operation) -> Result<(), String> {
        let missing = |key: &str| format!("asset not found: {key}");
        match operation {
            Operation::CreateAsset(create) => {
                if self.assets.contains_key(&create.key) {
                    return Err(format!("asset already exists: {}", create.key));
                }
                let key = create.key.clone();
                self.assets.insert(key, (create, BTreeMap::new()));
            }
            Operation::SetAssetContent(set) => {
                let body = self.assemble(&set)?;
                let asset = self.assets.get_mut(&set.key);
                let (_, encodings) = asset.ok_or_else(|| missing(&set.key))?;
                encodings.insert(set.content_encoding, body);
            }
            Operation::UnsetAssetContent(unset) => {
                let asset = self.assets.get_mut(&unset.key);
                let (_, encodings) = asset.ok_or_else(|| missing(&unset.key))?;
                encodings.remove(&unset.content_encoding);
            }
            Operation::DeleteAsset(delete) => drop(self.assets.remove(&delete.key)),
            Operation::SetAssetProperties(SetAssetProperties {
                key,
                max_age,
                headers,
                allow_raw_access,
                is_aliased,
            }) => {
                let asset = self.assets.get_mut(&key);
                let (asset, _) = asset.ok_or_else(|| missing(&key))?;
                asset.max_age = max_age.unwrap_or(asset.max_age);
                asset.headers = headers.unwrap_or(asset.headers.take());
                asset.allow_raw_access = allow_raw_access.unwrap_or(asset.allow_raw_access);
                asset.enable_aliasing = is_aliased.unwrap_or(asset.enable_aliasing);
            }
        }
        Ok(())
    }

    fn assemble(&mut self, set: &SetAssetContent) -> Result<Vec<u8>, String> {
        if set.chunk_ids.is_empty() && set.last_chunk.is_none() {
            return Err("encoding must have at least one chunk or contain last_chunk".into());
        }
        let mut body = Vec::new();
        for id in &set.chunk_ids {
            let chunk = self.chunks.remove(&number(id));
            body.extend(chunk.ok_or_else(|| format!("chunk not found: {id}"))?);
        }
        body.extend(set.last_chunk.iter().flat_map(|chunk| chunk.iter()));
        let given = set.sha256.as_ref().map(|sha256| sha256.to_vec());
        if given != Some(Sha256::digest(&body).to_vec()) {
            return Err(format!("sha256 mismatch: {}", set.key));
        }
        Ok(body)
    }

    fn check_open(&self, batch: &Nat) -> Result<(), String> {
        let is_open = self.open == Some(number(batch));
        is_open
            .then_some(())
            .ok_or_else(|| "batch not found".into())
    }

    fn close(&mut self) {
        self.open = None;
        self.chunks.clear();
    }
}

fn trap(message: &str) -> Failure {
    Failure::Rejected(Reject {
        code: 503,
        message: format!("Canister trapped explicitly: {message}"),
    })
}

fn number(nat: &Nat) -> u64 {
    u64::try_from(nat.0.clone()).unwrap()
}
