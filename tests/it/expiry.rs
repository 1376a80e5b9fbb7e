//! Batches expire five minutes after their last use, when the next one is created.

use crate::scene::{Scene, refused, refused_for};

#[test]
fn a_batch_that_nobody_uses_expires() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    scene.wait(301);
    let next = owner.create_batch().unwrap();
    assert!(next > batch);
    let late = owner.create_chunk(batch, b"late");
    refused_for(late, "batch not found", &batch.to_string());
}

#[test]
fn a_batch_in_use_does_not_expire() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    for _ in 0..3 {
        scene.wait(200);
        owner.create_chunk(batch, b"a").unwrap();
        owner.create_batch().unwrap();
    }
}

/// Numbers in errors are written as Candid writes them.
#[test]
fn large_ids_are_shown_in_groups() {
    let scene = Scene::new();
    let late = scene.owner().create_chunk(1_234_567, b"a");
    refused(late, "batch not found: 1_234_567");
}
