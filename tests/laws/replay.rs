//! What a replica that lies can make verify.

use crate::world::{World, next_part};
use ic_hallmark::{serve::Request, site::PART};

/// A script cut down to its last part must not pass for the script.
#[test]
fn a_later_part_does_not_verify_for_a_request_without_a_range() {
    let body = vec![b'x'; 2 * PART as usize];
    let world = World::with(&[("/app.js", "text/javascript", &body)]);
    let next = next_part("/app.js", &world.get("/app.js")).unwrap();
    let part = world.ask(&next);
    assert_eq!(part.status, 206);
    assert!(world.verify(&Request::get("/app.js"), &part).is_err());
}
