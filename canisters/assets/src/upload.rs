//! Deploys: chunks in batches, then operations, all of them or none.

use ic_cdk::update;
use ic_hallmark::{
    api::{
        Commit, CreateBatchResponse, CreateChunkArguments, CreateChunkResponse,
        CreateChunksArguments, CreateChunksResponse, DeleteBatchArguments, id_of,
    },
    canister::{self, change, may_commit, may_prepare},
};

#[update(guard = "may_prepare")]
fn create_batch() -> CreateBatchResponse {
    let batch_id = change(|site, by| site.create_batch(by.principal, by.now)).into();
    CreateBatchResponse { batch_id }
}

#[update(guard = "may_prepare")]
fn create_chunk(arguments: CreateChunkArguments) -> CreateChunkResponse {
    let batch = id_of(&arguments.batch_id);
    let ids = change(|site, by| site.create_chunks(batch, &[arguments.content], by.now));
    CreateChunkResponse {
        chunk_id: ids[0].into(),
    }
}

#[update(guard = "may_prepare")]
fn create_chunks(arguments: CreateChunksArguments) -> CreateChunksResponse {
    let batch = id_of(&arguments.batch_id);
    let ids = change(|site, by| site.create_chunks(batch, &arguments.content, by.now));
    CreateChunksResponse {
        chunk_ids: ids.into_iter().map(Into::into).collect(),
    }
}

#[update(guard = "may_prepare")]
fn delete_batch(arguments: DeleteBatchArguments) {
    change(|site, _| site.delete_batch(id_of(&arguments.batch_id)));
}

#[update(guard = "may_commit", decode_with = "commit_argument", hidden = true)]
fn commit_batch(commit: Commit) {
    canister::commit_batch(commit.batch_id, commit.operations);
}

/// The argument of `commit_batch` and `propose_commit_batch`.
pub(crate) fn commit_argument(argument: Vec<u8>) -> Commit {
    Commit::of_argument(&argument).unwrap_or_else(|error| canister::refuse(error))
}
