//! The port file: how a client that started the server learns where it listens.
//!
//! The client names a file that is its own by process id and starts a server
//! for every instance it makes, trusting all but the first to see the file and
//! leave. It reads the file until a line ends. A file left behind would send a
//! later client with the same process id to a dead port, hence the `Drop`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Error;

/// A port file made by this process; dropping it removes it.
#[derive(Debug)]
pub struct PortFile {
    path: PathBuf,
    file: File,
}

impl PortFile {
    /// Claims `path`, or returns `None` if another server has it.
    pub fn create(path: &Path) -> Result<Option<PortFile>, Error> {
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(Some(PortFile {
                path: path.to_owned(),
                file,
            })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(source) => Err(Error::PortFile {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Tells the client the port; the server must listen by then.
    pub fn announce(&self, port: u16) -> Result<(), Error> {
        (&self.file)
            .write_all(format!("{port}\n").as_bytes())
            .map_err(|source| Error::PortFile {
                path: self.path.clone(),
                source,
            })
    }
}

impl Drop for PortFile {
    fn drop(&mut self) {
        // Nobody is left to tell if it is gone already.
        let _ = fs::remove_file(&self.path);
    }
}
