//! An asset canister on a network in this process, of which everything is known.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use candid::{CandidType, Principal};
use hallmark::canister::{Canister, Failure, Reject};
use hallmark::directory::Directory;
use hallmark::journal::Journal;
use hallmark::time::Time;
use hallmark::verify::certificate::Trust;
use hallmark::verify::examination::Source;

use super::network::{asset_network, deployer};

/// An asset canister on a network in this process.
pub(crate) struct Deployed {
    network: Mutex<local_ic::Network>,
    id: Principal,
}

impl Deployed {
    pub(crate) fn new(module: &Path) -> Deployed {
        let (network, id) = asset_network(module);
        Deployed {
            network: Mutex::new(network),
            id,
        }
    }

    pub(crate) fn root_key(&self) -> Vec<u8> {
        self.network.lock().unwrap().root_key().to_vec()
    }

    /// Gives the canister environment variables.
    pub(crate) fn set_variables(&self, variables: &[(&str, &str)]) {
        #[derive(CandidType)]
        struct UpdateSettings<'a> {
            canister_id: Principal,
            settings: Settings<'a>,
        }
        #[derive(CandidType)]
        struct Settings<'a> {
            environment_variables: Option<Vec<Variable<'a>>>,
        }
        #[derive(CandidType)]
        struct Variable<'a> {
            name: &'a str,
            value: &'a str,
        }
        let variables = variables
            .iter()
            .map(|&(name, value)| Variable { name, value });
        let update = UpdateSettings {
            canister_id: self.id,
            settings: Settings {
                environment_variables: Some(variables.collect()),
            },
        };
        let argument = candid::encode_one(update).unwrap();
        let management = Principal::management_canister();
        let mut network = self.network.lock().unwrap();
        network
            .update(deployer(), management, "update_settings", argument)
            .unwrap();
    }

    pub(crate) fn state_hash(&self) -> String {
        loop {
            let argument = candid::encode_args(()).unwrap();
            let reply = self.update("compute_state_hash", argument).unwrap();
            let hash: Option<String> = candid::decode_one(&reply).unwrap();
            if let Some(hash) = hash {
                return hash;
            }
        }
    }
}

impl Deployed {
    /// What proves its answers, now.
    pub(crate) fn trust(&self) -> Trust {
        let network = self.network.lock().unwrap();
        Trust {
            root_key: network.root_key().to_vec(),
            canister: self.id,
            now: Time(network.time()),
        }
    }

    /// Deploys what is in a directory.
    pub(crate) fn deploy(&self, directory: &Path) {
        Directory::new(directory)
            .deploy(self, &Journal::none(), &())
            .unwrap();
    }

    pub(crate) fn call(&self, method: &str, argument: &impl CandidType) {
        self.update(method, candid::encode_one(argument).unwrap())
            .unwrap();
    }

    /// Another canister on the same subnet, with the same module.
    pub(crate) fn neighbour(self, module: &Path) -> Deployed {
        let mut network = self.network.into_inner().unwrap();
        let id = network.create_canister(deployer());
        let argument = candid::encode_args(()).unwrap();
        let module = fs::read(module).unwrap();
        let mode = local_ic::InstallMode::Install;
        network
            .install(deployer(), id, mode, module, argument)
            .unwrap();
        Deployed {
            network: Mutex::new(network),
            id,
        }
    }
}

impl Source for Deployed {
    fn read_state(&self, paths: &[Vec<Vec<u8>>]) -> Result<Vec<u8>, Failure> {
        let network = self.network.lock().unwrap();
        let subnet = network.subnet_of(self.id).unwrap();
        Ok(network.read_state(subnet, paths).unwrap())
    }
}

impl Canister for Deployed {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut network = self.network.lock().unwrap();
        let reply = network.query(deployer(), self.id, method, argument);
        reply.map_err(failure)
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut network = self.network.lock().unwrap();
        let reply = network.update(deployer(), self.id, method, argument);
        reply.map_err(failure)
    }
}

fn failure(reject: local_ic::Reject) -> Failure {
    Failure::Rejected(Reject {
        code: reject.error_code as u32,
        message: reject.message,
    })
}

/// Runs on a stack that canisters can be executed on.
pub(crate) fn on_large_stack(work: impl FnOnce() + Send + 'static) {
    let runtime = local_ic::server::runtime().unwrap();
    let done = runtime.block_on(runtime.spawn_blocking(work));
    if let Err(error) = done {
        std::panic::resume_unwind(error.into_panic());
    }
}
