//! The `hallmark` program: arguments in, exit status out.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hallmark::serve::{Serve, serve};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(arguments) => serve(&arguments.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Certified websites on the Internet Computer.
#[derive(Debug, Parser)]
#[command(name = "hallmark", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(ServeArguments),
}

/// Serve a directory from an asset canister on a local Internet Computer.
///
/// The network runs in this process and ends with it. Every answer that reaches the browser
/// has been verified against the network's root key.
#[derive(Debug, clap::Args)]
struct ServeArguments {
    /// The directory to serve.
    directory: PathBuf,

    /// The port to listen on; 0 is any free one.
    #[arg(short, long, default_value_t = 8000)]
    port: u16,

    /// Deploy again whenever a file changes.
    #[arg(short, long)]
    watch: bool,

    /// The asset canister to install, as .wasm or .wasm.gz [default: the one `cargo xtask
    /// build` has built].
    #[arg(long, value_name = "FILE")]
    canister: Option<PathBuf>,
}

impl From<ServeArguments> for Serve {
    fn from(arguments: ServeArguments) -> Serve {
        Serve {
            directory: arguments.directory,
            port: arguments.port,
            watch: arguments.watch,
            canister: arguments.canister,
        }
    }
}
