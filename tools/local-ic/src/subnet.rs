//! Subnets: their keys, their names and the canister ids they own.

use candid::Principal;
use sha2::{Digest, Sha256};

use crate::certificate::{Delegation, NodeKey, Signed, SubnetKey};

/// What kind of subnet; decides its canister ids, and `Nns` holds the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubnetKind {
    /// The network nervous system: its key is the root key.
    Nns,
    /// The service nervous systems.
    Sns,
    /// Internet Identity, and the cycles ledger.
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

impl SubnetKind {
    /// Whether there is at most one subnet of this kind.
    pub(crate) fn is_unique(self) -> bool {
        !matches!(
            self,
            Self::System | Self::Application | Self::VerifiedApplication
        )
    }

    /// How the state tree calls it.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::VerifiedApplication => "verified_application",
            _ => "system",
        }
    }

    /// The canister ids of this subnet on the main network.
    fn mainnet_ranges(self) -> &'static [(u64, u64)] {
        match self {
            Self::Nns => &[(0, 6), (8, 0xf_ffff)],
            Self::Ii => &[(7, 7), (0x210_0000, 0x21f_ffff)],
            Self::Sns => &[(0x200_0000, 0x20f_ffff)],
            Self::Fiduciary => &[(0x230_0000, 0x23f_ffff)],
            Self::Bitcoin => &[(0x1a0_0000, 0x1af_ffff)],
            Self::System | Self::Application | Self::VerifiedApplication => &[],
        }
    }
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
    /// Canister ids of this subnet: closed intervals, ascending. New canisters
    /// get theirs from the last one.
    pub canister_ranges: Vec<(Principal, Principal)>,
}

impl Subnet {
    /// Whether the id belongs here, taken or not.
    pub(crate) fn owns(&self, canister: Principal) -> bool {
        self.canister_ranges
            .iter()
            .any(|(first, last)| *first <= canister && canister <= *last)
    }

    /// The ids for new canisters, from the `skip`th on.
    pub(crate) fn new_ids(&self, skip: u64) -> impl Iterator<Item = Principal> + use<> {
        let ranges = self.canister_ranges.last();
        let first = ranges.map_or(0, |(first, _)| canister_number(first));
        let last = ranges.map_or(0, |(_, last)| canister_number(last));
        (first + skip..=last).map(canister_id)
    }
}

/// What signs for a subnet.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) key: SubnetKey,
    /// The one node of the subnet, which answers queries.
    pub(crate) node: NodeKey,
    /// Absent when this is the root key.
    pub(crate) delegation: Option<Delegation>,
    /// The state at hand, signed, if that was needed since it changed.
    pub(crate) signed: Option<Signed>,
    /// How many ids for new canisters were given.
    pub(crate) ids_given: u64,
}

/// The subnets of these kinds. The first `Nns` holds the root key, or else the
/// first subnet does.
pub(crate) fn found(
    kinds: &[SubnetKind],
    seed: Option<&[u8; 32]>,
    time: u64,
) -> (Vec<Subnet>, Vec<Authority>) {
    let (subnets, keys): (Vec<Subnet>, Vec<SubnetKey>) = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| found_one(index as u64, *kind, seed))
        .unzip();
    let mut authorities: Vec<Authority> = keys
        .into_iter()
        .zip(&subnets)
        .map(|(key, subnet)| Authority {
            key,
            node: NodeKey::of(&subnet.seed),
            delegation: None,
            signed: None,
            ids_given: 0,
        })
        .collect();
    renew_delegations(&subnets, &mut authorities, time);
    (subnets, authorities)
}

/// Has the root key speak for the other subnets, unless it did lately.
pub(crate) fn renew_delegations(subnets: &[Subnet], authorities: &mut [Authority], time: u64) {
    let kinds: Vec<SubnetKind> = subnets.iter().map(|subnet| subnet.kind).collect();
    let root = root_of(&kinds);
    for (index, subnet) in subnets.iter().enumerate() {
        let delegation = &authorities[index].delegation;
        let is_fresh = delegation
            .as_ref()
            .is_some_and(|known| known.is_fresh(time));
        if index != root && !is_fresh {
            authorities[index].delegation = Some(Delegation::new(
                &authorities[root].key,
                subnet.id,
                &subnet.public_key,
                &subnet.canister_ranges,
                time,
            ));
        }
    }
}

