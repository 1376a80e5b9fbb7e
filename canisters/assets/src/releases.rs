//! What was published, by whom and when; and going back.

use ic_cdk::{api::data_certificate, query, update};
use ic_hallmark::{
    api::{
        self, ReleaseNumber, ReleasesArguments, ReleasesResponse, Retention, RollbackArguments,
        ValidationResult,
    },
    canister::{change, may_commit, read, refuse},
};

#[query]
fn releases(wanted: ReleasesArguments) -> ReleasesResponse {
    read(|site| api::releases(site, &wanted, data_certificate()))
        .unwrap_or_else(|error| refuse(error))
}

#[update(guard = "may_commit")]
fn rollback(arguments: RollbackArguments) -> ReleaseNumber {
    let note = arguments.note.unwrap_or_default();
    let release = change(|site, by| site.rollback(arguments.release, &note, by));
    ReleaseNumber { release }
}

#[update]
fn validate_rollback(arguments: RollbackArguments) -> ValidationResult {
    read(|site| arguments.validate(site))
}

#[update(guard = "may_commit")]
fn set_retention(retention: Retention) {
    change(|site, by| site.set_retention(retention.after(site.retention()), by));
}

#[update]
fn validate_set_retention(retention: Retention) -> ValidationResult {
    read(|site| retention.validate(site))
}
