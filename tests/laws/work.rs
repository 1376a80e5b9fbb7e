//! Work is in proportion to what is asked for, counted in reads of stable memory.

use crate::world::{ALICE, NOW, create, delete};
use ic_cbor::HashTreeToCbor;
use ic_certification::{HashTree, LookupResult};
use ic_hallmark::{
    Error, Site,
    serve::{Request, serve},
    site::{Content, Expected, Memories, Operation},
    upload::Limits,
};
use ic_stable_structures::{Memory, VectorMemory};
use std::{cell::Cell, rc::Rc};

/// A memory that counts.
#[derive(Clone, Default)]
struct Counted {
    memory: VectorMemory,
    bytes: Rc<Cell<u64>>,
}

impl Memory for Counted {
    fn size(&self) -> u64 {
        self.memory.size()
    }

    fn grow(&self, pages: u64) -> i64 {
        self.memory.grow(pages)
    }

    fn read(&self, offset: u64, into: &mut [u8]) {
        self.bytes.set(self.bytes.get() + into.len() as u64);
        self.memory.read(offset, into);
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        self.memory.write(offset, bytes);
    }
}

fn site() -> (Memories<Counted>, Site<Counted>) {
    let memories = Memories::<Counted>::default();
    let site = Site::open(memories.clone()).unwrap();
    (memories, site)
}

/// Bytes read from the memory of bodies.
fn read_of_bodies(memories: &Memories<Counted>, work: impl FnOnce()) -> u64 {
    let before = memories.bodies.bytes.get();
    work();
    memories.bodies.bytes.get() - before
}

fn set(key: &str, chunks: Vec<u64>) -> [Operation; 2] {
    let set = Operation::SetContent {
        key: key.to_owned(),
        encoding: "identity".to_owned(),
        content: Content {
            chunks,
            ..Content::default()
        },
        sha256: None,
    };
    [create(key, "text/plain"), set]
}

/// An answer of a few bytes reads a few bytes, however oddly its body was uploaded.
#[test]
fn a_small_answer_is_little_work() {
    let (memories, mut site) = site();
    let batch = site.create_batch(ALICE, NOW).unwrap();
    let ids = site.create_chunks(batch, &[&b""[..], b"x"], NOW).unwrap();
    let mut odd = vec![ids[0]; 4_000];
    odd.push(ids[1]);
    let operations = set("/small", odd);
    site.commit_batch(batch, ALICE, operations, NOW).unwrap();
    let read = read_of_bodies(&memories, || {
        assert_eq!(serve(&site, &Request::get("/small"), b"").body, b"x");
    });
    assert!(read < 10_000, "{read} bytes read to answer 1");
}

/// A stage is found to differ from a site that has moved where it does, whatever the site holds besides.
#[test]
fn publishing_onto_a_site_that_moved_is_work_for_what_changed() {
    let read_to_publish = |assets: u32| {
        let (memories, mut site) = site();
        let create = |number| create(&format!("/{number}"), "text/plain");
        site.commit((0..assets).map(create), NOW).unwrap();
        let batch = site.create_batch(ALICE, NOW).unwrap();
        site.commit_batch(0, ALICE, [delete("/1")], NOW).unwrap();
        site.commit([delete("/2")], NOW).unwrap();
        let nodes = || memories.forks.bytes.get() + memories.leaves.bytes.get();
        let before = nodes();
        site.commit_batch(batch, ALICE, [], NOW).unwrap();
        assert_eq!(site.len(), assets - 2);
        nodes() - before
    };
    let (few, many) = (read_to_publish(100), read_to_publish(4_000));
    assert!(
        many < 2 * few,
        "{few} bytes read, and {many} of a larger site"
    );
}

