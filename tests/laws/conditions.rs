//! Conditions and negotiation, as RFC 9110 has them.

use crate::world::{NOW, World, create, set_content};
use ic_hallmark::{
    serve::{Request, serve_update},
    site::{Operation, PART, PropertyChange},
};

fn with_headers(key: &str, headers: &[(&str, &str)]) -> Operation {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    Operation::SetProperties {
        key: key.to_owned(),
        change: PropertyChange {
            headers: Some(Some(headers)),
            ..PropertyChange::default()
        },
    }
}

/// RFC 9110, §13.1.5: if the representation is another one by now, `Range` is ignored. Otherwise a client that
/// resumes a download joins the beginning of the old file with the end of the new one.
#[test]
fn a_range_of_another_representation_is_not_answered_with_a_part_of_this_one() {
    let body = vec![b'n'; 2 * PART as usize];
    let world = World::with(&[("/file", "text/plain", &body)]);
    for start in [PART, PART + 5] {
        let resume = Request::get("/file")
            .with_header("Range", format!("bytes={start}-"))
            .with_header("If-Range", "\"of the old file\"");
        let answer = world.ask(&resume);
        let answer = if answer.upgrade {
            serve_update(&world.site, &resume)
        } else {
            answer
        };
        let part = answer.header("content-range").unwrap_or("bytes 0-");
        assert!(part.starts_with("bytes 0-"), "{start}: {part}");
    }
}

/// RFC 9110, §12.5.5: whatever else an answer depends on, it depends on `Accept-Encoding`.
#[test]
fn a_vary_of_the_uploader_does_not_hide_the_negotiation() {
    let mut world = World::with(&[("/a.js", "text/javascript", b"plain")]);
    let operations = [
        set_content("/a.js", "gzip", b"zipped"),
        with_headers("/a.js", &[("Vary", "Origin")]),
    ];
    world.site.commit(operations, NOW).unwrap();
    let answer = world.get("/a.js");
    let vary = answer.header("vary").unwrap().to_ascii_lowercase();
    assert!(
        vary.contains("origin") && vary.contains("accept-encoding"),
        "{vary}"
    );
}

/// A header for the asset cannot say of a gzip body that it is something else.
#[test]
fn a_content_encoding_of_the_uploader_does_not_rename_an_encoding() {
    let mut world = World::with(&[("/a.svg", "image/svg+xml", b"packed by the uploader")]);
    let operations = [
        set_content("/a.svg", "gzip", b"zipped"),
        with_headers("/a.svg", &[("Content-Encoding", "br")]),
    ];
    if world.site.commit(operations, NOW).is_err() {
        return;
    }
    let request = Request::get("/a.svg").with_header("Accept-Encoding", "gzip");
    let answer = world.ask(&request);
    if answer.body == b"zipped" {
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
    }
}

/// The name of an encoding is sent as a header, so it counts as one.
#[test]
fn the_name_of_an_encoding_is_bounded() {
    let mut world = World::new();
    let name = "x".repeat(3_000_000);
    let operations = [create("/a", "text/plain"), set_content("/a", &name, b"a")];
    assert!(world.site.commit(operations, NOW).is_err());
}
