//! The state of an asset canister of dfx becomes the site that it describes, or nothing at all.

use crate::{
    state::{Asset, Configuration, Permissions, State, Time},
    world::{NOW, World, hashes, next_part},
};
use candid::Principal;
use ic_hallmark::{
    Error, Site,
    access::Permission,
    import::{Damaged, ImportError},
    serve::{Request, serve_importing},
    site::{Content, Lock, Operation, PART, Properties},
    upload::Limits,
};
use ic_stable_structures::{Memory, VectorMemory, memory_manager::VirtualMemory};
use proptest::prelude::*;
use std::cell::Cell;

type Imported = Site<VirtualMemory<VectorMemory>>;

const ALICE: Principal = Principal::from_slice(&[1; 29]);
const BOB: Principal = Principal::from_slice(&[2]);

/// Bytes without a pattern that repeats within them.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

/// A state with one of everything.
fn everything() -> State {
    let page = Asset {
        max_age: Some(600),
        is_aliased: Some(true),
        allow_raw_access: Some(false),
        ..Asset::new("text/html")
    };
    let permissions = Permissions {
        commit: vec![ALICE],
        prepare: vec![BOB],
        manage_permissions: vec![ALICE, BOB],
    };
    let configuration = Configuration {
        max_batches: Some(3),
        max_chunks: Some(1),
        max_bytes: Some(100),
    };
    let large = noise(2 * PART as usize + 5);
    State {
        authorized: vec![BOB],
        permissions: Some(permissions),
        next_batch_id: Some(58u8.into()),
        configuration: Some(configuration),
        last_state_update_timestamp: Some(77),
        ..State::default()
    }
    .with(
        "/empty.txt",
        Asset::new("text/plain").with("identity", &[b""], 5),
    )
    .with(
        "/index.html",
        page.header("X-Frame-Options", "DENY")
            .header("Set-Cookie", "ic_env=ic%5Froot%5Fkey%3D; SameSite=Lax")
            .with("identity", &[b"<p>", b"hello", b"</p>"], 10)
            .with("gzip", &[b"zipped"], 20),
    )
    .with(
        "/large.bin",
        Asset::new("application/octet-stream")
            .with("br", &[b"small"], 30)
            .with("identity", &large.chunks(1_000_003).collect::<Vec<_>>(), 40),
    )
    .with("/nothing", Asset::new("text/plain"))
    .with(
        "no slash",
        Asset::new("text/plain").with("identity", &[b"x"], 50),
    )
    .with(
        "/unaliased.html",
        Asset {
            is_aliased: Some(false),
            ..Asset::new("text/html").with("identity", &[b"u"], 60)
        },
    )
}

fn both(state: &State) -> [Vec<u8>; 2] {
    [state.candid(), state.cbor()]
}

/// A stable memory that begins with these bytes.
fn memory_of(bytes: &[u8]) -> VectorMemory {
    let memory = VectorMemory::default();
    memory.grow((bytes.len() as u64).div_ceil(65_536).max(1));
    memory.write(0, bytes);
    memory
}

/// Imports as a whole.
fn imported(bytes: &[u8]) -> Result<Imported, Error> {
    let mut site = Site::of_stable_memory(memory_of(bytes))?;
    let progress = site.import(NOW, Damaged::Refuse, &|_| true)?;
    assert_eq!((progress.left, site.importing()), (0, None));
    assert!(progress.damaged.is_empty());
    Ok(site)
}

/// Room for one step.
fn once() -> impl Fn(u64) -> bool {
    let is_first = Cell::new(true);
    move |_| is_first.replace(false)
}

/// The same site, made by uploads.
fn uploaded(state: &State) -> World {
    let mut world = World::new();
    for (key, asset) in &state.stable_assets {
        let mut headers = asset.headers.clone();
        if let Some(headers) = &mut headers {
            headers.remove("Set-Cookie");
        }
        let key = key.clone();
        let properties = Properties {
            content_type: asset.content_type.clone(),
            max_age: asset.max_age,
            headers: headers.filter(|headers| !headers.is_empty()),
            is_aliased: asset.is_aliased,
            allow_raw_access: asset.allow_raw_access,
        };
        let create = Operation::Create {
            key: key.clone(),
            properties,
        };
        let set = asset.encodings.iter().map(|(name, encoding)| {
            let bytes: Vec<&[u8]> = encoding.content_chunks.iter().map(|c| &c[..]).collect();
            Operation::SetContent {
                key: key.clone(),
                encoding: name.clone(),
                content: Content::from(bytes.concat()),
                sha256: None,
            }
        });
        world
            .site
            .commit([create].into_iter().chain(set), NOW)
            .unwrap();
    }
    world
}

