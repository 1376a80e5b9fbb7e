//! Messages from outside: accepted or not, executed in rounds, answered.

use std::collections::{HashMap, VecDeque};

use candid::Principal;
use sha2::{Digest, Sha256};

use super::Network;
use crate::canister::Canister;
use crate::management;
use crate::meter::limit;
use crate::module::MethodKind;
use crate::system_api::{EntryPoint, Message};
use crate::{ErrorCode, Reject};

/// The largest argument of an ingress message: 2 MiB.
const MAX_PAYLOAD: usize = 2 << 20;

/// A message from outside.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// Who sends it. Nothing is verified here.
    pub sender: Principal,
    /// The canister, or the management canister.
    pub canister_id: Principal,
    /// Where a call to the management canister is executed.
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

/// The name of an accepted message.
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

/// How many bytes of answers are kept for those who ask late: 256 MiB.
const MAX_ANSWERS: usize = 256 << 20;

/// The messages of a network: waiting, or answered and remembered.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Accepted and not executed, oldest first.
    queue: VecDeque<MessageId>,
    known: HashMap<MessageId, Accepted>,
    /// The answered ones, oldest first, and the bytes of their answers.
    answered: VecDeque<MessageId>,
    answer_bytes: usize,
    /// How many were submitted without a name.
    unnamed: u64,
}

/// A message and what became of it.
#[derive(Debug)]
struct Accepted {
    sender: Principal,
    /// Until it is executed.
    message: Option<Ingress>,
    status: IngressStatus,
}

impl Network {
    /// Accepts a message, to be executed by the next [`round`](Self::round).
    ///
    /// # Errors
    ///
    /// The message was refused: no such canister, no code, stopped, refused by
    /// `canister_inspect_message`, too large, or a call to the management
    /// canister by somebody who may not make it.
    pub fn submit(&mut self, ingress: Ingress) -> Result<(MessageId, Effective), Reject> {
        self.messages.unnamed += 1;
        let id = MessageId(
            Sha256::new_with_prefix(b"local-ic message")
                .chain_update(self.messages.unnamed.to_be_bytes())
                .finalize()
                .into(),
        );
        let effective = self.submit_as(id, ingress)?;
        Ok((id, effective))
    }

    /// As [`submit`](Self::submit), under a name the caller chose, such as the
    /// request id of the HTTPS interface. A name known already is not accepted
    /// again, which is no error.
    ///
    /// # Errors
    ///
    /// As `submit`.
    pub fn submit_as(&mut self, id: MessageId, ingress: Ingress) -> Result<Effective, Reject> {
        let effective = self.filter(&ingress)?;
        self.messages.accept(
            id,
            Ingress {
                effective,
                ..ingress
            },
        );
        Ok(effective)
    }

    /// What became of a message; `None` if it is unknown, or was answered and
    /// 256 MiB of answers ago.
    pub fn ingress_status(&self, id: &MessageId) -> Option<IngressStatus> {
        self.messages.status(id).cloned()
    }

    /// Who sent a message.
    pub fn ingress_sender(&self, id: &MessageId) -> Option<Principal> {
        Some(self.messages.known.get(id)?.sender)
    }

    /// One round on every subnet: a nanosecond passes, timers that are due and
    /// heartbeats run, then the accepted messages in their order.
    pub fn round(&mut self) {
        self.time += 1;
        self.run_tasks();
        while let Some((id, message)) = self.messages.next() {
            let answer = self.execute(message);
            self.messages.answer(id, answer);
        }
        self.state_changed();
    }

