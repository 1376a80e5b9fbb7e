//! Any URL is answered, and the answer verifies wherever a verifier can read the
//! URL.

use crate::answer::Request;
use crate::scene::Scene;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Names that other parts of a tree or of a URL have uses for.
fn scene() -> Scene {
    Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a/b.txt", "text/plain", b"b"),
        ("/a/404.html", "text/html", b"lost in a"),
        ("/http_expr/c.txt", "text/plain", b"c"),
        ("/.well-known/ic-domains", "text/plain", b"example.org"),
        ("/%.txt", "text/plain", b"percent"),
        ("/\u{e9}.txt", "text/plain", b"composed"),
    ])
}

#[test]
fn paths_are_read_in_one_normal_form() {
    let scene = scene();
    for (url, body) in [
        ("/a/b.txt", "b"),
        ("//a///b.txt", "b"),
        ("/a%2Fb.txt", "b"),
        ("/%61/b%2etxt", "b"),
        ("/a", "lost in a"),
        ("/a/b.txt#part", "b"),
        ("/a/b.txt?q=1#part", "b"),
        ("https://example.org/a/b.txt", "b"),
        ("http://example.org//a/b.txt?q", "b"),
        ("/http_expr/c.txt", "c"),
        ("/http_expr/http_expr/c.txt", "index"),
        ("/.well-known/ic-domains", "example.org"),
        ("/%.txt", "percent"),
        ("/%25.txt", "percent"),
        ("/%2525.txt", "index"),
        ("/é.txt", "composed"),
        ("/%C3%A9.txt", "composed"),
        ("/e%CC%81.txt", "index"),
        ("/A/b.txt", "index"),
        ("/a/./b.txt", "lost in a"),
        ("/x/../a/b.txt", "index"),
        ("/%2e%2e/a/b.txt", "index"),
        ("/a/%2e%2e/%2e%2e/etc/passwd", "lost in a"),
        ("/a/b.txt%00", "lost in a"),
        ("/", "index"),
        ("//", "index"),
        ("/%2F", "index"),
        ("/?", "index"),
        ("https://example.org", "index"),
        ("https://example.org?q", "index"),
        ("example.org", "index"),
        ("*", "index"),
    ] {
        let answer = scene.get(url).answer();
        assert_eq!(String::from_utf8_lossy(answer.body()), body, "{url}");
    }
}

#[test]
fn segments_that_a_tree_uses_itself() {
    let scene = scene();
    for url in [
        "/%3C*%3E",
        "/%3C$%3E",
        "/%3C%2A%3E/%3C%24%3E",
        "/a/%3C*%3E",
        "/a/%3C$%3E/",
        "/%3C*%3E/a/b.txt",
        "/http_expr",
        "/http_expr/",
        "/http_expr/%3C*%3E",
        "/http_assets/a/b.txt",
    ] {
        let answer = scene.get(url).answer();
        assert!(matches!(answer.status(), 200 | 404), "{url}");
        assert_ne!(answer.body(), b"b", "{url}");
    }
}

#[test]
fn a_url_that_no_verifier_reads_is_answered() {
    let scene = scene();
    for url in [
        "",
        "?q=1",
        " ",
        "/a b",
        "/<*>",
        "/a\\b`",
        "/a/b.txt\r\nX: y",
        "/\0",
        "relative/path",
        "http://",
        "/%FF%FF",
        "/a/%C3",
        "/%ED%A0%80",
    ] {
        let response = scene.get(url).unverifiable_answer();
        assert!(matches!(response.status_code, 200..500), "{url:?}");
    }
    let response = scene.get("/%FF%FF").unverifiable_answer();
    assert_eq!(response.status_code, 400);
}

#[test]
fn very_long_urls_are_answered() {
    let scene = scene();
    let at = |path: String| scene.get(&path).answer();
    // The verifier's work grows with the square of the segments.
    at("/x".repeat(2_000)).shows(200, "index");
    at("/a".repeat(2_000)).shows(404, "lost in a");
    at("/".repeat(65_534)).shows(200, "index");
    at(format!("/{}", "x".repeat(65_533))).shows(200, "index");
    at(format!("/a/b.txt?{}", "q".repeat(65_000))).shows(200, "b");

    for length in [65_535, 100_000, 1_000_000] {
        let url = format!("/{}", "x".repeat(length - 1));
        let response = scene.get(&url).unverifiable_answer();
        assert!(matches!(response.status_code, 400..500));
    }
}

#[test]
fn very_many_and_very_long_headers_are_answered() {
    let scene = scene();
    for (name, value) in [
        ("Accept-Encoding", "gzip;q=0.5,".repeat(50_000)),
        ("If-None-Match", "\"a\",".repeat(50_000)),
        ("If-None-Match", "W/\"".repeat(50_000)),
        ("Range", format!("bytes={}", "9".repeat(200_000))),
        ("Range", "bytes=0-0,".repeat(20_000)),
        ("Host", "a".repeat(200_000)),
    ] {
        let answer = scene.get("/a/b.txt").with_header(name, &value).answer();
        assert_eq!(String::from_utf8_lossy(answer.body()), "b", "{name}");
    }
    let mut request = scene.get("/a/b.txt");
    for number in 0..5_000 {
        request = request.with_header(&format!("X-{number}"), "a");
    }
    request.answer().shows(200, "b");
}

/// Requests as no client would write them, near the addresses that are there.
fn odd_request() -> impl Strategy<Value = (String, String, Vec<(String, String)>)> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec!["/", "a", "b.txt", "/a/b.txt", "index", ".html", "404"]),
        4 => prop::sample::select(vec!["//", "%2F", "%2e", "%", "%zz", "%25", "%00", "%ff", "?", "#"]),
        2 => prop::sample::select(vec!["http_expr", "%3C*%3E", "%3C$%3E", "://", "*", "h:1", "é", "%C3%A9"]),
        1 => prop::sample::select(vec!["<*>", " ", "\0", "\\", "\u{7f}"]),
    ];
    let url = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    let url = (prop::bool::weighted(0.8), url);
    let url = url.prop_map(|(rooted, url)| if rooted { format!("/{url}") } else { url });
    let method = prop_oneof![
        6 => Just("GET".to_owned()),
        2 => Just("HEAD".to_owned()),
        2 => "[A-Za-z]{1,8}",
        1 => any::<String>(),
    ];
    let header = prop_oneof![
        (
            "(?i)accept-encoding",
            "((gzip|br|identity|\\*)(;q=[0-9.]{1,5})?,? ?){0,3}"
        ),
        ("(?i)range", "bytes=[0-9]{0,2}-[0-9]{0,2},?"),
        ("(?i)if-none-match", "(\\*|(W/)?\"[a-f0-9]{0,8}\")"),
        ("[A-Za-z-]{1,12}", any::<String>()),
    ];
    (method, url, prop::collection::vec(header, 0..3))
}

#[test]
fn any_request_is_answered_and_verifies() {
    let scene = scene();
    let config = ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&odd_request(), |(method, url, headers)| {
        let mut request = Request::get(&scene, &url).method(&method);
        for (name, value) in &headers {
            request = request.with_header(name, value);
        }
        if request.is_verifiable() {
            request.answer();
        } else {
            request.unverifiable_answer();
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
