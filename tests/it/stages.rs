//! Staged releases: the next site is made beside the live one, looked at, and put in its place.

use crate::interface::{Operation, Permission, Validation, create, delete, inline};
use crate::scene::{Caller, Refusal, Scene, person, refused, refused_for};
use candid::{CandidType, Deserialize, Principal};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

#[derive(CandidType)]
struct Lifetime {
    lifetime: Option<u64>,
}

#[derive(Clone, Copy, CandidType, Deserialize)]
struct Number {
    stage: u64,
}

#[derive(CandidType)]
struct Fill<O> {
    stage: u64,
    operations: Vec<O>,
}

/// An operation that names chunks by their hashes.
#[derive(CandidType)]
enum ByHash {
    SetAssetContent(SetByHash),
}

#[derive(CandidType)]
struct SetByHash {
    key: String,
    content_encoding: String,
    chunk_ids: Vec<u128>,
    chunk_hashes: Option<Vec<ByteBuf>>,
    last_chunk: Option<ByteBuf>,
    sha256: Option<ByteBuf>,
}

#[derive(Debug, Deserialize, CandidType)]
pub(crate) struct Sealed {
    done: bool,
    site_hash: Option<ByteBuf>,
    content_hash: Option<ByteBuf>,
}

#[derive(Clone, CandidType)]
pub(crate) struct Publish<'a> {
    stage: u64,
    site_hash: Option<ByteBuf>,
    content_hash: Option<ByteBuf>,
    note: Option<&'a str>,
}

#[derive(Debug, CandidType, Deserialize)]
struct Published {
    release: u64,
}

#[derive(Debug, PartialEq, CandidType, Deserialize)]
struct Stage {
    stage: u64,
    owner: Principal,
    expires: u64,
    base: u64,
    state: String,
    chunks: u32,
    bytes: u64,
    site_hash: Option<ByteBuf>,
    content_hash: Option<ByteBuf>,
}

pub(crate) fn stage(caller: Caller<'_>) -> u64 {
    let created = caller.update("create_stage", (Lifetime { lifetime: None },));
    let (Number { stage },) = created.unwrap();
    stage
}

pub(crate) fn fill(
    caller: Caller<'_>,
    stage: u64,
    operations: Vec<Operation>,
) -> Result<(), Refusal> {
    caller.update("fill_stage", (Fill { stage, operations },))
}

pub(crate) fn seal(caller: Caller<'_>, stage: u64) -> Sealed {
    let (sealed,): (Sealed,) = caller.update("seal_stage", (Number { stage },)).unwrap();
    assert!(sealed.done, "one call is enough for so little");
    sealed
}

pub(crate) fn publish(caller: Caller<'_>, publish: Publish<'_>) -> Result<u64, Refusal> {
    let done = caller.update("publish_stage", (publish,));
    done.map(|(Published { release },)| release)
}

fn validate(caller: Caller<'_>, publish: Publish<'_>) -> Validation {
    let (words,) = caller.update("validate_publish_stage", (publish,)).unwrap();
    words
}

fn stages(scene: &Scene) -> Vec<Stage> {
    let (stages,) = scene.owner().query("stages", ()).unwrap();
    stages
}

fn held(scene: &Scene, contents: &[&[u8]]) -> Vec<bool> {
    let hashes: Vec<ByteBuf> = contents
        .iter()
        .map(|content| ByteBuf::from(Sha256::digest(content).to_vec()))
        .collect();
    let (held,) = scene.owner().query("held", (hashes,)).unwrap();
    held
}

pub(crate) fn whatever(stage: u64) -> Publish<'static> {
    Publish {
        stage,
        site_hash: None,
        content_hash: None,
        note: None,
    }
}

/// What is said of a stage that is not there.
fn gone(stage: u64) -> String {
    format!("stage {stage}: not found: it was published or discarded, or expired")
}

/// A site, and someone who may prepare.
fn scene() -> Scene {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"old"),
        ("/gone.txt", "text/plain", b"gone"),
    ]);
    scene.owner().grant(person(2), Permission::Prepare).unwrap();
    scene
}

