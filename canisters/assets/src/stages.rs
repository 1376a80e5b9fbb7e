//! Staged releases: the next site beside the live one, and then in its place.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{
        self, CreateStageArguments, Fill, PublishStageArguments, ReleaseNumber, SealStageResponse,
        Stage, StageNumber, ValidationResult,
    },
    canister::{self, change, may_commit, may_prepare, read, refuse},
};
use serde_bytes::ByteBuf;

#[update(guard = "may_prepare")]
fn create_stage(arguments: CreateStageArguments) -> StageNumber {
    let stage = change(|site, by| site.create_stage(arguments.lifetime(), by));
    StageNumber { stage }
}

#[update(guard = "may_prepare", decode_with = "fill", hidden = true)]
fn fill_stage(fill: Fill) {
    change(|site, by| site.fill_stage(fill.stage, fill.operations, by));
}

#[update(guard = "may_prepare")]
fn seal_stage(arguments: StageNumber) -> SealStageResponse {
    canister::seal_stage(arguments.stage).into()
}

#[update(guard = "may_prepare")]
fn rebase_stage(arguments: StageNumber) {
    change(|site, by| site.rebase_stage(arguments.stage, by));
}

#[update(guard = "may_prepare")]
fn discard_stage(arguments: StageNumber) {
    change(|site, by| site.discard_stage(arguments.stage, by));
}

#[update(guard = "may_commit")]
fn publish_stage(arguments: PublishStageArguments) -> ReleaseNumber {
    let note = arguments.note.as_deref().unwrap_or_default();
    let release = canister::publish_stage(arguments.stage, &arguments.expected(), note);
    ReleaseNumber { release }
}

#[update]
fn validate_publish_stage(arguments: PublishStageArguments) -> ValidationResult {
    read(|site| arguments.validate(site))
}

#[query]
fn stages() -> Vec<Stage> {
    read(api::stages).unwrap_or_else(|error| refuse(error))
}

#[query]
fn held(hashes: Vec<ByteBuf>) -> Vec<bool> {
    let all =
        |hashes: Vec<ByteBuf>| read(|site| hashes.iter().map(|hash| site.holds(hash)).collect());
    let held: Result<_, ic_hallmark::Error> = all(hashes);
    held.unwrap_or_else(|error| refuse(error))
}

fn fill(argument: Vec<u8>) -> Fill {
    Fill::of_argument(&argument).unwrap_or_else(|error| refuse(error))
}
