//! Composite queries: queries that ask other canisters.

use candid::Principal;
use local_ic::{Config, ErrorCode, InstallMode, Network, Reject, SubnetKind};

use crate::{CALLER, caller, install, number, pair, query, to, told};

const GATHERER: &str = r#"
    (func (export "canister_composite_query ask") (call $call (i32.const 0) (i32.const 1)) (call $send))
    ;; Counts before and in the callback, and replies with the count.
    (func $counted (param i32) (call $count (i32.const 100)) (call $reply32 (i32.load (i32.const 100))))
    (elem (i32.const 3) $counted)
    (func (export "canister_composite_query count")
        (call $count (i32.const 100)) (call $call (i32.const 3) (i32.const 3)) (call $send))
    (func (export "canister_composite_query failing")
        (call $call (i32.const 2) (i32.const 2)) (call $call_on_cleanup (i32.const 4) (i32.const 1)) (call $send))
    (func (export "canister_composite_query second_chance")
        (call $call (i32.const 2) (i32.const 2)) (call $call_on_cleanup (i32.const 4) (i32.const 1)) (call $send)
        (call $call (i32.const 0) (i32.const 1)) (call $send))
    (func (export "canister_composite_query paying")
        (call $call (i32.const 0) (i32.const 1)) (call $call_cycles_add128 (i64.const 0) (i64.const 1)))
    (func (export "canister_composite_query silent"))
    (func (export "canister_query counter") (call $reply32 (i32.load (i32.const 100))))
    (func (export "canister_query certified") (call $reply32 (call $data_certificate_present)))
"#;

fn ask(
    network: &mut Network,
    canister: Principal,
    method: &str,
    argument: Vec<u8>,
) -> Result<Vec<u8>, Reject> {
    network.query(caller(), canister, method, argument)
}

#[test]
fn a_composite_query_asks_others() {
    let (mut network, one, other) = pair(GATHERER);
    for method in ["look", "gather"] {
        let reply = ask(&mut network, one, "ask", to(other, method, b"any"));
        assert_eq!(reply.unwrap(), b"any", "{method}");
    }
    // And itself.
    let deep = to(one, "ask", &to(one, "ask", &to(other, "look", b"any")));
    assert_eq!(ask(&mut network, one, "ask", deep).unwrap(), b"any");
}

#[test]
fn callbacks_see_what_the_query_did_and_nobody_else_does() {
    let (mut network, one, other) = pair(GATHERER);
    for _ in 0..2 {
        let reply = ask(&mut network, one, "count", to(other, "look", b""));
        assert_eq!(number(&reply.unwrap()), 2);
        let nested = ask(&mut network, one, "ask", to(one, "counter", b""));
        assert_eq!(number(&nested.unwrap()), 0);
        assert_eq!(number(&query(&mut network, one, "counter").unwrap()), 0);
    }
}

#[test]
fn what_cannot_be_asked_is_rejected() {
    let (mut network, one, other) = pair(GATHERER);
    let nobody = Principal::from_slice(&[9; 10]);
    for (callee, method, code, what) in [
        (nobody, "look", 3, "not on the subnet"),
        (Principal::management_canister(), "raw_rand", 3, "not on"),
        (other, "echo", 5, "no query method 'echo'"),
        (one, "silent", 5, "did not reply"),
    ] {
        let reply = ask(&mut network, one, "ask", to(callee, method, b"")).unwrap();
        let (told, message) = told(&reply);
        assert_eq!(told, code, "{method}: {message}");
        assert!(message.contains(what), "{method}: {message}");
    }
    let paying = ask(&mut network, one, "paying", to(other, "look", b"")).unwrap_err();
    assert_eq!(paying.error_code, ErrorCode::CanisterContractViolation);
    let silent = query(&mut network, one, "silent").unwrap_err();
    assert_eq!(silent.error_code, ErrorCode::CanisterDidNotReply);
}

#[test]
fn a_callback_that_traps_fails_the_query_unless_another_answers() {
    let (mut network, one, other) = pair(GATHERER);
    let reject = ask(&mut network, one, "failing", to(other, "look", b"")).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterTrapped);
    let reply = ask(&mut network, one, "second_chance", to(other, "look", b"1"));
    assert_eq!(reply.unwrap(), b"1");
}

#[test]
fn queries_do_not_go_round_in_circles() {
    let (mut network, one, other) = pair(GATHERER);
    let mut call = to(other, "look", b"");
    for _ in 0..8 {
        call = to(one, "ask", &call);
    }
    let (code, message) = told(&ask(&mut network, one, "ask", call).unwrap());
    assert_eq!(code, 5);
    assert!(message.contains("deep"), "{message}");
}

#[test]
fn other_subnets_are_out_of_reach() {
    let subnets = [SubnetKind::Application, SubnetKind::System];
    let mut network = Network::new(Config::new(subnets)).unwrap();
    let one = network.create_canister(caller());
    let functions = format!("{CALLER} {GATHERER}");
    install(&mut network, one, InstallMode::Install, &functions).unwrap();
    let elsewhere = network.subnets()[1].canister_ranges[0].0;
    let (code, _) = told(&ask(&mut network, one, "ask", to(elsewhere, "look", b"")).unwrap());
    assert_eq!(code, 3);
}

#[test]
fn only_who_is_asked_from_outside_has_a_certificate() {
    let (mut network, one, _) = pair(GATHERER);
    assert_eq!(number(&query(&mut network, one, "certified").unwrap()), 1);
    let reply = ask(&mut network, one, "ask", to(one, "certified", b""));
    assert_eq!(number(&reply.unwrap()), 0);
}
