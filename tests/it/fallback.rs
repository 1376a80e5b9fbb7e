//! What answers a path that no asset has: the nearest `404.html`, else
//! `/index.html` as single-page applications expect, else a plain 404.

use crate::interface::*;
use crate::scene::Scene;

#[test]
fn an_index_answers_for_every_page_of_an_application() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/deep/nested/folder/index.html", "text/html", b"nested"),
        ("/deep/nested/folder/page.html", "text/html", b"page"),
    ]);
    for url in [
        "/nonexistent",
        "/deep/nested/folder/nonexistent",
        "/deep/nested/",
        "/deep",
        "/deep/nested/folder/page/",
        "/deep/nested/folder/page.html/more",
    ] {
        let answer = scene.get(url).answer();
        answer.shows(200, "index").with("content-type", "text/html");
        assert_eq!(answer.expression_path(), ["<*>"], "{url}");
    }
    scene
        .get("/deep/nested/folder")
        .answer()
        .shows(200, "nested");
    scene
        .get("/deep/nested/folder/page")
        .answer()
        .shows(200, "page");
}

#[test]
fn the_nearest_404_page_answers_with_404() {
    let scene = Scene::showing(&[
        ("/404.html", "text/html", b"root"),
        ("/docs/404.html", "text/html", b"docs"),
        ("/docs/api/v1/404.html", "text/html", b"v1"),
        ("/docs/api/list.html", "text/html", b"list"),
        ("/index.html", "text/html", b"index"),
    ]);
    for (url, body) in [
        ("/nonexistent", "root"),
        ("/nonexistent/deeper/", "root"),
        ("/doc", "root"),
        ("/docs2/a", "root"),
        ("/docs/nonexistent", "docs"),
        ("/docs/", "docs"),
        ("/docs/api/nonexistent", "docs"),
        ("/docs/api/v2/nonexistent", "docs"),
        ("/docs/api/v1/nonexistent", "v1"),
        ("/docs/api/v1/a/b/c", "v1"),
        ("/docs/api/list.html/more", "docs"),
    ] {
        scene
            .get(url)
            .answer()
            .shows(404, body)
            .with("content-type", "text/html");
    }
    scene.get("/").answer().shows(200, "index");
    scene.get("/docs/api/list").answer().shows(200, "list");
}

#[test]
fn a_404_page_is_a_page_under_its_own_name() {
    let scene = Scene::showing(&[("/404.html", "text/html", b"lost")]);
    scene.get("/404.html").answer().shows(200, "lost");
    scene.get("/a").answer().shows(404, "lost");
}

#[test]
fn a_404_page_of_a_folder_leaves_the_rest_to_the_index() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/docs/404.html", "text/html", b"docs"),
    ]);
    scene.get("/docs/a").answer().shows(404, "docs");
    scene.get("/a").answer().shows(200, "index");
}

#[test]
fn with_neither_there_is_a_plain_404() {
    let scene = Scene::showing(&[("/a/b.txt", "text/plain", b"b")]);
    for url in ["/", "/a", "/a/", "/a/b", "/a/b.txt/", "/a/b.txt/c", "/b"] {
        assert_eq!(scene.get(url).answer().status(), 404, "{url}");
    }
}

#[test]
fn the_fallback_follows_what_is_there() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let missing = || scene.get("/docs/x").answer();
    assert_eq!(missing().status(), 404);
    scene.upload(&[("/index.html", "text/html", b"index")]);
    missing().shows(200, "index");
    scene.upload(&[("/404.html", "text/html", b"root")]);
    missing().shows(404, "root");
    scene.upload(&[("/docs/404.html", "text/html", b"docs")]);
    missing().shows(404, "docs");
    scene.apply([delete("/docs/404.html")]);
    missing().shows(404, "root");
    scene.apply([delete("/404.html")]);
    missing().shows(200, "index");
    scene.apply([delete("/index.html")]);
    assert_eq!(missing().status(), 404);
    assert_eq!(scene.get("/").answer().status(), 404);
}

/// A fallback must not stand in for an asset that is there.
#[test]
fn a_fallback_does_not_verify_for_an_asset() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a.txt", "text/plain", b"a"),
        ("/docs/404.html", "text/html", b"docs"),
    ]);
    let fallback = scene.get("/nonexistent").answer().into_response();
    for url in ["/a.txt", "/index.html", "/docs/nonexistent"] {
        let reason = scene.get(url).verify(&fallback).unwrap_err().to_string();
        assert!(
            reason.contains("might exist in the tree"),
            "{url}: {reason}"
        );
    }
    let nearer = scene.get("/docs/nonexistent").answer().into_response();
    assert!(scene.get("/nonexistent").verify(&nearer).is_err());
}
