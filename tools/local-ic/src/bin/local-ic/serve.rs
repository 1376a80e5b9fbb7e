//! The face for developers: a network by itself.

use std::error::Error;
use std::net::IpAddr;

use local_ic::standalone::{Options, Standalone};

use crate::until_signalled;

/// Run a network by itself until interrupted.
///
/// Agents and tools find it at the URL it prints, and trust the root key it
/// prints; browsers find canisters at http://<canister-id>.localhost:<port>/.
/// Cycles and ICP cost nothing. Canisters are gone when it ends.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The port to listen on; 0 is any free one.
    #[arg(short, long, default_value_t = 8000)]
    port: u16,

    /// The address to listen on.
    #[arg(short, long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    ip_addr: IpAddr,

    /// What the root key is made from, as 64 hexadecimal digits: the same seed
    /// gives the same root key.
    #[arg(long, value_name = "HEX", value_parser = seed)]
    root_key_seed: Option<[u8; 32]>,
}

pub(crate) fn run(arguments: Serve) -> Result<(), Box<dyn Error>> {
    let options = Options {
        seed: arguments.root_key_seed,
        ..Options::new((arguments.ip_addr, arguments.port).into())
    };
    until_signalled(async {
        let network = Standalone::bind(options).await?;
        println!("Internet Computer at http://{}/", network.address());
        println!("Root key: {}", hex::encode(network.root_key()));
        Ok(network.run().await?)
    })
}

fn seed(text: &str) -> Result<[u8; 32], String> {
    let mut seed = [0; 32];
    hex::decode_to_slice(text, &mut seed)
        .map(|()| seed)
        .map_err(|error| format!("a seed has 64 hexadecimal digits: {error}"))
}
