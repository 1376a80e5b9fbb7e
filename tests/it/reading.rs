//! Reading assets by calls: in the chunks that they were uploaded in.

use crate::interface::*;
use crate::scene::{Caller, Refusal, Scene, refused_for};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

#[derive(candid::CandidType, candid::Deserialize, Debug)]
struct Encoded {
    content: ByteBuf,
    content_type: String,
    content_encoding: String,
    sha256: Option<ByteBuf>,
    total_length: u128,
}

fn get(caller: Caller<'_>, key: &str, encodings: &[&str]) -> Result<Encoded, Refusal> {
    #[derive(candid::CandidType)]
    struct Get<'a> {
        key: &'a str,
        accept_encodings: &'a [&'a str],
    }
    let get = Get {
        key,
        accept_encodings: encodings,
    };
    let (encoded,) = caller.query("get", (get,))?;
    Ok(encoded)
}

fn get_chunk(
    caller: Caller<'_>,
    key: &str,
    index: u128,
    sha256: Option<ByteBuf>,
) -> Result<ByteBuf, Refusal> {
    #[derive(candid::CandidType, candid::Deserialize)]
    struct Content {
        content: ByteBuf,
    }
    let chunk = Chunk {
        key: key.to_owned(),
        content_encoding: "identity".to_owned(),
        index,
        sha256,
    };
    let (reply,): (Content,) = caller.query("get_chunk", (chunk,))?;
    Ok(reply.content)
}

fn retrieve(caller: Caller<'_>, key: &str) -> Result<ByteBuf, Refusal> {
    let (content,) = caller.query("retrieve", (key,))?;
    Ok(content)
}

/// `/page.html` in two chunks and gzip, `/small.txt` in one.
fn scene() -> Scene {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let chunks = owner
        .create_chunks(batch, &[b"first, ", b"second"])
        .unwrap();
    let operations = vec![
        create("/page.html", "text/html").into(),
        content("/page.html", "identity", &chunks).into(),
        inline("/page.html", "gzip", b"zipped").into(),
        create("/small.txt", "text/plain").into(),
        inline("/small.txt", "identity", b"small").into(),
        create("/zipped.txt", "text/plain").into(),
        inline("/zipped.txt", "gzip", b"zipped").into(),
    ];
    owner.commit(batch, operations).unwrap();
    scene
}

#[test]
fn an_asset_is_read_chunk_by_chunk() {
    let scene = scene();
    let reader = scene.caller(candid::Principal::anonymous());
    let first = get(reader, "/page.html", &["br", "identity", "gzip"]).unwrap();
    assert_eq!(first.content, b"first, ");
    assert_eq!(first.content_type, "text/html");
    assert_eq!(first.content_encoding, "identity");
    assert_eq!(first.total_length, 13);
    let sha256 = Some(ByteBuf::from(Sha256::digest(b"first, second").to_vec()));
    assert_eq!(first.sha256, sha256);
    let chunk = |index| get_chunk(reader, "/page.html", index, sha256.clone());
    assert_eq!(chunk(0).unwrap(), b"first, ");
    assert_eq!(chunk(1).unwrap(), b"second");
    refused_for(chunk(2), "chunk index out of bounds", "/page.html");
    refused_for(chunk(u128::MAX), "chunk index out of bounds", "/page.html");
    refused_for(
        get_chunk(reader, "/page.html", 1, None),
        "sha256 required",
        "/page.html",
    );
    for wrong in [vec![0; 32], vec![1, 2]] {
        refused_for(
            get_chunk(reader, "/page.html", 1, Some(wrong.into())),
            "sha256 mismatch",
            "/page.html",
        );
    }
}

#[test]
fn assets_are_read_by_their_aliases_too() {
    let scene = scene();
    let owner = scene.owner();
    assert_eq!(get(owner, "/page", &["gzip"]).unwrap().content, b"zipped");
    assert_eq!(retrieve(owner, "/small.txt").unwrap(), b"small");
}

#[test]
fn what_is_not_there_cannot_be_read() {
    let scene = scene();
    let owner = scene.owner();
    let sha256 = Some(ByteBuf::from([0; 32]));
    refused_for(
        get(owner, "/nothing", &["identity"]),
        "asset not found",
        "/nothing",
    );
    refused_for(
        get(owner, "/page.html", &["br"]),
        "no such encoding",
        "/page.html",
    );
    refused_for(
        get_chunk(owner, "/nothing", 0, sha256.clone()),
        "asset not found",
        "/nothing",
    );
    refused_for(
        get_chunk(owner, "/zipped.txt", 0, sha256),
        "no such encoding",
        "/zipped.txt",
    );
    refused_for(retrieve(owner, "/nothing"), "asset not found", "/nothing");
    refused_for(
        retrieve(owner, "/zipped.txt"),
        "no identity encoding",
        "/zipped.txt",
    );
    refused_for(
        retrieve(owner, "/page.html"),
        "Asset too large. Use get() and get_chunk() instead.",
        "/page.html",
    );
}
