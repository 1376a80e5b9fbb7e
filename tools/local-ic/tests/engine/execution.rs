//! Entry points: what is called when, and what it may do there.

use candid::Principal;
use ic_management_canister_types::CanisterIdRecord;
use local_ic::{Effective, ErrorCode, Ingress, IngressStatus, InstallMode};

use crate::{caller, install, installed, manage, number, query, stranger, update};

#[test]
fn an_argument_comes_back() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_query echo")
            (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
            (call $msg_reply_data_append (i32.const 0) (call $msg_arg_data_size))
            (call $msg_reply))"#,
    );
    let argument = b"anything".to_vec();
    let reply = network.query(caller(), canister, "echo", argument.clone());
    assert_eq!(reply.unwrap(), argument);
    assert_eq!(
        network
            .update(caller(), canister, "echo", argument.clone())
            .unwrap(),
        argument
    );
}

#[test]
fn start_and_init_run_once_and_in_order() {
    let functions = r#"
        (start $start)
        (func $append (param i32)
            (i32.store (i32.const 100) (i32.add (i32.mul (i32.load (i32.const 100)) (i32.const 10)) (local.get 0))))
        (func $start (call $append (i32.const 1)))
        (func (export "canister_init") (call $append (call $msg_arg_data_size)))
        (func (export "canister_post_upgrade") (call $append (i32.const 3)))
        (func (export "canister_update touch") (call $msg_reply))
        (func (export "canister_query seen") (call $reply32 (i32.load (i32.const 100))))"#;
    let (mut network, canister) = installed(functions);
    update(&mut network, canister, "touch").unwrap();
    assert_eq!(number(&query(&mut network, canister, "seen").unwrap()), 18);
    install(
        &mut network,
        canister,
        InstallMode::Upgrade(None),
        functions,
    )
    .unwrap();
    assert_eq!(number(&query(&mut network, canister, "seen").unwrap()), 13);
}

#[test]
fn the_start_function_may_not_ask_who_is_there() {
    let mut network = crate::network();
    let canister = network.create_canister(caller());
    let functions = "(start $start) (func $start (drop (call $time)))";
    let reject = install(&mut network, canister, InstallMode::Install, functions).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterContractViolation);
    assert!(
        reject
            .message
            .contains("\"ic0_time\" cannot be executed in start mode"),
        "{reject}"
    );
}

#[test]
fn answers_are_given_once() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update none"))
           (func (export "canister_update twice") (call $msg_reply) (call $msg_reply))
           (func (export "canister_update reject") (call $msg_reject (i32.const 0) (i32.const 4)))"#,
    );
    let code = |result: Result<Vec<u8>, local_ic::Reject>| result.unwrap_err().error_code;
    assert_eq!(
        code(update(&mut network, canister, "none")),
        ErrorCode::CanisterDidNotReply
    );
    assert_eq!(
        code(update(&mut network, canister, "twice")),
        ErrorCode::CanisterContractViolation
    );
    let reject = update(&mut network, canister, "reject").unwrap_err();
    assert_eq!(
        (reject.error_code, reject.message.as_str()),
        (ErrorCode::CanisterRejectedMessage, "text")
    );
}

#[test]
fn methods_are_found_by_name_and_kind() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update change") (call $msg_reply))
           (func (export "canister_query look") (call $msg_reply))
           (func (export "canister_composite_query gather") (call $msg_reply))"#,
    );
    let missing = update(&mut network, canister, "missing").unwrap_err();
    assert_eq!(missing.error_code, ErrorCode::CanisterMethodNotFound);
    assert_eq!(
        missing.message,
        format!("Error from Canister {canister}: Canister has no update method 'missing'.")
    );
    let not_a_query = query(&mut network, canister, "change").unwrap_err();
    assert_eq!(not_a_query.error_code, ErrorCode::CanisterMethodNotFound);
    update(&mut network, canister, "look").unwrap();
    query(&mut network, canister, "gather").unwrap();
    let replicated = update(&mut network, canister, "gather").unwrap_err();
    assert_eq!(
        replicated.error_code,
        ErrorCode::CompositeQueryCalledInReplicatedMode
    );
}

#[test]
fn messages_to_nobody_are_not_accepted() {
    let mut network = crate::network();
    let nowhere = network.default_effective_canister_id();
    let reject = update(&mut network, nowhere, "any").unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterNotFound);
    let empty = network.create_canister(caller());
    for result in [
        update(&mut network, empty, "any"),
        query(&mut network, empty, "any"),
    ] {
        assert_eq!(
            result.unwrap_err().error_code,
            ErrorCode::CanisterWasmModuleNotFound
        );
    }
}

