//! The asset canister of dfx, in memory: the words of the interface, its rules and its limits, and
//! nothing of HTTP.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use candid::{CandidType, Nat, decode_one, encode_one};
use hallmark::canister::{Canister, Failure, Reject};
use hallmark::legacy::{
    AssetDetails, AssetProperties, CommitBatch, CreateAsset, EncodingDetails, Operation,
    SetAssetContent, SetAssetProperties,
};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use sha2::{Digest as _, Sha256};

/// What the Internet Computer carries in one message.
const MAX_MESSAGE: usize = 2 << 20;

/// The canister, and a record of the calls it got.
#[derive(Default)]
pub(crate) struct Memory {
    state: Mutex<State>,
    calls: Mutex<Vec<Call>>,
    refused: Option<&'static str>,
    lanes: usize,
}

/// A call: its method and, of a commit, the number of operations; of an upload, of chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) operations: usize,
    pub(crate) chunks: usize,
}

/// What is served: assets by key, bodies by encoding.
pub(crate) type Assets = BTreeMap<String, (CreateAsset, BTreeMap<String, Vec<u8>>)>;

#[derive(Default, Clone)]
struct State {
    assets: Assets,
    batches: BTreeMap<u64, Batch>,
    last_batch: u64,
    last_chunk: u64,
}

#[derive(Default, Clone)]
struct Batch {
    chunks: BTreeMap<u64, Vec<u8>>,
}

#[derive(CandidType, Deserialize)]
struct Chunks {
    batch_id: Nat,
    content: Vec<ByteBuf>,
}

impl Memory {
    /// A canister that traps in one method.
    pub(crate) fn refusing(method: &'static str) -> Memory {
        Memory {
            refused: Some(method),
            ..Memory::default()
        }
    }

    /// The same, called on several threads at once.
    pub(crate) fn with_lanes(self, lanes: usize) -> Memory {
        Memory { lanes, ..self }
    }

    /// What is stored under a key in an encoding.
    pub(crate) fn body(&self, key: &str, encoding: &str) -> Option<Vec<u8>> {
        self.state().assets.get(key)?.1.get(encoding).cloned()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state().assets.keys().cloned().collect()
    }

    /// Everything that is served.
    pub(crate) fn assets(&self) -> Assets {
        self.state().assets.clone()
    }

    pub(crate) fn open_batches(&self) -> usize {
        self.state().batches.len()
    }

    /// Drops what waits to be committed, as happens when it has waited too long.
    pub(crate) fn expire_batches(&self) {
        self.state().batches.clear();
    }

    /// The updates since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Changes properties behind the client's back.
    pub(crate) fn set_max_age(&self, key: &str, max_age: u64) {
        self.state().assets.get_mut(key).unwrap().0.max_age = Some(max_age);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
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
                Ok(encode_one(self.state().page(start as usize)).unwrap())
            }
            "get_asset_properties" => {
                let key: String = decode_one(&argument).unwrap();
                let state = self.state();
                let (asset, _) = &state.assets[&key];
                let properties = AssetProperties {
                    max_age: asset.max_age,
                    headers: asset.headers.clone(),
                    allow_raw_access: asset.allow_raw_access,
                    is_aliased: asset.enable_aliasing,
                };
                Ok(encode_one(properties).unwrap())
            }
            _ => Err(Failure::Rejected(Reject {
                code: 536,
                message: format!("Canister has no query method '{method}'."),
            })),
        }
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        assert!(argument.len() <= MAX_MESSAGE, "{} bytes", argument.len());
        let mut call = Call {
            method: method.to_owned(),
            operations: 0,
            chunks: 0,
        };
        match method {
            "commit_batch" => {
                let commit: CommitBatch = decode_one(&argument).unwrap();
                call.operations = commit.operations.len();
            }
            "create_chunks" => {
                let chunks: Chunks = decode_one(&argument).unwrap();
                call.chunks = chunks.content.len();
            }
            _ => {}
        }
        self.calls.lock().unwrap().push(call);
        if self.refused == Some(method) {
            return Err(trap("refused"));
        }
        // A trap leaves everything as it was.
        let mut state = self.state();
        let mut next = state.clone();
        let reply = next
            .update(method, &argument)
            .map_err(|error| trap(&error))?;
        *state = next;
        Ok(reply)
    }

    fn lanes(&self) -> usize {
        self.lanes.max(1)
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
                self.batches.insert(self.last_batch, Batch::default());
                let batch_id = self.last_batch.into();
                Ok(encode_one(Reply { batch_id }).unwrap())
            }
            "create_chunks" => {
                #[derive(CandidType)]
                struct Reply {
                    chunk_ids: Vec<Nat>,
                }
                let chunks: Chunks = decode_one(argument).unwrap();
                let batch = self.batches.get_mut(&number(&chunks.batch_id));
                let batch = batch.ok_or("batch not found")?;
                let mut chunk_ids = Vec::new();
                for chunk in chunks.content {
                    self.last_chunk += 1;
                    batch.chunks.insert(self.last_chunk, chunk.into_vec());
                    chunk_ids.push(self.last_chunk.into());
                }
                Ok(encode_one(Reply { chunk_ids }).unwrap())
            }
            "commit_batch" => {
                let commit: CommitBatch = decode_one(argument).unwrap();
                self.commit(commit)?;
                Ok(candid::encode_args(()).unwrap())
            }
            "delete_batch" => {
                #[derive(CandidType, Deserialize)]
                struct Argument {
                    batch_id: Nat,
                }
                let delete: Argument = decode_one(argument).unwrap();
                let deleted = self.batches.remove(&number(&delete.batch_id));
                deleted.ok_or("batch not found")?;
                Ok(candid::encode_args(()).unwrap())
            }
            _ => panic!("unexpected call of {method}"),
        }
    }

    fn commit(&mut self, commit: CommitBatch) -> Result<(), String> {
        let id = number(&commit.batch_id);
        if id != 0 && !self.batches.contains_key(&id) {
            return Err("batch not found".to_owned());
        }
        for operation in commit.operations {
            self.apply(operation)?;
        }
        self.batches.remove(&id);
        Ok(())
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
            let number = number(id);
            let mut batches = self.batches.values_mut();
            let batch = batches.find(|batch| batch.chunks.contains_key(&number));
            let batch = batch.ok_or_else(|| format!("chunk not found: {id}"))?;
            body.extend(batch.chunks.remove(&number).unwrap());
        }
        body.extend(set.last_chunk.iter().flat_map(|chunk| chunk.iter()));
        let given = set.sha256.as_ref().map(|sha256| sha256.to_vec());
        if given != Some(Sha256::digest(&body).to_vec()) {
            return Err(format!("sha256 mismatch: {}", set.key));
        }
        Ok(body)
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
