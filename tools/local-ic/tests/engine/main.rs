//! The engine as the Internet Computer describes it, shown on small modules
//! written by hand.

mod certification;
mod costs;
mod execution;
mod management;
mod rollback;
mod system_canisters;

use candid::{Encode, Principal};
use local_ic::{Config, InstallMode, Network, Reject, SubnetKind};

/// Whoever calls in these tests, and controls their canisters.
fn caller() -> Principal {
    Principal::self_authenticating(b"caller")
}

fn stranger() -> Principal {
    Principal::self_authenticating(b"stranger")
}

fn network() -> Network {
    Network::new(Config::new([SubnetKind::Application])).unwrap()
}

/// A network with one canister, of these functions, installed.
fn installed(functions: &str) -> (Network, Principal) {
    let mut network = network();
    let canister = network.create_canister(caller());
    install(&mut network, canister, InstallMode::Install, functions).unwrap();
    (network, canister)
}

fn install(
    network: &mut Network,
    canister: Principal,
    mode: InstallMode,
    functions: &str,
) -> Result<(), Reject> {
    network.install(
        caller(),
        canister,
        mode,
        module(functions),
        b"argument".to_vec(),
    )
}

fn update(network: &mut Network, canister: Principal, method: &str) -> Result<Vec<u8>, Reject> {
    network.update(caller(), canister, method, vec![])
}

fn query(network: &mut Network, canister: Principal, method: &str) -> Result<Vec<u8>, Reject> {
    network.query(caller(), canister, method, vec![])
}

/// Calls the management canister with one argument.
fn manage(
    network: &mut Network,
    sender: Principal,
    method: &str,
    argument: &impl candid::CandidType,
) -> Result<Vec<u8>, Reject> {
    let argument = Encode!(argument).unwrap();
    network.update(sender, Principal::management_canister(), method, argument)
}

/// A module of these functions with every import they may want, a memory that
/// holds `text` at 0, and functions to answer with.
fn module(functions: &str) -> Vec<u8> {
    let wat = format!(
        r#"(module
            (import "ic0" "msg_reply" (func $msg_reply))
            (import "ic0" "msg_reply_data_append" (func $msg_reply_data_append (param i32 i32)))
            (import "ic0" "msg_reject" (func $msg_reject (param i32 i32)))
            (import "ic0" "msg_arg_data_size" (func $msg_arg_data_size (result i32)))
            (import "ic0" "msg_arg_data_copy" (func $msg_arg_data_copy (param i32 i32 i32)))
            (import "ic0" "msg_caller_size" (func $msg_caller_size (result i32)))
            (import "ic0" "msg_caller_copy" (func $msg_caller_copy (param i32 i32 i32)))
            (import "ic0" "msg_method_name_size" (func $msg_method_name_size (result i32)))
            (import "ic0" "accept_message" (func $accept_message))
            (import "ic0" "trap" (func $trap (param i32 i32)))
            (import "ic0" "debug_print" (func $debug_print (param i32 i32)))
            (import "ic0" "time" (func $time (result i64)))
            (import "ic0" "canister_version" (func $canister_version (result i64)))
            (import "ic0" "canister_status" (func $canister_status (result i32)))
            (import "ic0" "is_controller" (func $is_controller (param i32 i32) (result i32)))
            (import "ic0" "in_replicated_execution" (func $in_replicated_execution (result i32)))
            (import "ic0" "performance_counter" (func $performance_counter (param i32) (result i64)))
            (import "ic0" "global_timer_set" (func $global_timer_set (param i64) (result i64)))
            (import "ic0" "certified_data_set" (func $certified_data_set (param i32 i32)))
            (import "ic0" "data_certificate_present" (func $data_certificate_present (result i32)))
            (import "ic0" "data_certificate_size" (func $data_certificate_size (result i32)))
            (import "ic0" "data_certificate_copy" (func $data_certificate_copy (param i32 i32 i32)))
            (import "ic0" "env_var_count" (func $env_var_count (result i32)))
            (import "ic0" "env_var_value_size" (func $env_var_value_size (param i32 i32) (result i32)))
            (import "ic0" "env_var_value_copy" (func $env_var_value_copy (param i32 i32 i32 i32 i32)))
            (import "ic0" "canister_cycle_balance128" (func $canister_cycle_balance128 (param i32)))
            (import "ic0" "cycles_burn128" (func $cycles_burn128 (param i64 i64 i32)))
            (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
            (import "ic0" "call_data_append" (func $call_data_append (param i32 i32)))
            (import "ic0" "call_perform" (func $call_perform (result i32)))
            (import "ic0" "cost_sign_with_ecdsa" (func $cost_sign_with_ecdsa (param i32 i32 i32 i32) (result i32)))
            (import "ic0" "stable64_size" (func $stable64_size (result i64)))
            (import "ic0" "stable64_grow" (func $stable64_grow (param i64) (result i64)))
            (import "ic0" "stable64_read" (func $stable64_read (param i64 i64 i64)))
            (import "ic0" "stable64_write" (func $stable64_write (param i64 i64 i64)))
            (memory 1)
            (data (i32.const 0) "text")
            (func $reply32 (param i32)
                (i32.store (i32.const 1000) (local.get 0))
                (call $msg_reply_data_append (i32.const 1000) (i32.const 4))
                (call $msg_reply))
            (func $reply64 (param i64)
                (i64.store (i32.const 1000) (local.get 0))
                (call $msg_reply_data_append (i32.const 1000) (i32.const 8))
                (call $msg_reply))
            {functions})"#
    );
    wat::parse_str(wat).unwrap()
}

fn number(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    number[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(number)
}
