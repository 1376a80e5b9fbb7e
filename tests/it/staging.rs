//! Large deploys come as several commits under the id 0, which no batch has, and a
//! last one under that of the batch with the chunks. Nobody sees one before the
//! last.

use crate::interface::*;
use crate::scene::{Scene, person, refused_for};

/// A scene with an old site, and someone else who may commit.
fn scene() -> Scene {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"old"),
        ("/gone.html", "text/html", b"gone"),
    ]);
    scene.owner().grant(person(2), Permission::Commit).unwrap();
    scene
}

fn page(key: &str, body: &str) -> Vec<Operation> {
    vec![
        create(key, "text/html").into(),
        inline(key, "identity", body.as_bytes()).into(),
    ]
}

#[test]
fn a_deploy_of_many_commits_is_seen_at_once() {
    let scene = scene();
    let owner = scene.owner();
    let before = scene.state();
    let batch = owner.create_batch().unwrap();
    let chunk = owner.create_chunk(batch, b"new").unwrap();
    owner.commit(0, vec![delete("/gone.html")]).unwrap();
    let index = content("/index.html", "identity", &[chunk]);
    owner.commit(0, vec![index.into()]).unwrap();
    owner
        .commit(0, vec![create("/page.html", "text/html").into()])
        .unwrap();
    let body = inline("/page.html", "identity", b"page");
    owner.commit(0, vec![body.into()]).unwrap();

    assert_eq!(scene.state(), before);
    scene.get("/").answer().shows(200, "old");
    scene.get("/gone.html").answer().shows(200, "gone");
    scene.get("/page.html").answer().shows(200, "old");

    owner.commit(batch, Vec::new()).unwrap();
    scene.get("/").answer().shows(200, "new");
    scene.get("/gone.html").answer().shows(200, "new");
    scene.get("/page.html").answer().shows(200, "page");
    let late = owner.create_chunk(batch, b"late");
    refused_for(late, "batch not found", &batch.to_string());
}

#[test]
fn a_staged_deploy_is_the_same_site_as_one_commit() {
    let (staged, direct) = (scene(), scene());
    let batch = staged.owner().create_batch().unwrap();
    for number in 0..20 {
        let operations = page(&format!("/{number}.html"), "page");
        staged.owner().commit(0, operations).unwrap();
    }
    let last = vec![delete("/7.html"), delete("/gone.html")];
    staged.owner().commit(batch, last.clone()).unwrap();

    let all = (0..20).flat_map(|number| page(&format!("/{number}.html"), "page"));
    direct.apply(all.chain(last));
    let (staged, direct) = (staged.owner().site_hash(), direct.owner().site_hash());
    assert_eq!(staged, direct);
}

#[test]
fn without_a_batch_a_commit_is_seen_at_once() {
    let scene = scene();
    scene.owner().commit(0, page("/a.html", "a")).unwrap();
    scene.get("/a.html").answer().shows(200, "a");
    // Somebody else's batch is nobody's business.
    scene.caller(person(2)).create_batch().unwrap();
    scene.owner().commit(0, page("/b.html", "b")).unwrap();
    scene.get("/b.html").answer().shows(200, "b");
}

#[test]
fn single_operations_are_seen_at_once() {
    let scene = scene();
    let owner = scene.owner();
    owner.create_batch().unwrap();
    owner.commit(0, page("/staged.html", "staged")).unwrap();
    let store = Store::new("/a.txt", "text/plain", b"a");
    owner.update::<()>("store", (store,)).unwrap();
    scene.get("/a.txt").answer().shows(200, "a");
    scene.get("/staged.html").answer().shows(200, "old");
}

