//! Deploying directories: what arrives, in how many calls, and what a refusal leaves.

use std::sync::Arc;

use hallmark::Error;
use hallmark::content::Asset;
use hallmark::freight::{Freight, MAX_CHUNK};
use hallmark::journal::Journal;
use hallmark::legacy::AssetCanister;
use hallmark::plan::{Plan, Stored};
use hallmark::report::Step;
use hallmark::upload::{MAX_OPERATIONS, upload};

use super::log::Log;
use super::memory::Memory;

fn asset(key: &str, body: impl Into<Vec<u8>>) -> Arc<Asset> {
    Arc::new(Asset::new(key, body.into()))
}

/// Deploys a site and returns the bytes and operations it was told of.
fn deploy(canister: &Memory, site: &[Arc<Asset>]) -> Result<(u64, u64), Error> {
    let there = AssetCanister::new(canister);
    let stored: Vec<_> = there.list()?.into_iter().map(Stored::from).collect();
    let plan = Plan::new(site, &stored);
    if plan.is_empty() {
        return Ok((0, 0));
    }
    let freight = Freight::new(&plan, false);
    let log = Log::default();
    upload(canister, &plan, &freight, &Journal::none(), &log)?;
    let stages = log.take();
    let told = |wanted| {
        let stages = stages.iter().filter(|(stage, ..)| *stage == wanted);
        stages
            .map(|(_, total, done)| {
                assert_eq!(total, done);
                done
            })
            .sum()
    };
    Ok((told(Step::Uploading), told(Step::Committing)))
}

fn methods(canister: &Memory) -> Vec<String> {
    canister
        .calls()
        .into_iter()
        .map(|call| call.method)
        .collect()
}

/// Bytes that do not repeat and do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn a_small_site_takes_three_calls() {
    let canister = Memory::default();
    let text = "hello ".repeat(100);
    let site = [
        asset("/a.txt", &*text),
        asset("/b c.png", "b"),
        asset("/ç.png", ""),
    ];
    let told = deploy(&canister, &site).unwrap();

    assert_eq!(
        methods(&canister),
        ["create_batch", "create_chunks", "commit_batch"]
    );
    assert_eq!(canister.keys(), ["/a.txt", "/b c.png", "/ç.png"]);
    assert_eq!(canister.body("/a.txt", "identity"), Some(text.into_bytes()));
    assert_eq!(canister.body("/ç.png", "identity"), Some(vec![]));
    for encoding in &site[0].encodings {
        assert_eq!(
            canister.body("/a.txt", encoding.name).as_ref(),
            Some(&encoding.body)
        );
    }
    let bodies = site.iter().flat_map(|asset| &asset.encodings);
    let bytes = bodies.map(|encoding| encoding.body.len() as u64).sum();
    assert_eq!(told, (bytes, 8));
}

#[test]
fn the_second_time_nothing_is_sent() {
    let canister = Memory::default();
    let site = [asset("/a.txt", "a".repeat(999)), asset("/b.png", "b")];
    deploy(&canister, &site).unwrap();
    canister.calls();
    assert_eq!(deploy(&canister, &site).unwrap(), (0, 0));
    assert_eq!(methods(&canister), [""; 0]);
}

#[test]
fn a_change_sends_what_changed() {
    let canister = Memory::default();
    deploy(
        &canister,
        &[
            asset("/a.png", "old"),
            asset("/b.png", "b"),
            asset("/c.png", "c"),
        ],
    )
    .unwrap();
    let site = [
        asset("/a.png", "newer"),
        asset("/b.png", "b"),
        asset("/d.png", "d"),
    ];
    let (bytes, operations) = deploy(&canister, &site).unwrap();
    assert_eq!(
        (bytes, operations),
        (6, 4),
        "one delete, one create, two contents"
    );
    assert_eq!(canister.keys(), ["/a.png", "/b.png", "/d.png"]);
    assert_eq!(canister.body("/a.png", "identity"), Some(b"newer".to_vec()));
}

#[test]
fn an_empty_site_deletes_everything() {
    let canister = Memory::default();
    deploy(&canister, &[asset("/a.png", "a")]).unwrap();
    deploy(&canister, &[]).unwrap();
    assert_eq!(canister.keys(), [""; 0]);
}

