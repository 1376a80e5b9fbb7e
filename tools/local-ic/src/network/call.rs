//! Calls: who made them, who waits for the answer, and what is on its way.
//!
//! ```text
//!  Call ──► Context, while the callee works on it ──► answer ──► Origin
//!             │ calls of its own        ▲
//!             ▼                         │ callbacks
//!          Call in the queue ──► Response in the queue
//! ```
//!
//! A call is answered once, and with the answer go the cycles nobody accepted.
//! A context is open until all its own calls are answered, even if it has been
//! answered itself.

use std::collections::{BTreeMap, VecDeque};

use candid::Principal;

use super::{Effective, MessageId};
use crate::Reject;
use crate::system_api::{Callbacks, OutgoingCall, Standing};

/// A call that waits to be executed.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) origin: Origin,
    pub(crate) caller: Principal,
    pub(crate) callee: Principal,
    /// Where a call to the management canister is executed.
    pub(crate) effective: Effective,
    pub(crate) method: String,
    pub(crate) argument: Vec<u8>,
    pub(crate) cycles: u128,
    pub(crate) deadline: u64,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// Whoever sent this message from outside.
    Ingress(MessageId),
    /// A canister.
    Canister {
        context: ContextId,
        callbacks: Callbacks,
    },
}

/// The number of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextId(u64);

/// A call, timer or heartbeat that a canister works on.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) canister: Principal,
    pub(super) caller: Principal,
    /// Nobody for timers and heartbeats, and once answered.
    pub(super) origin: Option<Origin>,
    /// What came with the call and was not accepted.
    pub(super) cycles: u128,
    pub(super) deadline: u64,
    /// How many of its calls are not answered.
    pub(super) outstanding: usize,
    /// What its messages cost so far.
    pub(super) instructions: u64,
    /// The code that made its calls was uninstalled.
    pub(super) orphaned: bool,
}

/// What is on its way.
#[derive(Debug)]
pub(super) enum Delivery {
    Call(Call),
    Response(Response),
}

/// The answer to a call that a canister made.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) context: ContextId,
    pub(super) callbacks: Callbacks,
    pub(super) answer: Result<Vec<u8>, Reject>,
    pub(super) refund: u128,
}

/// A call to stop a canister, while that stops.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) canister: Principal,
    pub(super) origin: Origin,
    pub(super) cycles: u128,
}

/// The calls of a network that are not done with.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) contexts: BTreeMap<ContextId, Context>,
    opened: u64,
    /// First in, first out: in particular between any two canisters.
    pub(super) queue: VecDeque<Delivery>,
    pub(super) stops: Vec<Stop>,
}

impl Context {
    /// A context without calls of its own.
    pub(super) fn new(canister: Principal, caller: Principal, origin: Option<Origin>) -> Self {
        Self {
            canister,
            caller,
            origin,
            cycles: 0,
            deadline: 0,
            outstanding: 0,
            instructions: 0,
            orphaned: false,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            cycles: self.cycles,
            answered: self.origin.is_none(),
            instructions: self.instructions,
            deadline: self.deadline,
        }
    }

    /// Whom to answer, and the cycles that go back with the answer; `None`
    /// when that was done before.
    pub(super) fn take_origin(&mut self) -> Option<(Origin, u128)> {
        let origin = self.origin.take()?;
        Some((origin, std::mem::take(&mut self.cycles)))
    }
}

impl Calls {
    pub(super) fn open(&mut self, context: Context) -> ContextId {
        let id = ContextId(self.opened);
        self.opened += 1;
        self.contexts.insert(id, context);
        id
    }

    /// Puts the calls of a message that succeeded on their way.
    pub(super) fn send(&mut self, id: ContextId, calls: Vec<OutgoingCall>) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        context.outstanding += calls.len();
        let caller = context.canister;
        self.queue.extend(calls.into_iter().map(|call| {
            Delivery::Call(Call {
                origin: Origin::Canister {
                    context: id,
                    callbacks: call.callbacks,
                },
                caller,
                callee: call.callee,
                effective: Effective::Canister(caller),
                method: call.method,
                argument: call.argument,
                cycles: call.cycles,
                deadline: call.deadline,
            })
        }));
    }

    /// Whether a canister works on something.
    pub(super) fn concern(&self, canister: Principal) -> bool {
        self.contexts
            .values()
            .any(|context| context.canister == canister)
    }

    /// Takes out the calls that wait for a canister to stop.
    pub(super) fn take_stops(&mut self, canister: Principal) -> Vec<Stop> {
        self.stops
            .extract_if(.., |stop| stop.canister == canister)
            .collect()
    }
}
