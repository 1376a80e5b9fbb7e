//! Deploys that are broken off at every single call, before or after the call had its effect, or
//! with the call arriving later: the site stays as it was until it is published, and the next
//! deploy makes up for it.

use std::fs;

use candid::Principal;
use hallmark::Error;
use hallmark::canister::{Canister, Failure};
use hallmark::directory::{Deployed, Directory};
use hallmark::freight::MAX_CHUNK;
use hallmark::journal::Journal;
use hallmark::native::{Asked, Staged, Stages};
use hallmark::rehearsal::Rehearsal;
use ic_hallmark::site::Environment;

use super::memory::{self, Memory};
use super::way::{Call, Instead, Lost, Meanwhile, Way, deliver};

/// A site in two versions, and a journal.
struct Desk(tempfile::TempDir);

impl Desk {
    /// The new version has so many parcels, and pages.
    fn new(films: u8, pages: usize) -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        for version in ["old", "new"] {
            fs::create_dir(desk.0.path().join(version)).unwrap();
            desk.write(version, "index.png", version.as_bytes());
        }
        desk.write("old", "gone.png", b"gone");
        for film in 0..films {
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
        Directory::new(&path).deploy(canister, &self.journal(), &())
    }

    /// A canister of Hallmark's that holds the old version.
    fn canister(&self) -> Rehearsal {
        let canister = Rehearsal::new(&Environment::default()).unwrap();
        self.deploy("old", &canister).unwrap();
        canister
    }

    /// A canister of dfx that does.
    fn canister_of_dfx(&self) -> Memory {
        let canister = Memory::default();
        self.deploy("old", &canister).unwrap();
        canister.calls();
        canister
    }
}

/// How many calls of a method there are.
fn count(calls: &[Call], method: &str) -> usize {
    calls.iter().filter(|call| call.method == method).count()
}

#[test]
fn a_deploy_that_is_killed_at_any_call_leaves_the_old_site_and_can_be_repeated() {
    let desk = Desk::new(3, 300);
    let undisturbed = desk.canister();
    let old = undisturbed.hashes().unwrap();
    let way = Way::whole(&undisturbed);
    desk.deploy("new", &way).unwrap();
    let (all, chunks) = (way.calls(), way.chunks());
    let new = undisturbed.hashes().unwrap();
    assert!(count(&all, "create_chunks") > 2 && count(&all, "fill_stage") > 1);
    let last = all.iter().position(|call| call.method == "publish_stage");
    let last = last.unwrap();

    for lost in [Lost::Before, Lost::After] {
        for (number, call) in all.iter().enumerate() {
            let what = format!("{} {lost:?}", call.method);
            let canister = desk.canister();
            let way = Way::losing(&canister, number, lost).cut();
            let error = desk.deploy("new", &way).unwrap_err();
            let is_undecided = matches!(error, Error::Undecided(_));
            assert_eq!(is_undecided, number >= last, "{error}");
            let is_published = number > last || number == last && lost == Lost::After;
            let expected = if is_published { new } else { old };
            assert_eq!(canister.hashes().unwrap(), expected, "{what}");

            let second = Way::whole(&canister);
            let again = desk.deploy("new", &second).unwrap();
            assert_eq!(again.release.is_none(), is_published, "{what}");
            assert_eq!(canister.hashes().unwrap(), new, "{what}");
            assert_eq!(again.hashes.unwrap().site, new.site);
            // Nothing is left, but for a stage whose number never arrived.
            let is_unknown = call.method == "create_stage" && lost == Lost::After;
            let stages = Stages::new(&canister).all(Asked::One).unwrap();
            assert_eq!(stages.len(), usize::from(is_unknown), "{what}");
            // Nothing is sent twice.
            assert_eq!(way.chunks() + second.chunks(), chunks, "{what}");
        }
    }
}

#[test]
fn what_several_killed_deploys_have_left_is_cleared_away() {
    let desk = Desk::new(3, 300);
    let canister = desk.canister();
    let lose = |_: &str, _: Vec<u8>| Err(Failure::Unreachable("lost".to_owned()));
    let all = || Stages::new(&canister).all(Asked::One).unwrap();
    // While the stage is filled, and what others hold is still needed.
    for _ in 0..3 {
        let way = Instead {
            canister: &canister,
            method: "fill_stage",
            answer: &lose,
        };
        desk.deploy("new", &way).unwrap_err();
    }
    let left = all();
    let mine = desk.journal().stages();
    assert_eq!(
        left.iter().map(|staged| staged.stage).collect::<Vec<_>>(),
        mine
    );
    assert_eq!(mine.len(), 3);
    // One that is not in the journal is nobody's business.
    let other = Stages::new(&canister).create().unwrap();
    desk.deploy("new", &canister).unwrap();
    let left: Vec<_> = all().into_iter().map(|staged| staged.stage).collect();
    assert_eq!(left, [other]);
    assert!(desk.journal().stages().is_empty());
}

