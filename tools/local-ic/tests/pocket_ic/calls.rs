//! Messages: sent, awaited, refused, rolled back.

use candid::Principal;
use pocket_ic::{ErrorCode, IngressStatusResult, RejectCode};

use super::{add, number, someone, value, with_counter};

#[test]
fn updates_change_and_queries_do_not() {
    let (pic, canister) = with_counter();
    assert_eq!(add(&pic, canister), 1);
    assert_eq!(add(&pic, canister), 2);
    let reply = pic.query_call(canister, Principal::anonymous(), "add_in_vain", vec![]);
    assert_eq!(number(&reply.unwrap()), 3);
    assert_eq!(value(&pic, canister), 2);
}

#[test]
fn a_query_called_as_an_update_changes_nothing_either() {
    let (pic, canister) = with_counter();
    let reply = pic.update_call(canister, Principal::anonymous(), "add_in_vain", vec![]);
    assert_eq!(number(&reply.unwrap()), 1);
    assert_eq!(value(&pic, canister), 0);
}

#[test]
fn a_trap_undoes_what_was_done_and_says_what_the_canister_said() {
    let (pic, canister) = with_counter();
    add(&pic, canister);
    let reject = pic
        .update_call(canister, Principal::anonymous(), "add_and_trap", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterCalledTrap);
    assert_eq!(reject.reject_code, RejectCode::CanisterError);
    assert!(reject.reject_message.contains("out of order"), "{reject:?}");
    assert!(
        reject.reject_message.contains(&canister.to_text()),
        "{reject:?}"
    );
    assert!(reject.certified);
    assert_eq!(value(&pic, canister), 1);
}

#[test]
fn a_reject_carries_the_canisters_words() {
    let (pic, canister) = with_counter();
    let reject = pic
        .update_call(canister, Principal::anonymous(), "refuse", vec![])
        .unwrap_err();
    assert_eq!(reject.reject_code, RejectCode::CanisterReject);
    assert_eq!(reject.error_code, ErrorCode::CanisterRejectedMessage);
    assert_eq!(reject.reject_message, "not today");
}

#[test]
fn silence_is_a_failure() {
    let (pic, canister) = with_counter();
    let reject = pic
        .update_call(canister, Principal::anonymous(), "silence", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterDidNotReply);
}

#[test]
fn a_missing_method_is_a_failure() {
    let (pic, canister) = with_counter();
    for reject in [
        pic.update_call(canister, Principal::anonymous(), "subtract", vec![])
            .unwrap_err(),
        pic.query_call(canister, Principal::anonymous(), "subtract", vec![])
            .unwrap_err(),
        pic.query_call(canister, Principal::anonymous(), "add", vec![])
            .unwrap_err(),
    ] {
        assert_eq!(reject.error_code, ErrorCode::CanisterMethodNotFound);
    }
}

#[test]
fn the_caller_is_the_sender() {
    let (pic, canister) = with_counter();
    let reply = pic
        .query_call(canister, someone(), "caller", vec![])
        .unwrap();
    assert_eq!(reply, someone().as_slice());
    let reply = pic
        .update_call(canister, someone(), "caller", vec![])
        .unwrap();
    assert_eq!(reply, someone().as_slice());
}

#[test]
fn a_submitted_call_waits_for_rounds() {
    let (pic, canister) = with_counter();
    let submit = || pic.submit_call(canister, someone(), "add", vec![]).unwrap();
    let (first, second) = (submit(), submit());
    assert_eq!(value(&pic, canister), 0);
    assert_eq!(pic.ingress_status(first.clone()), None);

    // Whoever waits for one message helps the others along.
    let replies = [
        pic.await_call(second.clone()),
        pic.await_call(first.clone()),
    ];
    let mut numbers = replies.map(|reply| number(&reply.unwrap()));
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    assert!(pic.ingress_status(first).unwrap().is_ok());

    let third = submit();
    pic.tick();
    assert_eq!(number(&pic.await_call_no_ticks(third).unwrap()), 3);
}

#[test]
fn the_status_of_a_message_is_its_senders_business() {
    let (pic, canister) = with_counter();
    let message = pic.submit_call(canister, someone(), "add", vec![]).unwrap();
    assert!(matches!(
        pic.ingress_status_as(message.clone(), someone()),
        IngressStatusResult::NotAvailable
    ));
    pic.await_call(message.clone()).unwrap();
    assert!(matches!(
        pic.ingress_status_as(message.clone(), someone()),
        IngressStatusResult::Success(Ok(_))
    ));
    assert!(matches!(
        pic.ingress_status_as(message, Principal::anonymous()),
        IngressStatusResult::Forbidden(_)
    ));
}

#[test]
fn a_call_to_nobody_is_refused_at_once() {
    let (pic, _) = with_counter();
    let nobody = Principal::from_text("lqy7q-dh777-77777-aaaaq-cai").unwrap();
    let reject = pic
        .submit_call(nobody, someone(), "add", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterNotFound);
    assert!(!reject.certified);
}
