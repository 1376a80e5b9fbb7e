//! What the canister tells about itself and its assets.

use crate::interface::*;
use crate::scene::{Scene, refused_for};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

#[test]
fn the_version_of_the_interface_is_2() {
    let scene = Scene::new();
    let (version,): (u16,) = scene.owner().query("api_version", ()).unwrap();
    assert_eq!(version, 2);
}

#[test]
fn an_asset_is_listed_with_all_there_is_to_it() {
    let scene = Scene::new();
    let fields = headers(&[("X-A", "1"), ("X-B", "2")]);
    let uploaded = scene.now_ns();
    scene.apply([
        CreateAsset {
            max_age: Some(60),
            headers: Some(fields.clone()),
            enable_aliasing: Some(false),
            allow_raw_access: Some(true),
            ..create("/a.txt", "text/plain")
        }
        .into(),
        inline("/a.txt", "identity", b"plain").into(),
        inline("/a.txt", "gzip", b"zip").into(),
        create("/b.txt", "text/plain").into(),
    ]);
    let listed = scene.owner().list_all();
    let [a, b] = &listed[..] else {
        panic!("two assets: {listed:?}");
    };
    assert_eq!(a.key, "/a.txt");
    assert_eq!(a.content_type, "text/plain");
    assert_eq!(a.max_age, Some(60));
    assert_eq!(a.headers.as_ref(), Some(&fields));
    assert_eq!(a.is_aliased, Some(false));
    assert_eq!(a.allow_raw_access, Some(true));
    let names: Vec<_> = a
        .encodings
        .iter()
        .map(|e| e.content_encoding.as_str())
        .collect();
    assert_eq!(names, ["gzip", "identity"]);
    for (encoding, body) in std::iter::zip(&a.encodings, [&b"zip"[..], b"plain"]) {
        let sha256 = ByteBuf::from(Sha256::digest(body).to_vec());
        assert_eq!(encoding.sha256.as_ref(), Some(&sha256));
        assert_eq!(encoding.length, body.len() as u128);
        let modified = u64::try_from(encoding.modified).unwrap();
        assert!(uploaded <= modified && modified <= scene.now_ns());
    }
    assert_eq!(b.key, "/b.txt");
    assert_eq!(
        (b.max_age, b.headers.as_ref(), b.is_aliased),
        (None, None, None)
    );
    assert_eq!(b.encodings, []);
}

#[test]
fn the_list_comes_in_pages_of_100_sorted_by_key() {
    let scene = Scene::new();
    // Not in order, and with keys that other orders than that of bytes confuse.
    let numbers = (0..147).map(|n| (n * 31) % 147);
    let mut keys: Vec<_> = numbers.map(|n| format!("/{n}.txt")).collect();
    keys.extend(["/Z.txt", "/a/b.txt", "/é.txt"].map(str::to_owned));
    scene.apply(keys.iter().map(|key| create(key, "text/plain").into()));
    keys.sort();

    let owner = scene.owner();
    let page = |start, length| -> Vec<_> {
        let assets = owner.list(start, length).unwrap();
        assets.into_iter().map(|asset| asset.key).collect()
    };
    assert_eq!(page(None, None), keys[..100]);
    assert_eq!(page(Some(0), None), keys[..100]);
    assert_eq!(page(Some(100), None), keys[100..]);
    assert_eq!(page(Some(150), None), [""; 0]);
    assert_eq!(page(Some(u128::from(u64::MAX)), None), [""; 0]);
    assert_eq!(page(None, Some(5)), keys[..5]);
    assert_eq!(page(Some(99), Some(2)), keys[99..101]);
    assert_eq!(page(Some(149), Some(2)), keys[149..]);
    assert_eq!(page(None, Some(150)), keys[..100]);
    assert_eq!(page(None, Some(0)), [""; 0]);
}

#[test]
fn a_list_of_nothing_is_empty() {
    let scene = Scene::new();
    assert_eq!(scene.owner().list(None, None).unwrap(), []);
    scene.upload(&[("/a.txt", "text/plain", b"a")]);
    scene.apply([delete("/a.txt")]);
    assert_eq!(scene.owner().list(None, None).unwrap(), []);
}

#[test]
fn properties_are_told_by_exact_key() {
    let scene = Scene::showing(&[("/a.html", "text/html", b"a")]);
    let owner = scene.owner();
    let properties = owner.properties("/a.html").unwrap();
    assert_eq!((properties.max_age, properties.is_aliased), (None, None));
    refused_for(owner.properties("/a"), "asset not found", "/a");
    refused_for(owner.properties(""), "asset not found", "");
}
