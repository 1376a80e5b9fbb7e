//! Rejects, as agents read them.

use ic_transport_types::{RejectCode, RejectResponse};

use crate::Reject;

/// The fields of a reject; the error code is the text `IC0nnn`.
pub(super) fn response(reject: Reject) -> RejectResponse {
    use crate::RejectCode as Ours;
    RejectResponse {
        reject_code: match reject.reject_code() {
            Ours::SysFatal => RejectCode::SysFatal,
            // No agent knows the code for "unknown", which only calls between
            // canisters end in.
            Ours::SysTransient | Ours::SysUnknown => RejectCode::SysTransient,
            Ours::DestinationInvalid => RejectCode::DestinationInvalid,
            Ours::CanisterReject => RejectCode::CanisterReject,
            Ours::CanisterError => RejectCode::CanisterError,
        },
        error_code: Some(reject.error_code.to_string()),
        reject_message: reject.message,
    }
}
