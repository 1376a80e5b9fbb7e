//! What a caller keeps of a site between calls cannot harm it.

use crate::world::{ALICE, NOW, World, create};
use ic_hallmark::{
    Error,
    site::{Content, Operation},
};

#[test]
fn chunks_of_a_batch_that_went_are_refused() {
    let mut world = World::new();
    let batch = world.site.create_batch(ALICE, NOW).unwrap();
    let chunks = world
        .site
        .create_chunks(batch, &[[b'x'; 300]], NOW)
        .unwrap();
    world.site.delete_batch(batch).unwrap();
    world.put("/other", "text/plain", &[b'o'; 300]).unwrap();

    let gone = chunks[0];
    let set = Operation::SetContent {
        key: "/page".to_owned(),
        encoding: "identity".to_owned(),
        content: Content {
            chunks,
            ..Content::default()
        },
        sha256: None,
    };
    let done = world.site.commit([create("/page", "text/plain"), set], NOW);
    assert_eq!(done, Err(Error::ChunkNotFound { chunk: gone }));
    world.site.check().unwrap();
}
