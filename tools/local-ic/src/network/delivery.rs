//! Calls executed: from the first message of a call to its answer.

use candid::Principal;

use super::Network;
use super::call::{Call, Context, ContextId, Delivery, Origin, Response, Stop};
use super::ingress::{answer, did_not_reply, method, no_method};
use crate::canister::Status;
use crate::management::{self, Answer};
use crate::meter::limit;
use crate::module::MethodKind;
use crate::system_api::{EntryPoint, Function, Message};
use crate::{ErrorCode, Reject, system_canister};

/// How many calls and answers between canisters one round carries.
const MAX_DELIVERIES: usize = 1_000;

impl Network {
    /// Carries calls and answers between canisters until none is left, or as
    /// many as fit in a round.
    pub(super) fn deliver(&mut self) {
        for _ in 0..MAX_DELIVERIES {
            match self.calls.queue.pop_front() {
                Some(Delivery::Call(call)) => self.begin(call),
                Some(Delivery::Response(response)) => self.resume(response),
                None => return,
            }
        }
    }

    /// Executes a call up to where it is answered, or waits for others.
    pub(super) fn begin(&mut self, mut call: Call) {
        let answer = if call.callee == Principal::management_canister() {
            match management::execute(self, &mut call) {
                Ok(Answer::Reply(reply)) => Ok(reply),
                Ok(Answer::WhenStopped(canister)) => return self.wait_for_stop(canister, call),
                Err(reject) => Err(reject),
            }
        } else if let Some(system) = self.system_canister(call.callee) {
            system_canister::execute(self, system, &call)
        } else {
            match self.first_message(&mut call) {
                Ok(message) => return self.open(&call, message),
                Err(reject) => Err(reject),
            }
        };
        self.respond(call.origin, answer, call.cycles);
    }

    /// What a canister runs for a call.
    fn first_message(&mut self, call: &mut Call) -> Result<Message, Reject> {
        let canister = self.canister_mut(call.callee)?;
        canister.check_running()?;
        let (entry, prefix) = match method(canister, &call.method)? {
            Some(MethodKind::Update) => (EntryPoint::Update, "canister_update"),
            Some(MethodKind::Query) => (EntryPoint::ReplicatedQuery, "canister_query"),
            Some(MethodKind::CompositeQuery) => {
                return Err(canister.error(
                    ErrorCode::CompositeQueryCalledInReplicatedMode,
                    "Composite query cannot be called in replicated mode",
                ));
            }
            None => return Err(no_method(canister, "update", &call.method)),
        };
        Ok(Message {
            argument: std::mem::take(&mut call.argument),
            ..Message::new(entry, format!("{prefix} {}", call.method), call.caller)
        })
    }

    fn open(&mut self, call: &Call, message: Message) {
        let context = self.calls.open(Context {
            cycles: call.cycles,
            deadline: call.deadline,
            ..Context::new(call.callee, call.caller, Some(call.origin))
        });
        let failure = self.run(context, message);
        self.close(context, failure);
    }

    /// Executes a timer or a heartbeat. A trap is in the log and nowhere else.
    pub(super) fn run_task(&mut self, canister: Principal, task: &str) {
        let system = Principal::management_canister();
        let context = self.calls.open(Context::new(canister, system, None));
        self.run(context, Message::new(EntryPoint::Task, task, system));
        self.close(context, None);
    }

    /// Executes one message of a context; how it failed, if it did.
    fn run(&mut self, id: ContextId, message: Message) -> Option<Reject> {
        let context = self.calls.contexts.get(&id)?;
        let message = Message {
            standing: context.standing(),
            ..message
        };
        let surroundings = self.surroundings(context.canister);
        let limit = self.limit(limit::UPDATE);
        let canister = self.canisters.get_mut(&context.canister)?;
        let (result, execution) = canister.execute(&surroundings, message, limit);
        self.executed(execution);
        let context = self.calls.contexts.get_mut(&id)?;
        context.instructions += execution.instructions;
        match result {
            Ok(effects) => {
                context.cycles -= effects.cycles_accepted;
                let answered = effects
                    .response
                    .and_then(|response| Some((answer(response), context.take_origin()?)));
                self.calls.send(id, effects.calls);
                if let Some((answer, (origin, refund))) = answered {
                    self.respond(origin, answer, refund);
                }
                None
            }
            Err(reject) => Some(reject),
        }
    }