#[test]
fn the_site_is_the_one_that_uploads_would_have_made() {
    let expected = uploaded(&everything());
    for bytes in both(&everything()) {
        let site = imported(&bytes).unwrap();
        assert_eq!(hashes(&site), hashes(&expected.site));
        let mut modified = Vec::new();
        site.visit_assets(0, 100, |_, asset| {
            modified.extend(asset.encodings.values().map(|encoding| encoding.modified));
        })
        .unwrap();
        assert_eq!(modified, [5, 20, 10, 30, 40, 60, 50]);
        site.check().unwrap();
    }
}

#[test]
fn answers_verify() {
    for bytes in both(&everything()) {
        let world = World::around(imported(&bytes).unwrap());
        let page = world.get("/");
        assert_eq!((page.status, &page.body[..]), (200, &b"<p>hello</p>"[..]));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("set-cookie"), None);
        let zipped = world.ask(&Request::get("/").with_header("accept-encoding", "gzip"));
        assert_eq!(zipped.body, b"zipped");
        let mut part = world.get("/large.bin");
        let mut joined = part.body.clone();
        while let Some(rest) = next_part("/large.bin", &part) {
            part = world.ask(&rest);
            joined.extend(&part.body);
        }
        assert!(joined == noise(2 * PART as usize + 5));
        assert_eq!(world.get("/unaliased").body, b"<p>hello</p>");
        assert_eq!(world.get("/unaliased.html").body, b"u");
    }
}

#[test]
fn permissions_limits_and_batch_ids_are_kept() {
    for (bytes, last_change) in both(&everything()).into_iter().zip([77, 77]) {
        let mut site = imported(&bytes).unwrap();
        let permitted = |permission| site.access().permitted(permission).collect::<Vec<_>>();
        assert_eq!(permitted(Permission::Commit), [ALICE]);
        assert_eq!(permitted(Permission::Prepare), [BOB]);
        assert_eq!(permitted(Permission::ManagePermissions), [ALICE, BOB]);
        let limits = Limits {
            max_batches: Some(3),
            max_chunks: Some(1),
            max_bytes: Some(100),
        };
        assert_eq!(site.limits(), limits);
        assert_eq!(site.last_change(), last_change);
        assert_eq!(site.create_batch(ALICE, NOW).unwrap(), 58);
    }
}

/// The oldest canisters knew only who is authorized, and when the assets last changed none did before CBOR.
#[test]
fn what_an_old_state_does_not_say_has_a_default() {
    let state = State {
        authorized: vec![ALICE],
        ..State::default()
    };
    let asset = Asset::new("text/plain").with("identity", &[b"a"], 12);
    for bytes in both(&state.with("/a", asset)) {
        let mut site = imported(&bytes).unwrap();
        assert!(site.access().permitted(Permission::Commit).eq([ALICE]));
        assert_eq!(site.access().permitted(Permission::Prepare).count(), 0);
        assert_eq!(site.limits(), Limits::default());
        assert_eq!(site.last_change(), 12);
        assert_eq!(site.create_batch(ALICE, NOW).unwrap(), 1);
    }
}

