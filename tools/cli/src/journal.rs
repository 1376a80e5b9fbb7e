//! What a deploy has left at a canister, written down as it gets there, for the next one to take
//! up or to clear away if this one is killed.
//!
//! ```text
//! batch 7                     the batch that holds the chunks            of an upload to a
//! 9f86d0818…0a08 30064771072  SHA-256 of a piece, and its chunk          canister of dfx
//! …
//!
//! stage 8                     a stage that was neither published         of deploys to Hallmark's
//! …                           nor discarded
//! ```
//!
//! It is a help and no authority: the canister refuses content whose hash is not what it should
//! be, and a journal that is lost or torn costs an upload, or leaves a stage until it expires.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use candid::Nat;

/// The journal of deploys to one canister.
#[derive(Debug, Default)]
pub struct Journal(Option<Mutex<Kept>>);

/// A journal on the disk, which no other process uses.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    file: File,
}

/// What a journal tells.
#[derive(Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The batch that the chunks belong to.
    pub batch: Nat,
    /// The chunks that hold a piece, by its SHA-256.
    pub chunks: HashMap<[u8; 32], Vec<Nat>>,
}

impl Journal {
    /// No journal: uploads begin at the beginning, and what is left stays until it expires.
    pub fn none() -> Journal {
        Journal(None)
    }

    /// The journal in this file, which is made if it is missing. If another process uses it, or
    /// it cannot be written, there is none: that is no reason not to deploy.
    pub fn open(path: &Path) -> Journal {
        Journal(kept(path).ok().map(Mutex::new))
    }

    /// What an earlier upload has left, if it was broken off.
    pub fn read(&self) -> Option<Uploaded> {
        parse(&self.text())
    }

    /// Begins anew, with this batch.
    pub fn begin(&self, batch: &Nat) {
        self.with(|kept| {
            kept.empty()?;
            writeln!(kept.file, "batch {}", batch.0)
        });
    }

    /// These pieces have arrived, each in its chunk.
    pub fn note<'a>(&self, arrived: impl IntoIterator<Item = (&'a [u8; 32], &'a Nat)>) {
        let lines = arrived.into_iter();
        let lines = lines.map(|(sha256, chunk)| format!("{} {}\n", hex::encode(sha256), chunk.0));
        let lines: String = lines.collect();
        self.with(|kept| kept.file.write_all(lines.as_bytes()));
    }

    /// The stages that are neither published nor discarded, as far as anybody knows.
    pub fn stages(&self) -> Vec<u64> {
        stages(&self.text())
    }

    /// There is this stage.
    pub fn begin_stage(&self, stage: u64) {
        let mut stages = self.stages();
        stages.push(stage);
        self.keep(&stages);
    }

    /// This stage is there no more.
    pub fn end_stage(&self, stage: u64) {
        let mut stages = self.stages();
        stages.retain(|kept| *kept != stage);
        self.keep(&stages);
    }

    /// Nothing is left to take up.
    pub fn end(&self) {
        self.with(Kept::empty);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.with(|kept| {
            kept.file.rewind()?;
            kept.file.read_to_string(&mut text)?;
            Ok(())
        });
        text
    }

    fn keep(&self, stages: &[u64]) {
        let lines = stages.iter().map(|stage| format!("stage {stage}\n"));
        let lines: String = lines.collect();
        self.with(|kept| {
            kept.empty()?;
            kept.file.write_all(lines.as_bytes())
        });
    }

    fn with(&self, write: impl FnOnce(&mut Kept) -> io::Result<()>) {
        if let Some(kept) = &self.0 {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            // A disk that is full makes the next deploy longer, not this one fail.
            let _ = write(&mut kept);
        }
    }
}

impl Kept {
    fn empty(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Whoever has opened it meanwhile writes what nobody finds: that costs an upload.
        if self.file.metadata().is_ok_and(|file| file.len() == 0) {
            let _ = fs::remove_file(&self.path);
        }
        // Closing would not do while a process that was forked meanwhile, by another thread, has
        // not become another program: it has the same file open.
        let _ = self.file.unlock();
    }
}

