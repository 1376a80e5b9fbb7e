//! Time: it stands still, moves when told to, and follows the real one on
//! request.

use std::time::{Duration, SystemTime};

use candid::Principal;
use pocket_ic::{PocketIc, Time};

use super::{pocket_ic, with_counter};

const START: u64 = 1_620_328_630_000_000_000;

fn now(pic: &PocketIc) -> u64 {
    pic.get_time().as_nanos_since_unix_epoch()
}

fn seen_by(pic: &PocketIc, canister: Principal) -> u64 {
    let reply = pic
        .query_call(canister, Principal::anonymous(), "time", vec![])
        .unwrap();
    u64::from_le_bytes(reply.try_into().unwrap())
}

#[test]
fn an_instance_begins_on_6_may_2021() {
    assert_eq!(now(&pocket_ic()) / 1000, START / 1000);
}

#[test]
fn ticks_take_a_nanosecond() {
    let pic = pocket_ic();
    let before = now(&pic);
    pic.tick();
    assert_eq!(now(&pic), before + 1);
}

#[test]
fn time_is_what_it_is_set_to() {
    let (pic, canister) = with_counter();
    pic.advance_time(Duration::from_secs(3600));
    let later = now(&pic) + 7;
    pic.set_time(Time::from_nanos_since_unix_epoch(later));
    assert_eq!(now(&pic), later);
    pic.set_certified_time(Time::from_nanos_since_unix_epoch(later + 1));
    assert_eq!(now(&pic), later + 1);
    assert!(seen_by(&pic, canister) >= later);
}

#[test]
#[should_panic(expected = "SettingTimeIntoPast")]
fn time_does_not_run_backwards() {
    pocket_ic().set_time(Time::from_nanos_since_unix_epoch(START - 1));
}

#[test]
fn a_live_instance_follows_the_real_clock() {
    let (pic, canister) = with_counter();
    let before: Time = SystemTime::now().into();
    assert!(!pic.auto_progress_enabled());
    pic.auto_progress();
    assert!(pic.auto_progress_enabled());
    assert!(now(&pic) >= before.as_nanos_since_unix_epoch());
    assert!(seen_by(&pic, canister) >= before.as_nanos_since_unix_epoch());

    // It executes rounds by itself, so this ends.
    let message = pic
        .submit_call(canister, Principal::anonymous(), "add", vec![])
        .unwrap();
    pic.await_call_no_ticks(message).unwrap();
    pic.stop_progress();
    assert!(!pic.auto_progress_enabled());
}
