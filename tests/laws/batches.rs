//! A call on batches that fails changes nothing.

use crate::world::{ALICE, NOW, World};
use ic_hallmark::{
    Error,
    upload::{EXPIRY, Limits},
};

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
        .set_limits(Limits {
            max_batches: Some(1),
            ..Limits::default()
        })
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
