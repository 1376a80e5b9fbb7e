//! Who sent a request (interface specification, "Authentication").
//!
//! ```text
//!  sender ◄── self-authenticating id ── sender_pubkey
//!                                           │ signs
//!                                           ▼
//!                                      delegation ─► key ── signs ──► … at most 20
//!                                                                      │
//!                                     request id ◄── sender_sig ───────┘
//! ```

use std::collections::BTreeSet;
use std::fmt;

use candid::Principal;
use ic_transport_types::{
    DelegationPermissions, Envelope, EnvelopeContent, RequestId, SignedDelegation,
};

use super::key::{KeyFault, PublicKey};

/// How far in the future a request may expire: five minutes, and half a minute
/// for clocks that differ.
const MAX_EXPIRY: u64 = (5 * 60 + 30) * 1_000_000_000;
const MAX_NONCE: usize = 32;
const MAX_DELEGATIONS: usize = 20;
const MAX_TARGETS: usize = 1000;

/// The canisters that a sender's delegations are good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Targets {
    All,
    Only(BTreeSet<Principal>),
}

impl Targets {
    pub(super) fn contain(&self, canister: Principal) -> bool {
        match self {
            Self::All => true,
            Self::Only(canisters) => canisters.contains(&canister),
        }
    }

    fn narrow(self, to: &[Principal]) -> Self {
        let to: BTreeSet<Principal> = to.iter().copied().collect();
        Self::Only(match self {
            Self::All => to,
            Self::Only(canisters) => canisters.intersection(&to).copied().collect(),
        })
    }
}

/// Checks that the request was made by its sender and is to be taken at `now`,
/// in ns since 1970.
pub(super) fn authenticate(
    envelope: &Envelope<'_>,
    id: &RequestId,
    now: u64,
) -> Result<Targets, Fault> {
    let content = &*envelope.content;
    let (nonce, sender_info) = match content {
        EnvelopeContent::Call {
            nonce, sender_info, ..
        }
        | EnvelopeContent::Query {
            nonce, sender_info, ..
        } => (nonce.as_deref(), sender_info.is_some()),
        EnvelopeContent::ReadState { .. } => (None, false),
    };
    if sender_info {
        return Err(Fault::SenderInfo);
    }
    if let Some(nonce) = nonce
        && nonce.len() > MAX_NONCE
    {
        return Err(Fault::Nonce { bytes: nonce.len() });
    }

    let sender = *content.sender();
    let anonymous = sender == Principal::anonymous();
    // What anybody may ask at any time needs no protection from being repeated.
    if !anonymous || matches!(content, EnvelopeContent::Call { .. }) {
        check_expiry(content.ingress_expiry(), now)?;
    }
    if anonymous {
        return match envelope {
            Envelope {
                sender_pubkey: None,
                sender_sig: None,
                sender_delegation: None,
                ..
            } => Ok(Targets::All),
            _ => Err(Fault::SignedByNobody),
        };
    }

    let key = envelope.sender_pubkey.as_deref().ok_or(Fault::NoKey)?;
    let signature = envelope.sender_sig.as_deref().ok_or(Fault::NoSignature)?;
    let owner = Principal::self_authenticating(key);
    if owner != sender {
        return Err(Fault::KeyOfAnother { sender, owner });
    }
    let delegations = envelope.sender_delegation.as_deref().unwrap_or_default();
    let (key, targets) = follow(key, delegations, content, now)?;
    if !key.verifies(&id.signable(), signature) {
        return Err(Fault::Signature);
    }
    if let EnvelopeContent::Call { canister_id, .. } | EnvelopeContent::Query { canister_id, .. } =
        content
        && !targets.contain(*canister_id)
    {
        return Err(Fault::NotATarget(*canister_id));
    }
    Ok(targets)
}

fn check_expiry(provided: u64, now: u64) -> Result<(), Fault> {
    let max = now.saturating_add(MAX_EXPIRY);
    if (now..=max).contains(&provided) {
        Ok(())
    } else {
        Err(Fault::Expiry { now, max, provided })
    }
}

