//! Calls between canisters: answers, rejects, what is kept and what is not.

use candid::{Decode, Encode, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInfoArgs, CanisterInfoResult, ChunkHash,
};
use local_ic::{Effective, ErrorCode, Ingress, IngressStatus, MessageId, Network, Reject};

use crate::{caller, install, installed, manage, number, pair, query, stranger, to, told, update};

fn ask(
    network: &mut Network,
    canister: Principal,
    method: &str,
    argument: Vec<u8>,
) -> Result<Vec<u8>, Reject> {
    network.update(caller(), canister, method, argument)
}

fn submit(network: &mut Network, canister: Principal, method: &str, payload: Vec<u8>) -> MessageId {
    let ingress = Ingress {
        sender: caller(),
        canister_id: canister,
        effective: Effective::None,
        method: method.to_owned(),
        payload,
    };
    network.submit(ingress).unwrap().0
}

#[test]
fn what_another_canister_replies_comes_back_within_the_round() {
    let (mut network, one, other) = pair("");
    for method in ["echo", "look"] {
        let message = submit(&mut network, one, "proxy", to(other, method, b"anything"));
        network.round();
        assert_eq!(
            network.ingress_status(&message),
            Some(IngressStatus::Done(Ok(b"anything".to_vec()))),
            "{method}"
        );
    }
    let reply = ask(&mut network, one, "proxy", to(other, "who", b""));
    assert_eq!(reply.unwrap(), one.as_slice());
}

#[test]
fn a_chain_through_oneself_is_a_call_like_others() {
    let (mut network, one, other) = pair("");
    let mut call = to(other, "echo", b"deep");
    for _ in 0..5 {
        call = to(one, "proxy", &call);
    }
    assert_eq!(ask(&mut network, one, "proxy", call).unwrap(), b"deep");
}

#[test]
fn rejects_say_who_is_to_blame() {
    let (mut network, one, other) = pair("");
    let nobody = Principal::from_slice(&[9; 10]);
    let empty = network.create_canister(caller());
    let stopped = network.create_canister(caller());
    install(
        &mut network,
        stopped,
        local_ic::InstallMode::Install,
        crate::CALLEE,
    )
    .unwrap();
    let record = CanisterIdRecord {
        canister_id: stopped,
    };
    manage(&mut network, caller(), "stop_canister", &record).unwrap();
    let management = Principal::management_canister();
    for (callee, method, code, what) in [
        (nobody, "echo", 3, "not found"),
        (other, "refuse", 4, "text"),
        (other, "fail", 5, "with message: 'text'"),
        (other, "silence", 5, "did not reply"),
        (other, "missing", 5, "no update method 'missing'"),
        (other, "gather", 5, "in replicated mode"),
        (empty, "echo", 5, "no Wasm module"),
        (stopped, "echo", 5, "is stopped"),
        (management, "missing", 5, "no method 'missing'"),
        (management, "http_request", 4, "not supported by local-ic"),
        (management, "start_canister", 4, "Error decoding candid"),
    ] {
        let reply = ask(&mut network, one, "proxy", to(callee, method, b"")).unwrap();
        let (told, message) = told(&reply);
        assert_eq!(told, code, "{method}: {message}");
        assert!(message.contains(what), "{method}: {message}");
    }
}

#[test]
fn calls_are_made_by_messages_that_succeed_and_in_their_order() {
    let (mut network, one, other) = pair(
        r#"
        (func $digits
            (call $call (i32.const 3) (i32.const 3)) (call $send)
            (call $call (i32.const 3) (i32.const 3)) (call $call_data_append (i32.const 0) (i32.const 4))
            (call $call (i32.const 3) (i32.const 3)) (call $send)
            (call $msg_reply))
        (func (export "canister_update digits") (call $digits))
        (func (export "canister_update digits_in_vain") (call $digits) (unreachable))"#,
    );
    for (digit, seen) in [(b"1", 11), (b"2", 1122)] {
        ask(&mut network, one, "digits", to(other, "digit", digit)).unwrap();
        assert_eq!(number(&query(&mut network, other, "number").unwrap()), seen);
        let failed = ask(
            &mut network,
            one,
            "digits_in_vain",
            to(other, "digit", digit),
        );
        assert_eq!(failed.unwrap_err().error_code, ErrorCode::CanisterTrapped);
        assert_eq!(number(&query(&mut network, other, "number").unwrap()), seen);
    }
}

#[test]
fn a_call_is_answered_once_and_may_go_on_after_that() {
    let (mut network, one, other) = pair(
        r#"
        (func (export "canister_update reply_first")
            (call $call (i32.const 0) (i32.const 1)) (call $call_on_cleanup (i32.const 4) (i32.const 5)) (call $send)
            (call $reply32 (i32.const 1)))
        (func (export "canister_update twice") (call $msg_reply) (call $msg_reply))
        (func (export "canister_query cleaned") (call $reply32 (i32.load (i32.const 104))))"#,
    );
    let reply = ask(&mut network, one, "reply_first", to(other, "digit", b"1"));
    assert_eq!(number(&reply.unwrap()), 1);
    // The callback replied again and trapped.
    assert_eq!(number(&query(&mut network, other, "number").unwrap()), 1);
    assert_eq!(number(&query(&mut network, one, "cleaned").unwrap()), 5);
    let twice = update(&mut network, one, "twice").unwrap_err();
    assert_eq!(twice.error_code, ErrorCode::CanisterContractViolation);
}