#[test]
fn a_stage_of_somebody_else_is_left_alone_though_the_journal_knows_its_number() {
    let desk = Desk::new(0, 3);
    let canister = desk.canister();
    let somebody = Stages::new(&canister).create().unwrap();
    // As it is after the canister was installed anew.
    desk.journal().begin_stage(somebody);
    let theirs = |_: &str, _: Vec<u8>| {
        let staged = |stage, owner| Staged { stage, owner };
        let (mine, theirs) = (Principal::anonymous(), Principal::management_canister());
        let stages = vec![staged(somebody, theirs), staged(somebody + 1, mine)];
        Ok(candid::encode_one(stages).unwrap())
    };
    let way = Instead {
        canister: &canister,
        method: "stages",
        answer: &theirs,
    };
    let path = desk.0.path().join("new");
    let deployed = Directory::new(&path).deploy(&way, &desk.journal(), &());
    deployed.unwrap();
    let left = Stages::new(&canister).all(Asked::One).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].stage, somebody);
    assert!(desk.journal().stages().is_empty());
}

#[test]
fn a_call_that_arrives_late_does_no_harm() {
    let desk = Desk::new(1, 260);
    let undisturbed = desk.canister();
    let way = Way::whole(&undisturbed);
    desk.deploy("new", &way).unwrap();
    let all = way.calls();
    let new = undisturbed.hashes().unwrap();
    assert!(count(&all, "fill_stage") > 1);

    let updates = all.iter().enumerate().filter(|(_, call)| call.is_update);
    for (number, call) in updates {
        // Before each call of the next deploy, and after all of them.
        for arrival in 0..=all.len() {
            let what = format!("{} at {arrival}", call.method);
            let canister = desk.canister();
            let way = Way::losing(&canister, number, Lost::Before).cut();
            desk.deploy("new", &way).unwrap_err();
            let late = way.calls()[number].clone();
            // Refused or not: nobody is there to be told.
            let arrive = || drop(deliver(&canister, &late));
            if arrival == all.len() {
                desk.deploy("new", &canister).unwrap();
                arrive();
            } else {
                let second = Meanwhile::new(&canister, |number, _| number == arrival, arrive);
                match desk.deploy("new", &second) {
                    Ok(_) => {}
                    // What was late has published the same.
                    Err(Error::Outdated { .. } | Error::Moved)
                        if call.method == "publish_stage" => {}
                    Err(error) => panic!("{what}: {error}"),
                }
            }
            assert_eq!(canister.hashes().unwrap(), new, "{what}");
        }
    }
}

#[test]
fn a_lost_receipt_is_made_up_for_by_publishing_again() {
    let desk = Desk::new(1, 3);
    let undisturbed = desk.canister();
    let way = Way::whole(&undisturbed);
    let deployed = desk.deploy("new", &way).unwrap();
    let calls = way.calls();
    let last = calls.iter().position(|call| call.method == "publish_stage");
    let last = last.unwrap();
    for lost in [Lost::Before, Lost::After] {
        let canister = desk.canister();
        let again = desk.deploy("new", &Way::losing(&canister, last, lost));
        assert_eq!(again.unwrap(), deployed);
        assert_eq!(canister.hashes().unwrap(), undisturbed.hashes().unwrap());
    }
}

fn chunks(calls: &[memory::Call]) -> usize {
    calls.iter().map(|call| call.chunks).sum()
}

fn commits(calls: &[memory::Call]) -> usize {
    let is_commit = |call: &&memory::Call| call.method == "commit_batch";
    calls.iter().filter(is_commit).count()
}

#[test]
fn so_it_is_with_a_canister_of_dfx_if_one_commit_suffices() {
    let desk = Desk::new(3, 100);
    let undisturbed = desk.canister_of_dfx();
    desk.deploy("new", &undisturbed).unwrap();
    let all = undisturbed.calls();
    assert_eq!(commits(&all), 1);

    for lost in [Lost::Before, Lost::After] {
        let mut killed = 0;
        loop {
            let canister = desk.canister_of_dfx();
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

#[test]
fn a_lost_receipt_of_the_commit_is_made_up_for_by_looking() {
    let desk = Desk::new(1, 3);
    let undisturbed = desk.canister_of_dfx();
    let way = Way::whole(&undisturbed);
    desk.deploy("new", &way).unwrap();
    let calls = way.calls();
    let last = calls.iter().position(|call| call.method == "commit_batch");

    let canister = desk.canister_of_dfx();
    let way = Way::losing(&canister, last.unwrap(), Lost::After);
    desk.deploy("new", &way).unwrap();
    assert!(canister.assets() == undisturbed.assets());

    let canister = desk.canister_of_dfx();
    let way = Way::losing(&canister, last.unwrap(), Lost::Before);
    let error = desk.deploy("new", &way).unwrap_err();
    assert!(matches!(error, Error::Undecided(_)), "{error}");
}

#[test]
fn what_was_uploaded_to_a_batch_that_is_gone_is_uploaded_again() {
    let desk = Desk::new(3, 10);
    let undisturbed = desk.canister_of_dfx();
    let way = Way::whole(&undisturbed);
    desk.deploy("new", &way).unwrap();
    let uploads = way.calls().into_iter().enumerate();
    let mut uploads = uploads.filter(|(_, call)| call.method == "create_chunks");
    let (last, _) = uploads.next_back().unwrap();

    let canister = desk.canister_of_dfx();
    let way = Way::losing(&canister, last, Lost::Before).cut();
    desk.deploy("new", &way).unwrap_err();
    assert!(chunks(&canister.calls()) > 0);
    canister.expire_batches();
    desk.deploy("new", &canister).unwrap();
    assert_eq!(chunks(&canister.calls()), chunks(&undisturbed.calls()));
    assert!(canister.assets() == undisturbed.assets());
    assert_eq!(canister.open_batches(), 0);
}
