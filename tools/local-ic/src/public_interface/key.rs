//! Public keys of users and what they sign (interface specification,
//! "Signatures").

use std::fmt;

use ed25519_dalek::Verifier;
use k256::pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256K1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.10");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const COSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.56387.1.1");
const CANISTER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.56387.1.2");

/// A key that signatures are checked with.
#[derive(Debug)]
pub(super) enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    Secp256k1(k256::ecdsa::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a key in DER (RFC 5280, SubjectPublicKeyInfo).
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyFault> {
        let info = SubjectPublicKeyInfoRef::try_from(der)
            .map_err(|error| KeyFault::NotDer(error.to_string()))?;
        let bytes = info.subject_public_key.raw_bytes();
        let curve = || info.algorithm.parameters_oid().ok();
        match info.algorithm.oid {
            ED25519 => bytes
                .try_into()
                .ok()
                .and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(bytes).ok())
                .map(Self::Ed25519)
                .ok_or(KeyFault::NotOnCurve("Ed25519")),
            EC if curve() == Some(SECP256K1) => k256::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(Self::Secp256k1)
                .map_err(|_| KeyFault::NotOnCurve("secp256k1")),
            EC if curve() == Some(P256) => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(Self::P256)
                .map_err(|_| KeyFault::NotOnCurve("P-256")),
            COSE => Err(KeyFault::NotSupported("WebAuthn keys")),
            CANISTER => Err(KeyFault::NotSupported("canister signatures")),
            other => Err(KeyFault::Unknown(other.to_string())),
        }
    }

    /// Whether `signature` is this key's under `message`. ECDSA hashes with
    /// SHA-256 and takes either of the two forms that a signature has.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Secp256k1(key) => {
                k256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                    let signature = signature.normalize_s().unwrap_or(signature);
                    key.verify(message, &signature).is_ok()
                })
            }
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// Why bytes are no key.
#[derive(Debug)]
pub(super) enum KeyFault {
    NotDer(String),
    NotOnCurve(&'static str),
    NotSupported(&'static str),
    /// A key of another kind, by its object identifier.
    Unknown(String),
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDer(why) => write!(f, "it is not a public key in DER: {why}"),
            Self::NotOnCurve(curve) => write!(f, "its bytes are no {curve} key"),
            Self::NotSupported(what) => write!(f, "not supported by local-ic: {what}"),
            Self::Unknown(identifier) => write!(
                f,
                "keys of the kind {identifier} are unknown; there are Ed25519, secp256k1 and P-256"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer;
    use k256::pkcs8::EncodePublicKey;

    use super::*;

    /// A key of each kind, in DER, and its signature of a message.
    fn signers(message: &[u8]) -> [(Vec<u8>, Vec<u8>); 3] {
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let secp256k1 = k256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let p256 = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let der = |key: &dyn Fn() -> k256::pkcs8::spki::Result<k256::pkcs8::Document>| {
            key().unwrap().into_vec()
        };
        let secp256k1_signature: k256::ecdsa::Signature = secp256k1.sign(message);
        let p256_signature: p256::ecdsa::Signature = p256.sign(message);
        [
            (
                der(&|| ed25519.verifying_key().to_public_key_der()),
                ed25519.sign(message).to_vec(),
            ),
            (
                der(&|| secp256k1.verifying_key().to_public_key_der()),
                secp256k1_signature.to_vec(),
            ),
            (
                der(&|| p256.verifying_key().to_public_key_der()),
                p256_signature.to_vec(),
            ),
        ]
    }

    #[test]
    fn a_signature_is_of_one_message_by_one_key() {
        let signers = signers(b"message");
        for (key, _) in &signers {
            let public = PublicKey::from_der(key).unwrap();
            for (signer, signature) in &signers {
                assert_eq!(public.verifies(b"message", signature), key == signer);
                assert!(!public.verifies(b"massage", signature));
                assert!(!public.verifies(b"message", &signature[1..]));
            }
            assert!(!public.verifies(b"message", &[0; 64]));
        }
    }

    #[test]
    fn both_forms_of_an_ecdsa_signature_are_taken() {
        let [_, (key, signature), _] = signers(b"message");
        let signature = k256::ecdsa::Signature::from_slice(&signature).unwrap();
        let (r, s) = signature.split_scalars();
        let other = k256::ecdsa::Signature::from_scalars(r, -s).unwrap();
        assert_ne!(signature, other);
        let public = PublicKey::from_der(&key).unwrap();
        assert!(public.verifies(b"message", &other.to_bytes()));
    }

    #[test]
    fn a_key_ends_where_it_ends() {
        for (key, _) in signers(b"") {
            assert!(PublicKey::from_der(&key[..key.len() - 1]).is_err());
            assert!(PublicKey::from_der(&[&key[..], &[0]].concat()).is_err());
        }
    }
}
