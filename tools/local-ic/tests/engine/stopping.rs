//! Stopping a canister that still works on calls.

use candid::{Decode, Encode, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, CanisterStatusType, UpdateSettingsArgs,
};
use local_ic::{Effective, ErrorCode, Ingress, IngressStatus, MessageId, Network};

use crate::{CALLER, caller, manage, pair, stranger, to, told};

fn record(canister_id: Principal) -> CanisterIdRecord {
    CanisterIdRecord { canister_id }
}

fn control(network: &mut Network, canister_id: Principal, controllers: Vec<Principal>) {
    let args = UpdateSettingsArgs {
        canister_id,
        settings: CanisterSettings {
            controllers: Some(controllers),
            ..CanisterSettings::default()
        },
        sender_canister_version: None,
    };
    manage(network, caller(), "update_settings", &args).unwrap();
}

fn submit(
    network: &mut Network,
    canister_id: Principal,
    method: &str,
    payload: Vec<u8>,
) -> MessageId {
    let ingress = Ingress {
        sender: caller(),
        canister_id,
        effective: Effective::None,
        method: method.to_owned(),
        payload,
    };
    let (id, _) = network.submit(ingress).unwrap();
    network.round();
    id
}

fn stop(network: &mut Network, canister: Principal) -> MessageId {
    let argument = Encode!(&record(canister)).unwrap();
    submit(
        network,
        Principal::management_canister(),
        "stop_canister",
        argument,
    )
}

fn status(network: &mut Network, canister: Principal) -> CanisterStatusType {
    let reply = manage(network, caller(), "canister_status", &record(canister)).unwrap();
    Decode!(&reply, ic_management_canister_types::CanisterStatusResult)
        .unwrap()
        .status
}

/// A call of the canister that it be stopped itself: it cannot be until
/// somebody starts it again.
fn stop_itself(network: &mut Network, canister: Principal) -> MessageId {
    control(network, canister, vec![caller(), canister]);
    let argument = Encode!(&record(canister)).unwrap();
    let call = to(Principal::management_canister(), "stop_canister", &argument);
    submit(network, canister, "proxy", call)
}

#[test]
fn a_stopping_canister_takes_no_calls_until_it_is_started() {
    let (mut network, one, other) = pair("");
    let own = stop_itself(&mut network, one);
    assert_eq!(
        network.ingress_status(&own),
        Some(IngressStatus::Processing)
    );
    assert_eq!(status(&mut network, one), CanisterStatusType::Stopping);
    let refused = network.update(stranger(), one, "proxy", to(other, "echo", b""));
    assert_eq!(refused.unwrap_err().error_code, ErrorCode::CanisterStopping);
    let stop = stop(&mut network, one);
    assert_eq!(
        network.ingress_status(&stop),
        Some(IngressStatus::Processing)
    );
    let not_yet = manage(&mut network, caller(), "delete_canister", &record(one));
    assert_eq!(
        not_yet.unwrap_err().error_code,
        ErrorCode::CanisterNotStopped
    );

    manage(&mut network, caller(), "start_canister", &record(one)).unwrap();
    assert_eq!(status(&mut network, one), CanisterStatusType::Running);
    let Some(IngressStatus::Done(Err(reject))) = network.ingress_status(&stop) else {
        panic!("{:?}", network.ingress_status(&stop));
    };
    assert_eq!(reject.error_code, ErrorCode::CanisterStoppingCancelled);
    let Some(IngressStatus::Done(Ok(reply))) = network.ingress_status(&own) else {
        panic!("{:?}", network.ingress_status(&own));
    };
    let (code, message) = told(&reply);
    assert_eq!(code, 5);
    assert!(message.contains("cancelled"), "{message}");
}

#[test]
fn a_canister_stops_when_its_last_call_is_answered() {
    let (mut network, one, other) = pair("");
    let mode = local_ic::InstallMode::Reinstall;
    crate::install(&mut network, other, mode, CALLER).unwrap();
    stop_itself(&mut network, other);
    control(&mut network, other, vec![caller(), one]);
    // `one` waits for `other` to stop.
    let argument = Encode!(&record(other)).unwrap();
    let call = to(Principal::management_canister(), "stop_canister", &argument);
    let waiting = submit(&mut network, one, "proxy", call);
    let stop = stop(&mut network, one);
    assert_eq!(
        network.ingress_status(&stop),
        Some(IngressStatus::Processing)
    );
    assert_eq!(status(&mut network, one), CanisterStatusType::Stopping);

    manage(&mut network, caller(), "start_canister", &record(other)).unwrap();
    let Some(IngressStatus::Done(Ok(_))) = network.ingress_status(&waiting) else {
        panic!("{:?}", network.ingress_status(&waiting));
    };
    let Some(IngressStatus::Done(Ok(_))) = network.ingress_status(&stop) else {
        panic!("{:?}", network.ingress_status(&stop));
    };
    assert_eq!(status(&mut network, one), CanisterStatusType::Stopped);
    manage(&mut network, caller(), "delete_canister", &record(one)).unwrap();
}
