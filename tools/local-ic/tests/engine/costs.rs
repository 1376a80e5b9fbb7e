//! The meter against bills added up by hand, and the limits.

use local_ic::{Config, ErrorCode, Execution, InstallMode, Network, SubnetKind};

use crate::{caller, install, installed, number, query, update};

/// The bill of one method that replies, beyond `enter`, `call $msg_reply` and
/// what `msg_reply` charges.
fn bill(body: &str) -> Execution {
    let functions = format!(
        r#"(global $g (mut i32) (i32.const 0)) (table 1 funcref) (elem (i32.const 0) $leaf) (type $leaf (func))
           (func $leaf (type $leaf))
           (func (export "canister_update m") (local $x i32) {body} (call $msg_reply))"#
    );
    let (mut network, canister) = installed(&functions);
    update(&mut network, canister, "m").unwrap();
    let bill = network.last_execution();
    assert_eq!(
        bill.instructions,
        bill.wasm + bill.system_api + bill.reply + bill.stable + 1_000 * bill.dirty_heap_pages
    );
    Execution {
        // 1 for entering the function, 5 for the call.
        wasm: bill.wasm - 6,
        system_api: bill.system_api - 500,
        ..bill
    }
}

#[test]
fn operators_have_the_weights_of_the_internet_computer() {
    for (body, weight) in [
        ("", 0),
        ("nop", 1),
        ("(drop (i32.const 1))", 2),
        ("(local.set $x (i32.add (i32.const 1) (i32.const 2)))", 4),
        ("(drop (i32.div_u (i32.const 1) (i32.const 2)))", 2 + 10 + 1),
        ("(global.set $g (global.get $g))", 4),
        ("(drop (i32.load (i32.const 0)))", 3),
        ("(block (nop))", 1),
        (
            "(if (i32.const 1) (then (nop)) (else (nop) (nop)))",
            1 + 2 + 1,
        ),
        ("(call $leaf)", 5 + 1),
        ("(call_indirect (type $leaf) (i32.const 0))", 1 + 10 + 1),
        ("(drop (memory.size))", 20 + 1),
        ("(drop (f64.div (f64.const 1) (f64.const 2)))", 2 + 5 + 1),
        // Three times round: set 1 + 1, and each time 6 and a branch of 2.
        (
            "(local.set $x (i32.const 3))
             (loop (br_if 0 (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))",
            2 + 3 * 6,
        ),
        (
            "(drop (i64x2.extract_lane 0 (i64x2.mul (v128.const i64x2 1 1) (v128.const i64x2 1 1))))",
            2 + 4 + 1 + 1,
        ),
    ] {
        assert_eq!(bill(body).wasm, weight, "{body}");
    }
}

#[test]
fn bulk_operators_cost_by_the_byte_and_growing_300() {
    let copy = bill("(memory.copy (i32.const 8192) (i32.const 0) (i32.const 4096))");
    assert_eq!((copy.wasm, copy.dirty_heap_pages), (3 + 100 + 4096, 1));
    let fill = bill("(memory.fill (i32.const 4095) (i32.const 1) (i32.const 2))");
    assert_eq!((fill.wasm, fill.dirty_heap_pages), (3 + 100 + 2, 2));
    let grow = bill("(drop (memory.grow (i32.const 1)))");
    assert_eq!((grow.wasm, grow.dirty_heap_pages), (1 + 300 + 1, 0));
    assert_eq!(grow.heap_bytes, 2 * 65_536);
}

#[test]
fn pages_written_cost_1000_each_however_often() {
    let twice = bill(
        "(i32.store (i32.const 5000) (i32.const 1)) (i32.store (i32.const 5004) (i32.const 1))",
    );
    assert_eq!((twice.wasm, twice.dirty_heap_pages), (6, 1));
    let read = bill("(drop (i32.load (i32.const 5000)))");
    assert_eq!(read.dirty_heap_pages, 0);
    let in_new_memory =
        bill("(drop (memory.grow (i32.const 1))) (i32.store (i32.const 65536) (i32.const 1))");
    assert_eq!(in_new_memory.dirty_heap_pages, 1);
}

#[test]
fn the_system_interface_has_its_prices() {
    for (body, price) in [
        ("(drop (call $time))", 500),
        ("(drop (call $performance_counter (i32.const 0)))", 200),
        (
            "(drop (call $is_controller (i32.const 0) (i32.const 4)))",
            1_004,
        ),
        (
            "(call $certified_data_set (i32.const 0) (i32.const 32))",
            532,
        ),
        (
            "(call $msg_caller_copy (i32.const 0) (i32.const 0) (i32.const 29))",
            529,
        ),
        // Two for storing and fifty for transmitting each byte.
        (
            "(call $debug_print (i32.const 0) (i32.const 10))",
            100 + 10 * 52,
        ),
    ] {
        assert_eq!(bill(body).system_api, price, "{body}");
    }
    let reply = bill("(call $msg_reply_data_append (i32.const 0) (i32.const 100))");
    assert_eq!((reply.system_api, reply.reply), (500, 5_000));
}

#[test]
fn stable_memory_costs_by_access_byte_and_first_write() {
    let grow = bill("(drop (call $stable64_grow (i64.const 1)))");
    assert_eq!((grow.stable, grow.stable_bytes), (500, 65_536));
    let grown = "(drop (call $stable64_grow (i64.const 1)))";
    let write = "(call $stable64_write (i64.const 4000) (i64.const 0) (i64.const 200))";
    let one = bill(&format!("{grown} {write}"));
    assert_eq!(
        (one.stable, one.dirty_stable_pages),
        (500 + 20 + 200 + 2_000, 2)
    );
    let twice = bill(&format!("{grown} {write} {write}"));
    assert_eq!(
        (twice.stable, twice.dirty_stable_pages),
        (500 + 2 * 220 + 2_000, 2)
    );
    let read = bill(&format!(
        "{grown} (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 4096))"
    ));
    assert_eq!((read.stable, read.dirty_stable_pages), (500 + 20 + 4096, 0));
    assert_eq!(bill("(drop (call $stable64_size))").stable, 20);
}

#[test]
fn the_counter_a_canister_reads_is_the_bill_so_far() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_query m")
            (drop (memory.grow (i32.const 1)))
            (call $reply64 (call $performance_counter (i32.const 0))))"#,
    );
    let seen = number(&query(&mut network, canister, "m").unwrap());
    // Entering 1, constants 2, grow 300, drop 1, call 5, and its own charge.
    assert_eq!(seen, 1 + 2 + 300 + 1 + 5 + 200);
}

