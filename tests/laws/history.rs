//! What a history may not do: leave something stale that verifies, leak, or half fail.

use crate::world::{ALICE, NOW, World, create, delete, hashes, set_content};
use ic_hallmark::{
    serve::{Request, Response},
    site::{Content, Operation, PropertyChange, Retention},
    upload::EXPIRY,
};
use proptest::prelude::*;

const KEYS: [&str; 8] = [
    "/index.html",
    "/404.html",
    "/a.html",
    "/a",
    "/a/index.html",
    "/a/404.html",
    "/b/c.txt",
    "/index",
];

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Operation>),
    Upload(u8),
    CommitUpload(u8),
    DropUpload(u8),
    Expire,
    Upgrade,
}

fn an_operation() -> impl Strategy<Value = Operation> {
    let key = prop::sample::select(KEYS.to_vec());
    let encoding = prop::sample::select(vec!["identity", "gzip"]);
    prop_oneof![
        4 => key.clone().prop_map(|key| create(key, "text/html")),
        6 => (key.clone(), encoding.clone(), 0u8..4)
            .prop_map(|(key, encoding, content)| set_content(key, encoding, &[content; 3])),
        1 => (key.clone(), encoding).prop_map(|(key, encoding)| Operation::UnsetContent {
            key: key.to_owned(),
            encoding: encoding.to_owned(),
        }),
        1 => (key.clone(), any::<Option<bool>>()).prop_map(|(key, is_aliased)| Operation::SetProperties {
            key: key.to_owned(),
            change: PropertyChange { is_aliased: Some(is_aliased), ..PropertyChange::default() },
        }),
        3 => key.clone().prop_map(delete),
        1 => Just(Operation::Clear),
        1 => key.prop_map(|key| Operation::SetContent {
            key: key.to_owned(),
            encoding: "identity".to_owned(),
            content: b"lie".to_vec().into(),
            sha256: Some(vec![0; 32]),
        }),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(an_operation(), 1..5).prop_map(Step::Commit),
        2 => (0u8..4).prop_map(Step::Upload),
        1 => (0u8..4).prop_map(Step::CommitUpload),
        1 => (0u8..4).prop_map(Step::DropUpload),
        1 => Just(Step::Expire),
        2 => Just(Step::Upgrade),
    ]
}

fn ask_all(world: &World) -> Vec<(u16, Vec<u8>)> {
    KEYS.iter()
        .chain(&["/", "/a/", "/nothing", "/b/nothing", "/b"])
        .map(|url| {
            let response = world.get(url);
            (response.status, response.body)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_history_leaves_a_sound_site(steps in prop::collection::vec(a_step(), 1..25)) {
        let mut world = World::new();
        let mut batches = Vec::new();
        for step in steps {
            let before = (*world.site.root(), ask_all(&world));
            match step {
                Step::Commit(operations) => {
                    if world.site.commit(operations, NOW).is_err() {
                        prop_assert_eq!(before, (*world.site.root(), ask_all(&world)));
                    }
                }
                Step::Upload(content) => {
                    let batch = world.site.create_batch(ALICE, NOW).unwrap();
                    let chunks = [vec![content; 3], vec![content + 1; 3]];
                    let ids = world.site.create_chunks(batch, &chunks, NOW).unwrap();
                    batches.push((batch, ids));
                }
                Step::CommitUpload(pick) => {
                    if !batches.is_empty() {
                        let (batch, ids) = batches.swap_remove(usize::from(pick) % batches.len());
                        let set = Operation::SetContent {
                            key: "/a.html".to_owned(),
                            encoding: "identity".to_owned(),
                            content: Content { chunks: ids, ..Content::default() },
                            sha256: None,
                        };
                        let operations = [delete("/a.html"), create("/a.html", "text/html"), set];
                        // The batch may have expired.
                        if world.site.commit_batch(batch, ALICE, operations, NOW).is_err() {
                            prop_assert_eq!(before, (*world.site.root(), ask_all(&world)));
                        }
                    }
                }
                Step::DropUpload(pick) => {
                    if !batches.is_empty() {
                        let (batch, _) = batches.swap_remove(usize::from(pick) % batches.len());
                        let _ = world.site.delete_batch(batch);
                    }
                }
                Step::Expire => {
                    world.site.create_batch(ALICE, NOW + 2 * EXPIRY).unwrap();
                }
                Step::Upgrade => {
                    world.upgrade();
                    prop_assert_eq!(before, (*world.site.root(), ask_all(&world)));
                }
            }
            world.site.check().unwrap();
        }
        // When everything goes, nothing stays but the built-in answer and the log.
        let nothing = Retention { releases: 0, bytes: None };
        world.site.set_retention(nothing, NOW).unwrap();
        let last = world.site.create_batch(ALICE, NOW + 4 * EXPIRY).unwrap();
        world.site.delete_batch(last).unwrap();
        for _ in 0..3 {
            world.site.commit([Operation::Clear], NOW).unwrap();
        }
        let fresh = World::new().site.check().unwrap();
        let left = world.site.check().unwrap();
        prop_assert_eq!(u64::from(left.nodes.leaves - fresh.nodes.leaves), world.site.log_length());
        prop_assert_eq!((left.nodes.doomed, left.pieces, left.resources), (0, fresh.pieces, fresh.resources));
    }
}

#[test]
fn what_was_replaced_or_deleted_no_longer_verifies() {
    let mut world = World::with(&[
        ("/index.html", "text/html", b"old"),
        ("/gone.html", "text/html", b"gone"),
    ]);
    let asked: Vec<_> = ["/", "/gone", "/gone.html", "/fallback"]
        .map(|url| (Request::get(url), world.get(url)))
        .to_vec();
    let replace = [
        set_content("/index.html", "identity", b"new"),
        delete("/gone.html"),
    ];
    world.site.commit(replace, NOW).unwrap();
    for (request, old) in asked {
        // The strongest replay: the old answer with all that the new tree proves about its path.
        let new = world.ask(&request);
        let proof = |response: &Response| response.header("IC-Certificate").unwrap().to_owned();
        let mut replayed = old.clone();
        replayed
            .headers
            .retain(|(name, _)| name != "IC-Certificate");
        replayed
            .headers
            .push(("IC-Certificate".to_owned(), proof(&new)));
        assert!(world.verify(&request, &replayed).is_err(), "{request:?}");
    }
}

#[test]
fn clearing_leaves_certified_404s() {
    let mut world = World::with(&[("/index.html", "text/html", b"app")]);
    world.site.commit([Operation::Clear], NOW).unwrap();
    assert_eq!(world.get("/").status, 404);
    assert_eq!(hashes(&world.site), hashes(&World::new().site));
}
