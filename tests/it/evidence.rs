//! Evidence is what `ic-asset` computes, and covers everything that a commit would
//! do.

use crate::interface::*;
use crate::scene::{Scene, refused, refused_for};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

/// The evidence of operations over a batch with these chunks.
fn evidence(scene: &Scene, chunks: &[&[u8]], operations: fn(&[u128]) -> Vec<Operation>) -> String {
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunks = owner.create_chunks(batch, chunks).unwrap();
    owner.propose(batch, operations(&chunks)).unwrap();
    let evidence = owner.compute_evidence(batch, None).unwrap().unwrap();
    owner.delete_batch(batch).unwrap();
    hex::encode(evidence)
}

const PAGE: &[u8] = b"<!DOCTYPE html><html></html>";

#[test]
fn a_known_batch_has_the_known_evidence() {
    let operations = |chunks: &[u128]| {
        vec![
            delete("/old"),
            CreateAsset {
                max_age: Some(600),
                headers: Some(headers(&[("x-a", "1"), ("X-B", "2")])),
                allow_raw_access: Some(true),
                enable_aliasing: Some(false),
                ..create("/a.html", "text/html")
            }
            .into(),
            unset("/b", "gzip"),
            SetAssetContent {
                sha256: Some(ByteBuf::from(Sha256::digest(PAGE).to_vec())),
                ..content("/a.html", "identity", chunks)
            }
            .into(),
            SetAssetProperties {
                max_age: Some(None),
                headers: Some(None),
                is_aliased: Some(Some(true)),
                ..properties("/b")
            }
            .into(),
        ]
    };
    assert_eq!(
        evidence(&Scene::new(), &[PAGE], operations),
        "081e0d9c612b8cf9af34f7d8fe0cc7bb2f81d639ef0661557c73900bff144eca"
    );
}

#[test]
fn a_last_chunk_beside_others_is_covered() {
    let scene = Scene::new();
    let with = |operations| evidence(&scene, &[b"chunk"], operations);
    let good = with(|chunks| vec![last(chunks, b"good")]);
    let evil = with(|chunks| vec![last(chunks, b"evil")]);
    let none = with(|chunks| vec![content("/a", "identity", chunks).into()]);
    assert!(good != evil && good != none);
    // Where only one of both is used, as by `ic-asset`, it is only the bytes that count.
    let alone = with(|_| vec![inline("/a", "identity", b"chunk").into()]);
    assert_eq!(alone, none);
}

fn last(chunks: &[u128], end: &[u8]) -> Operation {
    SetAssetContent {
        last_chunk: Some(ByteBuf::from(end)),
        ..content("/a", "identity", chunks)
    }
    .into()
}

/// A client that asks again as long as there is no evidence comes to an end.
#[test]
fn what_cannot_be_computed_is_refused() {
    let scene = Scene::new();
    let owner = scene.owner();
    refused_for(owner.compute_evidence(99, None), "batch not found", "99");
    let batch = owner.create_batch().unwrap();
    refused(
        owner.compute_evidence(batch, None),
        "batch does not have CommitBatchArguments",
    );
    let set = content("/a", "identity", &[99]);
    owner.propose(batch, vec![set.into()]).unwrap();
    refused_for(owner.compute_evidence(batch, None), "chunk not found", "99");
}

#[test]
fn no_number_of_iterations_is_without_an_end() {
    let scene = Scene::new();
    let owner = scene.owner();
    for iterations in [Some(0), Some(1), Some(2), Some(97), None] {
        let batch = owner.create_batch().unwrap();
        let operations = (0..6).map(|number| delete(&format!("/{number}")));
        owner.propose(batch, operations.collect()).unwrap();
        let calls = (1..=6).find(|_| {
            let evidence = owner.compute_evidence(batch, iterations).unwrap();
            evidence.is_some()
        });
        let each = iterations.map_or(6, |iterations| iterations.clamp(1, 6));
        assert_eq!(calls, Some(6 / each), "{iterations:?}");
        owner.delete_batch(batch).unwrap();
    }
}
