//! The hashes of a site are functions of its content.

use crate::world::{ALICE, World, create, delete, set_content};
use ic_hallmark::site::{Content, Operation, PART};
use proptest::prelude::*;

/// Root hashes that must never change, whatever the version: `name site content`, in hexadecimal.
const GOLDEN: &str = include_str!("golden.txt");

fn hashes(world: &World) -> (String, String) {
    let root = world.site.root();
    let content = root.content().map_or("-".to_owned(), hex::encode);
    (hex::encode(root.site()), content)
}

#[test]
fn golden_hashes() {
    let large = vec![b'x'; PART as usize + 1];
    let mut encoded = World::with(&[("/a.css", "text/css", b"a{}")]);
    encoded
        .site
        .commit([set_content("/a.css", "gzip", b"gz")], 5)
        .unwrap();
    let worlds = [
        ("empty", World::new()),
        (
            "page",
            World::with(&[("/index.html", "text/html", b"<h1>Hello</h1>")]),
        ),
        (
            "lost",
            World::with(&[("/a/404.html", "text/html", b"lost")]),
        ),
        (
            "large",
            World::with(&[("/large.bin", "application/octet-stream", &large)]),
        ),
        ("encoded", encoded),
    ];
    let found: String = worlds
        .iter()
        .map(|(name, world)| {
            let (site, content) = hashes(world);
            format!("{name} {site} {content}\n")
        })
        .collect();
    assert_eq!(found, GOLDEN);
}

#[test]
fn chunk_boundaries_leave_no_trace() {
    let content: Vec<u8> = (0..2 * PART + 7).map(|at| (at % 251) as u8).collect();
    let whole = World::with(&[("/large", "text/plain", &content)]);
    let mut chunked = World::new();
    let batch = chunked.site.create_batch(ALICE, 1).unwrap();
    let chunks: Vec<&[u8]> = content.chunks(700_001).collect();
    let ids = chunked.site.create_chunks(batch, &chunks, 1).unwrap();
    let set = Operation::SetContent {
        key: "/large".to_owned(),
        encoding: "identity".to_owned(),
        content: Content {
            chunks: ids,
            ..Content::default()
        },
        sha256: None,
    };
    chunked
        .site
        .commit_batch(batch, ALICE, [create("/large", "text/plain"), set], 1)
        .unwrap();
    assert_eq!(hashes(&whole), hashes(&chunked));
    chunked.site.check().unwrap();
}

const KEYS: [&str; 9] = [
    "/index.html",
    "/404.html",
    "/a.html",
    "/a",
    "/a/index.html",
    "/a/404.html",
    "/a/b.txt",
    "/b.txt",
    "plain",
];

proptest! {
    #[test]
    fn any_history_of_the_same_content_has_the_same_hashes(
        files in prop::collection::btree_map(0..KEYS.len(), 0u8..3, 0..9),
        detour in prop::collection::vec((0..KEYS.len(), 0u8..3), 0..9),
        reverse in any::<bool>(),
        together in any::<bool>(),
    ) {
        let put = |key: usize, content: u8| {
            [create(KEYS[key], "text/html"), set_content(KEYS[key], "identity", &[content])]
        };
        let mut straight = World::new();
        for (key, content) in &files {
            straight.site.commit(put(*key, *content), 1).unwrap();
        }
        let mut other = World::new();
        for (key, content) in detour {
            let replace = [delete(KEYS[key])].into_iter().chain(put(key, content));
            other.site.commit(replace, 2).unwrap();
            other.upgrade();
        }
        let mut operations: Vec<Vec<Operation>> = KEYS.iter().map(|key| vec![delete(key)]).collect();
        let mut puts: Vec<Vec<Operation>> =
            files.iter().map(|(key, content)| put(*key, *content).to_vec()).collect();
        if reverse {
            puts.reverse();
        }
        operations.extend(puts);
        if together {
            other.site.commit(operations.into_iter().flatten(), 3).unwrap();
        } else {
            for operations in operations {
                other.site.commit(operations, 3).unwrap();
            }
        }
        prop_assert_eq!(hashes(&straight), hashes(&other));
        other.site.check().unwrap();
    }
}
