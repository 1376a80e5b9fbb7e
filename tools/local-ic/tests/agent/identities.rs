//! Whoever signs is who the canister sees.

use candid::Principal;
use ic_agent::agent::EnvelopeContent;
use ic_agent::identity::{
    AnonymousIdentity, DelegatedIdentity, Delegation, Identity, Prime256v1Identity,
    Secp256k1Identity, SignedDelegation,
};
use ic_agent::{AgentError, Signature};
use ic_transport_types::DelegationPermissions;

use crate::{Live, controller, stranger};

fn secp256k1() -> Secp256k1Identity {
    Secp256k1Identity::from_private_key(k256::SecretKey::from_slice(&[7; 32]).unwrap())
}

fn p256() -> Prime256v1Identity {
    Prime256v1Identity::from_private_key(p256::SecretKey::from_slice(&[7; 32]).unwrap())
}

/// A delegation to an identity, for everything and ever.
fn delegation(to: &dyn Identity) -> Delegation {
    Delegation {
        pubkey: to.public_key().unwrap(),
        expiration: u64::MAX,
        targets: None,
        permissions: None,
    }
}

fn signed(from: &dyn Identity, delegation: Delegation) -> SignedDelegation {
    let signature = from.sign_delegation(&delegation).unwrap();
    SignedDelegation {
        delegation,
        signature: signature.signature.unwrap(),
    }
}

/// Who the canister sees, in a query and in an update.
async fn seen(live: &Live, identity: impl Identity + 'static) -> Result<Principal, AgentError> {
    let agent = live.agent(identity).await;
    let query = agent.query(&live.canister, "whoami").call().await?;
    let update = agent.update(&live.canister, "who_am_i").await?;
    assert_eq!(query, update);
    Ok(Principal::from_slice(&query))
}

