//! A [`Network`] shared by all who work on it: gateways, the public interface,
//! tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use candid::Principal;

use crate::gateway::Replica;
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
    /// This machine's. Requests keep the network in step with it: before one
    /// the time is set and a round executed, once a second at most, so that the
    /// requests of one page share one certificate.
    Live,
}

impl Local {
    /// Asks `network`, judging its certificates by `clock`.
    pub fn new(network: Arc<Mutex<Network>>, clock: Clock) -> Local {
        Local { network, clock }
    }

    /// Sets the network's time to this machine's, unless it is later already,
    /// and executes a round.
    pub fn advance(&self) {
        let mut network = self.lock();
        catch_up(&mut network);
        network.round();
    }

    fn lock(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, at the time it should have for a request.
    pub(crate) fn network(&self) -> MutexGuard<'_, Network> {
        let mut network = self.lock();
        let late = || wall_time() >= network.time().saturating_add(SECOND);
        if self.clock == Clock::Live && late() {
            catch_up(&mut network);
            network.round();
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

/// Sets the network's time to this machine's. A network that is ahead stays
/// ahead: time never runs backwards.
pub(crate) fn catch_up(network: &mut Network) {
    let now = wall_time();
    if now > network.time() {
        let _ = network.set_time(now);
    }
}

/// Nanoseconds since 1970.
pub(crate) fn wall_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