/// Which of the subnets holds the root key.
pub(crate) fn root_of(kinds: &[SubnetKind]) -> usize {
    kinds
        .iter()
        .position(|kind| *kind == SubnetKind::Nns)
        .unwrap_or(0)
}

fn found_one(index: u64, kind: SubnetKind, seed: Option<&[u8; 32]>) -> (Subnet, SubnetKey) {
    let seed = Sha256::new_with_prefix(b"local-ic subnet")
        .chain_update(index.to_be_bytes())
        .chain_update(kind.type_name())
        .chain_update(seed.map_or(&[][..], |seed| seed))
        .finalize()
        .into();
    let key = SubnetKey::of(&seed);
    // The ranges for new canisters count down from the end of all ids.
    let first = ((1 << 44) - 2 - index) << 20;
    let canister_ranges = kind
        .mainnet_ranges()
        .iter()
        .copied()
        .chain([(first, first + 0xf_ffff)])
        .map(|(first, last)| (canister_id(first), canister_id(last)))
        .collect();
    let subnet = Subnet {
        id: Principal::self_authenticating(&key.public_der),
        kind,
        public_key: key.public_der.clone(),
        seed,
        canister_ranges,
    };
    (subnet, key)
}

/// The id of the canister with this number.
fn canister_id(number: u64) -> Principal {
    let mut bytes = [1; 10];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Principal::from_slice(&bytes)
}

fn canister_number(id: &Principal) -> u64 {
    id.as_slice()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_other_networks() {
        let (subnets, _) = found(&[SubnetKind::Application], None, 0);
        let ids: Vec<String> = subnets[0]
            .new_ids(0)
            .take(2)
            .map(|id| id.to_text())
            .collect();
        assert_eq!(
            ids,
            ["lxzze-o7777-77777-aaaaa-cai", "lqy7q-dh777-77777-aaaaq-cai"]
        );
    }

    #[test]
    fn seeds_decide_about_the_keys() {
        let key = |seed| {
            let (subnets, _) = found(&[SubnetKind::Nns], seed, 0);
            subnets[0].public_key.clone()
        };
        assert_eq!(key(Some(&[1; 32])), key(Some(&[1; 32])));
        assert_ne!(key(Some(&[1; 32])), key(Some(&[2; 32])));
        assert_ne!(key(Some(&[0; 32])), key(None));
    }

    #[test]
    fn well_known_canisters_are_at_home() {
        let (subnets, _) = found(&[SubnetKind::Nns, SubnetKind::Ii], None, 0);
        let home = |text: &str| {
            let id = Principal::from_text(text).unwrap();
            subnets
                .iter()
                .find(|subnet| subnet.owns(id))
                .map(|subnet| subnet.kind)
        };
        assert_eq!(home("ryjl3-tyaaa-aaaaa-aaaba-cai"), Some(SubnetKind::Nns));
        assert_eq!(home("rdmx6-jaaaa-aaaaa-aaadq-cai"), Some(SubnetKind::Ii));
        assert_eq!(home("um5iw-rqaaa-aaaaq-qaaba-cai"), Some(SubnetKind::Ii));
        assert_eq!(home("aaaaa-aa"), None);
    }

    #[test]
    fn the_root_key_needs_no_delegation() {
        let kinds = [SubnetKind::Application, SubnetKind::Nns];
        let (subnets, authorities) = found(&kinds, None, 0);
        assert_eq!(root_of(&kinds), 1);
        assert!(authorities[0].delegation.is_some());
        assert!(authorities[1].delegation.is_none());
        assert_ne!(subnets[0].public_key, subnets[1].public_key);
    }

    #[test]
    fn delegations_are_renewed_when_they_are_old() {
        let kinds = [SubnetKind::Application, SubnetKind::Nns];
        let (subnets, mut authorities) = found(&kinds, None, 0);
        let mut delegation_at = |time| {
            renew_delegations(&subnets, &mut authorities, time);
            authorities[0].delegation.clone().unwrap()
        };
        let minute = 60_000_000_000;
        let first = delegation_at(0);
        assert_eq!(delegation_at(9 * minute), first);
        assert_ne!(delegation_at(10 * minute), first);
    }
}
