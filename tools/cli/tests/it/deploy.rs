//! Deploying a directory again and again: what is read, and what is told.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use hallmark::deploy::Directory;
use hallmark::plan::Fate;
use hallmark::report::{Report, Stage};

use super::memory::Memory;

/// Notes each stage with what was to be done and what was done.
#[derive(Default)]
struct Log(Mutex<Vec<(Stage, u64, u64)>>);

impl Log {
    fn take(&self) -> Vec<(Stage, u64, u64)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Report for Log {
    fn begin(&self, stage: Stage, total: u64) {
        self.0.lock().unwrap().push((stage, total, 0));
    }

    fn advance(&self, by: u64) {
        self.0.lock().unwrap().last_mut().unwrap().2 += by;
    }

    fn end(&self) {}
}

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
    let deployed = directory.deploy(&canister, &log).unwrap();
    assert_eq!(deployed.files, 3);
    assert!(deployed.fates.iter().all(|(_, fate)| *fate == Fate::Added));
    let expected = [
        (Stage::Reading, 3, 3),
        (Stage::Uploading, 3, 3),
        (Stage::Committing, 6, 6),
    ];
    assert_eq!(log.take(), expected);

    write(site.path(), &[("b.png", "longer"), ("d.png", "d")]);
    fs::remove_file(site.path().join("c.png")).unwrap();
    let deployed = directory.deploy(&canister, &log).unwrap();
    let expected = [
        ("/b.png".to_owned(), Fate::Changed),
        ("/c.png".to_owned(), Fate::Deleted),
        ("/d.png".to_owned(), Fate::Added),
    ];
    assert_eq!(deployed.fates, expected);
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

    assert_eq!(directory.deploy(&canister, &log).unwrap().fates, []);
    assert_eq!(log.take(), []);
}

#[test]
fn a_refused_deploy_can_be_repeated() {
    let site = tempfile::tempdir().unwrap();
    write(site.path(), &[("a.png", "a")]);
    let mut directory = Directory::new(site.path());
    let refusing = Memory::refusing("commit_batch");
    directory.deploy(&refusing, &()).unwrap_err();
    let canister = Memory::default();
    directory.deploy(&canister, &()).unwrap();
    assert_eq!(canister.body("/a.png", "identity"), Some(b"a".to_vec()));
}

#[test]
fn an_empty_directory_is_an_empty_site() {
    let site = tempfile::tempdir().unwrap();
    let canister = Memory::default();
    let deployed = Directory::new(site.path()).deploy(&canister, &()).unwrap();
    assert_eq!((deployed.files, deployed.fates.len()), (0, 0));
    assert_eq!(canister.calls(), []);
}
