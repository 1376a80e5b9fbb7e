//! What a site can hold depends on its content, not on the way there.

use crate::world::{NOW, World, create, delete, hashes, set_content};

#[test]
fn a_commit_whose_result_fits_is_not_too_deep_on_the_way() {
    let key = |length: usize| format!("/{}", "a".repeat(length));
    let mut world = World::new();
    let mut stepwise = World::new();
    // As many keys, each the beginning of the next, as fit. One is left out.
    let mut length = 4;
    while world.put(&key(length), "text/plain", b"x").is_ok() {
        stepwise.put(&key(length), "text/plain", b"x").unwrap();
        length += 1;
    }
    let longest = key(length - 1);
    let operations = [
        delete(&longest),
        create(&key(3), "text/plain"),
        set_content(&key(3), "identity", b"x"),
    ];
    for operation in operations.clone() {
        stepwise.site.commit([operation], NOW).unwrap();
    }
    world.site.commit(operations, NOW).unwrap();
    assert_eq!(hashes(&world.site), hashes(&stepwise.site));
}
