//! `store`: one asset in one call.

use crate::interface::*;
use crate::scene::{Caller, Refusal, Scene, refused_for};
use serde_bytes::ByteBuf;

fn store(caller: Caller<'_>, store: Store) -> Result<(), Refusal> {
    caller.update("store", (store,))
}

#[test]
fn a_file_is_stored_and_served() {
    let scene = Scene::new();
    store(scene.owner(), Store::new("/a.txt", "text/plain", b"a")).unwrap();
    scene
        .get("/a.txt")
        .answer()
        .shows(200, "a")
        .with("content-type", "text/plain");
}

/// Keys were once anything.
#[test]
fn a_key_that_no_url_names_can_be_retrieved() {
    let scene = Scene::new();
    let owner = scene.owner();
    store(owner, Store::new("AA", "text/plain", b"hello, world!")).unwrap();
    let (content,): (ByteBuf,) = owner.query("retrieve", ("AA",)).unwrap();
    assert_eq!(content, b"hello, world!");
}

#[test]
fn storing_again_keeps_other_encodings_and_headers() {
    let scene = Scene::new();
    let owner = scene.owner();
    scene.apply([
        CreateAsset {
            headers: Some(headers(&[("X-A", "1")])),
            enable_aliasing: Some(false),
            ..create("/a.html", "text/plain")
        }
        .into(),
        inline("/a.html", "identity", b"old").into(),
        inline("/a.html", "gzip", b"zipped").into(),
    ]);
    store(owner, Store::new("/a.html", "text/html", b"new")).unwrap();
    scene
        .get("/a.html")
        .answer()
        .shows(200, "new")
        .with("content-type", "text/html")
        .with("x-a", "1");
    let zipped = scene.get("/a.html").with_header("Accept-Encoding", "gzip");
    zipped.answer().shows(200, "zipped");
    // Aliases are back, because nothing was said about them.
    assert_eq!(owner.properties("/a.html").unwrap().is_aliased, None);
    scene.get("/a").answer().shows(200, "new");
    let unaliased = Store {
        aliased: Some(false),
        ..Store::new("/a.html", "text/html", b"new")
    };
    store(owner, unaliased).unwrap();
    assert_eq!(scene.get("/a").answer().status(), 404);
}

#[test]
fn a_wrong_hash_is_refused() {
    let scene = Scene::new();
    let before = scene.state();
    let wrong = Store {
        sha256: Some(ByteBuf::from([0; 32])),
        ..Store::new("/a.txt", "text/plain", b"a")
    };
    refused_for(store(scene.owner(), wrong), "sha256 mismatch", "/a.txt");
    assert_eq!(scene.state(), before);
}
