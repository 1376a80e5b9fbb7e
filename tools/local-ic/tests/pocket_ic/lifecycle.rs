//! Canisters: made, filled, changed, stopped, given away and deleted.

use candid::Principal;
use pocket_ic::{CanisterSettings, ErrorCode, RejectCode};

use super::{add, counter, pocket_ic, someone, value, with_counter};

#[test]
fn the_first_canister_has_the_id_it_has_everywhere() {
    let pic = pocket_ic();
    assert_eq!(
        pic.create_canister().to_text(),
        "lxzze-o7777-77777-aaaaa-cai"
    );
    assert_eq!(
        pic.create_canister().to_text(),
        "lqy7q-dh777-77777-aaaaq-cai"
    );
}

#[test]
fn install_runs_init_with_its_argument() {
    let pic = pocket_ic();
    let canister = pic.create_canister();
    pic.install_canister(canister, counter(), 41u32.to_le_bytes().to_vec(), None);
    assert_eq!(add(&pic, canister), 42);
}

#[test]
fn a_canister_without_code_answers_nothing() {
    let pic = pocket_ic();
    let canister = pic.create_canister();
    let reject = pic
        .update_call(canister, Principal::anonymous(), "add", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterWasmModuleNotFound);
}

#[test]
fn an_upgrade_runs_post_upgrade_on_a_fresh_heap() {
    let (pic, canister) = with_counter();
    add(&pic, canister);
    pic.upgrade_canister(canister, counter(), vec![], None)
        .unwrap();
    assert_eq!(value(&pic, canister), 100);
}

#[test]
fn a_reinstall_begins_anew() {
    let (pic, canister) = with_counter();
    add(&pic, canister);
    let zero = 7u32.to_le_bytes().to_vec();
    pic.reinstall_canister(canister, counter(), zero, None)
        .unwrap();
    assert_eq!(value(&pic, canister), 7);
}

#[test]
fn code_that_is_no_code_is_refused() {
    let (pic, canister) = with_counter();
    add(&pic, canister);
    let reject = pic
        .upgrade_canister(canister, b"\0asm\x01\0\0\0!".to_vec(), vec![], None)
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterInvalidWasm);
    assert_eq!(value(&pic, canister), 1);
}

#[test]
fn large_code_goes_in_chunks() {
    let pic = pocket_ic();
    let canister = pic.create_canister();
    // The library chunks what is over two megabytes; a custom section is size
    // without work.
    let mut module = counter();
    let section = [b"\x03big".as_slice(), &vec![0x5a; 2_500_000]].concat();
    module.push(0);
    module.extend(leb128(section.len()));
    module.extend(section);
    pic.install_canister(canister, module, vec![], None);
    assert_eq!(add(&pic, canister), 1);
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn a_stopped_canister_answers_nothing_until_it_is_started() {
    let (pic, canister) = with_counter();
    pic.stop_canister(canister, None).unwrap();
    let reject = pic
        .update_call(canister, Principal::anonymous(), "add", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterStopped);
    let reject = pic
        .query_call(canister, Principal::anonymous(), "value", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterStopped);
    pic.start_canister(canister, None).unwrap();
    assert_eq!(add(&pic, canister), 1);
}

#[test]
fn deleting_takes_stopping_first() {
    let (pic, canister) = with_counter();
    let reject = pic.delete_canister(canister, None).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterNotStopped);
    pic.stop_canister(canister, None).unwrap();
    pic.delete_canister(canister, None).unwrap();
    assert!(!pic.canister_exists(canister));
    let reject = pic
        .update_call(canister, Principal::anonymous(), "add", vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterNotFound);
    assert_eq!(reject.reject_code, RejectCode::DestinationInvalid);
}

#[test]
fn only_controllers_manage() {
    let (pic, canister) = with_counter();
    assert_eq!(pic.get_controllers(canister), [Principal::anonymous()]);
    pic.set_controllers(canister, None, vec![someone()])
        .unwrap();
    assert_eq!(pic.get_controllers(canister), [someone()]);

    let reject = pic.stop_canister(canister, None).unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterInvalidController);
    let reject = pic
        .upgrade_canister(canister, counter(), vec![], None)
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterInvalidController);
    pic.upgrade_canister(canister, counter(), vec![], Some(someone()))
        .unwrap();
    assert_eq!(value(&pic, canister), 100);
}

#[test]
fn the_creator_may_name_other_controllers() {
    let pic = pocket_ic();
    let settings = CanisterSettings {
        controllers: Some(vec![someone(), Principal::anonymous()]),
        ..CanisterSettings::default()
    };
    let canister = pic.create_canister_with_settings(Some(someone()), Some(settings));
    let mut controllers = pic.get_controllers(canister);
    controllers.sort();
    let mut expected = [someone(), Principal::anonymous()];
    expected.sort();
    assert_eq!(controllers, expected);
}

#[test]
fn the_status_tells_what_a_canister_is() {
    let (pic, canister) = with_counter();
    let status = pic.canister_status(canister, None).unwrap();
    assert_eq!(format!("{:?}", status.status), "Running");
    assert_eq!(status.settings.controllers, [Principal::anonymous()]);
    assert!(status.module_hash.is_some());
    let hash = status.module_hash;

    pic.stop_canister(canister, None).unwrap();
    pic.uninstall_canister(canister, None).unwrap();
    let status = pic.canister_status(canister, None).unwrap();
    assert_eq!(format!("{:?}", status.status), "Stopped");
    assert_ne!(status.module_hash, hash);

    let reject = pic.canister_status(canister, Some(someone())).unwrap_err();
    assert_eq!(reject.reject_code, RejectCode::CanisterError);
}
