//! Deploys that are broken off at every single call, before or after the call had its effect: the
//! site stays as it was until the last commit, and the next deploy makes up for it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallmark::Error;
use hallmark::canister::{Canister, Failure};
use hallmark::deploy::{Deployed, Directory};
use hallmark::freight::MAX_CHUNK;
use hallmark::journal::Journal;

use super::memory::{Call, Memory};

/// When a call is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// On the way there.
    Before,
    /// On the way back.
    After,
}

/// A way to a canister that loses one call, and all after it if it is cut.
struct Way<'a> {
    canister: &'a Memory,
    calls: AtomicUsize,
    lost: (usize, Lost),
    is_cut: bool,
}

impl<'a> Way<'a> {
    fn losing(canister: &'a Memory, number: usize, lost: Lost) -> Way<'a> {
        Way {
            canister,
            calls: AtomicUsize::new(0),
            lost: (number, lost),
            is_cut: false,
        }
    }

    fn cut(self) -> Way<'a> {
        Way {
            is_cut: true,
            ..self
        }
    }

    fn call(&self, call: impl FnOnce() -> Result<Vec<u8>, Failure>) -> Result<Vec<u8>, Failure> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let lost = Failure::Unreachable("lost".to_owned());
        if number < self.lost.0 || number > self.lost.0 && !self.is_cut {
            return call();
        }
        if number == self.lost.0 && self.lost.1 == Lost::After {
            let _ = call();
        }
        Err(lost)
    }
}

impl Canister for Way<'_> {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.call(|| self.canister.query(method, argument))
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.call(|| self.canister.update(method, argument))
    }
}

/// A site in two versions, and a journal.
struct Desk(tempfile::TempDir);

impl Desk {
    /// The new version takes several parcels and several commits.
    fn new() -> Desk {
        Desk::with_pages(300)
    }

    fn with_pages(pages: usize) -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        for version in ["old", "new"] {
            fs::create_dir(desk.0.path().join(version)).unwrap();
            desk.write(version, "index.png", version.as_bytes());
        }
        desk.write("old", "gone.png", b"gone");
        for film in 0..3 {
            let body = vec![film; MAX_CHUNK - 1_000];
            desk.write("new", &format!("{film}.mp4"), &body);
        }
        for page in 0..pages {
            let body = format!("page {page}");
            desk.write("new", &format!("{page}.png"), body.as_bytes());
        }
        desk
    }

    fn write(&self, version: &str, name: &str, body: &[u8]) {
        fs::write(self.0.path().join(version).join(name), body).unwrap();
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.0.path().join("journal"))
    }

    fn deploy(&self, version: &str, canister: &dyn Canister) -> Result<Deployed, Error> {
        let path = self.0.path().join(version);
        Directory::new(Path::new(&path)).deploy(canister, &self.journal(), &())
    }

    /// A canister of Hallmark's that holds the old version.
    fn canister(&self) -> Memory {
        self.deploy_old(Memory::of_hallmark())
    }

    fn deploy_old(&self, canister: Memory) -> Memory {
        self.deploy("old", &canister).unwrap();
        canister.calls();
        canister
    }
}

fn chunks(calls: &[Call]) -> usize {
    calls.iter().map(|call| call.chunks).sum()
}

/// Batches of which nobody knows: their creation was not answered, or what follows not asked.
fn left_open(before: &[Call], after: &[Call]) -> usize {
    let calls = before.iter().chain(after);
    let count = |method: &str| calls.clone().filter(|call| call.method == method).count();
    let published = usize::from(count("commit_batch") > 0);
    count("create_batch") - count("delete_batch") - published
}

fn commits(calls: &[Call]) -> usize {
    let is_commit = |call: &&Call| call.method == "commit_batch";
    calls.iter().filter(is_commit).count()
}

/// What a deploy takes that nothing happens to: its calls, and what the site is then.
fn undisturbed(desk: &Desk) -> (Vec<Call>, super::memory::Assets, Deployed) {
    let canister = desk.canister();
    let deployed = desk.deploy("new", &canister).unwrap();
    (canister.calls(), canister.assets(), deployed)
}

#[test]
fn a_deploy_that_is_killed_at_any_call_leaves_the_old_site_and_can_be_repeated() {
    let desk = Desk::new();
    let (all, new, deployed) = undisturbed(&desk);
    assert!(commits(&all) > 2 && all.iter().filter(|call| call.chunks > 0).count() > 3);

    for lost in [Lost::Before, Lost::After] {
        let (mut killed, mut published) = (0, 0);
        loop {
            let canister = desk.canister();
            let old = canister.assets();
            let way = Way::losing(&canister, killed, lost).cut();
            let result = desk.deploy("new", &way);
            if result.is_ok() {
                break;
            }
            killed += 1;

            let before = canister.calls();
            let is_published = canister.assets() != old;
            published += usize::from(is_published);
            if is_published {
                assert!(canister.assets() == new);
                assert_eq!(before.len(), all.len());
            }
            let again = desk.deploy("new", &canister).unwrap();
            assert!(canister.assets() == new, "{killed} {lost:?}");
            assert_eq!(again.site_hash, deployed.site_hash);
            let after = canister.calls();
            if is_published {
                assert_eq!(after, []);
            } else {
                // Nothing is sent twice but the parcel whose receipt was lost.
                let twice = chunks(&before) + chunks(&after) - chunks(&all);
                let last = before.last().map_or(0, |call| call.chunks);
                assert_eq!(
                    twice,
                    if lost == Lost::After { last } else { 0 },
                    "{killed}"
                );
            }
            assert_eq!(canister.open_batches(), left_open(&before, &after));
        }
        assert!(killed > all.len(), "{killed} of {}", all.len());
        assert!(published > 0 && published < killed);
    }
}

