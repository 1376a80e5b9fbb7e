//! The state hash: what clients compute from a directory, to see whether it is what
//! is deployed.

use crate::interface::*;
use crate::scene::Scene;
use sha2::{Digest, Sha256};

fn computed(scene: &Scene) -> String {
    let (hash,): (Option<String>,) = scene.owner().update("compute_state_hash", ()).unwrap();
    hash.expect("small enough for one call")
}

#[derive(candid::CandidType, candid::Deserialize)]
struct StateInfo {
    last_state_update_timestamp: u64,
    state_hash: Option<String>,
}

fn info(scene: &Scene) -> StateInfo {
    let (info,) = scene.owner().query("get_state_info", ()).unwrap();
    info
}

fn known(scene: &Scene) -> Option<String> {
    info(scene).state_hash
}

#[test]
fn a_known_site_has_the_known_hash() {
    let scene = Scene::new();
    assert_eq!(
        computed(&scene),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    scene.apply([
        create("/a.js", "text/javascript").into(),
        inline("/a.js", "identity", b"id").into(),
        inline("/a.js", "gzip", b"gz").into(),
    ]);
    assert_eq!(
        computed(&scene),
        "44999a136b866548eb6c806a6485132e46fdc97325cf22b0dcdb0fc3bf9c1cb1"
    );
}

/// Clients know nothing of the cookie that pages are served with.
#[test]
fn pages_hash_to_what_was_uploaded() {
    let scene = Scene::showing(&[("/a.html", "text/html", b"a")]);
    scene.get("/a.html").answer().header("set-cookie");
    let mut expected = Sha256::new();
    expected.update(b"\x04/a.htmltext/html\x02\x02\x02\x02");
    expected.update(b"\x05/a.htmlidentity\x03");
    expected.update(Sha256::digest(b"a"));
    expected.update(b"a");
    assert_eq!(computed(&scene), hex::encode(expected.finalize()));
}

#[test]
fn a_hash_is_known_until_something_changes() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let owner = scene.owner();
    assert_eq!(known(&scene), None);
    let hash = computed(&scene);
    assert_eq!(known(&scene), Some(hash.clone()));
    scene.upgrade();
    assert_eq!(known(&scene), Some(hash.clone()));

    // By every way of changing it.
    let change = SetAssetProperties {
        max_age: Some(Some(5)),
        ..properties("/a.txt")
    };
    owner
        .update::<()>("set_asset_properties", (change,))
        .unwrap();
    assert_eq!(known(&scene), None);
    let changed = computed(&scene);
    assert_ne!(changed, hash);
    let key = "/a.txt".to_owned();
    owner
        .update::<()>("delete_asset", (DeleteAsset { key },))
        .unwrap();
    assert_eq!(known(&scene), None);
}

#[test]
fn a_hash_goes_on_from_call_to_call() {
    let large: Vec<u8> = (0..1_900_000).map(|at| (at % 251) as u8).collect();
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunk = owner.create_chunk(batch, &large).unwrap();
    // 60 times the same chunk: little to upload, 228 MB to hash.
    let chunks = vec![chunk; 60];
    for key in ["/a.bin", "/b.bin"] {
        let operations = vec![
            create(key, "application/octet-stream").into(),
            content(key, "identity", &chunks).into(),
        ];
        owner.commit(0, operations).unwrap();
    }
    owner.commit(batch, Vec::new()).unwrap();

    let (first,): (Option<String>,) = owner.update("compute_state_hash", ()).unwrap();
    assert_eq!(first, None, "not in one call");
    scene.upgrade();
    let hash = computed(&scene);

    let mut whole = Sha256::new();
    (0..60).for_each(|_| whole.update(&large));
    let sha256 = whole.finalize();
    let mut expected = Sha256::new();
    for key in ["/a.bin", "/b.bin"] {
        expected.update([4]);
        expected.update(key);
        expected.update("application/octet-stream");
        expected.update([2, 2, 2, 2, 5]);
        expected.update(key);
        expected.update(b"identity\x03");
        expected.update(sha256);
        (0..60).for_each(|_| expected.update(&large));
    }
    assert_eq!(hash, hex::encode(expected.finalize()));
}

#[test]
fn the_time_of_the_last_change_is_told() {
    let scene = Scene::new();
    let time = || info(&scene).last_state_update_timestamp;
    let start = time();
    scene.wait(10);
    scene.apply([create("/a.txt", "text/plain").into()]);
    let after_commit = time();
    assert!(after_commit > start);
    scene.wait(10);
    let store = Store::new("/b.txt", "text/plain", b"b");
    scene.owner().update::<()>("store", (store,)).unwrap();
    let after_store = time();
    assert!(after_store > after_commit);
    scene.upgrade();
    assert_eq!(time(), after_store);
}
