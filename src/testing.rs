//! Certificates for tests: a network of one subnet whose key is made from a number.
//!
//! ```
//! use ic_hallmark::testing::TestNetwork;
//!
//! let network = TestNetwork::new(1);
//! let canister = candid::Principal::management_canister();
//! let certificate = network.certificate(canister, &[0; 32], 1_700_000_000_000_000_000);
//! assert_eq!(network.root_key().len(), 133);
//! # assert!(!certificate.is_empty());
//! ```

use crate::tree::Hash;
use candid::Principal;
use ic_certification::hash_tree::{fork_hash, labeled_hash, leaf_hash};
use ic_verify_bls_signature::PrivateKey;
use minicbor::Encoder;
use std::fmt;

/// A network that certifies whatever it is asked to.
pub struct TestNetwork {
    key: PrivateKey,
}

/// The ASN.1 that precedes the 96 bytes of a BLS12-381 public key (interface specification, "Certificates").
const DER_PREFIX: [u8; 37] =
    *b"\x30\x81\x82\x30\x1d\x06\x0d\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x01\x02\
\x01\x06\x0c\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x02\x01\x03\x61\x00";

impl TestNetwork {
    /// The network whose key is made from `seed`.
    pub fn new(seed: u8) -> Self {
        let mut secret = [seed; 32];
        // Below the order of the group.
        secret[0] = 0;
        secret[31] |= 1;
        let key = PrivateKey::deserialize(&secret).expect("a small number is a secret key");
        Self { key }
    }

    /// The public key in DER, as verifiers take it.
    pub fn root_key(&self) -> Vec<u8> {
        [&DER_PREFIX[..], &self.key.public_key().serialize()].concat()
    }

    /// A certificate that a canister has this certified data at this time, in nanoseconds since 1970.
    pub fn certificate(&self, canister: Principal, certified_data: &[u8], time: u64) -> Vec<u8> {
        let time = leb128(time);
        let canister_hash = labels_hash(
            [b"canister", canister.as_slice(), b"certified_data"],
            leaf_hash(certified_data),
        );
        let root = fork_hash(&canister_hash, &labeled_hash(b"time", &leaf_hash(&time)));
        let message = [&b"\x0dic-state-root"[..], &root].concat();
        let signature = self.key.sign(&message).serialize();

        let mut cbor = Encoder::new(Vec::new());
        let written: Result<_, minicbor::encode::Error<_>> = (|| {
            cbor.tag(minicbor::data::Tag::new(55799))?
                .map(2)?
                .str("tree")?;
            cbor.array(3)?.u8(1)?;
            for label in [b"canister", canister.as_slice(), b"certified_data"] {
                cbor.array(3)?.u8(2)?.bytes(label)?;
            }
            cbor.array(2)?.u8(3)?.bytes(certified_data)?;
            cbor.array(3)?.u8(2)?.bytes(b"time")?;
            cbor.array(2)?.u8(3)?.bytes(&time)?;
            cbor.str("signature")?.bytes(&signature)?;
            Ok(())
        })();
        written.expect("a vector takes any CBOR");
        cbor.into_writer()
    }
}

impl fmt::Debug for TestNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestNetwork").finish_non_exhaustive()
    }
}

fn labels_hash<const N: usize>(labels: [&[u8]; N], content: Hash) -> Hash {
    labels
        .into_iter()
        .rev()
        .fold(content, |hash, label| labeled_hash(label, &hash))
}

/// Unsigned LEB128.
fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