#[test]
fn inspect_message_decides_what_is_accepted() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_inspect_message")
                (if (i32.eq (call $msg_method_name_size) (i32.const 4)) (then (unreachable)))
                (if (i32.eq (call $msg_method_name_size) (i32.const 5)) (then (call $accept_message))))
           (func (export "canister_update four") (call $msg_reply))
           (func (export "canister_update fives") (call $msg_reply))
           (func (export "canister_update three") (call $msg_reply))
           (func (export "canister_query fours") (call $msg_reply))"#,
    );
    update(&mut network, canister, "three").unwrap();
    let submit = |network: &mut local_ic::Network, method: &str| {
        network.submit(Ingress {
            sender: stranger(),
            canister_id: canister,
            effective: Effective::None,
            method: method.to_owned(),
            payload: vec![],
        })
    };
    assert_eq!(
        submit(&mut network, "four").unwrap_err().error_code,
        ErrorCode::CanisterTrapped
    );
    assert_eq!(
        submit(&mut network, "six__6").unwrap_err().error_code,
        ErrorCode::CanisterRejectedMessage
    );
    let (id, effective) = submit(&mut network, "fives").unwrap();
    assert_eq!(effective, Effective::Canister(canister));
    assert_eq!(network.ingress_sender(&id), Some(stranger()));
    assert_eq!(network.ingress_status(&id), Some(IngressStatus::Received));
    network.round();
    assert_eq!(
        network.ingress_status(&id),
        Some(IngressStatus::Done(Ok(vec![])))
    );
    query(&mut network, canister, "fours").unwrap();
}

#[test]
fn a_message_submitted_twice_under_one_name_runs_once() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update count")
            (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
            (call $reply32 (i32.load (i32.const 100))))"#,
    );
    let id = local_ic::MessageId([7; 32]);
    let ingress = Ingress {
        sender: caller(),
        canister_id: canister,
        effective: Effective::None,
        method: "count".into(),
        payload: vec![],
    };
    let expiry = network.time() + 1_000_000;
    network.submit_as(id, ingress.clone(), expiry).unwrap();
    network.submit_as(id, ingress.clone(), expiry).unwrap();
    network.round();
    let id_record = CanisterIdRecord {
        canister_id: canister,
    };
    manage(&mut network, caller(), "stop_canister", &id_record).unwrap();
    network.submit_as(id, ingress, expiry).unwrap();
    manage(&mut network, caller(), "start_canister", &id_record).unwrap();
    network.round();
    assert_eq!(number(&update(&mut network, canister, "count").unwrap()), 2);
}

#[test]
fn a_message_does_not_begin_after_its_expiry_and_is_forgotten_in_time() {
    let (mut network, canister) =
        installed(r#"(func (export "canister_update fours") (call $reply32 (i32.const 4)))"#);
    let id = local_ic::MessageId([7; 32]);
    let ingress = Ingress {
        sender: caller(),
        canister_id: canister,
        effective: Effective::None,
        method: "fours".into(),
        payload: vec![],
    };
    let expiry = network.time() + 1_000_000;
    network.submit_as(id, ingress, expiry).unwrap();
    assert_eq!(network.ingress_status(&id), Some(IngressStatus::Received));
    network.set_time(expiry).unwrap();
    network.round();
    let Some(IngressStatus::Done(Err(reject))) = network.ingress_status(&id) else {
        panic!("{:?}", network.ingress_status(&id));
    };
    assert_eq!(reject.error_code, ErrorCode::IngressMessageTimeout);

    let five_minutes = 300_000_000_000;
    network.set_time(expiry + five_minutes).unwrap();
    network.round();
    assert_eq!(network.ingress_status(&id), None);
}

#[test]
fn a_timer_fires_once_when_due_and_heartbeats_every_round() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_init")
                (drop (call $global_timer_set (i64.add (call $time) (i64.const 1000)))))
           (func $count (param i32) (i32.store8 (local.get 0) (i32.add (i32.load8_u (local.get 0)) (i32.const 1))))
           (func (export "canister_global_timer") (call $count (i32.const 100)))
           (func (export "canister_heartbeat") (call $count (i32.const 101)))
           (func (export "canister_query seen") (call $reply32 (i32.load16_u (i32.const 100))))"#,
    );
    let seen = |network: &mut local_ic::Network| {
        let seen = number(&query(network, canister, "seen").unwrap());
        (seen % 256, seen / 256)
    };
    network.round();
    assert_eq!(seen(&mut network), (0, 1));
    network.set_time(network.time() + 1000).unwrap();
    network.round();
    network.round();
    assert_eq!(seen(&mut network), (1, 3));
}

