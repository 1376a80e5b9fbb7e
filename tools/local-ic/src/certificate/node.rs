//! The key of a node, which signs what the node answers to queries.

use candid::Principal;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

/// What DER puts before the 32 bytes of an Ed25519 public key (RFC 8410).
const DER_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The key of a node.
#[derive(Debug)]
pub(crate) struct NodeKey {
    private: SigningKey,
    /// The self-authenticating principal of the public key.
    pub(crate) id: Principal,
    /// 44 bytes.
    pub(crate) public_der: Vec<u8>,
}

impl NodeKey {
    /// The key of the node of the subnet with this seed.
    pub(crate) fn of(subnet_seed: &[u8; 32]) -> Self {
        let seed = Sha256::new_with_prefix(b"local-ic node").chain_update(subnet_seed);
        let private = SigningKey::from_bytes(&seed.finalize().into());
        let public_der = [DER_PREFIX.as_slice(), private.verifying_key().as_bytes()].concat();
        Self {
            private,
            id: Principal::self_authenticating(&public_der),
            public_der,
        }
    }

    /// 64 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.private.sign(message).to_vec()
    }
}
