//! The Hallmark asset canister: the entry points, and nothing else.
//!
//! `candid/assets.did` says what each method does. `http.rs` answers browsers, `upload.rs` takes deploys,
//! `permissions.rs` decides who may do what.

mod http;
mod lifecycle;
mod permissions;
mod upload;

// Last, because it collects what the others export.
#[cfg(test)]
mod interface;
