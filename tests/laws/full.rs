//! A call that fails because stable memory is full changes nothing, like any other that fails.

use crate::world::{ALICE, NOW, create, delete, set_content};
use ic_hallmark::{
    Error, Site,
    site::{Content, Expected, Lock, Memories, Operation, PART, Retention},
};
use ic_stable_structures::{Memory, VectorMemory};
use std::{cell::Cell, rc::Rc};

/// A memory that does not grow any more once it is full.
#[derive(Clone, Default)]
struct Limited {
    memory: VectorMemory,
    full: Rc<Cell<bool>>,
}

impl Memory for Limited {
    fn size(&self) -> u64 {
        self.memory.size()
    }

    fn grow(&self, pages: u64) -> i64 {
        if self.full.get() {
            -1
        } else {
            self.memory.grow(pages)
        }
    }

    fn read(&self, offset: u64, into: &mut [u8]) {
        self.memory.read(offset, into);
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        self.memory.write(offset, bytes);
    }
}

/// Repeats a change until it fails, and expects that the one that failed left no trace, now and after reopening.
#[track_caller]
fn fails_without_a_trace(
    full: fn(&Memories<Limited>) -> &Limited,
    mut change: impl FnMut(&mut Site<Limited>, u32) -> Result<(), Error>,
) {
    let memories = Memories::<Limited>::default();
    let mut site = Site::open(memories.clone()).unwrap();
    site.put("/index.html", "text/html", "app", NOW).unwrap();
    full(&memories).full.set(true);
    for number in 0..100_000 {
        let before = *site.root();
        if let Err(error) = change(&mut site, number) {
            assert!(matches!(error, Error::Storage(_)), "{error}");
            assert_eq!(*site.root(), before, "call {number}");
            site.check()
                .unwrap_or_else(|wrong| panic!("call {number}: {wrong}"));
            let reopened = Site::open(memories).unwrap();
            assert_eq!(*reopened.root(), before);
            reopened
                .check()
                .unwrap_or_else(|wrong| panic!("reopened after call {number}: {wrong}"));
            return;
        }
    }
    panic!("the memory never filled up");
}

fn put(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let key = format!("/{number}.txt");
    site.put(&key, "text/plain", vec![b'x'; 200 + number as usize], NOW)
}

fn upload(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let batch = site.create_batch(ALICE, NOW)?;
    let chunks: Vec<Vec<u8>> = (0..20u32)
        .map(|chunk| {
            [number.to_le_bytes(), chunk.to_le_bytes()]
                .concat()
                .repeat(50)
        })
        .collect();
    site.create_chunks(batch, &chunks, NOW)?;
    Ok(())
}

fn replace(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let batch = site.create_batch(ALICE, NOW)?;
    let content = number.to_le_bytes().repeat(100);
    let ids = site.create_chunks(batch, &[content], NOW)?;
    let set = Operation::SetContent {
        key: "/a.html".to_owned(),
        encoding: "gzip".to_owned(),
        content: Content {
            chunks: ids,
            ..Content::default()
        },
        sha256: None,
    };
    let fresh = format!("/{number}.html");
    let operations = [
        delete("/a.html"),
        create("/a.html", "text/html"),
        set,
        create(&fresh, "text/html"),
        set_content(&fresh, "identity", fresh.as_bytes()),
    ];
    site.commit_batch(batch, ALICE, operations, NOW).map(|_| ())
}

/// Opens a batch, stages twice, publishes elsewhere, publishes the stage, and again.
fn stage(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let key = format!("/{number}.html");
    let content = number.to_le_bytes().repeat(50);
    let fresh = [
        create(&key, "text/html"),
        set_content(&key, "identity", &content),
    ];
    match number % 5 {
        0 => site.create_batch(ALICE, NOW).map(|_| ()),
        1 | 2 => site.commit_batch(0, ALICE, fresh, NOW).map(|_| ()),
        3 => site.commit(fresh, NOW),
        _ => {
            let batch = u64::from(number / 5 + 1);
            site.commit_batch(batch, ALICE, [delete("/1.html")], NOW)
                .map(|_| ())
        }
    }
}

