//! `candid/assets.did` is what the code exports.

use candid::Principal;
use candid_parser::utils::{CandidSource, service_equal};
use ic_hallmark::api::*;
use serde_bytes::ByteBuf;

candid::export_service!();

#[test]
fn the_interface_file_is_equal_to_the_code() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../candid/assets.did");
    service_equal(
        CandidSource::Text(&__export_service()),
        CandidSource::File(&file),
    )
    .unwrap();
}
