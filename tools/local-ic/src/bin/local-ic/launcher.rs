//! The face for `icp network start`: a network launcher, interface 1.1.0.
//!
//! `icp` names a folder and waits for `status.json` in it, one line that says
//! where the network is; it ends the network by an interrupt.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use local_ic::SubnetKind;
use local_ic::standalone::{Options, Standalone};
use serde_json::json;

use crate::until_signalled;

const INTERFACE: &str = "--interface-version";

/// Whether the arguments are those of a launcher.
pub(crate) fn is_meant() -> bool {
    std::env::args().any(|argument| argument.split('=').next() == Some(INTERFACE))
}

/// Run a network for `icp network start`.
#[derive(Debug, Parser)]
#[command(bin_name = "local-ic")]
pub(crate) struct Launcher {
    /// The version of this interface.
    #[arg(long)]
    interface_version: String,

    /// The folder to write `status.json` to.
    #[arg(long, value_name = "DIR")]
    status_dir: PathBuf,

    /// Accepted for the sake of the caller; the state is in memory.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,

    /// The port to listen on; any free one unless given.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    gateway_port: u16,

    /// A domain whose subdomains are canisters.
    #[arg(long, value_name = "NAME")]
    domain: Vec<String>,

    /// A subnet; one for applications unless given.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    subnet: Vec<SubnetKind>,

    /// The pause between rounds.
    #[arg(long, value_name = "MILLISECONDS")]
    artificial_delay_ms: Option<u64>,

    /// Accepted for the sake of the caller; local-ic keeps no log.
    #[arg(long)]
    verbose: bool,

    /// Internet Identity; not supported.
    #[arg(long)]
    ii: bool,

    /// The canisters of the network nervous system; not supported.
    #[arg(long)]
    nns: bool,

    /// A Bitcoin node; not supported.
    #[arg(long, value_name = "ADDRESS")]
    bitcoind_addr: Vec<String>,

    /// A Dogecoin node; not supported.
    #[arg(long, value_name = "ADDRESS")]
    dogecoind_addr: Vec<String>,
}

pub(crate) fn run(arguments: Launcher) -> Result<(), Box<dyn Error>> {
    check(&arguments)?;
    let options = Options {
        domains: arguments.domain,
        subnets: arguments.subnet,
        // A pause of nothing would leave no time for anybody's requests.
        pause: arguments
            .artificial_delay_ms
            .map(|ms| Duration::from_millis(ms.max(1))),
        ..Options::new((arguments.bind, arguments.gateway_port).into())
    };
    until_signalled(async {
        let network = Standalone::bind(options).await?;
        announce(&arguments.status_dir, &network)?;
        Ok(network.run().await?)
    })
}

fn check(arguments: &Launcher) -> Result<(), LauncherError> {
    if !arguments.interface_version.starts_with("1.") {
        let version = arguments.interface_version.clone();
        return Err(LauncherError::Interface(version));
    }
    let unsupported = [
        (arguments.ii, "--ii"),
        (arguments.nns, "--nns"),
        (!arguments.bitcoind_addr.is_empty(), "--bitcoind-addr"),
        (!arguments.dogecoind_addr.is_empty(), "--dogecoind-addr"),
    ];
    match unsupported.iter().find(|(wanted, _)| *wanted) {
        Some((_, what)) => Err(LauncherError::NotSupported(what)),
        None => Ok(()),
    }
}

/// Writes the line that the caller waits for. It is complete when it ends, so
/// it is written elsewhere and then given its name.
fn announce(folder: &Path, network: &Standalone) -> Result<(), LauncherError> {
    let status = json!({
        "v": "1",
        "gateway_port": network.address().port(),
        "root_key": hex::encode(network.root_key()),
        "default_effective_canister_id": network.default_effective_canister_id(),
    });
    let path = folder.join("status.json");
    let unfinished = folder.join("status.json.new");
    let write = || {
        let mut file = fs::File::create(&unfinished)?;
        writeln!(file, "{status}")?;
        fs::rename(&unfinished, &path)
    };
    write().map_err(|source| LauncherError::StatusFile { path, source })
}

fn kind(name: &str) -> Result<SubnetKind, String> {
    Ok(match name {
        "application" => SubnetKind::Application,
        "system" => SubnetKind::System,
        "verified-application" => SubnetKind::VerifiedApplication,
        "bitcoin" => SubnetKind::Bitcoin,
        "fiduciary" => SubnetKind::Fiduciary,
        "sns" => SubnetKind::Sns,
        _ => {
            return Err(format!(
                "not supported by local-ic: a subnet of the kind {name}"
            ));
        }
    })
}

/// Why a network was not launched.
#[derive(Debug)]
enum LauncherError {
    /// Another version of the interface than 1.
    Interface(String),
    /// An argument that cannot be followed.
    NotSupported(&'static str),
    /// The caller cannot be told where the network is.
    StatusFile { path: PathBuf, source: io::Error },
}

impl fmt::Display for LauncherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(version) => write!(
                f,
                "not supported by local-ic: version {version} of the launcher's interface"
            ),
            Self::NotSupported(what) => write!(f, "not supported by local-ic: {what}"),
            Self::StatusFile { path, source } => {
                write!(f, "cannot write {}: {source}", path.display())
            }
        }
    }
}

impl Error for LauncherError {}
