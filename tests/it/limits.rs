//! Limits on uploads, which whoever may commit sets.

use crate::interface::*;
use crate::scene::{Caller, Scene, refused_for};

fn configure(owner: Caller<'_>, limits: Configure) {
    owner.update::<()>("configure", (limits,)).unwrap();
}

fn configuration(owner: Caller<'_>) -> Configuration {
    let (configuration,) = owner.update("get_configuration", ()).unwrap();
    configuration
}

#[test]
fn a_limit_is_set_kept_and_lifted() {
    let scene = Scene::new();
    let owner = scene.owner();
    assert_eq!(configuration(owner), Configuration::default());

    let max_batches = |limit| Configure {
        max_batches: limit,
        ..Configure::default()
    };
    let one = Configuration {
        max_batches: Some(1),
        ..Configuration::default()
    };
    configure(owner, max_batches(Some(Some(1))));
    assert_eq!(configuration(owner), one);
    configure(owner, max_batches(None));
    assert_eq!(configuration(owner), one);
    scene.upgrade();
    assert_eq!(configuration(owner), one);
    configure(owner, max_batches(Some(None)));
    assert_eq!(configuration(owner), Configuration::default());
}

#[test]
fn batches_can_be_limited() {
    let scene = Scene::new();
    let owner = scene.owner();
    let max_batches = Some(Some(3));
    configure(
        owner,
        Configure {
            max_batches,
            ..Configure::default()
        },
    );
    let batches = [(); 3].map(|()| owner.create_batch().unwrap());
    refused_for(owner.create_batch(), "batch limit exceeded", "3");
    owner.commit(batches[0], Vec::new()).unwrap();
    owner.create_batch().unwrap();
}

#[test]
fn chunks_can_be_limited() {
    let scene = Scene::new();
    let owner = scene.owner();
    let max_chunks = Some(Some(3));
    configure(
        owner,
        Configure {
            max_chunks,
            ..Configure::default()
        },
    );
    let batch = owner.create_batch().unwrap();
    owner.create_chunks(batch, &[b"a", b"b"]).unwrap();
    refused_for(
        owner.create_chunks(batch, &[b"c", b"d"]),
        "chunk limit exceeded",
        "3",
    );
    owner.create_chunk(batch, b"c").unwrap();
    refused_for(owner.create_chunk(batch, b"d"), "chunk limit exceeded", "3");
}

#[test]
fn bytes_can_be_limited() {
    let scene = Scene::new();
    let owner = scene.owner();
    let max_bytes = Some(Some(289));
    configure(
        owner,
        Configure {
            max_bytes,
            ..Configure::default()
        },
    );
    let batch = owner.create_batch().unwrap();
    owner.create_chunks(batch, &[&[0; 100], &[0; 100]]).unwrap();
    refused_for(
        owner.create_chunk(batch, &[0; 90]),
        "byte limit exceeded",
        "289",
    );
    owner.create_chunk(batch, &[0; 89]).unwrap();
    refused_for(
        owner.create_chunk(batch, b"a"),
        "byte limit exceeded",
        "289",
    );
}
