//! The seam to a canister: bytes in, bytes out.
//!
//! Everything above it deploys to whatever answers calls: a canister in this process, a
//! table in a test, one day an agent that signs and sends.

use std::fmt;

/// A canister that can be called.
pub trait Canister {
    /// Asks without effect.
    ///
    /// # Errors
    ///
    /// A [`Reject`] from the network or the canister.
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Reject>;

    /// Calls, with effect, and waits for the reply.
    ///
    /// # Errors
    ///
    /// A [`Reject`] from the network or the canister.
    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Reject>;
}

/// A call that got no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The IC's error code: 536 is a method that does not exist, 503 a canister that trapped.
    pub code: u32,
    /// The words that came with it.
    pub message: String,
}

impl Reject {
    /// Whether the canister has no such method.
    pub fn is_unknown_method(&self) -> bool {
        self.code == 536
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (IC{:04})", self.message.trim_end(), self.code)
    }
}

impl std::error::Error for Reject {}