    fn filter(&mut self, ingress: &Ingress) -> Result<Effective, Reject> {
        if ingress.payload.len() > MAX_PAYLOAD {
            return Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                format!(
                    "the argument has {} bytes, more than the {MAX_PAYLOAD} of an ingress message",
                    ingress.payload.len()
                ),
            ));
        }
        if ingress.canister_id == Principal::management_canister() {
            return management::filter(self, ingress);
        }
        let surroundings = self.surroundings(ingress.canister_id);
        let limit = self.limit(limit::INSPECT);
        let canister = self.canister_mut(ingress.canister_id)?;
        canister.check_running()?;
        let code = canister.code.as_ref().ok_or_else(|| canister.no_code())?;
        if code.module.has_hook(INSPECT) {
            let message = Message {
                entry: EntryPoint::Inspect,
                export: INSPECT.to_owned(),
                caller: ingress.sender,
                argument: ingress.payload.clone(),
                method: ingress.method.clone(),
                certificate: None,
            };
            let (result, _) = canister.execute(&surroundings, message, limit);
            if !result?.accepted {
                return Err(canister.error(
                    ErrorCode::CanisterRejectedMessage,
                    "Canister rejected the message",
                ));
            }
        }
        Ok(Effective::Canister(ingress.canister_id))
    }

    fn execute(&mut self, ingress: Ingress) -> Result<Vec<u8>, Reject> {
        if ingress.canister_id == Principal::management_canister() {
            return management::execute(self, ingress);
        }
        let surroundings = self.surroundings(ingress.canister_id);
        let limit = self.limit(limit::UPDATE);
        let canister = self.canister_mut(ingress.canister_id)?;
        canister.check_running()?;
        let (entry, prefix) = match method(canister, &ingress.method)? {
            Some(MethodKind::Update) => (EntryPoint::Update, "canister_update"),
            Some(MethodKind::Query) => (EntryPoint::ReplicatedQuery, "canister_query"),
            Some(MethodKind::CompositeQuery) => {
                return Err(canister.error(
                    ErrorCode::CompositeQueryCalledInReplicatedMode,
                    "Composite query cannot be called in replicated mode",
                ));
            }
            None => return Err(no_method(canister, "update", &ingress.method)),
        };
        let message = Message {
            entry,
            export: format!("{prefix} {}", ingress.method),
            caller: ingress.sender,
            argument: ingress.payload,
            method: ingress.method,
            certificate: None,
        };
        let (result, execution) = canister.execute(&surroundings, message, limit);
        let answer = result.and_then(|effects| answer(canister, effects.response));
        self.executed(execution);
        answer
    }

    fn run_tasks(&mut self) {
        let ids: Vec<Principal> = self.canisters.keys().copied().collect();
        for id in ids {
            let surroundings = self.surroundings(id);
            let limit = self.limit(limit::UPDATE);
            let Some(canister) = self.canisters.get_mut(&id) else {
                continue;
            };
            for task in canister.due_tasks(surroundings.time) {
                let message = Message {
                    entry: EntryPoint::Task,
                    export: task.to_owned(),
                    caller: Principal::management_canister(),
                    argument: Vec::new(),
                    method: String::new(),
                    certificate: None,
                };
                // A task has nobody to tell; a trap is in the log.
                let (_, execution) = canister.execute(&surroundings, message, limit);
                self.last = execution;
            }
        }
    }

    pub(crate) fn canister_mut(&mut self, id: Principal) -> Result<&mut Canister, Reject> {
        self.canisters.get_mut(&id).ok_or_else(|| {
            Reject::new(
                ErrorCode::CanisterNotFound,
                format!("Canister {id} not found"),
            )
        })
    }
}

impl Messages {
    pub(super) fn status(&self, id: &MessageId) -> Option<&IngressStatus> {
        Some(&self.known.get(id)?.status)
    }

    fn accept(&mut self, id: MessageId, message: Ingress) {
        if self.known.contains_key(&id) {
            return;
        }
        self.queue.push_back(id);
        self.known.insert(
            id,
            Accepted {
                sender: message.sender,
                message: Some(message),
                status: IngressStatus::Processing,
            },
        );
    }

    fn next(&mut self) -> Option<(MessageId, Ingress)> {
        let id = self.queue.pop_front()?;
        let message = self.known.get_mut(&id)?.message.take()?;
        Some((id, message))
    }

    fn answer(&mut self, id: MessageId, answer: Result<Vec<u8>, Reject>) {
        if let Some(accepted) = self.known.get_mut(&id) {
            accepted.status = IngressStatus::Done(answer);
            self.answer_bytes += accepted.status.len();
            self.answered.push_back(id);
        }
        while self.answer_bytes > MAX_ANSWERS
            && let Some(oldest) = self.answered.pop_front()
            && let Some(forgotten) = self.known.remove(&oldest)
        {
            self.answer_bytes -= forgotten.status.len();
        }
    }
}

impl IngressStatus {
    fn len(&self) -> usize {
        match self {
            Self::Processing => 0,
            Self::Done(Ok(reply)) => reply.len(),
            Self::Done(Err(reject)) => reject.message.len(),
        }
    }
}

const INSPECT: &str = "canister_inspect_message";

/// The kind of a method, if there is one by that name.
pub(super) fn method(canister: &Canister, name: &str) -> Result<Option<MethodKind>, Reject> {
    let code = canister.code.as_ref().ok_or_else(|| canister.no_code())?;
    Ok(code.module.methods.get(name).copied())
}

pub(super) fn no_method(canister: &Canister, kind: &str, name: &str) -> Reject {
    canister.error(
        ErrorCode::CanisterMethodNotFound,
        format_args!("Canister has no {kind} method '{name}'"),
    )
}

/// What the caller is told when an execution went well.
pub(super) fn answer(
    canister: &Canister,
    response: Option<Result<Vec<u8>, String>>,
) -> Result<Vec<u8>, Reject> {
    match response {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(message)) => Err(Reject::new(ErrorCode::CanisterRejectedMessage, message)),
        None => Err(canister.error(
            ErrorCode::CanisterDidNotReply,
            "Canister did not reply to the call",
        )),
    }
}
