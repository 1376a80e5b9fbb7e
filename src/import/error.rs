//! What can be wrong with the state of another canister.

use crate::error::Error;
use std::fmt;

/// Why a stable memory does not become a site. An upgrade that fails with this changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// The memory holds neither a site nor what an asset canister of dfx leaves there.
    Foreign,
    /// The memory has more pages than an asset canister of dfx can have filled.
    TooLarge {
        /// Pages of 64 KiB.
        pages: u64,
    },
    /// The state breaks off, or contradicts itself.
    Malformed {
        /// The byte of the state.
        at: u64,
        /// What should be there.
        expected: &'static str,
    },
    /// Assets that no site may have.
    Refused {
        /// What is wrong with the first of them.
        assets: Vec<Error>,
        /// How many there are.
        count: u64,
    },
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str(
                "stable memory holds neither a Hallmark site nor the state of an asset canister of dfx",
            ),
            Self::TooLarge { pages } => write!(
                f,
                "stable memory has {pages} pages, more than the state of an asset canister of dfx has"
            ),
            Self::Malformed { at, expected } => write!(
                f,
                "the state of the asset canister is broken at byte {at}: expected {expected}"
            ),
            Self::Refused { assets, count } => {
                write!(
                    f,
                    "{count} of the assets cannot be taken over; delete or change them in the old canister, \
                     which goes on, and upgrade again"
                )?;
                assets.iter().try_for_each(|error| write!(f, "; {error}"))
            }
        }
    }
}

impl std::error::Error for ImportError {}
