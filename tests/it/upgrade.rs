//! An upgrade changes nothing.

use crate::interface::*;
use crate::scene::{Scene, person};

#[test]
fn a_site_outlives_upgrades() {
    let scene = Scene::new();
    scene.apply([
        CreateAsset {
            max_age: Some(60),
            headers: Some(headers(&[("X-A", "1")])),
            ..create("/index.html", "text/html")
        }
        .into(),
        inline("/index.html", "identity", b"plain").into(),
        inline("/index.html", "gzip", b"zipped").into(),
        create("/a/b.txt", "text/plain").into(),
        inline("/a/b.txt", "identity", b"b").into(),
    ]);
    let before = scene.state();
    for _ in 0..2 {
        scene.upgrade();
        assert_eq!(scene.state(), before);
    }
    scene.get("/").answer().shows(200, "plain").with("x-a", "1");
    let zipped = scene.get("/").with_header("Accept-Encoding", "gzip");
    zipped.answer().shows(200, "zipped");
    scene.get("/a/b.txt").answer().shows(200, "b");
    scene.get("/elsewhere").answer().shows(200, "plain");
}

#[test]
fn a_site_without_any_file_outlives_upgrades() {
    let scene = Scene::new();
    let before = scene.state();
    scene.upgrade();
    assert_eq!(scene.state(), before);
    assert_eq!(scene.get("/a").answer().status(), 404);
}

#[test]
fn an_upload_goes_on_after_an_upgrade() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let first = owner.create_chunk(batch, b"before, ").unwrap();
    scene.upgrade();
    // Not quite the five minutes that a batch waits.
    scene.wait(299);
    let second = owner.create_chunk(batch, b"after").unwrap();
    assert_ne!(first, second);
    owner
        .commit(
            batch,
            vec![
                create("/a.txt", "text/plain").into(),
                content("/a.txt", "identity", &[first, second]).into(),
            ],
        )
        .unwrap();
    assert_eq!(scene.get("/a.txt").whole_body(), b"before, after");
}

#[test]
fn batch_ids_are_not_given_twice() {
    let scene = Scene::new();
    let owner = scene.owner();
    let before = [(); 2].map(|()| owner.create_batch().unwrap());
    scene.upgrade();
    let after = owner.create_batch().unwrap();
    assert!(before[0] < before[1] && before[1] < after);
}

#[test]
fn permissions_outlive_upgrades() {
    let scene = Scene::new();
    scene.owner().grant(person(7), Permission::Prepare).unwrap();
    scene.upgrade();
    assert_eq!(scene.owner().permitted(Permission::Prepare), [person(7)]);
    scene.caller(person(7)).create_batch().unwrap();
    scene.owner().create_batch().unwrap();
}

#[test]
fn the_site_can_be_changed_after_an_upgrade() {
    let scene = Scene::showing(&[
        ("/a.txt", "text/plain", b"a"),
        ("/b.txt", "text/plain", b"b"),
    ]);
    scene.upgrade();
    scene.apply([
        delete("/a.txt"),
        inline("/b.txt", "identity", b"new").into(),
    ]);
    assert_eq!(scene.get("/a.txt").answer().status(), 404);
    scene.get("/b.txt").answer().shows(200, "new");
}
