//! Deploying as a staged release: what is sent, what is published, and what happens if somebody
//! else publishes meanwhile.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use hallmark::Error;
use hallmark::canister::{Canister, Failure, Reject};
use hallmark::directory::{Deployed, Directory, Manner};
use hallmark::freight::MAX_CHUNK;
use hallmark::hash::rehearse;
use hallmark::journal::Journal;
use hallmark::legacy::AssetCanister;
use hallmark::native::{Asked, Stages};
use hallmark::rehearsal::Rehearsal;
use hallmark::report::Step;
use ic_hallmark::site::{Environment, Properties};

use super::log::Log;
use super::way::{Instead, Meanwhile, Way};

fn canister() -> Rehearsal {
    Rehearsal::new(&Environment::default()).unwrap()
}

fn site(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    for (name, body) in files {
        fs::write(site.path().join(name), body).unwrap();
    }
    site
}

fn deploy(directory: &Path, canister: &dyn Canister) -> Deployed {
    let deployed = Directory::new(directory).deploy(canister, &Journal::none(), &());
    deployed.unwrap()
}

fn deploy_rebasing(directory: &Path, canister: &dyn Canister) -> Result<Deployed, Error> {
    let manner = Manner {
        rebase: true,
        ..Manner::default()
    };
    Directory::new(directory).deploy_as(&manner, canister, &Journal::none(), &())
}

fn methods(way: &Way<'_>) -> Vec<String> {
    way.calls().into_iter().map(|call| call.method).collect()
}

#[test]
fn a_small_site_takes_few_calls() {
    let site = site(&[("a.png", b"a"), ("b.png", b"a"), ("empty.png", b"")]);
    let (canister, log) = (canister(), Log::default());
    let way = Way::whole(&canister);
    let deployed = Directory::new(site.path()).deploy(&way, &Journal::none(), &log);
    let deployed = deployed.unwrap();
    let expected = [
        "releases",
        "site_hash",
        "list",
        "create_stage",
        "held",
        "create_chunks",
        "fill_stage",
        "seal_stage",
        "publish_stage",
        "releases",
    ];
    assert_eq!(methods(&way), expected);
    // What is there twice is sent once, and nothing is not sent.
    assert_eq!(way.chunks(), 1);
    let expected = [
        (Step::Reading, 3, 3),
        (Step::Uploading, 1, 1),
        (Step::Staging, 6, 6),
    ];
    assert_eq!(log.take(), expected);
    assert_eq!(deployed.release, Some(1));
    assert_eq!(
        canister.content("/b.png", "identity").unwrap().unwrap(),
        b"a"
    );
    assert_eq!(
        canister.content("/empty.png", "identity").unwrap().unwrap(),
        b""
    );
    let hashes = canister.hashes().unwrap();
    assert_eq!(deployed.hashes.unwrap().site, hashes.site);
    assert_eq!(deployed.hashes.unwrap().content, hashes.content);

    let again = deploy(site.path(), &canister);
    assert!(again.changes.is_empty());
    assert_eq!((again.release, again.hashes), (None, deployed.hashes));
}

#[test]
fn what_the_canister_holds_is_not_sent() {
    let film = vec![7; 2 * MAX_CHUNK + 7];
    let old = site(&[("film.mp4", &film), ("a.png", b"a")]);
    let canister = canister();
    deploy(old.path(), &canister);
    let new = site(&[("moved.mp4", &film), ("b.png", b"a"), ("c.png", b"c")]);
    let way = Way::whole(&canister);
    deploy(new.path(), &way);
    assert_eq!(way.chunks(), 1);
    assert!(canister.content("/moved.mp4", "identity").unwrap() == Some(film));

    // Also what was live before: it can come back.
    let way = Way::whole(&canister);
    deploy(old.path(), &way);
    assert_eq!(way.chunks(), 0);
}

#[test]
fn an_empty_directory_is_an_empty_site() {
    let canister = canister();
    deploy(site(&[("a.png", b"a")]).path(), &canister);
    let deployed = deploy(site(&[]).path(), &canister);
    assert_eq!(deployed.release, Some(2));
    assert_eq!(deployed.hashes.unwrap().content, None);
    assert_eq!(canister.hashes().unwrap().content, None);
}

