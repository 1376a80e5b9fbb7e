//! Pages answer under shorter names: `/x.html` under `/x`, and `/x/index.html`
//! under `/x`, `/x/` and `/x/index`, unless an asset has that name itself.

use crate::interface::*;
use crate::scene::Scene;

/// No fallback page, so that what no alias leads to is a 404.
fn scene() -> Scene {
    Scene::showing(&[
        ("/contents.html", "text/html", b"contents"),
        ("/subdirectory/index.html", "text/html", b"subdirectory"),
        ("/notes.txt", "text/plain", b"notes"),
    ])
}

fn set_alias(scene: &Scene, key: &str, is_aliased: Option<bool>) {
    scene.apply([SetAssetProperties {
        is_aliased: Some(is_aliased),
        ..properties(key)
    }
    .into()]);
}

#[test]
fn a_page_has_shorter_names() {
    let scene = scene();
    for url in ["/contents.html", "/contents", "/contents?a"] {
        scene
            .get(url)
            .answer()
            .shows(200, "contents")
            .with("content-type", "text/html");
    }
    for url in [
        "/subdirectory/index.html",
        "/subdirectory/index",
        "/subdirectory/",
        "/subdirectory",
        "//subdirectory//",
    ] {
        scene.get(url).answer().shows(200, "subdirectory");
    }
}

#[test]
fn an_index_answers_at_the_root() {
    let scene = Scene::showing(&[("/index.html", "text/html", b"index")]);
    for url in ["/", "/index", "/index.html", "/?a=b"] {
        scene.get(url).answer().shows(200, "index");
    }
    let response = scene.get("").unverifiable_answer();
    assert_eq!(
        (response.status_code, &response.body[..]),
        (200, &b"index"[..])
    );
}

#[test]
fn an_alias_is_certified_as_itself_not_as_a_fallback() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a.html", "text/html", b"a"),
    ]);
    assert_eq!(scene.get("/").answer().expression_path(), ["", "<$>"]);
    assert_eq!(scene.get("/a").answer().expression_path(), ["a", "<$>"]);
}

#[test]
fn other_names_are_no_aliases() {
    let scene = scene();
    for url in [
        "/contents/",
        "/notes",
        "/subdirectory/index/",
        "/subdirectory.html",
        "/Contents",
        "/contents.htm",
    ] {
        assert_eq!(scene.get(url).answer().status(), 404, "{url}");
    }
}

#[test]
fn a_file_of_that_name_comes_before_an_alias() {
    let scene = Scene::showing(&[("/contents.html", "text/html", b"page")]);
    scene.get("/contents").answer().shows(200, "page");
    scene.upload(&[("/contents", "text/plain", b"file")]);
    scene
        .get("/contents")
        .answer()
        .shows(200, "file")
        .with("content-type", "text/plain");
    scene.get("/contents.html").answer().shows(200, "page");
    scene.apply([delete("/contents")]);
    scene.get("/contents").answer().shows(200, "page");
}

#[test]
fn a_page_comes_before_the_index_of_a_folder() {
    for order in [["/a.html", "/a/index.html"], ["/a/index.html", "/a.html"]] {
        let scene = Scene::new();
        for key in order {
            scene.upload(&[(key, "text/html", key.as_bytes())]);
        }
        let shows = |url, body| {
            scene.get(url).answer().shows(200, body);
        };
        shows("/a", "/a.html");
        shows("/a/", "/a/index.html");
        scene.upgrade();
        shows("/a", "/a.html");
        scene.apply([delete("/a.html")]);
        shows("/a", "/a/index.html");
        scene.apply([delete("/a/index.html")]);
        assert_eq!(scene.get("/a").answer().status(), 404);
    }
}

#[test]
fn aliases_can_be_switched() {
    let scene = scene();
    for (alias, on) in [
        (Some(false), false),
        (Some(true), true),
        (Some(false), false),
        (None, true),
    ] {
        for (key, url) in [
            ("/contents.html", "/contents"),
            ("/subdirectory/index.html", "/subdirectory/"),
        ] {
            set_alias(&scene, key, alias);
            let expected = if on { 200 } else { 404 };
            assert_eq!(
                scene.get(url).answer().status(),
                expected,
                "{url} {alias:?}"
            );
            assert_eq!(scene.get(key).answer().status(), 200);
        }
    }
}

#[test]
fn an_asset_can_be_created_without_aliases() {
    let scene = Scene::showing(&[("/index.html", "text/html", b"index")]);
    scene.apply([
        CreateAsset {
            enable_aliasing: Some(false),
            ..create("/a.html", "text/html")
        }
        .into(),
        inline("/a.html", "identity", b"a").into(),
    ]);
    scene.get("/a").answer().shows(200, "index");
    scene.upgrade();
    scene.get("/a").answer().shows(200, "index");
    scene.get("/a.html").answer().shows(200, "a");
}

#[test]
fn an_alias_shows_new_content_and_new_headers() {
    let scene = scene();
    scene.apply([
        inline("/contents.html", "identity", b"new").into(),
        SetAssetProperties {
            headers: Some(Some(headers(&[("X-A", "1")]))),
            ..properties("/contents.html")
        }
        .into(),
    ]);
    scene
        .get("/contents")
        .answer()
        .shows(200, "new")
        .with("x-a", "1");
}
