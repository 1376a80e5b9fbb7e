//! Listing what is there, and deploying what shall be.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{
        self, AssetDetails, AssetProperties, BatchOperationKind, ClearArguments, Commit,
        ConfigurationResponse, ConfigureArguments, CreateAssetArguments, CreateBatchResponse,
        CreateChunkArguments, CreateChunkResponse, CreateChunksArguments, CreateChunksResponse,
        DeleteAssetArguments, DeleteBatchArguments, ListArguments, SetAssetContentArguments,
        SetAssetPropertiesArguments, UnsetAssetContentArguments, id_of,
    },
    canister::{change, may_commit, may_prepare, read, refuse},
};

#[query]
fn api_version() -> u16 {
    2
}

#[query]
fn list(arguments: ListArguments) -> Vec<AssetDetails> {
    read(|site| api::list(site, &arguments)).unwrap_or_else(|error| refuse(error))
}

#[query]
fn get_asset_properties(key: String) -> AssetProperties {
    read(|site| api::properties_of(site, &key)).unwrap_or_else(|error| refuse(error))
}

#[update(guard = "may_prepare")]
fn create_batch() -> CreateBatchResponse {
    let batch_id = change(|site, now| site.create_batch(now)).into();
    CreateBatchResponse { batch_id }
}

#[update(guard = "may_prepare")]
fn create_chunk(arguments: CreateChunkArguments) -> CreateChunkResponse {
    let batch = id_of(&arguments.batch_id);
    let ids = change(|site, now| site.create_chunks(batch, &[arguments.content], now));
    CreateChunkResponse {
        chunk_id: ids[0].into(),
    }
}

#[update(guard = "may_prepare")]
fn create_chunks(arguments: CreateChunksArguments) -> CreateChunksResponse {
    let batch = id_of(&arguments.batch_id);
    let ids = change(|site, now| site.create_chunks(batch, &arguments.content, now));
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
    change(|site, now| site.commit_batch(commit.batch_id, commit.operations, now));
}

fn commit_argument(argument: Vec<u8>) -> Commit {
    Commit::of_argument(&argument).unwrap_or_else(|error| refuse(error))
}

#[update(guard = "may_commit")]
fn create_asset(arguments: CreateAssetArguments) {
    commit_one(BatchOperationKind::CreateAsset(arguments));
}

#[update(guard = "may_commit")]
fn set_asset_content(arguments: SetAssetContentArguments) {
    commit_one(BatchOperationKind::SetAssetContent(arguments));
}

#[update(guard = "may_commit")]
fn set_asset_properties(arguments: SetAssetPropertiesArguments) {
    commit_one(BatchOperationKind::SetAssetProperties(arguments));
}

#[update(guard = "may_commit")]
fn unset_asset_content(arguments: UnsetAssetContentArguments) {
    commit_one(BatchOperationKind::UnsetAssetContent(arguments));
}

#[update(guard = "may_commit")]
fn delete_asset(arguments: DeleteAssetArguments) {
    commit_one(BatchOperationKind::DeleteAsset(arguments));
}

#[update(guard = "may_commit")]
fn clear() {
    commit_one(BatchOperationKind::Clear(ClearArguments {}));
}

#[update(guard = "may_prepare")]
fn get_configuration() -> ConfigurationResponse {
    read(|site| site.limits()).into()
}

#[update(guard = "may_commit")]
fn configure(arguments: ConfigureArguments) {
    change(|site, _| site.set_limits(arguments.apply_to(site.limits())));
}

fn commit_one(operation: BatchOperationKind) {
    change(|site, now| site.commit_batch(0, [operation.into()], now));
}
