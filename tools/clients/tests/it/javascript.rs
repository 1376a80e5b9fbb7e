//! Packages from npm on Node: `AssetManager` and `response-verification`.
//!
//! A test runs a script from the folder beside this file. `NODE_MODULES` is the folder that the
//! packages are installed in.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::directory::{Directory, noise};
use crate::site::Site;

const ASSET_MANAGER: &str = include_str!("javascript/asset_manager.mjs");
const RESPONSE_VERIFICATION: &str = include_str!("javascript/response_verification.mjs");

#[test]
fn the_asset_manager_stores_lists_reads_and_deletes() {
    let site = Site::new();
    run(ASSET_MANAGER, &site);
    assert_eq!(site.get("/").text(), "<h1>stays</h1>");
    assert_eq!(site.get("/small.txt").text(), "<h1>stays</h1>");
}

#[test]
fn answers_verify_in_javascript() {
    let site = Site::new();
    let directory = Directory::holding(&[
        ("about.html", "about"),
        ("long.txt", &"again and ".repeat(1_000)),
        ("two words.txt", "words"),
    ]);
    directory.write("film.mp4", noise(4_000_000));
    site.sync(&directory);
    run(RESPONSE_VERIFICATION, &site);
}

/// Runs a script that takes the URL of the network and the id of the canister.
#[track_caller]
fn run(script: &str, site: &Site) {
    let modules = env::var_os("NODE_MODULES")
        .expect("NODE_MODULES names no packages; `cargo xtask test` installs them");
    // Packages are looked for beside the script that wants them.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.mjs");
    fs::write(&path, script).unwrap();
    symlink(Path::new(&modules), folder.path().join("node_modules")).unwrap();
    let output = Command::new("node")
        .arg(path)
        .args([site.url(), site.id().to_text()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}
