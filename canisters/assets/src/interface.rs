//! `candid/assets.did` is what the code exports.

use candid::{Principal, candid_method};
use candid_parser::utils::{CandidSource, service_equal};
use ic_hallmark::api::*;

/// Methods that read their argument off the wire themselves, as they would be declared.
#[expect(dead_code, reason = "declarations are exported, not called")]
mod declared {
    use super::*;

    #[candid_method(update)]
    fn commit_batch(_: CommitBatchArguments) {}

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
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../candid/assets.did");
    service_equal(
        CandidSource::Text(&__export_service()),
        CandidSource::File(&file),
    )
    .unwrap();
}