fn kept(path: &Path) -> io::Result<Kept> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).open(path)?;
    file.try_lock()?;
    Ok(Kept {
        path: path.to_owned(),
        file,
    })
}

/// Lines that are whole: one without its end was torn.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .map_while(|line| line.strip_suffix('\n'))
}

fn stages(text: &str) -> Vec<u64> {
    let numbers = lines(text).map_while(|line| line.strip_prefix("stage ")?.parse().ok());
    numbers.collect()
}

fn parse(text: &str) -> Option<Uploaded> {
    let mut lines = lines(text);
    let batch = lines.next()?.strip_prefix("batch ")?.parse().ok()?;
    let mut chunks: HashMap<_, Vec<_>> = HashMap::new();
    for line in lines {
        let (sha256, chunk) = line.split_once(' ')?;
        let mut hash = [0; 32];
        hex::decode_to_slice(sha256, &mut hash).ok()?;
        chunks.entry(hash).or_default().push(chunk.parse().ok()?);
    }
    Some(Uploaded { batch, chunks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nat(number: u64) -> Nat {
        number.into()
    }

    #[test]
    fn what_was_noted_is_read_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/journal");
        let journal = Journal::open(&path);
        assert_eq!(journal.read(), None);
        journal.begin(&nat(6));
        journal.begin(&nat(7));
        // Larger than 2^53, and than 1,000: candid prints numbers with underscores.
        journal.note([(&[1; 32], &nat(7 << 32)), (&[2; 32], &nat(1234))]);
        journal.note([(&[1; 32], &nat(5))]);
        drop(journal);

        let journal = Journal::open(&path);
        let chunks = [
            ([1; 32], vec![nat(7 << 32), nat(5)]),
            ([2; 32], vec![nat(1234)]),
        ];
        let expected = Uploaded {
            batch: nat(7),
            chunks: chunks.into_iter().collect(),
        };
        assert_eq!(journal.read(), Some(expected));
        journal.end();
        assert_eq!(journal.read(), None);
        drop(journal);
        assert_eq!(Journal::open(&path).read(), None);
    }

    #[test]
    fn a_torn_line_is_not_read() {
        let line = format!("{} 12", hex::encode([1; 32]));
        let whole = format!("batch 7\n{line}\n");
        assert_eq!(parse(&whole).unwrap().chunks.len(), 1);
        for torn in [&format!("{whole}{line}"), &format!("{whole}abc")] {
            assert_eq!(parse(torn).unwrap().chunks, parse(&whole).unwrap().chunks);
        }
        for broken in [
            "",
            "batch 7",
            "batch\n",
            "chunk 7\n",
            "batch 7\nabc 1\n",
            "batch 7\n\n",
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn stages_are_kept_until_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path);
        assert!(journal.stages().is_empty());
        // What is left of an upload to the canister that was there before says nothing of it.
        journal.begin(&nat(6));
        assert!(journal.stages().is_empty());
        for stage in [7, 70, 8] {
            journal.begin_stage(stage);
        }
        assert_eq!(journal.read(), None);
        journal.end_stage(7);
        journal.end_stage(9);
        drop(journal);

        let journal = Journal::open(&path);
        assert_eq!(journal.stages(), [70, 8]);
        journal.end_stage(8);
        journal.end_stage(70);
        drop(journal);
        assert!(!path.exists());
        assert_eq!(stages("stage 7\nstage 8"), [7]);
        assert_eq!(stages("stage 7\nstage\nstage 8\n"), [7]);
    }

    #[test]
    fn two_do_not_write_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let first = Journal::open(&path);
        first.begin(&nat(1));
        let second = Journal::open(&path);
        second.begin(&nat(2));
        assert_eq!(second.read(), None);
        assert_eq!(first.read().unwrap().batch, nat(1));
    }
}
