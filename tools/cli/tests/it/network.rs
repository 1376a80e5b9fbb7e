//! A network that agents call, in this process, with an asset canister on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use candid::{CandidType, Principal};
use hallmark::canister::Canister as _;
use hallmark::native::{Asked, Staged, Stages};
use hallmark::network::Location;
use hallmark::remote::RemoteCanister;
use ic_agent::Identity as _;
use ic_agent::identity::BasicIdentity;
use local_ic::gateway::Gateway;
use local_ic::{Clock, Config, InstallMode, Local, PublicInterface, SubnetKind};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::http::{self, Response};
use super::served::asset_canister;

/// The secret of who may deploy.
pub(crate) const SECRET: [u8; 32] = [7; 32];

pub(crate) struct Network {
    pub(crate) canister: Principal,
    pub(crate) port: u16,
    pub(crate) root_key: Vec<u8>,
    shared: Arc<Mutex<local_ic::Network>>,
    /// Serves until it is dropped.
    _runtime: Runtime,
}

impl Network {
    pub(crate) fn start() -> Network {
        Network::with(asset_canister())
    }

    /// One with this module.
    pub(crate) fn with(module: PathBuf) -> Network {
        let runtime = local_ic::server::runtime().unwrap();
        // What executes canisters takes the stack of the runtime's threads.
        let installed = runtime.spawn_blocking(move || asset_network(&module));
        let (network, canister) = runtime.block_on(installed).unwrap();
        let root_key = network.root_key().to_vec();

        let shared = Arc::new(Mutex::new(network));
        let local = Local::new(shared.clone(), Clock::Live);
        let gateway =
            Gateway::new(local.clone()).with_public_interface(PublicInterface::new(local));
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)));
        let listener = listener.unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(gateway.serve(listener));
        Network {
            canister,
            port,
            root_key,
            shared,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Another canister, without a module.
    pub(crate) fn create_canister(&self) -> Principal {
        self.shared.lock().unwrap().create_canister(deployer())
    }

    /// The staged releases that there are.
    pub(crate) fn stages(&self) -> Vec<Staged> {
        Stages::new(&self.as_deployer()).all(Asked::One).unwrap()
    }

    /// Calls the canister, as its controller.
    pub(crate) fn update(&self, method: &str, argument: impl CandidType) {
        let argument = candid::encode_one(argument).unwrap();
        self.as_deployer().update(method, argument).unwrap();
    }

    fn as_deployer(&self) -> RemoteCanister {
        let location: Location = self.url().parse().unwrap();
        let identity = Box::new(BasicIdentity::from_raw_key(&SECRET));
        let trust = location.default_trust();
        RemoteCanister::new(self.canister, &location, trust, identity).unwrap()
    }

    /// Asks the canister's own host.
    pub(crate) fn get(&self, target: &str) -> Response {
        let host = format!("{}.localhost", self.canister);
        http::get(self.port, &host, target, &[])
    }
}

/// Who may deploy.
pub(crate) fn deployer() -> Principal {
    BasicIdentity::from_raw_key(&SECRET).sender().unwrap()
}

/// A network with an asset canister that has this module.
pub(crate) fn asset_network(module: &Path) -> (local_ic::Network, Principal) {
    let deployer = deployer();
    let config = Config::new([SubnetKind::Nns, SubnetKind::Application]);
    let mut network = local_ic::Network::new(config).unwrap();
    let canister = network.create_canister(deployer);
    let module = fs::read(module).unwrap();
    let argument = candid::encode_args(()).unwrap();
    network
        .install(deployer, canister, InstallMode::Install, module, argument)
        .unwrap();
    (network, canister)
}
