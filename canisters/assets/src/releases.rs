//! What was published, by whom and when; and going back.

use ic_cdk::{api::data_certificate, query, update};
use ic_hallmark::{
    api::{
        self, ReleasesArguments, ReleasesResponse, Retention, RollbackArguments, RollbackResponse,
    },
    canister::{change, may_commit, read, refuse},
};

#[query]
fn releases(wanted: ReleasesArguments) -> ReleasesResponse {
    read(|site| api::releases(site, &wanted, data_certificate()))
        .unwrap_or_else(|error| refuse(error))
}

#[update(guard = "may_commit")]
fn rollback(arguments: RollbackArguments) -> RollbackResponse {
    let note = arguments.note.unwrap_or_default();
    let release = change(|site, by| site.rollback(arguments.release, &note, by));
    RollbackResponse { release }
}

#[update(guard = "may_commit")]
fn set_retention(retention: Retention) {
    change(|site, by| site.set_retention(retention.into(), by));
}
