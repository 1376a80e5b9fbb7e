//! The functions of `ic0`: all there, each where it may be called.

use local_ic::{ErrorCode, InstallMode};

use crate::{caller, install, installed, network, query, update};

/// Every function of the interface, for 32-bit memories: name, parameters,
/// result. The last nine are no longer part of it; old canisters import them.
const FUNCTIONS: [(&str, &str, &str); 76] = [
    ("msg_arg_data_size", "", "i32"),
    ("msg_arg_data_copy", "i32 i32 i32", ""),
    ("msg_caller_size", "", "i32"),
    ("msg_caller_copy", "i32 i32 i32", ""),
    ("msg_caller_info_data_size", "", "i32"),
    ("msg_caller_info_data_copy", "i32 i32 i32", ""),
    ("msg_caller_info_signer_size", "", "i32"),
    ("msg_caller_info_signer_copy", "i32 i32 i32", ""),
    ("msg_reject_code", "", "i32"),
    ("msg_reject_msg_size", "", "i32"),
    ("msg_reject_msg_copy", "i32 i32 i32", ""),
    ("msg_deadline", "", "i64"),
    ("msg_reply_data_append", "i32 i32", ""),
    ("msg_reply", "", ""),
    ("msg_reject", "i32 i32", ""),
    ("msg_cycles_available128", "i32", ""),
    ("msg_cycles_refunded128", "i32", ""),
    ("msg_cycles_accept128", "i64 i64 i32", ""),
    ("cycles_burn128", "i64 i64 i32", ""),
    ("canister_self_size", "", "i32"),
    ("canister_self_copy", "i32 i32 i32", ""),
    ("canister_cycle_balance128", "i32", ""),
    ("canister_liquid_cycle_balance128", "i32", ""),
    ("canister_status", "", "i32"),
    ("canister_version", "", "i64"),
    ("subnet_self_size", "", "i32"),
    ("subnet_self_copy", "i32 i32 i32", ""),
    ("subnet_self_node_count", "", "i32"),
    ("msg_method_name_size", "", "i32"),
    ("msg_method_name_copy", "i32 i32 i32", ""),
    ("accept_message", "", ""),
    ("call_new", "i32 i32 i32 i32 i32 i32 i32 i32", ""),
    ("call_on_cleanup", "i32 i32", ""),
    ("call_data_append", "i32 i32", ""),
    ("call_with_best_effort_response", "i32", ""),
    ("call_cycles_add128", "i64 i64", ""),
    ("call_perform", "", "i32"),
    ("stable64_size", "", "i64"),
    ("stable64_grow", "i64", "i64"),
    ("stable64_write", "i64 i64 i64", ""),
    ("stable64_read", "i64 i64 i64", ""),
    ("root_key_size", "", "i32"),
    ("root_key_copy", "i32 i32 i32", ""),
    ("certified_data_set", "i32 i32", ""),
    ("data_certificate_present", "", "i32"),
    ("data_certificate_size", "", "i32"),
    ("data_certificate_copy", "i32 i32 i32", ""),
    ("time", "", "i64"),
    ("global_timer_set", "i64", "i64"),
    ("performance_counter", "i32", "i64"),
    ("is_controller", "i32 i32", "i32"),
    ("in_replicated_execution", "", "i32"),
    ("cost_call", "i64 i64 i32", ""),
    ("cost_create_canister", "i32", ""),
    ("cost_http_request", "i64 i64 i32", ""),
    ("cost_http_request_v2", "i32 i32 i32", ""),
    ("cost_sign_with_ecdsa", "i32 i32 i32 i32", "i32"),
    ("cost_sign_with_schnorr", "i32 i32 i32 i32", "i32"),
    ("cost_vetkd_derive_key", "i32 i32 i32 i32", "i32"),
    ("env_var_count", "", "i32"),
    ("env_var_name_size", "i32", "i32"),
    ("env_var_name_copy", "i32 i32 i32 i32", ""),
    ("env_var_name_exists", "i32 i32", "i32"),
    ("env_var_value_size", "i32 i32", "i32"),
    ("env_var_value_copy", "i32 i32 i32 i32 i32", ""),
    ("debug_print", "i32 i32", ""),
    ("trap", "i32 i32", ""),
    ("stable_size", "", "i32"),
    ("stable_grow", "i32", "i32"),
    ("stable_read", "i32 i32 i32", ""),
    ("stable_write", "i32 i32 i32", ""),
    ("canister_cycle_balance", "", "i64"),
    ("msg_cycles_available", "", "i64"),
    ("msg_cycles_refunded", "", "i64"),
    ("msg_cycles_accept", "i64", "i64"),
    ("call_cycles_add", "i64", ""),
];