#[test]
fn silence_at_the_end_is_a_failure() {
    let (mut network, one, other) = pair(
        r#"(func (export "canister_update silent")
            (call $call (i32.const 3) (i32.const 3)) (call $send)
            (call $call (i32.const 3) (i32.const 3)) (call $send))"#,
    );
    let reject = ask(&mut network, one, "silent", to(other, "digit", b"1")).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterDidNotReply);
    assert!(reject.message.contains(&one.to_text()), "{reject}");
    assert_eq!(number(&query(&mut network, other, "number").unwrap()), 11);
}

#[test]
fn a_callback_that_traps_is_undone_alone_and_cleaned_up_after() {
    let (mut network, one, other) = pair(
        r#"
        (func (export "canister_update trapping")
            (call $count (i32.const 100))
            (call $call (i32.const 2) (i32.const 2)) (call $call_on_cleanup (i32.const 4) (i32.const 5)) (call $send))
        (func (export "canister_update cleaning_fails")
            (call $call (i32.const 2) (i32.const 2)) (call $call_on_cleanup (i32.const 2) (i32.const 5)) (call $send))
        (func (export "canister_update one_of_two")
            (call $call (i32.const 2) (i32.const 2)) (call $send)
            (call $call (i32.const 0) (i32.const 1)) (call $send))
        (func (export "canister_query seen") (call $reply64 (i64.load (i32.const 100))))"#,
    );
    let seen = |network: &mut Network| {
        let seen = number(&query(network, one, "seen").unwrap());
        (seen & 0xffff_ffff, seen >> 32)
    };
    for (round, method) in [(1, "echo"), (2, "fail")] {
        let reject = ask(&mut network, one, "trapping", to(other, method, b"")).unwrap_err();
        assert_eq!(reject.error_code, ErrorCode::CanisterTrapped, "{reject}");
        assert!(reject.message.contains(&one.to_text()), "{reject}");
        assert_eq!(seen(&mut network), (round, 5 * round));
    }
    let reject = ask(&mut network, one, "cleaning_fails", to(other, "echo", b"")).unwrap_err();
    assert!(
        reject.message.contains("call_on_cleanup also failed"),
        "{reject}"
    );
    assert_eq!(seen(&mut network), (2, 10));
    // Another call may still bring the answer.
    let reply = ask(&mut network, one, "one_of_two", to(other, "echo", b"1"));
    assert_eq!(reply.unwrap(), b"1");
}

#[test]
fn callbacks_have_to_be_functions_of_the_table() {
    let (mut network, one, other) = pair(
        r#"(func (export "canister_update beyond") (call $call (i32.const 99) (i32.const 99)) (call $send))"#,
    );
    let reject = ask(&mut network, one, "beyond", to(other, "echo", b"")).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterFunctionNotFound);
}

#[test]
fn what_a_callback_may_not_do_is_a_violation() {
    let (mut network, one, other) = pair(
        r#"
        (func (export "canister_query query_that_calls") (call $call (i32.const 0) (i32.const 0)))
        (func (export "canister_update no_reject") (drop (call $msg_reject_code)))
        (func (export "canister_update no_call") (drop (call $call_perform)))
        (func (export "canister_update two_cleanups")
            (call $call (i32.const 0) (i32.const 0))
            (call $call_on_cleanup (i32.const 4) (i32.const 0))
            (call $call_on_cleanup (i32.const 4) (i32.const 0)))"#,
    );
    for method in ["query_that_calls", "no_reject", "no_call", "two_cleanups"] {
        let reject = ask(&mut network, one, method, to(other, "echo", b"")).unwrap_err();
        assert_eq!(
            reject.error_code,
            ErrorCode::CanisterContractViolation,
            "{reject}"
        );
    }
}

#[test]
fn a_deadline_is_told_to_the_callee() {
    let (mut network, one, other) = pair(
        r#"
        (func (export "canister_update briefly")
            (call $call (i32.const 0) (i32.const 1)) (call $call_with_best_effort_response (i32.const 10)) (call $send))
        (func (export "canister_update long")
            (call $call (i32.const 0) (i32.const 1)) (call $call_with_best_effort_response (i32.const 1000)) (call $send))"#,
    );
    for (method, seconds) in [("briefly", 10), ("long", 300)] {
        let deadline = ask(&mut network, one, method, to(other, "until", b"")).unwrap();
        assert_eq!(number(&deadline), network.time() + seconds * 1_000_000_000);
    }
    let none = ask(&mut network, one, "proxy", to(other, "until", b"")).unwrap();
    assert_eq!(number(&none), 0);
}

