//! Deploying a directory again and again: what is read, and what is told.

use std::fs;
use std::path::Path;

use hallmark::deploy::Directory;
use hallmark::journal::Journal;
use hallmark::plan::Fate;
use hallmark::report::Stage;

use super::log::Log;
use super::memory::Memory;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn only_what_was_written_is_read_and_sent() {
    let site = tempfile::tempdir().unwrap();
    let canister = Memory::default();
    let log = Log::default();
    let mut directory = Directory::new(site.path());

    write(
        site.path(),
        &[("a.png", "a"), ("b.png", "b"), ("c.png", "c")],
    );
    let deployed = directory.deploy(&canister, &Journal::none(), &log).unwrap();
    assert_eq!(deployed.files, 3);
    assert!(
        deployed
            .changes
            .fates
            .iter()
            .all(|(_, fate)| *fate == Fate::Added)
    );
    let expected = [
        (Stage::Reading, 3, 3),
        (Stage::Uploading, 3, 3),
        (Stage::Committing, 6, 6),
    ];
    assert_eq!(log.take(), expected);

    write(site.path(), &[("b.png", "longer"), ("d.png", "d")]);
    fs::remove_file(site.path().join("c.png")).unwrap();
    let deployed = directory.deploy(&canister, &Journal::none(), &log).unwrap();
    let expected = [
        ("/b.png".to_owned(), Fate::Changed),
        ("/c.png".to_owned(), Fate::Deleted),
        ("/d.png".to_owned(), Fate::Added),
    ];
    assert_eq!(deployed.changes.fates, expected);
    assert_eq!(deployed.changes.bytes, 7);
    let expected = [
        (Stage::Reading, 2, 2),
        (Stage::Uploading, 7, 7),
        (Stage::Committing, 4, 4),
    ];
    assert_eq!(log.take(), expected);
    assert_eq!(
        canister.body("/b.png", "identity"),
        Some(b"longer".to_vec())
    );

    assert_eq!(
        directory
            .deploy(&canister, &Journal::none(), &log)
            .unwrap()
            .changes
            .fates,
        []
    );
    assert_eq!(log.take(), []);
}

#[test]
fn a_refused_deploy_can_be_repeated() {
    let site = tempfile::tempdir().unwrap();
    write(site.path(), &[("a.png", "a")]);
    let mut directory = Directory::new(site.path());
    let refusing = Memory::refusing("commit_batch");
    directory
        .deploy(&refusing, &Journal::none(), &())
        .unwrap_err();
    let canister = Memory::default();
    directory.deploy(&canister, &Journal::none(), &()).unwrap();
    assert_eq!(canister.body("/a.png", "identity"), Some(b"a".to_vec()));
}

#[test]
fn an_empty_directory_is_an_empty_site() {
    let site = tempfile::tempdir().unwrap();
    let canister = Memory::default();
    let deployed = Directory::new(site.path())
        .deploy(&canister, &Journal::none(), &())
        .unwrap();
    assert_eq!((deployed.files, deployed.changes.fates.len()), (0, 0));
    assert_eq!(canister.calls(), []);
}

#[test]
fn a_plan_is_what_a_deploy_does_and_does_nothing() {
    for canister in [Memory::default(), Memory::of_hallmark()] {
        let site = tempfile::tempdir().unwrap();
        write(site.path(), &[("a.png", "same"), ("b.png", "b")]);
        let mut directory = Directory::new(site.path());
        let deploy = |directory: &mut Directory| {
            let deployed = directory.deploy(&canister, &Journal::none(), &());
            deployed.unwrap()
        };
        let first = deploy(&mut directory);
        write(site.path(), &[("b.png", "same"), ("c.png", "same")]);
        canister.set_max_age("/a.png", 1);
        canister.calls();

        let before = canister.assets();
        let planned = directory.plan(&canister, &()).unwrap();
        assert_eq!(planned.site_hash.is_some(), first.site_hash.is_some());
        assert_eq!(canister.calls(), []);
        assert!(canister.assets() == before);
        let fates = [
            ("/a.png".to_owned(), Fate::Adjusted),
            ("/b.png".to_owned(), Fate::Changed),
            ("/c.png".to_owned(), Fate::Added),
        ];
        assert_eq!(planned.changes.fates, fates);
        assert_eq!(deploy(&mut directory).changes, planned.changes);
    }
}
