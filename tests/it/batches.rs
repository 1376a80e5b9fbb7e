//! Uploads and commits: what they accept, in which words they refuse, and that
//! what is refused changes nothing.

use crate::interface::*;
use crate::scene::{Scene, refused_for};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

fn sha256(content: &[u8]) -> Option<ByteBuf> {
    Some(ByteBuf::from(Sha256::digest(content).to_vec()))
}

/// Commits operations that must be refused in these words for this thing, and
/// change nothing, not even by what precedes the fault.
#[track_caller]
fn refuses(scene: &Scene, operations: Vec<Operation>, words: &str, thing: &str) {
    let before = scene.state();
    refused_for(scene.owner().commit(0, operations), words, thing);
    assert_eq!(scene.state(), before);
}

#[test]
fn a_batch_brings_assets() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let one = owner.create_chunk(batch, b"one").unwrap();
    let [two, three] = owner.create_chunks(batch, &[b"two", b"three"]).unwrap()[..] else {
        panic!("two chunks, two ids");
    };
    let operations = vec![
        create("/a.txt", "text/plain").into(),
        content("/a.txt", "identity", &[three, one]).into(),
        create("/b.txt", "text/plain").into(),
        SetAssetContent {
            last_chunk: Some(ByteBuf::from("last")),
            ..content("/b.txt", "identity", &[two])
        }
        .into(),
    ];
    owner.commit(batch, operations).unwrap();
    assert_eq!(scene.get("/a.txt").whole_body(), b"threeone");
    assert_eq!(scene.get("/b.txt").whole_body(), b"twolast");
    let late = owner.create_chunk(batch, b"late");
    refused_for(late, "batch not found", &batch.to_string());
}

#[test]
fn batches_and_chunks_that_are_not_there() {
    let scene = Scene::new();
    let owner = scene.owner();
    refused_for(owner.create_chunk(99, b"a"), "batch not found", "99");
    refused_for(
        owner.create_chunks(99, &[b"a", b"b"]),
        "batch not found",
        "99",
    );
    let batch = owner.create_batch().unwrap();
    owner.create_chunk(batch, b"a").unwrap();
    let operations = vec![
        create("/a.txt", "text/plain").into(),
        content("/a.txt", "identity", &[99]).into(),
    ];
    refused_for(owner.commit(batch, operations), "chunk not found", "99");
}

#[test]
fn a_batch_can_be_deleted_once() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch_id = owner.create_batch().unwrap();
    owner.delete_batch(batch_id).unwrap();
    let gone = batch_id.to_string();
    refused_for(owner.create_chunk(batch_id, b"a"), "batch not found", &gone);
    let again = owner.delete_batch(batch_id);
    refused_for(again, "batch not found", &gone);
}

#[test]
fn a_commit_that_fails_half_way_changes_nothing() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a.txt", "text/plain", b"a"),
    ]);
    let words = "asset not found";
    let operations = vec![
        create("/abc.txt", "text/plain").into(),
        inline("/abc.txt", "identity", b"abc").into(),
        delete("/a.txt"),
        inline("/index.html", "identity", b"changed").into(),
        inline("/abd.txt", "identity", b"abd").into(),
    ];
    refuses(&scene, operations, words, "/abd.txt");
    let operations = vec![Operation::Clear(Empty {}), properties("/a.txt").into()];
    refuses(&scene, operations, words, "/a.txt");
    scene.get("/").answer().shows(200, "index");
    scene.get("/a.txt").answer().shows(200, "a");
}

#[test]
fn chunks_outlive_a_commit_that_fails() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunk = owner.create_chunk(batch, b"a").unwrap();
    let good = || {
        vec![
            create("/a.txt", "text/plain").into(),
            content("/a.txt", "identity", &[chunk]).into(),
        ]
    };
    let mut bad = good();
    bad.push(content("/b.txt", "identity", &[chunk]).into());
    refused_for(owner.commit(batch, bad), "asset not found", "/b.txt");
    owner.commit(batch, good()).unwrap();
    scene.get("/a.txt").answer().shows(200, "a");
}

#[test]
fn operations_on_assets_that_are_or_are_not_there() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    for operation in [
        inline("/b", "identity", b"b").into(),
        properties("/b").into(),
        unset("/b", "gzip"),
    ] {
        refuses(&scene, vec![operation], "asset not found", "/b");
    }
    let again = vec![create("/a.txt", "text/plain").into()];
    refuses(&scene, again, "asset already exists", "/a.txt");

    // What is already gone need not be there to be removed.
    let before = scene.owner().list_all();
    scene.apply([delete("/b"), unset("/a.txt", "gzip")]);
    assert_eq!(scene.owner().list_all(), before);
}

#[test]
fn content_must_be_something() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    refuses(
        &scene,
        vec![content("/a.txt", "identity", &[]).into()],
        "encoding must have at least one chunk or contain last_chunk",
        "/a.txt",
    );
    scene.apply([inline("/a.txt", "identity", b"").into()]);
    scene.get("/a.txt").answer().shows(200, "");
}

