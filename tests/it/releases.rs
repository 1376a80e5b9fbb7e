//! The log of releases, proved entry by entry, and rollbacks.

use crate::interface::*;
use crate::scene::{Refusal, Scene, owner, person, refused};
use candid::Principal;
use ic_cbor::{CertificateToCbor, HashTreeToCbor};
use ic_certification::{Certificate, HashTree, LookupResult};
use serde_bytes::ByteBuf;

#[derive(candid::CandidType)]
struct Wanted {
    start: Option<u64>,
    length: Option<u64>,
}

#[derive(Debug, candid::CandidType, candid::Deserialize)]
struct Log {
    entries: Vec<Release>,
    live: u64,
    retention: Retention,
    stored_bytes: u64,
    certificate: Option<ByteBuf>,
    witness: ByteBuf,
}

#[derive(Debug, candid::CandidType, candid::Deserialize)]
struct Release {
    release: u64,
    time: u64,
    principal: Principal,
    kind: String,
    site_hash: ByteBuf,
    content_hash: Option<ByteBuf>,
    assets: u32,
    bytes: u64,
    note: String,
    rolled_back_to: Option<u64>,
    changes: Option<u64>,
    change: Option<String>,
    kept: bool,
    certified: ByteBuf,
}

#[derive(candid::CandidType)]
struct Rollback<'a> {
    release: u64,
    note: Option<&'a str>,
}

#[derive(Debug, PartialEq, candid::CandidType, candid::Deserialize)]
struct RolledBack {
    release: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, candid::CandidType, candid::Deserialize)]
struct Retention {
    releases: u32,
    bytes: Option<u64>,
    answers_replaced: Option<bool>,
}

/// A page of the log, every entry of it proved by the certificate.
fn log(scene: &Scene, start: Option<u64>, length: Option<u64>) -> Log {
    let wanted = Wanted { start, length };
    let (log,): (Log,) = scene.owner().query("releases", (wanted,)).unwrap();
    let witness = HashTree::from_cbor(&log.witness).unwrap();
    let certificate = log.certificate.as_ref().expect("a query has a certificate");
    let certificate = Certificate::from_cbor(certificate).unwrap();
    let canister = scene.canister();
    let data = [
        "canister".as_bytes(),
        canister.as_slice(),
        b"certified_data",
    ];
    let certified = certificate.tree.lookup_path(data);
    assert_eq!(certified, LookupResult::Found(&witness.digest()));
    assert_eq!(witness.digest(), scene.get("/").answer().root_hash());
    for entry in &log.entries {
        let found = witness.lookup_path(place(entry.release));
        assert_eq!(found, LookupResult::Found(&entry.certified));
        // Hashes and note stand in what is certified as they were told.
        let holds = |part: &[u8]| entry.certified.windows(part.len()).any(|at| at == part);
        assert!(holds(&entry.site_hash) && holds(entry.principal.as_slice()));
        assert!(entry.content_hash.iter().all(|hash| holds(hash)));
        assert!(entry.note.is_empty() || holds(entry.note.as_bytes()));
    }
    if start.is_none() && length != Some(0) {
        let last = log.entries.first().map_or(0, |entry| entry.release);
        let next = witness.lookup_path(place(last + 1));
        assert_eq!(next, LookupResult::Absent, "it is the whole log");
    }
    log
}

fn place(release: u64) -> [Vec<u8>; 3] {
    [
        b"hallmark".to_vec(),
        b"releases".to_vec(),
        release.to_be_bytes().to_vec(),
    ]
}

fn roll_back(scene: &Scene, release: u64, note: Option<&str>) -> Result<u64, Refusal> {
    let done = scene
        .owner()
        .update("rollback", (Rollback { release, note },));
    done.map(|(done,): (RolledBack,)| done.release)
}

/// A canister that `owner` has deployed to twice: releases 2 and 3.
fn scene() -> Scene {
    let scene = Scene::showing(&[("/index.html", "text/html", b"first")]);
    let batch = scene.owner().create_batch().unwrap();
    let change = inline("/index.html", "identity", b"second").into();
    scene.owner().commit(batch, vec![change]).unwrap();
    scene
}

