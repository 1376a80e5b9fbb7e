//! Pages learn the network's key and the canister's public variables from a cookie.

use crate::interface::*;
use crate::scene::Scene;

/// The cookie with these variables, as text.
fn cookie(scene: &Scene, variables: &str) -> String {
    let key = hex::encode(scene.root_key());
    format!("ic_env=ic%5Froot%5Fkey%3D{key}{variables}; SameSite=Lax")
}

const TESTS: &[(&str, &str)] = &[
    ("PUBLIC_TEST2", "value2"),
    ("TEST3", "secret"),
    ("PUBLIC_TEST1", "value1"),
];
const TOLD: &str = "%26PUBLIC%5FTEST1%3Dvalue1%26PUBLIC%5FTEST2%3Dvalue2";

#[test]
fn pages_are_told_the_environment_and_other_files_are_not() {
    let scene = Scene::new();
    scene.set_environment(TESTS);
    scene.upload(&[
        ("/index.html", "text/html", b"index"),
        ("/404.html", "text/html", b"nothing here"),
        ("/a.js", "text/javascript", b"a"),
        ("/a.txt", "text/plain", b"a"),
    ]);
    let told = cookie(&scene, TOLD);
    for url in ["/", "/index.html", "/nothing"] {
        scene.get(url).answer().with("set-cookie", &told);
    }
    let head = scene.get("/").method("HEAD").answer();
    head.with("set-cookie", &told);
    for url in ["/a.js", "/a.txt"] {
        scene.get(url).answer().without("set-cookie");
    }
}

#[test]
fn a_new_environment_is_told_with_the_next_commit() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a/b.html", "text/html", b"b"),
    ]);
    let before = cookie(&scene, "");
    scene.set_environment(TESTS);
    scene.upgrade();
    for url in ["/", "/a/b"] {
        scene.get(url).answer().with("set-cookie", &before);
    }
    scene.apply([create("/a.txt", "text/plain").into()]);
    for url in ["/", "/a/b"] {
        scene
            .get(url)
            .answer()
            .with("set-cookie", &cookie(&scene, TOLD));
    }
}

/// A browser that has the page already gets the new cookie all the same.
#[test]
fn a_page_that_has_not_changed_still_tells() {
    let scene = Scene::showing(&[("/index.html", "text/html", b"index")]);
    let entity_tag = scene.get("/").answer().header("etag").to_owned();
    scene.set_environment(TESTS);
    scene.apply([]);
    let again = scene.get("/").with_header("If-None-Match", &entity_tag);
    let answer = again.answer();
    assert_eq!(answer.status(), 304);
    answer.with("set-cookie", &cookie(&scene, TOLD));
}

#[test]
fn nothing_that_was_uploaded_seems_to_have_changed() {
    let scene = Scene::showing(&[("/index.html", "text/html", b"index")]);
    let owner = scene.owner();
    let before = owner.list_all();
    assert_eq!(before[0].headers, None);
    assert_eq!(owner.properties("/index.html").unwrap().headers, None);
    scene.set_environment(TESTS);
    scene.apply([]);
    assert_eq!(owner.list_all(), before);
}

#[test]
fn every_way_of_publishing_tells() {
    let scene = Scene::new();
    scene.set_environment(TESTS);
    scene.upgrade();
    let store = Store::new("/a.html", "text/html", b"a");
    scene.owner().update::<()>("store", (store,)).unwrap();
    let told = cookie(&scene, TOLD);
    scene.get("/a").answer().with("set-cookie", &told);
    let other = [("PUBLIC_OTHER", "1")];
    scene.set_environment(&other);
    let change = SetAssetProperties {
        max_age: Some(Some(5)),
        ..properties("/a.html")
    };
    scene
        .owner()
        .update::<()>("set_asset_properties", (change,))
        .unwrap();
    let told = cookie(&scene, "%26PUBLIC%5FOTHER%3D1");
    scene.get("/a").answer().with("set-cookie", &told);
}

#[test]
fn a_cookie_of_the_uploaders_own_stays() {
    let scene = Scene::new();
    let with_cookie = |key, value| CreateAsset {
        headers: Some(headers(&[("Set-Cookie", value)])),
        ..create(key, "text/html")
    };
    scene.apply([
        with_cookie("/a.html", "theme=dark").into(),
        inline("/a.html", "identity", b"a").into(),
        with_cookie("/b.html", "ic_env=forged; Path=/").into(),
        inline("/b.html", "identity", b"b").into(),
    ]);
    let told = cookie(&scene, "");
    let answer = scene.get("/a").answer();
    assert_eq!(answer.headers("set-cookie"), ["theme=dark", &told]);
    scene.get("/b").answer().with("set-cookie", &told);
}

/// What is staged is told the environment of the day it is published.
#[test]
fn a_stage_is_published_with_the_new_environment() {
    let scene = Scene::new();
    let owner = scene.owner();
    let batch = owner.create_batch().unwrap();
    let page = vec![
        create("/a.html", "text/html").into(),
        inline("/a.html", "identity", b"a").into(),
    ];
    owner.commit(0, page).unwrap();
    scene.set_environment(TESTS);
    owner.commit(batch, Vec::new()).unwrap();
    let told = cookie(&scene, TOLD);
    scene.get("/a").answer().with("set-cookie", &told);
}
