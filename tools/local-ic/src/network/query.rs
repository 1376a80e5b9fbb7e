//! Queries: answered from the state at hand, which stays as it is.
//!
//! A composite query runs on a copy of its canister, where its callbacks find
//! what it did. Canisters it calls do not see that copy, not even itself.

use std::collections::VecDeque;

use candid::Principal;

use super::Network;
use super::ingress::{answer, did_not_reply, method, no_method};
use crate::canister::{Canister, Surroundings};
use crate::management;
use crate::meter::{Execution, limit};
use crate::module::MethodKind;
use crate::system_api::{Effects, EntryPoint, Message, OutgoingCall, Standing};
use crate::{ErrorCode, Reject, system_canister};

impl Network {
    /// Answers a query by itself, without the word of a subnet.
    ///
    /// # Errors
    ///
    /// There is no such canister, code or method, the canister is stopped, or
    /// it failed or rejected.
    pub fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method_name: &str,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        if canister == Principal::management_canister() {
            return management::query(self, sender, method_name, &payload);
        }
        if let Some(system) = self.system_canister(canister) {
            return system_canister::query(self, system, method_name);
        }
        let mut graph = Graph {
            left: self.limit(limit::QUERY),
            bill: Execution::default(),
        };
        let answer = graph.query(self, sender, canister, method_name, payload, 1);
        self.executed(graph.bill);
        answer
    }

    /// The reject of a subnet that is not part of this network.
    pub(crate) fn no_subnet(id: Principal) -> Reject {
        Reject::new(ErrorCode::SubnetNotFound, format!("Subnet {id} not found"))
    }
}

/// How deep queries may call one another.
const MAX_DEPTH: usize = 6;

/// A query and those it calls.
struct Graph {
    /// Instructions that all of them may still execute.
    left: u64,
    bill: Execution,
}

impl Graph {
    fn query(
        &mut self,
        network: &mut Network,
        sender: Principal,
        canister: Principal,
        method_name: &str,
        payload: Vec<u8>,
        depth: usize,
    ) -> Result<Vec<u8>, Reject> {
        let surroundings = network.surroundings(canister);
        let target = network.canister_mut(canister)?;
        target.check_running()?;
        let (entry, prefix) = match method(target, method_name)? {
            Some(MethodKind::Query) => (EntryPoint::Query, "canister_query"),
            Some(MethodKind::CompositeQuery) => {
                (EntryPoint::CompositeQuery, "canister_composite_query")
            }
            Some(MethodKind::Update) | None => {
                return Err(no_method(target, "query", method_name));
            }
        };
        let asks = target
            .code
            .as_ref()
            .is_some_and(|code| code.module.uses_certificate);
        // Only who was asked from outside has a certificate.
        let certificate = (asks && depth == 1)
            .then(|| network.data_certificate(canister))
            .flatten();
        let message = Message {
            argument: payload,
            certificate,
            ..Message::new(entry, format!("{prefix} {method_name}"), sender)
        };
        let target = network.canister_mut(canister)?;
        if entry == EntryPoint::Query {
            let effects = self.run(target, &surroundings, message)?;
            return match effects.response {
                Some(response) => answer(response),
                None => Err(did_not_reply(canister)),
            };
        }
        let copy = target.duplicate();
        self.composite(network, copy, &surroundings, message, depth)
    }

    /// Runs a composite query, the queries it calls and its callbacks, until
    /// it is answered.
    fn composite(
        &mut self,
        network: &mut Network,
        mut canister: Canister,
        surroundings: &Surroundings,
        message: Message,
        depth: usize,
    ) -> Result<Vec<u8>, Reject> {
        let caller = message.caller;
        let mut elsewhere = self.bill.instructions;
        let mut effects = self.run(&mut canister, surroundings, message)?;
        let mut calls = VecDeque::new();
        loop {
            if let Some(response) = effects.response {
                return answer(response);
            }
            calls.extend(effects.calls);
            let Some(OutgoingCall {
                callee,
                method,
                argument,
                callbacks,
                ..
            }) = calls.pop_front()
            else {
                return Err(did_not_reply(canister.id));
            };
            let before = self.bill.instructions;
            let result = self.call(network, &canister, callee, &method, argument, depth);
            elsewhere += self.bill.instructions - before;
            let (entry, closure) = match result {
                Ok(_) => (EntryPoint::CompositeReply, callbacks.reply),
                Err(_) => (EntryPoint::CompositeReject, callbacks.reject),
            };
            let message = Message {
                standing: Standing {
                    instructions: self.bill.instructions - elsewhere,
                    ..Standing::default()
                },
                ..Message::answer(entry, caller, closure, result)
            };
            effects = match self.run(&mut canister, surroundings, message) {
                Ok(effects) => effects,
                Err(reject) => {
                    if let Some(closure) = callbacks.cleanup {
                        let cleanup = EntryPoint::CompositeCleanup;
                        let message = Message::answer(cleanup, caller, closure, Ok(Vec::new()));
                        // Its changes are for callbacks to come, its failure for nobody.
                        let _ = self.run(&mut canister, surroundings, message);
                    }
                    if calls.is_empty() {
                        return Err(reject);
                    }
                    Effects::default()
                }
            };
        }
    }

    /// Asks another canister, or the same again, on behalf of a composite query.
    fn call(
        &mut self,
        network: &mut Network,
        caller: &Canister,
        callee: Principal,
        method: &str,
        argument: Vec<u8>,
        depth: usize,
    ) -> Result<Vec<u8>, Reject> {
        if depth >= MAX_DEPTH {
            return Err(Reject::new(
                ErrorCode::QueryCallGraphTooDeep,
                format!("Composite queries call one another more than {MAX_DEPTH} deep"),
            ));
        }
        if network.owner(callee) != network.owner(caller.id) {
            return Err(Reject::new(
                ErrorCode::CanisterNotFound,
                format!("Canister {callee} is not on the subnet of {}", caller.id),
            ));
        }
        self.query(network, caller.id, callee, method, argument, depth + 1)
    }

    fn run(
        &mut self,
        canister: &mut Canister,
        surroundings: &Surroundings,
        message: Message,
    ) -> Result<Effects, Reject> {
        let (result, execution) = canister.execute(surroundings, message, self.left);
        self.left = self.left.saturating_sub(execution.instructions);
        self.bill = self.bill.then(execution);
        result
    }
}
