//! A message that fails leaves nothing behind; a query never does.

use local_ic::{ErrorCode, InstallMode};

use crate::{CALLER, caller, installed, number, query, to, update};

/// Everything a message can change: heap, a global, stable memory, certified
/// data. `state` shows heap, global, stable size and stable byte.
const COUNTERS: &str = r#"
    (global $count (mut i32) (i32.const 0))
    (func $change
        (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (drop (memory.grow (i32.const 1)))
        (drop (call $stable64_grow (i64.const 1)))
        (call $stable64_write (i64.const 5) (i64.const 100) (i64.const 4))
        (i32.store8 (i32.const 200) (global.get $count))
        (call $certified_data_set (i32.const 200) (i32.const 1)))
    (func (export "canister_update change") (call $change) (call $msg_reply))
    (func (export "canister_update fail") (call $change) (unreachable))
    (func (export "canister_update fail_after_reply") (call $change) (call $msg_reply) (unreachable))
    (func (export "canister_query change_in_query")
        (i32.store (i32.const 100) (i32.const 77))
        (global.set $count (i32.const 77))
        (drop (memory.grow (i32.const 1)))
        (drop (call $stable64_grow (i64.const 1)))
        (call $stable64_write (i64.const 5) (i64.const 100) (i64.const 4))
        (call $msg_reply))
    (func (export "canister_query state")
        (i32.store (i32.const 300) (i32.load (i32.const 100)))
        (i32.store (i32.const 304) (global.get $count))
        (i32.store (i32.const 308) (memory.size))
        (i64.store (i32.const 312) (call $stable64_size))
        (i32.store (i32.const 320) (i32.const 0))
        (if (i64.gt_u (call $stable64_size) (i64.const 0))
            (then (call $stable64_read (i64.const 320) (i64.const 5) (i64.const 4))))
        (call $msg_reply_data_append (i32.const 300) (i32.const 24))
        (call $msg_reply))
"#;

/// heap counter, global, heap pages, stable pages, stable counter
fn state(network: &mut local_ic::Network, canister: candid::Principal) -> [u64; 5] {
    let bytes = query(network, canister, "state").unwrap();
    [0..4, 4..8, 8..12, 12..20, 20..24].map(|range| number(&bytes[range]))
}

#[test]
fn a_trap_undoes_heap_globals_stable_memory_and_certified_data() {
    let (mut network, canister) = installed(COUNTERS);
    update(&mut network, canister, "change").unwrap();
    assert_eq!(state(&mut network, canister), [1, 1, 2, 1, 1]);
    assert_eq!(network.certified_data(canister), Some(vec![1]));

    for method in ["fail", "fail_after_reply"] {
        let reject = update(&mut network, canister, method).unwrap_err();
        assert_eq!(reject.error_code, ErrorCode::CanisterTrapped);
        assert_eq!(
            reject.message,
            format!("Error from Canister {canister}: Canister trapped: unreachable.")
        );
        assert_eq!(state(&mut network, canister), [1, 1, 2, 1, 1], "{method}");
        assert_eq!(network.certified_data(canister), Some(vec![1]));
    }

    update(&mut network, canister, "change").unwrap();
    assert_eq!(state(&mut network, canister), [2, 2, 3, 2, 2]);
    assert_eq!(network.certified_data(canister), Some(vec![2]));
}

#[test]
fn a_query_changes_nothing_replicated_or_not() {
    let (mut network, canister) = installed(COUNTERS);
    update(&mut network, canister, "change").unwrap();
    let before = state(&mut network, canister);
    let stable = network.stable_memory(canister).unwrap();
    query(&mut network, canister, "change_in_query").unwrap();
    update(&mut network, canister, "change_in_query").unwrap();
    assert_eq!(state(&mut network, canister), before);
    assert_eq!(network.stable_memory(canister), Some(stable));
}

#[test]
fn a_callback_that_traps_undoes_all_of_it_and_nothing_before() {
    let functions = format!(
        r#"{CALLER} {COUNTERS}
        (func $change_all (param i32)
            (call $change)
            (drop (call $global_timer_set (i64.const 1)))
            (call $msg_cycles_accept128 (i64.const 0) (i64.const -1) (i32.const 400))
            (call $cycles_burn128 (i64.const 0) (i64.const 1000) (i32.const 400))
            (call $canister_self_copy (i32.const 2000) (i32.const 0) (call $canister_self_size))
            (call $call_new (i32.const 2000) (call $canister_self_size) (i32.const 600) (i32.const 6)
                (i32.const 3) (i32.const 0) (i32.const 3) (i32.const 0))
            (call $call_cycles_add128 (i64.const 0) (i64.const 1000))
            (call $send)
            (call $msg_reply)
            (unreachable))
        (data (i32.const 600) "change")
        (elem (i32.const 0) $change_all) (elem (i32.const 1) $change_all)
        (func (export "canister_update change_and_call")
            (call $change) (call $call (i32.const 0) (i32.const 1)) (call $send))
        (func (export "canister_global_timer") (call $change))"#
    );
    let (mut network, canister) = installed(&functions);
    let cycles = network.cycles(canister);
    for round in 1..=3 {
        for (callee, method) in [(canister, "state"), (canister, "missing")] {
            let before = state(&mut network, canister);
            let call = to(callee, method, b"");
            let reject = network.update(caller(), canister, "change_and_call", call);
            assert_eq!(reject.unwrap_err().error_code, ErrorCode::CanisterTrapped);
            network.round();
            // Only what came before the call is left.
            let after = state(&mut network, canister);
            assert_eq!(after, before.map(|number| number + 1), "{round} {method}");
            let data = network.certified_data(canister);
            assert_eq!(data, Some(vec![after[1] as u8]));
            assert_eq!(network.cycles(canister), cycles);
        }
    }
}

#[test]
fn table_changes_last_for_a_message_as_on_the_internet_computer() {
    let (mut network, canister) = installed(
        r#"
        (table 2 funcref) (elem (i32.const 0) $one $two) (type $f (func (result i32)))
        (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
        (func (export "canister_update swap")
            (table.set (i32.const 0) (table.get (i32.const 1)))
            (call $reply32 (call_indirect (type $f) (i32.const 0))))
        (func (export "canister_query first") (call $reply32 (call_indirect (type $f) (i32.const 0))))
    "#,
    );
    assert_eq!(number(&update(&mut network, canister, "swap").unwrap()), 2);
    assert_eq!(number(&query(&mut network, canister, "first").unwrap()), 1);
}

#[test]
fn a_failed_upgrade_keeps_the_old_canister() {
    let (mut network, canister) = installed(COUNTERS);
    update(&mut network, canister, "change").unwrap();
    let before = state(&mut network, canister);
    let hash = network.module_hash(canister);

    let spoil = r#"
        (drop (call $stable64_grow (i64.const 3)))
        (call $stable64_write (i64.const 5) (i64.const 0) (i64.const 4))
        (call $certified_data_set (i32.const 0) (i32.const 4))"#;
    let failing = format!(
        r#"(func (export "canister_post_upgrade") {spoil} (call $trap (i32.const 0) (i32.const 4)))"#
    );
    let mode = InstallMode::Upgrade(None);
    let reject = crate::install(&mut network, canister, mode, &failing).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterCalledTrap);
    assert!(reject.message.contains("with message: 'text'"), "{reject}");
    assert_eq!(network.module_hash(canister), hash);
    assert_eq!(state(&mut network, canister), before);
    assert_eq!(network.certified_data(canister), Some(vec![1]));

    // Nor does a pre_upgrade of the old code that went well leave a trace.
    let old = format!(r#"{COUNTERS} (func (export "canister_pre_upgrade") {spoil})"#);
    crate::install(&mut network, canister, InstallMode::Reinstall, &old).unwrap();
    update(&mut network, canister, "change").unwrap();
    let before = state(&mut network, canister);
    crate::install(&mut network, canister, mode, &failing).unwrap_err();
    assert_eq!(state(&mut network, canister), before);
}

#[test]
fn a_failed_install_leaves_the_canister_empty() {
    let mut network = crate::network();
    let canister = network.create_canister(caller());
    let failing = r#"(func (export "canister_init") (unreachable))"#;
    let result = crate::install(&mut network, canister, InstallMode::Install, failing);
    assert_eq!(result.unwrap_err().error_code, ErrorCode::CanisterTrapped);
    assert_eq!(network.module_hash(canister), None);
}
