//! The system interface: the functions canisters import from `ic0`.
//!
//! Functions are grouped by what they are about, one file a group. Each one
//! begins with [`enter`], which knows in which entry points it may be called
//! (interface specification, "Overview of imports") and what it costs.

mod calls;
mod environment;
mod message;
mod shape;
mod stable;

use std::fmt;
use std::sync::{Arc, LazyLock};

use candid::Principal;
use wasmtime::{Linker, Memory, ResourceLimiter};

use crate::meter::{Item, Meter, OutOfInstructions, charge};
use crate::module::{InvalidModule, engine};
use crate::reject::Reject;
use crate::stable_memory::StableMemory;

pub(crate) use calls::{Callbacks, Closure, OutgoingCall};
pub(crate) use environment::CREATION_FEE;

/// What a message is executed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryPoint {
    Start,
    /// `canister_init` and `canister_post_upgrade`.
    Init,
    PreUpgrade,
    Update,
    ReplicatedQuery,
    Query,
    CompositeQuery,
    Inspect,
    /// Timer and heartbeat.
    Task,
    /// The callback for a reply; the next two belong with it.
    Reply,
    Reject,
    /// What runs after a callback that trapped.
    Cleanup,
    /// The same in composite queries.
    CompositeReply,
    CompositeReject,
    CompositeCleanup,
}

impl EntryPoint {
    const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// Whether what the message does is kept when it succeeds. Composite queries
    /// keep it for their callbacks, on a copy of the canister.
    pub(crate) fn keeps_changes(self) -> bool {
        !matches!(self, Self::ReplicatedQuery | Self::Query | Self::Inspect)
    }

    /// Whether all nodes of a subnet would execute the message.
    pub(crate) fn is_replicated(self) -> bool {
        !matches!(
            self,
            Self::Query
                | Self::Inspect
                | Self::CompositeQuery
                | Self::CompositeReply
                | Self::CompositeReject
                | Self::CompositeCleanup
        )
    }

    fn mode(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Init => "init",
            Self::PreUpgrade => "pre upgrade",
            Self::Update => "update",
            Self::ReplicatedQuery => "replicated query",
            Self::Query => "non replicated query",
            Self::CompositeQuery => "composite query",
            Self::Inspect => "inspect message",
            Self::Task => "system task",
            Self::Reply => "reply callback",
            Self::Reject => "reject callback",
            Self::Cleanup => "cleanup",
            Self::CompositeReply => "composite reply callback",
            Self::CompositeReject => "composite reject callback",
            Self::CompositeCleanup => "composite cleanup",
        }
    }
}

/// A set of entry points.
#[derive(Clone, Copy)]
struct In(u16);

impl In {
    const INIT: In = In(EntryPoint::Init.bit());
    const PRE_UPGRADE: In = In(EntryPoint::PreUpgrade.bit());
    const UPDATE: In = In(EntryPoint::Update.bit());
    const REPLICATED_QUERY: In = In(EntryPoint::ReplicatedQuery.bit());
    const QUERY: In = In(EntryPoint::Query.bit());
    const COMPOSITE_QUERY: In = In(EntryPoint::CompositeQuery.bit());
    const INSPECT: In = In(EntryPoint::Inspect.bit());
    const TASK: In = In(EntryPoint::Task.bit());
    const REPLY: In = In(EntryPoint::Reply.bit());
    const REJECT: In = In(EntryPoint::Reject.bit());
    const CLEANUP: In = In(EntryPoint::Cleanup.bit());
    const COMPOSITE_REPLY: In = In(EntryPoint::CompositeReply.bit());
    const COMPOSITE_REJECT: In = In(EntryPoint::CompositeReject.bit());
    const COMPOSITE_CLEANUP: In = In(EntryPoint::CompositeCleanup.bit());
    /// `* s` in the specification.
    const ANYWHERE: In = In(u16::MAX);
    /// `*` in the specification.
    const NOT_IN_START: In = In(!EntryPoint::Start.bit());
    /// Where a call of this canister was answered.
    const CALLBACKS: In = Self::REPLY.or(Self::REJECT);
    /// The same in composite queries.
    const COMPOSITE_CALLBACKS: In = Self::COMPOSITE_REPLY.or(Self::COMPOSITE_REJECT);
    /// Where there is a call to answer.
    const CALLS: In = Self::UPDATE
        .or(Self::REPLICATED_QUERY)
        .or(Self::QUERY)
        .or(Self::COMPOSITE_QUERY)
        .or(Self::CALLBACKS)
        .or(Self::COMPOSITE_CALLBACKS);

