//! The network.

use std::fmt;

use candid::Principal;

use crate::{ErrorCode, Execution, InstallMode, Reject, Subnet, SubnetKind};

/// How a network starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// One entry for each subnet.
    pub subnets: Vec<SubnetKind>,
    /// Nanoseconds since 1970; 6 May 2021 19:17:10 UTC unless given.
    pub initial_time: Option<u64>,
    /// Lifts the instruction limits of messages, for benchmarks.
    pub unlimited_instructions: bool,
}

impl Config {
    /// A network of these subnets, with everything else as by default.
    pub fn new(subnets: impl IntoIterator<Item = SubnetKind>) -> Self {
        Self {
            subnets: subnets.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// A network that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no subnet.
    NoSubnet,
    /// A kind of which there is one was named twice.
    DuplicateSubnet(SubnetKind),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSubnet => write!(f, "a network needs at least one subnet"),
            Self::DuplicateSubnet(kind) => write!(f, "there is only one {kind:?} subnet"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The clock does not go backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeError {
    /// The time of the network, nanoseconds since 1970.
    pub now: u64,
    /// The time asked for.
    pub wanted: u64,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {} already, {} is past", self.now, self.wanted)
    }
}

impl std::error::Error for TimeError {}

/// A message from outside.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// Who sends it; nothing is verified here.
    pub sender: Principal,
    /// The canister, or `aaaaa-aa`.
    pub canister_id: Principal,
    /// Where a call to `aaaaa-aa` is to be executed.
    pub effective: Effective,
    /// The method.
    pub method: String,
    /// The argument.
    pub payload: Vec<u8>,
}

/// Where a message is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective {
    /// Anywhere.
    None,
    /// On this subnet.
    Subnet(Principal),
    /// On the subnet of this canister.
    Canister(Principal),
}

/// The name of a submitted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 32]);

/// How far a message got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngressStatus {
    /// Not answered yet.
    Processing,
    /// Answered.
    Done(Result<Vec<u8>, Reject>),
}

/// A network: clock, keys, subnets, canisters.
#[derive(Debug)]
pub struct Network {
    subnets: Vec<Subnet>,
    time: u64,
}

#[allow(missing_docs, unused_variables)]
impl Network {
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self {
            subnets: vec![],
            time: 1_620_328_630_000_000_000,
        })
    }
    pub fn time(&self) -> u64 {
        self.time
    }
    pub fn set_time(&mut self, ns: u64) -> Result<(), TimeError> {
        self.time = ns;
        Ok(())
    }
    pub fn root_key(&self) -> &[u8] {
        &[]
    }
    pub fn subnets(&self) -> &[Subnet] {
        &self.subnets
    }
    pub fn subnet_of(&self, canister: Principal) -> Option<Principal> {
        None
    }
    pub fn default_effective_canister_id(&self) -> Principal {
        Principal::from_text("lxzze-o7777-77777-aaaaa-cai").unwrap()
    }
    pub fn submit(&mut self, ingress: Ingress) -> Result<(MessageId, Effective), Reject> {
        Err(unfinished())
    }
    /// As `submit`, under a name the caller chose (the request id of the HTTPS interface).
    pub fn submit_as(&mut self, id: MessageId, ingress: Ingress) -> Result<Effective, Reject> {
        Err(unfinished())
    }
    pub fn round(&mut self) {}
    pub fn ingress_status(&self, id: &MessageId) -> Option<IngressStatus> {
        None
    }
    pub fn ingress_sender(&self, id: &MessageId) -> Option<Principal> {
        None
    }
    pub fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        Err(unfinished())
    }
    pub fn update(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        Err(unfinished())
    }
    pub fn create_canister(&mut self, controller: Principal) -> Principal {
        Principal::management_canister()
    }
    pub fn install(
        &mut self,
        sender: Principal,
        canister: Principal,
        mode: InstallMode,
        wasm: Vec<u8>,
        arg: Vec<u8>,
    ) -> Result<(), Reject> {
        Err(unfinished())
    }
    pub fn canister_exists(&self, canister: Principal) -> bool {
        false
    }
    pub fn controllers(&self, canister: Principal) -> Option<Vec<Principal>> {
        None
    }
    pub fn cycles(&self, canister: Principal) -> Option<u128> {
        None
    }
    /// The new balance.
    pub fn add_cycles(&mut self, canister: Principal, amount: u128) -> Option<u128> {
        None
    }
    pub fn module_hash(&self, canister: Principal) -> Option<[u8; 32]> {
        None
    }
    pub fn stable_memory(&self, canister: Principal) -> Option<Vec<u8>> {
        None
    }
    /// `false`: no such canister.
    pub fn set_stable_memory(&mut self, canister: Principal, bytes: &[u8]) -> bool {
        false
    }
    pub fn last_execution(&self) -> Execution {
        Execution::default()
    }
    /// A CBOR certificate of the state tree of `subnet`, revealing these paths
    /// (what `read_state` of the HTTPS interface answers).
    pub fn read_state(&mut self, subnet: Principal, paths: &[Vec<Vec<u8>>]) -> Option<Vec<u8>> {
        None
    }
}

fn unfinished() -> Reject {
    Reject::new(ErrorCode::CanisterNotFound, "the engine is being written")
}
