//! Lists, single assets and chunks, hashes, what an upgrade keeps.

use crate::interface::*;
use crate::scene::{Caller, MAX_CHUNK, Refusal, refused_for};
use crate::{NEWER, Reason, Subject, checks, shown};
use candid::{CandidType, Deserialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

const UNSPOILT: Reason =
    "the cookie is not among the headers, so a page equals what the uploader has";

#[derive(CandidType, Deserialize, Debug)]
struct Encoded {
    content: ByteBuf,
    content_type: String,
    content_encoding: String,
    total_length: u128,
    sha256: Option<ByteBuf>,
}

#[derive(CandidType)]
struct Get<'a> {
    key: &'a str,
    accept_encodings: Vec<&'a str>,
}

#[derive(CandidType)]
struct GetChunk<'a> {
    key: &'a str,
    content_encoding: &'a str,
    index: u128,
    sha256: Option<ByteBuf>,
}

#[derive(CandidType, Deserialize, Debug)]
struct Chunk {
    content: ByteBuf,
}

#[derive(CandidType, Default)]
struct Store<'a> {
    key: &'a str,
    content_type: &'a str,
    content_encoding: &'a str,
    content: ByteBuf,
    sha256: Option<ByteBuf>,
}

fn store(owner: Caller<'_>, key: &str, content: &[u8]) -> Result<(), Refusal> {
    let argument = Store {
        key,
        content_type: "text/plain",
        content_encoding: "identity",
        content: ByteBuf::from(content),
        sha256: None,
    };
    owner.update("store", (argument,))
}

fn get(owner: Caller<'_>, key: &str, accept_encodings: &[&str]) -> Result<Encoded, Refusal> {
    let accept_encodings = accept_encodings.to_vec();
    let (found,) = owner.query(
        "get",
        (Get {
            key,
            accept_encodings,
        },),
    )?;
    Ok(found)
}

fn get_chunk(
    owner: Caller<'_>,
    key: &str,
    index: u128,
    sha256: Option<&[u8]>,
) -> Result<Vec<u8>, Refusal> {
    let sha256 = sha256.map(ByteBuf::from);
    let wanted = GetChunk {
        key,
        content_encoding: "identity",
        index,
        sha256,
    };
    let (chunk,): (Chunk,) = owner.query("get_chunk", (wanted,))?;
    Ok(chunk.content.into_vec())
}

/// Uploads content in exactly these chunks.
fn upload_chunks(owner: Caller<'_>, key: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let batch = owner.create_batch().unwrap();
    let ids: Vec<u128> = chunks
        .iter()
        .map(|chunk| owner.create_chunk(batch, chunk).unwrap())
        .collect();
    let operations = vec![
        create(key, "text/plain").into(),
        content(key, "identity", &ids).into(),
    ];
    owner.commit(batch, operations).unwrap();
    Sha256::digest(chunks.concat()).to_vec()
}