#[test]
fn properties_set_by_others_are_reset() {
    let canister = Memory::default();
    let site = [asset("/a.png", "a")];
    deploy(&canister, &site).unwrap();
    canister.set_max_age("/a.png", 60);
    assert_eq!(deploy(&canister, &site).unwrap(), (0, 1));
    assert_eq!(deploy(&canister, &site).unwrap(), (0, 0));
}

#[test]
fn a_large_body_goes_in_pieces() {
    for length in [MAX_CHUNK, MAX_CHUNK + 1, 3 * MAX_CHUNK - 1] {
        let canister = Memory::default();
        let body = noise(length);
        let site = [asset("/film.mp4", &*body), asset("/small.png", "small")];
        deploy(&canister, &site).unwrap();
        assert_eq!(
            canister.body("/film.mp4", "identity"),
            Some(body),
            "{length}"
        );
        assert_eq!(
            canister.body("/small.png", "identity"),
            Some(b"small".to_vec())
        );
    }
}

#[test]
fn small_bodies_share_calls() {
    let canister = Memory::default();
    let site: Vec<_> = (0..95)
        .map(|i| asset(&format!("/{i}.png"), noise(40_000 + i)))
        .collect();
    deploy(&canister, &site).unwrap();
    let methods = methods(&canister);
    let calls = methods
        .iter()
        .filter(|method| *method == "create_chunks")
        .count();
    assert_eq!(
        calls, 3,
        "3.8 MB in calls of up to 1.9 MB, a body is not split to fill one"
    );
}

#[test]
fn many_files_are_committed_in_stages() {
    let canister = Memory::default();
    let site: Vec<_> = (0..5_000)
        .map(|i| asset(&format!("/{i:04}.png"), format!("file {i}")))
        .collect();
    let (_, operations) = deploy(&canister, &site).unwrap();
    assert_eq!(operations, 10_000);
    assert_eq!(canister.keys().len(), 5_000);
    assert_eq!(
        canister.body("/4999.png", "identity"),
        Some(b"file 4999".to_vec())
    );

    let calls = canister.calls();
    let commits: Vec<_> = calls
        .iter()
        .filter(|call| call.method == "commit_batch")
        .collect();
    assert_eq!(commits.len(), 10_000 / MAX_OPERATIONS + 1);
    assert_eq!(
        commits.last().unwrap().operations,
        0,
        "the last one publishes"
    );
    assert_eq!(canister.open_batches(), 0);
    assert_eq!(deploy(&canister, &site).unwrap(), (0, 0));
}

#[test]
fn long_keys_make_commits_shorter() {
    let canister = Memory::default();
    let long = "n".repeat(1000);
    let site: Vec<_> = (0..900)
        .map(|i| asset(&format!("/{long}{i}.png"), "x"))
        .collect();
    deploy(&canister, &site).unwrap();
    assert_eq!(canister.keys().len(), 900);
}

#[test]
fn a_refused_call_is_named_and_leaves_nothing_open() {
    for refused in ["create_chunks", "commit_batch"] {
        let canister = Memory::refusing(refused);
        let error = deploy(&canister, &[asset("/a.png", "a")]).unwrap_err();
        let said = error.to_string();
        let expected = format!(
            "the canister refused {refused}: Canister trapped explicitly: refused (IC0503)"
        );
        assert_eq!(said, expected);
        assert_eq!(canister.open_batches(), 0);
        assert_eq!(canister.keys(), [""; 0]);
    }
}

#[test]
fn a_canister_without_a_site_hash_has_none() {
    let canister = Memory::default();
    assert_eq!(AssetCanister::new(&canister).site_hash().unwrap(), None);
}

#[test]
fn several_calls_at_once_lead_to_the_same_site() {
    let site: Vec<_> = (0..40)
        .map(|i| asset(&format!("/{i}.png"), noise(300_000 + i)))
        .collect();
    let (one, many) = (Memory::default(), Memory::default().with_lanes(5));
    deploy(&one, &site).unwrap();
    deploy(&many, &site).unwrap();
    assert!(one.assets() == many.assets());
    assert_eq!(one.calls().len(), many.calls().len());
}
