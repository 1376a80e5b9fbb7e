//! The management canister: life of a canister, code, rights.

use std::io::Write;

use candid::{CandidType, Decode, Encode, Nat, Principal};
use ic_management_canister_types::*;
use local_ic::{Effective, ErrorCode, Ingress, InstallMode, Network, Reject};

use crate::{caller, install, installed, manage, module, network, number, query, stranger, update};

const NOTHING: &[u8] = b"DIDL\0\0";

fn create(
    network: &mut Network,
    args: &ProvisionalCreateCanisterWithCyclesArgs,
) -> Result<Principal, Reject> {
    let method = "provisional_create_canister_with_cycles";
    let reply = manage(network, caller(), method, args)?;
    Ok(Decode!(&reply, CanisterIdRecord).unwrap().canister_id)
}

fn creation() -> ProvisionalCreateCanisterWithCyclesArgs {
    ProvisionalCreateCanisterWithCyclesArgs {
        amount: None,
        settings: None,
        specified_id: None,
        sender_canister_version: None,
    }
}

fn id(canister_id: Principal) -> CanisterIdRecord {
    CanisterIdRecord { canister_id }
}

fn status(network: &mut Network, canister: Principal) -> CanisterStatusResult {
    let reply = manage(network, caller(), "canister_status", &id(canister)).unwrap();
    Decode!(&reply, CanisterStatusResult).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Reject>) -> ErrorCode {
    result.unwrap_err().error_code
}

#[test]
fn canisters_are_created_as_asked() {
    let mut network = network();
    let first = create(&mut network, &creation()).unwrap();
    assert_eq!(first.to_text(), "lxzze-o7777-77777-aaaaa-cai");
    assert_eq!(network.cycles(first), Some(100_000_000_000_000));
    assert_eq!(network.controllers(first), Some(vec![caller()]));

    let args = ProvisionalCreateCanisterWithCyclesArgs {
        amount: Some(7u8.into()),
        settings: Some(CanisterSettings {
            controllers: Some(vec![stranger(), caller()]),
            freezing_threshold: Some(0u8.into()),
            ..CanisterSettings::default()
        }),
        ..creation()
    };
    let second = create(&mut network, &args).unwrap();
    assert_eq!(second.to_text(), "lqy7q-dh777-77777-aaaaq-cai");
    let status = status(&mut network, second);
    assert_eq!(
        (status.cycles, status.settings.controllers.len()),
        (7u8.into(), 2)
    );
    assert_eq!(status.settings.freezing_threshold, Nat::from(0u8));
    assert_eq!(
        (status.status, status.module_hash),
        (CanisterStatusType::Running, None)
    );
}

#[test]
fn an_id_asked_for_must_belong_here_and_be_free() {
    let mut network = network();
    let third = Principal::from_slice(&[255, 255, 255, 255, 255, 224, 0, 2, 1, 1]);
    let args = |id| ProvisionalCreateCanisterWithCyclesArgs {
        specified_id: Some(id),
        ..creation()
    };
    assert_eq!(create(&mut network, &args(third)).unwrap(), third);
    assert_eq!(
        code(create(&mut network, &args(third))),
        ErrorCode::CanisterIdAlreadyExists
    );
    let elsewhere = Principal::from_text("ryjl3-tyaaa-aaaaa-aaaba-cai").unwrap();
    assert_eq!(
        code(create(&mut network, &args(elsewhere))),
        ErrorCode::CanisterNotHostedBySubnet
    );
    for _ in 0..3 {
        assert_ne!(create(&mut network, &creation()).unwrap(), third);
    }
}

#[test]
fn only_controllers_manage() {
    let (mut network, canister) = installed("");
    for method in [
        "canister_status",
        "stop_canister",
        "delete_canister",
        "uninstall_code",
        "stored_chunks",
    ] {
        let reject = manage(&mut network, stranger(), method, &id(canister)).unwrap_err();
        assert_eq!(reject.error_code, ErrorCode::CanisterInvalidController);
        assert_eq!(
            reject.message,
            format!("Only controllers of canister {canister} can call ic00 method {method}")
        );
    }
    let result = network.install(
        stranger(),
        canister,
        InstallMode::Reinstall,
        module(""),
        vec![],
    );
    assert_eq!(code(result), ErrorCode::CanisterInvalidController);
    let top_up = ProvisionalTopUpCanisterArgs {
        canister_id: canister,
        amount: 5u8.into(),
    };
    let method = "provisional_top_up_canister";
    assert_eq!(
        manage(&mut network, stranger(), method, &top_up).unwrap(),
        NOTHING
    );
    assert_eq!(network.cycles(canister), Some(100_000_000_000_005));
}

