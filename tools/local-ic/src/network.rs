//! The network: clock, keys, subnets, canisters, and messages between the
//! outside and them.
//!
//! Nothing happens by itself. [`Network::submit`] accepts a message,
//! [`Network::round`] executes what was accepted (after timers and heartbeats),
//! carries the calls that follow from it, and moves the clock by a nanosecond,
//! [`Network::query`] answers from the state at hand.

mod call;
mod config;
mod delivery;
mod ingress;
mod query;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use candid::Principal;

use crate::canister::{Canister, Settings, Surroundings};
use crate::management;
use crate::meter::{Execution, limit};
use crate::stable_memory::StableMemory;
use crate::subnet::{self, Authority};
use crate::system_canister::{SystemCanister, SystemState};
use crate::{InstallMode, Reject, Subnet, SubnetKind};

pub(crate) use call::Call;
pub use config::{Config, ConfigError, TimeError};
pub use ingress::{Effective, Ingress, IngressStatus, MessageId};

/// 6 May 2021 19:17:10 UTC.
const INITIAL_TIME: u64 = 1_620_328_630_000_000_000;
/// What a canister gets that is created without saying how much: 100 T cycles.
pub(crate) const INITIAL_CYCLES: u128 = 100_000_000_000_000;
/// How many rounds [`Network::update`] waits for an answer.
const MAX_ROUNDS: usize = 100;

/// One network of one process; see the [crate] for how to begin.
#[derive(Debug)]
pub struct Network {
    subnets: Vec<Subnet>,
    authorities: Vec<Authority>,
    root_key: Arc<[u8]>,
    pub(crate) canisters: BTreeMap<Principal, Canister>,
    time: u64,
    unlimited: bool,
    /// Accepted and not executed, oldest first.
    queue: VecDeque<MessageId>,
    accepted: HashMap<MessageId, ingress::Accepted>,
    /// When to forget which message.
    forget_at: BTreeSet<(u64, MessageId)>,
    messages: u64,
    /// How many messages from outside were executed, by subnet.
    executed: Vec<u64>,
    last: Execution,
    calls: call::Calls,
    /// How many random numbers were given.
    pub(crate) drawn: u64,
    /// Absent without system canisters.
    pub(crate) system: Option<SystemState>,
}

