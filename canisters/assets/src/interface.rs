//! `candid/assets.did` is what the code exports, and serves every client of the asset canister of dfx.

use candid::{Principal, candid_method, types::subtype::subtype};
use candid_parser::utils::{CandidSource, instantiate_candid, service_compatible, service_equal};
use ic_hallmark::api::*;
use serde_bytes::ByteBuf;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Methods that read their argument off the wire themselves, as they would be declared.
#[expect(dead_code, reason = "declarations are exported, not called")]
mod declared {
    use super::*;

    #[candid_method(update)]
    fn commit_batch(_: CommitBatchArguments) {}

    #[candid_method(update)]
    fn propose_commit_batch(_: CommitBatchArguments) {}

    #[candid_method(update)]
    fn fill_stage(_: FillStageArguments) {}

    #[candid_method(query)]
    fn http_request(_: HttpRequest) -> HttpResponse {
        unreachable!()
    }

    #[candid_method(update)]
    fn http_request_update(_: HttpRequest) -> HttpResponse {
        unreachable!()
    }
}

candid::export_service!();

#[test]
fn the_interface_file_is_equal_to_the_code() {
    service_equal(
        CandidSource::Text(&__export_service()),
        CandidSource::File(&file("candid/assets.did")),
    )
    .unwrap();
}

#[test]
fn clients_of_the_asset_canister_of_dfx_need_no_other() {
    let (ours, theirs) = (file("candid/assets.did"), file("tests/legacy.did"));
    let (ours, theirs) = (CandidSource::File(&ours), CandidSource::File(&theirs));
    service_compatible(ours, theirs).unwrap();
}

#[test]
fn arguments_for_the_canister_of_dfx_install_this_one() {
    let init = |path: &str| instantiate_candid(CandidSource::File(&file(path))).unwrap();
    let (ours, (mut types, _)) = init("candid/assets.did");
    let (theirs, (their_types, _)) = init("tests/legacy.did");
    let theirs = types.merge_type(their_types, theirs[0].clone());
    subtype(&mut HashSet::new(), &types, &theirs, &ours[0]).unwrap();
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}
