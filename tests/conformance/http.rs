//! Answers to browsers.

use crate::interface::*;
use crate::scene::refused_for;
use crate::{Reason, Seen, Subject, checks, header, missing, seen, shown, uncertified};
use candid::{CandidType, Deserialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

const PREFERENCES: Reason = "clients say which encodings they prefer, and which they do not take";
const VERSION_2: Reason =
    "who could still ask for version 1 could be shown answers without their headers";
const PARTS: Reason = "gateways verify every part, but only the first callbacks";
const CERTIFIED_ETAG: Reason = "an entity tag that is not certified could pin an old copy";
const CACHES: Reason = "caches keep what was negotiated apart";
const METHODS: Reason = "only GET and HEAD have answers";
const EMPTY_HEAD: Reason = "an answer to HEAD has no body";

/// A site with these assets, all of them text.
fn showing(it: &crate::Play, files: &[(&str, &str)]) {
    let files: Vec<_> = files
        .iter()
        .map(|(key, body)| {
            let content_type = if key.ends_with(".html") {
                "text/html"
            } else {
                "text/plain"
            };
            (*key, content_type, body.as_bytes())
        })
        .collect();
    it.upload(&files);
}

/// An asset in these encodings, with its encoding's name for content.
fn encoded(it: &crate::Play, key: &str, encodings: &[&str]) {
    let mut operations = vec![create(key, "text/plain").into()];
    operations.extend(
        encodings
            .iter()
            .map(|name| inline(key, name, name.as_bytes()).into()),
    );
    it.apply(operations);
}

fn body_for(it: &crate::Play, url: &str, accepted: &str) -> Seen {
    seen(&it.get(url).with_header("Accept-Encoding", accepted))
}

#[derive(CandidType, Deserialize, Debug)]
struct Token {
    key: String,
    content_encoding: String,
    index: u128,
    sha256: Option<ByteBuf>,
}

#[derive(CandidType, Deserialize, Debug)]
struct Streamed {
    body: ByteBuf,
    token: Option<Token>,
}

checks! {
    fn an_encoding_that_is_accepted_is_sent(it: Play) {
        encoded(&it, "/a", &["identity", "gzip"]);
        assert_eq!(body_for(&it, "/a", "identity"), shown("identity"));
        assert_eq!(body_for(&it, "/a", "gzip"), shown("gzip"));
        assert_eq!(body_for(&it, "/a", "gzip, deflate, br"), shown("gzip"));
        assert_eq!(body_for(&it, "/a", "unheard-of"), shown("identity"));
        let zipped = it.get("/a").with_header("Accept-Encoding", "gzip").unverified();
        assert_eq!(header(&zipped, "content-encoding"), ["gzip"]);
        encoded(&it, "/b", &["identity", "gzip", "br"]);
        assert_eq!(body_for(&it, "/b", "br, deflate, gzip"), shown("br"));
    }

    fn quality_values_count(it: Play) {
        encoded(&it, "/a", &["identity", "gzip", "br"]);
        let asked = body_for(&it, "/a", "br;q=1.0, gzip;q=0.5");
        assert_eq!(asked, it.either(PREFERENCES, shown("identity"), shown("br")));
        let asked = body_for(&it, "/a", "gzip;q=0, br");
        assert_eq!(asked, shown("br"));
    }

    fn an_asset_without_content_is_not_there(it: Play) {
        it.apply([create("/a", "text/plain").into()]);
        assert_eq!(it.sees("/a"), missing());
    }

    fn old_gateways_are_not_served(it: Play) {
        showing(&it, &[("/a", "a")]);
        let answer = it.get("/a").certificate_version(None).unverified();
        let is_version_2 = header(&answer, "ic-certificate")[0].contains("version=2");
        assert_eq!(is_version_2, it.either(VERSION_2, false, true));
    }

    fn the_front_page_is_the_fallback(it: Play) {
        showing(&it, &[("/index.html", "home"), ("/deep/nested/page.html", "page")]);
        for url in ["/nonexistent", "/deep/nested/folder/nonexistent", "/deep"] {
            assert_eq!(it.sees(url), shown("home"), "{url}");
        }
        assert_eq!(it.sees("/deep/nested/page"), shown("page"));
        let answer = it.get("/nonexistent").unverified();
        let certificate = header(&answer, "ic-certificate")[0];
        assert!(certificate.contains("expr_path=:2dn3gmlodHRwX2V4cHJjPCo+:"), "{certificate}");
    }

    fn pages_answer_for_shorter_paths(it: Play) {
        showing(&it, &[
            ("/contents.html", "contents"),
            ("/index.html", "home"),
            ("/subdirectory/index.html", "sub"),
        ]);
        for (url, body) in [
            ("/contents", "contents"),
            ("/contents.html", "contents"),
            ("/", "home"),
            ("/index", "home"),
            ("/index.html", "home"),
            ("/subdirectory", "sub"),
            ("/subdirectory/", "sub"),
            ("/subdirectory/index", "sub"),
        ] {
            assert_eq!(it.sees(url), shown(body), "{url}");
        }
    }

    fn a_file_goes_before_an_alias(it: Play) {
        showing(&it, &[("/contents.html", "alias")]);
        assert_eq!(it.sees("/contents"), shown("alias"));
        showing(&it, &[("/contents", "file")]);
        assert_eq!(it.sees("/contents"), shown("file"));
        it.apply([delete("/contents")]);
        assert_eq!(it.sees("/contents"), shown("alias"));
    }

    fn an_asset_need_not_have_aliases(it: Play) {
        let page = CreateAsset {
            enable_aliasing: Some(false),
            ..create("/page.html", "text/html")
        };
        it.apply([page.into(), inline("/page.html", "identity", b"page").into()]);
        for _ in 0..2 {
            assert_eq!(it.sees("/page.html"), shown("page"));
            assert_eq!(it.get("/page").unverified().status_code, 404);
            it.upgrade();
        }
    }

    fn urls_are_decoded(it: Play) {
        let keys = ["/%", "/%%", "/%e%", "/ %a", "/a+b+c d", "/æ", "/filename?withqmark.txt"];
        showing(&it, &keys.map(|key| (key, key)));
        let urls = ["/%", "/%%", "/%e%", "/%20%a", "/a+b+c%20d", "/%C3%A6", "/filename%3fwithqmark.txt"];
        for (key, url) in keys.into_iter().zip(urls) {
            let answer = it.get(url).unverified();
            assert_eq!((answer.status_code, &answer.body[..]), (200, key.as_bytes()), "{url}");
        }
        assert_eq!(it.sees("/a+b+c%20d"), shown("/a+b+c d"));
        assert_eq!(it.sees("/%C3%A6?query"), shown("/æ"));
        let answer = it.get("/%FF%FF").unverified();
        assert_eq!(answer.status_code, 400);
        assert_eq!(answer.body, "failed to decode path '/%FF%FF': invalid percent encoding");
    }

    fn headers_are_sent_and_certified(it: Play) {
        let page = CreateAsset {
            max_age: Some(604_800),
            headers: Some(headers(&[("Access-Control-Allow-Origin", "*"), ("X-Content-Type-Options", "nosniff")])),
            ..create("/a.html", "text/html")
        };
        it.apply([page.into(), inline("/a.html", "identity", b"a").into()]);
        assert_eq!(it.sees("/a.html"), shown("a"));
        let answer = it.get("/a.html").unverified();
        for (name, value) in [
            ("content-type", "text/html"),
            ("cache-control", "max-age=604800"),
            ("access-control-allow-origin", "*"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(header(&answer, name), [value], "{name}");
        }
        let set = SetAssetProperties {
            headers: Some(Some(headers(&[("Cache-Control", "no-store")]))),
            ..properties("/a.html")
        };
        it.apply([Operation::SetAssetProperties(set)]);
        let answer = it.get("/a.html").unverified();
        assert_eq!(it.sees("/a.html"), shown("a"));
        assert_eq!(header(&answer, "cache-control"), ["no-store"], "a header of one's own wins");
        assert!(header(&answer, "x-content-type-options").is_empty());
    }

    fn raw_access_can_be_refused(it: Play) {
        let page = CreateAsset {
            allow_raw_access: Some(false),
            ..create("/a.html", "text/html")
        };
        it.apply([page.into(), inline("/a.html", "identity", b"a").into()]);
        showing(&it, &[("/b.html", "b")]);
        let canister = it.canister();
        for (host, domain) in [("a-b-c.raw.icp0.io", "icp0.io"), ("a-b-c.raw.ic0.app", "ic0.app")] {
            let at = |url| it.get(url).with_header("Host", host).unverified();
            let moved = at("/a.html?b=c");
            assert_eq!(moved.status_code, 308);
            let expected = format!("https://{canister}.{domain}/a.html?b=c");
            assert_eq!(header(&moved, "location"), [expected]);
            assert_eq!(at("/b.html").status_code, 200);
        }
        let verified = it.get("/a.html").with_header("Host", "a-b-c.icp0.io");
        assert_eq!(seen(&verified), shown("a"));
    }

    fn large_content_comes_in_pieces(it: Play) {
        let chunks = [vec![b'a'; 1_900_000], b"end".to_vec()];
        it.upload(&[("/film.mp4", "video/mp4", &chunks.concat())]);
        let answer = it.get("/film.mp4").unverified();
        assert_eq!(answer.status_code, it.either(PARTS, 200, 206));
        assert!(!answer.body.is_empty() && chunks[0].starts_with(&answer.body));
        assert_eq!(answer.streaming_strategy.is_some(), it.is(Subject::Legacy));
        // Whoever has a token is answered.
        let sha256 = Sha256::digest(chunks.concat()).to_vec();
        let token = |sha256| Token {
            key: "/film.mp4".to_owned(),
            content_encoding: "identity".to_owned(),
            index: 1,
            sha256,
        };
        let stream = |sha256| {
            it.owner().query::<(Streamed,)>("http_request_streaming_callback", (token(sha256),))
        };
        let (streamed,) = stream(Some(ByteBuf::from(sha256))).unwrap();
        assert_eq!(streamed.body, chunks[1]);
        assert!(streamed.token.is_none());
        refused_for(stream(None), "sha256 required", "");
        refused_for(stream(Some(ByteBuf::from([7; 32]))), "sha256 mismatch", "");
    }

    fn entity_tags_are_certified(it: Play) {
        showing(&it, &[("/a", "a")]);
        let expected = format!("\"{}\"", hex::encode(Sha256::digest("a")));
        let answer = it.get("/a").unverified();
        assert_eq!(header(&answer, "etag"), [expected.as_str()]);
        let is_certified = !uncertified(&it.get("/a")).contains(&"etag".to_owned());
        assert_eq!(is_certified, it.either(CERTIFIED_ETAG, false, true));
        let again = it.get("/a").with_header("If-None-Match", &expected);
        let expected = it.either(CERTIFIED_ETAG, shown("a"), Seen::Proven(304, String::new()));
        assert_eq!(seen(&again), expected);
    }

    fn what_was_negotiated_says_so(it: Play) {
        encoded(&it, "/a", &["identity", "gzip"]);
        let varies = !header(&it.get("/a").unverified(), "vary").is_empty();
        assert_eq!(varies, it.either(CACHES, false, true));
    }

    fn ranges_are_answered(it: Play) {
        it.upload(&[("/film.mp4", "video/mp4", &vec![b'a'; 2_000_000])]);
        let range = it.get("/film.mp4").with_header("Range", "bytes=1900000-");
        let answer = range.unverified();
        assert_eq!(answer.status_code, it.either(PARTS, 200, 206));
        if it.is(Subject::Hallmark) {
            range.verify(&answer).unwrap();
        }
    }

    fn other_methods_are_not_allowed(it: Play) {
        showing(&it, &[("/a", "a")]);
        let head = seen(&it.get("/a").method("HEAD"));
        assert_eq!(head, it.either(EMPTY_HEAD, shown("a"), shown("")));
        let post = it.get("/a").method("POST").unverified();
        assert_eq!(post.status_code, it.either(METHODS, 200, 405));
    }
}
