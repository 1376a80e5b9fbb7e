//! The unmodified `icp` tool deploys to local-ic.
//!
//! It is the program `ICP_BIN`, and what it deploys is in the folder
//! `HALLMARK_CANISTERS`; `cargo xtask test` sees to both.

mod connected;
#[path = "../http/mod.rs"]
mod http;
mod managed;
mod network;
mod project;
