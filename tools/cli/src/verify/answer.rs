//! Answers over HTTP: asked for as gateways ask, and verified with `ic-response-verification`.
//!
//! A large body comes in parts. Hallmark certifies each (206); dfx's asset canister certifies the
//! whole and gives the rest by callbacks.
//!
//! ```text
//! GET /large ──► 206 bytes 0-1866602/n ──► Range: bytes=1866603- ──► … each verified
//!            ──► 200, token ──► http_request_streaming_callback ──► … verified when whole
//! ```

use candid::{CandidType, Deserialize};
use ic_hallmark::api::{ChunkOfContent, HttpRequest, StreamingCallbackHttpResponse};
use ic_hallmark::site::MAX_BODY;
use ic_http_certification::{self as certification, StatusCode};
use ic_response_verification::{
    ResponseVerificationError as Refused, types::VerifiedResponse, verify_request_response_pair,
};

use super::certificate::{MAX_OFFSET, Trust};
use super::chain::AnswerReason;
use crate::canister::{Canister, Failure};
use crate::error::words;

/// Version 1 proves neither status nor headers, nor that a path is absent.
const MIN_VERSION: u8 = 2;

/// Parts that an answer may come in, so that a canister cannot go on forever.
const MAX_PARTS: usize = 4096;

/// What a canister replies to `http_request`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct HttpResponse {
    /// The status code.
    pub status_code: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, or its beginning.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// How to get the rest of the body.
    pub streaming_strategy: Option<Streaming>,
}

/// How to get the rest of a body.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub enum Streaming {
    /// By calls of a method. Which one is said, too, but every asset canister has the same.
    Callback {
        /// Its argument.
        token: ChunkOfContent,
    },
}

/// An answer, as far as it is certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers that are certified.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a certified header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&header.1)
    }
}

/// Why there is no answer to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// There is one that is not to be believed.
    Unverified(AnswerReason),
    /// There is none.
    Failed(Failure),
}

/// The request for an asset, in the encodings given.
pub fn request(key: &str, encodings: &str) -> HttpRequest {
    request_of(url(key), encodings)
}

/// The request for the path and query of a URL, as they stand, in the encodings given.
pub fn request_of(url: String, encodings: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url,
        headers: vec![("Accept-Encoding".to_owned(), encodings.to_owned())],
        body: Vec::new(),
        certificate_version: Some(MIN_VERSION.into()),
    }
}

