//! The asset canister of dfx becomes Hallmark by an upgrade.

use crate::interface::*;
use crate::scene::{Caller, Scene, owner, person, refused, refused_for};
use crate::state::{self, State};
use sha2::{Digest, Sha256};

/// How far an import is.
#[derive(candid::CandidType, candid::Deserialize, Clone, Debug)]
struct Progress {
    done: bool,
    left: u32,
    damaged: Vec<String>,
}

/// What the tests put on the old canister: key, encodings and their chunks.
type Content = (String, Vec<(&'static str, Vec<Vec<u8>>)>);

fn noise(seed: u8, length: usize) -> Vec<u8> {
    let byte = |at: usize| (at.wrapping_mul(0x9e37_79b1) >> 24) as u8 ^ seed;
    (0..length).map(byte).collect()
}

/// Uploads content as clients do: chunks first, then all operations in one commit.
fn deploy(owner: Caller<'_>, assets: &[Content], properties: impl Fn(&str) -> CreateAsset) {
    let batch = owner.create_batch().unwrap();
    let mut operations = Vec::new();
    for (key, encodings) in assets {
        operations.push(properties(key).into());
        for (encoding, chunks) in encodings {
            let whole = chunks.concat();
            let ids: Vec<u128> = chunks
                .iter()
                .map(|chunk| owner.create_chunk(batch, chunk).unwrap())
                .collect();
            let set = SetAssetContent {
                sha256: Some(Sha256::digest(&whole).to_vec().into()),
                ..content(key, encoding, &ids)
            };
            operations.push(set.into());
        }
    }
    owner.commit(batch, operations).unwrap();
}

/// All that the old canister says of its assets. Its list has no pages, and does not show properties.
fn described(owner: Caller<'_>) -> Vec<AssetDetails> {
    let mut assets = owner.list(None, None).unwrap();
    for asset in &mut assets {
        let properties = owner.properties(&asset.key).unwrap();
        asset.max_age = properties.max_age;
        asset.headers = properties.headers;
        asset.allow_raw_access = properties.allow_raw_access;
        asset.is_aliased = properties.is_aliased;
        asset
            .encodings
            .sort_by(|a, b| a.content_encoding.cmp(&b.content_encoding));
        if let Some(headers) = &mut asset.headers {
            headers.sort();
        }
    }
    assets.sort_by(|a, b| a.key.cmp(&b.key));
    assets
}

fn permitted(owner: Caller<'_>) -> [Vec<candid::Principal>; 3] {
    [
        Permission::Commit,
        Permission::Prepare,
        Permission::ManagePermissions,
    ]
    .map(|permission| owner.permitted(permission))
}

fn configuration(owner: Caller<'_>) -> Configuration {
    let (configuration,) = owner.update("get_configuration", ()).unwrap();
    configuration
}

#[test]
fn everything_is_taken_over_and_every_answer_verifies() {
    let mut scene = Scene::legacy();
    let assets: Vec<Content> = vec![
        (
            "/index.html".into(),
            vec![
                ("identity", vec![b"<p>hello</p>".into()]),
                ("gzip", vec![b"zip".into()]),
            ],
        ),
        (
            "/about.html".into(),
            vec![
                ("identity", vec![b"about".into()]),
                ("br", vec![b"br".into()]),
            ],
        ),
        (
            "/plain.html".into(),
            vec![("identity", vec![b"not aliased".into()])],
        ),
        ("/empty.txt".into(), vec![("identity", vec![Vec::new()])]),
        (
            "/zipped.js".into(),
            vec![("gzip", vec![b"only zipped".into()])],
        ),
        (
            "/ä/with space.txt".into(),
            vec![("identity", vec![b"unicode".into()])],
        ),
        (
            "/film.mp4".into(),
            vec![(
                "identity",
                noise(1, 4_000_000)
                    .chunks(1_900_000)
                    .map(Vec::from)
                    .collect(),
            )],
        ),
        (
            "/odd-chunks.bin".into(),
            vec![(
                "identity",
                noise(2, 2_500_000).chunks(700_001).map(Vec::from).collect(),
            )],
        ),
    ];
    deploy(scene.owner(), &assets, |key| CreateAsset {
        max_age: key.ends_with(".mp4").then_some(86_400),
        headers: key
            .starts_with("/about")
            .then(|| headers(&[("X-B", "2"), ("x-a", "1")])),
        enable_aliasing: (key == "/plain.html").then_some(false),
        allow_raw_access: key.ends_with(".txt").then_some(false),
        ..create(
            key,
            if key.ends_with(".html") {
                "text/html"
            } else {
                "application/x-test"
            },
        )
    });
    let owner = scene.owner();
    owner.grant(person(7), Permission::Prepare).unwrap();
    owner
        .grant(person(8), Permission::ManagePermissions)
        .unwrap();
    let limits = Configure {
        max_chunks: Some(Some(1_000)),
        ..Configure::default()
    };
    owner.update::<()>("configure", (limits,)).unwrap();
    let last_batch = owner.create_batch().unwrap();
    let before = (described(owner), permitted(owner), configuration(owner));

    scene.migrate().unwrap();
    let owner = scene.owner();
    assert_eq!(owner.list_all(), before.0);
    assert_eq!(permitted(owner), before.1);
    assert_eq!(configuration(owner), before.2);
    assert_eq!(owner.create_batch().unwrap(), last_batch + 1);
    for (key, encodings) in &assets {
        let url = key.replace('ä', "%C3%A4").replace(' ', "%20");
        for (encoding, chunks) in encodings {
            let request = scene.get(&url).with_header("Accept-Encoding", encoding);
            assert!(
                request.whole_body() == chunks.concat(),
                "{key} in {encoding}"
            );
        }
    }
    scene.get("/").answer().shows(200, "<p>hello</p>");
    scene
        .get("/about")
        .answer()
        .shows(200, "about")
        .with("x-b", "2");
    scene.get("/plain").answer().shows(200, "<p>hello</p>");
    scene
        .get("/film.mp4")
        .answer()
        .with("cache-control", "max-age=86400");

    // And nothing of it is lost by the next upgrade, or was only borrowed.
    scene.upgrade();
    assert_eq!(scene.owner().list_all(), before.0);
    let (progress,): (Progress,) = scene.owner().update("continue_import", ()).unwrap();
    assert!(progress.done);
    scene.upload(&[("/new.txt", "text/plain", b"new")]);
    scene.get("/new.txt").answer().shows(200, "new");
}

#[test]
fn two_thousand_assets_are_taken_over() {
    let mut scene = Scene::legacy();
    let key = |number: usize| format!("/section-{}/page-{number}.html", number % 17);
    let assets: Vec<Content> = (0..2_000)
        .map(|number| {
            (
                key(number),
                vec![("identity", vec![format!("page {number}").into()])],
            )
        })
        .collect();
    for assets in assets.chunks(500) {
        let owner = scene.owner();
        let mut operations = Vec::new();
        for (key, encodings) in assets {
            operations.push(create(key, "text/html").into());
            operations.push(inline(key, "identity", &encodings[0].1[0]).into());
        }
        owner.commit(0, operations).unwrap();
    }
    let before = described(scene.owner());
    assert_eq!(before.len(), 2_000);
    scene.migrate().unwrap();
    assert_eq!(scene.owner().list_all(), before);
    for number in (0..2_000).step_by(7) {
        let answer = scene.get(&key(number)).answer();
        answer.shows(200, format!("page {number}"));
    }
}

fn a_state() -> State {
    let permissions = state::Permissions {
        commit: vec![owner()],
        ..state::Permissions::default()
    };
    let large = noise(3, 2_000_000);
    let parts: Vec<&[u8]> = large.chunks(1_900_000).collect();
    State {
        permissions: Some(permissions),
        next_batch_id: Some(9u8.into()),
        last_state_update_timestamp: Some(5),
        ..State::default()
    }
    .with(
        "/index.html",
        state::Asset::new("text/html")
            .header("Set-Cookie", "ic_env=old; SameSite=Lax")
            .header("X-A", "1")
            .with("identity", &[b"<p>", b"hello"], 3),
    )
    .with(
        "/large.bin",
        state::Asset::new("a/b").with("identity", &parts, 4),
    )
}

#[test]
fn states_of_both_formats_are_taken_over() {
    for state in [a_state().candid(), a_state().cbor()] {
        let mut scene = Scene::left_behind(&state);
        scene.migrate().unwrap();
        let page = scene.get("/");
        let answer = page.answer();
        answer.shows(200, "<p>hello").with("x-a", "1");
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("ic_env=ic%5Froot%5Fkey%3D"), "{cookie}");
        let properties = scene.owner().properties("/index.html").unwrap();
        assert_eq!(properties.headers, Some(headers(&[("X-A", "1")])));
        assert!(scene.get("/large.bin").whole_body() == noise(3, 2_000_000));
        assert_eq!(scene.owner().create_batch().unwrap(), 9);
        let assets = scene.owner().list_all();
        let modified = |asset: &AssetDetails| asset.encodings[0].modified;
        assert_eq!(assets.iter().map(modified).collect::<Vec<_>>(), [3, 4]);
    }
}

#[test]
fn what_is_no_state_is_refused_and_left_alone() {
    let mut cut = a_state().cbor();
    cut.truncate(1_000_000);
    let mut flipped = a_state().candid();
    let at = flipped
        .windows(5)
        .position(|bytes| bytes == b"hello")
        .unwrap();
    flipped[at] ^= 1;
    for (state, words, thing) in [
        (&b"something else"[..], "stable memory holds neither", "dfx"),
        (&cut, "the state of the asset canister is broken", "at byte"),
        (&flipped, "sha256 mismatch", "identity of /index.html"),
    ] {
        let mut scene = Scene::left_behind(state);
        let before = scene.stable_memory();
        refused_for(scene.migrate(), words, thing);
        assert!(scene.stable_memory() == before);
    }
}

/// Keys and headers that Hallmark does not take do not stand in the way for long.
#[test]
fn an_odd_asset_is_named_and_the_old_canister_goes_on() {
    let mut scene = Scene::legacy();
    scene.upload(&[("/index.html", "text/html", b"hello")]);
    scene.apply([
        create("/a/<*>", "text/plain").into(),
        CreateAsset {
            headers: Some(headers(&[("X-A", "line\r\nbreak")])),
            ..create("/header.txt", "text/plain")
        }
        .into(),
    ]);
    let refusal = scene.migrate().unwrap_err();
    let said = refusal.words();
    assert!(
        said.starts_with("2 of the assets cannot be taken over"),
        "{said}"
    );
    assert!(
        said.contains("/a/<*>") && said.contains("/header.txt"),
        "{said}"
    );

    let page = scene.get("/");
    page.verify(&page.unverified()).unwrap();
    scene.apply([delete("/a/<*>"), delete("/header.txt")]);
    scene.migrate().unwrap();
    scene.get("/").answer().shows(200, "hello");
}

#[test]
fn an_upgrade_back_is_refused_and_changes_nothing() {
    let mut scene = Scene::legacy();
    scene.upload(&[("/index.html", "text/html", b"hello")]);
    scene.migrate().unwrap();
    let before = scene.state();
    scene.migrate_back().unwrap_err();
    assert_eq!(scene.state(), before);
}

/// While an import goes on, the site is there: by update calls, as far as it is not imported.
#[test]
fn a_site_is_served_while_it_is_imported() {
    let mut scene = Scene::left_behind(&a_state().cbor());
    scene.migrate_lazily();
    // The next one goes on where this one is.
    scene.migrate_lazily();
    assert!(scene.owner().list_all().is_empty());

    let large = scene.get("/large.bin");
    assert_eq!(large.unverified().upgrade, Some(true));
    let answer = large.answer_or_upgrade();
    assert_eq!((answer.status(), answer.header("retry-after")), (503, "1"));
    assert!(
        large.whole_body() == noise(3, 2_000_000),
        "a query answers now"
    );
    // That call has gone on with the rest, too.
    scene.get("/").answer().shows(200, "<p>hello");
    let (progress,): (Progress,) = scene.owner().update("continue_import", ()).unwrap();
    assert!(progress.done);
    assert_eq!(scene.owner().create_batch().unwrap(), 9);
}

#[test]
fn visitors_do_not_wait_for_all_of_an_import() {
    let mut state = a_state();
    for number in 0..2_000 {
        let page = state::Asset::new("text/html").with("identity", &[&noise(1, 4_000)], 1);
        state = state.with(&format!("/page-{number}.html"), page);
    }
    let mut scene = Scene::left_behind(&state.candid());
    scene.migrate_lazily();
    let page = scene.get("/page-1999");
    assert_eq!(page.unverified().upgrade, Some(true));
    page.answer_or_upgrade()
        .shows(200, noise(1, 4_000))
        .without("ic-certificate");
    // What is imported is certified, with its aliases and with what is not there.
    page.answer().shows(200, noise(1, 4_000));
    let last = scene.get("/page-998.html");
    assert_eq!(last.unverified().upgrade, Some(true));

    // Nothing is changed before everything is there.
    let refusal = scene.owner().create_batch().unwrap_err();
    assert!(refusal.words().contains("call again"), "{refusal:?}");
    assert_eq!(scene.owner().list_all().len(), 2_002);
    last.answer().shows(200, noise(1, 4_000));
    scene.apply([delete("/page-998.html")]);
    last.answer().shows(200, "<p>hello");
}

#[test]
fn who_may_commit_or_control_may_ask_how_far_it_is() {
    let mut scene = Scene::legacy();
    scene.migrate().unwrap();
    scene.owner().grant(person(5), Permission::Commit).unwrap();
    scene.owner().revoke(owner(), Permission::Commit).unwrap();
    for caller in [person(5), owner()] {
        let (progress,): (Progress,) = scene.caller(caller).update("continue_import", ()).unwrap();
        assert_eq!(
            (progress.done, progress.left, progress.damaged),
            (true, 0, Vec::new())
        );
    }
    refused(
        scene.caller(person(6)).update::<()>("continue_import", ()),
        "Caller does not have Commit permission and is not a controller.",
    );
}
