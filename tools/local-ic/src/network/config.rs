//! How a network starts, and what it refuses.

use std::fmt;

use crate::SubnetKind;

/// How a network starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// One entry for each subnet.
    pub subnets: Vec<SubnetKind>,
    /// Nanoseconds since 1970; 6 May 2021 19:17:10 UTC unless given.
    pub initial_time: Option<u64>,
    /// Lifts the instruction limits of messages, for benchmarks.
    pub unlimited_instructions: bool,
    /// What the keys of the subnets are made from; networks with the same seed
    /// and subnets have the same root key.
    pub seed: Option<[u8; 32]>,
    /// Puts the system canisters in place that deployment tools call: cycles
    /// minting canister, cycles ledger and ICP ledger. They need the subnets
    /// that own their ids, [`SubnetKind::Nns`] and [`SubnetKind::Ii`].
    pub system_canisters: bool,
}

impl Config {
    /// A network of these subnets, with everything else as by default.
    pub fn new(subnets: impl IntoIterator<Item = SubnetKind>) -> Self {
        Self {
            subnets: subnets.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.subnets.is_empty() {
            return Err(ConfigError::NoSubnet);
        }
        for (index, kind) in self.subnets.iter().enumerate() {
            if kind.is_unique() && self.subnets[..index].contains(kind) {
                return Err(ConfigError::DuplicateSubnet(*kind));
            }
        }
        Ok(())
    }
}

/// A network that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no subnet.
    NoSubnet,
    /// A kind of which there is one was named twice.
    DuplicateSubnet(SubnetKind),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSubnet => write!(f, "a network needs at least one subnet"),
            Self::DuplicateSubnet(kind) => write!(f, "there is only one {kind:?} subnet"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The clock does not go backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeError {
    /// The time of the network, nanoseconds since 1970.
    pub now: u64,
    /// The time asked for.
    pub wanted: u64,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {} already, {} is past", self.now, self.wanted)
    }
}

impl std::error::Error for TimeError {}
