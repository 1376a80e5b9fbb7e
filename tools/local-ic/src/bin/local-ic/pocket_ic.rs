//! The face for tests: a PocketIC server.
//!
//! It takes the arguments the `pocket-ic` client library gives to the server it
//! starts.

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use local_ic::server::{Lifetime, PortFile, Server};

use crate::until_signalled;

#[derive(Debug, clap::Args)]
pub(crate) struct PocketIc {
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

pub(crate) fn run(arguments: &PocketIc) -> Result<(), Box<dyn Error>> {
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
    until_signalled(async {
        let server = Server::bind((arguments.ip_addr, arguments.port).into()).await?;
        match &port_file {
            Some(file) => file.announce(server.address().port())?,
            None => println!("PocketIC interface at http://{}/", server.address()),
        }
        Ok(server.run(lifetime).await?)
    })
}
