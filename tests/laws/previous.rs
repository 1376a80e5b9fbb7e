//! What the release before goes on to answer, and that no hash and no proof knows of it.

use crate::world::{ALICE, NOW, World, create, delete, hashes, set_content};
use ic_hallmark::{
    serve::{Request, serve, serve_update},
    site::{Operation, PART, Retention},
};

fn publish(world: &mut World, operations: impl IntoIterator<Item = Operation>) {
    let batch = world.site.create_batch(ALICE, NOW).unwrap();
    world
        .site
        .commit_batch(batch, ALICE, operations, NOW)
        .unwrap();
}

fn file(key: &str, content: &[u8]) -> [Operation; 2] {
    let content_type = "text/javascript";
    [
        create(key, content_type),
        set_content(key, "identity", content),
    ]
}

/// Two releases of a page and a part of it, whose name holds a hash, and a file whose name holds none.
fn site() -> World {
    let mut world = World::new();
    for (old, new) in [("", "4f3a9c21"), ("4f3a9c21", "DiwrgTda")] {
        let mut operations = vec![
            delete("/index.html"),
            delete("/plain.js"),
            delete(&format!("/assets/part-{old}.js")),
        ];
        operations.extend(file("/index.html", new.as_bytes()));
        operations.extend(file(&format!("/assets/part-{new}.js"), new.as_bytes()));
        if old.is_empty() {
            operations.extend(file("/plain.js", b"plain"));
        }
        publish(&mut world, operations);
    }
    world
}

const OLD: &str = "/assets/part-4f3a9c21.js";

#[test]
fn an_open_page_goes_on_to_load_its_parts() {
    let mut world = site();
    for get in [Request::get(OLD), Request::get(format!("{OLD}?x"))] {
        let answer = world.ask(&get);
        assert!(answer.upgrade, "the live site has another answer");
        let answer = serve_update(&world.site, &get);
        assert_eq!((answer.status, &*answer.body), (200, &b"4f3a9c21"[..]));
        assert_eq!(answer.header("content-type"), Some("text/javascript"));
        assert!(!answer.upgrade);
    }
    let head = Request {
        method: "HEAD".to_owned(),
        ..Request::get(OLD)
    };
    assert!(world.ask(&head).upgrade);
    let answer = serve_update(&world.site, &head);
    assert_eq!((answer.status, &*answer.body), (200, &b""[..]));
    // Nothing is proved of it.
    let mut fresh = World::new();
    let new = "/assets/part-DiwrgTda.js";
    publish(&mut fresh, file("/index.html", b"DiwrgTda"));
    publish(&mut fresh, file(new, b"DiwrgTda"));
    assert_eq!(hashes(&world.site), hashes(&fresh.site));

    let is_answered = |world: &World, url: &str| {
        let get = Request::get(url);
        let is_upgraded = world.ask(&get).upgrade;
        let is_served = serve_update(&world.site, &get).status == 200;
        assert_eq!(is_upgraded, is_served);
        is_served
    };
    assert!(!is_answered(&world, "/plain.js"), "its name holds no hash");
    assert!(!is_answered(&world, new), "the live site has it");
    let post = Request {
        method: "POST".to_owned(),
        ..Request::get(OLD)
    };
    assert!(!world.ask(&post).upgrade);
    world.upgrade();
    assert!(is_answered(&world, OLD));
    let mut retention = Retention {
        answers_replaced: false,
        ..Retention::DEFAULT
    };
    world.site.set_retention(retention, NOW).unwrap();
    assert!(!is_answered(&world, OLD));
    retention.answers_replaced = true;
    world.site.set_retention(retention, NOW).unwrap();
    // Single changes are no publications.
    world.put("/other.txt", "text/plain", b"x").unwrap();
    assert!(is_answered(&world, OLD));
    publish(&mut world, [delete("/other.txt")]);
    assert!(!is_answered(&world, OLD), "two releases before");
    world.site.rollback(1, "", NOW).unwrap();
    assert!(!is_answered(&world, OLD), "it is live again");
    assert!(is_answered(&world, new), "now that is the one before");
    retention.releases = 0;
    world.site.set_retention(retention, NOW).unwrap();
    assert!(!is_answered(&world, new), "nothing is kept");
}

#[test]
fn a_download_goes_on_with_what_it_began_with() {
    let mut world = World::new();
    let [old, new] = [b'o', b'n'].map(|byte| vec![byte; 2 * PART as usize]);
    publish(&mut world, file("/film.bin", &old));
    let first = world.get("/film.bin");
    let entity_tag = first.header("etag").unwrap().to_owned();
    let begun = Request::get("/film.bin").with_header("range", "bytes=1000000-");
    let go_on = begun.clone().with_header("if-range", entity_tag);
    let rest = serve_update(&world.site, &go_on);
    assert!(serve(&world.site, &go_on, b"").upgrade && rest.body[0] == b'o');

    let mut operations = vec![delete("/film.bin")];
    operations.extend(file("/film.bin", &new));
    publish(&mut world, operations);
    assert!(world.ask(&go_on).upgrade);
    let answer = serve_update(&world.site, &go_on);
    assert_eq!((answer.status, answer.body.len()), (206, PART as usize));
    assert_eq!(answer, rest);
    let answer = serve_update(&world.site, &begun);
    assert!(answer.body[0] == b'n');
    let other = begun.with_header("if-range", "\"of something else\"");
    let answer = world.ask(&other);
    assert!(!answer.upgrade && answer.body[0] == b'n', "all of it anew");
}