/// Each step leaves a site of which nothing leaks, and that a canister finds again after an upgrade. Whatever is
/// asked meanwhile is answered as it will be, certified or by an update call.
#[test]
fn an_import_goes_on_in_any_number_of_steps() {
    let expected = uploaded(&everything());
    let urls = ["/", "/empty.txt", "/large.bin", "/unaliased", "/else/where"];
    for bytes in both(&everything()) {
        let memory = memory_of(&bytes);
        let mut steps = 0;
        loop {
            let mut world = World::around(Site::of_stable_memory(memory.clone()).unwrap());
            world.site.check().unwrap();
            for url in urls {
                let request = Request::get(url);
                let is_whole = url != "/large.bin";
                let answer = ic_hallmark::serve::serve(&world.site, &request, &[]);
                if !answer.upgrade {
                    let answer = world.get(url);
                    assert_eq!(answer.body, expected.get(url).body, "{url}");
                } else if steps == 0 && is_whole {
                    // On a copy: the steps shall have something left to do.
                    let copy = VectorMemory::default();
                    copy.grow(memory.size());
                    copy.write(0, &memory.borrow()[..]);
                    let mut site = Site::of_stable_memory(copy).unwrap();
                    let answer = serve_importing(&mut site, &request, NOW, &|_| true).unwrap();
                    assert_eq!(answer.status, 200, "{url}");
                    assert_eq!(answer.body, expected.get(url).body, "{url}");
                    assert_eq!(answer.header("ic-certificate"), None);
                    site.check().unwrap();
                }
            }
            world.site.import(NOW, Damaged::Refuse, &once()).unwrap();
            steps += 1;
            if world.site.importing().is_none() {
                assert_eq!(hashes(&world.site), hashes(&expected.site));
                world.site.check().unwrap();
                break;
            }
        }
        // A group before the large asset, its first encoding, two parts, the last part, the group after it.
        assert!((5..10).contains(&steps), "{steps}");
    }
}

#[test]
fn what_does_not_fit_into_an_update_call_is_asked_for_again() {
    let mut site = Site::of_stable_memory(memory_of(&everything().cbor())).unwrap();
    let request = Request::get("/large.bin");
    let answer = serve_importing(&mut site, &request, NOW, &once()).unwrap();
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
    let answer = serve_importing(&mut site, &request, NOW, &|_| true).unwrap();
    assert_eq!(answer.status, 503, "a query answers in parts");
    let mut world = World::around(site);
    assert_eq!(world.get("/large.bin").status, 206);
    assert!(world.site.importing().is_some());
    world.site.import(NOW, Damaged::Refuse, &|_| true).unwrap();
    assert_eq!(hashes(&world.site), hashes(&uploaded(&everything()).site));
}

#[test]
fn the_space_of_the_old_state_is_used_again() {
    let large = noise(3_000_000);
    let chunks: Vec<&[u8]> = large.chunks(PART as usize).collect();
    let asset = Asset::new("a/b").with("identity", &chunks, 1);
    let mut site = imported(&State::default().with("/a", asset).cbor()).unwrap();
    let before = site.check().unwrap().body_bytes;
    site.put("/b", "a/b", vec![1; 2_900_000], NOW).unwrap();
    assert_eq!(site.check().unwrap().body_bytes, before);
}

/// Two pages of the state move; its length may be anything around that.
#[test]
fn a_state_may_have_any_length() {
    for length in [
        0,
        60_000,
        65_536,
        131_072,
        140_000,
        196_608,
        65 * 65_536,
        130 * 65_536,
    ] {
        let content = noise(length);
        let chunks: Vec<&[u8]> = content.chunks(1_500_000).collect();
        let state = State::default()
            .with("/a", Asset::new("a/b").with("identity", &chunks, 1))
            .with("/b", Asset::new("a/b").with("identity", &[b"b"], 1));
        for bytes in both(&state) {
            let site = imported(&bytes).unwrap();
            assert_eq!(hashes(&site), hashes(&uploaded(&state).site), "{length}");
        }
    }
}

/// Of the longer states of before, the rest may follow.
#[test]
fn what_follows_the_state_is_ignored() {
    for mut bytes in both(&everything()) {
        bytes.extend_from_slice(&noise(70_000));
        imported(&bytes).unwrap();
    }
}