/// The body of the 400 that a request was refused with.
fn refusal(result: Result<Principal, AgentError>) -> String {
    match result {
        Err(AgentError::HttpError(payload)) => {
            assert_eq!(payload.status, 400, "{payload}");
            String::from_utf8(payload.content).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_are_taken() {
    let live = Live::new().await;
    let identities: Vec<Box<dyn Identity>> = vec![
        Box::new(AnonymousIdentity),
        Box::new(controller()),
        Box::new(secp256k1()),
        Box::new(p256()),
    ];
    for identity in identities {
        let sender = identity.sender().unwrap();
        assert_eq!(seen(&live, identity).await.unwrap(), sender);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn delegations_speak_for_the_key_that_they_begin_with() {
    let live = Live::new().await;
    let (owner, device, session) = (controller(), secp256k1(), p256());
    let chain = vec![
        signed(&owner, delegation(&device)),
        signed(
            &device,
            Delegation {
                targets: Some(vec![live.canister]),
                permissions: Some(DelegationPermissions::All),
                ..delegation(&session)
            },
        ),
    ];
    let public_key = owner.public_key().unwrap();
    let identity = DelegatedIdentity::new(public_key, Box::new(session), chain).unwrap();
    assert_eq!(
        seen(&live, identity).await.unwrap(),
        owner.sender().unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_holds_for_what_it_says_and_no_more() {
    let live = Live::new().await;
    let (owner, device) = (controller(), secp256k1());
    let simple = || delegation(&device);
    let with = |chain| {
        let public_key = owner.public_key().unwrap();
        DelegatedIdentity::new_unchecked(public_key, Box::new(secp256k1()), chain)
    };
    let elsewhere = Principal::from_slice(&[9]);
    let cases = [
        (
            signed(
                &owner,
                Delegation {
                    expiration: 1_600_000_000_000_000_000,
                    ..simple()
                },
            ),
            "Invalid delegation: number 1 expired",
        ),
        (
            signed(
                &owner,
                Delegation {
                    targets: Some(vec![elsewhere]),
                    ..simple()
                },
            ),
            "is not one of the canisters that the delegations are for",
        ),
        (
            signed(
                &owner,
                Delegation {
                    targets: Some(vec![live.canister; 1001]),
                    ..simple()
                },
            ),
            "has 1001 targets, and at most 1000 are allowed",
        ),
        (
            signed(&stranger(), simple()),
            "number 1 is not signed by the key before it",
        ),
        (
            signed(
                &owner,
                Delegation {
                    permissions: Some(DelegationPermissions::Queries),
                    ..simple()
                },
            ),
            "number 1 permits queries only, and this is a call",
        ),
    ];
    for (delegation, reason) in cases {
        let text = refusal(seen(&live, with(vec![delegation])).await);
        assert!(text.contains(reason), "{text}");
    }

    let chain = vec![signed(&owner, simple()); 21];
    let text = refusal(seen(&live, with(chain)).await);
    assert!(text.contains("there are 21 delegations"), "{text}");

    let chain = vec![
        signed(&owner, simple()),
        signed(&device, delegation(&owner)),
        signed(&owner, simple()),
    ];
    let text = refusal(seen(&live, with(chain)).await);
    assert!(
        text.contains("number 2 delegates to a key that is in the chain already"),
        "{text}"
    );
}

/// Somebody who signs with another's key, or not what is sent.
struct Impostor {
    says: Says,
}

/// What becomes of the signature of a stranger.
type Says = fn(Signature) -> Signature;

impl Identity for Impostor {
    fn sender(&self) -> Result<Principal, String> {
        controller().sender()
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        controller().public_key()
    }

    fn sign(&self, content: &EnvelopeContent) -> Result<Signature, String> {
        Ok((self.says)(stranger().sign(content)?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused() {
    let live = Live::new().await;
    let cases: [(Says, &str); 6] = [
        (
            |signature| signature,
            &format!(
                "sender_pubkey is the key of {}, but the sender is {}",
                stranger().sender().unwrap(),
                controller().sender().unwrap()
            ),
        ),
        (
            |signature| Signature {
                public_key: controller().public_key(),
                ..signature
            },
            "sender_sig is not a signature of the request's id",
        ),
        (
            |signature| Signature {
                public_key: controller().public_key(),
                signature: Some(vec![0; 3]),
                ..signature
            },
            "sender_sig is not a signature of the request's id",
        ),
        (
            |signature| Signature {
                public_key: None,
                ..signature
            },
            "there is no sender_pubkey",
        ),
        (
            |signature| Signature {
                public_key: controller().public_key(),
                signature: None,
                ..signature
            },
            "there is no sender_sig",
        ),
        (
            |signature| Signature {
                public_key: Some(vec![1, 2, 3]),
                ..signature
            },
            "sender_pubkey is the key of",
        ),
    ];
    for (says, reason) in cases {
        let text = refusal(seen(&live, Impostor { says }).await);
        assert!(
            text.starts_with("Invalid signature") && text.contains(reason),
            "{text}"
        );
    }
}

/// Somebody with a key of a kind of its own.
struct Exotic {
    key: &'static str,
}

impl Identity for Exotic {
    fn sender(&self) -> Result<Principal, String> {
        Ok(Principal::self_authenticating(self.public_key().unwrap()))
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        Some(hex::decode(self.key).unwrap())
    }

    fn sign(&self, _: &EnvelopeContent) -> Result<Signature, String> {
        Ok(Signature {
            public_key: self.public_key(),
            signature: Some(vec![1; 64]),
            delegations: None,
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_kinds_are_refused_by_name() {
    let live = Live::new().await;
    let cases = [
        ("010203", "it is not a public key in DER"),
        (
            // A canister signature key of canister 01 with the seed 02.
            "3016300c060a2b0601040183b8430102030600 0101022222",
            "not supported by local-ic: canister signatures",
        ),
        (
            "3013300c060a2b0601040183b84301010303 000102",
            "not supported by local-ic: WebAuthn keys",
        ),
        (
            // RSA (RFC 8017).
            "3014300d06092a864886f70d01010105000303 000102",
            "keys of the kind 1.2.840.113549.1.1.1 are unknown",
        ),
        (
            "302a300506032b6570032100ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0f",
            "its bytes are no Ed25519 key",
        ),
    ];
    for (key, reason) in cases {
        let key = key.replace(' ', "").leak();
        let text = refusal(seen(&live, Exotic { key }).await);
        assert!(text.contains(reason), "{text}");
    }
}
