//! Bodies larger than one answer come in parts, each of them certified; and
//! clients may ask for parts themselves.

use crate::answer::{Answer, Request};
use crate::interface::{content, delete};
use crate::scene::{MAX_CHUNK, Scene};
use std::ops::Range;

/// Bytes in which no part equals another.
fn large(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| ((at * 2_654_435_761) >> 11) as u8)
        .collect()
}

/// Expects a true answer to a request for these bytes: some from where they
/// begin, or all there are, or that there are none such. Never something else.
#[track_caller]
fn true_to(answer: &Answer, asked: Range<usize>, whole: &[u8]) {
    match answer.status() {
        200 => assert!(answer.body() == whole, "another body"),
        206 => {
            let (part, total) = answer.content_range();
            assert_eq!((part.start, total), (asked.start, whole.len()));
            assert!(part.end <= asked.end, "{part:?}");
            assert!(answer.body() == &whole[part], "another part");
        }
        416 => {
            assert!(asked.start >= whole.len());
            answer.with("content-range", &format!("bytes */{}", whole.len()));
        }
        other => panic!("status {other}"),
    }
}

fn range<'s>(scene: &'s Scene, url: &str, value: &str) -> Request<'s> {
    scene.get(url).with_header("Range", value)
}

#[test]
fn a_large_body_comes_in_certified_parts() {
    let body = large(2 * MAX_CHUNK + 100_000);
    let scene = Scene::showing(&[("/film.mp4", "video/mp4", &body)]);
    let first = scene.get("/film.mp4").answer();
    first.with("content-type", "video/mp4");
    let (range, total) = first.content_range();
    assert_eq!((range.start, total), (0, body.len()));
    assert!(range.end < total);
    assert!(scene.get("/film.mp4").whole_body() == body);

    scene.upgrade();
    assert!(scene.get("/film.mp4").whole_body() == body);
}

#[test]
fn a_body_of_exactly_some_chunks() {
    for len in [MAX_CHUNK - 1, MAX_CHUNK, MAX_CHUNK + 1, 2 * MAX_CHUNK] {
        let body = large(len);
        let scene = Scene::showing(&[("/a.bin", "application/octet-stream", &body)]);
        assert!(scene.get("/a.bin").whole_body() == body, "{len}");
    }
}

#[test]
fn every_part_is_answered_for_the_byte_it_begins_with() {
    let body = large(3 * MAX_CHUNK);
    let scene = Scene::showing(&[("/a.bin", "application/octet-stream", &body)]);
    let (first, total) = scene.get("/a.bin").answer().content_range();
    let tag = scene.get("/a.bin").answer().header("etag").to_owned();
    let mut begin = first.end;
    while begin < total {
        let part = scene.get("/a.bin").starting_at(begin).answer();
        let (range, _) = part.content_range();
        assert_eq!(range.start, begin);
        assert!(part.body() == &body[range.clone()]);
        part.with("etag", &tag);
        begin = range.end;
    }
}

#[test]
fn a_part_does_not_verify_with_the_range_of_another() {
    let body = large(2 * MAX_CHUNK + 1);
    let scene = Scene::showing(&[("/a.bin", "application/octet-stream", &body)]);
    let (first, _) = scene.get("/a.bin").answer().content_range();
    let request = scene.get("/a.bin").starting_at(first.end);
    let part = request.answer().into_response();
    assert!(request.verify(&part).is_ok());

    let mut moved = part.clone();
    for (name, value) in &mut moved.headers {
        if name.eq_ignore_ascii_case("content-range") {
            *value = format!("bytes 0-{}/{}", part.body.len() - 1, body.len());
        }
    }
    assert!(scene.get("/a.bin").verify(&moved).is_err());
    let mut shortened = part;
    shortened.body.truncate(10);
    assert!(request.verify(&shortened).is_err());
}

#[test]
fn a_range_of_a_small_body_is_answered_truly() {
    let body = b"0123456789";
    let scene = Scene::showing(&[("/a.txt", "text/plain", body)]);
    for (value, asked) in [
        ("bytes=0-0", 0..1),
        ("bytes=0-", 0..10),
        ("bytes=2-4", 2..5),
        ("bytes=5-100", 5..10),
        ("bytes=-3", 7..10),
        ("bytes=-100", 0..10),
        ("bytes=9-9", 9..10),
        ("bytes=10-", 10..10),
        ("bytes=10-20", 10..10),
        ("bytes=18446744073709551616-", 10..10),
    ] {
        true_to(&range(&scene, "/a.txt", value).answer(), asked, body);
    }
}

