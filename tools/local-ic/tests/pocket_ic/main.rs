//! The unmodified `pocket-ic` library at work.
//!
//! Nothing here is about this server in particular: with the genuine one in
//! `POCKET_IC_BIN`, the same tests run on that.

mod calls;
mod clock;
mod ic_cdk;
mod instances;
mod lifecycle;
mod memory;

use std::env;
use std::path::PathBuf;

use candid::Principal;
use pocket_ic::{PocketIc, PocketIcBuilder};

/// An instance with one application subnet.
fn pocket_ic() -> PocketIc {
    builder().with_application_subnet().build()
}

fn builder() -> PocketIcBuilder {
    let here = || env!("CARGO_BIN_EXE_local-ic").into();
    let binary = env::var_os("POCKET_IC_BIN").map_or_else(here, PathBuf::from);
    PocketIcBuilder::new().with_server_binary(binary)
}

fn counter() -> Vec<u8> {
    wat::parse_str(include_str!("counter.wat")).unwrap()
}

/// A new instance with a counter installed.
fn with_counter() -> (PocketIc, Principal) {
    let pic = pocket_ic();
    let canister = pic.create_canister();
    pic.install_canister(canister, counter(), vec![], None);
    (pic, canister)
}

/// The counter's value.
fn value(pic: &PocketIc, canister: Principal) -> u32 {
    let reply = pic
        .query_call(canister, Principal::anonymous(), "value", vec![])
        .unwrap();
    number(&reply)
}

/// Adds one, and returns the new value.
fn add(pic: &PocketIc, canister: Principal) -> u32 {
    let reply = pic
        .update_call(canister, Principal::anonymous(), "add", vec![])
        .unwrap();
    number(&reply)
}

fn number(reply: &[u8]) -> u32 {
    u32::from_le_bytes(reply.try_into().unwrap())
}

fn someone() -> Principal {
    Principal::self_authenticating(b"someone")
}
