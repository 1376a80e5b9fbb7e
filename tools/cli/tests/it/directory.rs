//! Deploying a directory again and again: what is read, and what is told.

use std::fs;
use std::path::Path;

use hallmark::directory::Directory;
use hallmark::journal::Journal;
use hallmark::plan::Fate;
use hallmark::report::Step;

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
        (Step::Reading, 3, 3),
        (Step::Uploading, 3, 3),
        (Step::Committing, 6, 6),
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
        (Step::Reading, 2, 2),
        (Step::Uploading, 7, 7),
        (Step::Committing, 4, 4),
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
    let canister = Memory::default();
    let site = tempfile::tempdir().unwrap();
    write(site.path(), &[("a.png", "same"), ("b.png", "b")]);
    let mut directory = Directory::new(site.path());
    directory.deploy(&canister, &Journal::none(), &()).unwrap();
    write(site.path(), &[("b.png", "same"), ("c.png", "same")]);
    canister.set_max_age("/a.png", 1);
    canister.calls();

    let before = canister.assets();
    let planned = directory.plan(&canister, &()).unwrap();
    assert_eq!(planned.hashes, None);
    assert_eq!(canister.calls(), []);
    assert!(canister.assets() == before);
    let fates = [
        ("/a.png".to_owned(), Fate::Adjusted),
        ("/b.png".to_owned(), Fate::Changed),
        ("/c.png".to_owned(), Fate::Added),
    ];
    assert_eq!(planned.changes.fates, fates);
    let deployed = directory.deploy(&canister, &Journal::none(), &()).unwrap();
    assert_eq!(deployed, planned);
}

#[test]
fn files_are_read_again_if_rules_have_changed() {
    let site = tempfile::tempdir().unwrap();
    let (canister, log) = (Memory::default(), Log::default());
    write(site.path(), &[("a.png", "a"), ("b.png", "b")]);
    let mut directory = Directory::new(site.path());
    directory.deploy(&canister, &Journal::none(), &()).unwrap();
    let rules = "[{ match: 'b.png', cache: { max_age: 5 } }, { match: 'c', ignore: true }]";
    write(site.path(), &[(".ic-assets.json5", rules)]);
    let deployed = directory.deploy(&canister, &Journal::none(), &log).unwrap();
    let expected = [(Step::Reading, 1, 1), (Step::Committing, 1, 1)];
    assert_eq!(log.take(), expected);
    assert_eq!(
        deployed.changes.fates,
        [("/b.png".to_owned(), Fate::Adjusted)]
    );
    assert_eq!(canister.assets()["/b.png"].0.max_age, Some(5));
    let path = site.path().join(".ic-assets.json5");
    let path = path.display();
    let notes = [format!("the rule for c in {path} matches nothing")];
    assert_eq!(log.notes(), notes);
}