#[test]
fn a_range_that_is_none_is_ignored() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"0123456789")]);
    for value in [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=4-2",
        "bytes=a-b",
        "items=0-1",
        "bytes=0-1,3-4",
    ] {
        range(&scene, "/a.txt", value)
            .answer()
            .shows(200, "0123456789");
    }
}

#[test]
fn a_range_of_a_large_body_is_answered_truly() {
    let body = large(2 * MAX_CHUNK);
    let total = body.len();
    let scene = Scene::showing(&[("/a.bin", "application/octet-stream", &body)]);
    for (value, asked) in [
        ("bytes=0-", 0..total),
        ("bytes=0-0", 0..1),
        ("bytes=7-99", 7..100),
        ("bytes=1000000-", 1_000_000..total),
        ("bytes=1899990-1900009", 1_899_990..1_900_010),
        ("bytes=1900000-1900000", 1_900_000..1_900_001),
        ("bytes=-5", total - 5..total),
    ] {
        let answer = range(&scene, "/a.bin", value).answer_or_upgrade();
        assert_eq!(answer.status(), 206, "{value}");
        true_to(&answer, asked, &body);
    }
    let beyond = range(&scene, "/a.bin", &format!("bytes={total}-")).answer_or_upgrade();
    assert_eq!(beyond.status(), 416);
    true_to(&beyond, total..total, &body);
}

#[test]
fn a_range_of_what_is_not_there_is_not_found() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    assert_eq!(range(&scene, "/b.txt", "bytes=0-").answer().status(), 404);
}

#[test]
fn a_download_ends_with_what_it_began_with() {
    let [old, new] = [1, 2].map(|first| {
        let mut body = large(2 * MAX_CHUNK);
        body[0] = first;
        body
    });
    let files = [("/film.mp4", "video/mp4", &*old), ("/gone.mp4", "", &old)];
    let scene = Scene::showing(&files);
    let begun = ["/film.mp4", "/gone.mp4"].map(|url| (url, scene.get(url).answer()));
    let change = |body: &[u8]| {
        let owner = scene.owner();
        let batch = owner.create_batch().unwrap();
        let chunks = owner.upload(batch, body).unwrap();
        let set = content("/film.mp4", "identity", &chunks).into();
        owner.commit(batch, vec![delete("/gone.mp4"), set]).unwrap();
    };
    change(&new);
    for (url, first) in begun {
        let mut body = first.body().to_vec();
        while body.len() < old.len() {
            let part = scene.get(url).starting_at(body.len()).answer();
            let (range, total) = part.content_range();
            assert_eq!((range.start, total), (body.len(), old.len()));
            body.extend(part.body());
        }
        assert!(body == old, "{url}");
    }
    assert!(scene.get("/film.mp4").whole_body() == new);
    assert_eq!(scene.get("/gone.mp4").answer().status(), 404);
}

#[test]
fn a_large_page_answers_under_its_aliases_too() {
    let body = large(MAX_CHUNK + 10);
    let scene = Scene::showing(&[("/big/index.html", "text/html", &body)]);
    for url in ["/big/index.html", "/big/", "/big"] {
        assert!(scene.get(url).whole_body() == body, "{url}");
    }
}

/// The legacy canister could not send more than the first part of it.
#[test]
fn a_large_index_answers_for_other_paths_too() {
    let body = large(MAX_CHUNK + 10);
    let scene = Scene::showing(&[("/index.html", "text/html", &body)]);
    assert!(scene.get("/no/such/page").whole_body() == body);
}

#[test]
fn a_large_body_has_encodings() {
    use crate::interface::*;
    let (plain, zipped) = (large(2 * MAX_CHUNK), large(MAX_CHUNK + 1));
    let scene = Scene::showing(&[("/a.bin", "application/octet-stream", &plain)]);
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunks = owner.upload(batch, &zipped).unwrap();
    owner
        .commit(batch, vec![content("/a.bin", "gzip", &chunks).into()])
        .unwrap();
    let request = scene.get("/a.bin").with_header("Accept-Encoding", "gzip");
    request.answer().with("content-encoding", "gzip");
    assert!(request.whole_body() == zipped);
    assert!(scene.get("/a.bin").whole_body() == plain);
}