#[test]
fn every_deploy_is_in_the_log() {
    let scene = scene();
    let log = log(&scene, None, None);
    let kinds: Vec<_> = log
        .entries
        .iter()
        .map(|entry| (entry.release, &entry.kind[..]))
        .collect();
    assert_eq!(kinds, [(3, "publish"), (2, "publish"), (1, "permissions")]);
    let [second, first, permissions] = &log.entries[..] else {
        panic!("three entries");
    };
    assert_eq!(second.site_hash, scene.owner().site_hash());
    assert_ne!(second.site_hash, first.site_hash);
    assert_eq!((second.principal, second.assets), (owner(), 1));
    assert!(first.time < second.time && second.time <= scene.now_ns());
    assert_eq!((log.live, log.retention.releases), (3, 10));
    assert_eq!(
        (second.kept, first.kept, permissions.kept),
        (false, true, false)
    );
    let granted = format!("grant Commit to {}", owner());
    assert_eq!(permissions.change.as_ref(), Some(&granted));
}

#[test]
fn the_log_is_shown_in_pages() {
    let scene = scene();
    let numbers = |start, length| -> Vec<u64> {
        let page = log(&scene, start, length);
        page.entries.iter().map(|entry| entry.release).collect()
    };
    assert_eq!(numbers(None, Some(2)), [3, 2]);
    assert_eq!(numbers(Some(2), Some(1)), [2]);
    assert_eq!(numbers(Some(1), None), [1]);
    assert!(numbers(Some(0), None).is_empty());
    assert_eq!(numbers(Some(99), Some(u64::MAX)), [3, 2, 1]);
    assert!(numbers(None, Some(0)).is_empty());
}

#[test]
fn a_release_comes_back() {
    let scene = scene();
    let before = scene.owner().site_hash();
    assert_eq!(roll_back(&scene, 2, Some("second was wrong")).unwrap(), 4);
    scene.get("/").answer().shows(200, "first");
    let page = log(&scene, None, Some(1));
    let last = &page.entries[0];
    assert_eq!(
        (page.live, last.release, &last.kind[..]),
        (4, 4, "rollback")
    );
    assert_eq!(
        (last.rolled_back_to, &last.note[..]),
        (Some(2), "second was wrong")
    );
    scene.upgrade();
    assert_eq!(roll_back(&scene, 3, None).unwrap(), 5);
    scene.get("/").answer().shows(200, "second");
    assert_eq!(scene.owner().site_hash(), before);
}

#[test]
fn what_cannot_come_back_is_said() {
    let scene = scene();
    let state = scene.state();
    refused(roll_back(&scene, 9, None), "there is no release 9");
    refused(roll_back(&scene, 3, None), "release 3 is live already");
    let not_kept = "release 1 is not kept: the list of releases says which are";
    refused(roll_back(&scene, 1, None), not_kept);
    let stranger = scene.caller(person(9));
    let rollback = Rollback {
        release: 2,
        note: None,
    };
    let done: Result<(RolledBack,), _> = stranger.update("rollback", (rollback,));
    refused(done, "Caller does not have Commit permission");
    let retention = Retention {
        releases: 0,
        bytes: None,
        answers_replaced: None,
    };
    let done = stranger.update::<()>("set_retention", (retention,));
    refused(done, "Caller does not have Commit permission");
    assert_eq!(scene.state(), state);
}

