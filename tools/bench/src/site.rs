//! The content of the benchmark, deployed as `ic-asset` deploys: chunks of up to 1.9 MB together in one call, commits
//! of up to 500 operations under batch 0, and a last one under the batch's id.

use crate::canister::Canister;
use anyhow::Context;
use candid::{Decode, Nat};
use ic_hallmark::api::{
    BatchOperationKind, CommitBatchArguments, CreateAssetArguments, CreateBatchResponse,
    CreateChunksArguments, CreateChunksResponse, DeleteAssetArguments, ReleasesArguments,
    ReleasesResponse, RollbackArguments, SetAssetContentArguments,
};
use local_ic::Execution;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

const SIZE: usize = 4096;
const CALL_BYTES: usize = 1_900_000;
const CALL_OPERATIONS: usize = 500;

pub(crate) fn key(number: u32) -> String {
    format!("/section-{:02}/page-{number:06}.html", number % 17)
}

/// A page like no other.
pub(crate) fn content(seed: &str) -> Vec<u8> {
    let mut text = format!("<!doctype html><title>{seed}</title>\n");
    let mut block = Sha256::digest(seed);
    while text.len() < SIZE {
        text.extend(block.iter().map(|byte| format!("{byte:02x}")));
        block = Sha256::digest(block);
    }
    text.truncate(SIZE);
    text.into_bytes()
}

/// Deploys `count` assets; the sum of all calls.
pub(crate) fn deploy(canister: &mut Canister, count: u32) -> anyhow::Result<Execution> {
    let mut bill = Bill::default();
    let batch = create_batch(canister, &mut bill)?;
    let mut operations = Vec::new();
    let numbers: Vec<u32> = (0..count).collect();
    for numbers in numbers.chunks(CALL_BYTES / SIZE) {
        let contents: Vec<Vec<u8>> = numbers
            .iter()
            .map(|number| content(&key(*number)))
            .collect();
        let chunks = create_chunks(canister, &mut bill, &batch, &contents)?;
        for ((number, content), chunk) in numbers.iter().zip(&contents).zip(chunks) {
            operations.push(create(key(*number)));
            operations.push(set_content(key(*number), content, chunk));
        }
    }
    for operations in operations.chunks(CALL_OPERATIONS) {
        commit(canister, &mut bill, 0u8.into(), operations.to_vec())?;
    }
    commit(canister, &mut bill, batch, Vec::new())?;
    Ok(bill.0)
}

/// Replaces the content of one asset.
pub(crate) fn change(canister: &mut Canister, key: &str) -> anyhow::Result<Execution> {
    let mut setup = Bill::default();
    let batch = create_batch(canister, &mut setup)?;
    let mut bill = Bill::default();
    let content = content("changed");
    let chunks = create_chunks(canister, &mut bill, &batch, std::slice::from_ref(&content))?;
    let operations = chunks
        .into_iter()
        .map(|chunk| set_content(key.to_owned(), &content, chunk))
        .collect();
    commit(canister, &mut bill, batch, operations)?;
    Ok(bill.0)
}

pub(crate) fn delete(canister: &mut Canister, key: &str) -> anyhow::Result<Execution> {
    let mut bill = Bill::default();
    let key = key.to_owned();
    let operation = BatchOperationKind::DeleteAsset(DeleteAssetArguments { key });
    commit(canister, &mut bill, 0u8.into(), vec![operation])?;
    Ok(bill.0)
}

/// Goes back to the release that the deploy made, the first one that is kept.
pub(crate) fn roll_back(canister: &mut Canister) -> anyhow::Result<Execution> {
    let everything = ReleasesArguments::default();
    let reply = canister.query("releases", everything)?;
    let log = Decode!(&reply, ReleasesResponse)?;
    let kept = log.entries.iter().rev().find(|entry| entry.kept);
    let release = kept.context("a release is kept")?.release;
    let note = None;
    canister.update("rollback", (RollbackArguments { release, note },))?;
    Ok(canister.last())
}

/// The sum of several messages.
#[derive(Default)]
struct Bill(Execution);

impl Bill {
    fn add(&mut self, canister: &Canister) {
        let Execution {
            instructions,
            wasm,
            system_api,
            reply,
            stable,
            dirty_heap_pages,
            dirty_stable_pages,
            compile,
            heap_bytes,
            stable_bytes,
        } = canister.last();
        let sum = &mut self.0;
        sum.instructions += instructions;
        sum.wasm += wasm;
        sum.system_api += system_api;
        sum.reply += reply;
        sum.stable += stable;
        sum.dirty_heap_pages += dirty_heap_pages;
        sum.dirty_stable_pages += dirty_stable_pages;
        sum.compile += compile;
        sum.heap_bytes = heap_bytes;
        sum.stable_bytes = stable_bytes;
    }
}

fn create_batch(canister: &mut Canister, bill: &mut Bill) -> anyhow::Result<Nat> {
    let reply = canister.update("create_batch", ())?;
    bill.add(canister);
    Ok(Decode!(&reply, CreateBatchResponse)?.batch_id)
}

fn create_chunks(
    canister: &mut Canister,
    bill: &mut Bill,
    batch: &Nat,
    contents: &[Vec<u8>],
) -> anyhow::Result<Vec<Nat>> {
    let arguments = CreateChunksArguments {
        batch_id: batch.clone(),
        content: contents.iter().cloned().map(ByteBuf::from).collect(),
    };
    let reply = canister.update("create_chunks", (arguments,))?;
    bill.add(canister);
    Ok(Decode!(&reply, CreateChunksResponse)?.chunk_ids)
}

fn commit(
    canister: &mut Canister,
    bill: &mut Bill,
    batch_id: Nat,
    operations: Vec<BatchOperationKind>,
) -> anyhow::Result<()> {
    let arguments = CommitBatchArguments {
        batch_id,
        operations,
    };
    canister.update("commit_batch", (arguments,))?;
    bill.add(canister);
    Ok(())
}

fn create(key: String) -> BatchOperationKind {
    BatchOperationKind::CreateAsset(CreateAssetArguments {
        key,
        content_type: "text/html".to_owned(),
        max_age: None,
        headers: Some(vec![(
            "X-Content-Type-Options".to_owned(),
            "nosniff".to_owned(),
        )]),
        enable_aliasing: Some(true),
        allow_raw_access: Some(true),
    })
}

fn set_content(key: String, content: &[u8], chunk: Nat) -> BatchOperationKind {
    BatchOperationKind::SetAssetContent(SetAssetContentArguments {
        key,
        content_encoding: "identity".to_owned(),
        chunk_ids: vec![chunk],
        last_chunk: None,
        sha256: Some(ByteBuf::from(Sha256::digest(content).to_vec())),
    })
}
