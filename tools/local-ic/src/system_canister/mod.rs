//! Canisters of the system that deployment tools call, as code of this crate.
//!
//! | canister | methods |
//! | --- | --- |
//! | cycles minting canister | `get_default_subnets` |
//! | cycles ledger | `create_canister`, `icrc1_transfer` |
//! | ICP ledger | `transfer`, `icrc1_transfer` |
//!
//! They do what a developer's network needs and keep no books: everybody has
//! as many cycles and tokens as they spend, and no balance can be asked for.
//! What else these canisters have on the Internet Computer is missing here, and
//! calls to it are rejected as calls to methods that do not exist.

mod creation;

use candid::{CandidType, Decode, Encode, Nat, Principal};
use serde::Deserialize;

use crate::network::{Call, Effective, Ingress, Network};
use crate::{ErrorCode, Reject};

/// What the canisters of the system remember.
#[derive(Debug, Default)]
pub(crate) struct SystemState {
    /// How many blocks the ledgers have.
    blocks: u64,
}

/// A canister of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SystemCanister {
    CyclesMinting,
    CyclesLedger,
    IcpLedger,
}

/// The methods there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    DefaultSubnets,
    CreateCanister,
    /// Of the token standard ICRC-1.
    IcrcTransfer,
    /// Of the ICP ledger, which is older than the standard.
    IcpTransfer,
}

impl SystemCanister {
    /// The canister that has this id on the Internet Computer.
    pub(crate) fn of(id: Principal) -> Option<Self> {
        match id.as_slice() {
            [0, 0, 0, 0, 0, 0, 0, 2, 1, 1] => Some(Self::IcpLedger),
            [0, 0, 0, 0, 0, 0, 0, 4, 1, 1] => Some(Self::CyclesMinting),
            [0, 0, 0, 0, 2, 0x10, 0, 2, 1, 1] => Some(Self::CyclesLedger),
            _ => None,
        }
    }

    fn method(self, name: &str) -> Result<Method, Reject> {
        Ok(match (self, name) {
            (Self::CyclesMinting, "get_default_subnets") => Method::DefaultSubnets,
            (Self::CyclesLedger, "create_canister") => Method::CreateCanister,
            (Self::CyclesLedger | Self::IcpLedger, "icrc1_transfer") => Method::IcrcTransfer,
            (Self::IcpLedger, "transfer") => Method::IcpTransfer,
            _ => {
                return Err(Reject::new(
                    ErrorCode::CanisterMethodNotFound,
                    format!(
                        "not supported by local-ic: the method '{name}' of the {self:?} canister"
                    ),
                ));
            }
        })
    }
}

/// Whether to accept a call from outside.
pub(crate) fn filter(canister: SystemCanister, ingress: &Ingress) -> Result<Effective, Reject> {
    canister.method(&ingress.method)?;
    Ok(Effective::Canister(ingress.canister_id))
}

/// Executes a call.
pub(crate) fn execute(
    network: &mut Network,
    canister: SystemCanister,
    call: &Call,
) -> Result<Vec<u8>, Reject> {
    match canister.method(&call.method)? {
        Method::DefaultSubnets => default_subnets(network),
        Method::CreateCanister => creation::create(network, call.caller, &call.argument),
        Method::IcrcTransfer => {
            decode::<Transfer<Nat>>(&call.argument)?;
            encode(&Transferred::Ok(Nat::from(next_block(network))))
        }
        Method::IcpTransfer => {
            decode::<Transfer<Tokens>>(&call.argument)?;
            encode(&Transferred::Ok(next_block(network)))
        }
    }
}

/// Answers a query.
pub(crate) fn query(
    network: &Network,
    canister: SystemCanister,
    method: &str,
) -> Result<Vec<u8>, Reject> {
    match canister.method(method)? {
        Method::DefaultSubnets => default_subnets(network),
        Method::CreateCanister | Method::IcrcTransfer | Method::IcpTransfer => Err(Reject::new(
            ErrorCode::CanisterMethodNotFound,
            format!("the method '{method}' of the {canister:?} canister is no query"),
        )),
    }
}

/// What every transfer says; the rest is nobody's concern here.
#[derive(CandidType, Deserialize)]
struct Transfer<Amount> {
    amount: Amount,
}

#[derive(CandidType, Deserialize)]
struct Tokens {
    e8s: u64,
}

#[derive(CandidType)]
enum Transferred<Block> {
    Ok(Block),
}

fn default_subnets(network: &Network) -> Result<Vec<u8>, Reject> {
    encode(&[network.subnets()[network.default_subnet()].id])
}

/// The index of a block that is written now.
fn next_block(network: &mut Network) -> u64 {
    let Some(state) = &mut network.system else {
        return 0;
    };
    let block = state.blocks;
    state.blocks += 1;
    block
}

fn decode<T: CandidType + for<'de> Deserialize<'de>>(payload: &[u8]) -> Result<T, Reject> {
    Decode!(payload, T).map_err(|error| {
        Reject::new(
            ErrorCode::CanisterCalledTrap,
            format!("failed to decode call arguments: {error:#}"),
        )
    })
}

fn encode<T: CandidType>(value: &T) -> Result<Vec<u8>, Reject> {
    Encode!(value).map_err(|error| Reject::new(ErrorCode::CanisterCalledTrap, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_internet_computer() {
        for (id, canister) in [
            (
                "ryjl3-tyaaa-aaaaa-aaaba-cai",
                Some(SystemCanister::IcpLedger),
            ),
            (
                "rkp4c-7iaaa-aaaaa-aaaca-cai",
                Some(SystemCanister::CyclesMinting),
            ),
            (
                "um5iw-rqaaa-aaaaq-qaaba-cai",
                Some(SystemCanister::CyclesLedger),
            ),
            ("aaaaa-aa", None),
        ] {
            assert_eq!(
                SystemCanister::of(Principal::from_text(id).unwrap()),
                canister
            );
        }
    }
}
