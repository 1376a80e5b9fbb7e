//! Messages from outside: accepted or not, executed in rounds, answered.

use candid::Principal;
use sha2::{Digest, Sha256};

use super::Network;
use super::call::{Call, Origin};
use crate::canister::Canister;
use crate::management;
use crate::meter::limit;
use crate::module::MethodKind;
use crate::system_api::{EntryPoint, Message, Response};
use crate::{ErrorCode, Reject, system_canister};

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
    /// Accepted and not executed.
    Received,
    /// Being executed and not answered.
    Processing,
    /// Answered.
    Done(Result<Vec<u8>, Reject>),
}

impl Ingress {
    fn call(self, id: MessageId) -> Call {
        Call {
            origin: Origin::Ingress(id),
            caller: self.sender,
            callee: self.canister_id,
            effective: self.effective,
            method: self.method,
            argument: self.payload,
            cycles: 0,
            deadline: 0,
        }
    }
}

/// A message and what became of it.
#[derive(Debug)]
pub(super) struct Accepted {
    sender: Principal,
    receiver: Principal,
    effective: Effective,
    /// The last moment at which it may begin.
    expiry: Option<u64>,
    /// Until its execution begins.
    message: Option<Ingress>,
    pub(super) status: IngressStatus,
}

/// How long after its expiry a message is known: callers may still be polling.
const REMEMBERED: u64 = 5 * 60 * 1_000_000_000;

impl Network {
    /// Accepts a message, to be executed by the next [`round`](Self::round).
    ///
    /// # Errors
    ///
    /// The message was refused: no such canister, no code, stopped, refused by
    /// `canister_inspect_message`, too large, or a call to the management
    /// canister by somebody who may not make it.
    pub fn submit(&mut self, ingress: Ingress) -> Result<(MessageId, Effective), Reject> {
        self.messages += 1;
        let id = MessageId(
            Sha256::new_with_prefix(b"local-ic message")
                .chain_update(self.messages.to_be_bytes())
                .finalize()
                .into(),
        );
        let effective = self.accept(id, ingress, None)?;
        Ok((id, effective))
    }

    /// As [`submit`](Self::submit), under a name the caller chose, such as the
    /// request id of the public interface. It is not executed later than
    /// `expiry`, in ns since 1970, and forgotten five minutes after that. A name
    /// that is known is not accepted again, which is no error.
    ///
    /// # Errors
    ///
    /// As `submit`.
    pub fn submit_as(
        &mut self,
        id: MessageId,
        ingress: Ingress,
        expiry: u64,
    ) -> Result<Effective, Reject> {
        match self.accepted.get(&id) {
            Some(known) => Ok(known.effective),
            None => self.accept(id, ingress, Some(expiry)),
        }
    }

    fn accept(
        &mut self,
        id: MessageId,
        ingress: Ingress,
        expiry: Option<u64>,
    ) -> Result<Effective, Reject> {
        let effective = self.filter(&ingress)?;
        self.queue.push_back(id);
        if let Some(expiry) = expiry {
            self.forget_at
                .insert((expiry.saturating_add(REMEMBERED), id));
        }
        let accepted = Accepted {
            sender: ingress.sender,
            receiver: ingress.canister_id,
            effective,
            expiry,
            message: Some(Ingress {
                effective,
                ..ingress
            }),
            status: IngressStatus::Received,
        };
        self.accepted.insert(id, accepted);
        Ok(effective)
    }

    /// What became of a message; `None` if it is unknown.
    pub fn ingress_status(&self, id: &MessageId) -> Option<IngressStatus> {
        Some(self.accepted.get(id)?.status.clone())
    }

    /// Who sent a message.
    pub fn ingress_sender(&self, id: &MessageId) -> Option<Principal> {
        Some(self.accepted.get(id)?.sender)
    }

    /// Whom a message was sent to.
    pub(crate) fn ingress_receiver(&self, id: &MessageId) -> Option<Principal> {
        Some(self.accepted.get(id)?.receiver)
    }

    /// One round on every subnet: a nanosecond passes, timers that are due and
    /// heartbeats run, then the accepted messages in their order, then what
    /// canisters call and are answered, for up to a thousand messages.
    pub fn round(&mut self) {
        self.time += 1;
        self.forget_old_messages();
        self.run_tasks();
        while let Some(id) = self.queue.pop_front() {
            let Some(accepted) = self.accepted.get_mut(&id) else {
                continue;
            };
            let in_time = accepted.expiry.is_none_or(|expiry| self.time <= expiry);
            let Some(message) = accepted.message.take() else {
                continue;
            };
            if in_time {
                accepted.status = IngressStatus::Processing;
                self.count(message.effective);
                self.begin(message.call(id));
            } else {
                let reject = Reject::new(
                    ErrorCode::IngressMessageTimeout,
                    format!(
                        "Ingress message 0x{} timed out waiting to start executing.",
                        hex::encode(id.0)
                    ),
                );
                self.answered(id, Err(reject));
            }
        }
        self.deliver();
        self.state_changed();
    }

    /// Notes that a subnet executes a message.
    fn count(&mut self, effective: Effective) {
        let subnet = match effective {
            Effective::None => None,
            Effective::Subnet(id) => self.subnets.iter().position(|subnet| subnet.id == id),
            Effective::Canister(id) => self.owner(id),
        };
        if let Some(index) = subnet {
            self.executed[index] += 1;
        }
    }

    fn forget_old_messages(&mut self) {
        while let Some((time, id)) = self.forget_at.first().copied()
            && time < self.time
        {
            self.forget_at.pop_first();
            self.accepted.remove(&id);
        }
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
        if let Some(canister) = self.system_canister(ingress.canister_id) {
            return system_canister::filter(canister, ingress);
        }
        let surroundings = self.surroundings(ingress.canister_id);
        let limit = self.limit(limit::INSPECT);
        let canister = self.canister_mut(ingress.canister_id)?;
        canister.check_running()?;
        let code = canister.code.as_ref().ok_or_else(|| canister.no_code())?;
        if code.module.has_hook(INSPECT) {
            let message = Message {
                argument: ingress.payload.clone(),
                method: ingress.method.clone(),
                ..Message::new(EntryPoint::Inspect, INSPECT, ingress.sender)
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

    /// Notes the answer to a message, unless that is forgotten.
    pub(super) fn answered(&mut self, id: MessageId, answer: Result<Vec<u8>, Reject>) {
        if let Some(accepted) = self.accepted.get_mut(&id) {
            accepted.status = IngressStatus::Done(answer);
        }
    }

    fn run_tasks(&mut self) {
        let ids: Vec<Principal> = self.canisters.keys().copied().collect();
        for id in ids {
            let tasks = match self.canisters.get_mut(&id) {
                Some(canister) => canister.due_tasks(self.time),
                None => continue,
            };
            for task in tasks {
                self.run_task(id, task);
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

/// What the caller is told when a canister has answered.
pub(super) fn answer(response: Response) -> Result<Vec<u8>, Reject> {
    response.map_err(|message| Reject::new(ErrorCode::CanisterRejectedMessage, message))
}

/// What the caller is told when a canister has not answered.
pub(super) fn did_not_reply(canister: Principal) -> Reject {
    Reject::new(
        ErrorCode::CanisterDidNotReply,
        format!("Error from Canister {canister}: Canister did not reply to the call."),
    )
}
