//! The lock: what is published takes effect later, and everybody can see it coming.

use crate::interface::{Permission, Proposed, Validation, inline};
use crate::scene::{Refusal, Scene, person, refused};
use crate::stages::{fill, publish, seal, stage, whatever};
use candid::{CandidType, Deserialize};

#[derive(Clone, Copy, Debug, PartialEq, CandidType, Deserialize)]
struct Lock {
    delay: u64,
    frozen: bool,
}

#[derive(Debug, PartialEq, CandidType, Deserialize)]
struct NextLock {
    lock: Lock,
    due: u64,
}

#[derive(Debug, PartialEq, CandidType, Deserialize)]
struct Scheduled {
    release: u64,
    due: u64,
}

#[derive(Debug, PartialEq, CandidType, Deserialize)]
struct State {
    lock: Lock,
    next: Option<NextLock>,
    scheduled: Option<Scheduled>,
}

#[derive(CandidType)]
struct Withdraw {
    release: u64,
    note: Option<String>,
}

#[derive(CandidType, Deserialize)]
struct Release {
    release: u64,
}

const HOUR: u64 = 3600;
const DELAYED: Lock = Lock {
    delay: HOUR,
    frozen: false,
};

fn set_lock(scene: &Scene, lock: Lock) {
    let set: Result<(), _> = scene.owner().update("set_lock", (lock,));
    set.unwrap();
}

fn state(scene: &Scene) -> State {
    let (state,) = scene.owner().query("lock", ()).unwrap();
    state
}

fn carry_out(scene: &Scene) -> Option<u64> {
    let (release,) = scene.caller(person(9)).update("carry_out", ()).unwrap();
    release
}

/// A locked site whose owner may set the lock.
fn scene() -> Scene {
    let scene = Scene::showing(&[("/index.html", "text/html", b"old")]);
    let owner = scene.owner();
    owner
        .grant(owner.principal(), Permission::ManagePermissions)
        .unwrap();
    set_lock(&scene, DELAYED);
    scene
}

fn publish_page(scene: &Scene, page: &[u8]) -> Result<u64, Refusal> {
    let owner = scene.owner();
    let stage = stage(owner);
    let change = inline("/index.html", "identity", page);
    fill(owner, stage, vec![change.into()]).unwrap();
    seal(owner, stage);
    publish(owner, whatever(stage))
}

#[test]
fn a_publication_takes_effect_when_it_is_due() {
    let scene = scene();
    let release = publish_page(&scene, b"new").unwrap();
    let Scheduled { release: told, due } = state(&scene).scheduled.unwrap();
    assert_eq!(told, release);
    assert!(due > scene.now_ns());
    scene.get("/").answer().shows(200, "old");
    assert_eq!(carry_out(&scene), None);
    scene.upgrade();
    let at_once = scene.owner().create_batch().and_then(|batch| {
        let change = inline("/index.html", "identity", b"at once");
        scene.owner().commit(batch, vec![change.into()])
    });
    let words = "the site is locked: only staged releases and rollbacks change it, 3600 s after they are logged";
    refused(at_once, words);

    scene.wait(HOUR);
    scene.get("/").answer().shows(200, "old");
    // A query changes nothing, but any call that does carries it out first.
    scene.owner().create_batch().unwrap();
    scene.get("/").answer().shows(200, "new");
    assert_eq!(state(&scene).scheduled, None);

    let release = publish_page(&scene, b"newer").unwrap();
    scene.wait(HOUR);
    assert_eq!(carry_out(&scene), Some(release + 1));
    scene.get("/").answer().shows(200, "newer");
}

/// A site that others depend on is not to be changed by a proposal of the old kind either, and its DAO is told before it
/// votes.
#[test]
fn a_proposal_is_refused_before_the_vote() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let change = inline("/index.html", "identity", b"new");
    owner.propose(batch, vec![change.into()]).unwrap();
    let evidence = owner.compute_evidence(batch, None).unwrap().unwrap();
    let proposed = Proposed::new(batch, &evidence);
    let said = owner.update("validate_commit_proposed_batch", (proposed,));
    let (said,): (Validation,) = said.unwrap();
    let words = "the site is locked: only staged releases and rollbacks change it, 3600 s after they are logged";
    assert_eq!(said, Validation::Err(words.to_owned()));
    refused(owner.commit_proposed(batch, &evidence), words);
}

/// Its pages were made before the environment changed.
#[test]
fn whatever_carries_a_publication_out_has_its_pages_told_of_the_environment() {
    let scene = scene();
    publish_page(&scene, b"new").unwrap();
    scene.set_environment(&[("PUBLIC_NAME", "value")]);
    scene.wait(HOUR);
    scene.owner().create_batch().unwrap();
    let answer = scene.get("/").answer();
    answer.shows(200, "new");
    assert!(
        answer
            .header("set-cookie")
            .contains("PUBLIC%5FNAME%3Dvalue")
    );
}

#[test]
fn the_lock_guards_itself() {
    let scene = scene();
    let stranger = scene.caller(person(9));
    let set: Result<(), _> = stranger.update("set_lock", (DELAYED,));
    let words = "Caller does not have ManagePermissions permission and is not a controller.";
    refused(set, words);
    let open = Lock {
        delay: 0,
        frozen: false,
    };
    let (said,): (Validation,) = stranger.update("validate_set_lock", (open,)).unwrap();
    let words = "do not freeze the site, and let publications take effect after 0 s";
    assert_eq!(said, Validation::Ok(words.to_owned()));
    let endless = Lock {
        delay: 31_536_001,
        frozen: false,
    };
    let (said,): (Validation,) = stranger.update("validate_set_lock", (endless,)).unwrap();
    let words = "a delay of 31536001 s: 31536000 is the most";
    assert_eq!(said, Validation::Err(words.to_owned()));
    set_lock(&scene, open);
    let waiting = state(&scene);
    assert_eq!(waiting.lock, DELAYED);
    assert_eq!(waiting.next.unwrap().lock, open);
    scene.wait(HOUR);
    assert_eq!(carry_out(&scene), None, "nothing is live that was not");
    assert_eq!(state(&scene).lock, open);
    publish_page(&scene, b"new").unwrap();
    scene.get("/").answer().shows(200, "new");
    let frozen = Lock {
        frozen: true,
        ..DELAYED
    };
    set_lock(&scene, frozen);
    refused(publish_page(&scene, b"newer"), "the site is frozen");
}

#[test]
fn what_is_withdrawn_never_takes_effect() {
    let scene = scene();
    let release = publish_page(&scene, b"new").unwrap();
    let again = publish_page(&scene, b"newer");
    let due = state(&scene).scheduled.unwrap().due;
    let words = format!("release {release} is scheduled already, for {due}: withdraw it first");
    refused(again, &words);
    let note = Some("it is broken".to_owned());
    let withdraw = |release| Withdraw {
        release,
        note: note.clone(),
    };
    let validate = |release| {
        let said = scene
            .owner()
            .update("validate_withdraw", (withdraw(release),));
        let (said,): (Validation,) = said.unwrap();
        said
    };
    let words = format!("withdraw release {release}: it is broken");
    assert_eq!(validate(release), Validation::Ok(words));
    let words = format!("release {} is not scheduled", release + 1);
    assert_eq!(validate(release + 1), Validation::Err(words));
    let (done,): (Release,) = scene
        .owner()
        .update("withdraw", (withdraw(release),))
        .unwrap();
    assert_eq!(done.release, release + 1);
    scene.wait(HOUR);
    assert_eq!(carry_out(&scene), None);
    scene.get("/").answer().shows(200, "old");
}
