//! A [`Network`] of this process as the replica behind a gateway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use candid::Principal;

use super::Replica;
use crate::{Network, Reject};

/// A network in this process, shared with whoever else works on it.
#[derive(Debug, Clone)]
pub struct Local {
    network: Arc<Mutex<Network>>,
    clock: Clock,
}

/// Which clock tells how old a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The network's own, wherever a test has set it: no certificate is old.
    Network,
    /// This machine's. Someone else keeps the network in step with it.
    Wall,
    /// This machine's. The gateway keeps the network in step with it: before a
    /// request it sets the time and executes a round, once a second at most, so
    /// that the requests of one page share one certificate.
    Live,
}

impl Local {
    /// Asks `network`, judging its certificates by `clock`.
    pub fn new(network: Arc<Mutex<Network>>, clock: Clock) -> Local {
        Local { network, clock }
    }

    fn lock(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, at the time it should have for a request.
    fn network(&self) -> MutexGuard<'_, Network> {
        let mut network = self.lock();
        if self.clock == Clock::Live {
            let now = wall_time();
            // A network that is ahead stays ahead: time never runs backwards.
            if now >= network.time().saturating_add(SECOND) && network.set_time(now).is_ok() {
                network.round();
            }
        }
        network
    }
}

impl Replica for Local {
    fn query(
        &self,
        canister: Principal,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.network()
            .query(Principal::anonymous(), canister, method, argument)
    }

    fn update(
        &self,
        canister: Principal,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.network()
            .update(Principal::anonymous(), canister, method, argument)
    }

    fn root_key(&self) -> Vec<u8> {
        self.lock().root_key().to_vec()
    }

    fn time(&self) -> u64 {
        match self.clock {
            Clock::Network => self.lock().time(),
            Clock::Wall | Clock::Live => wall_time(),
        }
    }
}

const SECOND: u64 = 1_000_000_000;

fn wall_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