#[test]
fn a_release_is_staged_by_one_and_published_by_another() {
    let scene = scene();
    let before = scene.state();
    let preparer = scene.caller(person(2));
    let stage = stage(preparer);
    preparer.create_chunk(stage.into(), b"new ").unwrap();
    assert_eq!(
        held(&scene, &[b"new ", b"old", b"page"]),
        [true, true, false]
    );
    let operations = vec![
        delete("/gone.txt"),
        create("/page.txt", "text/plain").into(),
    ];
    fill(preparer, stage, operations).unwrap();
    let hash = |content: &[u8]| ByteBuf::from(Sha256::digest(content).to_vec());
    let by_hash = ByHash::SetAssetContent(SetByHash {
        key: "/page.txt".to_owned(),
        content_encoding: "identity".to_owned(),
        chunk_ids: Vec::new(),
        chunk_hashes: Some(vec![hash(b"new "), hash(b"old")]),
        last_chunk: Some(ByteBuf::from(" page")),
        sha256: Some(hash(b"new old page")),
    });
    let operations = vec![by_hash];
    let filled: Result<(), _> = preparer.update("fill_stage", (Fill { stage, operations },));
    filled.unwrap();
    scene.upgrade();
    let sealed = seal(preparer, stage);
    assert_eq!(scene.state(), before, "nothing is seen of it");
    let [shown] = &stages(&scene)[..] else {
        panic!("one stage");
    };
    assert_eq!((shown.owner, &*shown.state), (person(2), "sealed"));
    assert_eq!((shown.chunks, shown.bytes, shown.base), (1, 4, 2));
    assert_eq!(shown.site_hash, sealed.site_hash);
    assert_eq!(shown.content_hash, sealed.content_hash);

    let vote = Publish {
        site_hash: sealed.site_hash.clone(),
        note: Some("as voted"),
        ..whatever(stage)
    };
    let words = format!(
        "publish stage {stage} with site hash {}: as voted",
        hex::encode(sealed.site_hash.as_ref().unwrap())
    );
    assert_eq!(validate(preparer, vote.clone()), Validation::Ok(words));
    let long = "x".repeat(1001);
    let wordy = Publish {
        note: Some(&long),
        ..vote.clone()
    };
    let words = "a note of 1001 bytes: at most 1000 are allowed";
    let said = validate(preparer, wordy);
    assert_eq!(said, Validation::Err(words.to_owned()));
    let stranger = publish(preparer, vote.clone());
    refused(stranger, "Caller does not have Commit permission");
    let words = "another principal staged it: its site hash or content hash has to be given";
    let words = format!("stage {stage}: {words}");
    refused(publish(scene.owner(), whatever(stage)), &words);
    let said = validate(preparer, whatever(stage));
    assert_eq!(said, Validation::Err(words));
    scene.upgrade();
    assert_eq!(scene.state(), before);

    assert_eq!(publish(scene.owner(), vote.clone()).unwrap(), 4);
    assert_eq!(Some(scene.owner().site_hash()), sealed.site_hash);
    let page = scene.get("/page.txt").answer();
    page.shows(200, "new old page");
    scene.get("/gone.txt").answer().shows(200, "old");
    assert!(stages(&scene).is_empty());
    // Whose reply was lost asks again.
    assert_eq!(publish(scene.owner(), vote).unwrap(), 4);
}

#[test]
fn what_has_moved_on_is_not_overwritten() {
    let scene = scene();
    let owner = scene.owner();
    let stage = stage(owner);
    let page = inline("/index.html", "identity", b"new");
    fill(owner, stage, vec![page.into()]).unwrap();
    let base = scene.owner().site_hash();
    seal(owner, stage);
    scene.apply([delete("/gone.txt")]);
    let live = scene.owner().site_hash();
    let words = format!(
        "stage {stage}: it was begun on release 2 with site hash {}, but release 4 with site hash {} is live: \
         rebase it",
        hex::encode(base),
        hex::encode(live)
    );
    refused(publish(owner, whatever(stage)), &words);
    let rebased: Result<(), _> = owner.update("rebase_stage", (Number { stage },));
    rebased.unwrap();
    let words = format!("stage {stage}: it is not sealed");
    refused(publish(owner, whatever(stage)), &words);
    seal(owner, stage);
    publish(owner, whatever(stage)).unwrap();
    scene.get("/").answer().shows(200, "new");
    scene.get("/gone.txt").answer().shows(200, "new");
    assert_eq!(owner.list_all().len(), 1);
}

#[test]
fn stages_are_their_owners() {
    let scene = scene();
    scene.owner().grant(person(3), Permission::Prepare).unwrap();
    let [owner, other] = [2, 3].map(|number| scene.caller(person(number)));
    let stage = stage(owner);
    let words = format!("stage {stage}: another principal staged it");
    refused(fill(other, stage, Vec::new()), &words);
    for method in ["seal_stage", "rebase_stage", "discard_stage"] {
        let done: Result<(), _> = other.update(method, (Number { stage },));
        refused(done, &words);
        let nobody = scene.caller(person(9));
        let done: Result<(), _> = nobody.update(method, (Number { stage },));
        refused(done, "Caller does not have Prepare permission");
    }
    // Who may commit may do with all of them what they like.
    let done: Result<(), _> = scene.owner().update("discard_stage", (Number { stage },));
    done.unwrap();
    refused(fill(owner, stage, Vec::new()), &gone(stage));
}

#[test]
fn an_unused_stage_expires() {
    let scene = scene();
    let owner = scene.owner();
    let (short, long) = (
        stage(owner),
        Lifetime {
            lifetime: Some(86_400),
        },
    );
    let (Number { stage: long },) = owner.update("create_stage", (long,)).unwrap();
    scene.wait(3601);
    owner.create_batch().unwrap();
    let left: Vec<u64> = stages(&scene).iter().map(|stage| stage.stage).collect();
    assert_eq!(left, [long]);
    refused(fill(owner, short, Vec::new()), &gone(short));
    let forever = Lifetime {
        lifetime: Some(u64::MAX),
    };
    let done: Result<(Number,), _> = owner.update("create_stage", (forever,));
    refused_for(
        done.map(|_| ()),
        "a staged release cannot live",
        "2592000000000000",
    );
}
