//! Certificates: what a subnet says about its state, signed.
//!
//! ```text
//! root key ── signs ──► delegation: public key and canister ids of a subnet
//!                         │ (absent when the subnet holds the root key itself)
//! subnet key ── signs ──► certificate: time, canisters, subnets
//! ```
//!
//! A signature takes a millisecond, so there is one for each state and time,
//! made when first needed; certificates for different canisters show different
//! parts of the same tree.

mod node;
mod tree;

use std::collections::HashMap;
use std::sync::Arc;

use candid::Principal;
use ic_verify_bls_signature::PrivateKey;
use minicbor::Encoder;
use minicbor::data::Tag;
use sha2::{Digest, Sha256};

pub(crate) use node::NodeKey;
pub(crate) use tree::{Path, Tree};

/// What DER puts before the 96 bytes of a BLS public key.
const DER_PREFIX: [u8; 37] = [
    0x30, 0x81, 0x82, 0x30, 0x1d, 0x06, 0x0d, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05,
    0x03, 0x01, 0x02, 0x01, 0x06, 0x0c, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05, 0x03,
    0x02, 0x01, 0x03, 0x61, 0x00,
];

/// The key of a subnet.
#[derive(Debug)]
pub(crate) struct SubnetKey {
    private: PrivateKey,
    /// 133 bytes.
    pub(crate) public_der: Vec<u8>,
}

impl SubnetKey {
    /// The key a seed stands for.
    pub(crate) fn of(seed: &[u8; 32]) -> Self {
        let mut scalar: [u8; 32] = Sha256::digest(seed).into();
        // Below the order of the group, whatever the rest.
        scalar[0] = 0;
        let private = PrivateKey::deserialize(&scalar).expect("a number below 2^248 is a key");
        let public_der = [DER_PREFIX.as_slice(), &private.public_key().serialize()].concat();
        Self {
            private,
            public_der,
        }
    }

    fn sign(&self, digest: &[u8; 32]) -> Vec<u8> {
        let message = [b"\x0Dic-state-root".as_slice(), digest].concat();
        self.private.sign(&message).serialize().to_vec()
    }
}

/// How old a delegation gets, in nanoseconds. Agents refuse one of thirty days;
/// the Internet Computer renews them about as often as this.
const DELEGATION_LIFETIME: u64 = 600_000_000_000;

/// What the root key says about another subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delegation {
    subnet: Principal,
    time: u64,
    certificate: Vec<u8>,
}

impl Delegation {
    /// The root subnet's word for a subnet's key and canister ids, in the old
    /// place for the ranges and the new one.
    pub(crate) fn new(
        root: &SubnetKey,
        subnet: Principal,
        public_der: &[u8],
        ranges: &[(Principal, Principal)],
        time: u64,
    ) -> Self {
        let mut tree = Tree::empty();
        tree.insert([b"time"], leb128(time));
        insert_subnet(&mut tree, subnet, public_der, ranges);
        let certificate = Signed::new(tree, root).certificate(&[&[]], None);
        Self {
            subnet,
            time,
            certificate,
        }
    }

    /// Whether it need not be renewed yet.
    pub(crate) fn is_fresh(&self, now: u64) -> bool {
        now.saturating_sub(self.time) < DELEGATION_LIFETIME
    }
}

/// Adds what is certified about a subnet.
pub(crate) fn insert_subnet(
    tree: &mut Tree,
    subnet: Principal,
    public_der: &[u8],
    ranges: &[(Principal, Principal)],
) {
    let id = subnet.as_slice();
    let encoded = encode_ranges(ranges);
    tree.insert([b"subnet", id, b"public_key"], public_der.to_vec());
    tree.insert([b"subnet", id, b"canister_ranges"], encoded.clone());
    if let Some((first, _)) = ranges.first() {
        tree.insert([b"canister_ranges", id, first.as_slice()], encoded);
    }
}

/// A state with its signature, and the certificates made of it so far.
#[derive(Debug)]
pub(crate) struct Signed {
    tree: Tree,
    signature: Vec<u8>,
    of_canisters: HashMap<Principal, Arc<[u8]>>,
}

impl Signed {
    pub(crate) fn new(tree: Tree, key: &SubnetKey) -> Self {
        Self {
            signature: key.sign(&tree.digest()),
            tree,
            of_canisters: HashMap::new(),
        }
    }

    /// The certificate a query of this canister gets.
    pub(crate) fn of_canister(
        &mut self,
        canister: Principal,
        delegation: Option<&Delegation>,
    ) -> Arc<[u8]> {
        if let Some(certificate) = self.of_canisters.get(&canister) {
            return certificate.clone();
        }
        let data: Path = vec![
            b"canister".to_vec(),
            canister.as_slice().to_vec(),
            b"certified_data".to_vec(),
        ];
        let time: Path = vec![b"time".to_vec()];
        let certificate: Arc<[u8]> = self.certificate(&[&data, &time], delegation).into();
        self.of_canisters.insert(canister, certificate.clone());
        certificate
    }

    /// A certificate that shows these paths, as CBOR.
    pub(crate) fn certificate(
        &self,
        paths: &[&[Vec<u8>]],
        delegation: Option<&Delegation>,
    ) -> Vec<u8> {
        let mut cbor = Encoder::new(Vec::new());
        // Writing to a vector does not fail.
        let _ = cbor
            .tag(Tag::new(55_799))
            .and_then(|cbor| cbor.map(2 + u64::from(delegation.is_some())))
            .and_then(|cbor| cbor.str("tree"));
        self.tree.reveal(paths).encode(&mut cbor);
        let _ = cbor
            .str("signature")
            .and_then(|cbor| cbor.bytes(&self.signature));
        if let Some(delegation) = delegation {
            let _ = cbor
                .str("delegation")
                .and_then(|cbor| cbor.map(2))
                .and_then(|cbor| cbor.str("subnet_id"))
                .and_then(|cbor| cbor.bytes(delegation.subnet.as_slice()))
                .and_then(|cbor| cbor.str("certificate"))
                .and_then(|cbor| cbor.bytes(&delegation.certificate));
        }
        cbor.into_writer()
    }
}

/// Closed intervals of canister ids, as CBOR.
fn encode_ranges(ranges: &[(Principal, Principal)]) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    let _ = cbor
        .tag(Tag::new(55_799))
        .and_then(|cbor| cbor.array(ranges.len() as u64));
    for (first, last) in ranges {
        let _ = cbor
            .array(2)
            .and_then(|cbor| cbor.bytes(first.as_slice()))
            .and_then(|cbor| cbor.bytes(last.as_slice()));
    }
    cbor.into_writer()
}

/// A list of principals, as CBOR.
pub(crate) fn encode_principals(principals: &[Principal]) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    let _ = cbor
        .tag(Tag::new(55_799))
        .and_then(|cbor| cbor.array(principals.len() as u64));
    for principal in principals {
        let _ = cbor.bytes(principal.as_slice());
    }
    cbor.into_writer()
}

/// A natural number, as state trees hold them.
pub(crate) fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_seven_bits_a_byte() {
        assert_eq!(leb128(0), [0]);
        assert_eq!(leb128(624_485), [0xe5, 0x8e, 0x26]);
    }

    #[test]
    fn keys_follow_from_their_seed() {
        let key = SubnetKey::of(&[1; 32]);
        assert_eq!(key.public_der.len(), 133);
        assert_eq!(key.public_der, SubnetKey::of(&[1; 32]).public_der);
        assert_ne!(key.public_der, SubnetKey::of(&[2; 32]).public_der);
    }
}