#[test]
fn methods_that_do_not_exist_or_not_here_are_refused_by_name() {
    let mut network = network();
    for (method, expected, text) in [
        (
            "missing",
            ErrorCode::CanisterMethodNotFound,
            "has no method 'missing'",
        ),
        (
            "raw_rand",
            ErrorCode::CanisterRejectedMessage,
            "Only canisters can call",
        ),
        (
            "sign_with_ecdsa",
            ErrorCode::UnknownManagementMessage,
            "not supported by local-ic",
        ),
    ] {
        let reject = manage(&mut network, caller(), method, &()).unwrap_err();
        assert_eq!(reject.error_code, expected, "{method}");
        assert!(reject.message.contains(text), "{reject}");
    }
    let malformed = network.update(
        caller(),
        Principal::management_canister(),
        "canister_status",
        b"not candid".to_vec(),
    );
    assert_eq!(code(malformed), ErrorCode::InvalidManagementPayload);
}

#[test]
fn a_stopped_canister_answers_nobody_and_can_be_deleted() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update m") (call $msg_reply))
           (func (export "canister_query q") (call $msg_reply))"#,
    );
    assert_eq!(
        code(manage(
            &mut network,
            caller(),
            "delete_canister",
            &id(canister)
        )),
        ErrorCode::CanisterNotStopped
    );
    assert_eq!(
        manage(&mut network, caller(), "stop_canister", &id(canister)).unwrap(),
        NOTHING
    );
    assert_eq!(
        status(&mut network, canister).status,
        CanisterStatusType::Stopped
    );
    assert_eq!(
        code(update(&mut network, canister, "m")),
        ErrorCode::CanisterStopped
    );
    assert_eq!(
        code(query(&mut network, canister, "q")),
        ErrorCode::CanisterStopped
    );
    manage(&mut network, caller(), "start_canister", &id(canister)).unwrap();
    update(&mut network, canister, "m").unwrap();
    manage(&mut network, caller(), "stop_canister", &id(canister)).unwrap();
    manage(&mut network, caller(), "delete_canister", &id(canister)).unwrap();
    assert!(!network.canister_exists(canister));
    assert_eq!(network.subnet_of(canister), None);
    assert_eq!(
        code(update(&mut network, canister, "m")),
        ErrorCode::CanisterNotFound
    );
}

