//! `GET`, `HEAD` and all the others, and requests that are conditional.

use crate::scene::Scene;

fn scene() -> Scene {
    Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a.txt", "text/plain", b"a"),
    ])
}

#[test]
fn head_answers_as_get_but_without_a_body() {
    let scene = Scene::showing(&[
        ("/a.txt", "text/plain", b"a"),
        ("/b/index.html", "text/html", b"b"),
    ]);
    for url in ["/a.txt", "/b/index.html", "/b/", "/b"] {
        let get = scene.get(url).answer();
        let head = scene.get(url).method("HEAD").answer();
        head.shows(get.status(), "");
        for name in ["content-type", "etag", "cache-control"] {
            assert_eq!(head.headers(name), get.headers(name), "{url} {name}");
        }
        head.with("content-length", &get.body().len().to_string());
    }
    let head = scene.get("/nonexistent").method("HEAD").answer();
    assert_eq!(head.status(), 404);
}

#[test]
fn the_answer_to_head_does_not_verify_for_get() {
    let scene = scene();
    for url in ["/a.txt", "/nonexistent"] {
        let head = scene.get(url).method("HEAD").answer().into_response();
        assert!(scene.get(url).verify(&head).is_err(), "{url}");
    }
}

#[test]
fn other_methods_are_not_allowed() {
    let scene = scene();
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "ODD!",
    ] {
        for url in ["/", "/a.txt", "/nonexistent"] {
            let request = scene.get(url).method(method).body(b"{}");
            let answer = request.answer();
            assert_eq!(answer.status(), 405, "{method} {url}");
            let allow: Vec<_> = answer.header("allow").split(", ").collect();
            assert_eq!(allow, ["GET", "HEAD"]);
        }
    }
}

#[test]
fn text_that_is_no_method_is_answered() {
    let scene = scene();
    for method in ["", "G T", "GET\r\n", "é", "\0"] {
        let response = scene.get("/a.txt").method(method).unverifiable_answer();
        assert!(matches!(response.status_code, 400..500), "{method:?}");
    }
}

#[test]
fn a_body_with_get_does_not_matter() {
    let scene = scene();
    scene
        .get("/a.txt")
        .body(b"unasked")
        .answer()
        .shows(200, "a");
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    let scene = scene();
    for url in ["/", "/a.txt", "/index"] {
        let tag = scene.get(url).answer().header("etag").to_owned();
        let again = scene.get(url).with_header("If-None-Match", &tag).answer();
        again.shows(304, "").with("etag", &tag);
    }
}

#[test]
fn what_the_client_has_not_is_sent() {
    let scene = scene();
    let tag = scene.get("/").answer().header("etag").to_owned();
    for value in [
        &tag[..],
        "\"another\"",
        "",
        "nonsense",
        "W/\"\"",
        "\"a\", \"b\"",
    ] {
        let request = scene.get("/a.txt").with_header("If-None-Match", value);
        request.answer().shows(200, "a");
    }
}

/// These may be answered either way, but truly.
#[test]
fn other_forms_of_the_condition_are_answered() {
    let scene = scene();
    let tag = scene.get("/a.txt").answer().header("etag").to_owned();
    for value in [
        "*".to_owned(),
        format!("W/{tag}"),
        format!("\"b\", {tag}"),
        format!(" {tag}"),
    ] {
        let answer = scene
            .get("/a.txt")
            .with_header("If-None-Match", &value)
            .answer();
        match answer.status() {
            304 => answer.shows(304, ""),
            _ => answer.shows(200, "a"),
        };
    }
    let twice = scene.get("/a.txt").with_header("If-None-Match", &tag);
    let twice = twice.with_header("If-None-Match", &tag).answer();
    assert!(matches!(twice.status(), 200 | 304));
}

/// A replica that answered so could keep a client on a stale page, or a blank one.
#[test]
fn a_304_does_not_verify_for_a_client_that_has_something_else() {
    let scene = scene();
    let tag = scene.get("/a.txt").answer().header("etag").to_owned();
    let request = scene.get("/a.txt").with_header("If-None-Match", &tag);
    let not_modified = request.answer().into_response();
    assert_eq!(not_modified.status_code, 304);
    assert!(request.verify(&not_modified).is_ok());

    assert!(scene.get("/a.txt").verify(&not_modified).is_err());
    let other = scene.get("/a.txt").with_header("If-None-Match", "\"old\"");
    assert!(other.verify(&not_modified).is_err());
}

#[test]
fn new_content_has_a_new_tag() {
    let scene = scene();
    let old = scene.get("/a.txt").answer().header("etag").to_owned();
    scene.apply([crate::interface::inline("/a.txt", "identity", b"new").into()]);
    let request = scene.get("/a.txt").with_header("If-None-Match", &old);
    let answer = request.answer();
    answer.shows(200, "new");
    assert_ne!(answer.header("etag"), old);
    scene.upgrade();
    assert_eq!(
        scene.get("/a.txt").answer().header("etag"),
        answer.header("etag")
    );
}

#[test]
fn conditions_that_name_an_encoding_are_about_that_encoding() {
    use crate::interface::*;
    let scene = Scene::new();
    scene.apply([
        create("/b.txt", "text/plain").into(),
        inline("/b.txt", "identity", b"plain").into(),
        inline("/b.txt", "gzip", b"zipped").into(),
    ]);
    let get = |encoding| scene.get("/b.txt").with_header("Accept-Encoding", encoding);
    let tag = get("gzip").answer().header("etag").to_owned();
    get("gzip")
        .with_header("If-None-Match", &tag)
        .answer()
        .shows(304, "");
    get("identity")
        .with_header("If-None-Match", &tag)
        .answer()
        .shows(200, "plain");
}
