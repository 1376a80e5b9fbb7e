//! Deploys by proposal: someone prepares, others look at the evidence, someone else
//! commits exactly that.

use crate::interface::*;
use crate::scene::{Caller, Scene, person, refused, refused_for};

const NO_OPERATIONS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A site, and someone who may prepare.
fn scene() -> Scene {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"old"),
        ("/gone.txt", "text/plain", b"gone"),
    ]);
    scene.owner().grant(person(2), Permission::Prepare).unwrap();
    scene
}

fn validate(caller: Caller<'_>, batch: u128, evidence: &[u8]) -> Validation {
    let proposed = Proposed::new(batch, evidence);
    let (validation,) = caller
        .update("validate_commit_proposed_batch", (proposed,))
        .unwrap();
    validation
}

/// Expects a batch to be refused in these words, by the method and by its preview.
#[track_caller]
fn cannot_be_committed(scene: &Scene, batch: u128, evidence: &[u8], words: &str) {
    refused(scene.owner().commit_proposed(batch, evidence), words);
    let said = Validation::Err(words.to_owned());
    assert_eq!(validate(scene.owner(), batch, evidence), said);
}

#[test]
fn a_proposal_is_prepared_by_one_and_committed_by_another() {
    let scene = scene();
    let before = scene.state();
    let preparer = scene.caller(person(2));
    let batch = preparer.create_batch().unwrap();
    let chunk = preparer.create_chunk(batch, b"new").unwrap();
    let operations = vec![
        delete("/gone.txt"),
        create("/page.txt", "text/plain").into(),
        content("/page.txt", "identity", &[chunk]).into(),
        unset("/index.html", "gzip"),
        SetAssetProperties {
            max_age: Some(Some(60)),
            ..properties("/index.html")
        }
        .into(),
    ];
    preparer.propose(batch, operations).unwrap();
    let evidence = preparer.compute_evidence(batch, Some(97)).unwrap().unwrap();
    assert_eq!(scene.state(), before);
    let words = format!(
        "commit proposed batch {batch} with evidence {}",
        hex::encode(&evidence)
    );
    assert_eq!(validate(preparer, batch, &evidence), Validation::Ok(words));
    refused(
        preparer.commit_proposed(batch, &evidence),
        "Caller does not have Commit permission",
    );

    scene.owner().commit_proposed(batch, &evidence).unwrap();
    scene.get("/page.txt").answer().shows(200, "new");
    scene.get("/gone.txt").answer().shows(200, "old");
    scene
        .get("/")
        .answer()
        .shows(200, "old")
        .with("cache-control", "max-age=60");
    cannot_be_committed(
        &scene,
        batch,
        &evidence,
        &format!("batch not found: {batch}"),
    );
}

#[test]
fn a_batch_is_proposed_once() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.propose(batch, Vec::new()).unwrap();
    refused(
        owner.propose(batch, Vec::new()),
        &format!("batch {batch} already has proposed CommitBatchArguments"),
    );
    refused_for(owner.propose(99, Vec::new()), "batch not found", "99");
}

#[test]
fn a_proposed_batch_takes_no_more_chunks() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.propose(batch, Vec::new()).unwrap();
    let words = format!("batch {batch} has been proposed");
    refused(owner.create_chunk(batch, b"a"), &words);
    refused(owner.create_chunks(batch, &[b"a"]), &words);
}

#[test]
fn only_what_was_computed_can_be_committed() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    cannot_be_committed(
        &scene,
        batch,
        b"",
        "batch does not have CommitBatchArguments",
    );
    owner.propose(batch, Vec::new()).unwrap();
    cannot_be_committed(&scene, batch, b"", "batch does not have computed evidence");
    let evidence = owner.compute_evidence(batch, None).unwrap().unwrap();
    assert_eq!(hex::encode(&evidence), NO_OPERATIONS);
    cannot_be_committed(
        &scene,
        batch,
        &[1, 2],
        &format!(
            "batch {batch} computed evidence {NO_OPERATIONS} does not match presented evidence 0102"
        ),
    );
    owner.commit_proposed(batch, &evidence).unwrap();
}

#[test]
fn one_proposal_is_made_at_a_time() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.propose(batch, Vec::new()).unwrap();
    scene.wait(299);
    refused(
        owner.create_batch(),
        &format!(
            "Batch {batch} has not completed evidence computation.  \
             Wait for it to expire or delete it to propose another."
        ),
    );
    owner.compute_evidence(batch, None).unwrap().unwrap();
    // It waits for a vote, however long that takes.
    scene.wait(1_000_000);
    refused(
        owner.create_batch(),
        &format!("Batch {batch} is already proposed.  Delete or execute it to propose another."),
    );
    owner.delete_batch(batch).unwrap();
    refused_for(
        owner.delete_batch(batch),
        "batch not found",
        &batch.to_string(),
    );
    owner.create_batch().unwrap();
}

#[test]
fn a_proposal_without_evidence_expires() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.propose(batch, Vec::new()).unwrap();
    scene.wait(301);
    owner.create_batch().unwrap();
    let late = owner.compute_evidence(batch, None);
    refused_for(late, "batch not found", &batch.to_string());
}

#[test]
fn proposals_and_half_their_evidence_outlive_upgrades() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunks = owner.create_chunks(batch, &[b"a", b"b", b"c"]).unwrap();
    let operations = || {
        vec![
            create("/a.txt", "text/plain").into(),
            content("/a.txt", "identity", &chunks).into(),
        ]
    };
    owner.propose(batch, operations()).unwrap();
    let mut calls = 0;
    let evidence = loop {
        scene.upgrade();
        calls += 1;
        if let Some(evidence) = owner.compute_evidence(batch, Some(1)).unwrap() {
            break evidence;
        }
    };
    assert_eq!(calls, 4, "one for the asset, one for each chunk");
    scene.upgrade();
    owner.commit_proposed(batch, &evidence).unwrap();
    assert_eq!(scene.get("/a.txt").whole_body(), b"abc");
}

/// What cannot be carried out is refused, and stays.
#[test]
fn a_proposal_that_cannot_be_carried_out_changes_nothing() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let operations = vec![
        create("/a.txt", "text/plain").into(),
        inline("/missing.txt", "identity", b"a").into(),
    ];
    owner.propose(batch, operations).unwrap();
    let evidence = owner.compute_evidence(batch, None).unwrap().unwrap();
    let before = scene.state();
    for _ in 0..2 {
        refused_for(
            owner.commit_proposed(batch, &evidence),
            "asset not found",
            "/missing.txt",
        );
        assert_eq!(scene.state(), before);
    }
}

/// Evidence says nothing about what was staged before, so the two do not mix.
#[test]
fn staged_changes_are_not_smuggled_into_a_proposal() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.commit(0, vec![delete("/gone.txt")]).unwrap();
    refused(
        owner.propose(batch, Vec::new()),
        &format!("batch {batch} has staged changes, which no evidence would cover"),
    );
    owner.delete_batch(batch).unwrap();

    let batch = owner.create_batch().unwrap();
    owner.propose(batch, Vec::new()).unwrap();
    owner.commit(0, vec![delete("/gone.txt")]).unwrap();
    scene.get("/gone.txt").answer().shows(200, "old");
}
