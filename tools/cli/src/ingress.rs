//! An update that has its effect once, over a network that loses messages and answers.
//!
//! A call is signed once, and it is the same bytes that are sent as often as it takes. They
//! hash to a request id, under which the network executes them once at most, however often and
//! wherever they arrive; a nonce makes them differ from any other call. So what is left is to
//! find out whether they were executed, and the network certifies that (interface
//! specification, "Overview of canister calling"):
//!
//! ```text
//!            ┌── no answer: send again ──┐
//!            ▼                           │        replied, rejected ──► the answer
//!  sign ──► Send ──── taken note of ──► Ask ────► unknown, and the network's time is past the
//!            ▲                           │         message's expiry ──► it never has an effect
//!            └────── unknown so far ─────┘        no answer, long past the expiry ──► not known
//! ```
//!
//! A refusal without a certificate is one replica's word about one copy of the message. It is
//! taken for an answer only as long as no other copy can have arrived.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use candid::Principal;
use ic_agent::agent::{CallResponse, RequestStatusResponse};
use ic_agent::{Agent, AgentError, Certificate, RequestId};
use tokio::time::{sleep, timeout};

use crate::canister::Failure;
use crate::outage::Outage;
use crate::remote::{failure, is_transient, reason};
use crate::time::Time;

/// How long one request may take. The network answers within ten seconds what it has got; the
/// rest is for two megabytes on a slow line.
const ATTEMPT: Duration = Duration::from_secs(90);
/// Between two requests, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// How long after a message's expiry somebody is asked what became of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long after a message's expiry the network surely remembers it.
const REMEMBERED: u64 = 5 * 60 * 1_000_000_000;

/// What one request told of the message.
enum Told {
    /// Executed.
    Replied(Vec<u8>),
    /// Received, so it will be executed, or rejected.
    Received,
    /// Not received so far.
    Unknown,
    /// Not received, and too late for it.
    Expired,
    /// Executed, or rejected; what it replied is forgotten.
    Forgotten,
    /// Refused; `true` if the network certifies it.
    Refused(Failure, bool),
    /// Nothing.
    Nothing(String),
}

/// Makes the update, with effect once, unless it fails. Only [`Failure::Unreachable`] and
/// [`Failure::Unproven`] leave it open whether it had any. `lifetime` is for how long it may be
/// executed, by default a few minutes; if nothing comes of it for long, `outage` tells.
pub(crate) async fn update(
    agent: &Agent,
    canister: Principal,
    method: &str,
    argument: Vec<u8>,
    lifetime: Option<Duration>,
    outage: &Outage,
) -> Result<Vec<u8>, Failure> {
    let mut update = agent.update(&canister, method).with_arg(argument);
    if let Some(lifetime) = lifetime {
        update = update.expire_after(lifetime);
    }
    let signed = update.sign().map_err(failure)?;
    let message = Message {
        agent,
        canister,
        id: signed.request_id,
        expiry: signed.ingress_expiry,
        bytes: signed.signed_update,
    };

    let mut waiting = outage.wait(method, message.end());
    let mut pause = PAUSES.0;
    let mut asking = false;
    // Whether a copy may have arrived that nobody has told of.
    let mut in_doubt = false;
    loop {
        let told = match asking || message.has_expired(Duration::ZERO) {
            true => waiting.on(message.ask()).await,
            false => waiting.on(message.send()).await,
        };
        match &told {
            Told::Nothing(reason) => waiting.failed(reason),
            _ => waiting.answered(),
        }
        let doubt = match told {
            Told::Replied(reply) => return Ok(reply),
            Told::Expired => return Err(Failure::Expired),
            Told::Forgotten => {
                let reason = "the network has forgotten its answer";
                return Err(Failure::Unreachable(reason.to_owned()));
            }
            Told::Refused(failure, is_certified) if is_certified || !in_doubt => {
                return Err(failure);
            }
            Told::Refused(..) | Told::Received => {
                asking = true;
                "the network has not answered in time".to_owned()
            }
            Told::Unknown => {
                asking = false;
                "the network has not taken the call".to_owned()
            }
            Told::Nothing(reason) => reason,
        };
        in_doubt = true;
        if message.has_expired(PATIENCE) {
            return Err(Failure::Unreachable(doubt));
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// A signed update.
struct Message<'a> {
    agent: &'a Agent,
    canister: Principal,
    id: RequestId,
    /// The network's time after which it is not executed, in nanoseconds since 1970.
    expiry: u64,
    bytes: Vec<u8>,
}

impl Message<'_> {
    /// Whether it has expired so long ago, by this machine's clock.
    fn has_expired(&self, ago: Duration) -> bool {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.is_ok_and(|since| since > Duration::from_nanos(self.expiry) + ago)
    }

    /// When nobody is asked any more what became of it.
    fn end(&self) -> Time {
        Time(self.expiry.saturating_add(PATIENCE.as_nanos() as u64))
    }

    async fn send(&self) -> Told {
        let sent = self.agent.update_signed(self.canister, self.bytes.clone());
        match timeout(ATTEMPT, sent).await {
            Ok(Ok(CallResponse::Response(reply))) => Told::Replied(reply),
            Ok(Ok(CallResponse::Poll(_))) => Told::Received,
            Ok(Err(error)) => told(error),
            Err(_) => Told::Nothing("there was no answer".to_owned()),
        }
    }

    async fn ask(&self) -> Told {
        let asked = self.agent.request_status_raw(&self.id, self.canister);
        match timeout(ATTEMPT, asked).await {
            Ok(Ok((status, certificate))) => self.read(status, &certificate),
            Ok(Err(error)) => told(error),
            Err(_) => Told::Nothing("there was no answer".to_owned()),
        }
    }

    fn read(&self, status: RequestStatusResponse, certificate: &Certificate) -> Told {
        match status {
            RequestStatusResponse::Replied(reply) => Told::Replied(reply.arg),
            RequestStatusResponse::Rejected(reject) => {
                let operation = None;
                told(AgentError::CertifiedReject { reject, operation })
            }
            RequestStatusResponse::Done => Told::Forgotten,
            RequestStatusResponse::Received | RequestStatusResponse::Processing => Told::Received,
            RequestStatusResponse::Unknown => match time(certificate) {
                Some(time) if time <= self.expiry => Told::Unknown,
                Some(time) if time - self.expiry <= REMEMBERED => Told::Expired,
                _ => Told::Forgotten,
            },
        }
    }
}

fn told(error: AgentError) -> Told {
    if is_transient(&error) {
        return Told::Nothing(reason(&error));
    }
    let is_certified = matches!(error, AgentError::CertifiedReject { .. });
    Told::Refused(failure(error), is_certified)
}

/// When a certificate was made, in nanoseconds since 1970.
fn time(certificate: &Certificate) -> Option<u64> {
    let leb128 = ic_agent::lookup_value(certificate, [b"time".as_slice()]).ok()?;
    let mut time = 0u64;
    for (place, byte) in leb128.iter().enumerate().take(10) {
        time |= u64::from(byte & 0x7f).checked_shl(7 * place as u32)?;
        if byte & 0x80 == 0 {
            return Some(time);
        }
    }
    None
}
