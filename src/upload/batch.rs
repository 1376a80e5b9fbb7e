//! What is known of a batch beside its chunks: whose it is, until when, and what it waits for.

use crate::error::{Error, StageError};
use minicbor::{Decode, Encode};

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Batch {
    #[n(0)]
    pub(super) expires: u64,
    #[n(1)]
    pub(super) chunks: u32,
    #[n(2)]
    pub(super) bytes: u64,
    /// Who created it.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) owner: Vec<u8>,
    #[n(4)]
    pub(super) phase: Phase,
    /// Nanoseconds that it lives after its last use.
    #[n(5)]
    pub(super) lifetime: u64,
}

/// What a batch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Phase {
    /// Chunks, and the commit that closes it.
    #[n(0)]
    Open,
    /// As open; commits have been staged.
    #[n(1)]
    Staging,
    /// Its operations are known, their evidence is not.
    #[n(2)]
    Proposed,
    /// Its evidence is known; it does not expire any more.
    #[n(3)]
    Evident,
    /// A staged release, which takes operations.
    #[n(4)]
    Filling,
    /// A staged release some of whose answers are derived, or hashed.
    #[n(5)]
    Sealing,
    /// A staged release that can be published.
    #[n(6)]
    Sealed,
}

impl Batch {
    pub(super) fn has_expired(&self, now: u64) -> bool {
        self.expires <= now && self.phase != Phase::Evident
    }

    /// Whether it is a staged release, and only called a batch here.
    pub(super) fn is_release(&self) -> bool {
        matches!(self.phase, Phase::Filling | Phase::Sealing | Phase::Sealed)
    }

    pub(super) fn takes_chunks(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Staging | Phase::Filling)
    }

    pub(super) fn is_proposed(&self) -> bool {
        matches!(self.phase, Phase::Proposed | Phase::Evident)
    }

    pub(super) fn check_no_release(&self, id: u64) -> Result<(), Error> {
        match self.is_release() {
            true => Err(StageError::NoBatch.of(id)),
            false => Ok(()),
        }
    }

    /// Begins the time that it lives without being used again.
    pub(super) fn used(&mut self, now: u64) {
        self.expires = now.saturating_add(self.lifetime);
    }
}
