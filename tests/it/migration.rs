//! The asset canister of dfx becomes Hallmark by an upgrade.

use crate::scene::Scene;

#[test]
fn the_canister_of_dfx_serves_what_was_uploaded() {
    let scene = Scene::legacy();
    scene.upload(&[("/index.html", "text/html", b"hello")]);
    let answer = scene.get("/").unverified();
    assert_eq!((answer.status_code, &answer.body[..]), (200, &b"hello"[..]));
}