#[test]
fn what_never_ends_leaves_rounds_to_others() {
    let (mut network, canister) = installed(
        r#"
        (table funcref (elem $again))
        (func $call
            (call $canister_self_copy (i32.const 2000) (i32.const 0) (call $canister_self_size))
            (call $call_new (i32.const 2000) (call $canister_self_size) (i32.const 0) (i32.const 4)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (drop (call $call_perform)))
        (func $again (param i32) (call $call))
        (func (export "canister_update text") (call $msg_reply))
        (func (export "canister_update forever") (call $call))"#,
    );
    let message = submit(&mut network, canister, "forever", vec![]);
    assert_eq!(
        network.ingress_status(&message),
        Some(IngressStatus::Received)
    );
    network.round();
    assert_eq!(
        network.ingress_status(&message),
        Some(IngressStatus::Processing)
    );
    update(&mut network, canister, "text").unwrap();
    let record = CanisterIdRecord {
        canister_id: canister,
    };
    manage(&mut network, caller(), "uninstall_code", &record).unwrap();
    let Some(IngressStatus::Done(Err(reject))) = network.ingress_status(&message) else {
        panic!("{:?}", network.ingress_status(&message));
    };
    assert_eq!(reject.error_code, ErrorCode::CanisterRejectedMessage);
    assert_eq!(reject.message, "Canister has been uninstalled.");
    // What is still on its way finds no code, and nothing after that.
    network.round();
    manage(&mut network, caller(), "stop_canister", &record).unwrap();
    manage(&mut network, caller(), "delete_canister", &record).unwrap();
}

#[test]
fn the_counter_of_a_call_goes_on_in_its_callbacks() {
    let (mut network, one, other) = pair(
        r#"
        (func $counters (param i32)
            (i64.store (i32.const 3000) (call $performance_counter (i32.const 0)))
            (i64.store (i32.const 3008) (call $performance_counter (i32.const 1)))
            (call $msg_reply_data_append (i32.const 3000) (i32.const 16)) (call $msg_reply))
        (elem (i32.const 0) $counters)
        (func (export "canister_update counters") (call $call (i32.const 0) (i32.const 0)) (call $send))"#,
    );
    let mut ask = |method| {
        let reply = ask(&mut network, one, "counters", to(other, method, b"")).unwrap();
        let bill = network.last_execution();
        (number(&reply[..8]), number(&reply[8..]), bill)
    };
    let (message, call, bill) = ask("echo");
    assert!(message < bill.instructions, "{message} {bill:?}");
    // At least what call_new, call_data_append and call_perform charge.
    assert!(call > message + 7_000, "{call} {message}");
    // The callee's work is not the caller's.
    assert_eq!(call, ask("look").1);
}

#[test]
fn canisters_ask_the_management_canister() {
    let (mut network, one, other) = pair("");
    let management = Principal::management_canister();
    let mut random = || {
        let reply = ask(
            &mut network,
            one,
            "proxy",
            to(management, "raw_rand", &Encode!().unwrap()),
        );
        Decode!(&reply.unwrap(), Vec<u8>).unwrap()
    };
    let (first, second) = (random(), random());
    assert_eq!((first.len(), second.len()), (32, 32));
    assert_ne!(first, second);

    let args = CanisterInfoArgs {
        canister_id: other,
        num_requested_changes: None,
    };
    let args = Encode!(&args).unwrap();
    let reply = ask(
        &mut network,
        one,
        "proxy",
        to(management, "canister_info", &args),
    );
    let info = Decode!(&reply.unwrap(), CanisterInfoResult).unwrap();
    assert_eq!(info.controllers, [caller()]);
    assert_eq!(
        info.module_hash,
        network.module_hash(other).map(|hash| hash.to_vec())
    );

    // As anybody, a canister manages only what it controls, but it may keep
    // chunks of modules.
    let mut about = |canister_id, method| {
        let record = Encode!(&CanisterIdRecord { canister_id }).unwrap();
        ask(&mut network, one, "proxy", to(management, method, &record)).unwrap()
    };
    let (code, message) = told(&about(other, "stop_canister"));
    assert_eq!(code, 5);
    assert!(message.contains("Only controllers"), "{message}");
    let chunks = Decode!(&about(one, "stored_chunks"), Vec<ChunkHash>);
    assert_eq!(chunks.unwrap(), []);
    let (code, _) = told(&about(other, "stored_chunks"));
    assert_eq!(code, 5);
}

#[test]
fn whoever_calls_is_the_caller_of_the_callbacks_too() {
    let (mut network, one, other) = pair(
        r#"
        (func $who (param i32)
            (call $msg_caller_copy (i32.const 3000) (i32.const 0) (call $msg_caller_size))
            (call $msg_reply_data_append (i32.const 3000) (call $msg_caller_size)) (call $msg_reply))
        (elem (i32.const 0) $who)
        (func (export "canister_update ask") (call $call (i32.const 0) (i32.const 0)) (call $send))"#,
    );
    let reply = network.update(stranger(), one, "ask", to(other, "echo", b""));
    assert_eq!(reply.unwrap(), stranger().as_slice());
}