/// What a staged release changes was hashed before: to publish it is the same work for one change and for thousands.
#[test]
fn publishing_a_stage_is_the_same_work_whatever_it_changes() {
    let touched_to_publish = |changes: u32| {
        let (memories, mut site) = site();
        let create = |number| create(&format!("/{number}"), "text/plain");
        site.commit((0..4_000).map(create), NOW).unwrap();
        let stage = site.create_stage(None, NOW).unwrap();
        let delete = |number| delete(&format!("/{number}"));
        site.fill_stage(stage, (0..changes).map(delete), NOW)
            .unwrap();
        site.seal_stage(stage, NOW, &|_| true).unwrap().unwrap();
        let all = [&memories.forks, &memories.leaves, &memories.bodies];
        let count = || all.iter().map(|memory| memory.bytes.get()).sum::<u64>();
        let before = count();
        let expected = Expected::default();
        site.publish_stage(stage, &expected, "", NOW).unwrap();
        assert_eq!(site.len(), 4_000 - changes);
        count() - before
    };
    let (few, many) = (touched_to_publish(1), touched_to_publish(3_000));
    assert!(many < 2 * few, "{few} bytes read, and {many} for more");
}

/// One asset can name thousands of chunks. What one call lets go of is bounded by those, not by assets: or else nothing
/// could be called any more once somebody has dropped a few hundred of them.
#[test]
fn letting_go_is_bounded_by_chunks() {
    let (memories, mut site) = site();
    let stage = site.create_stage(None, NOW).unwrap();
    let ids = site.create_chunks(stage, &[b"x"], NOW).unwrap();
    let chunks = vec![ids[0]; 4_000];
    let assets = 100u32;
    let fill = (0..assets).flat_map(|number| set(&format!("/{number}"), chunks.clone()));
    site.fill_stage(stage, fill, NOW).unwrap();
    let let_go = |work: &mut dyn FnMut()| {
        // Each takes one to the count of its references, of four bytes.
        read_of_bodies(&memories, work) / 4
    };
    let first = let_go(&mut || site.discard_stage(stage, NOW).unwrap());
    assert!(first < 30_000, "{first} chunks let go of in one call");
    let all = let_go(&mut || {
        for _ in 0..assets * 4_000 / 20_000 + 1 {
            site.create_batch(ALICE, NOW).unwrap();
        }
    });
    assert!(first + all >= u64::from(assets) * 4_000);
    assert_eq!(site.check().unwrap().nodes.doomed, 0);
}

/// The whole tree is shown if it fits into a reply.
#[test]
fn the_whole_tree_of_a_large_site_is_refused() {
    let (_, mut site) = site();
    let create = |number| create(&format!("/{number}"), "text/plain");
    site.commit((0..9_000).map(create), NOW).unwrap();
    let tree = site.certified_tree().unwrap();
    assert!(tree.len() > 9_000);
    site.commit((9_000..11_000).map(create), NOW).unwrap();
    let refused = site.certified_tree();
    assert!(
        matches!(refused, Err(Error::TreeTooLarge { leaves: 11_002 })),
        "{refused:?}"
    );
}

/// The log only grows, and would outgrow any reply.
#[test]
fn a_long_log_leaves_the_whole_tree_to_be_shown() {
    let (_, mut site) = site();
    let limits = |max_chunks| Limits {
        max_chunks: Some(max_chunks),
        ..Limits::default()
    };
    let entries = 10_100;
    for number in 1..=entries {
        site.set_limits(limits(number), NOW).unwrap();
    }
    assert_eq!(site.log_length(), entries);
    let tree = HashTree::from_cbor(&site.certified_tree().unwrap()).unwrap();
    assert_eq!(tree.digest(), site.root().hash());
    let entry = |number: u64| {
        let number = number.to_be_bytes();
        tree.lookup_path([&b"hallmark"[..], b"releases", &number])
    };
    assert!(matches!(entry(entries), LookupResult::Found(_)));
    assert!(matches!(entry(entries - 99), LookupResult::Found(_)));
    assert_eq!(entry(1), LookupResult::Unknown, "and its hash is there");
}