#[test]
fn a_hash_that_is_given_is_compared() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let with_hash = |sha256| SetAssetContent {
        sha256,
        ..inline("/a.txt", "identity", b"new")
    };
    let wrong = vec![with_hash(sha256(b"other")).into()];
    refuses(&scene, wrong, "sha256 mismatch", "/a.txt");
    let short = vec![with_hash(Some(ByteBuf::from([1, 2]))).into()];
    refuses(&scene, short, "invalid SHA-256", "/a.txt");
    scene.get("/a.txt").answer().shows(200, "a");

    scene.apply([with_hash(sha256(b"new")).into()]);
    scene.get("/a.txt").answer().shows(200, "new");
}

#[test]
fn a_hash_is_of_all_chunks_together() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunks = owner.create_chunks(batch, &[b"one, ", b"two, "]).unwrap();
    let whole = SetAssetContent {
        last_chunk: Some(ByteBuf::from("three")),
        sha256: sha256(b"one, two, three"),
        ..content("/a.txt", "identity", &chunks)
    };
    let operations = vec![create("/a.txt", "text/plain").into(), whole.into()];
    owner.commit(batch, operations).unwrap();
    assert_eq!(scene.get("/a.txt").whole_body(), b"one, two, three");
    let listed = owner.list_all()[0].encodings[0].sha256.clone();
    assert_eq!(listed, sha256(b"one, two, three"));
}

#[test]
fn a_header_that_no_answer_can_carry_is_refused_by_name() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let before = scene.state();
    for (name, value) in [
        ("X-Bad", "a\r\nSet-Cookie: b"),
        ("X-Bad", "a\nb"),
        ("X-Bad", "a\0b"),
        ("X Bad", "a"),
        ("X-Bad:", "a"),
        ("IC-Certificate", "a"),
        ("ic-certificateexpression", "a"),
        ("Content-Length", "1"),
        ("transfer-encoding", "chunked"),
    ] {
        let created = CreateAsset {
            headers: Some(headers(&[("X-Good", "a"), (name, value)])),
            ..create("/b.txt", "text/plain")
        };
        let operations = vec![created.into(), inline("/b.txt", "identity", b"b").into()];
        refused_for(
            scene.owner().commit(0, operations),
            "invalid header of /b.txt",
            name,
        );

        let changed = SetAssetProperties {
            headers: Some(Some(headers(&[(name, value)]))),
            ..properties("/a.txt")
        };
        let operations = vec![changed.into()];
        refused_for(
            scene.owner().commit(0, operations),
            "invalid header of /a.txt",
            name,
        );
        assert_eq!(scene.state(), before);
    }
}

#[test]
fn a_content_type_that_no_answer_can_carry_is_refused() {
    let scene = Scene::new();
    let before = scene.state();
    let operations = vec![
        create("/a.txt", "text/plain\r\nX-Bad: a").into(),
        inline("/a.txt", "identity", b"a").into(),
    ];
    let words = "invalid header of /a.txt";
    refused_for(scene.owner().commit(0, operations), words, "content-type");
    assert_eq!(scene.state(), before);
}

#[test]
fn an_asset_that_has_too_much_of_something_is_refused() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let long = "a".repeat(100_000);
    let changed = SetAssetProperties {
        headers: Some(Some(headers(&[("X-Long", &long)]))),
        ..properties("/a.txt")
    };
    let words = "asset /a.txt has more than";
    refuses(&scene, vec![changed.into()], words, "bytes of headers");

    let encoding = |number| inline("/a.txt", &format!("own-{number}"), b"a").into();
    let operations = (0..100).map(encoding).collect();
    refuses(&scene, operations, words, "encodings");
}

#[test]
fn a_key_that_a_verifier_would_misread_is_refused() {
    let scene = Scene::new();
    for key in ["/<*>", "/a/<$>", "/<*>/b"] {
        let operations = vec![
            create(key, "text/plain").into(),
            inline(key, "identity", b"a").into(),
        ];
        refuses(&scene, operations, "invalid key", key);
    }
}

#[test]
fn a_key_that_is_too_long_is_refused() {
    let scene = Scene::new();
    let before = scene.state();
    let key = format!("/{}", "a".repeat(100_000));
    let operations = vec![
        create(&key, "text/plain").into(),
        inline(&key, "identity", b"a").into(),
    ];
    let refusal = scene.owner().commit(0, operations).unwrap_err();
    let said = refusal.words();
    assert!(said.starts_with("invalid key \"/aaaa"), "{said}");
    assert!(said.contains("100001 bytes") && said.len() < 1000, "{said}");
    assert_eq!(scene.state(), before);
}

#[test]
fn single_operations_have_methods_of_their_own() {
    let scene = Scene::new();
    let owner = scene.owner();
    owner
        .update::<()>("create_asset", (create("/a.txt", "text/plain"),))
        .unwrap();
    let again = owner.update::<()>("create_asset", (create("/a.txt", "text/plain"),));
    refused_for(again, "asset already exists", "/a.txt");
    let put = |body| owner.update::<()>("set_asset_content", (inline("/a.txt", "identity", body),));
    put(b"a").unwrap();
    scene.get("/a.txt").answer().shows(200, "a");
    put(b"b").unwrap();
    scene.get("/a.txt").answer().shows(200, "b");

    let key = "/a.txt".to_owned();
    owner
        .update::<()>("delete_asset", (DeleteAsset { key },))
        .unwrap();
    assert_eq!(scene.get("/a.txt").answer().status(), 404);
}
