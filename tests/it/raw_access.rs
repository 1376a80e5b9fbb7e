//! On the domains that verify nothing, an asset may refuse to be served.

use crate::interface::*;
use crate::scene::Scene;

/// A site of an asset that may be had without verification, and of one that may not.
fn scene() -> Scene {
    let scene = Scene::new();
    let asset = |key, allow_raw_access| CreateAsset {
        allow_raw_access,
        ..create(key, "text/html")
    };
    scene.apply([
        asset("/index.html", Some(false)).into(),
        inline("/index.html", "identity", b"index").into(),
        asset("/open.html", None).into(),
        inline("/open.html", "identity", b"open").into(),
    ]);
    scene
}

fn sent_to(scene: &Scene, url: &str, host: &str) -> Option<String> {
    let response = scene.get(url).with_header("Host", host).unverified();
    if response.status_code != 308 {
        assert_eq!(response.status_code, 200);
        return None;
    }
    let [(name, location)] = &response.headers[..] else {
        panic!("{response:?}");
    };
    assert_eq!(name, "location");
    assert!(response.body.is_empty());
    Some(location.clone())
}

#[test]
fn a_browser_is_sent_to_the_domain_that_verifies() {
    let scene = scene();
    let id = scene.canister();
    for (host, domain) in [
        ("a-b-c.raw.icp0.io", "icp0.io"),
        ("a-b-c.raw.ic0.app", "ic0.app"),
        ("a-b-c.raw.icp0.io:443", "icp0.io"),
    ] {
        for url in ["/", "/index.html?a=b", "/nothing/there"] {
            let location = format!("https://{id}.{domain}{url}");
            assert_eq!(sent_to(&scene, url, host), Some(location));
        }
        assert_eq!(sent_to(&scene, "/open.html", host), None);
    }
    assert_eq!(sent_to(&scene, "/", "a-b-c.icp0.io"), None);
    assert_eq!(sent_to(&scene, "/", "localhost:8000"), None);
}

#[test]
fn access_can_be_given_and_taken() {
    let scene = scene();
    for (allow, redirects) in [(Some(true), false), (Some(false), true), (None, false)] {
        scene.apply([SetAssetProperties {
            allow_raw_access: Some(allow),
            ..properties("/index.html")
        }
        .into()]);
        let location = sent_to(&scene, "/", "a-b-c.raw.icp0.io");
        assert_eq!(location.is_some(), redirects, "{allow:?}");
    }
}

/// A verified domain is another matter: the answer there is the asset.
#[test]
fn verified_requests_are_answered_as_ever() {
    let scene = scene();
    let request = scene.get("/").with_header("Host", "a-b-c.icp0.io");
    request.answer().shows(200, "index");
}
