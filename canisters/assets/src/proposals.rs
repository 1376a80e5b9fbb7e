//! Deploys by proposal: prepared by one principal, carried out by another.

use crate::upload::commit_argument;
use ic_cdk::update;
use ic_hallmark::{
    api::{
        Commit, CommitProposedBatchArguments, ComputeEvidenceArguments, ValidationResult, id_of,
    },
    canister::{change, may_commit, may_prepare, read, tell_environment},
};
use serde_bytes::ByteBuf;

#[update(guard = "may_prepare", decode_with = "commit_argument", hidden = true)]
fn propose_commit_batch(commit: Commit) {
    change(|site, by| site.propose_batch(commit.batch_id, &commit.operations, by.now));
}

#[update(guard = "may_prepare")]
fn compute_evidence(arguments: ComputeEvidenceArguments) -> Option<ByteBuf> {
    let batch = id_of(&arguments.batch_id);
    let iterations = arguments.max_iterations;
    change(|site, by| site.compute_evidence(batch, iterations, by.now)).map(ByteBuf::from)
}

#[update(guard = "may_commit")]
fn commit_proposed_batch(arguments: CommitProposedBatchArguments) {
    let batch = id_of(&arguments.batch_id);
    change(|site, by| site.commit_proposed_batch(batch, &arguments.evidence, by));
    tell_environment();
}

#[update]
fn validate_commit_proposed_batch(arguments: CommitProposedBatchArguments) -> ValidationResult {
    read(|site| arguments.validate(site))
}