#[test]
fn sealing_goes_on_until_it_is_done() {
    /// Says at first that there is more to do.
    struct Slow<'a>(&'a Rehearsal, AtomicBool);

    impl Canister for Slow<'_> {
        fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
            self.0.query(method, argument)
        }

        fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
            if method == "seal_stage" && !self.1.swap(true, Ordering::Relaxed) {
                let more = ic_hallmark::api::SealStageResponse::from(None);
                return Ok(candid::encode_one(more).unwrap());
            }
            self.0.update(method, argument)
        }
    }

    let canister = canister();
    let site = site(&[("a.png", b"a")]);
    let deployed = deploy(site.path(), &Slow(&canister, AtomicBool::new(false)));
    assert_eq!(deployed.release, Some(1));
}

/// A canister, what another one publishes on it, and what is deployed meanwhile.
fn rivals() -> (Rehearsal, tempfile::TempDir, tempfile::TempDir) {
    let canister = canister();
    let old = site(&[
        ("both.png", b"old"),
        ("mine.png", b"old"),
        ("theirs.png", b"old"),
        ("taken.png", b"old"),
        ("gone.png", b"old"),
    ]);
    deploy(old.path(), &canister);
    let theirs = site(&[
        ("both.png", b"theirs"),
        ("mine.png", b"old"),
        ("theirs.png", b"theirs"),
        ("gone.png", b"theirs"),
        ("added.png", b"theirs"),
    ]);
    let mine = site(&[
        ("both.png", b"mine"),
        ("mine.png", b"mine"),
        ("theirs.png", b"old"),
        ("taken.png", b"old"),
    ]);
    (canister, theirs, mine)
}

#[test]
fn who_is_second_is_told_or_goes_on_if_so_wished() {
    for method in ["create_stage", "fill_stage", "seal_stage", "publish_stage"] {
        let (canister, theirs, mine) = rivals();
        let publish = || drop(deploy(theirs.path(), &canister));
        let way = Meanwhile::new(&canister, |_, called| called == method, publish);
        let seen = Way::whole(&way);
        let error = Directory::new(mine.path())
            .deploy(&seen, &Journal::none(), &())
            .unwrap_err();
        match method {
            "create_stage" => assert!(matches!(error, Error::Moved), "{error}"),
            _ => assert!(
                matches!(error, Error::Outdated { base: 1, live: 2 }),
                "{error}"
            ),
        }
        let rival = rehearse(theirs.path(), &Environment::default()).unwrap().0;
        assert_eq!(canister.hashes().unwrap(), rival.hashes().unwrap());
        assert_eq!(methods(&seen).last().unwrap(), "discard_stage");

        let (canister, theirs, mine) = rivals();
        let publish = || drop(deploy(theirs.path(), &canister));
        let way = Meanwhile::new(&canister, |_, called| called == method, publish);
        let deployed = deploy_rebasing(mine.path(), &way).unwrap();
        assert_eq!(deployed.release, Some(3), "{method}");
        let alone = rehearse(mine.path(), &Environment::default()).unwrap().0;
        assert_eq!(canister.hashes().unwrap(), alone.hashes().unwrap());
    }
}

/// A canister whose refusals say nothing.
struct Terse<'a>(&'a dyn Canister);

impl Terse<'_> {
    fn silence(result: Result<Vec<u8>, Failure>) -> Result<Vec<u8>, Failure> {
        result.map_err(|failure| match failure {
            Failure::Rejected(reject) => Failure::Rejected(Reject {
                message: "no".to_owned(),
                ..reject
            }),
            other => other,
        })
    }
}

impl Canister for Terse<'_> {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        Terse::silence(self.0.query(method, argument))
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        Terse::silence(self.0.update(method, argument))
    }
}

#[test]
fn who_was_first_is_not_a_matter_of_words() {
    let (canister, theirs, mine) = rivals();
    let publish = || drop(deploy(theirs.path(), &canister));
    let way = Meanwhile::new(&canister, |_, called| called == "publish_stage", publish);
    let deployed = Directory::new(mine.path()).deploy(&Terse(&way), &Journal::none(), &());
    let error = deployed.unwrap_err();
    let is_outdated = matches!(error, Error::Outdated { base: 1, live: 2 });
    assert!(is_outdated, "{error}");

    // Refused for any other reason, nobody was first.
    let refuse = |_: &str, _: Vec<u8>| {
        Err(Failure::Rejected(Reject {
            code: 503,
            message: "it was begun on release 1, but release 2 is live".to_owned(),
        }))
    };
    let way = Instead {
        canister: &canister,
        method: "publish_stage",
        answer: &refuse,
    };
    let error = Directory::new(mine.path())
        .deploy(&way, &Journal::none(), &())
        .unwrap_err();
    assert!(matches!(error, Error::Call { .. }), "{error}");
}

