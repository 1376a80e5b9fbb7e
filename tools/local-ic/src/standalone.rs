//! A network by itself: what a developer's machine runs between deployments.
//!
//! One port answers agents and browsers. Time is this machine's, rounds follow
//! one another as on a network of many machines, and the system canisters that
//! deployment tools call are there. All of it ends with the process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use candid::Principal;
use tokio::net::TcpListener;

use crate::gateway::Gateway;
use crate::local::wall_time;
use crate::server::Error;
use crate::{Clock, Config, Local, Network, PublicInterface, SubnetKind};

/// The pause between rounds unless asked otherwise.
const PAUSE: Duration = Duration::from_millis(100);

/// How a network by itself starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 is any free one.
    pub address: SocketAddr,
    /// What the keys are made from; see [`Config::seed`].
    pub seed: Option<[u8; 32]>,
    /// The subnets besides those of the system canisters; one for applications
    /// if there are none.
    pub subnets: Vec<SubnetKind>,
    /// The domains whose subdomains are canisters; `localhost` if there are none.
    pub domains: Vec<String>,
    /// The pause between rounds; 100 ms if there is none.
    pub pause: Option<Duration>,
}

impl Options {
    /// A network for applications at this address, with everything else as by
    /// default.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            seed: None,
            subnets: Vec::new(),
            domains: Vec::new(),
            pause: None,
        }
    }

    /// The root key is that of the NNS subnet, as on the Internet Computer.
    fn config(&self) -> Config {
        let mut subnets = vec![SubnetKind::Nns, SubnetKind::Ii];
        match self.subnets[..] {
            [] => subnets.push(SubnetKind::Application),
            _ => subnets.extend(&self.subnets),
        }
        Config {
            initial_time: Some(wall_time()),
            seed: self.seed,
            system_canisters: true,
            ..Config::new(subnets)
        }
    }
}

/// A network that listens.
#[derive(Debug)]
pub struct Standalone {
    listener: TcpListener,
    address: SocketAddr,
    gateway: Gateway,
    local: Local,
    pause: Duration,
    root_key: Vec<u8>,
    default_effective_canister_id: Principal,
}

impl Standalone {
    /// Creates the network and listens for its clients.
    ///
    /// # Errors
    ///
    /// The subnets cannot be ([`Error::Network`]), or the address cannot be
    /// listened on ([`Error::Listen`]).
    pub async fn bind(options: Options) -> Result<Standalone, Error> {
        let network = Network::new(options.config()).map_err(Error::Network)?;
        let refused = |source| Error::Listen {
            address: options.address,
            source,
        };
        let listener = TcpListener::bind(options.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let root_key = network.root_key().to_vec();
        let default_effective_canister_id = network.default_effective_canister_id();

        let local = Local::new(Arc::new(Mutex::new(network)), Clock::Wall);
        let mut gateway =
            Gateway::new(local.clone()).with_public_interface(PublicInterface::new(local.clone()));
        if !options.domains.is_empty() {
            gateway = gateway.with_domains(options.domains);
        }
        Ok(Standalone {
            listener,
            address,
            gateway,
            local,
            pause: options.pause.unwrap_or(PAUSE),
            root_key,
            default_effective_canister_id,
        })
    }

    /// The address that agents and browsers are answered at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that all trust starts from, as 133 bytes of DER.
    pub fn root_key(&self) -> &[u8] {
        &self.root_key
    }

    /// A canister id of the subnet where canisters are created unless said
    /// otherwise.
    pub fn default_effective_canister_id(&self) -> Principal {
        self.default_effective_canister_id
    }

    /// Answers requests and executes rounds for as long as the future lives.
    ///
    /// # Errors
    ///
    /// [`Error::Serve`].
    pub async fn run(self) -> Result<(), Error> {
        tokio::select! {
            served = self.gateway.serve(self.listener) => served.map_err(Error::Serve),
            () = beat(self.local, self.pause) => Ok(()),
        }
    }
}

/// Executes rounds, until one panics.
async fn beat(local: Local, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        let local = local.clone();
        if tokio::task::spawn_blocking(move || local.advance())
            .await
            .is_err()
        {
            return;
        }
    }
}
