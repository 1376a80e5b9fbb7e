;; A canister that tells who asks, counts, and fails in every way.
(module
    (import "ic0" "msg_reply" (func $msg_reply))
    (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
    (import "ic0" "msg_reject" (func $msg_reject (param i32 i32)))
    (import "ic0" "msg_caller_size" (func $caller_size (result i32)))
    (import "ic0" "msg_caller_copy" (func $caller_copy (param i32 i32 i32)))
    (import "ic0" "msg_method_name_size" (func $method_size (result i32)))
    (import "ic0" "accept_message" (func $accept_message))
    (import "ic0" "trap" (func $trap (param i32 i32)))
    (memory 1)
    (data (i32.const 0) "no")
    (global $count (mut i32) (i32.const 0))

    (func $whoami
        (call $caller_copy (i32.const 100) (i32.const 0) (call $caller_size))
        (call $append (i32.const 100) (call $caller_size))
        (call $msg_reply))
    (export "canister_query whoami" (func $whoami))
    (export "canister_update who_am_i" (func $whoami))

    (func (export "canister_update count")
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i32.store (i32.const 100) (global.get $count))
        (call $append (i32.const 100) (i32.const 4))
        (call $msg_reply))

    (func $trapping (call $trap (i32.const 0) (i32.const 2)))
    (export "canister_query trapping" (func $trapping))
    (export "canister_update trap" (func $trapping))
    (func (export "canister_update reject") (call $msg_reject (i32.const 0) (i32.const 2)))

    ;; Every method but the one with a long name is accepted.
    (func (export "canister_inspect_message")
        (if (i32.lt_u (call $method_size) (i32.const 20))
            (then (call $accept_message))))
    (func (export "canister_update never_accepted_by_inspection"))

    (@custom "icp:public candid:service" "service : {}")
    (@custom "icp:private secret" "the secret"))
