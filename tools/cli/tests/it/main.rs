//! Tests of the command line: deploying to a canister in memory; the program and its errors;
//! the program serving, asked over HTTP and looked at in Chromium; the program deploying to a
//! network, also to one that loses messages.
//!
//! The last ones need the asset canister in the folder `HALLMARK_CANISTERS`, that of dfx as
//! `LEGACY_CANISTER`, `icp` as `ICP_BIN`, and Chromium; `cargo xtask test` sees to all of them.

mod beside;
mod broken_off;
mod chromium;
mod deploy;
mod deployed;
mod desk;
mod directory;
mod errors;
mod example;
mod front_page;
mod hash;
mod http;
mod identities;
mod log;
mod lost;
mod memory;
mod network;
mod picture;
mod plain;
mod proxy;
mod releases;
mod serve;
mod served;
mod stage;
mod tampered;
mod upload;
mod verify;
mod way;
