//! Timers and heartbeats that make calls.

use local_ic::{InstallMode, Network};

use crate::{caller, install, installed, number, query, update};

/// How `ic-cdk-timers` works: the timer calls the canister itself, once for
/// each task that is due.
const EXECUTOR: &str = r#"
    (table funcref (elem $done $failed))
    (data (i32.const 500) "<ic-cdk internal> timer_executor")
    (func $count (param $at i32)
        (i32.store8 (local.get $at) (i32.add (i32.load8_u (local.get $at)) (i32.const 1))))
    (func $call_executor
        (call $canister_self_copy (i32.const 2000) (i32.const 0) (call $canister_self_size))
        (call $call_new (i32.const 2000) (call $canister_self_size) (i32.const 500) (i32.const 32)
            (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
        (call $call_with_best_effort_response (i32.const 300))
        (if (call $call_perform) (then (unreachable))))
    (func (export "canister_update set")
        (drop (call $global_timer_set (i64.add (call $time) (i64.const 1000))))
        (call $msg_reply))
    (func (export "canister_global_timer") (call $count (i32.const 100)) (call $call_executor))
    (func (export "canister_update <ic-cdk internal> timer_executor")
        (call $msg_caller_copy (i32.const 2000) (i32.const 0) (call $msg_caller_size))
        (call $canister_self_copy (i32.const 2100) (i32.const 0) (call $canister_self_size))
        (if (i64.ne (i64.load (i32.const 2000)) (i64.load (i32.const 2100))) (then (unreachable)))
        (call $count (i32.const 101))
        (if (i32.load8_u (i32.const 104)) (then (unreachable)))
        (call $msg_reply))
    (func $done (param i32) (call $count (i32.const 102)))
    (func $failed (param i32) (call $count (i32.const 103)))
    (func (export "canister_update spoil") (i32.store8 (i32.const 104) (i32.const 1)) (call $msg_reply))
    (func (export "canister_query seen") (call $reply32 (i32.load (i32.const 100))))
"#;

/// timers, tasks, replies, rejects
fn seen(network: &mut Network, canister: candid::Principal) -> [u8; 4] {
    (number(&query(network, canister, "seen").unwrap()) as u32).to_le_bytes()
}

#[test]
fn a_timer_calls_its_own_canister_once_when_due() {
    let (mut network, canister) = installed(EXECUTOR);
    update(&mut network, canister, "set").unwrap();
    network.round();
    assert_eq!(seen(&mut network, canister), [0, 0, 0, 0]);
    network.set_time(network.time() + 1000).unwrap();
    network.round();
    network.round();
    assert_eq!(seen(&mut network, canister), [1, 1, 1, 0]);

    // A task that traps is undone; the timer learns of it.
    update(&mut network, canister, "spoil").unwrap();
    update(&mut network, canister, "set").unwrap();
    network.set_time(network.time() + 1000).unwrap();
    network.round();
    assert_eq!(seen(&mut network, canister), [2, 1, 1, 1]);
}

#[test]
fn nobody_is_answered_by_a_timer_or_its_callbacks() {
    let functions = r#"
        (table funcref (elem $reply))
        (func $reply (param i32) (i32.store8 (i32.const 100) (i32.const 9)) (call $msg_reply))
        (func (export "canister_init") (drop (call $global_timer_set (i64.const 1))))
        (func (export "canister_global_timer")
            (call $call_new (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (drop (call $call_perform)))
        (func (export "canister_query seen") (call $reply32 (i32.load (i32.const 100))))"#;
    let mut network = crate::network();
    let canister = network.create_canister(caller());
    install(&mut network, canister, InstallMode::Install, functions).unwrap();
    network.round();
    assert_eq!(seen(&mut network, canister), [0; 4]);
}
