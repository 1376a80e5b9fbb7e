//! A canister that calls others, itself and the management canister, and sets timers, in the ways that `ic-cdk`
//! offers: what works for it on a network works for canisters written with that library.

use std::cell::Cell;
use std::time::Duration;

use candid::Principal;
use ic_cdk::api;
use ic_cdk::call::{Call, CallFailed, Error};
use ic_cdk::{query, update};
use ic_cdk_management_canister::{CreateCanisterArgs, create_canister_with_extra_cycles, raw_rand};

thread_local! {
    static BEGUN: Cell<u32> = const { Cell::new(0) };
    static ENDED: Cell<u32> = const { Cell::new(0) };
    static LOCKED: Cell<bool> = const { Cell::new(false) };
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

/// Holds the lock while it lives.
struct Lock;

impl Lock {
    fn take() -> Lock {
        assert!(!LOCKED.replace(true), "locked");
        Lock
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        LOCKED.set(false);
    }
}

#[update]
fn echo(text: String) -> String {
    text
}

#[query]
fn look(text: String) -> String {
    text
}

#[update(manual_reply = true)]
fn refuse(text: String) {
    let _ = text;
    api::msg_reject("not today");
}

/// Accepts half of the cycles that come with the call; how many.
#[update]
fn take_half(text: String) -> u128 {
    let _ = text;
    api::msg_cycles_accept(api::msg_cycles_available() / 2)
}

/// Calls a method of another canister, waiting with and without bound, for the same answer.
#[update]
async fn relay(canister: Principal, method: String, text: String) -> Result<String, String> {
    let bounded = Call::bounded_wait(canister, &method).with_arg(&text).await;
    let bounded: String = reply(bounded)?;
    let unbounded = Call::unbounded_wait(canister, &method)
        .with_arg(&text)
        .await;
    let unbounded: String = reply(unbounded)?;
    assert_eq!(bounded, unbounded);
    Ok(bounded)
}

/// As `relay`, from a query.
#[query(composite = true)]
async fn ask(canister: Principal, method: String, text: String) -> Result<String, String> {
    reply(Call::bounded_wait(canister, &method).with_arg(&text).await)
}

fn reply<T: candid::CandidType + for<'de> candid::Deserialize<'de>>(
    result: Result<ic_cdk::call::Response, CallFailed>,
) -> Result<T, String> {
    match result {
        Ok(response) => response.candid().map_err(|error| error.to_string()),
        Err(CallFailed::CallRejected(reject)) => Err(format!(
            "{}: {}",
            reject.raw_reject_code(),
            reject.reject_message()
        )),
        Err(error) => Err(Error::from(error).to_string()),
    }
}

/// Sends cycles to `take_half` of a canister; how many of them were taken.
#[update]
async fn pay(canister: Principal, cycles: u128) -> u128 {
    let call = Call::unbounded_wait(canister, "take_half")
        .with_arg("")
        .with_cycles(cycles);
    let response = call.await.expect("the call is answered");
    response.candid().expect("the answer is a number")
}

#[update]
async fn random() -> Vec<u8> {
    raw_rand().await.expect("there is randomness")
}

/// Creates a canister and gives it this many cycles.
#[update]
async fn spawn(cycles: u128) -> Principal {
    let arguments = CreateCanisterArgs::default();
    let created = create_canister_with_extra_cycles(&arguments, cycles).await;
    created.expect("the canister can be created").canister_id
}

/// Takes the lock, waits for an answer and panics with the lock in hand.
#[update]
async fn panic_later() {
    let _lock = Lock::take();
    BEGUN.set(BEGUN.get() + 1);
    Call::unbounded_wait(api::canister_self(), "echo")
        .with_arg("")
        .await
        .expect("an echo answers");
    ENDED.set(ENDED.get() + 1);
    panic!("too late");
}

/// How often `panic_later` began, ended, and whether it holds the lock.
#[query]
fn progress() -> (u32, u32, bool) {
    (BEGUN.get(), ENDED.get(), LOCKED.get())
}

/// Counts every so many seconds from now on, with a call in between.
#[update]
fn tick_every(seconds: u64) {
    ic_cdk_timers::set_timer_interval(Duration::from_secs(seconds), async || {
        Call::bounded_wait(api::canister_self(), "echo")
            .with_arg("")
            .await
            .expect("an echo answers");
        TICKS.set(TICKS.get() + 1);
    });
}

/// Panics once, so many seconds from now.
#[update]
fn panic_in(seconds: u64) {
    ic_cdk_timers::set_timer(Duration::from_secs(seconds), async {
        panic!("out of time")
    });
}

#[query]
fn ticks() -> u32 {
    TICKS.get()
}