#[test]
fn time_stands_still_in_a_message_and_never_goes_back() {
    let (mut network, canister) =
        installed(r#"(func (export "canister_update now") (call $reply64 (call $time)))"#);
    let start = network.time();
    assert_eq!(
        number(&update(&mut network, canister, "now").unwrap()),
        start + 1
    );
    let error = network.set_time(start).unwrap_err();
    assert_eq!((error.now, error.wanted), (start + 1, start));
    network.set_time(start + 1).unwrap();
}

#[test]
fn the_environment_is_what_settings_say() {
    use ic_management_canister_types::{CanisterSettings, EnvironmentVariable, UpdateSettingsArgs};

    let (mut network, canister) = installed(
        r#"(func (export "canister_query value")
                (call $env_var_value_copy (i32.const 0) (i32.const 4) (i32.const 50) (i32.const 0)
                    (call $env_var_value_size (i32.const 0) (i32.const 4)))
                (call $msg_reply_data_append (i32.const 50) (call $env_var_value_size (i32.const 0) (i32.const 4)))
                (call $msg_reply))
           (func (export "canister_query controls")
                (call $msg_caller_copy (i32.const 50) (i32.const 0) (call $msg_caller_size))
                (call $reply32 (call $is_controller (i32.const 50) (call $msg_caller_size))))
           (func (export "canister_query replicated") (call $reply32 (call $in_replicated_execution)))
           (func (export "canister_query version") (call $reply64 (call $canister_version)))"#,
    );
    let version = number(&query(&mut network, canister, "version").unwrap());
    let error = query(&mut network, canister, "value").unwrap_err();
    assert!(
        error.message.contains("no environment variable 'text'"),
        "{error}"
    );
    let settings = CanisterSettings {
        environment_variables: Some(vec![EnvironmentVariable {
            name: "text".into(),
            value: "value".into(),
        }]),
        ..CanisterSettings::default()
    };
    let args = UpdateSettingsArgs {
        canister_id: canister,
        settings,
        sender_canister_version: None,
    };
    manage(&mut network, caller(), "update_settings", &args).unwrap();
    assert_eq!(query(&mut network, canister, "value").unwrap(), b"value");
    assert_eq!(
        number(&query(&mut network, canister, "version").unwrap()),
        version + 1
    );
    let controls = |network: &mut local_ic::Network, who: Principal| {
        number(&network.query(who, canister, "controls", vec![]).unwrap())
    };
    assert_eq!(controls(&mut network, caller()), 1);
    assert_eq!(controls(&mut network, stranger()), 0);
    assert_eq!(
        number(&query(&mut network, canister, "replicated").unwrap()),
        0
    );
    assert_eq!(
        number(&update(&mut network, canister, "replicated").unwrap()),
        1
    );
}

#[test]
fn what_is_not_supported_says_so() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update sign")
                (drop (call $cost_sign_with_ecdsa (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 50))))"#,
    );
    let reject = update(&mut network, canister, "sign").unwrap_err();
    assert!(
        reject
            .message
            .contains("ic0.cost_sign_with_ecdsa is not supported by local-ic"),
        "{reject}"
    );
}

#[test]
fn traps_are_told_apart() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update divide") (drop (i32.div_u (i32.const 1) (i32.load (i32.const 500)))))
           (func (export "canister_update beyond") (drop (i32.load (i32.const 65536))))
           (func (export "canister_update stable") (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 1)))
           (func (export "canister_update append") (call $msg_reply_data_append (i32.const 65535) (i32.const 2)))
           (func $deep (call $deep))
           (func (export "canister_update deep") (call $deep))"#,
    );
    for (method, what) in [
        ("divide", "integer division by 0"),
        ("beyond", "heap out of bounds"),
        ("append", "heap out of bounds"),
        ("stable", "stable memory out of bounds"),
        ("deep", "stack overflow"),
    ] {
        let reject = update(&mut network, canister, method).unwrap_err();
        assert_eq!(reject.error_code, ErrorCode::CanisterTrapped);
        assert!(
            reject
                .message
                .ends_with(&format!("Canister trapped: {what}.")),
            "{reject}"
        );
    }
}

#[test]
fn many_networks_live_side_by_side() {
    let (mut one, in_one) =
        installed(r#"(func (export "canister_update m") (call $reply64 (call $time)))"#);
    let handle = std::thread::spawn(move || update(&mut one, in_one, "m").unwrap());
    let (mut other, in_other) =
        installed(r#"(func (export "canister_update m") (call $reply64 (call $time)))"#);
    assert_eq!(
        update(&mut other, in_other, "m").unwrap(),
        handle.join().unwrap()
    );
}
