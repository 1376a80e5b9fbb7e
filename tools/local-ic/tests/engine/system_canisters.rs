//! The system canisters that deployment tools call.

use candid::{CandidType, Decode, Encode, Nat, Principal};
use ic_management_canister_types::CanisterSettings;
use local_ic::{Config, ErrorCode, Network, Reject, SubnetKind};
use serde::Deserialize;

use crate::{caller, stranger};

const CYCLES_MINTING: &str = "rkp4c-7iaaa-aaaaa-aaaca-cai";
const CYCLES_LEDGER: &str = "um5iw-rqaaa-aaaaq-qaaba-cai";
const ICP_LEDGER: &str = "ryjl3-tyaaa-aaaaa-aaaba-cai";

#[derive(CandidType)]
struct Creation {
    amount: Nat,
    creation_args: Option<CreationArgs>,
}

#[derive(CandidType)]
struct CreationArgs {
    subnet_selection: Option<SubnetSelection>,
    settings: Option<CanisterSettings>,
}

#[derive(CandidType)]
enum SubnetSelection {
    Subnet { subnet: Principal },
    Filter { subnet_type: Option<String> },
}

#[derive(CandidType, Deserialize, Debug)]
enum Created {
    Ok {
        block_id: Nat,
        canister_id: Principal,
    },
    Err(CreationError),
}

#[derive(CandidType, Deserialize, Debug)]
enum CreationError {
    FailedToCreate { error: String },
}

fn network(system_canisters: bool) -> Network {
    let subnets = [SubnetKind::Nns, SubnetKind::Ii, SubnetKind::Application];
    Network::new(Config {
        system_canisters,
        ..Config::new(subnets)
    })
    .unwrap()
}

fn call(
    network: &mut Network,
    canister: &str,
    method: &str,
    argument: &impl CandidType,
) -> Result<Vec<u8>, Reject> {
    let canister = Principal::from_text(canister).unwrap();
    network.update(caller(), canister, method, Encode!(argument).unwrap())
}

fn create(network: &mut Network, creation: &Creation) -> Created {
    let reply = call(network, CYCLES_LEDGER, "create_canister", creation).unwrap();
    Decode!(&reply, Created).unwrap()
}

#[test]
fn the_cycles_ledger_creates_canisters_as_asked() {
    let mut network = network(true);
    let [nns, _, application] = network.subnets() else {
        panic!("{:?}", network.subnets());
    };
    let (nns, application) = (nns.id, application.id);
    let amount = || Nat::from(2_000_000u32);
    let plain = Creation {
        amount: amount(),
        creation_args: None,
    };
    let Created::Ok {
        block_id,
        canister_id,
    } = create(&mut network, &plain)
    else {
        panic!("a canister is created without being asked how");
    };
    assert_eq!(block_id, 0u8);
    assert_eq!(network.subnet_of(canister_id), Some(application));
    assert_eq!(network.controllers(canister_id), Some(vec![caller()]));
    assert_eq!(network.cycles(canister_id), Some(2_000_000));

    let elsewhere = Creation {
        amount: amount(),
        creation_args: Some(CreationArgs {
            subnet_selection: Some(SubnetSelection::Subnet { subnet: nns }),
            settings: Some(CanisterSettings {
                controllers: Some(vec![stranger()]),
                ..CanisterSettings::default()
            }),
        }),
    };
    let Created::Ok {
        block_id,
        canister_id,
    } = create(&mut network, &elsewhere)
    else {
        panic!("a canister is created on the subnet asked for");
    };
    assert_eq!(block_id, 1u8);
    assert_eq!(network.subnet_of(canister_id), Some(nns));
    assert_eq!(network.controllers(canister_id), Some(vec![stranger()]));
}

#[test]
fn a_canister_that_cannot_be_created_is_not() {
    let mut network = network(true);
    let unknown = SubnetSelection::Subnet { subnet: caller() };
    let fiduciary = SubnetSelection::Filter {
        subnet_type: Some("fiduciary".to_owned()),
    };
    let selections = [
        (unknown, "there is no subnet"),
        (fiduciary, "not supported by local-ic: subnets of the type"),
    ];
    for (selection, reason) in selections {
        let creation = Creation {
            amount: Nat::from(1u8),
            creation_args: Some(CreationArgs {
                subnet_selection: Some(selection),
                settings: None,
            }),
        };
        match create(&mut network, &creation) {
            Created::Err(CreationError::FailedToCreate { error }) => {
                assert!(error.contains(reason), "{error}");
            }
            created => panic!("{created:?}"),
        }
    }
    let reject = call(&mut network, CYCLES_LEDGER, "create_canister", &7u8).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterCalledTrap);
}

#[test]
fn tokens_and_cycles_are_transferred_for_nothing() {
    #[derive(CandidType, Deserialize, Debug)]
    enum Transferred<Block> {
        Ok(Block),
    }
    #[derive(CandidType)]
    struct Tokens {
        e8s: u64,
    }
    #[derive(CandidType)]
    struct Transfer<Amount> {
        to: Vec<u8>,
        amount: Amount,
    }

    let mut network = network(true);
    let cycles = Transfer {
        to: vec![1],
        amount: Nat::from(5u8),
    };
    for (block, ledger) in [(0u8, CYCLES_LEDGER), (1, ICP_LEDGER)] {
        let reply = call(&mut network, ledger, "icrc1_transfer", &cycles).unwrap();
        let Transferred::Ok(written) = Decode!(&reply, Transferred<Nat>).unwrap();
        assert_eq!(written, block);
    }
    let icp = Transfer {
        to: vec![1],
        amount: Tokens { e8s: 5 },
    };
    let reply = call(&mut network, ICP_LEDGER, "transfer", &icp).unwrap();
    let Transferred::Ok(written) = Decode!(&reply, Transferred<u64>).unwrap();
    assert_eq!(written, 2);
    assert!(call(&mut network, ICP_LEDGER, "transfer", &()).is_err());
}

#[test]
fn canisters_are_created_on_the_application_subnet_by_default() {
    let mut network = network(true);
    let minting = Principal::from_text(CYCLES_MINTING).unwrap();
    let application = network.subnets()[2].id;
    let nothing = Encode!().unwrap();
    let reply = network.query(stranger(), minting, "get_default_subnets", nothing);
    let subnets = Decode!(&reply.unwrap(), Vec<Principal>).unwrap();
    assert_eq!(subnets, [application]);
    let reply = call(&mut network, CYCLES_MINTING, "get_default_subnets", &());
    assert_eq!(Decode!(&reply.unwrap(), Vec<Principal>).unwrap(), subnets);
}

#[test]
fn what_they_do_not_have_is_a_method_that_is_missing() {
    let mut network = network(true);
    let reject = call(&mut network, CYCLES_LEDGER, "icrc1_balance_of", &()).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterMethodNotFound);
    assert_eq!(
        reject.message,
        "not supported by local-ic: the method 'icrc1_balance_of' of the CyclesLedger canister"
    );
    let ledger = Principal::from_text(CYCLES_LEDGER).unwrap();
    let reject = network.query(caller(), ledger, "icrc1_transfer", vec![]);
    assert_eq!(
        reject.unwrap_err().error_code,
        ErrorCode::CanisterMethodNotFound
    );
}

#[test]
fn a_network_without_them_has_none() {
    let mut network = network(false);
    let reject = call(&mut network, CYCLES_MINTING, "get_default_subnets", &()).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterNotFound);
}
