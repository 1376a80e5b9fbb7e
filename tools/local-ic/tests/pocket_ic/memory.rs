//! What a test sees of a canister without asking it: cycles, stable memory,
//! logs.

use std::io::Write;

use candid::Principal;
use flate2::Compression;
use flate2::write::GzEncoder;
use pocket_ic::common::rest::BlobCompression;

use super::{counter, pocket_ic, someone, with_counter};

#[test]
fn cycles_are_counted_beyond_64_bits() {
    let pic = pocket_ic();
    let canister = pic.create_canister();
    let before = pic.cycle_balance(canister);
    assert_eq!(before, 100_000_000_000_000);
    let plenty = 1u128 << 100;
    assert_eq!(pic.add_cycles(canister, plenty), before + plenty);
    assert_eq!(pic.cycle_balance(canister), before + plenty);
}

#[test]
#[should_panic(expected = "lqy7q-dh777-77777-aaaaq-cai")]
fn a_canister_that_does_not_exist_has_no_cycles() {
    let pic = pocket_ic();
    pic.create_canister();
    pic.cycle_balance(Principal::from_text("lqy7q-dh777-77777-aaaaq-cai").unwrap());
}

#[test]
fn stable_memory_outlives_an_upgrade() {
    let (pic, canister) = with_counter();
    assert!(pic.get_stable_memory(canister).is_empty());
    let update = |method, argument: &[u8]| {
        pic.update_call(canister, Principal::anonymous(), method, argument.to_vec())
            .unwrap()
    };
    update("store", b"remember");
    pic.upgrade_canister(canister, counter(), vec![], None)
        .unwrap();
    assert_eq!(update("stored", b""), b"remember");
    assert!(pic.get_stable_memory(canister).starts_with(b"remember\0"));
}

#[test]
fn stable_memory_can_be_replaced() {
    let (pic, canister) = with_counter();
    let stored = || {
        pic.query_call(canister, Principal::anonymous(), "stored", vec![])
            .unwrap()
    };

    pic.set_stable_memory(
        canister,
        b"from out".to_vec(),
        BlobCompression::NoCompression,
    );
    assert_eq!(stored(), b"from out");

    let mut gzip = GzEncoder::new(vec![], Compression::default());
    gzip.write_all(&b"squeezed".repeat(100_000)).unwrap();
    pic.set_stable_memory(canister, gzip.finish().unwrap(), BlobCompression::Gzip);
    assert_eq!(stored(), b"squeezed");
    assert!(
        pic.get_stable_memory(canister)
            .starts_with(&b"squeezed".repeat(100_000))
    );
}

#[test]
fn prints_are_logged_for_controllers() {
    let (pic, canister) = with_counter();
    let print = |text: &[u8]| {
        pic.update_call(canister, someone(), "print", text.to_vec())
            .unwrap();
    };
    print(b"one");
    print(b"two");
    let logs = pic
        .fetch_canister_logs(canister, Principal::anonymous())
        .unwrap();
    let texts: Vec<_> = logs.iter().map(|record| &*record.content).collect();
    assert_eq!(texts, [&b"one"[..], b"two"]);
    assert!(pic.fetch_canister_logs(canister, someone()).is_err());
}