#[test]
fn changes_by_single_calls_are_noticed_though_they_share_an_entry() {
    let canister = canister();
    let properties = |max_age| Properties {
        content_type: "image/png".to_owned(),
        max_age: Some(max_age),
        ..Properties::default()
    };
    let change = |key: &str| canister.add(key, properties(1), vec![]).unwrap();
    change("/theirs.png");
    let mine = site(&[("mine.png", b"mine")]);
    let way = Meanwhile::new(
        &canister,
        |_, called| called == "publish_stage",
        || change("/more.png"),
    );
    let error = Directory::new(mine.path())
        .deploy(&way, &Journal::none(), &())
        .unwrap_err();
    let is_outdated = matches!(error, Error::Outdated { base: 1, live: 1 });
    assert!(is_outdated, "{error}");
    assert!(
        error.to_string().contains("which was changed since"),
        "{error}"
    );
}

#[test]
fn what_others_publish_before_the_stage_begins_is_noticed_while_it_is_filled() {
    // What both add can be added once only.
    let (theirs, mine) = (site(&[("a.png", b"1")]), site(&[("a.png", b"2")]));
    for rebase in [false, true] {
        let canister = canister();
        let publish = || drop(deploy(theirs.path(), &canister));
        let way = Meanwhile::new(&canister, |_, called| called == "create_stage", publish);
        let manner = Manner {
            rebase,
            ..Manner::default()
        };
        let deployed = Directory::new(mine.path()).deploy_as(&manner, &way, &Journal::none(), &());
        match rebase {
            false => assert!(matches!(deployed, Err(Error::Moved))),
            true => assert_eq!(deployed.unwrap().release, Some(2)),
        }
        let body: &[u8] = if rebase { b"2" } else { b"1" };
        let live = canister.content("/a.png", "identity").unwrap();
        assert_eq!(live.as_deref(), Some(body));
        assert_eq!(stages(&canister), 0);
    }
}

/// How many stages there are.
fn stages(canister: &dyn Canister) -> usize {
    let stages = Stages::new(canister).all(Asked::One);
    stages.unwrap().len()
}

#[test]
fn what_was_held_and_is_gone_is_uploaded() {
    let canister = canister();
    // Somebody has uploaded the same, and gives it up right before it is used.
    let other = Stages::new(&canister);
    let stage = other.create().unwrap();
    let film = vec![7; 2 * MAX_CHUNK];
    let chunks = AssetCanister::new(&canister);
    for chunk in [&film[..MAX_CHUNK], b"a"] {
        chunks.create_chunks(&stage.into(), &[chunk]).unwrap();
    }
    let site = site(&[("film.mp4", &film), ("a.png", b"a"), ("b.png", b"b")]);
    let discard = || other.discard(stage).unwrap();
    let way = Meanwhile::new(&canister, |_, called| called == "fill_stage", discard);
    let seen = Way::whole(&way);
    deploy(site.path(), &seen);
    let stored = canister.content("/film.mp4", "identity").unwrap();
    assert!(stored == Some(film));
    // The one of the film is both halves; that of b.png was uploaded before.
    assert_eq!(seen.chunks(), 3);
    assert_eq!(
        methods(&seen)
            .iter()
            .filter(|name| *name == "fill_stage")
            .count(),
        2
    );
}

#[test]
fn it_does_not_go_on_forever() {
    /// Somebody publishes before whatever is to be published.
    struct Busy<'a>(&'a Rehearsal, AtomicBool);

    impl Canister for Busy<'_> {
        fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
            self.0.query(method, argument)
        }

        fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
            if method == "publish_stage" {
                let is_odd = self.1.fetch_xor(true, Ordering::Relaxed);
                let body: &[u8] = if is_odd { b"odd" } else { b"even" };
                deploy(site(&[("theirs.png", body)]).path(), self.0);
            }
            self.0.update(method, argument)
        }
    }

    let canister = canister();
    let mine = site(&[("mine.png", b"mine")]);
    let busy = Busy(&canister, AtomicBool::new(false));
    let error = deploy_rebasing(mine.path(), &busy).unwrap_err();
    assert!(matches!(error, Error::Outdated { .. }), "{error}");
    assert_eq!(canister.content("/mine.png", "identity").unwrap(), None);
}
