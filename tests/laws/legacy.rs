//! The errors of the asset canister of dfx come in its order.

use crate::world::{ALICE, NOW, World};
use ic_hallmark::{
    api::{BatchOperationKind, CreateAssetArguments, SetAssetContentArguments},
    upload::Limits,
};

fn create(key: &str) -> BatchOperationKind {
    BatchOperationKind::CreateAsset(CreateAssetArguments {
        key: key.to_owned(),
        content_type: "text/plain".to_owned(),
        max_age: None,
        headers: None,
        enable_aliasing: None,
        allow_raw_access: None,
    })
}

fn set(key: &str, chunk: u64) -> BatchOperationKind {
    BatchOperationKind::SetAssetContent(SetAssetContentArguments {
        key: key.to_owned(),
        content_encoding: "identity".to_owned(),
        chunk_ids: vec![chunk.into()],
        last_chunk: None,
        sha256: None,
    })
}

fn refusal(operations: Vec<BatchOperationKind>) -> String {
    let mut world = World::with(&[("/a", "text/plain", b"a")]);
    let operations = operations.into_iter().map(Into::into);
    world
        .site
        .commit_batch(0, ALICE, operations, NOW)
        .unwrap_err()
        .to_string()
}

#[test]
fn the_first_operation_that_fails_is_the_one_that_is_named() {
    let refused = refusal(vec![create("/a"), set("/a", 999)]);
    assert!(refused.starts_with("asset already exists"), "{refused}");
}

#[test]
fn a_missing_asset_comes_before_a_missing_chunk() {
    let refused = refusal(vec![set("/missing", 999)]);
    assert!(refused.starts_with("asset not found"), "{refused}");
}

/// The bytes that come with a commit count, like those that wait for it.
#[test]
fn a_last_chunk_is_held_to_the_limits() {
    let mut world = World::new();
    let limits = Limits {
        max_bytes: Some(3),
        ..Limits::default()
    };
    world.site.set_limits(limits, NOW).unwrap();
    let BatchOperationKind::SetAssetContent(mut set) = set("/a", 0) else {
        unreachable!()
    };
    set.chunk_ids.clear();
    set.last_chunk = Some(b"four".to_vec().into());
    let operations = [create("/a"), BatchOperationKind::SetAssetContent(set)].map(Into::into);
    let refused = world
        .site
        .commit_batch(0, ALICE, operations, NOW)
        .map_err(|e| e.to_string());
    assert!(refused.is_err_and(|text| text.starts_with("byte limit exceeded")));
}
