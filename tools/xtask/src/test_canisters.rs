//! Canisters that are there for the tests: the one that sites migrate from, and one that calls others.
//!
//! They are nothing that this repository offers, so they are no artifacts: they lie where cargo leaves them.

use std::path::PathBuf;

use anyhow::Result;

use crate::canisters::TARGET;
use crate::workspace::Workspace;

/// Builds `tools/NAME`, a workspace of its own, and returns where the module is.
pub(crate) fn build(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--release", "--target", TARGET]);
    cargo.args(["--manifest-path", &format!("tools/{name}/Cargo.toml")]);
    cargo
        .unshown("--target-dir")
        .unshown(&workspace.target)
        .without_env("RUSTFLAGS")
        .without_env("CARGO_ENCODED_RUSTFLAGS");
    cargo.succeed()?;
    let compiled = workspace.target.join(TARGET).join("release");
    Ok(compiled.join(name.replace('-', "_")).with_extension("wasm"))
}
