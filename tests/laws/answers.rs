//! Every request gets an answer, and the verifier accepts it wherever it can read the URL.

use crate::world::{World, create, next_part, set_content};
use ic_hallmark::{
    serve::{Request, serve_update},
    site::{Operation, PART, PropertyChange},
};
use proptest::prelude::*;

const HTML: &str = "text/html";

#[test]
fn a_page_is_served_under_its_name_and_its_aliases() {
    let world = World::with(&[
        ("/index.html", HTML, b"home"),
        ("/about.html", HTML, b"about"),
        ("/docs/index.html", HTML, b"docs"),
    ]);
    for (url, body) in [
        ("/", "home"),
        ("/index.html", "home"),
        ("/index", "home"),
        ("/about", "about"),
        ("/about.html?query=1", "about"),
        ("/docs", "docs"),
        ("/docs/", "docs"),
        ("/docs/index", "docs"),
        ("//docs///index.html", "docs"),
        ("/%64ocs/", "docs"),
    ] {
        let response = world.get(url);
        assert_eq!(response.status, 200, "{url}");
        assert_eq!(response.body, body.as_bytes(), "{url}");
        assert_eq!(response.header("content-type"), Some(HTML));
    }
}

#[test]
fn what_is_missing_gets_the_nearest_fallback() {
    let mut world = World::new();
    let not_found = world.get("/nothing/here");
    assert_eq!(
        (not_found.status, &not_found.body[..]),
        (404, &b"not found"[..])
    );

    world.put("/index.html", HTML, b"app").unwrap();
    let fallback = world.get("/nothing/here");
    assert_eq!((fallback.status, &fallback.body[..]), (200, &b"app"[..]));

    world.put("/404.html", HTML, b"lost").unwrap();
    world.put("/docs/404.html", HTML, b"lost in docs").unwrap();
    world.put("/docs/a/b.txt", "text/plain", b"b").unwrap();
    for (url, body) in [
        ("/nothing", "lost"),
        ("/nothing/", "lost"),
        ("/docs", "lost in docs"),
        ("/docs/", "lost in docs"),
        ("/docs/nothing", "lost in docs"),
        ("/docs/a", "lost in docs"),
        ("/docs/a/", "lost in docs"),
        ("/docs/a/b.txt/c", "lost in docs"),
        ("/docs/404.html/", "lost in docs"),
        ("/docsx", "lost"),
    ] {
        let response = world.get(url);
        assert_eq!(response.status, 404, "{url}");
        assert_eq!(response.body, body.as_bytes(), "{url}");
    }
}

#[test]
fn encodings_are_negotiated() {
    let mut world = World::with(&[("/a.js", "text/javascript", b"plain")]);
    let encoded = [
        set_content("/a.js", "gzip", b"zipped"),
        set_content("/a.js", "br", b"b"),
    ];
    world.site.commit(encoded, 1).unwrap();
    for (accepted, body) in [
        ("gzip, br", "b"),
        ("gzip;q=1.0, br;q=0.5", "zipped"),
        ("br;q=0, gzip", "zipped"),
        ("identity", "plain"),
        ("*;q=0", "plain"),
    ] {
        let request = Request::get("/a.js").with_header("Accept-Encoding", accepted);
        let response = world.ask(&request);
        assert_eq!(response.body, body.as_bytes(), "{accepted}");
        assert_eq!(response.header("vary"), Some("accept-encoding"));
    }
    assert_eq!(world.get("/a.js").header("content-encoding"), None);
}

#[test]
fn methods_and_conditions_have_answers_of_their_own() {
    let world = World::with(&[("/a.txt", "text/plain", b"hello")]);
    let entity_tag = world.get("/a.txt").header("etag").unwrap().to_owned();

    let head = world.ask(&Request {
        method: "HEAD".to_owned(),
        ..Request::get("/a.txt")
    });
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("5"));

    let post = world.ask(&Request {
        method: "POST".to_owned(),
        body: b"x".to_vec(),
        ..Request::get("/a.txt")
    });
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, HEAD"))
    );

    let condition = |value: &str| Request::get("/a.txt").with_header("If-None-Match", value);
    let not_modified = world.ask(&condition(&entity_tag));
    assert_eq!((not_modified.status, not_modified.body.len()), (304, 0));
    assert_eq!(not_modified.header("etag"), Some(&*entity_tag));
    for other in ["\"other\"", "*", "W/\"x\""] {
        assert_eq!(world.ask(&condition(other)).status, 200);
    }
    // A 304 confirms one entity tag: no other request may be answered with it.
    assert!(
        world
            .verify(&condition("\"other\""), &not_modified)
            .is_err()
    );
    assert!(world.verify(&Request::get("/a.txt"), &head).is_err());
}

#[test]
fn large_bodies_come_in_parts_that_join() {
    let length = 2 * PART as usize + 100;
    let content: Vec<u8> = (0..length).map(|at| (at / 1000) as u8).collect();
    let world = World::with(&[("/video", "video/mp4", &content)]);
    let first = world.get("/video");
    assert_eq!(first.status, 206);
    let mut joined = first.body.clone();
    let mut last = first;
    while let Some(rest) = next_part("/video", &last) {
        last = world.ask(&rest);
        assert!(!last.upgrade);
        assert!(last.body.len() as u64 <= PART);
        // It is the part that was asked for, and nothing else.
        assert!(world.verify(&Request::get("/video"), &last).is_err());
        joined.extend(&last.body);
    }
    assert_eq!(joined, content);

    let exact = Request::get("/video").with_header("Range", "bytes=5-9");
    assert!(
        world.ask(&exact).upgrade,
        "no certified answer is this range"
    );
    let update = serve_update(&world.site, &exact);
    assert_eq!((update.status, &update.body[..]), (206, &content[5..10]));
    let beyond = Request::get("/video").with_header("Range", "bytes=99999999-");
    assert!(world.ask(&beyond).upgrade);
    assert_eq!(serve_update(&world.site, &beyond).status, 416);
}