checks! {
    fn lists_have_pages_of_a_hundred(it: Play) {
        let operations = (0..150).map(|number| create(&format!("/{number:03}"), "text/plain").into());
        it.owner().commit(0, operations.collect()).unwrap();
        let page = |start, length| {
            let mut keys: Vec<String> = Vec::new();
            keys.extend(it.owner().list(start, length).unwrap().into_iter().map(|asset| asset.key));
            (keys.len(), keys.is_sorted())
        };
        // The older list takes no argument and knows no order.
        let all = page(None, None).0;
        assert_eq!(all, it.either(NEWER, 150, 100));
        if it.is(Subject::Hallmark) {
            assert_eq!(page(Some(100), None), (50, true));
            assert_eq!(page(Some(150), None), (0, true));
            assert_eq!(page(None, Some(5)), (5, true));
            assert_eq!(page(None, Some(150)), (100, true));
            assert_eq!(page(None, Some(0)), (0, true));
        }
    }

    fn content_is_read_chunk_by_chunk(it: Play) {
        let owner = it.owner();
        let sha256 = upload_chunks(owner, "/a.txt", &[b"first ", b"second"]);
        let first = get(owner, "/a.txt", &["gzip", "identity"]).unwrap();
        assert_eq!((&first.content[..], first.total_length), (&b"first "[..], 12));
        assert_eq!((&*first.content_type, &*first.content_encoding), ("text/plain", "identity"));
        assert_eq!(first.sha256.as_deref(), Some(&sha256));
        assert_eq!(get_chunk(owner, "/a.txt", 0, Some(&sha256)).unwrap(), b"first ");
        assert_eq!(get_chunk(owner, "/a.txt", 1, Some(&sha256)).unwrap(), b"second");
        refused_for(get_chunk(owner, "/a.txt", 1, None), "sha256 required", "");
        refused_for(get_chunk(owner, "/a.txt", 1, Some(&[7; 32])), "sha256 mismatch", "");
        refused_for(get_chunk(owner, "/a.txt", 2, Some(&sha256)), "chunk index out of bounds", "");
        refused_for(get_chunk(owner, "/b.txt", 0, Some(&sha256)), "asset not found", "");
        refused_for(get(owner, "/a.txt", &["gzip"]), "no such encoding", "");
        refused_for(get(owner, "/b.txt", &["identity"]), "asset not found", "");
    }

    fn single_assets_are_stored_and_retrieved(it: Play) {
        let owner = it.owner();
        store(owner, "AA", b"hello, world!").unwrap();
        let (content,): (ByteBuf,) = owner.query("retrieve", ("AA",)).unwrap();
        assert_eq!(content, b"hello, world!");
        let retrieve = |key: &str| owner.query::<(ByteBuf,)>("retrieve", (key,));
        refused_for(retrieve("C"), "asset not found", "");
        upload_chunks(owner, "/large", &[&vec![1; MAX_CHUNK], b"more"]);
        refused_for(retrieve("/large"), "Asset too large.", "Use get() and get_chunk() instead.");
        let wrong = Store { key: "/w", content_type: "a/b", content_encoding: "identity", sha256: Some(ByteBuf::from([7; 32])), ..Store::default() };
        refused_for(owner.update::<()>("store", (wrong,)), "sha256 mismatch", "");
    }

    fn properties_are_set_kept_and_cleared(it: Play) {
        let owner = it.owner();
        let created = CreateAsset {
            max_age: Some(60),
            headers: Some(headers(&[("X-A", "1")])),
            ..create("/a.txt", "text/plain")
        };
        owner.commit(0, vec![created.into(), inline("/a.txt", "identity", b"a").into()]).unwrap();
        let set = SetAssetProperties {
            max_age: Some(None),
            allow_raw_access: Some(Some(false)),
            is_aliased: Some(Some(true)),
            ..properties("/a.txt")
        };
        owner.update::<()>("set_asset_properties", (set,)).unwrap();
        let expected = AssetProperties {
            max_age: None,
            headers: Some(headers(&[("X-A", "1")])),
            allow_raw_access: Some(false),
            is_aliased: Some(true),
        };
        assert_eq!(owner.properties("/a.txt").unwrap(), expected);
        refused_for(owner.properties("/b.txt"), "asset not found", "");
    }

    fn an_upgrade_keeps_everything(it: Play) {
        it.upload(&[("/index.html", "text/html", b"home"), ("/a.txt", "text/plain", b"a")]);
        let before = it.owner().list(None, None).unwrap().len();
        it.upgrade();
        assert_eq!(it.owner().list(None, None).unwrap().len(), before);
        for (url, body) in [("/", "home"), ("/a.txt", "a"), ("/elsewhere", "home")] {
            assert_eq!(it.sees(url), shown(body), "{url}");
        }
    }

    /// As an uploader computes it from its directory.
    fn all_of_the_content_has_one_hash(it: Play) {
        let compute = || it.owner().update::<(Option<String>,)>("compute_state_hash", ());
        assert_eq!(compute().is_ok(), it.either(NEWER, false, true));
        if it.is(Subject::Legacy) {
            return;
        }
        let hash = || compute().unwrap().0.unwrap();
        assert_eq!(hash(), hex::encode(Sha256::digest(b"")));
        let operations = vec![
            create("/a.js", "text/javascript").into(),
            inline("/a.js", "gzip", b"gz").into(),
            inline("/a.js", "identity", b"id").into(),
        ];
        it.owner().commit(0, operations).unwrap();
        assert_eq!(hash(), "44999a136b866548eb6c806a6485132e46fdc97325cf22b0dcdb0fc3bf9c1cb1");
        // Also after methods other than commits.
        it.owner().update::<()>("clear", ()).unwrap();
        assert_eq!(hash(), hex::encode(Sha256::digest(b"")));
    }

    fn pages_tell_of_the_environment(it: Play) {
        it.upload(&[("/index.html", "text/html", b"home"), ("/a.txt", "text/plain", b"a")]);
        let cookie = || crate::header(&it.get("/").unverified(), "set-cookie").join("");
        let is_told = cookie().starts_with("ic_env=ic%5Froot%5Fkey%3D") && cookie().ends_with("; SameSite=Lax");
        assert_eq!(is_told, it.either(NEWER, false, true), "{}", cookie());
        // Of variables with the next commit, and only of those that are public.
        it.set_environment(&[("PUBLIC_TEST2", "value2"), ("TEST3", "value3"), ("PUBLIC_TEST1", "value1")]);
        it.apply([]);
        let told = "%26PUBLIC%5FTEST1%3Dvalue1%26PUBLIC%5FTEST2%3Dvalue2; SameSite=Lax";
        assert_eq!(cookie().ends_with(told), it.either(NEWER, false, true), "{}", cookie());
        assert!(crate::header(&it.get("/a.txt").unverified(), "set-cookie").is_empty());
        let stored = it.owner().properties("/index.html").unwrap().headers;
        // Those versions of the canister of dfx that do tell keep it there.
        assert_eq!(stored, None, "{UNSPOILT}");
    }
}
