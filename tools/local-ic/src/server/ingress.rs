//! Calls: messages submitted, awaited and looked up, and queries.
//!
//! Submitting only passes the ingress filter and queues the message. Awaiting
//! executes rounds until the message is answered, and every other queued
//! message with it.

use axum::Json;
use candid::Principal;
use pocket_ic::common::rest::{
    RawCanisterCall, RawCanisterResult, RawEffectivePrincipal, RawIngressStatusArgs, RawMessageId,
};
use pocket_ic::{ErrorCode, RejectCode, RejectResponse};

use crate::{Effective, Ingress, IngressStatus, MessageId, Network};

use super::instances::On;
use super::json::Body;
use super::refusal::Refusal;

/// How many rounds a message gets to be answered in.
const ROUNDS: usize = 100;

/// `POST update/submit_ingress_message`
pub(super) async fn submit(
    On(instance): On,
    Body(call): Body<RawCanisterCall>,
) -> Result<Json<Result<RawMessageId, RejectResponse>>, Refusal> {
    let ingress = ingress(call)?;
    let submitted = instance.with(|network| network.submit(ingress)).await?;
    Ok(Json(match submitted {
        Ok((id, effective)) => Ok(RawMessageId {
            effective_principal: raw_effective(effective),
            message_id: id.0.to_vec(),
        }),
        Err(reject) => Err(raw_reject(reject, false)?),
    }))
}

/// `POST update/await_ingress_message`
pub(super) async fn await_answer(
    On(instance): On,
    Body(message): Body<RawMessageId>,
) -> Result<Json<RawCanisterResult>, Refusal> {
    let id = message_id(&message)?;
    let answer = instance
        .with(move |network| execute(network, &id))
        .await??;
    raw_result(answer, true).map(Json)
}

fn execute(network: &mut Network, id: &MessageId) -> Result<Answer, Refusal> {
    for _ in 0..ROUNDS {
        match network.ingress_status(id) {
            Some(IngressStatus::Done(answer)) => return Ok(answer),
            Some(IngressStatus::Received | IngressStatus::Processing) => network.round(),
            None => return Err(Refusal::NoMessage(id.0.to_vec())),
        }
    }
    match network.ingress_status(id) {
        Some(IngressStatus::Done(answer)) => Ok(answer),
        _ => Err(Refusal::Unanswered {
            message: id.0.to_vec(),
            rounds: ROUNDS,
        }),
    }
}

/// `POST read/ingress_status`: `null` until there is an answer.
pub(super) async fn status(
    On(instance): On,
    Body(arguments): Body<RawIngressStatusArgs>,
) -> Result<Json<Option<RawCanisterResult>>, Refusal> {
    let id = message_id(&arguments.raw_message_id)?;
    let caller = match &arguments.raw_caller {
        Some(caller) => Some(principal(&caller.principal_id)?),
        None => None,
    };
    let look =
        move |network: &mut Network| (network.ingress_sender(&id), network.ingress_status(&id));
    let (sender, status) = instance.with(look).await?;
    if let (Some(caller), Some(sender)) = (caller, sender)
        && caller != sender
    {
        return Err(Refusal::NotTheSender { caller });
    }
    Ok(Json(match status {
        Some(IngressStatus::Done(answer)) => Some(raw_result(answer, true)?),
        Some(IngressStatus::Received | IngressStatus::Processing) | None => None,
    }))
}

/// `POST read/query`
pub(super) async fn query(
    On(instance): On,
    Body(call): Body<RawCanisterCall>,
) -> Result<Json<RawCanisterResult>, Refusal> {
    let call = ingress(call)?;
    let ask = move |network: &mut Network| {
        network.query(call.sender, call.canister_id, &call.method, call.payload)
    };
    let answer = instance.with(ask).await?;
    raw_result(answer, false).map(Json)
}

/// A canister id, a caller or any other principal in a request.
pub(super) fn principal(bytes: &[u8]) -> Result<Principal, Refusal> {
    Principal::try_from_slice(bytes).map_err(|_| Refusal::NotAPrincipal(bytes.to_vec()))
}

type Answer = Result<Vec<u8>, crate::Reject>;

fn ingress(call: RawCanisterCall) -> Result<Ingress, Refusal> {
    if call.sender_info.is_some() {
        return Err(Refusal::NotSupported("sender_info of a call".to_owned()));
    }
    Ok(Ingress {
        sender: principal(&call.sender)?,
        canister_id: principal(&call.canister_id)?,
        effective: match &call.effective_principal {
            RawEffectivePrincipal::None => Effective::None,
            RawEffectivePrincipal::SubnetId(id) => Effective::Subnet(principal(id)?),
            RawEffectivePrincipal::CanisterId(id) => Effective::Canister(principal(id)?),
        },
        method: call.method,
        payload: call.payload,
    })
}

fn message_id(raw: &RawMessageId) -> Result<MessageId, Refusal> {
    let bytes = raw.message_id.as_slice();
    let id = bytes
        .try_into()
        .map_err(|_| Refusal::NoMessage(bytes.to_vec()))?;
    Ok(MessageId(id))
}

fn raw_effective(effective: Effective) -> RawEffectivePrincipal {
    match effective {
        Effective::None => RawEffectivePrincipal::None,
        Effective::Subnet(id) => RawEffectivePrincipal::SubnetId(id.as_slice().to_vec()),
        Effective::Canister(id) => RawEffectivePrincipal::CanisterId(id.as_slice().to_vec()),
    }
}

fn raw_result(answer: Answer, certified: bool) -> Result<RawCanisterResult, Refusal> {
    Ok(match answer {
        Ok(reply) => RawCanisterResult::Ok(reply),
        Err(reject) => RawCanisterResult::Err(raw_reject(reject, certified)?),
    })
}

/// The engine's error codes are the interface's, by number.
fn raw_reject(reject: crate::Reject, certified: bool) -> Result<RejectResponse, Refusal> {
    let code = reject.error_code as u64;
    let known = |_| Refusal::Impossible(format!("error code {code}: {}", reject.message));
    Ok(RejectResponse {
        reject_code: RejectCode::try_from(code / 100).map_err(known)?,
        error_code: ErrorCode::try_from(code).map_err(known)?,
        reject_message: reject.message.clone(),
        certified,
    })
}
