;; A counter with one of everything a client can observe.
;;
;;   heap   0  the counter, and what is replied with
;;          16 scratch
;;   stable 0  what `store` was given
(module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reject" (func $msg_reject (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_caller_size" (func $caller_size (result i32)))
  (import "ic0" "msg_caller_copy" (func $caller_copy (param i32 i32 i32)))
  (import "ic0" "stable64_size" (func $stable_size (result i64)))
  (import "ic0" "stable64_grow" (func $stable_grow (param i64) (result i64)))
  (import "ic0" "stable64_read" (func $stable_read (param i64 i64 i64)))
  (import "ic0" "stable64_write" (func $stable_write (param i64 i64 i64)))
  (import "ic0" "time" (func $time (result i64)))
  (import "ic0" "debug_print" (func $print (param i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))

  (memory 1)
  (data (i32.const 1024) "out of order")
  (data (i32.const 1040) "not today")

  (func $reply (param $size i32)
    (call $append (i32.const 0) (local.get $size))
    (call $msg_reply))

  (func $add (param $n i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get $n))))

  ;; The argument is the counter to begin with, if there is one.
  (func (export "canister_init")
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size)))
  (func (export "canister_post_upgrade")
    (call $add (i32.const 100)))

  (func (export "canister_update add")
    (call $add (i32.const 1))
    (call $reply (i32.const 4)))
  (func (export "canister_query value")
    (call $reply (i32.const 4)))
  (func (export "canister_query add_in_vain")
    (call $add (i32.const 1))
    (call $reply (i32.const 4)))

  (func (export "canister_update add_and_trap")
    (call $add (i32.const 1))
    (call $trap (i32.const 1024) (i32.const 12)))
  (func (export "canister_update refuse")
    (call $msg_reject (i32.const 1040) (i32.const 9)))
  (func (export "canister_update silence"))

  (func (export "canister_query caller")
    (call $caller_copy (i32.const 16) (i32.const 0) (call $caller_size))
    (call $append (i32.const 16) (call $caller_size))
    (call $msg_reply))
  (func (export "canister_query time")
    (i64.store (i32.const 16) (call $time))
    (call $append (i32.const 16) (i32.const 8))
    (call $msg_reply))

  (func (export "canister_update print")
    (call $arg_copy (i32.const 16) (i32.const 0) (call $arg_size))
    (call $print (i32.const 16) (call $arg_size))
    (call $msg_reply))

  ;; The first eight bytes of stable memory.
  (func (export "canister_update store")
    (if (i64.eqz (call $stable_size))
      (then (drop (call $stable_grow (i64.const 1)))))
    (call $arg_copy (i32.const 16) (i32.const 0) (call $arg_size))
    (call $stable_write (i64.const 0) (i64.const 16) (i64.extend_i32_u (call $arg_size)))
    (call $msg_reply))
  (func (export "canister_query stored")
    (call $stable_read (i64.const 16) (i64.const 0) (i64.const 8))
    (call $append (i32.const 16) (i32.const 8))
    (call $msg_reply)))
