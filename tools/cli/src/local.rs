//! An asset canister on a network in this process: the one place that knows `local_ic`.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use candid::Principal;
use local_ic::gateway::Gateway;
use local_ic::{Clock, Config, InstallMode, Local, Network, PublicInterface, SubnetKind};

use crate::Error;
use crate::canister::{Canister, Failure, Reject};

/// A canister on a network of its own, whose time is this machine's.
#[derive(Debug, Clone)]
pub struct LocalCanister {
    network: Arc<Mutex<Network>>,
    id: Principal,
}

impl LocalCanister {
    /// Boots a network and installs the module `wasm` on it, compressed or not. `path` is
    /// where it came from.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] or [`Error::Install`].
    pub fn install(wasm: Vec<u8>, path: &Path) -> Result<LocalCanister, Error> {
        let config = Config {
            initial_time: Some(wall_time()),
            ..Config::new([SubnetKind::Application])
        };
        let mut network = Network::new(config).map_err(|e| Error::Network(e.to_string()))?;
        let id = network.create_canister(deployer());
        let no_argument = candid::encode_args(()).expect("nothing always encodes");
        network
            .install(deployer(), id, InstallMode::Install, wasm, no_argument)
            .map_err(|error| Error::Install {
                path: path.to_owned(),
                reject: reject(error),
            })?;
        Ok(LocalCanister {
            network: Arc::new(Mutex::new(network)),
            id,
        })
    }

    /// The canister's id.
    pub fn id(&self) -> Principal {
        self.id
    }

    /// A gateway that shows the canister to browsers, and answers agents.
    pub fn gateway(&self) -> Gateway {
        let local = Local::new(self.network.clone(), Clock::Live);
        Gateway::new(local.clone()).with_public_interface(PublicInterface::new(local))
    }

    /// The network, at the time it is.
    fn network(&self) -> MutexGuard<'_, Network> {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        // Each round moves the network's clock a little further. Where it is ahead, it waits
        // for this machine's to catch up.
        let now = wall_time();
        if network.time() < now {
            let _ = network.set_time(now);
        }
        network
    }
}

impl Canister for LocalCanister {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut network = self.network();
        let result = network.query(deployer(), self.id, method, argument);
        result.map_err(|error| reject(error).into())
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut network = self.network();
        let result = network.update(deployer(), self.id, method, argument);
        result.map_err(|error| reject(error).into())
    }
}

/// Who installs, and so may deploy. Nobody holds the key: only this process can speak for it.
fn deployer() -> Principal {
    Principal::self_authenticating(b"hallmark serve")
}

fn reject(reject: local_ic::Reject) -> Reject {
    Reject {
        code: reject.error_code as u32,
        message: reject.message,
    }
}

/// Nanoseconds since 1970.
fn wall_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
