//! The Hallmark asset canister: the entry points, and nothing else.
//!
//! `candid/assets.did` says what each method does. `http.rs` answers browsers, `assets.rs` shows what is stored,
//! `upload.rs` takes deploys, `proposals.rs` those by proposal, `operations.rs` single changes; `permissions.rs`
//! decides who may do what, and `configuration.rs` how much; `stages.rs` makes the next site beside the live one;
//! `releases.rs` shows what was, and goes back to it; `lock.rs` delays all that.

mod assets;
mod configuration;
mod http;
mod lifecycle;
mod lock;
mod operations;
mod permissions;
mod proposals;
mod releases;
mod stages;
mod upload;

// Last, because it collects what the others export.
#[cfg(test)]
mod interface;
