//! Why a server did not start or stopped before its time.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::ConfigError;

/// Why a server did not start or stopped before its time.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on.
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The port file cannot be created or written.
    PortFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Threads cannot be started.
    Runtime(io::Error),
    /// The network cannot be what was asked for.
    Network(ConfigError),
    /// Connections can no longer be accepted.
    Serve(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Listen { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Error::PortFile { path, source } => {
                write!(f, "cannot write the port file {}: {source}", path.display())
            }
            Error::Runtime(source) => write!(f, "cannot start threads: {source}"),
            Error::Network(source) => write!(f, "{source}"),
            Error::Serve(source) => write!(f, "cannot accept connections: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Listen { source, .. }
            | Error::PortFile { source, .. }
            | Error::Runtime(source)
            | Error::Serve(source) => Some(source),
            Error::Network(source) => Some(source),
        }
    }
}