    const fn or(self, other: In) -> In {
        In(self.0 | other.0)
    }

    fn contains(self, entry: EntryPoint) -> bool {
        self.0 & entry.bit() != 0
    }
}

/// Why an execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// `ic0.trap`, with its message.
    Called(String),
    /// WebAssembly trapped.
    Wasm(String),
    /// The rules of the interface were broken.
    Contract(String),
    /// The message executed more than this many instructions.
    Instructions(u64),
    /// The heap grew beyond this many bytes.
    HeapLimit(u64),
    /// A call was to take more cycles than the canister has.
    OutOfCycles {
        /// How many more it would need.
        missing: u128,
    },
    /// A callback that is no function of the table, or not one that takes an
    /// `i32` and returns nothing.
    NoFunction(u32),
    /// A function of the system that this crate does not have.
    NotSupported(&'static str),
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called(message) => {
                write!(f, "Canister called `ic0.trap` with message: '{message}'")
            }
            Self::Wasm(what) => write!(f, "Canister trapped: {what}"),
            Self::Contract(what) => write!(f, "Canister violated contract: {what}"),
            Self::Instructions(limit) => write!(
                f,
                "Canister exceeded the limit of {limit} instructions for single message execution"
            ),
            Self::HeapLimit(limit) => write!(
                f,
                "Canister exceeded its current Wasm memory limit of {limit} bytes"
            ),
            Self::OutOfCycles { missing } => write!(
                f,
                "Canister is out of cycles: please top up the canister with at \
                 least {missing} additional cycles"
            ),
            Self::NoFunction(index) => write!(
                f,
                "Canister requested to invoke a non-existent Wasm function {index} from table 0"
            ),
            Self::NotSupported(name) => {
                write!(
                    f,
                    "Canister trapped: ic0.{name} is not supported by local-ic"
                )
            }
        }
    }
}

impl std::error::Error for Trap {}

/// What a canister may ask about itself and its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) canister: Principal,
    pub(crate) subnet: Principal,
    pub(crate) root_key: Arc<[u8]>,
    pub(crate) time: u64,
    pub(crate) version: u64,
    /// As `ic0.canister_status` numbers it.
    pub(crate) status: u32,
    pub(crate) cycles: u128,
    pub(crate) controllers: Vec<Principal>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) global_timer: u64,
    /// The largest heap, in bytes.
    pub(crate) heap_limit: u64,
    /// How much a canister log holds, in bytes.
    pub(crate) log_capacity: u64,
}

/// The message at hand.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) entry: EntryPoint,
    pub(crate) function: Function,
    pub(crate) caller: Principal,
    /// In a reply callback, the reply.
    pub(crate) argument: Vec<u8>,
    /// For `canister_inspect_message`: what the message wants to call.
    pub(crate) method: String,
    pub(crate) certificate: Option<Arc<[u8]>>,
    /// The call that the message is part of.
    pub(crate) standing: Standing,
    /// In a reject callback, and in the cleanup after one: the reject.
    pub(crate) reject: Option<Reject>,
    /// In a callback: cycles that came back.
    pub(crate) refunded: u128,
}

impl Message {
    /// A message without an argument that enters through an export.
    pub(crate) fn new(entry: EntryPoint, export: impl Into<String>, caller: Principal) -> Self {
        Self {
            entry,
            function: Function::Export(export.into()),
            caller,
            argument: Vec::new(),
            method: String::new(),
            certificate: None,
            standing: Standing::default(),
            reject: None,
            refunded: 0,
        }
    }