#[test]
fn urls_that_no_verifier_reads_get_a_400() {
    let world = World::with(&[("/index.html", HTML, b"app")]);
    for url in ["/%FF", "relative/path", &format!("/{}", "x".repeat(70_000))] {
        assert_eq!(world.ask_anything(&Request::get(url)).status, 400);
    }
    let deep = "/a".repeat(10_000);
    assert_eq!(world.get(&deep).status, 200);
}

/// A file of a random site.
#[derive(Clone, Debug)]
struct File {
    key: String,
    encodings: Vec<&'static str>,
    is_aliased: Option<bool>,
    headers: Vec<(String, String)>,
}

fn a_segment() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec!["a", "b", "docs", "index.html", "404.html", "a.html", "x.txt"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", "http_expr", "index", "æ", "a b", "%", "?", "."])
            .prop_map(str::to_owned),
    ]
}

fn a_file() -> impl Strategy<Value = File> {
    let segments = prop::collection::vec(a_segment(), 1..4);
    let encodings = prop::sample::subsequence(vec!["identity", "gzip", "br"], 0..4);
    let headers = prop::sample::subsequence(
        vec![
            ("ETag", "\"own\""),
            ("X-Frame-Options", "DENY"),
            ("cache-control", "no-store"),
        ],
        0..3,
    );
    (segments, encodings, any::<Option<bool>>(), headers).prop_map(
        |(segments, encodings, is_aliased, headers)| File {
            key: format!("/{}", segments.join("/")),
            encodings,
            is_aliased,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        },
    )
}

fn a_request() -> impl Strategy<Value = Request> {
    let piece = prop_oneof![
        4 => a_segment(),
        1 => prop::sample::select(vec!["<*>", "<$>", "%3C*%3E", "%3C$%3E", "%2F", "%zz", "%FF", "%", "%C3%A6", "%61", "..", "a%20b", "+", "#", "?q=/"])
            .prop_map(str::to_owned),
        1 => "[ -~]{0,4}",
    ];
    let url =
        prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("/{}", pieces.join("/")));
    let url = prop_oneof![
        10 => url,
        1 => prop::sample::select(vec!["", "/", "//", "*", "foo", "?", "http://host/a", "https://h"]).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ];
    let method = prop_oneof![
        5 => Just("GET"),
        1 => prop::sample::select(vec!["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "X"]),
    ];
    let header = prop::sample::select(vec![
        ("Accept-Encoding", "gzip, br"),
        ("accept-encoding", "br;q=0, *;q=0.1"),
        ("If-None-Match", "\"own\""),
        ("If-None-Match", "*"),
        ("Range", "bytes=0-1"),
        ("Range", "bytes=-1"),
        ("Cookie", "a=b"),
    ]);
    let body = prop_oneof![4 => Just(Vec::new()), 1 => Just(b"body".to_vec())];
    (url, method, prop::collection::vec(header, 0..4), body).prop_map(
        |(url, method, headers, body)| Request {
            method: method.to_owned(),
            url,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body,
        },
    )
}

fn operations(files: &[File]) -> Vec<Operation> {
    let mut operations = Vec::new();
    for File {
        key,
        encodings,
        is_aliased,
        headers,
    } in files
    {
        operations.push(create(key, "text/plain"));
        operations.extend(
            encodings
                .iter()
                .map(|encoding| set_content(key, encoding, format!("{key} {encoding}").as_bytes())),
        );
        operations.push(Operation::SetProperties {
            key: key.clone(),
            change: PropertyChange {
                is_aliased: Some(*is_aliased),
                headers: Some((!headers.is_empty()).then(|| headers.iter().cloned().collect())),
                ..PropertyChange::default()
            },
        });
    }
    operations
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_request_to_any_site_is_answered_and_verifies(
        mut files in prop::collection::vec(a_file(), 0..8),
        requests in prop::collection::vec(a_request(), 1..12),
    ) {
        files.sort_by(|a, b| a.key.cmp(&b.key));
        files.dedup_by(|a, b| a.key == b.key);
        let mut world = World::new();
        world.site.commit(operations(&files), 1).unwrap();
        world.site.check().unwrap();
        for request in &requests {
            world.ask_anything(request);
        }
        // The keys themselves, percent-encoded where a URL needs it.
        for file in &files {
            let url: String = file
                .key
                .bytes()
                .map(|byte| match byte {
                    b'/' | b'a'..=b'z' | b'0'..=b'9' | b'.' => (byte as char).to_string(),
                    byte => format!("%{byte:02X}"),
                })
                .collect();
            for (accept, encoding) in [("identity", "identity"), ("gzip", "gzip")] {
                let request = Request::get(url.clone()).with_header("Accept-Encoding", accept);
                let response = world.ask_anything(&request);
                let reachable = !file.key.contains("//");
                if reachable && file.encodings.contains(&encoding) {
                    prop_assert_eq!(response.body, format!("{} {encoding}", file.key).into_bytes());
                }
            }
        }
    }
}