/// The path in a URL that names a key.
fn url(key: &str) -> String {
    let mut url = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => url.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// Reduces a response with a whole body to what is certified of it.
///
/// # Errors
///
/// The reason why it is not to be believed.
pub fn verify(
    request: &HttpRequest,
    response: &HttpResponse,
    trust: &Trust,
) -> Result<Answer, AnswerReason> {
    let asked = certification::HttpRequest::get(&request.url)
        .with_headers(request.headers.clone())
        .build();
    let status = StatusCode::from_u16(response.status_code)
        .map_err(|error| AnswerReason::Unreadable(error.to_string()))?;
    let answered = certification::HttpResponse::builder()
        .with_status_code(status)
        .with_headers(response.headers.clone())
        .with_body(&response.body[..])
        .build();
    let verified = verify_request_response_pair(
        asked,
        answered,
        trust.canister.as_slice(),
        trust.now.0.into(),
        MAX_OFFSET.into(),
        &trust.root_key,
        MIN_VERSION,
    );
    match verified.map_err(reason)?.response {
        Some(VerifiedResponse {
            status_code: Some(status),
            headers,
            body,
        }) => Ok(Answer {
            status,
            headers,
            body,
        }),
        _ => Err(AnswerReason::NotCertified(
            "the canister says that it certifies nothing there".to_owned(),
        )),
    }
}

fn reason(error: Refused) -> AnswerReason {
    let words = words(&error);
    match error {
        Refused::InvalidTreeRootHash => AnswerReason::Witness,
        Refused::InvalidResponseBody
        | Refused::InvalidRequestAndResponseHashes { .. }
        | Refused::MissingLeafNode { .. }
        | Refused::InvalidExpressionHash { .. } => AnswerReason::NotAsCertified,
        Refused::CertificateVerificationFailed(_)
        | Refused::CertificateMissingCertifiedData { .. } => AnswerReason::Certificate(words),
        Refused::HeaderMissingCertificate
        | Refused::HeaderMissingTree
        | Refused::HeaderMissingCertification
        | Refused::HeaderMissingCertificateExpression
        | Refused::HeaderMissingCertificateExpressionPath
        | Refused::UnsupportedVerificationVersion { .. }
        | Refused::RequestedVerificationVersionMismatch { .. } => AnswerReason::NotCertified(words),
        Refused::UnexpectedExpressionPathPrefix { .. }
        | Refused::UnexpectedExpressionPathSuffix { .. }
        | Refused::ExactExpressionPathNotFoundInTree { .. }
        | Refused::ExactExpressionPathMismatch { .. }
        | Refused::ExactExpressionPathMightExistInTree { .. }
        | Refused::WildcardExpressionPathNotFoundInTree { .. }
        | Refused::WildcardExpressionPathMismatch { .. }
        | Refused::MoreSpecificWildcardExpressionMightExistInTree { .. } => {
            AnswerReason::OtherPath(words)
        }
        _ => AnswerReason::Unreadable(words),
    }
}

/// Asks a canister, part by part, and verifies what it says.
///
/// # Errors
///
/// See [`NoAnswer`].
pub fn ask(
    canister: &dyn Canister,
    request: &HttpRequest,
    trust: &Trust,
) -> Result<Answer, NoAnswer> {
    let mut answer = ask_once(canister, request, trust)?;
    if answer.status != 206 {
        return Ok(answer);
    }
    let broken = || NoAnswer::Unverified(AnswerReason::Parts);
    let total = range(&answer, 0).ok_or_else(broken)?;
    for _ in 0..MAX_PARTS {
        let first = answer.body.len() as u64;
        if first == total {
            answer.status = 200;
            return Ok(answer);
        }
        let mut next = request.clone();
        next.headers
            .push(("Range".to_owned(), format!("bytes={first}-")));
        let part = ask_once(canister, &next, trust)?;
        if part.status != 206 || range(&part, first) != Some(total) {
            return Err(broken());
        }
        answer.body.extend(part.body);
        if answer.body.len() as u64 > MAX_BODY {
            break;
        }
    }
    Err(broken())
}

/// The bytes that the whole has, if the answer is a part of it that begins at `first`
/// (RFC 9110 §14.4).
fn range(answer: &Answer, first: u64) -> Option<u64> {
    let value = answer.header("content-range")?.strip_prefix("bytes ")?;
    let (range, total) = value.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    let (from, to, total): (u64, u64, u64) =
        (from.parse().ok()?, to.parse().ok()?, total.parse().ok()?);
    let length = answer.body.len() as u64;
    let fits = from == first && length > 0 && to.checked_add(1)? == first + length && to < total;
    fits.then_some(total)
}

fn ask_once(
    canister: &dyn Canister,
    request: &HttpRequest,
    trust: &Trust,
) -> Result<Answer, NoAnswer> {
    let mut response: HttpResponse = call(canister, "http_request", request)?;
    let rest = response.streaming_strategy.take();
    let mut next = rest.map(|Streaming::Callback { token }| token);
    for _ in 0..MAX_PARTS {
        let Some(token) = next else {
            return verify(request, &response, trust).map_err(NoAnswer::Unverified);
        };
        let part: StreamingCallbackHttpResponse =
            call(canister, "http_request_streaming_callback", &token)?;
        response.body.extend(part.body);
        next = part.token;
        if response.body.len() as u64 > MAX_BODY {
            break;
        }
    }
    Err(NoAnswer::Unverified(AnswerReason::Parts))
}

fn call<A: CandidType, R: CandidType + for<'de> Deserialize<'de>>(
    canister: &dyn Canister,
    method: &str,
    argument: &A,
) -> Result<R, NoAnswer> {
    let argument = candid::encode_one(argument).expect("the records of answers always encode");
    let reply = canister.query(method, argument).map_err(NoAnswer::Failed)?;
    candid::decode_one(&reply)
        .map_err(|error| NoAnswer::Unverified(AnswerReason::Unreadable(error.to_string())))
}