/// Expects a memory to be refused and left alone.
#[track_caller]
fn refusal(bytes: &[u8]) -> ImportError {
    let memory = memory_of(bytes);
    let before = memory.borrow().clone();
    let error = Site::of_stable_memory(memory.clone()).err().unwrap();
    assert_eq!(*memory.borrow(), before);
    match error {
        Error::Import(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn another_canisters_memory_is_foreign() {
    for bytes in [&b"CANB"[..], &[0; 100], &[0xff; 100], &[]] {
        assert_eq!(refusal(bytes), ImportError::Foreign);
    }
}

#[test]
fn an_asset_that_no_site_may_have_is_named() {
    let asset = || Asset::new("text/plain").with("identity", &[b"a"], 1);
    let odd: [(&str, Asset, &str); 6] = [
        ("", asset(), "it is empty"),
        (&"long".repeat(300), asset(), "longlong"),
        ("/a/<$>/b", asset(), "/a/<$>/b"),
        ("/crlf", asset().header("X-A", "a\r\nb"), "/crlf"),
        ("/encoding", asset().with("", &[b"a"], 1), "/encoding"),
        (
            "/type",
            Asset {
                content_type: "ü".to_owned(),
                ..asset()
            },
            "/type",
        ),
    ];
    for (key, asset, named) in odd {
        for bytes in both(&everything().with(key, asset.clone())) {
            let refused = refusal(&bytes);
            assert!(
                matches!(&refused, ImportError::Refused { count: 1, .. }),
                "{refused}"
            );
            assert!(refused.to_string().contains(named), "{refused}");
        }
    }
    let two = everything().with("/<*>", asset()).with("", asset());
    assert!(
        refusal(&two.cbor())
            .to_string()
            .starts_with("2 of the assets")
    );
}

#[test]
fn damaged_content_is_refused_or_kept_and_told() {
    let state = State::default().with("/a", Asset::new("a/b").with("identity", &[b"matter"], 1));
    for mut bytes in both(&state) {
        let at = bytes
            .windows(6)
            .position(|bytes| bytes == b"matter")
            .unwrap();
        bytes[at] = b'M';
        let mut site = Site::of_stable_memory(memory_of(&bytes)).unwrap();
        let refused = site.import(NOW, Damaged::Refuse, &|_| true).unwrap_err();
        assert!(refused.to_string().contains("identity of /a"), "{refused}");
        let progress = site.import(NOW, Damaged::Keep, &|_| true).unwrap();
        assert!(progress.damaged.iter().eq(["/a"]));
        assert_eq!(World::around(site).get("/a").body, b"Matter");
    }
}

/// A small state, for what is tried at every byte of it.
fn small() -> State {
    let mut state = everything();
    state.stable_assets.remove("/large.bin");
    state
}

/// Wherever it breaks off, be it within content; only a number at its very end cannot be told from another.
#[test]
fn a_state_that_breaks_off_is_refused() {
    for bytes in both(&small()) {
        imported(&bytes).unwrap();
        for length in 0..bytes.len() - size_of::<u64>() {
            let mut broken = bytes.clone();
            broken[length..].fill(0xff);
            assert!(imported(&broken).is_err(), "{length} of {}", bytes.len());
        }
    }
}

/// Imports what may be broken: it is refused, or a site comes of it whose answers verify.
fn try_import(bytes: &[u8]) {
    let memory = memory_of(bytes);
    let before = memory.borrow().clone();
    let mut site = match Site::of_stable_memory(memory.clone()) {
        Ok(site) => site,
        Err(_) => {
            assert_eq!(*memory.borrow(), before);
            return;
        }
    };
    if site.import(NOW, Damaged::Refuse, &|_| true).is_ok() {
        site.check().unwrap();
    }
}

#[test]
fn a_flipped_bit_is_no_harm() {
    for bytes in both(&small()) {
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            try_import(&bytes);
        }
    }
}

#[test]
fn huge_lengths_are_refused() {
    // A map, a text, bytes and an array of 2⁶⁴ − 1.
    for head in [0xbb, 0x7b, 0x5b, 0x9b] {
        let mut bytes = vec![0xa1, 0x6d];
        bytes.extend_from_slice(b"stable_assets");
        bytes.push(head);
        bytes.extend_from_slice(&[0xff; 8]);
        let refused = refusal(&bytes);
        assert!(
            matches!(refused, ImportError::Malformed { at: 15..=24, .. }),
            "{refused}"
        );
    }
    // As many types.
    let refused = refusal(b"DIDL\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    assert!(
        matches!(refused, ImportError::Malformed { at: 14, .. }),
        "{refused}"
    );
}

#[test]
fn deep_nesting_is_refused() {
    let mut bytes = vec![0xa1, 0x61, b'x'];
    bytes.extend_from_slice(&[0x81; 60_000]);
    assert!(matches!(refusal(&bytes), ImportError::Malformed { .. }));
    // A list of itself.
    let mut bytes = b"DIDL\x02\x6c\x01\x00\x01\x6d\x01\x01\x00".to_vec();
    bytes.extend_from_slice(&[1; 60_000]);
    assert!(matches!(refusal(&bytes), ImportError::Malformed { .. }));
}

#[test]
fn other_types_than_expected_are_refused() {
    #[derive(candid::CandidType, serde::Serialize)]
    struct Wrong<T> {
        stable_assets: T,
    }
    fn wrong<T: candid::CandidType + serde::Serialize>(stable_assets: T) {
        let state = Wrong { stable_assets };
        for bytes in [
            candid::encode_one(&state).unwrap(),
            serde_cbor::to_vec(&state).unwrap(),
        ] {
            assert!(matches!(refusal(&bytes), ImportError::Malformed { .. }));
        }
    }
    wrong("text");
    wrong(7u64);
    wrong(vec![1u8, 2]);
    wrong(vec![("a".to_owned(), 1u8)]);
    wrong(Some(true));
    wrong(());
    assert!(matches!(
        refusal(&candid::encode_one("text").unwrap()),
        ImportError::Malformed { .. }
    ));
    assert!(matches!(
        refusal(&candid::encode_args(()).unwrap()),
        ImportError::Malformed { .. }
    ));
}

fn an_asset() -> impl Strategy<Value = Asset> {
    let content = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..4);
    let encodings = prop::collection::btree_map("identity|gzip|br", content, 0..3);
    let headers = prop::option::of(prop::collection::btree_map("x-[a-d]", "[a-z ]{0,9}", 0..3));
    let flag = || any::<Option<bool>>();
    (encodings, headers, flag(), flag(), any::<Option<u64>>()).prop_map(
        |(encodings, headers, is_aliased, allow_raw_access, max_age)| {
            let asset = Asset {
                headers,
                is_aliased,
                allow_raw_access,
                max_age,
                ..Asset::new("text/plain")
            };
            encodings.iter().fold(asset, |asset, (name, chunks)| {
                let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
                asset.with(name, &chunks, 1)
            })
        },
    )
}

fn a_state() -> impl Strategy<Value = State> {
    let key = "(/(a|b|index.html|404.html|c.html)){1,3}/?";
    prop::collection::btree_map(key, an_asset(), 0..12).prop_map(|stable_assets| State {
        stable_assets,
        ..State::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_state_becomes_the_site_that_uploads_make(state in a_state()) {
        let state = State {
            // An empty list of headers is one in a state, and none in what uploads say here.
            stable_assets: state.stable_assets.into_iter().map(|(key, mut asset)| {
                asset.headers = asset.headers.filter(|headers| !headers.is_empty());
                (key, asset)
            }).collect(),
            ..state
        };
        let expected = uploaded(&state);
        for bytes in both(&state) {
            let site = imported(&bytes).unwrap();
            prop_assert_eq!(hashes(&site), hashes(&expected.site));
            site.check().unwrap();
        }
    }

    #[test]
    fn any_bytes_are_refused_or_become_a_site(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        try_import(&[b"DIDL", &tail[..]].concat());
        try_import(&[&[0xa7], &tail[..]].concat());
    }

    #[test]
    fn any_damage_is_refused_or_harmless(at in any::<prop::sample::Index>(), patch in prop::collection::vec(any::<u8>(), 1..9)) {
        for mut bytes in both(&small()) {
            let at = at.index(bytes.len());
            for (byte, patch) in bytes[at..].iter_mut().zip(&patch) {
                *byte = *patch;
            }
            try_import(&bytes);
        }
    }
}

/// An encoding's time is kept as it is.
#[test]
fn times_are_nanoseconds() {
    let mut asset = Asset::new("a/b").with("identity", &[b"a"], 1);
    for encoding in asset.encodings.values_mut() {
        encoding.modified = Time(NOW + 1);
    }
    for bytes in both(&State::default().with("/a", asset.clone())) {
        let site = imported(&bytes).unwrap();
        let found = site.asset("/a").unwrap().unwrap();
        assert_eq!(found.encodings["identity"].modified, NOW + 1);
    }
}

/// A site with half of its old content and a lock would neither be imported nor mended.
#[test]
fn no_lock_keeps_an_import_from_its_end() {
    let bytes = everything().candid();
    let mut site = Site::of_stable_memory(memory_of(&bytes)).unwrap();
    site.import(NOW, Damaged::Refuse, &once()).unwrap();
    assert!(site.importing().is_some());
    let lock = Lock {
        delay: 1,
        is_frozen: true,
    };
    let locked = site.set_lock(lock, NOW);
    let done = site.import(NOW, Damaged::Refuse, &|_| true);
    assert_eq!(done.map(|progress| progress.left), Ok(0), "{locked:?}");
    assert_eq!(locked, Err(Error::Importing));
    site.set_lock(lock, NOW).unwrap();
}
