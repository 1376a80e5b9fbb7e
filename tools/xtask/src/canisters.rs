//! From a folder under `canisters/` to an artifact.
//!
//! ```text
//! canisters/<name>  ──cargo──►  <name>.wasm  ──metadata──►  target/canisters/<name>.wasm
//!                                                                           <name>.wasm.gz
//!                                                                           <name>.wasm.gz.sha256
//! ```
//!
//! The folder, the package and the artifact share one name. The same sources give the same
//! bytes on every machine: dependencies are locked, paths of the machine are mapped away, and
//! the gzip header holds neither a time nor a name.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use crate::module;
use crate::workspace::{Step, Workspace};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Builds all canisters and prints what they weigh.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    ensure_target(workspace)?;
    let names = names(&workspace.root.join("canisters"))?;

    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--profile", "canister"]);
    cargo.args(["--target", TARGET]);
    for name in &names {
        cargo.args(["-p", name]);
    }
    // Flags from the environment would win over the ones given here, and differ by machine.
    cargo.without_env("RUSTFLAGS");
    cargo.without_env("CARGO_ENCODED_RUSTFLAGS");
    cargo.unshown("--config").unshown(remapped_paths(workspace));
    cargo.succeed()?;

    let compiled = workspace.target.join(TARGET).join("canister");
    let artifacts = workspace.artifacts();
    fs::create_dir_all(&artifacts)
        .with_context(|| format!("cannot create {}", artifacts.display()))?;
    let mut rows = Vec::new();
    for name in &names {
        let file = compiled.join(format!("{}.wasm", name.replace('-', "_")));
        let row = package(workspace, name, &file)
            .with_context(|| format!("cannot package the canister `{name}`"))?;
        rows.push(row);
    }
    print_table(&artifacts, &rows);
    Ok(())
}

struct Row {
    name: String,
    size: usize,
    gz_size: usize,
    sha256: String,
}

fn package(workspace: &Workspace, name: &str, compiled: &Path) -> Result<Row> {
    let wasm = fs::read(compiled).with_context(|| {
        let path = compiled.display();
        format!("cannot read {path} (is the package a `cdylib` named `{name}`?)")
    })?;

    let interface = workspace.root.join("candid").join(format!("{name}.did"));
    let candid = interface.exists().then(|| fs::read(&interface)).transpose();
    let candid = candid.with_context(|| format!("cannot read {}", interface.display()))?;
    let mut metadata: Vec<(&str, &[u8])> = vec![("supported_certificate_versions", b"2")];
    if let Some(candid) = &candid {
        metadata.push(("candid:service", candid));
    }
    let wasm = module::with_metadata(&wasm, &metadata)?;

    let gz = gzip(&wasm)?;
    let sha256 = hex::encode(Sha256::digest(&gz));
    let out = workspace.artifacts();
    write(&out.join(format!("{name}.wasm")), &wasm)?;
    write(&out.join(format!("{name}.wasm.gz")), &gz)?;
    // The format of `sha256sum --check`.
    let sum = format!("{sha256}  {name}.wasm.gz\n");
    write(&out.join(format!("{name}.wasm.gz.sha256")), sum.as_bytes())?;
    Ok(Row {
        name: name.to_owned(),
        size: wasm.len(),
        gz_size: gz.len(),
        sha256,
    })
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Whoever reads the file has all of the old one or of the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_added_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn print_table(artifacts: &Path, rows: &[Row]) {
    let widest = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    eprintln!("  {}", artifacts.display());
    for row in rows {
        eprintln!(
            "    {:<widest$}  {:>9} B wasm  {:>9} B gz  sha256 {}",
            row.name, row.size, row.gz_size, row.sha256
        );
    }
}

/// Folders with a manifest, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| path.join("Cargo.toml").is_file()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A `--config` value that hides where this machine keeps sources: panic messages hold paths.
fn remapped_paths(workspace: &Workspace) -> String {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = vec![remap(&workspace.root, "hallmark")];
    for folder in ["registry/src", "git/checkouts"] {
        // One folder more, named for the index or mirror the sources came from.
        let sources = home.iter().map(|home| home.join(folder));
        let sources = sources.filter_map(|folder| fs::read_dir(folder).ok());
        for source in sources.flatten().flatten() {
            flags.push(remap(&source.path(), "crates"));
        }
    }
    format!("target.{TARGET}.rustflags=[{}]", flags.join(", "))
}

fn remap(from: &Path, to: &str) -> String {
    // A TOML basic string; Rust's escapes are a superset that paths do not leave.
    format!(
        "{:?}",
        format!("--remap-path-prefix={}={to}", from.display())
    )
}

fn ensure_target(workspace: &Workspace) -> Result<()> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(&workspace.root)
        .output()
        .context("cannot run rustc; install Rust from https://rustup.rs")?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && libraries.is_dir() {
        return Ok(());
    }
    eprintln!("  The target {TARGET} is not installed for this toolchain; adding it.");
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&workspace.root);
    let added = Step::new(Path::new("rustup"), rustup)
        .args(["target", "add", TARGET])
        .succeed();
    match added {
        Ok(()) => Ok(()),
        Err(error) => bail!(
            "{error:#}; canisters need this target: install it with your \
             toolchain's package manager, or Rust itself from https://rustup.rs"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_a_function_of_its_input() {
        let gz = gzip(b"\0asm").unwrap();
        assert_eq!(gz, gzip(b"\0asm").unwrap());
        assert_eq!(gz[..4], [0x1f, 0x8b, 8, 0], "no name in the header");
        assert_eq!(gz[4..8], [0; 4], "no time in the header");
    }
}