    /// A message that brings an answer.
    pub(crate) fn answer(
        entry: EntryPoint,
        caller: Principal,
        function: Closure,
        answer: std::result::Result<Vec<u8>, Reject>,
    ) -> Self {
        let (argument, reject) = match answer {
            Ok(reply) => (reply, None),
            Err(reject) => (Vec::new(), Some(reject)),
        };
        Self {
            function: Function::Callback(function),
            argument,
            reject,
            ..Self::new(entry, String::new(), caller)
        }
    }
}

/// Where a message enters a module.
#[derive(Clone, Debug)]
pub(crate) enum Function {
    Export(String),
    Callback(Closure),
}

/// What has become of a call before a message that is part of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// Cycles that came with the call and nobody has accepted.
    pub(crate) cycles: u128,
    /// There is nobody to answer, or not any more.
    pub(crate) answered: bool,
    /// What earlier messages of the call have cost, in instructions.
    pub(crate) instructions: u64,
    /// When the caller stops waiting, in ns since 1970; 0 for never.
    pub(crate) deadline: u64,
}

/// An answer given by a canister.
pub(crate) type Response = std::result::Result<Vec<u8>, String>;

/// What a message does besides writing to memory.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) response: Option<Response>,
    pub(crate) certified_data: Option<Vec<u8>>,
    pub(crate) global_timer: Option<u64>,
    pub(crate) cycles_burned: u128,
    /// Of those that came with the call.
    pub(crate) cycles_accepted: u128,
    /// The calls made, first to last.
    pub(crate) calls: Vec<OutgoingCall>,
    /// `ic0.accept_message` was called.
    pub(crate) accepted: bool,
}

impl Effects {
    /// What a balance becomes.
    pub(crate) fn balance(&self, before: u128) -> u128 {
        let sent: u128 = self.calls.iter().map(|call| call.cycles).sum();
        before + self.cycles_accepted - self.cycles_burned - sent
    }
}

/// What the functions of the interface work on.
#[derive(Debug)]
pub(crate) struct SystemState {
    pub(crate) meter: Meter,
    pub(crate) stable: StableMemory,
    pub(crate) memory: Option<Memory>,
    pub(crate) effects: Effects,
    /// What was printed; kept whatever becomes of the message.
    pub(crate) printed: Vec<Vec<u8>>,
    environment: Environment,
    message: Message,
    reply: Vec<u8>,
    /// A call between `call_new` and `call_perform`.
    call: Option<OutgoingCall>,
    /// Set once the module's own code runs.
    pub(crate) running: bool,
}

impl SystemState {
    pub(crate) fn new(
        environment: Environment,
        message: Message,
        stable: StableMemory,
        limit: u64,
    ) -> Self {
        Self {
            meter: Meter::new(limit),
            stable,
            memory: None,
            effects: Effects::default(),
            printed: Vec::new(),
            environment,
            message,
            reply: Vec::new(),
            call: None,
            running: false,
        }
    }
}

impl ResourceLimiter for SystemState {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if !self.running {
            return Ok(true);
        }
        self.meter.owe(charge::MEMORY_GROW_REST);
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let limit = self.environment.heap_limit;
        if self.message.entry.keeps_changes()
            && self.message.entry.is_replicated()
            && limit != 0
            && desired as u64 > limit
        {
            return Err(Trap::HeapLimit(limit).into());
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= maximum.unwrap_or(1_000_000).min(1_000_000))
    }
}

/// Resolves the imports of a module.
pub(crate) fn link(
    module: &wasmtime::Module,
) -> std::result::Result<wasmtime::InstancePre<SystemState>, InvalidModule> {
    static LINKER: LazyLock<Linker<SystemState>> = LazyLock::new(|| {
        let mut linker = Linker::new(engine());
        message::define(&mut linker)
            .and_then(|()| environment::define(&mut linker))
            .and_then(|()| stable::define(&mut linker))
            .and_then(|()| calls::define(&mut linker))
            .expect("the functions of the interface have different names");
        linker
    });
    LINKER
        .instantiate_pre(module)
        .map_err(|error| InvalidModule::new(format_args!("{error:#}")))
}