    /// Executes the callback that an answer is for.
    fn resume(&mut self, response: Response) {
        let Response {
            context: id,
            callbacks,
            answer,
            refund,
        } = response;
        let Some(context) = self.calls.contexts.get_mut(&id) else {
            return;
        };
        context.outstanding -= 1;
        let caller = context.caller;
        if let Some(canister) = self.canisters.get_mut(&context.canister) {
            canister.cycles += refund;
        }
        if context.orphaned {
            return self.close(id, None);
        }
        let (entry, closure) = match answer {
            Ok(_) => (EntryPoint::Reply, callbacks.reply),
            Err(_) => (EntryPoint::Reject, callbacks.reject),
        };
        let message = Message {
            refunded: refund,
            ..Message::answer(entry, caller, closure, answer)
        };
        let cleanup = callbacks.cleanup.map(|closure| Message {
            entry: EntryPoint::Cleanup,
            function: Function::Callback(closure),
            argument: Vec::new(),
            ..message.clone()
        });
        let mut failure = self.run(id, message);
        if let Some(failure) = &mut failure
            && let Some(cleanup) = cleanup
            && let Some(reject) = self.run(id, cleanup)
        {
            let also = format!("\n\ncall_on_cleanup also failed:\n\n{}", reject.message);
            failure.message.push_str(&also);
        }
        self.close(id, failure);
    }

    /// Closes a context that waits for nothing. If it was not answered, the
    /// failure of its last message is the answer, or that there was none.
    fn close(&mut self, id: ContextId, failure: Option<Reject>) {
        let Some(context) = self.calls.contexts.get(&id) else {
            return;
        };
        if context.outstanding > 0 {
            return;
        }
        let Some(mut context) = self.calls.contexts.remove(&id) else {
            return;
        };
        if let Some((origin, refund)) = context.take_origin() {
            let reject = failure.unwrap_or_else(|| did_not_reply(context.canister));
            self.respond(origin, Err(reject), refund);
        }
        self.stop_if_idle(context.canister);
    }

    fn respond(&mut self, origin: Origin, answer: Result<Vec<u8>, Reject>, refund: u128) {
        match origin {
            Origin::Ingress(id) => self.answered(id, answer),
            Origin::Canister { context, callbacks } => {
                self.calls.queue.push_back(Delivery::Response(Response {
                    context,
                    callbacks,
                    answer,
                    refund,
                }));
            }
        }
    }

    fn wait_for_stop(&mut self, canister: Principal, call: Call) {
        self.calls.stops.push(Stop {
            canister,
            origin: call.origin,
            cycles: call.cycles,
        });
        self.stop_if_idle(canister);
    }

    /// Stops a canister that is stopping and works on nothing any more.
    fn stop_if_idle(&mut self, id: Principal) {
        if let Some(canister) = self.canisters.get_mut(&id)
            && canister.status == Status::Stopping
            && !self.calls.concern(id)
        {
            canister.status = Status::Stopped;
            self.answer_stops(id, Ok(management::nothing()));
        }
    }

    /// Answers the calls that wait for a canister to stop.
    pub(crate) fn answer_stops(&mut self, canister: Principal, answer: Result<Vec<u8>, Reject>) {
        for stop in self.calls.take_stops(canister) {
            self.respond(stop.origin, answer.clone(), stop.cycles);
        }
    }

    /// Rejects what a canister works on: its code is gone. What is answered to
    /// its own calls is for nobody.
    pub(crate) fn orphan(&mut self, canister: Principal) {
        let orphaned: Vec<_> = self
            .calls
            .contexts
            .values_mut()
            .filter(|context| context.canister == canister)
            .filter_map(|context| {
                context.orphaned = true;
                context.take_origin()
            })
            .collect();
        for (origin, refund) in orphaned {
            let reject = Reject::new(
                ErrorCode::CanisterRejectedMessage,
                "Canister has been uninstalled.",
            );
            self.respond(origin, Err(reject), refund);
        }
    }
}
