//! A body in several encodings: the client's weights decide which one is sent.

use crate::answer::Answer;
use crate::interface::*;
use crate::scene::Scene;

/// One asset in each of these encodings; each body tells its own name.
fn scene(encodings: &[&str]) -> Scene {
    let scene = Scene::new();
    let contents = encodings
        .iter()
        .map(|encoding| inline("/a.txt", encoding, encoding.as_bytes()).into());
    scene.apply(std::iter::once(create("/a.txt", "text/plain").into()).chain(contents));
    scene
}

fn accepting(scene: &Scene, list: &str) -> Answer {
    scene
        .get("/a.txt")
        .with_header("Accept-Encoding", list)
        .answer()
}

#[test]
fn the_accepted_encoding_is_sent_and_said() {
    let scene = scene(&["identity", "gzip", "br"]);
    for (list, encoding) in [
        ("gzip", "gzip"),
        ("gzip, identity", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br, deflate, gzip", "br"),
        ("GZIP", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=1.0, gzip;q=0.5, *;q=0.1", "br"),
        ("br;q=0, *", "gzip"),
    ] {
        let answer = accepting(&scene, list);
        answer
            .shows(200, encoding)
            .with("content-encoding", encoding);
        answer.with("content-type", "text/plain");
    }
    for list in [
        "",
        "identity",
        "zstd",
        "deflate;q=0.9",
        "gzip;q=0, br;q=0",
        "identity, gzip;q=0.5",
    ] {
        accepting(&scene, list)
            .shows(200, "identity")
            .without("content-encoding");
    }
}

#[test]
fn without_a_list_the_plain_body_is_sent() {
    let scene = scene(&["identity", "gzip"]);
    let answer = scene.get("/a.txt").answer();
    answer.shows(200, "identity").without("content-encoding");
}

#[test]
fn several_lists_are_one() {
    let scene = scene(&["identity", "gzip", "br"]);
    let request = scene
        .get("/a.txt")
        .with_header("Accept-Encoding", "br;q=0.1");
    let request = request.with_header("accept-encoding", "gzip;q=0.2");
    request.answer().shows(200, "gzip");
}

/// A body that the client may be able to read beats none.
#[test]
fn what_there_is_is_sent_if_nothing_acceptable_is() {
    let scene = scene(&["gzip"]);
    for list in ["br", "identity", "gzip;q=0", "*;q=0"] {
        accepting(&scene, list)
            .shows(200, "gzip")
            .with("content-encoding", "gzip");
    }
    scene.get("/a.txt").answer().shows(200, "gzip");
}

#[test]
fn caches_are_told_that_the_encoding_varies() {
    let scene = scene(&["identity", "gzip"]);
    for list in ["identity", "gzip"] {
        let vary = accepting(&scene, list)
            .headers("vary")
            .join(",")
            .to_lowercase();
        assert!(vary.contains("accept-encoding"), "{vary}");
    }
}

#[test]
fn every_encoding_has_a_tag_of_its_own() {
    let scene = scene(&["identity", "gzip", "br"]);
    let tags =
        ["identity", "gzip", "br"].map(|list| accepting(&scene, list).header("etag").to_owned());
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
}

#[test]
fn the_fallback_page_has_encodings_too() {
    let scene = Scene::new();
    scene.apply([
        create("/index.html", "text/html").into(),
        inline("/index.html", "identity", b"plain").into(),
        inline("/index.html", "gzip", b"zipped").into(),
    ]);
    for url in ["/", "/index", "/no/such/page"] {
        let request = scene.get(url).with_header("Accept-Encoding", "gzip");
        request
            .answer()
            .shows(200, "zipped")
            .with("content-encoding", "gzip");
    }
}

#[test]
fn an_encoding_can_be_taken_away() {
    let scene = scene(&["identity", "gzip"]);
    scene.apply([unset("/a.txt", "gzip")]);
    accepting(&scene, "gzip")
        .shows(200, "identity")
        .without("content-encoding");
    scene.apply([unset("/a.txt", "identity")]);
    assert_eq!(accepting(&scene, "gzip").status(), 404);
    scene.apply([inline("/a.txt", "br", b"back").into()]);
    accepting(&scene, "br")
        .shows(200, "back")
        .with("content-encoding", "br");
}
