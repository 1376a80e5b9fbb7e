//! The canister that sites migrate from, for the tests.
//!
//! It is nothing that this repository offers, so it is no artifact: it lies where cargo leaves it.

use std::path::PathBuf;

use anyhow::Result;

use crate::canisters::TARGET;
use crate::workspace::Workspace;

/// Builds the asset canister of dfx and returns where it is.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let manifest = "tools/legacy-canister/Cargo.toml";
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--release", "--target", TARGET]);
    cargo.args(["--manifest-path", manifest]);
    cargo
        .unshown("--target-dir")
        .unshown(&workspace.target)
        .without_env("RUSTFLAGS")
        .without_env("CARGO_ENCODED_RUSTFLAGS");
    cargo.succeed()?;
    let compiled = workspace.target.join(TARGET).join("release");
    Ok(compiled.join("legacy_canister.wasm"))
}
