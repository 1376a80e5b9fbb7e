//! Properties of an asset, changed after it was created.

use crate::interface::*;
use crate::scene::{Scene, person, refused};

fn scene() -> Scene {
    let scene = Scene::new();
    scene.apply([
        CreateAsset {
            max_age: Some(60),
            headers: Some(headers(&[("X-A", "1")])),
            ..create("/a.txt", "text/plain")
        }
        .into(),
        inline("/a.txt", "identity", b"a").into(),
    ]);
    scene
}

#[test]
fn a_batch_sets_clears_and_keeps_properties() {
    let scene = scene();
    scene.apply([SetAssetProperties {
        max_age: Some(Some(5)),
        headers: Some(Some(headers(&[("X-B", "2")]))),
        ..properties("/a.txt")
    }
    .into()]);
    let answer = scene.get("/a.txt").answer();
    answer.shows(200, "a").with("x-b", "2").without("x-a");
    answer.with("cache-control", "max-age=5");

    scene.apply([properties("/a.txt").into()]);
    let kept = scene.owner().properties("/a.txt").unwrap();
    assert_eq!(kept.max_age, Some(5));
    assert_eq!(kept.headers, Some(headers(&[("X-B", "2")])));

    scene.apply([SetAssetProperties {
        max_age: Some(None),
        headers: Some(None),
        ..properties("/a.txt")
    }
    .into()]);
    let cleared = scene.owner().properties("/a.txt").unwrap();
    assert_eq!((cleared.max_age, cleared.headers), (None, None));
    scene.get("/a.txt").answer().without("x-b");
}

/// A change by this method once made every answer of a site unverifiable.
#[test]
fn the_site_verifies_after_a_change_by_the_method() {
    let scene = scene();
    scene.upload(&[("/b.txt", "text/plain", b"b")]);
    let change = SetAssetProperties {
        headers: Some(Some(headers(&[("X-B", "2")]))),
        ..properties("/a.txt")
    };
    let set = |caller: crate::scene::Caller<'_>| {
        caller.update::<()>("set_asset_properties", (change.clone(),))
    };
    refused(
        set(scene.caller(person(9))),
        "Caller does not have Commit permission",
    );
    set(scene.owner()).unwrap();
    scene
        .get("/a.txt")
        .answer()
        .shows(200, "a")
        .with("x-b", "2");
    scene.get("/b.txt").answer().shows(200, "b");
    assert_eq!(scene.get("/c.txt").answer().status(), 404);
}

#[test]
fn each_header_may_be_there_once_in_any_case_of_letters() {
    let scene = scene();
    let fields = headers(&[("x-lower", "1"), ("X-UPPER", "2")]);
    scene.apply([SetAssetProperties {
        headers: Some(Some(fields)),
        ..properties("/a.txt")
    }
    .into()]);
    let answer = scene.get("/a.txt").answer();
    answer.with("X-Lower", "1").with("x-upper", "2");
}