type Caller<'a> = wasmtime::Caller<'a, SystemState>;
type Result<T> = wasmtime::Result<T>;

/// Begins a function of the interface: may it be called here, is it paid for?
fn enter(caller: &mut Caller<'_>, name: &'static str, allowed: In, charge: u64) -> Result<()> {
    let entry = caller.data().message.entry;
    if !allowed.contains(entry) {
        return Err(contract(format!(
            "\"ic0_{name}\" cannot be executed in {} mode",
            entry.mode()
        )));
    }
    pay(caller, Item::SystemApi, charge)
}

/// Takes `amount` from what the message may spend.
fn pay(caller: &mut Caller<'_>, item: Item, amount: u64) -> Result<()> {
    let fuel = caller.get_fuel()?;
    let state = caller.data_mut();
    match state.meter.charge(item, amount, fuel) {
        Ok(left) => caller.set_fuel(left),
        Err(OutOfInstructions) => {
            let limit = state.meter.limit();
            caller.set_fuel(0)?;
            Err(Trap::Instructions(limit).into())
        }
    }
}

fn contract(what: impl Into<String>) -> wasmtime::Error {
    Trap::Contract(what.into()).into()
}

fn heap_out_of_bounds() -> wasmtime::Error {
    Trap::Wasm("heap out of bounds".into()).into()
}

/// The heap of the instance that calls, and the rest of the state.
fn heap<'a>(caller: &'a mut Caller<'_>) -> Result<(&'a mut [u8], &'a mut SystemState)> {
    let memory = caller
        .data()
        .memory
        .ok_or_else(|| contract("WebAssembly module must define memory"))?;
    Ok(memory.data_and_store_mut(caller))
}

/// A copy of `size` bytes of the heap.
fn bytes(caller: &mut Caller<'_>, src: u32, size: u32) -> Result<Vec<u8>> {
    let (heap, _) = heap(caller)?;
    Ok(range(heap, src.into(), size.into())?.to_vec())
}

/// As [`bytes`], for text; what is not UTF-8 is replaced.
fn text(caller: &mut Caller<'_>, src: u32, size: u32) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(caller, src, size)?).into_owned())
}

/// As [`bytes`], for a principal.
fn principal(caller: &mut Caller<'_>, src: u32, size: u32) -> Result<Principal> {
    Principal::try_from_slice(&bytes(caller, src, size)?)
        .map_err(|error| contract(format!("not a principal: {error}")))
}

/// Copies `source[offset..offset + size]` into the heap.
fn copy(
    caller: &mut Caller<'_>,
    name: &'static str,
    (dst, offset, size): (u32, u32, u32),
    source: impl FnOnce(&SystemState) -> Result<&[u8]>,
) -> Result<()> {
    let (heap, state) = heap(caller)?;
    let source = source(state)?;
    let from = (offset as usize)
        .checked_add(size as usize)
        .and_then(|end| source.get(offset as usize..end))
        .ok_or_else(|| {
            contract(format!(
                "ic0.{name} payload: src={offset} + length={size} exceeds the slice size={}",
                source.len()
            ))
        })?;
    range(heap, dst.into(), size.into())?.copy_from_slice(from);
    Ok(())
}

/// Writes a 128-bit number, little-endian.
fn write_u128(caller: &mut Caller<'_>, dst: u32, value: u128) -> Result<()> {
    let (heap, _) = heap(caller)?;
    range(heap, dst.into(), 16)?.copy_from_slice(&value.to_le_bytes());
    Ok(())
}

fn range(heap: &mut [u8], start: u64, len: u64) -> Result<&mut [u8]> {
    start
        .checked_add(len)
        .and_then(|end| heap.get_mut(start as usize..end as usize))
        .ok_or_else(heap_out_of_bounds)
}

fn u128_of(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}
