//! A call on batches that fails changes nothing; one that has much to do does some of it.

use crate::world::{ALICE, NOW, World};
use ic_hallmark::{
    Error,
    site::{Content, Operation},
    upload::{EXPIRY, Limits},
};
use sha2::{Digest, Sha256};

#[test]
fn a_batch_too_many_leaves_the_site_as_it_was() {
    let mut world = World::new();
    let old = world.site.create_batch(ALICE, NOW).unwrap();
    world.site.create_chunks(old, &[b"waits"], NOW).unwrap();
    let young = world.site.create_batch(ALICE, NOW + EXPIRY).unwrap();
    let old = world.site.create_batch(ALICE, NOW + EXPIRY).unwrap();
    world.site.create_chunks(old, &[b"waits too"], NOW).unwrap();
    world
        .site
        .set_limits(
            Limits {
                max_batches: Some(1),
                ..Limits::default()
            },
            NOW,
        )
        .unwrap();
    world
        .site
        .create_chunks(young, &[b"fresh"], NOW + EXPIRY)
        .unwrap();
    let refused = world.site.create_batch(ALICE, NOW + EXPIRY);
    assert!(matches!(refused, Err(Error::BatchLimit { limit: 1 })));
    world.site.check().unwrap();
    world.upgrade();
    world.site.check().unwrap();
}

#[test]
fn no_time_is_too_late_for_a_batch() {
    let batch = World::new().site.create_batch(ALICE, u64::MAX - 1);
    assert!(batch.is_ok());
}

#[test]
fn evidence_of_much_content_takes_several_calls() {
    let mut world = World::new();
    let batch = world.site.create_batch(ALICE, NOW).unwrap();
    let chunk = vec![7; 1_900_000];
    let ids = world.site.create_chunks(batch, &[&chunk], NOW).unwrap();
    let set = |key: &str| Operation::SetContent {
        key: key.to_owned(),
        encoding: "identity".to_owned(),
        content: Content {
            chunks: ids.repeat(60),
            rest: Some(b"end".to_vec()),
            ..Content::default()
        },
        sha256: None,
    };
    let operations = [set("/a"), set("/b")];
    world.site.propose_batch(batch, &operations, NOW).unwrap();
    let first = world.site.compute_evidence(batch, None, NOW).unwrap();
    assert_eq!(first, None, "228 MB in one call");
    world.upgrade();
    let evidence = world.site.compute_evidence(batch, None, NOW).unwrap();
    let mut expected = Sha256::new();
    for key in ["/a", "/b"] {
        expected.update([5]);
        expected.update(key);
        expected.update(b"identity\x02");
        (0..60).for_each(|_| expected.update(&chunk));
        expected.update("end");
    }
    assert_eq!(evidence, Some(expected.finalize().into()));
    world.site.check().unwrap();
}
