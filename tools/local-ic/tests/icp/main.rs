//! The unmodified `icp` tool deploys to local-ic.
//!
//! It is the program `ICP_BIN`. What it deploys is in the folder
//! `HALLMARK_CANISTERS`, and sites by the program `HALLMARK_BIN`; `cargo xtask
//! test` sees to all three.

mod connected;
#[path = "../http/mod.rs"]
mod http;
mod managed;
mod network;
mod project;