#[test]
fn a_lost_receipt_of_the_last_commit_is_made_up_for_by_looking() {
    let desk = Desk::new();
    let (all, new, deployed) = undisturbed(&desk);
    // The calls that only ask come before: two pages of the listing, and the site hash.
    let last = 3 + all.len() - 1;
    let canister = desk.canister();
    let way = Way::losing(&canister, last, Lost::After);
    assert_eq!(
        desk.deploy("new", &way).unwrap().site_hash,
        deployed.site_hash
    );
    assert!(canister.assets() == new);

    let canister = desk.canister();
    let way = Way::losing(&canister, last, Lost::Before);
    let error = desk.deploy("new", &way).unwrap_err();
    assert!(matches!(error, Error::Undecided(_)), "{error}");
    assert!(canister.assets() != new);
}

#[test]
fn what_was_uploaded_to_a_batch_that_is_gone_is_uploaded_again() {
    let desk = Desk::new();
    let (all, new, _) = undisturbed(&desk);
    let canister = desk.canister();
    let way = Way::losing(&canister, 3 + all.len() - commits(&all) - 1, Lost::Before).cut();
    desk.deploy("new", &way).unwrap_err();
    assert!(chunks(&canister.calls()) > 0);
    canister.expire_batches();
    desk.deploy("new", &canister).unwrap();
    assert_eq!(chunks(&canister.calls()), chunks(&all));
    assert!(canister.assets() == new);
    assert_eq!(canister.open_batches(), 0);
}

#[test]
fn a_deploy_that_is_taken_up_leaves_no_batch_behind() {
    let desk = Desk::new();
    let (all, new, _) = undisturbed(&desk);
    let canister = desk.canister();
    let way = Way::losing(&canister, 3 + all.len() - commits(&all) - 1, Lost::Before).cut();
    desk.deploy("new", &way).unwrap_err();
    // Somebody else begins meanwhile: stages are not to end up there.
    canister
        .update("create_batch", candid::encode_args(()).unwrap())
        .unwrap();
    desk.deploy("new", &canister).unwrap();
    assert!(canister.assets() == new);
    assert_eq!(canister.open_batches(), 1);
}

#[test]
fn a_stage_that_was_mixed_with_another_is_noticed() {
    /// Has somebody with the same identity commit in between.
    struct Busy<'a>(&'a Memory);

    impl Canister for Busy<'_> {
        fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
            self.0.query(method, argument)
        }

        fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
            let reply = self.0.update(method, argument)?;
            if self.0.calls().iter().any(|call| call.operations == 500) {
                let delete =
                    hallmark::legacy::Operation::DeleteAsset(hallmark::legacy::DeleteAsset {
                        key: "/0.mp4".to_owned(),
                    });
                let commit = hallmark::legacy::CommitBatch {
                    batch_id: 0u8.into(),
                    operations: vec![delete],
                };
                self.0
                    .update("commit_batch", candid::encode_one(commit).unwrap())?;
                self.0.calls();
            }
            Ok(reply)
        }
    }

    let desk = Desk::new();
    let canister = desk.canister();
    let error = desk.deploy("new", &Busy(&canister)).unwrap_err();
    assert!(
        matches!(&error, Error::Overtaken { key } if key == "/0.mp4"),
        "{error}"
    );
    desk.deploy("new", &canister).unwrap();
    assert!(canister.body("/0.mp4", "identity").is_some());
}

#[test]
fn so_it_is_with_a_canister_of_dfx_if_one_commit_suffices() {
    let desk = Desk::with_pages(100);
    let canister = || desk.deploy_old(Memory::default());
    let undisturbed = canister();
    desk.deploy("new", &undisturbed).unwrap();
    let all = undisturbed.calls();
    assert_eq!(commits(&all), 1);

    for lost in [Lost::Before, Lost::After] {
        let mut killed = 0;
        loop {
            let canister = canister();
            let old = canister.assets();
            let result = desk.deploy("new", &Way::losing(&canister, killed, lost).cut());
            if result.is_ok() {
                break;
            }
            killed += 1;
            let before = canister.calls();
            let is_published = before.len() == all.len();
            let expected = if is_published {
                &undisturbed.assets()
            } else {
                &old
            };
            assert!(canister.assets() == *expected, "{killed} {lost:?}");

            desk.deploy("new", &canister).unwrap();
            assert!(canister.assets() == undisturbed.assets());
            let after = canister.calls();
            // Chunks are used up by a commit, so they are not counted on once it was to be made.
            let is_uploaded = chunks(&before) == chunks(&all);
            let expected = match (is_published, is_uploaded) {
                (true, _) => 0,
                (false, true) if lost == Lost::Before => chunks(&all),
                (false, _) => {
                    let last = before.last().map_or(0, |call| call.chunks);
                    let lost = if lost == Lost::After { last } else { 0 };
                    chunks(&all) - chunks(&before) + lost
                }
            };
            assert_eq!(chunks(&after), expected, "{killed} {lost:?}");
        }
        assert!(killed > all.len());
    }
}
