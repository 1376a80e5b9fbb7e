//! `hallmark hash`: equal to what canisters show, whatever they held before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use hallmark::directory::Directory;
use hallmark::hash::rehearse;
use hallmark::journal::Journal;
use ic_hallmark::site::Environment;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};

use super::deployed::{Deployed, on_large_stack};
use super::served::asset_canister;

type Files = BTreeMap<String, Vec<u8>>;

fn write(files: &Files, directory: &Path) {
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Directories that overlap, so that one deployed over another adds, changes and deletes.
fn files() -> impl Strategy<Value = Files> {
    const NAMES: &[&str] = &[
        "index.html",
        "a.html",
        "a/index.html",
        "a/b.js",
        "é ü.css",
        "404.html",
        "x.png",
        ".well-known/ic-domains",
    ];
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "(ab|c){0,300}".prop_map(String::into_bytes),
    ];
    prop::collection::btree_map(prop::sample::select(NAMES), content, 0..7).prop_map(|files| {
        let named = files.into_iter();
        named
            .map(|(name, content)| (name.to_owned(), content))
            .collect()
    })
}

#[test]
fn the_hashes_are_those_of_a_canister_that_held_other_things_before() {
    on_large_stack(|| {
        let canister = Deployed::new(&asset_canister());
        let variables = [("PUBLIC_B", "b & é"), ("SECRET", "c"), ("PUBLIC_A", "")];
        canister.set_variables(&variables);
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::new(&canister.root_key(), variables);

        let mut runner = TestRunner::new(Cases {
            cases: 24,
            failure_persistence: None,
            ..Cases::default()
        });
        let same = |files: Files| {
            let directory = tempfile::tempdir().unwrap();
            write(&files, directory.path());
            let deployed = Directory::new(directory.path())
                .deploy(&canister, &Journal::none(), &())
                .unwrap();
            let (rehearsal, count) = rehearse(directory.path(), &environment).unwrap();
            let hashes = rehearsal.hashes().unwrap();
            prop_assert_eq!(count, files.len());
            let told = deployed.hashes.unwrap();
            prop_assert_eq!((hashes.site, hashes.content), (told.site, told.content));
            prop_assert_eq!(hex::encode(hashes.state), canister.state_hash());
            Ok::<(), TestCaseError>(())
        };
        runner.run(&files(), same).unwrap();
    });
}

fn program(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hallmark"))
        .arg("hash")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_program_says_which_environment_it_is_for() {
    let directory = tempfile::tempdir().unwrap();
    let site = directory.path().to_str().unwrap();
    write(
        &Files::from([("index.html".to_owned(), b"hello".to_vec())]),
        directory.path(),
    );

    let (_, words, _) = program(&[site]);
    assert!(
        words.contains("for pages on  the Internet Computer\n"),
        "{words}"
    );
    let key = "30".repeat(133);
    let (_, words, _) = program(&[site, "--root-key", &key, "--env", "PUBLIC_A=b"]);
    assert!(
        words.contains("the root key 3030…3030303030303030\n"),
        "{words}"
    );
    assert!(words.contains("PUBLIC_A=b\n"), "{words}");

    let json = |arguments: &[&str]| -> serde_json::Value {
        let arguments = [&[site, "--json"], arguments].concat();
        serde_json::from_str(&program(&arguments).1).unwrap()
    };
    let plain = json(&[]);
    let other = json(&["--root-key", &key, "--env", "PUBLIC_A=b"]);
    assert_eq!(other["environment"]["root_key"], *key);
    assert_eq!(other["environment"]["variables"]["PUBLIC_A"], "b");
    assert_eq!(
        (&plain["files"], &plain["content_hash"]),
        (&1.into(), &other["content_hash"])
    );
    assert_eq!(plain["state_hash"], other["state_hash"]);
    assert_ne!(plain["site_hash"], other["site_hash"]);
    assert!(
        words.contains(other["site_hash"].as_str().unwrap()),
        "{words}"
    );
}

#[test]
fn what_pages_are_never_told_is_refused() {
    for variable in ["A=b", "PUBLIC_A", "public_a=b"] {
        let (is_success, _, error) = program(&["/", "--env", variable]);
        assert!(!is_success && error.contains("--env"), "{error}");
    }
}
