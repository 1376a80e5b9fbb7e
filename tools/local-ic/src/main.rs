//! The `local-ic` program: a local Internet Computer as a PocketIC server.
//!
//! It takes the arguments the `pocket-ic` client library gives to the server it
//! starts, and answers `--version` with the server release whose interface it
//! speaks, so `POCKET_IC_BIN=local-ic` is all a test suite needs.

mod signals;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use local_ic::server::{self, Lifetime, PortFile, Server};

use signals::Signals;

fn main() -> ExitCode {
    match serve(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-ic: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A local Internet Computer in one process, for tests: it runs canisters
/// behind the REST interface of the PocketIC server.
///
/// Set POCKET_IC_BIN to this program and run tests that use the `pocket-ic`
/// library; they start and stop it by themselves. What it does not implement it
/// refuses with "not supported by local-ic".
#[derive(Debug, Parser)]
#[command(name = server::NAME, bin_name = "local-ic", version = server::VERSION)]
struct Arguments {
    /// Stop this many seconds after the last request was answered.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ttl: u64,

    /// Stop this many seconds after the start, whatever is going on.
    #[arg(long, value_name = "SECONDS")]
    hard_ttl: Option<u64>,

    /// Write the port to this new file once the server listens, and remove the
    /// file at the end. If it exists, another server is at work: do nothing.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// The port to listen on; 0 is any free one.
    #[arg(short, long, default_value_t = 0)]
    port: u16,

    /// The address to listen on.
    #[arg(short, long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    ip_addr: IpAddr,

    /// Accepted for the sake of PocketIC's callers; local-ic keeps no log.
    #[arg(short, long, value_name = "LEVELS")]
    log_levels: Option<String>,
}

fn serve(arguments: &Arguments) -> Result<(), server::Error> {
    let port_file = match &arguments.port_file {
        None => None,
        Some(path) => match PortFile::create(path)? {
            Some(file) => Some(file),
            None => return Ok(()),
        },
    };
    let lifetime = Lifetime {
        idle: Some(Duration::from_secs(arguments.ttl)),
        total: arguments.hard_ttl.map(Duration::from_secs),
    };
    let runtime = server::runtime().map_err(server::Error::Runtime)?;
    let ended = runtime.block_on(async {
        let signals = Signals::listen();
        let server = Server::bind((arguments.ip_addr, arguments.port).into()).await?;
        match &port_file {
            Some(file) => file.announce(server.address().port())?,
            None => println!("PocketIC interface at http://{}/", server.address()),
        }
        tokio::select! {
            ended = server.run(lifetime) => ended,
            () = signals.received() => Ok(()),
        }
    });
    // A canister may still be computing for a client that is gone.
    runtime.shutdown_background();
    ended
}
