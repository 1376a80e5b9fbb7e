//! The upper half of the chain: a certificate, from the root key to a tree that is believed.
//!
//! ```text
//! root key ──signs──► delegation: subnet's key, its canisters ──signs──► certificate: tree, with the time
//! ```
//!
//! `ic-certificate-verification` verifies; asked in the right order it tells which link broke.

use std::time::Duration;

use candid::Principal;
use ic_cbor::CertificateToCbor as _;
use ic_certificate_verification::{CertificateVerificationError as Refused, VerifyCertificate};
use ic_certification::{Certificate, HashTree, LookupResult};

use super::chain::Reason;
use crate::time::Time;

/// How far from now a certificate may be, in nanoseconds: five minutes, as gateways have it.
pub const MAX_OFFSET: u64 = 300_000_000_000;

/// What a certificate is verified against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The network's root key, as DER.
    pub root_key: Vec<u8>,
    /// The canister that it is about.
    pub canister: Principal,
    /// When it is looked at.
    pub now: Time,
}

impl Trust {
    /// The same, some time later.
    pub fn after(&self, elapsed: Duration) -> Trust {
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        Trust {
            now: Time(self.now.0.saturating_add(elapsed)),
            ..self.clone()
        }
    }
}

/// What is found of a certificate, link by link.
#[derive(Debug)]
pub struct Checked {
    /// Whether it is signed; `None` if the delegation does not prove by whom it should be.
    pub signature: Option<Result<(), Reason>>,
    /// The subnet that may sign for the canister; `None` if the root key did.
    pub delegation: Result<Option<Principal>, Reason>,
    /// When it was made.
    pub time: Result<Time, Reason>,
    tree: Option<HashTree>,
}

impl Checked {
    /// What is certified, if everything about the certificate holds.
    pub fn tree(&self) -> Option<&HashTree> {
        self.tree.as_ref().filter(|_| self.reason().is_none())
    }

    /// The first reason why it does not hold, if it does not.
    pub fn reason(&self) -> Option<&Reason> {
        let reasons = [
            self.delegation.as_ref().err(),
            self.signature
                .as_ref()
                .and_then(|result| result.as_ref().err()),
            self.time.as_ref().err(),
        ];
        reasons.into_iter().flatten().next()
    }
}

/// Checks a certificate, as CBOR.
pub fn check(cbor: &[u8], trust: &Trust) -> Checked {
    let certificate = match Certificate::from_cbor(cbor) {
        Ok(certificate) => certificate,
        Err(error) => {
            let reason = Reason::CertificateUnreadable(error.to_string());
            return Checked {
                signature: Some(Err(reason.clone())),
                delegation: Err(reason.clone()),
                time: Err(reason),
                tree: None,
            };
        }
    };
    let delegation = check_delegation(&certificate, trust);
    let signature = delegation
        .is_ok()
        .then(|| check_signature(&certificate, trust));
    Checked {
        signature,
        delegation,
        time: check_time(&certificate, trust.now),
        tree: Some(certificate.tree),
    }
}

fn check_delegation(certificate: &Certificate, trust: &Trust) -> Result<Option<Principal>, Reason> {
    let Some(delegation) = &certificate.delegation else {
        return Ok(None);
    };
    let unreadable = |why: String| Reason::DelegationUnreadable(why);
    let subnet = Principal::try_from_slice(delegation.subnet_id.as_ref());
    let subnet = subnet.map_err(|error| unreadable(error.to_string()))?;
    let inner = Certificate::from_cbor(&delegation.certificate);
    let inner = inner.map_err(|error| unreadable(error.to_string()))?;
    if inner.delegation.is_some() {
        return Err(Reason::DelegationNested);
    }
    // Anything else is found, and named, with the whole.
    if let Err(Refused::SignatureVerificationFailed) = verify(&inner, trust) {
        return Err(Reason::DelegationSignature);
    }
    match verify(certificate, trust) {
        Ok(()) | Err(Refused::SignatureVerificationFailed) => Ok(Some(subnet)),
        Err(Refused::MissingTimePathInTree { .. } | Refused::TimeDecodingFailed { .. }) => {
            Ok(Some(subnet))
        }
        Err(Refused::PrincipalOutOfRange { .. }) => Err(Reason::OtherSubnet { subnet }),
        Err(other) => Err(unreadable(other.to_string())),
    }
}

fn check_signature(certificate: &Certificate, trust: &Trust) -> Result<(), Reason> {
    match verify(certificate, trust) {
        Ok(()) => Ok(()),
        Err(Refused::SignatureVerificationFailed) => Err(Reason::Signature),
        Err(Refused::MissingTimePathInTree { .. } | Refused::TimeDecodingFailed { .. }) => {
            Err(Reason::NoTime)
        }
        Err(other) => Err(Reason::CertificateUnreadable(other.to_string())),
    }
}

/// Verifies all but the time.
fn verify(certificate: &Certificate, trust: &Trust) -> Result<(), Refused> {
    let canister = trust.canister.as_slice();
    let time = time(certificate).map_or(0, |time| time.0.into());
    certificate.verify(canister, &trust.root_key, &time, &0)
}

fn check_time(certificate: &Certificate, now: Time) -> Result<Time, Reason> {
    let made = time(certificate).ok_or(Reason::NoTime)?;
    if now.0.saturating_sub(made.0) > MAX_OFFSET {
        let age = now.seconds_since(made);
        return Err(Reason::Stale { made, age });
    }
    if made.0.saturating_sub(now.0) > MAX_OFFSET {
        let ahead = made.seconds_since(now);
        return Err(Reason::Future { made, ahead });
    }
    Ok(made)
}

fn time(certificate: &Certificate) -> Option<Time> {
    match certificate.tree.lookup_path([b"time"]) {
        LookupResult::Found(mut bytes) => leb128::read::unsigned(&mut bytes).ok().map(Time),
        _ => None,
    }
}

/// The canister's certified data in a tree that is believed, if it holds what the canister shows.
///
/// # Errors
///
/// [`Reason::OtherCanister`] or [`Reason::WitnessDiffers`].
pub fn check_certified_data(
    tree: &HashTree,
    canister: Principal,
    shown: [u8; 32],
) -> Result<(), Reason> {
    let path = [b"canister", canister.as_slice(), b"certified_data"];
    match tree.lookup_path(path) {
        LookupResult::Found(certified) if certified == shown => Ok(()),
        LookupResult::Found(certified) => Err(Reason::WitnessDiffers {
            certified: certified.to_vec(),
            shown,
        }),
        _ => Err(Reason::OtherCanister),
    }
}
