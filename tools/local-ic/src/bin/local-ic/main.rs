//! The `local-ic` program: a local Internet Computer with three faces.
//!
//! | started as | it is |
//! | --- | --- |
//! | `local-ic [--port-file FILE]` | a PocketIC server, for tests |
//! | `local-ic serve` | a network by itself, for agents and browsers |
//! | `local-ic --interface-version …` | what `icp network start` launches |
//!
//! It answers `--version` with the server release whose interface it speaks, so
//! `POCKET_IC_BIN=local-ic` is all a test suite needs.

mod launcher;
mod pocket_ic;
mod serve;
mod signals;

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local_ic::server;

use signals::Signals;

/// A local Internet Computer in one process, for tests: it runs canisters
/// behind the REST interface of the PocketIC server.
///
/// Set POCKET_IC_BIN to this program and run tests that use the `pocket-ic`
/// library; they start and stop it by themselves. Set
/// ICP_CLI_NETWORK_LAUNCHER_PATH to it, and `icp network start` starts a network
/// for agents and browsers, as `local-ic serve` does. What it does not implement
/// it refuses with "not supported by local-ic".
#[derive(Debug, Parser)]
#[command(name = server::NAME, bin_name = "local-ic", version = server::VERSION)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    pocket_ic: pocket_ic::PocketIc,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-ic: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    if launcher::is_meant() {
        return launcher::run(launcher::Launcher::parse());
    }
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Serve(arguments)) => serve::run(arguments),
        None => pocket_ic::run(&arguments.pocket_ic),
    }
}

/// Runs a face of the program until it ends or a signal comes.
fn until_signalled(
    face: impl Future<Output = Result<(), Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    let runtime = server::runtime().map_err(server::Error::Runtime)?;
    let ended = runtime.block_on(async {
        let signals = Signals::listen();
        tokio::select! {
            ended = face => ended,
            () = signals.received() => Ok(()),
        }
    });
    // A canister may still be computing for a client that is gone.
    runtime.shutdown_background();
    ended
}