#[test]
fn install_modes_have_their_conditions() {
    let (mut network, canister) = installed("");
    let again = install(&mut network, canister, InstallMode::Install, "");
    assert_eq!(code(again), ErrorCode::CanisterAlreadyInstalled);
    let empty = network.create_canister(caller());
    let upgrade = install(&mut network, empty, InstallMode::Upgrade(None), "");
    assert_eq!(code(upgrade), ErrorCode::CanisterWasmModuleNotFound);
    let invalid = network.install(
        caller(),
        empty,
        InstallMode::Install,
        b"\0asm junk".to_vec(),
        vec![],
    );
    assert_eq!(code(invalid), ErrorCode::CanisterInvalidWasm);
    let bad_type =
        wat::parse_str(r#"(module (func (export "canister_update m") (param i32)))"#).unwrap();
    let invalid = network.install(caller(), empty, InstallMode::Install, bad_type, vec![]);
    assert_eq!(code(invalid), ErrorCode::CanisterInvalidWasm);
    let unknown = wat::parse_str(r#"(module (import "ic0" "unheard_of" (func)))"#).unwrap();
    let reject = network
        .install(caller(), empty, InstallMode::Install, unknown, vec![])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterInvalidWasm);
    assert!(reject.message.contains("unheard_of"), "{reject}");
}

/// A heap and stable memory to look at, and a timer and a version.
const KEEPER: &str = r#"
    (global $global (mut i32) (i32.const 1))
    (func (export "canister_update keep")
        (i32.store (i32.const 100) (i32.const 7)) (global.set $global (i32.const 7))
        (drop (call $stable64_grow (i64.const 1)))
        (call $stable64_write (i64.const 0) (i64.const 100) (i64.const 1))
        (drop (call $global_timer_set (i64.const 1)))
        (call $msg_reply))
    (func (export "canister_query heap") (call $reply32 (i32.load (i32.const 100))))
    (func (export "canister_query global") (call $reply32 (global.get $global)))
    (func (export "canister_query stable")
        (call $stable64_read (i64.const 200) (i64.const 0) (i64.const 1))
        (call $reply32 (i32.load8_u (i32.const 200))))
    (func (export "canister_query version") (call $reply64 (call $canister_version)))
"#;

#[test]
fn an_upgrade_keeps_stable_memory_and_a_reinstall_nothing() {
    let (mut network, canister) = installed(KEEPER);
    let look =
        |network: &mut Network, what| query(network, canister, what).map(|reply| number(&reply));
    update(&mut network, canister, "keep").unwrap();
    let version = look(&mut network, "version").unwrap();
    install(&mut network, canister, InstallMode::Upgrade(None), KEEPER).unwrap();
    assert_eq!(look(&mut network, "heap"), Ok(0));
    assert_eq!(look(&mut network, "global"), Ok(1));
    assert_eq!(look(&mut network, "stable"), Ok(7));
    assert_eq!(look(&mut network, "version"), Ok(version + 1));

    update(&mut network, canister, "keep").unwrap();
    let keep = UpgradeFlags {
        skip_pre_upgrade: None,
        wasm_memory_persistence: Some(WasmMemoryPersistence::Keep),
    };
    install(
        &mut network,
        canister,
        InstallMode::Upgrade(Some(keep)),
        KEEPER,
    )
    .unwrap();
    assert_eq!(look(&mut network, "heap"), Ok(7));
    assert_eq!(look(&mut network, "global"), Ok(1));

    install(&mut network, canister, InstallMode::Reinstall, KEEPER).unwrap();
    assert_eq!(look(&mut network, "heap"), Ok(0));
    assert!(look(&mut network, "stable").is_err());
    assert_eq!(network.stable_memory(canister), Some(vec![]));
}

#[test]
fn pre_upgrade_writes_what_post_upgrade_reads_and_can_be_skipped() {
    let functions = r#"
        (func (export "canister_pre_upgrade")
            (drop (call $stable64_grow (i64.const 1)))
            (call $stable64_write (i64.const 0) (i64.const 0) (i64.const 4)))
        (func (export "canister_post_upgrade")
            (if (i64.gt_u (call $stable64_size) (i64.const 0))
                (then (call $stable64_read (i64.const 100) (i64.const 0) (i64.const 4)))))
        (func (export "canister_query seen")
            (call $msg_reply_data_append (i32.const 100) (i32.const 4)) (call $msg_reply))"#;
    let (mut network, canister) = installed(functions);
    let skip = UpgradeFlags {
        skip_pre_upgrade: Some(true),
        wasm_memory_persistence: None,
    };
    install(
        &mut network,
        canister,
        InstallMode::Upgrade(Some(skip)),
        functions,
    )
    .unwrap();
    assert_eq!(query(&mut network, canister, "seen").unwrap(), [0; 4]);
    install(
        &mut network,
        canister,
        InstallMode::Upgrade(None),
        functions,
    )
    .unwrap();
    assert_eq!(query(&mut network, canister, "seen").unwrap(), b"text");
}

#[test]
fn a_module_can_come_gzipped_and_in_chunks() {
    let wasm = module(r#"(func (export "canister_query q") (call $msg_reply))"#);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&wasm).unwrap();
    let gzipped = gzip.finish().unwrap();

    let mut network = network();
    let canister = network.create_canister(caller());
    let mut chunk_hashes_list = Vec::new();
    for chunk in gzipped.chunks(1000) {
        let args = UploadChunkArgs {
            canister_id: canister,
            chunk: chunk.to_vec(),
        };
        let reply = manage(&mut network, caller(), "upload_chunk", &args).unwrap();
        chunk_hashes_list.push(Decode!(&reply, ChunkHash).unwrap());
    }
    let hash = |bytes: &[u8]| <sha2::Sha256 as sha2::Digest>::digest(bytes).to_vec();
    let mut args = InstallChunkedCodeArgs {
        mode: InstallMode::Install,
        target_canister: canister,
        store_canister: None,
        chunk_hashes_list,
        wasm_module_hash: hash(&wasm),
        arg: vec![],
        sender_canister_version: None,
    };
    let wrong = manage(&mut network, caller(), "install_chunked_code", &args).unwrap_err();
    assert!(wrong.message.contains("does not match"), "{wrong}");
    args.wasm_module_hash = hash(&gzipped);
    manage(&mut network, caller(), "install_chunked_code", &args).unwrap();
    // The hash is of what was uploaded.
    assert_eq!(
        status(&mut network, canister).module_hash,
        Some(hash(&gzipped))
    );
    query(&mut network, canister, "q").unwrap();

    let reply = manage(&mut network, caller(), "stored_chunks", &id(canister)).unwrap();
    assert!(!Decode!(&reply, Vec<ChunkHash>).unwrap().is_empty());
    manage(&mut network, caller(), "clear_chunk_store", &id(canister)).unwrap();
    let reply = manage(&mut network, caller(), "stored_chunks", &id(canister)).unwrap();
    assert!(Decode!(&reply, Vec<ChunkHash>).unwrap().is_empty());
}

#[test]
fn install_code_is_a_message_like_others() {
    let mut network = network();
    let canister = network.create_canister(caller());
    let args = InstallCodeArgs {
        mode: InstallMode::Install,
        canister_id: canister,
        wasm_module: module(""),
        arg: vec![],
        sender_canister_version: None,
    };
    let (message, effective) = network
        .submit(Ingress {
            sender: caller(),
            canister_id: Principal::management_canister(),
            effective: Effective::Canister(canister),
            method: "install_code".into(),
            payload: Encode!(&args).unwrap(),
        })
        .unwrap();
    assert_eq!(effective, Effective::Canister(canister));
    assert_eq!(network.module_hash(canister), None);
    network.round();
    let status = network.ingress_status(&message);
    assert_eq!(
        status,
        Some(local_ic::IngressStatus::Done(Ok(NOTHING.to_vec())))
    );
    assert!(network.module_hash(canister).is_some());
}

#[test]
fn uninstalling_leaves_an_empty_canister() {
    let (mut network, canister) = installed(KEEPER);
    update(&mut network, canister, "keep").unwrap();
    manage(&mut network, caller(), "uninstall_code", &id(canister)).unwrap();
    assert_eq!(
        code(update(&mut network, canister, "keep")),
        ErrorCode::CanisterWasmModuleNotFound
    );
    assert_eq!(network.stable_memory(canister), Some(vec![]));
    install(&mut network, canister, InstallMode::Install, KEEPER).unwrap();
}

#[test]
fn logs_hold_what_was_printed_and_how_it_trapped() {
    let (mut network, canister) = installed(
        r#"(func (export "canister_update say") (call $debug_print (i32.const 0) (i32.const 4)) (call $msg_reply))
           (func (export "canister_update cry")
                (call $debug_print (i32.const 0) (i32.const 2)) (call $trap (i32.const 0) (i32.const 4)))
           (func (export "canister_query whisper") (call $debug_print (i32.const 0) (i32.const 3)) (call $msg_reply))"#,
    );
    update(&mut network, canister, "say").unwrap();
    let reject = update(&mut network, canister, "cry").unwrap_err();
    assert_eq!(
        reject.message,
        format!("Error from Canister {canister}: Canister called `ic0.trap` with message: 'text'.")
    );
    query(&mut network, canister, "whisper").unwrap();

    let logs = |network: &mut Network, who| {
        let argument = Encode!(&id(canister)).unwrap();
        let management = Principal::management_canister();
        network.query(who, management, "fetch_canister_logs", argument)
    };
    let reply = logs(&mut network, caller()).unwrap();
    let lines: Vec<(u64, Vec<u8>)> = Decode!(&reply, FetchCanisterLogsResult)
        .unwrap()
        .canister_log_records
        .into_iter()
        .map(|record| (record.idx, record.content))
        .collect();
    let expected: [(u64, &[u8]); 3] = [(0, b"text"), (1, b"te"), (2, b"[TRAP]: text")];
    assert_eq!(lines, expected.map(|(index, line)| (index, line.to_vec())));
    assert_eq!(
        code(logs(&mut network, stranger())),
        ErrorCode::CanisterRejectedMessage
    );

    install(&mut network, canister, InstallMode::Reinstall, "").unwrap();
    let reply = logs(&mut network, caller()).unwrap();
    assert!(
        Decode!(&reply, FetchCanisterLogsResult)
            .unwrap()
            .canister_log_records
            .is_empty()
    );
}

#[test]
fn status_measures_memory() {
    let (mut network, canister) = installed(KEEPER);
    update(&mut network, canister, "keep").unwrap();
    let metrics = status(&mut network, canister).memory_metrics;
    assert_eq!(metrics.wasm_memory_size, Nat::from(65_536u32));
    assert_eq!(metrics.stable_memory_size, Nat::from(65_536u32));
    assert_eq!(metrics.wasm_binary_size, Nat::from(module(KEEPER).len()));
}

#[test]
fn older_clients_may_say_less() {
    #[derive(CandidType)]
    struct OldSettings {
        controllers: Option<Vec<Principal>>,
    }
    #[derive(CandidType)]
    struct OldUpdateSettings {
        canister_id: Principal,
        settings: OldSettings,
    }

    let (mut network, canister) = installed("");
    let args = OldUpdateSettings {
        canister_id: canister,
        settings: OldSettings {
            controllers: Some(vec![stranger()]),
        },
    };
    manage(&mut network, caller(), "update_settings", &args).unwrap();
    assert_eq!(network.controllers(canister), Some(vec![stranger()]));
}

#[test]
fn stable_memory_can_be_replaced() {
    let (mut network, canister) = installed(KEEPER);
    assert!(network.set_stable_memory(canister, &[5]));
    assert_eq!(number(&query(&mut network, canister, "stable").unwrap()), 5);
    assert_eq!(network.stable_memory(canister).unwrap().len(), 65_536);
    assert!(!network.set_stable_memory(caller(), &[5]));
}
