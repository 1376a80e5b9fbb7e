//! How tools create canisters: through the cycles ledger, which pays for them.

use candid::{CandidType, Nat, Principal};
use ic_management_canister_types::CanisterSettings;
use serde::Deserialize;

use super::{decode, encode, next_block};
use crate::Reject;
use crate::canister::Settings;
use crate::network::Network;

#[derive(CandidType, Deserialize)]
struct CreateCanisterArgs {
    amount: Nat,
    creation_args: Option<CreationArgs>,
}

#[derive(CandidType, Deserialize)]
struct CreationArgs {
    subnet_selection: Option<SubnetSelection>,
    settings: Option<CanisterSettings>,
}

#[derive(CandidType, Deserialize)]
enum SubnetSelection {
    Filter { subnet_type: Option<String> },
    Subnet { subnet: Principal },
}

#[derive(CandidType)]
enum CreateCanisterResult {
    Ok {
        block_id: Nat,
        canister_id: Principal,
    },
    Err(CreateCanisterError),
}

#[derive(CandidType)]
enum CreateCanisterError {
    FailedToCreate {
        error: String,
        fee_block: Option<Nat>,
        refund_block: Option<Nat>,
    },
}

/// `create_canister` of the cycles ledger. The canister gets all of `amount`.
pub(super) fn create(
    network: &mut Network,
    sender: Principal,
    payload: &[u8],
) -> Result<Vec<u8>, Reject> {
    let args: CreateCanisterArgs = decode(payload)?;
    encode(&match try_create(network, sender, args) {
        Ok(canister_id) => CreateCanisterResult::Ok {
            block_id: next_block(network).into(),
            canister_id,
        },
        Err(error) => CreateCanisterResult::Err(CreateCanisterError::FailedToCreate {
            error,
            fee_block: None,
            refund_block: None,
        }),
    })
}

fn try_create(
    network: &mut Network,
    sender: Principal,
    args: CreateCanisterArgs,
) -> Result<Principal, String> {
    let cycles = u128::try_from(args.amount.0).map_err(|_| "there are not that many cycles")?;
    let (selection, settings) = match args.creation_args {
        Some(args) => (args.subnet_selection, args.settings),
        None => (None, None),
    };
    let subnet = match selection {
        None | Some(SubnetSelection::Filter { subnet_type: None }) => network.default_subnet(),
        Some(SubnetSelection::Filter {
            subnet_type: Some(name),
        }) => {
            return Err(format!(
                "not supported by local-ic: subnets of the type {name}"
            ));
        }
        Some(SubnetSelection::Subnet { subnet }) => network
            .subnets()
            .iter()
            .position(|known| known.id == subnet)
            .ok_or_else(|| format!("there is no subnet {subnet}"))?,
    };
    let settings = Settings::of(sender).with(settings.unwrap_or_default())?;
    network
        .add_canister(subnet, None, settings, cycles)
        .ok_or_else(|| "the subnet has no canister id left".to_owned())
}
