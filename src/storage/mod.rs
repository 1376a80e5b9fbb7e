//! Where things lie in stable memory.
//!
//! Three building blocks, each on a memory of its own, all opened in constant work after an upgrade:
//!
//! * [`Slab`]: records of one size, named by index (the forks of the certified tree);
//! * [`Heap`]: blocks of any size, named by address (leaves, bodies, responses);
//! * [`Cell`]: one small value that is rewritten as a whole (the site's state).
//!
//! They work on any [`Memory`]: stable memory in a canister, a vector in tests. Nothing here knows what the
//! bytes mean. A canister that traps loses every write of the message, so none of them keeps a journal;
//! each method that can run out of memory fails before it has changed anything.

mod cell;
mod heap;
mod region;
mod slab;

pub use cell::Cell;
pub use heap::{Address, Heap};
pub use ic_stable_structures::Memory;
pub use slab::Slab;

use std::fmt;

/// Why a structure in stable memory cannot be opened, or cannot grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// The memory would not grow to this many bytes.
    Full {
        /// Bytes that the memory would have to hold.
        needed: u64,
    },
    /// The memory holds something else than what it is opened as.
    Foreign {
        /// The structure it was opened as.
        expected: &'static str,
    },
    /// The memory holds a layout that this version does not know.
    Version {
        /// The structure it was opened as.
        structure: &'static str,
        /// The version found.
        found: u32,
    },
    /// The content contradicts itself.
    Corrupt {
        /// What was read.
        structure: &'static str,
        /// Where it was found.
        at: u64,
    },
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { needed } => {
                write!(f, "stable memory cannot grow to {needed} bytes")
            }
            Self::Foreign { expected } => {
                write!(f, "stable memory does not hold a Hallmark {expected}")
            }
            Self::Version { structure, found } => {
                write!(
                    f,
                    "stable memory holds version {found} of the {structure}, unknown here"
                )
            }
            Self::Corrupt { structure, at } => {
                write!(f, "the {structure} in stable memory is corrupt at {at}")
            }
        }
    }
}

impl std::error::Error for StorageError {}
