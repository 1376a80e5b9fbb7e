;; A canister of one certified page. Its init argument is its certified data;
;; its answer is the bytes $ANSWER, in which the certificate, in base64, takes
;; the place that begins at $HOLE.
;;
;;   4096    the certificate
;;   16384   the base64 alphabet
;;   32768   the answer
(module
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "data_certificate_size" (func $certificate_size (result i32)))
  (import "ic0" "data_certificate_copy" (func $certificate_copy (param i32 i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))

  (memory 1)
  (data (i32.const 64) "no updates today")
  (data (i32.const 16384) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  (data (i32.const 32768) "$ANSWER")

  (func $init (export "canister_init")
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size))
    (call $certify (i32.const 0) (call $arg_size)))

  (func (export "canister_query certificate")
    (call $certificate_copy (i32.const 4096) (i32.const 0) (call $certificate_size))
    (call $append (i32.const 4096) (call $certificate_size))
    (call $msg_reply))

  (func (export "canister_query http_request")
    (call $certificate_copy (i32.const 4096) (i32.const 0) (call $certificate_size))
    (call $base64 (i32.const 4096) (call $certificate_size) (i32.const $HOLE))
    (call $append (i32.const 32768) (i32.const $LENGTH))
    (call $msg_reply))

  (func (export "canister_update http_request_update")
    (call $trap (i32.const 64) (i32.const 16)))

  (func $base64 (param $from i32) (param $size i32) (param $to i32)
    (local $end i32)
    (local $left i32)
    (local $bits i32)
    (local.set $end (i32.add (local.get $from) (local.get $size)))
    ;; What is copied behind the certificate is zero, as padding has to be.
    (block $done
      (loop $next
        (local.set $left (i32.sub (local.get $end) (local.get $from)))
        (br_if $done (i32.le_s (local.get $left) (i32.const 0)))
        (local.set $bits
          (i32.or
            (i32.shl (i32.load8_u (local.get $from)) (i32.const 16))
            (i32.or
              (i32.shl (i32.load8_u offset=1 (local.get $from)) (i32.const 8))
              (i32.load8_u offset=2 (local.get $from)))))
        (i32.store8 (local.get $to) (call $digit (i32.shr_u (local.get $bits) (i32.const 18))))
        (i32.store8 offset=1 (local.get $to) (call $digit (i32.shr_u (local.get $bits) (i32.const 12))))
        (i32.store8 offset=2 (local.get $to)
          (select
            (call $digit (i32.shr_u (local.get $bits) (i32.const 6)))
            (i32.const 61)
            (i32.gt_s (local.get $left) (i32.const 1))))
        (i32.store8 offset=3 (local.get $to)
          (select
            (call $digit (local.get $bits))
            (i32.const 61)
            (i32.gt_s (local.get $left) (i32.const 2))))
        (local.set $from (i32.add (local.get $from) (i32.const 3)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (br $next))))

  (func $digit (param $bits i32) (result i32)
    (i32.load8_u offset=16384 (i32.and (local.get $bits) (i32.const 63)))))
