//! What can be wrong with the use of a staged release.

use super::{Error, Hex};
use crate::tree::Hash;
use std::fmt;

/// Why a staged release cannot be used like that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StageError {
    /// There is none with this number: it was published or discarded, or has expired.
    NotFound,
    /// The number is that of a batch.
    Batch,
    /// It is no batch: other calls fill, publish and discard it.
    NoBatch,
    /// It was staged by another principal, and the caller has no permission to commit.
    Foreign,
    /// It takes nothing more, because its sealing has begun.
    Closed,
    /// It is not sealed.
    Open,
    /// Who publishes what another principal has staged has to say what it is.
    HashRequired,
    /// It is not what the caller says that it is.
    Mismatch {
        /// Of which hash: `site` or `content`.
        what: &'static str,
        /// The hash, if there is any content.
        computed: Option<Hash>,
        /// What the caller gave.
        given: Vec<u8>,
    },
    /// The live site is not what it was when the stage began.
    Outdated {
        /// The release that was live then.
        base: u64,
        /// Its site hash.
        base_site: Option<Hash>,
        /// The release that is live.
        live: u64,
        /// Its site hash.
        live_site: Option<Hash>,
    },
}

impl StageError {
    /// The error about the stage with this number.
    pub(crate) fn of(self, stage: u64) -> Error {
        Error::Stage {
            stage,
            reason: self,
        }
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = |hash: &Option<Hash>| match hash {
            Some(hash) => Hex(hash).to_string(),
            None => "none".to_owned(),
        };
        match self {
            Self::NotFound => f.write_str("not found: it was published or discarded, or expired"),
            Self::Batch => f.write_str("it is a batch"),
            Self::NoBatch => f.write_str("it is a staged release, not a batch"),
            Self::Foreign => f.write_str("another principal staged it"),
            Self::Closed => f.write_str("it is sealed, or being sealed"),
            Self::Open => f.write_str("it is not sealed"),
            Self::HashRequired => f.write_str(
                "another principal staged it: its site hash or content hash has to be given",
            ),
            Self::Mismatch {
                what,
                computed,
                given,
            } => write!(
                f,
                "its {what} hash is {}, the caller gave {}",
                hash(computed),
                Hex(given)
            ),
            Self::Outdated {
                base,
                base_site,
                live,
                live_site,
            } => write!(
                f,
                "it was begun on release {base} with site hash {}, but release {live} with site hash {} is live: rebase it",
                hash(base_site),
                hash(live_site)
            ),
        }
    }
}

impl std::error::Error for StageError {}
