//! The tasks of this repository: `cargo xtask help`.
//!
//! One table of commands; each is a few lines over [`workspace`] (where things are, how
//! cargo is run) and [`canisters`] (how a canister becomes an artifact).

mod browser;
mod canisters;
mod debian;
mod module;
mod npm;
mod test_canisters;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

const HELP: &str = "\
The tasks of this repository.

    cargo xtask build            build every canister into target/canisters
    cargo xtask test [ARGS]      build everything, run every test; ARGS go to `cargo test`
    cargo xtask serve DIR [ARGS] serve a directory from a local Internet Computer;
                                 ARGS go to `hallmark serve` (see `serve --help`);
                                 HALLMARK_BIN names a program that is built already
    cargo xtask bench [ARGS]     count instructions and memory of the asset canister
    cargo xtask check            formatting and lints, as in CI
    cargo xtask help             this text

What is missing (the wasm32-unknown-unknown target, and for `test` packages from npm, and
npm, Node and a Chromium when run as root on Debian) is installed, and it is said so.";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(mut args: Vec<String>) -> Result<ExitCode> {
    if args.is_empty() {
        println!("{HELP}");
        return Ok(ExitCode::from(2));
    }
    let command = args.remove(0);
    match command.as_str() {
        "build" => build(&args),
        "test" => test(&args),
        "serve" => serve(&args),
        "bench" => bench(&args),
        "check" => check(&args),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no task `{other}`; `cargo xtask help` lists them"),
    }
}

fn build(args: &[String]) -> Result<ExitCode> {
    refuse(args, "build")?;
    canisters::build(&Workspace::find()?)?;
    Ok(ExitCode::SUCCESS)
}

fn test(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    // First what may be missing on this machine: it is found out in a second.
    browser::ensure()?;
    let npm = npm::ensure(&workspace)?;
    canisters::build(&workspace)?;
    let legacy = test_canisters::build(&workspace, "legacy-canister")?;
    let calling = test_canisters::build(&workspace, "calling-canister")?;
    let one = args
        .iter()
        .any(|arg| arg == "-p" || arg.starts_with("--package"));
    let all = (!one).then_some("--workspace");
    // Builds the programs that tests start, too: local-ic is one of them.
    workspace
        .cargo()
        .args(["test", "--workspace", "--locked", "--no-run"])
        .succeed()?;

    let mut run = workspace.cargo();
    // Every test, also after one has failed.
    run.args(["test", "--locked", "--no-fail-fast"]);
    run.args(all).args(args);
    run.env("HALLMARK_CANISTERS", workspace.artifacts());
    run.env("HALLMARK_BIN", workspace.binary("hallmark"));
    run.env("ICP_BIN", npm.icp);
    run.env("NODE_MODULES", npm.modules);
    run.env("LEGACY_CANISTER", legacy);
    run.env("CALLING_CANISTER", calling);
    if std::env::var_os("POCKET_IC_BIN").is_none() {
        run.env("POCKET_IC_BIN", workspace.binary("local-ic"));
    }
    run.status()
}

fn serve(args: &[String]) -> Result<ExitCode> {
    // Building takes a while; a slip of the pen is better found before.
    match args.first() {
        None => bail!("which directory? `cargo xtask serve DIR`"),
        Some(dir) if !dir.starts_with('-') && !Path::new(dir).is_dir() => {
            bail!("there is no directory {dir}")
        }
        Some(_) => {}
    }
    let workspace = Workspace::find()?;
    canisters::build(&workspace)?;
    let mut hallmark = workspace.program(&hallmark(&workspace)?);
    hallmark.arg("serve").args(args);
    if !args.iter().any(|arg| arg.starts_with("--canister")) {
        let canister = workspace.artifacts().join("assets.wasm.gz");
        hallmark.arg("--canister").arg(canister);
    }
    hallmark.status()
}

/// The program that `HALLMARK_BIN` names, as it does under `cargo xtask test`, or else one built
/// now. The tests have built it with the features that other members of the workspace switch on,
/// so another build would compile half of its dependencies once more.
fn hallmark(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("HALLMARK_BIN") {
        return Ok(named.into());
    }
    workspace
        .cargo()
        .args(["build", "--locked", "-p", "hallmark"])
        .succeed()?;
    Ok(workspace.binary("hallmark"))
}

fn bench(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    canisters::build(&workspace)?;
    let mut bench = workspace.cargo();
    bench
        .args(["run", "--locked", "--quiet", "-p", "hallmark-bench", "--"])
        .args(args);
    if !args.iter().any(|arg| arg.starts_with("--canister")) {
        let canister = workspace.artifacts().join("assets.wasm.gz");
        bench.arg("--canister").arg(canister);
    }
    bench.status()
}

fn check(args: &[String]) -> Result<ExitCode> {
    refuse(args, "check")?;
    let workspace = Workspace::find()?;
    workspace
        .cargo()
        .args(["fmt", "--all", "--check"])
        .succeed()
        .context("`cargo fmt --all` formats what is listed above")?;
    let lints = ["clippy", "--workspace", "--all-targets", "--locked"];
    workspace
        .cargo()
        .args(lints)
        .args(["--", "--deny", "warnings"])
        .status()
}

fn refuse(args: &[String], task: &str) -> Result<()> {
    match args.first() {
        None => Ok(()),
        Some(arg) => bail!("`cargo xtask {task}` takes no arguments, but got `{arg}`"),
    }
}
