//! A canister written with `ic-cdk` and `ic-cdk-timers`, `tools/calling-canister`, that calls others.

use std::time::Duration;
use std::{env, fs};

use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{Principal, decode_args, encode_args};
use pocket_ic::{PocketIc, RejectResponse};

use super::{pocket_ic, someone};

fn module() -> Vec<u8> {
    let path = env::var("CALLING_CANISTER").unwrap_or_else(|_| {
        panic!("CALLING_CANISTER names no module; `cargo xtask test` builds one")
    });
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask test`"))
}

fn install(pic: &PocketIc) -> Principal {
    let canister = pic.create_canister();
    pic.add_cycles(canister, 10_000_000_000_000);
    pic.install_canister(canister, module(), vec![], None);
    canister
}

fn update<R: for<'a> ArgumentDecoder<'a>>(
    pic: &PocketIc,
    canister: Principal,
    method: &str,
    arguments: impl ArgumentEncoder,
) -> Result<R, RejectResponse> {
    let arguments = encode_args(arguments).unwrap();
    let reply = pic.update_call(canister, someone(), method, arguments)?;
    Ok(decode_args(&reply).unwrap())
}

fn query<R: for<'a> ArgumentDecoder<'a>>(
    pic: &PocketIc,
    canister: Principal,
    method: &str,
    arguments: impl ArgumentEncoder,
) -> R {
    let arguments = encode_args(arguments).unwrap();
    let reply = pic.query_call(canister, someone(), method, arguments);
    decode_args(&reply.unwrap()).unwrap()
}

type Relayed = (Result<String, String>,);

#[test]
fn canisters_await_each_other() {
    let pic = pocket_ic();
    let (one, other) = (install(&pic), install(&pic));
    for callee in [one, other] {
        for method in ["echo", "look"] {
            let (answer,): Relayed = update(&pic, one, "relay", (callee, method, "hello")).unwrap();
            assert_eq!(answer.as_deref(), Ok("hello"));
        }
        let (answer,): Relayed = query(&pic, one, "ask", (callee, "look", "hello"));
        assert_eq!(answer.as_deref(), Ok("hello"));
    }
}

#[test]
fn rejects_arrive_with_their_code_and_words() {
    let pic = pocket_ic();
    let (one, other) = (install(&pic), install(&pic));
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 0, 0x20, 0, 1, 1, 1]);
    for (callee, method, words) in [
        (other, "refuse", "4: not today"),
        (other, "missing", "5: "),
        (nobody, "echo", "3: "),
    ] {
        let (answer,): Relayed = update(&pic, one, "relay", (callee, method, "")).unwrap();
        let error = answer.unwrap_err();
        assert!(error.starts_with(words), "{error}");
    }
    pic.stop_canister(other, None).unwrap();
    let (answer,): Relayed = update(&pic, one, "relay", (other, "echo", "")).unwrap();
    let error = answer.unwrap_err();
    assert!(error.starts_with("5: "), "{error}");
}

#[test]
fn cycles_are_taken_or_come_back() {
    let pic = pocket_ic();
    let (one, other) = (install(&pic), install(&pic));
    let before = pic.cycle_balance(other);
    let (taken,): (u128,) = update(&pic, one, "pay", (other, 2_000_000_000_000u128)).unwrap();
    assert_eq!(taken, 1_000_000_000_000);
    // Executing may cost something, but nothing like that.
    let gained = pic.cycle_balance(other) - before;
    assert!((900_000_000_000..=taken).contains(&gained), "{gained}");
}

#[test]
fn the_management_canister_answers_canisters() {
    let pic = pocket_ic();
    let canister = install(&pic);
    let random = || {
        update::<(Vec<u8>,)>(&pic, canister, "random", ())
            .unwrap()
            .0
    };
    let (one, other) = (random(), random());
    assert_eq!(one.len(), 32);
    assert_ne!(one, other);

    let cycles = 2_000_000_000_000u128;
    let (spawned,): (Principal,) = update(&pic, canister, "spawn", (cycles,)).unwrap();
    assert_eq!(pic.get_controllers(spawned), [canister]);
    assert_eq!(pic.cycle_balance(spawned), cycles);
}

#[test]
fn a_panic_after_a_call_keeps_what_was_before_and_drops_what_is_held() {
    let pic = pocket_ic();
    let canister = install(&pic);
    for round in 1..=2 {
        let reject = update::<()>(&pic, canister, "panic_later", ()).unwrap_err();
        assert!(reject.reject_message.contains("too late"), "{reject:?}");
        let progress: (u32, u32, bool) = query(&pic, canister, "progress", ());
        assert_eq!(progress, (round, 0, false));
    }
}

#[test]
fn timers_repeat_and_a_panic_of_one_is_its_own() {
    let pic = pocket_ic();
    let canister = install(&pic);
    let (): () = update(&pic, canister, "tick_every", (10u64,)).unwrap();
    let (): () = update(&pic, canister, "panic_in", (15u64,)).unwrap();
    let ticks = || query::<(u32,)>(&pic, canister, "ticks", ()).0;
    pic.tick();
    assert_eq!(ticks(), 0);
    for round in 1..=4 {
        pic.advance_time(Duration::from_secs(10));
        // The timer, its calls and its next setting may take a round each.
        (0..5).for_each(|_| pic.tick());
        assert_eq!(ticks(), round);
    }
}
