//! The management canister, `aaaaa-aa`: calls that are about canisters rather
//! than to them.
//!
//! Methods are first told apart ([`Method`]), then checked when a message is
//! submitted ([`filter`]) and again when it is executed ([`execute`]). What is
//! for canisters only, or not part of this crate, is refused by name.

mod chunks;
mod install;
mod lifecycle;
mod status;

use candid::{CandidType, Decode, Encode, Principal};
use ic_management_canister_types::{CanisterIdRecord, InstallChunkedCodeArgs};
use serde::Deserialize;

use crate::network::{Call, Effective, Ingress, Network};
use crate::{ErrorCode, Reject};

pub(crate) use install::install;

/// The methods that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    ProvisionalCreate,
    ProvisionalTopUp,
    Create,
    Deposit,
    Info,
    Random,
    InstallCode,
    InstallChunkedCode,
    UninstallCode,
    UpdateSettings,
    Status,
    Start,
    Stop,
    Delete,
    UploadChunk,
    ClearChunkStore,
    StoredChunks,
    FetchLogs,
}

/// What only canisters may call.
const FOR_CANISTERS: [&str; 8] = [
    "create_canister",
    "deposit_cycles",
    "raw_rand",
    "http_request",
    "canister_info",
    "canister_metadata",
    "node_metrics_history",
    "subnet_info",
];

/// What exists on the Internet Computer and not here.
const NOT_SUPPORTED: [&str; 26] = [
    "http_request",
    "canister_metadata",
    "node_metrics_history",
    "subnet_info",
    "take_canister_snapshot",
    "load_canister_snapshot",
    "list_canister_snapshots",
    "delete_canister_snapshot",
    "read_canister_snapshot_metadata",
    "read_canister_snapshot_data",
    "upload_canister_snapshot_metadata",
    "upload_canister_snapshot_data",
    "ecdsa_public_key",
    "sign_with_ecdsa",
    "schnorr_public_key",
    "sign_with_schnorr",
    "vetkd_public_key",
    "vetkd_derive_key",
    "flexible_http_request",
    "canister_metrics",
    "subnet_metrics",
    "list_canisters",
    "rename_canister",
    "bitcoin_get_balance",
    "bitcoin_get_utxos",
    "bitcoin_send_transaction",
];

impl Method {
    fn of(name: &str) -> Result<Self, Reject> {
        Ok(match name {
            "provisional_create_canister_with_cycles" => Self::ProvisionalCreate,
            "provisional_top_up_canister" => Self::ProvisionalTopUp,
            "create_canister" => Self::Create,
            "deposit_cycles" => Self::Deposit,
            "canister_info" => Self::Info,
            "raw_rand" => Self::Random,
            "install_code" => Self::InstallCode,
            "install_chunked_code" => Self::InstallChunkedCode,
            "uninstall_code" => Self::UninstallCode,
            "update_settings" => Self::UpdateSettings,
            "canister_status" => Self::Status,
            "start_canister" => Self::Start,
            "stop_canister" => Self::Stop,
            "delete_canister" => Self::Delete,
            "upload_chunk" => Self::UploadChunk,
            "clear_chunk_store" => Self::ClearChunkStore,
            "stored_chunks" => Self::StoredChunks,
            "fetch_canister_logs" => Self::FetchLogs,
            name if NOT_SUPPORTED.contains(&name) => {
                return Err(Reject::new(
                    ErrorCode::UnknownManagementMessage,
                    format!("not supported by local-ic: the management canister's method {name}"),
                ));
            }
            name => {
                return Err(Reject::new(
                    ErrorCode::CanisterMethodNotFound,
                    format!("Management canister has no method '{name}'"),
                ));
            }
        })
    }

    /// As [`of`](Self::of), for callers outside.
    fn from_outside(name: &str) -> Result<Self, Reject> {
        if FOR_CANISTERS.contains(&name) {
            return Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                format!("Only canisters can call ic00 method {name}"),
            ));
        }
        Self::of(name)
    }
}

/// How a call goes on.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is answered.
    Reply(Vec<u8>),
    /// It is answered when this canister has stopped.
    WhenStopped(Principal),
}

/// Whether to accept a call from outside, and where it is executed.
pub(crate) fn filter(network: &mut Network, ingress: &Ingress) -> Result<Effective, Reject> {
    let method = Method::from_outside(&ingress.method)?;
    let Some(target) = target(method, &ingress.payload)? else {
        let subnet = lifecycle::subnet_for(network, &ingress.payload, ingress.effective)?;
        return Ok(Effective::Subnet(network.subnets()[subnet].id));
    };
    authorise(network, method, &ingress.method, ingress.sender, target)?;
    Ok(Effective::Canister(target))
}