/// Proposes, computes the evidence step by step, and commits.
fn propose(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let key = format!("/{number}.html");
    let batch = u64::from(number / 4 + 1);
    match number % 4 {
        0 => site.create_batch(ALICE, NOW).map(|_| ()),
        1 => {
            let operations = [
                create(&key, "text/html"),
                set_content(&key, "identity", key.as_bytes()),
            ];
            site.propose_batch(batch, &operations, NOW)
        }
        2 => site.compute_evidence(batch, Some(1), NOW).map(|_| ()),
        _ => {
            let evidence = site.compute_evidence(batch, None, NOW)?.unwrap();
            site.commit_proposed_batch(batch, &evidence, NOW)
        }
    }
}

/// Publishes, amends, and goes back and forth.
fn roll_back(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let kept = site
        .log(u64::MAX, 5)?
        .into_iter()
        .find(|entry| entry.is_kept);
    match (number % 3, kept) {
        (0, _) | (_, None) => replace(site, number),
        (1, _) => put(site, number),
        (_, Some(kept)) => site.rollback(kept.number, "back", NOW).map(|_| ()),
    }
}

#[test]
fn a_rollback_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, roll_back);
}

#[test]
fn a_rollback_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, roll_back);
}

/// Replaces large content, of which a part goes on beside the site.
fn replace_large(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let content = number.to_le_bytes().repeat(PART as usize / 4 + 1);
    let key = format!("/{}.mp4", number / 2);
    let operations = [
        delete(&key),
        create(&key, "video/mp4"),
        set_content(&key, "identity", &content),
    ];
    site.commit(operations, NOW)
}

#[test]
fn a_remainder_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, replace_large);
}

#[test]
fn a_remainder_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, replace_large);
}

#[test]
fn a_remainder_without_room_for_bodies() {
    fails_without_a_trace(|memories| &memories.bodies, replace_large);
}

/// Going back and forth between two releases, until the log has no room.
fn alternate(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    if number < 2 {
        return replace(site, number);
    }
    let kept = site
        .log(u64::MAX, 5)?
        .into_iter()
        .find(|entry| entry.is_kept);
    let kept = kept.expect("the other one is kept");
    site.rollback(kept.number, "back", NOW).map(|_| ())
}

#[test]
fn a_log_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, alternate);
}

#[test]
fn a_log_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, alternate);
}

/// Settings are logged too.
fn set(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    match number % 2 {
        0 => {
            let releases = number % 100;
            site.set_retention(
                Retention {
                    releases,
                    bytes: None,
                    ..Retention::DEFAULT
                },
                NOW,
            )
        }
        _ => {
            let limits = ic_hallmark::upload::Limits {
                max_chunks: Some(u64::from(number)),
                ..Default::default()
            };
            site.set_limits(limits, NOW)
        }
    }
}

#[test]
fn a_setting_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, set);
}

#[test]
fn a_setting_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, set);
}

#[test]
fn a_stage_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, stage);
}

#[test]
fn a_stage_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, stage);
}

#[test]
fn a_stage_without_room_for_bodies() {
    fails_without_a_trace(|memories| &memories.bodies, stage);
}

#[test]
fn a_proposal_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, propose);
}

#[test]
fn a_proposal_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, propose);
}

#[test]
fn a_proposal_without_room_for_bodies() {
    fails_without_a_trace(|memories| &memories.bodies, propose);
}

#[test]
fn a_put_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, put);
}

#[test]
fn a_put_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, put);
}

#[test]
fn a_put_without_room_for_bodies() {
    fails_without_a_trace(|memories| &memories.bodies, put);
}

#[test]
fn a_commit_of_a_batch_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, replace);
}

#[test]
fn a_commit_of_a_batch_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, replace);
}