#[test]
fn a_dao_reads_what_it_votes_on() {
    let scene = scene();
    let stranger = scene.caller(person(9));
    let rollback = |release, note| {
        let rollback = Rollback { release, note };
        let said = stranger.update("validate_rollback", (rollback,));
        let (said,): (Validation,) = said.unwrap();
        said
    };
    let retention = |releases, answers_replaced| {
        let retention = Retention {
            releases,
            bytes: Some(1_000),
            answers_replaced,
        };
        let said = stranger.update("validate_set_retention", (retention,));
        let (said,): (Validation,) = said.unwrap();
        said
    };
    let ok = |words: &str| Validation::Ok(words.to_owned());
    let err = |words: &str| Validation::Err(words.to_owned());
    assert_eq!(
        rollback(2, Some("was better")),
        ok("roll back to release 2: was better")
    );
    assert_eq!(rollback(2, None), ok("roll back to release 2"));
    assert_eq!(rollback(3, None), err("release 3 is live already"));
    let words = "keep 5 releases beside the live one, as long as all takes at most 1000 bytes; \
                 what was replaced is answered no more";
    assert_eq!(retention(5, Some(false)), ok(words));
    assert_eq!(
        retention(101, None),
        err("101 releases cannot be kept: 100 is the most")
    );
}

#[test]
fn what_is_not_said_of_the_retention_stays() {
    let scene = scene();
    let set = |answers_replaced| {
        let retention = Retention {
            releases: 10,
            bytes: None,
            answers_replaced,
        };
        let done = scene.owner().update::<()>("set_retention", (retention,));
        done.unwrap();
        log(&scene, None, Some(0)).retention.answers_replaced
    };
    assert_eq!(set(None), Some(true));
    assert_eq!(set(Some(false)), Some(false));
    assert_eq!(set(None), Some(false));
}

#[test]
fn single_changes_are_one_entry() {
    let scene = scene();
    for key in ["/a.txt", "/b.txt", "/c.txt"] {
        let store = Store::new(key, "text/plain", b"a");
        scene.owner().update::<()>("store", (store,)).unwrap();
    }
    let page = log(&scene, None, Some(1));
    let last = &page.entries[0];
    assert_eq!(
        (last.release, &last.kind[..], last.changes),
        (4, "amendment", Some(3))
    );
    assert_eq!(
        (last.assets, last.bytes),
        (4, 3 + log(&scene, Some(3), None).entries[0].bytes)
    );
    scene.wait(3601);
    let store = Store::new("/d.txt", "text/plain", b"a");
    scene.owner().update::<()>("store", (store,)).unwrap();
    assert_eq!(log(&scene, None, Some(1)).live, 5, "an hour is over");
}

#[test]
fn retention_is_what_was_set() {
    let scene = scene();
    let retention = Retention {
        releases: 0,
        bytes: Some(1_000_000),
        answers_replaced: Some(true),
    };
    scene
        .owner()
        .update::<()>("set_retention", (retention,))
        .unwrap();
    let log = log(&scene, None, None);
    assert_eq!(log.retention, retention);
    assert!(log.stored_bytes >= log.entries[1].bytes);
    assert!(log.entries.iter().all(|entry| !entry.kept));
    let change = log.entries[0].change.as_deref();
    assert_eq!(
        change,
        Some("retention: releases from 10 to 0; bytes from none to 1000000")
    );
    let gone = "release 2 is not kept: the list of releases says which are";
    refused(roll_back(&scene, 2, None), gone);
}

#[test]
fn an_open_page_goes_on_to_load_its_parts() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"first"),
        ("/part-4f3a9c21.js", "text/javascript", b"part of the first"),
        ("/part.js", "text/javascript", b"part"),
    ]);
    let batch = scene.owner().create_batch().unwrap();
    let raw = SetAssetProperties {
        allow_raw_access: Some(Some(false)),
        ..properties("/part-4f3a9c21.js")
    };
    scene.owner().commit(batch, vec![raw.into()]).unwrap();
    let gone = ["/part-4f3a9c21.js", "/part.js"].map(delete);
    let batch = scene.owner().create_batch().unwrap();
    scene.owner().commit(batch, gone.to_vec()).unwrap();
    let part = scene.get("/part-4f3a9c21.js").answer_or_upgrade();
    part.shows(200, "part of the first")
        .with("content-type", "text/javascript");
    scene.get("/part.js").answer().shows(200, "first");
    let raw = scene
        .get("/part-4f3a9c21.js")
        .with_header("host", "x.raw.icp0.io")
        .unverified();
    assert_eq!(raw.status_code, 308);
    assert_ne!(raw.upgrade, Some(true));
}
