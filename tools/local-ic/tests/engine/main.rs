//! The engine as the Internet Computer describes it, shown on small modules
//! written by hand.

mod calls;
mod certification;
mod composite;
mod costs;
mod cycles;
mod execution;
mod management;
mod rollback;
mod stopping;
mod system_canisters;
mod timers;

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

/// Functions to make calls with. The argument says what to call, as made by
/// [`to`]; `$call` prepares that with two callbacks, which get 7 each.
const CALLER: &str = r#"
    (table funcref (elem $forward $tell $trapping $silent $clean))
    (func $call (param $reply i32) (param $reject i32) (local $payload i32)
        (call $msg_arg_data_copy (i32.const 2000) (i32.const 0) (call $msg_arg_data_size))
        (local.set $payload (i32.add (i32.const 2)
            (i32.add (i32.load8_u (i32.const 2000)) (i32.load8_u (i32.const 2001)))))
        (call $call_new
            (i32.const 2002) (i32.load8_u (i32.const 2000))
            (i32.add (i32.const 2002) (i32.load8_u (i32.const 2000))) (i32.load8_u (i32.const 2001))
            (local.get $reply) (i32.const 7) (local.get $reject) (i32.const 7))
        (call $call_data_append (i32.add (i32.const 2000) (local.get $payload))
            (i32.sub (call $msg_arg_data_size) (local.get $payload))))
    (func $send (if (call $call_perform) (then (unreachable))))
    (func $count (param $at i32)
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1))))
    ;; 0: Replies with what was replied.
    (func $forward (param $env i32)
        (if (i32.ne (local.get $env) (i32.const 7)) (then (unreachable)))
        (if (call $msg_reject_code) (then (unreachable)))
        (call $msg_arg_data_copy (i32.const 3000) (i32.const 0) (call $msg_arg_data_size))
        (call $msg_reply_data_append (i32.const 3000) (call $msg_arg_data_size))
        (call $msg_reply))
    ;; 1: Replies with the reject, as read by `told`.
    (func $tell (param $env i32)
        (i32.store (i32.const 3000) (call $msg_reject_code))
        (call $msg_reject_msg_copy (i32.const 3004) (i32.const 0) (call $msg_reject_msg_size))
        (call $msg_reply_data_append (i32.const 3000) (i32.add (call $msg_reject_msg_size) (i32.const 4)))
        (call $msg_reply))
    ;; 2: Counts at 100 and traps.
    (func $trapping (param $env i32) (call $count (i32.const 100)) (unreachable))
    ;; 3: Says nothing.
    (func $silent (param $env i32))
    ;; 4: Adds what it is given at 104.
    (func $clean (param $env i32)
        (i32.store (i32.const 104) (i32.add (i32.load (i32.const 104)) (local.get $env))))
    (func (export "canister_update proxy") (call $call (i32.const 0) (i32.const 1)) (call $send))
"#;

/// A canister that answers in every way.
const CALLEE: &str = r#"
    (func $echo
        (call $msg_arg_data_copy (i32.const 3000) (i32.const 0) (call $msg_arg_data_size))
        (call $msg_reply_data_append (i32.const 3000) (call $msg_arg_data_size))
        (call $msg_reply))
    (func (export "canister_update echo") (call $echo))
    (func (export "canister_query look") (call $echo))
    (func (export "canister_composite_query gather") (call $echo))
    (func (export "canister_update refuse") (call $msg_reject (i32.const 0) (i32.const 4)))
    (func (export "canister_update fail") (call $trap (i32.const 0) (i32.const 4)))
    (func (export "canister_update silence"))
    (func (export "canister_update who")
        (call $msg_caller_copy (i32.const 3000) (i32.const 0) (call $msg_caller_size))
        (call $msg_reply_data_append (i32.const 3000) (call $msg_caller_size))
        (call $msg_reply))
    (func (export "canister_update until") (call $reply64 (call $msg_deadline)))
    ;; Reads a decimal number on: 12 and 3 is 123.
    (func (export "canister_update digit")
        (call $msg_arg_data_copy (i32.const 3000) (i32.const 0) (i32.const 1))
        (i32.store (i32.const 100) (i32.add
            (i32.mul (i32.load (i32.const 100)) (i32.const 10))
            (i32.sub (i32.load8_u (i32.const 3000)) (i32.const 48))))
        (call $msg_reply))
    (func (export "canister_query number") (call $reply32 (i32.load (i32.const 100))))
"#;

/// The argument of a function that calls this.
fn to(callee: Principal, method: &str, payload: &[u8]) -> Vec<u8> {
    let callee = callee.as_slice();
    let sizes = [callee.len() as u8, method.len() as u8];
    [&sizes, callee, method.as_bytes(), payload].concat()
}

/// The code and message of a reject that a canister tells of.
fn told(reply: &[u8]) -> (u64, String) {
    let message = String::from_utf8(reply[4..].to_vec()).unwrap();
    (number(&reply[..4]), message)
}

/// A caller, with these functions beside [`CALLER`], and a [`CALLEE`].
fn pair(functions: &str) -> (Network, Principal, Principal) {
    let (mut network, one) = installed(&format!("{CALLER} {functions}"));
    let other = network.create_canister(caller());
    install(&mut network, other, InstallMode::Install, CALLEE).unwrap();
    (network, one, other)
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
            (import "ic0" "call_on_cleanup" (func $call_on_cleanup (param i32 i32)))
            (import "ic0" "call_cycles_add128" (func $call_cycles_add128 (param i64 i64)))
            (import "ic0" "call_with_best_effort_response" (func $call_with_best_effort_response (param i32)))
            (import "ic0" "msg_reject_code" (func $msg_reject_code (result i32)))
            (import "ic0" "msg_reject_msg_size" (func $msg_reject_msg_size (result i32)))
            (import "ic0" "msg_reject_msg_copy" (func $msg_reject_msg_copy (param i32 i32 i32)))
            (import "ic0" "msg_cycles_available128" (func $msg_cycles_available128 (param i32)))
            (import "ic0" "msg_cycles_accept128" (func $msg_cycles_accept128 (param i64 i64 i32)))
            (import "ic0" "msg_cycles_refunded128" (func $msg_cycles_refunded128 (param i32)))
            (import "ic0" "msg_deadline" (func $msg_deadline (result i64)))
            (import "ic0" "canister_self_size" (func $canister_self_size (result i32)))
            (import "ic0" "canister_self_copy" (func $canister_self_copy (param i32 i32 i32)))
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
