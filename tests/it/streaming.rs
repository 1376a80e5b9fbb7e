//! The streaming callback: answers give no tokens, because gateways do not verify
//! all that they get by callbacks, but a token is answered.

use crate::interface::Chunk;
use crate::scene::{Scene, refused, refused_for};
use candid::{CandidType, Deserialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

/// On the wire this is a record and no option, whatever the legacy interface says:
/// gateways decode it so.
#[derive(CandidType, Deserialize, Debug)]
struct Streamed {
    body: ByteBuf,
    token: Option<Chunk>,
}

fn token(key: &str, index: u128, content: &[u8]) -> Chunk {
    Chunk {
        key: key.to_owned(),
        content_encoding: "identity".to_owned(),
        index,
        sha256: Some(ByteBuf::from(Sha256::digest(content).to_vec())),
    }
}

#[test]
fn a_token_leads_to_the_last_chunk() {
    let body: Vec<u8> = (0..4_000_000).map(|at| (at % 253) as u8).collect();
    let scene = Scene::showing(&[("/film.html", "text/html", &body)]);
    for key in ["/film.html", "/film"] {
        let mut streamed = Vec::new();
        let mut next = Some(token(key, 0, &body));
        while let Some(token) = next {
            let reply = scene
                .owner()
                .query("http_request_streaming_callback", (token,));
            let (reply,): (Streamed,) = reply.unwrap();
            streamed.extend_from_slice(&reply.body);
            next = reply.token;
        }
        assert!(streamed == body, "{key}");
    }
}

#[test]
fn a_token_of_something_else_is_refused() {
    let scene = Scene::showing(&[("/a.txt", "text/plain", b"a")]);
    let stream = |token: Chunk| {
        let reply = scene
            .owner()
            .query("http_request_streaming_callback", (token,));
        reply.map(|(streamed,): (Streamed,)| streamed)
    };
    refused(
        stream(token("/b.txt", 0, b"a")),
        "Invalid token on streaming: key not found.",
    );
    let content_encoding = "gzip".to_owned();
    let gzip = Chunk {
        content_encoding,
        ..token("/a.txt", 0, b"a")
    };
    refused(
        stream(gzip),
        "Invalid token on streaming: encoding not found.",
    );
    let sha256 = None;
    let unhashed = Chunk {
        sha256,
        ..token("/a.txt", 0, b"a")
    };
    refused_for(stream(unhashed), "sha256 required", "/a.txt");
    refused_for(
        stream(token("/a.txt", 0, b"b")),
        "sha256 mismatch",
        "/a.txt",
    );
    refused_for(
        stream(token("/a.txt", 1, b"a")),
        "chunk index out of bounds",
        "/a.txt",
    );
}

/// Gateways verify the first few callbacks only. Parts are all verified.
#[test]
fn a_large_file_is_verified_to_its_last_byte() {
    let body: Vec<u8> = (0..11_000_000)
        .map(|at| ((at * 2_654_435_761_usize) >> 11) as u8)
        .collect();
    let scene = Scene::showing(&[("/large.bin", "application/octet-stream", &body)]);
    assert!(scene.get("/large.bin").whole_body() == body);
}
