//! What is uploaded is served, with its headers, certified.

use crate::interface::*;
use crate::scene::Scene;

#[test]
fn an_empty_site_answers_too() {
    let scene = Scene::new();
    for url in ["/", "/index.html", "/a/b/"] {
        assert_eq!(scene.get(url).answer().status(), 404);
    }
}

#[test]
fn an_uploaded_file_is_served() {
    let scene = Scene::showing(&[
        ("/contents.html", "text/html", b"<!doctype html>"),
        ("/deep/down/style.css", "text/css", b"a {}"),
        ("/empty.txt", "text/plain", b""),
    ]);
    scene
        .get("/contents.html")
        .answer()
        .shows(200, "<!doctype html>")
        .with("content-type", "text/html")
        .without("content-encoding");
    scene
        .get("/deep/down/style.css")
        .answer()
        .shows(200, "a {}")
        .with("content-type", "text/css");
    scene.get("/empty.txt").answer().shows(200, "");
}

#[test]
fn every_byte_value_is_served() {
    let body: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let scene = Scene::showing(&[("/a.bin", "application/octet-stream", &body)]);
    scene.get("/a.bin").answer().shows(200, &body);
}

#[test]
fn names_may_have_any_letters() {
    let scene = Scene::showing(&[
        ("/a file.txt", "text/plain", b"space"),
        ("/grüße/日本.txt", "text/plain", b"letters"),
        ("/50%.txt", "text/plain", b"percent"),
        ("/a?b#c.txt", "text/plain", b"delimiters"),
        ("/a+b.txt", "text/plain", b"plus"),
    ]);
    let shows = |url, body| {
        scene.get(url).answer().shows(200, body);
    };
    shows("/a%20file.txt", "space");
    shows("/gr%C3%BC%C3%9Fe/%e6%97%a5%e6%9c%ac.txt", "letters");
    shows("/grüße/日本.txt", "letters");
    shows("/50%25.txt", "percent");
    shows("/50%.txt", "percent");
    shows("/a%3Fb%23c.txt", "delimiters");
    shows("/a+b.txt", "plus");
    shows("/a%2Bb.txt", "plus");
}

#[test]
fn the_query_does_not_matter() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    for url in ["/a.txt?", "/a.txt?v=1", "/a.txt?v=/b.txt&w=%zz"] {
        scene.get(url).answer().shows(200, "a");
    }
}

#[test]
fn properties_become_headers() {
    let scene = Scene::new();
    let fields = [
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'self'"),
    ];
    scene.apply([
        CreateAsset {
            max_age: Some(604_800),
            headers: Some(headers(&fields)),
            ..create("/a.html", "text/html")
        }
        .into(),
        inline("/a.html", "identity", b"a").into(),
    ]);
    let answer = scene.get("/a.html").answer();
    answer
        .shows(200, "a")
        .with("cache-control", "max-age=604800");
    for (name, value) in fields {
        answer.with(name, value);
    }
}

#[test]
fn headers_of_an_asset_win_over_those_it_would_have() {
    let scene = Scene::new();
    let fields = [
        ("Content-Type", "text/x-own"),
        ("cache-control", "no-store"),
    ];
    scene.apply([
        CreateAsset {
            max_age: Some(60),
            headers: Some(headers(&fields)),
            ..create("/a.txt", "text/plain")
        }
        .into(),
        inline("/a.txt", "identity", b"a").into(),
    ]);
    let answer = scene.get("/a.txt").answer();
    for (name, value) in fields {
        answer.with(name, value);
    }
}

#[test]
fn replaced_content_is_served() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"old")]);
    scene.get("/a.txt").answer().shows(200, "old");
    scene.apply([inline("/a.txt", "identity", b"new").into()]);
    scene.get("/a.txt").answer().shows(200, "new");
}

#[test]
fn an_asset_without_content_is_not_found() {
    let scene = Scene::new();
    scene.apply([create("/a.txt", "text/plain").into()]);
    assert_eq!(scene.get("/a.txt").answer().status(), 404);
}

/// A canister that answered some clients in version 1 could be made to answer
/// all of them so.
#[test]
fn there_is_no_older_version_to_fall_back_to() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    for version in [None, Some(0), Some(1), Some(3), Some(u16::MAX)] {
        let request = scene.get("/a.txt").certificate_version(version);
        request.answer().shows(200, "a");
    }
}

/// An update call has no certificate to answer with, and needs none.
#[test]
fn a_request_that_is_an_update_call_is_answered() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: "/a.txt".to_owned(),
        headers: Vec::new(),
        body: Default::default(),
        certificate_version: Some(2),
    };
    let (response,): (HttpResponse,) = scene.owner().update("http_request", (request,)).unwrap();
    assert_eq!((response.status_code, &response.body[..]), (200, &b"a"[..]));
}