impl Network {
    /// A network without canisters.
    ///
    /// # Errors
    ///
    /// There is no subnet, or one of a unique kind more than once.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let time = config.initial_time.unwrap_or(INITIAL_TIME);
        let (subnets, authorities) = subnet::found(&config.subnets, config.seed.as_ref(), time);
        let root = subnet::root_of(&config.subnets);
        Ok(Self {
            root_key: subnets[root].public_key.as_slice().into(),
            executed: vec![0; subnets.len()],
            subnets,
            authorities,
            canisters: BTreeMap::new(),
            time,
            unlimited: config.unlimited_instructions,
            queue: VecDeque::new(),
            accepted: HashMap::new(),
            forget_at: BTreeSet::new(),
            messages: 0,
            last: Execution::default(),
            calls: call::Calls::default(),
            drawn: 0,
            system: config.system_canisters.then(SystemState::default),
        })
    }

    /// The time, in nanoseconds since 1970.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Moves the clock forward.
    ///
    /// # Errors
    ///
    /// It is later already.
    pub fn set_time(&mut self, ns: u64) -> Result<(), TimeError> {
        if ns < self.time {
            return Err(TimeError {
                now: self.time,
                wanted: ns,
            });
        }
        self.time = ns;
        subnet::renew_delegations(&self.subnets, &mut self.authorities, ns);
        self.state_changed();
        Ok(())
    }

    /// The key that all trust starts from, as 133 bytes of DER.
    pub fn root_key(&self) -> &[u8] {
        &self.root_key
    }

    /// The subnet that holds the root key.
    pub(crate) fn root_subnet(&self) -> Principal {
        Principal::self_authenticating(&self.root_key)
    }

    /// The subnets, in the order of the configuration.
    pub fn subnets(&self) -> &[Subnet] {
        &self.subnets
    }

    /// The subnet of a canister that exists.
    pub fn subnet_of(&self, canister: Principal) -> Option<Principal> {
        self.canisters.get(&canister)?;
        let index = self.owner(canister)?;
        Some(self.subnets[index].id)
    }

    /// A canister id of the subnet where canisters are created unless said
    /// otherwise, whether or not it is taken.
    pub fn default_effective_canister_id(&self) -> Principal {
        let subnet = &self.subnets[self.default_subnet()];
        subnet
            .new_ids(0)
            .next()
            .unwrap_or(Principal::management_canister())
    }

    /// The bill of the last message: an update or the last callback of one, a
    /// query, the hooks of an install, or a timer or heartbeat in a round
    /// without messages.
    pub fn last_execution(&self) -> Execution {
        self.last
    }

    /// Submits a message and runs rounds until it is answered.
    ///
    /// # Errors
    ///
    /// It was not accepted, or was rejected.
    pub fn update(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        let (id, _) = self.submit(Ingress {
            sender,
            canister_id: canister,
            effective: Effective::None,
            method: method.to_owned(),
            payload,
        })?;
        for _ in 0..MAX_ROUNDS {
            self.round();
            if let Some(IngressStatus::Done(answer)) = self.ingress_status(&id) {
                return answer;
            }
        }
        Err(Reject::new(
            crate::ErrorCode::IngressMessageTimeout,
            format!("no answer after {MAX_ROUNDS} rounds"),
        ))
    }

    /// An empty canister with one controller and 100 T cycles.
    ///
    /// # Panics
    ///
    /// A million canisters were created before.
    pub fn create_canister(&mut self, controller: Principal) -> Principal {
        let subnet = self.default_subnet();
        self.add_canister(subnet, None, Settings::of(controller), INITIAL_CYCLES)
            .expect("there are ids for a million canisters")
    }

    /// Installs a module, as the management canister's `install_code`.
    ///
    /// # Errors
    ///
    /// Those of `install_code`; the canister is as before.
    pub fn install(
        &mut self,
        sender: Principal,
        canister: Principal,
        mode: InstallMode,
        wasm: Vec<u8>,
        arg: Vec<u8>,
    ) -> Result<(), Reject> {
        management::install(self, sender, canister, mode, &wasm, arg)
    }

    /// Whether there is such a canister.
    pub fn canister_exists(&self, canister: Principal) -> bool {
        self.canisters.contains_key(&canister)
    }

    /// The controllers of a canister; `None` if there is no such canister, here
    /// and below.
    pub fn controllers(&self, canister: Principal) -> Option<Vec<Principal>> {
        Some(self.canisters.get(&canister)?.settings.controllers.clone())
    }

    /// The cycles of a canister.
    pub fn cycles(&self, canister: Principal) -> Option<u128> {
        Some(self.canisters.get(&canister)?.cycles)
    }

    /// Adds cycles out of nothing; the new balance.
    pub fn add_cycles(&mut self, canister: Principal, amount: u128) -> Option<u128> {
        let canister = self.canisters.get_mut(&canister)?;
        canister.cycles = canister.cycles.saturating_add(amount);
        Some(canister.cycles)
    }

    /// SHA-256 of the module installed in a canister, if one is.
    pub fn module_hash(&self, canister: Principal) -> Option<[u8; 32]> {
        let code = self.canisters.get(&canister)?.code.as_ref()?;
        Some(code.module.hash)
    }

    /// A custom section `icp:public` or `icp:private` of the installed module.
    pub fn metadata(&self, canister: Principal, name: &str) -> Option<Vec<u8>> {
        let code = self.canisters.get(&canister)?.code.as_ref()?;
        Some(code.module.metadata.get(name)?.content.clone())
    }

    /// Whether only controllers may read a custom section of a canister.
    pub(crate) fn is_private_metadata(&self, canister: Principal, name: &str) -> bool {
        let canister = self.canisters.get(&canister);
        let code = canister.and_then(|canister| canister.code.as_ref());
        code.and_then(|code| code.module.metadata.get(name))
            .is_some_and(|metadata| !metadata.public)
    }

    /// What a canister certifies.
    pub fn certified_data(&self, canister: Principal) -> Option<Vec<u8>> {
        Some(self.canisters.get(&canister)?.certified_data.clone())
    }

    /// All of a canister's stable memory.
    pub fn stable_memory(&self, canister: Principal) -> Option<Vec<u8>> {
        Some(self.canisters.get(&canister)?.stable.to_bytes())
    }

    /// Replaces a canister's stable memory, rounded up to pages of 64 KiB;
    /// `false` if there is no such canister.
    pub fn set_stable_memory(&mut self, canister: Principal, bytes: &[u8]) -> bool {
        let Some(canister) = self.canisters.get_mut(&canister) else {
            return false;
        };
        canister.stable = StableMemory::from_bytes(bytes);
        true
    }

    /// The system canister with this id, unless a test has put a canister of
    /// its own there.
    pub(crate) fn system_canister(&self, id: Principal) -> Option<SystemCanister> {
        self.system.as_ref()?;
        SystemCanister::of(id).filter(|_| !self.canister_exists(id))
    }

    /// The subnet to which a canister id belongs, taken or not.
    pub(crate) fn owner(&self, canister: Principal) -> Option<usize> {
        self.subnets.iter().position(|subnet| subnet.owns(canister))
    }

    /// Where canisters are created unless said otherwise.
    pub(crate) fn default_subnet(&self) -> usize {
        [
            SubnetKind::Application,
            SubnetKind::VerifiedApplication,
            SubnetKind::System,
        ]
        .iter()
        .find_map(|kind| self.subnets.iter().position(|subnet| subnet.kind == *kind))
        .unwrap_or(0)
    }

    /// Creates a canister, with the id asked for or the next one; `None` if
    /// there is no id left.
    pub(crate) fn add_canister(
        &mut self,
        subnet: usize,
        id: Option<Principal>,
        settings: Settings,
        cycles: u128,
    ) -> Option<Principal> {
        let id = match id {
            Some(id) => id,
            None => {
                let given = &mut self.authorities[subnet].ids_given;
                let (count, id) = self.subnets[subnet]
                    .new_ids(*given)
                    .zip(1..)
                    .map(|(id, count)| (count, id))
                    .find(|(_, id)| !self.canisters.contains_key(id))?;
                *given += count;
                id
            }
        };
        self.canisters
            .insert(id, Canister::new(id, settings, cycles));
        self.state_changed();
        Some(id)
    }

    /// What a canister with this id sees of the network.
    pub(crate) fn surroundings(&self, canister: Principal) -> Surroundings {
        let subnet = self.owner(canister).unwrap_or(0);
        Surroundings {
            subnet: self.subnets[subnet].id,
            root_key: self.root_key.clone(),
            time: self.time,
        }
    }

    /// `limit`, unless this network has none.
    pub(crate) fn limit(&self, limit: u64) -> u64 {
        if self.unlimited { limit::NONE } else { limit }
    }

    /// Notes the bill of a message.
    pub(crate) fn executed(&mut self, execution: Execution) {
        self.last = execution;
    }
}