#[test]
fn every_function_can_be_imported() {
    let imports: String = FUNCTIONS
        .iter()
        .map(|(name, parameters, result)| {
            format!(r#"(import "ic0" "{name}" (func (param {parameters}) (result {result})))"#)
        })
        .collect();
    let wasm = wat::parse_str(format!("(module {imports})")).unwrap();
    let mut network = network();
    let canister = network.create_canister(caller());
    network
        .install(caller(), canister, InstallMode::Install, wasm, vec![])
        .unwrap();
}

/// Calls from where they are not allowed: the entry point, the call, the name
/// and mode of the complaint.
const MISPLACED: [(&str, &str, &str, &str); 8] = [
    (
        "canister_query m",
        "(call $certified_data_set (i32.const 0) (i32.const 0))",
        "certified_data_set",
        "non replicated query",
    ),
    (
        "canister_query m",
        "(drop (call $global_timer_set (i64.const 0)))",
        "global_timer_set",
        "non replicated query",
    ),
    (
        "canister_query m",
        "(drop (call $call_perform))",
        "call_perform",
        "non replicated query",
    ),
    (
        "canister_composite_query m",
        "(call $accept_message)",
        "accept_message",
        "composite query",
    ),
    (
        "canister_update m",
        "(call $accept_message)",
        "accept_message",
        "update",
    ),
    (
        "canister_update m",
        "(drop (call $data_certificate_size))",
        "data_certificate_size",
        "update",
    ),
    (
        "canister_update m",
        "(drop (call $msg_method_name_size))",
        "msg_method_name_size",
        "update",
    ),
    (
        "canister_inspect_message",
        "(call $msg_reply)",
        "msg_reply",
        "inspect message",
    ),
];

#[test]
fn functions_are_refused_where_they_do_not_belong() {
    for (entry, call, name, mode) in MISPLACED {
        let others = match entry {
            "canister_inspect_message" => r#"(func (export "canister_update m"))"#,
            _ => "",
        };
        let (mut network, canister) =
            installed(&format!(r#"(func (export "{entry}") {call}) {others}"#));
        let result = match entry {
            "canister_update m" | "canister_inspect_message" => update(&mut network, canister, "m"),
            _ => query(&mut network, canister, "m"),
        };
        let reject = result.unwrap_err();
        assert_eq!(reject.error_code, ErrorCode::CanisterContractViolation);
        let complaint = format!("\"ic0_{name}\" cannot be executed in {mode} mode");
        assert!(reject.message.contains(&complaint), "{reject}");
    }
}

#[test]
fn hooks_have_no_call_to_answer() {
    let mut network = network();
    let canister = network.create_canister(caller());
    for hook in ["canister_init", "canister_post_upgrade"] {
        let functions = format!(r#"(func (export "{hook}") (call $msg_reply))"#);
        let mode = match hook {
            "canister_init" => InstallMode::Install,
            _ => InstallMode::Upgrade(None),
        };
        let reject = install(&mut network, canister, mode, &functions).unwrap_err();
        assert!(reject.message.contains("in init mode"), "{reject}");
        install(&mut network, canister, InstallMode::Reinstall, "").unwrap();
    }
}

#[test]
fn the_old_functions_reach_the_same_stable_memory() {
    let wat = r#"(module
        (import "ic0" "stable_grow" (func $grow (param i32) (result i32)))
        (import "ic0" "stable_size" (func $size (result i32)))
        (import "ic0" "stable_write" (func $write (param i32 i32 i32)))
        (import "ic0" "stable64_grow" (func $grow64 (param i64) (result i64)))
        (import "ic0" "msg_reply" (func $reply))
        (memory 1) (data (i32.const 0) "text")
        (func (export "canister_update write")
            (drop (call $grow (i32.const 1))) (call $write (i32.const 9) (i32.const 0) (i32.const 4)) (call $reply))
        (func (export "canister_update beyond")
            (drop (call $grow64 (i64.const 65536))) (drop (call $size)) (call $reply)))"#;
    let mut network = network();
    let canister = network.create_canister(caller());
    let wasm = wat::parse_str(wat).unwrap();
    network
        .install(caller(), canister, InstallMode::Install, wasm, vec![])
        .unwrap();
    update(&mut network, canister, "write").unwrap();
    assert_eq!(network.stable_memory(canister).unwrap()[9..13], *b"text");
    let reject = update(&mut network, canister, "beyond").unwrap_err();
    assert!(reject.message.contains("larger than 4GB"), "{reject}");
}
