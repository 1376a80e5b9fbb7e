//! Directories on this machine, as developers keep them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A directory that is gone with its test.
pub(crate) struct Directory {
    folder: TempDir,
}

impl Directory {
    /// A directory with these files, by path and content.
    pub(crate) fn holding<C: AsRef<[u8]>>(files: &[(&str, C)]) -> Directory {
        // Clients pass over directories whose names begin with a dot.
        let folder = tempfile::Builder::new().prefix("site").tempdir().unwrap();
        let directory = Directory { folder };
        for (path, content) in files {
            directory.write(path, content);
        }
        directory
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Bytes that no compression makes fewer.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