/// The key that signs requests at the end of a chain of delegations, and what
/// they are good for.
fn follow(
    key: &[u8],
    delegations: &[SignedDelegation],
    content: &EnvelopeContent,
    now: u64,
) -> Result<(PublicKey, Targets), Fault> {
    if delegations.len() > MAX_DELEGATIONS {
        return Err(Fault::TooManyDelegations(delegations.len()));
    }
    let mut public = PublicKey::from_der(key).map_err(Fault::Key)?;
    let mut targets = Targets::All;
    let mut seen = BTreeSet::from([key]);
    for (
        index,
        SignedDelegation {
            delegation,
            signature,
        },
    ) in delegations.iter().enumerate()
    {
        let number = index + 1;
        let fault = |fault| Fault::Delegation { number, fault };
        if !public.verifies(&delegation.signable(), signature) {
            return Err(fault(DelegationFault::Signature));
        }
        if delegation.expiration < now {
            return Err(fault(DelegationFault::Expired {
                expiration: delegation.expiration,
                now,
            }));
        }
        if !seen.insert(&delegation.pubkey) {
            return Err(fault(DelegationFault::Cycle));
        }
        if delegation.permissions == Some(DelegationPermissions::Queries)
            && matches!(content, EnvelopeContent::Call { .. })
        {
            return Err(fault(DelegationFault::QueriesOnly));
        }
        if let Some(canisters) = &delegation.targets {
            if canisters.len() > MAX_TARGETS {
                return Err(fault(DelegationFault::TooManyTargets(canisters.len())));
            }
            targets = targets.narrow(canisters);
        }
        public = PublicKey::from_der(&delegation.pubkey)
            .map_err(|why| fault(DelegationFault::Key(why)))?;
    }
    Ok((public, targets))
}

/// Why a request is not its sender's, or not to be taken.
#[derive(Debug)]
pub(super) enum Fault {
    Expiry {
        now: u64,
        max: u64,
        provided: u64,
    },
    Nonce {
        bytes: usize,
    },
    SenderInfo,
    /// The anonymous principal has no key.
    SignedByNobody,
    NoKey,
    NoSignature,
    Key(KeyFault),
    KeyOfAnother {
        sender: Principal,
        owner: Principal,
    },
    Signature,
    TooManyDelegations(usize),
    /// The first delegation has the number 1.
    Delegation {
        number: usize,
        fault: DelegationFault,
    },
    NotATarget(Principal),
}

/// What is wrong with one delegation.
#[derive(Debug)]
pub(super) enum DelegationFault {
    Signature,
    Expired { expiration: u64, now: u64 },
    Cycle,
    QueriesOnly,
    TooManyTargets(usize),
    Key(KeyFault),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Agents look for these words to find out that clocks differ.
            Self::Expiry { now, max, provided } => write!(
                f,
                "Invalid request expiry: Specified ingress_expiry not within expected range: \
                 Minimum allowed expiry: {now}, Maximum allowed expiry: {max}, \
                 Provided expiry: {provided} (nanoseconds since 1970)"
            ),
            Self::Nonce { bytes } => write!(
                f,
                "Invalid nonce: it has {bytes} bytes, and at most {MAX_NONCE} are allowed"
            ),
            Self::SenderInfo => write!(f, "not supported by local-ic: sender_info of a request"),
            Self::SignedByNobody => write!(
                f,
                "Invalid signature: the sender is anonymous, but there is a sender_pubkey, \
                 sender_sig or sender_delegation"
            ),
            Self::NoKey => write!(f, "Invalid signature: there is no sender_pubkey"),
            Self::NoSignature => write!(f, "Invalid signature: there is no sender_sig"),
            Self::Key(why) => write!(f, "Invalid signature: sender_pubkey is of no use: {why}"),
            Self::KeyOfAnother { sender, owner } => write!(
                f,
                "Invalid signature: sender_pubkey is the key of {owner}, but the sender is {sender}"
            ),
            Self::Signature => write!(
                f,
                "Invalid signature: sender_sig is not a signature of the request's id by \
                 the sender's key"
            ),
            Self::TooManyDelegations(count) => write!(
                f,
                "Invalid delegation: there are {count} delegations, and at most \
                 {MAX_DELEGATIONS} are allowed"
            ),
            Self::Delegation { number, fault } => {
                write!(f, "Invalid delegation: number {number} {fault}")
            }
            Self::NotATarget(canister) => write!(
                f,
                "Invalid delegation: {canister} is not one of the canisters that the \
                 delegations are for"
            ),
        }
    }
}

impl fmt::Display for DelegationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => write!(f, "is not signed by the key before it"),
            Self::Expired { expiration, now } => write!(
                f,
                "expired: its expiration is {expiration}, and it is {now} (nanoseconds since 1970)"
            ),
            Self::Cycle => write!(f, "delegates to a key that is in the chain already"),
            Self::QueriesOnly => write!(f, "permits queries only, and this is a call"),
            Self::TooManyTargets(count) => write!(
                f,
                "has {count} targets, and at most {MAX_TARGETS} are allowed"
            ),
            Self::Key(why) => write!(f, "delegates to a key that is of no use: {why}"),
        }
    }
}