/// What was published in between stays, where both did not touch the same asset.
#[test]
fn two_deploys_at_the_same_time_both_arrive() {
    let scene = scene();
    let (one, two) = (scene.owner(), scene.caller(person(2)));
    let first = one.create_batch().unwrap();
    let second = two.create_batch().unwrap();
    one.commit(0, page("/one.html", "one")).unwrap();
    two.commit(0, page("/two.html", "two")).unwrap();
    let change = |body: &[u8]| vec![inline("/index.html", "identity", body).into()];
    one.commit(0, change(b"first")).unwrap();
    two.commit(0, change(b"second")).unwrap();
    two.commit(0, vec![delete("/gone.html")]).unwrap();

    one.commit(first, Vec::new()).unwrap();
    scene.get("/").answer().shows(200, "first");
    scene.get("/two.html").answer().shows(200, "first");
    scene.get("/gone.html").answer().shows(200, "gone");
    two.commit(second, Vec::new()).unwrap();
    scene.get("/").answer().shows(200, "second");
    scene.get("/one.html").answer().shows(200, "one");
    scene.get("/two.html").answer().shows(200, "two");
    scene.get("/gone.html").answer().shows(200, "second");
}

#[test]
fn what_fails_while_it_is_staged_leaves_the_stage() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.commit(0, page("/a.html", "a")).unwrap();
    let mut wrong = page("/b.html", "b");
    wrong.push(inline("/missing", "identity", b"c").into());
    refused_for(owner.commit(0, wrong), "asset not found", "/missing");
    let again = owner.commit(0, page("/a.html", "again"));
    refused_for(again, "asset already exists", "/a.html");
    owner.commit(batch, Vec::new()).unwrap();
    scene.get("/a.html").answer().shows(200, "a");
    scene.get("/b.html").answer().shows(200, "old");
}

#[test]
fn a_stage_outlives_upgrades() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.commit(0, page("/a.html", "a")).unwrap();
    let before = scene.state();
    scene.upgrade();
    assert_eq!(scene.state(), before);
    owner.commit(0, page("/b.html", "b")).unwrap();
    scene.upgrade();
    owner.commit(batch, Vec::new()).unwrap();
    scene.get("/a.html").answer().shows(200, "a");
    scene.get("/b.html").answer().shows(200, "b");
}

#[test]
fn a_stage_goes_with_its_batch() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.commit(0, page("/a.html", "a")).unwrap();
    owner.delete_batch(batch).unwrap();
    // There is nothing left to publish, and the client is told.
    let late = owner.commit(batch, Vec::new());
    refused_for(late, "batch not found", &batch.to_string());
    scene.get("/a.html").answer().shows(200, "old");
}

/// A client that has lost the reply sends its last commit again.
#[test]
fn the_last_commit_can_be_sent_twice() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.commit(0, page("/a.html", "a")).unwrap();
    owner.commit(batch, Vec::new()).unwrap();
    let before = scene.state();
    owner.commit(batch, Vec::new()).unwrap();
    assert_eq!(scene.state(), before);
    let more = owner.commit(batch, page("/b.html", "b"));
    refused_for(more, "batch not found", &batch.to_string());
}

#[test]
fn a_deploy_that_took_too_long_does_not_arrive_in_part() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    owner.commit(0, page("/a.html", "a")).unwrap();
    scene.wait(301);
    scene.caller(person(2)).create_batch().unwrap();
    let late = owner.commit(batch, page("/b.html", "b"));
    refused_for(late, "batch not found", &batch.to_string());
    scene.get("/b.html").answer().shows(200, "old");
}

#[test]
fn staging_keeps_a_batch_alive() {
    let scene = scene();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    for number in 0..3 {
        owner
            .commit(0, page(&format!("/{number}.html"), "page"))
            .unwrap();
        scene.wait(200);
    }
    scene.caller(person(2)).create_batch().unwrap();
    owner.commit(batch, Vec::new()).unwrap();
    scene.get("/0.html").answer().shows(200, "page");
}

#[test]
fn the_latest_batch_takes_the_commits() {
    let scene = scene();
    let owner = scene.owner();
    let early = owner.create_batch().unwrap();
    let late = owner.create_batch().unwrap();
    owner.commit(0, page("/a.html", "a")).unwrap();
    owner.commit(early, Vec::new()).unwrap();
    scene.get("/a.html").answer().shows(200, "old");
    owner.commit(late, Vec::new()).unwrap();
    scene.get("/a.html").answer().shows(200, "a");
}