#[test]
fn an_install_is_billed_for_its_hooks_and_compiling() {
    let (mut network, canister) = installed(
        r#"(start $s) (func $s (nop))
           (func (export "canister_init") (nop) (nop))
           (func (export "canister_pre_upgrade") (nop) (nop) (nop))
           (func (export "canister_post_upgrade") (nop) (nop) (nop) (nop))"#,
    );
    let bill = network.last_execution();
    assert_eq!(bill.instructions, (1 + 1) + (1 + 2));
    assert!(bill.compile > 0 && bill.compile % 6_000 == 0);
    assert_eq!(bill.heap_bytes, 65_536);

    let one_more = r#"(func (export "canister_post_upgrade") (nop))"#;
    install(&mut network, canister, InstallMode::Upgrade(None), one_more).unwrap();
    assert_eq!(network.last_execution().instructions, (1 + 3) + (1 + 1));
}

/// Spends 0.4 billion instructions in no time: bytes of calls cost 50 each.
const SPEND: &str = r#"
    (func $spend (param $times i32)
        (drop (memory.grow (i32.const 128)))
        (loop
            (call $call_new (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (call $call_data_append (i32.const 0) (i32.const 8388608))
            (br_if 0 (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (func $then (param $times i32) (call $spend (local.get $times)) (call $msg_reply))
    (table funcref (elem $then))
    (func $call_then (param $times i32)
        (call $canister_self_copy (i32.const 2000) (i32.const 0) (call $canister_self_size))
        (call $call_new (i32.const 2000) (call $canister_self_size) (i32.const 0) (i32.const 4)
            (i32.const 0) (local.get $times) (i32.const 0) (local.get $times))
        (drop (call $call_perform)))
    (func (export "canister_query text") (call $msg_reply))
    (func (export "canister_update within_callback") (call $spend (i32.const 50)) (call $call_then (i32.const 92)))
    (func (export "canister_update beyond_callback") (call $call_then (i32.const 96)))
    (func (export "canister_composite_query within_graph") (call $spend (i32.const 6)) (call $call_then (i32.const 2)))
    (func (export "canister_composite_query beyond_graph") (call $spend (i32.const 6)) (call $call_then (i32.const 6)))
    (func (export "canister_update within") (call $then (i32.const 92)))
    (func (export "canister_update beyond") (call $then (i32.const 96)))
    (func (export "canister_composite_query within_query") (call $then (i32.const 8)))
    (func (export "canister_composite_query beyond_query") (call $then (i32.const 12)))
"#;

#[test]
fn messages_run_out_of_instructions() {
    let (mut network, canister) = installed(SPEND);
    update(&mut network, canister, "within").unwrap();
    assert!(network.last_execution().instructions > 38_000_000_000);
    let reject = update(&mut network, canister, "beyond").unwrap_err();
    assert_eq!(
        reject.error_code,
        ErrorCode::CanisterInstructionLimitExceeded
    );
    assert!(
        reject
            .message
            .contains("exceeded the limit of 40000000000 instructions"),
        "{reject}"
    );
    query(&mut network, canister, "within_query").unwrap();
    let reject = query(&mut network, canister, "beyond_query").unwrap_err();
    assert!(
        reject
            .message
            .contains("exceeded the limit of 5000000000 instructions"),
        "{reject}"
    );
}

#[test]
fn a_callback_may_spend_what_an_update_may_and_queries_share_it() {
    let (mut network, canister) = installed(SPEND);
    update(&mut network, canister, "within_callback").unwrap();
    query(&mut network, canister, "within_graph").unwrap();
    for reject in [
        update(&mut network, canister, "beyond_callback").unwrap_err(),
        query(&mut network, canister, "beyond_graph").unwrap_err(),
    ] {
        let code = ErrorCode::CanisterInstructionLimitExceeded;
        assert_eq!(reject.error_code, code, "{reject}");
    }
}

#[test]
fn benchmarks_may_run_without_limits() {
    let mut network = Network::new(Config {
        unlimited_instructions: true,
        ..Config::new([SubnetKind::Application])
    })
    .unwrap();
    let canister = network.create_canister(caller());
    install(&mut network, canister, InstallMode::Install, SPEND).unwrap();
    update(&mut network, canister, "beyond").unwrap();
    assert!(network.last_execution().instructions > 40_000_000_000);
}

#[test]
fn an_endless_loop_ends() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_inspect_message") (loop (br 0)))
           (func (export "canister_update m") (call $msg_reply))"#,
    );
    let reject = update(&mut network, canister, "m").unwrap_err();
    assert_eq!(
        reject.error_code,
        ErrorCode::CanisterInstructionLimitExceeded
    );
    assert!(reject.message.contains(" 200000000 "), "{reject}");
}

#[test]
fn replies_and_arguments_have_a_largest_size() {
    let (mut network, canister) = installed(
        r#"(func $reply (param i32)
                (drop (memory.grow (i32.const 64)))
                (call $msg_reply_data_append (i32.const 0) (local.get 0)) (call $msg_reply))
           (func (export "canister_query two") (call $reply (i32.const 2097152)))
           (func (export "canister_query more") (call $reply (i32.const 2097153)))
           (func (export "canister_query three") (call $reply (i32.const 3145728)))
           (func (export "canister_query too_much") (call $reply (i32.const 3145729)))"#,
    );
    assert_eq!(
        update(&mut network, canister, "two").unwrap().len(),
        2 << 20
    );
    let reject = update(&mut network, canister, "more").unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterContractViolation);
    assert!(
        reject.message.contains("cannot be larger than 2097152"),
        "{reject}"
    );
    assert_eq!(
        query(&mut network, canister, "three").unwrap().len(),
        3 << 20
    );
    assert!(query(&mut network, canister, "too_much").is_err());

    let largest = vec![0; 2 << 20];
    network
        .update(caller(), canister, "two", largest.clone())
        .unwrap();
    let reject = network.update(caller(), canister, "two", [largest, vec![0]].concat());
    assert_eq!(
        reject.unwrap_err().error_code,
        ErrorCode::CanisterRejectedMessage
    );
}

#[test]
fn the_heap_has_the_limit_in_the_settings() {
    use ic_management_canister_types::{CanisterSettings, UpdateSettingsArgs};

    let (mut network, canister) = installed(
        r#"(func (export "canister_update grow") (drop (memory.grow (i32.const 1))) (call $msg_reply))"#,
    );
    let args = UpdateSettingsArgs {
        canister_id: canister,
        settings: CanisterSettings {
            wasm_memory_limit: Some((2u32 * 65_536).into()),
            ..CanisterSettings::default()
        },
        sender_canister_version: None,
    };
    crate::manage(&mut network, caller(), "update_settings", &args).unwrap();
    update(&mut network, canister, "grow").unwrap();
    let reject = update(&mut network, canister, "grow").unwrap_err();
    assert_eq!(
        reject.error_code,
        ErrorCode::CanisterWasmMemoryLimitExceeded
    );
}
