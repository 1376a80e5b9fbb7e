//! Cycles that go with calls: what is sent is accepted or comes back, to the
//! last one.

use candid::{Encode, Principal};
use ic_management_canister_types::{CanisterIdRecord, CreateCanisterArgs};
use local_ic::{ErrorCode, InstallMode, Network};

use crate::{CALLER, caller, install, installed, to, told};

/// `pay` attaches 2^64 + 1000; it replies with what came back.
const PAYER: &str = r#"
    (func $refunded (param i32)
        (call $msg_cycles_refunded128 (i32.const 3000))
        (call $msg_reply_data_append (i32.const 3000) (i32.const 16)) (call $msg_reply))
    (elem (i32.const 0) $refunded) (elem (i32.const 1) $refunded)
    (func (export "canister_update pay")
        (call $call (i32.const 0) (i32.const 1)) (call $call_cycles_add128 (i64.const 1) (i64.const 1000)) (call $send))
    (func (export "canister_update pay_and_trap")
        (call $call (i32.const 0) (i32.const 1)) (call $call_cycles_add128 (i64.const 1) (i64.const 1000)) (call $send)
        (unreachable))
    (func (export "canister_update change_of_mind")
        (call $call (i32.const 0) (i32.const 1)) (call $call_cycles_add128 (i64.const 1) (i64.const 1000))
        (call $call (i32.const 0) (i32.const 1)) (call $send))
    (func (export "canister_update think_only")
        (call $call (i32.const 0) (i32.const 1)) (call $call_cycles_add128 (i64.const 1) (i64.const 1000))
        (call $canister_cycle_balance128 (i32.const 3000))
        (call $msg_reply_data_append (i32.const 3000) (i32.const 16)) (call $msg_reply))
    (func (export "canister_update pay_too_much")
        (call $call (i32.const 0) (i32.const 1)) (call $call_cycles_add128 (i64.const 1000) (i64.const 0)) (call $send))
"#;

/// `take` accepts 300, or what there is.
const TAKER: &str = r#"
    (func $take (call $msg_cycles_accept128 (i64.const 0) (i64.const 300) (i32.const 3000)))
    (func (export "canister_update take")
        (call $take) (call $msg_reply_data_append (i32.const 3000) (i32.const 16)) (call $msg_reply))
    (func (export "canister_query take_as_query")
        (call $take) (call $msg_reply_data_append (i32.const 3000) (i32.const 16)) (call $msg_reply))
    (func (export "canister_update take_all")
        (call $msg_cycles_accept128 (i64.const -1) (i64.const -1) (i32.const 3000))
        (call $msg_cycles_available128 (i32.const 3000))
        (if (i64.ne (i64.load (i32.const 3000)) (i64.const 0)) (then (unreachable)))
        (call $msg_reply))
    (func (export "canister_update take_and_trap") (call $take) (unreachable))
    (func (export "canister_update take_and_reject") (call $take) (call $msg_reject (i32.const 0) (i32.const 4)))
    (func (export "canister_update take_too_late")
        (call $msg_reply) (call $take)
        (if (i64.ne (i64.load (i32.const 3000)) (i64.const 0)) (then (unreachable))))
"#;

const SENT: u128 = (1 << 64) + 1000;
const MUCH: u128 = 100 << 64;

fn rich() -> (Network, Principal, Principal) {
    let (mut network, payer) = installed(&format!("{CALLER} {PAYER}"));
    network.add_cycles(payer, MUCH);
    let taker = network.create_canister(caller());
    install(&mut network, taker, InstallMode::Install, TAKER).unwrap();
    (network, payer, taker)
}

fn amount(reply: &[u8]) -> u128 {
    u128::from_le_bytes(reply.try_into().unwrap())
}

#[test]
fn what_is_not_accepted_comes_back() {
    let (mut network, payer, taker) = rich();
    for (method, taken) in [
        ("take", 300),
        ("take_as_query", 300),
        ("take_all", SENT),
        ("take_and_trap", 0),
        ("take_and_reject", 300),
        ("take_too_late", 0),
        ("missing", 0),
    ] {
        let before = (network.cycles(payer), network.cycles(taker));
        let reply = network.update(caller(), payer, "pay", to(taker, method, b""));
        assert_eq!(amount(&reply.unwrap()), SENT - taken, "{method}");
        let after = (
            before.0.map(|cycles| cycles - taken),
            before.1.map(|cycles| cycles + taken),
        );
        let now = (network.cycles(payer), network.cycles(taker));
        assert_eq!(now, after, "{method}");
    }
}

#[test]
fn calls_that_are_not_made_cost_nothing() {
    let (mut network, payer, taker) = rich();
    let before = network.cycles(payer).unwrap();
    let mut call = |method: &str| network.update(caller(), payer, method, to(taker, "take", b""));
    assert!(call("pay_and_trap").is_err());
    assert_eq!(amount(&call("change_of_mind").unwrap()), 0);
    assert_eq!(amount(&call("think_only").unwrap()), before - SENT);
    let reject = call("pay_too_much").unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterOutOfCycles);
    assert_eq!(network.cycles(payer), Some(before));
}

#[test]
fn messages_from_outside_bring_no_cycles() {
    let (mut network, _, taker) = rich();
    let reply = network.update(caller(), taker, "take", vec![]);
    assert_eq!(amount(&reply.unwrap()), 0);
}

#[test]
fn cycles_pay_for_canisters_and_can_be_given_away() {
    let (mut network, payer, taker) = rich();
    let management = Principal::management_canister();
    let before = network.cycles(taker).unwrap();
    let record = Encode!(&CanisterIdRecord { canister_id: taker }).unwrap();
    let call = to(management, "deposit_cycles", &record);
    let reply = network.update(caller(), payer, "pay", call);
    assert_eq!(amount(&reply.unwrap()), 0);
    assert_eq!(network.cycles(taker), Some(before + SENT));

    let args = CreateCanisterArgs {
        settings: None,
        sender_canister_version: None,
    };
    let call = to(management, "create_canister", &Encode!(&args).unwrap());
    let before = network.cycles(payer).unwrap();
    let reply = network.update(caller(), payer, "pay", call.clone());
    assert_eq!(amount(&reply.unwrap()), 0);
    assert_eq!(network.cycles(payer), Some(before - SENT));
    let created = nth(network.default_effective_canister_id(), 2);
    assert_eq!(network.controllers(created), Some(vec![payer]));
    assert_eq!(network.cycles(created), Some(SENT - 500_000_000_000));

    let (mut network, poor) = installed(CALLER);
    let reply = network.update(caller(), poor, "proxy", call).unwrap();
    let (code, message) = told(&reply);
    assert_eq!(code, 4);
    assert!(message.contains("only 0 cycles were received"), "{message}");
}

/// The canister id that comes so many after another.
fn nth(id: Principal, offset: u64) -> Principal {
    let mut bytes = id.as_slice().to_vec();
    let first = u64::from_be_bytes(bytes[..8].try_into().unwrap());
    bytes[..8].copy_from_slice(&(first + offset).to_be_bytes());
    Principal::from_slice(&bytes)
}
