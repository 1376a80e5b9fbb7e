//! What is stored: listing it, reading it.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{
        self, AssetDetails, AssetProperties, CertifiedTree, ChunkOfContent, EncodedAsset,
        GetArguments, GetChunkResponse, ListArguments, StateInfo,
    },
    canister::{self, change, read, refuse},
};
use serde_bytes::ByteBuf;

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

#[query]
fn get(arguments: GetArguments) -> EncodedAsset {
    read(|site| api::get(site, &arguments)).unwrap_or_else(|error| refuse(error))
}

#[query]
fn get_chunk(wanted: ChunkOfContent) -> GetChunkResponse {
    read(|site| api::get_chunk(site, &wanted)).unwrap_or_else(|error| refuse(error))
}

#[query]
fn retrieve(key: String) -> ByteBuf {
    read(|site| api::retrieve(site, &key)).unwrap_or_else(|error| refuse(error))
}

#[query]
fn certified_tree() -> CertifiedTree {
    canister::certified_tree()
}

#[query]
fn get_state_info() -> StateInfo {
    read(api::state_info)
}

#[update]
fn compute_state_hash() -> Option<String> {
    change(|site, _| site.compute_state_hash());
    read(api::state_info).state_hash
}
