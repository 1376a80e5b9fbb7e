//! Noticing that a directory has changed.
//!
//! Editors and build tools write in bursts, so a change is told of once the directory has been
//! quiet for a moment. What has changed is not told: a new scan finds out.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::Error;

/// How long a directory must be quiet.
const QUIET: Duration = Duration::from_millis(200);

/// A directory being watched, for as long as this lives.
#[derive(Debug)]
pub struct Watch {
    events: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches all below `directory`. Changes count from here on.
    ///
    /// # Errors
    ///
    /// [`Error::Watch`].
    pub fn new(directory: &Path) -> Result<Watch, Error> {
        let (sender, events) = mpsc::channel();
        let failed = |source| Error::Watch {
            path: directory.to_owned(),
            source,
        };
        let notice = move |event: notify::Result<Event>| {
            // An error may mean that events were lost: look again.
            if event.is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            // Fails only when nobody waits any more.
            let _ = sender.send(());
        };
        let mut watcher = notify::recommended_watcher(notice).map_err(failed)?;
        watcher
            .watch(directory, RecursiveMode::Recursive)
            .map_err(failed)?;
        Ok(Watch {
            events,
            _watcher: watcher,
        })
    }

    /// Waits until something has changed and the directory is quiet again.
    pub fn wait(&self) {
        if self.events.recv().is_ok() {
            while self.events.recv_timeout(QUIET) != Err(RecvTimeoutError::Timeout) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Waits for a change that `change` makes; a test that fails hangs, none that works does.
    fn notices(change: impl FnOnce(&Path)) {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("below")).unwrap();
        fs::write(directory.path().join("below/file.txt"), "old").unwrap();
        let watch = Watch::new(directory.path()).unwrap();
        change(directory.path());
        watch.wait();
    }

    #[test]
    fn changes_below_are_noticed() {
        notices(|directory| fs::write(directory.join("below/file.txt"), "new").unwrap());
        notices(|directory| fs::write(directory.join("new.txt"), "new").unwrap());
        notices(|directory| fs::remove_file(directory.join("below/file.txt")).unwrap());
        notices(|directory| fs::rename(directory.join("below"), directory.join("b")).unwrap());
    }

    #[test]
    fn what_is_not_there_cannot_be_watched() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let error = Watch::new(&missing).unwrap_err();
        assert!(matches!(error, Error::Watch { path, .. } if path == missing));
    }
}
