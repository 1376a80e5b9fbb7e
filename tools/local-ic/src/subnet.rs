//! Subnets: their keys, their names and the canister ids they own.

use candid::Principal;

/// What kind of subnet; decides its canister ids and whether it is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubnetKind {
    /// The network nervous system: its key is the root key.
    Nns,
    /// The service nervous systems.
    Sns,
    /// Internet Identity.
    Ii,
    /// Threshold keys and other chains.
    Fiduciary,
    /// The Bitcoin integration.
    Bitcoin,
    /// A subnet without charges.
    System,
    /// Where ordinary canisters live.
    Application,
    /// An application subnet for verified developers.
    VerifiedApplication,
}

/// One subnet.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// The self-authenticating principal of the public key.
    pub id: Principal,
    /// What kind of subnet.
    pub kind: SubnetKind,
    /// The BLS public key as 133 bytes of DER.
    pub public_key: Vec<u8>,
    /// What the private key was made from.
    pub seed: [u8; 32],
    /// Canister ids of this subnet: closed intervals, ascending.
    pub canister_ranges: Vec<(Principal, Principal)>,
}