/// Giving back what a failed commit stored may not need room: there is none.
#[test]
fn a_commit_that_fails_gives_back_what_it_stored() {
    let memories = Memories::<Limited>::default();
    let mut site = Site::open(memories.clone()).unwrap();
    // No URL leads to these keys, so only assets and bodies need room. Each key is above all longer ones.
    let chain = |length: usize| create(&"a".repeat(length), "text/plain");
    site.commit((60..100).rev().map(chain), NOW).unwrap();
    for content in [b"1", b"2", b"3", b"4"] {
        let key = format!("content {}", content[0]);
        site.put(&key, "text/plain", content, NOW).unwrap();
    }
    memories.forks.full.set(true);
    let mut filler = 0;
    while site
        .commit([create(&format!("z{filler}"), "text/plain")], NOW)
        .is_ok()
    {
        filler += 1;
    }
    site.check().unwrap();
    // One fork less is free in each round.
    for length in (1..60).rev() {
        let set = set_content(&"a".repeat(99), "identity", b"fresh");
        site.commit([set], NOW).unwrap_err();
        site.check()
            .unwrap_or_else(|wrong| panic!("{length}: {wrong}"));
        if site.commit([chain(length)], NOW).is_err() {
            return;
        }
    }
    panic!("the memory never filled up");
}

#[test]
fn an_upload_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, upload);
}

#[test]
fn an_upload_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, upload);
}

#[test]
fn an_upload_without_room_for_bodies() {
    fails_without_a_trace(|memories| &memories.bodies, upload);
}

#[test]
fn a_change_of_permissions_without_room() {
    use candid::Principal;
    use ic_hallmark::access::Permission;
    let memories = Memories::<Limited>::default();
    let mut site = Site::open(memories.clone()).unwrap();
    memories.state.full.set(true);
    let crowd = (0..60_000u32).map(|n| {
        let mut bytes = [7; 29];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        Principal::from_slice(&bytes)
    });
    let before = site.access().clone();
    site.change_access(|access| access.replace(Permission::Commit, crowd), NOW)
        .unwrap_err();
    assert!(
        *site.access() == before,
        "the refused permissions hold until the next upgrade"
    );
}

/// Creates a stage, fills it, seals it step by step, and publishes it.
fn stage_release(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let stage = u64::from(number / 6 + 1);
    let key = format!("/{number}.html");
    match number % 6 {
        0 => site.create_stage(None, NOW).map(|_| ()),
        1 | 2 => {
            let fresh = [
                create(&key, "text/html"),
                set_content(&key, "identity", &number.to_le_bytes().repeat(50)),
            ];
            site.fill_stage(stage, fresh, NOW)
        }
        3 => site.seal_stage(stage, NOW, &|_| false).map(|_| ()),
        4 => site.seal_stage(stage, NOW, &|_| true).map(|_| ()),
        _ => site
            .publish_stage(stage, &Expected::default(), "", NOW)
            .map(|_| ()),
    }
}

#[test]
fn a_staged_release_without_room_for_bodies() {
    fails_without_a_trace(|memories| &memories.bodies, stage_release);
}

#[test]
fn a_staged_release_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, stage_release);
}

#[test]
fn a_staged_release_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, stage_release);
}

/// Schedules one release after the other, rebases, and carries each out or withdraws it.
fn schedule(site: &mut Site<Limited>, number: u32) -> Result<(), Error> {
    let lock = Lock {
        delay: 1,
        is_frozen: false,
    };
    let stage = u64::from(number / 7 + 1);
    let key = format!("/{number}.html");
    match number % 7 {
        0 => site.create_stage(None, NOW).map(|_| ()),
        1 => site.fill_stage(stage, [create(&key, "text/html")], NOW),
        2 => site.rebase_stage(stage, NOW),
        3 => site.seal_stage(stage, NOW, &|_| true).map(|_| ()),
        4 => site.set_lock(lock, NOW),
        5 => site
            .publish_stage(stage, &Expected::default(), "", NOW)
            .map(|_| ()),
        _ => match site.guard().scheduled {
            Some(scheduled) if number.is_multiple_of(3) => {
                site.withdraw(scheduled.release, "", NOW).map(|_| ())
            }
            _ => site.carry_out(NOW + 1).map(|_| ()),
        },
    }
}

#[test]
fn a_scheduled_release_without_room_for_forks() {
    fails_without_a_trace(|memories| &memories.forks, schedule);
}

#[test]
fn a_scheduled_release_without_room_for_leaves() {
    fails_without_a_trace(|memories| &memories.leaves, schedule);
}