/// Executes a call. What it needs of the cycles that came with it, it takes
/// out of it.
pub(crate) fn execute(network: &mut Network, call: &mut Call) -> Result<Answer, Reject> {
    let method = Method::of(&call.method)?;
    let (sender, payload) = (call.caller, call.argument.as_slice());
    let Some(canister) = target(method, payload)? else {
        return match method {
            Method::Random => status::random(network),
            Method::Create => lifecycle::create_paid(network, call),
            _ => lifecycle::create(network, sender, payload, call.effective),
        }
        .map(Answer::Reply);
    };
    authorise(network, method, &call.method, sender, canister)?;
    match method {
        Method::ProvisionalTopUp => lifecycle::top_up(network, payload),
        Method::Deposit => {
            network.add_cycles(canister, std::mem::take(&mut call.cycles));
            Ok(nothing())
        }
        Method::Info => status::info(network, canister),
        Method::InstallCode => install::install_code(network, sender, payload),
        Method::InstallChunkedCode => install::install_chunked_code(network, sender, payload),
        Method::UninstallCode => install::uninstall(network, canister),
        Method::UpdateSettings => lifecycle::update_settings(network, payload),
        Method::Status => status::status(network, canister),
        Method::Start => lifecycle::start(network, canister),
        Method::Stop => return lifecycle::stop(network, canister),
        Method::Delete => lifecycle::delete(network, canister),
        Method::UploadChunk => chunks::upload(network, payload),
        Method::ClearChunkStore => chunks::clear(network, canister),
        Method::StoredChunks => chunks::list(network, canister),
        Method::FetchLogs => status::logs(network, canister),
        Method::ProvisionalCreate | Method::Create | Method::Random => {
            unreachable!("they have no target and are handled above")
        }
    }
    .map(Answer::Reply)
}

/// Answers a call made as a query.
pub(crate) fn query(
    network: &mut Network,
    sender: Principal,
    name: &str,
    payload: &[u8],
) -> Result<Vec<u8>, Reject> {
    let method = Method::from_outside(name)?;
    let answer = match method {
        Method::FetchLogs => status::logs,
        Method::Status => status::status,
        _ => {
            return Err(Reject::new(
                ErrorCode::CanisterMethodNotFound,
                format!("Management canister has no query method '{name}'"),
            ));
        }
    };
    let canister = subject_of(payload)?;
    authorise(network, method, name, sender, canister)?;
    answer(network, canister)
}

/// The canister a call is about; `None` for a canister to be created.
///
/// # Errors
///
/// There is no such method, or it does not take this argument.
pub(crate) fn subject(name: &str, payload: &[u8]) -> Result<Option<Principal>, Reject> {
    target(Method::from_outside(name)?, payload)
}

/// The canister a call is about; `None` if it is about none that exists.
fn target(method: Method, payload: &[u8]) -> Result<Option<Principal>, Reject> {
    match method {
        Method::ProvisionalCreate | Method::Create | Method::Random => Ok(None),
        Method::InstallChunkedCode => {
            decode::<InstallChunkedCodeArgs>(payload).map(|args| Some(args.target_canister))
        }
        _ => subject_of(payload).map(Some),
    }
}

/// The canister that an argument names.
fn subject_of(payload: &[u8]) -> Result<Principal, Reject> {
    decode::<CanisterIdRecord>(payload).map(|args| args.canister_id)
}

fn authorise(
    network: &mut Network,
    method: Method,
    name: &str,
    sender: Principal,
    target: Principal,
) -> Result<(), Reject> {
    let canister = network.canister_mut(target)?;
    match method {
        Method::ProvisionalTopUp | Method::Deposit | Method::Info => Ok(()),
        Method::UploadChunk | Method::ClearChunkStore | Method::StoredChunks
            if target == sender =>
        {
            Ok(())
        }
        Method::Status if status::may_see_status(canister, &sender) => Ok(()),
        Method::FetchLogs if status::may_see_logs(canister, &sender) => Ok(()),
        Method::FetchLogs => Err(Reject::new(
            ErrorCode::CanisterRejectedMessage,
            format!("Caller {sender} is not allowed to access canister logs"),
        )),
        _ if canister.is_controlled_by(&sender) => Ok(()),
        _ => Err(Reject::new(
            ErrorCode::CanisterInvalidController,
            format!("Only controllers of canister {target} can call ic00 method {name}"),
        )),
    }
}

fn decode<T: CandidType + for<'de> Deserialize<'de>>(payload: &[u8]) -> Result<T, Reject> {
    Decode!(payload, T).map_err(|error| {
        Reject::new(
            ErrorCode::InvalidManagementPayload,
            format!("Error decoding candid: {error:#}"),
        )
    })
}

fn encode<T: CandidType>(value: &T) -> Result<Vec<u8>, Reject> {
    Encode!(value).map_err(|error| {
        Reject::new(
            ErrorCode::InvalidManagementPayload,
            format!("Error encoding candid: {error:#}"),
        )
    })
}

/// The reply of a method without a result.
pub(crate) fn nothing() -> Vec<u8> {
    b"DIDL\0\0".to_vec()
}
