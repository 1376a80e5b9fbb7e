//! The seam to a canister: bytes in, bytes out.
//!
//! Everything above it deploys to whatever answers calls: a canister in this process, a
//! table in a test, an agent that signs and sends.

use std::fmt;

/// A canister that can be called.
pub trait Canister: Sync {
    /// Asks without effect.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure>;

    /// Calls, with effect once, and waits for the reply.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure>;

    /// How many updates are best under way at once. With one, all are made on the thread that
    /// the first was made on.
    fn lanes(&self) -> usize {
        1
    }
}

/// Why a call got no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The network or the canister refused it.
    Rejected(Reject),
    /// There is no answer, or none that a network gives. Whether the call had its effect is
    /// not known.
    Unreachable(String),
    /// The network did not take the call in time. It has had no effect and will have none.
    Expired,
    /// There is an answer, but nothing shows that it is the network's.
    Unproven(String),
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Failure {
        Failure::Rejected(reject)
    }
}

/// A call that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The IC's error code, such as 503 of a canister that trapped.
    pub code: u32,
    /// The words that came with it.
    pub message: String,
}

impl Reject {
    /// What the canister said, without what the network puts around it, or else what came.
    fn words(&self) -> &str {
        let words = self.message.trim_end();
        let after = words.split_once("Canister called `ic0.trap` with message: '");
        let said = after.and_then(|(_, after)| Some(after.rsplit_once('\'')?.0));
        said.unwrap_or(words)
    }

    /// Whether the network has no such canister.
    pub fn is_unknown_canister(&self) -> bool {
        self.code == 301
    }

    /// Whether no module is installed in the canister.
    pub fn is_without_module(&self) -> bool {
        self.code == 537
    }

    /// Whether the canister has no such method.
    pub fn is_unknown_method(&self) -> bool {
        self.code == 536
    }

    /// Whether the caller lacks a permission. It has no code of its own: these are the words of
    /// asset canisters.
    pub fn is_missing_permission(&self) -> bool {
        let words = &self.message;
        words.contains("does not have") && words.contains("permission")
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (IC{:04})", self.words(), self.code)
    }
}

impl std::error::Error for Reject {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canister_is_quoted_without_its_network() {
        for (message, shown) in [
            (
                "Error from Canister aaaaa-aa: Canister called `ic0.trap` with message: 'it isn't \
                 there'.\nConsider gracefully handling failures.",
                "it isn't there (IC0503)",
            ),
            ("out of cycles\n", "out of cycles (IC0503)"),
        ] {
            let code = 503;
            let message = message.to_owned();
            assert_eq!(Reject { code, message }.to_string(), shown);
        }
    }
}
