//! One request and the canister's answer to it.

use std::sync::Arc;

use axum::http::request::Parts;
use candid::CandidType;
use serde::de::DeserializeOwned;
use serde_bytes::Bytes;

use super::Replica;
use super::content_range::ContentRange;
use super::fault::{Fault, PartFault, StreamFault};
use super::interface::{self, HttpRequest, HttpResponse, StreamedPart, StreamingStrategy};
use super::route::{Target, Trust};
use super::verify::{Reply, verify};

/// How often a streaming callback is called. The genuine gateways verify no
/// longer streams and pass them on unverified; this one refuses them.
const MAX_CALLBACKS: usize = 4;

/// What a client asks, in the words of a canister.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Question {
    pub(super) fn read(parts: &Parts, body: Vec<u8>) -> Result<Question, Fault> {
        let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            let text = value
                .to_str()
                .map_err(|_| Fault::OpaqueHeader(name.to_string()))?;
            Ok((name.to_string(), text.to_owned()))
        };
        let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
        Ok(Question {
            method: parts.method.to_string(),
            url: url.to_owned(),
            headers: parts
                .headers
                .iter()
                .map(header)
                .collect::<Result<_, Fault>>()?,
            body,
        })
    }

    /// The same question for the part that begins at `first`.
    fn starting_at(&self, first: u64) -> Question {
        let mut question = self.clone();
        question
            .headers
            .push(("range".to_owned(), format!("bytes={first}-")));
        question
    }

    fn asks_for_part(&self) -> bool {
        let conditional = |name: &String| name == "range" || name == "if-range";
        self.headers.iter().any(|(name, _)| conditional(name))
    }

    /// The headers that the canister sees: gateways take the body as it is, and
    /// say so, if the client negotiates encodings at all.
    fn headers_for_canister(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        for (name, value) in &mut headers {
            if name == "accept-encoding" && !value.contains("identity") {
                value.push_str(", identity");
            }
        }
        headers
    }
}

/// An answer that may be passed on.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// Set if the reply is the first part of a body that the client asked for
    /// as a whole.
    pub(super) first_part: Option<ContentRange>,
}

/// A question, whom it goes to, and how.
pub(super) struct Exchange {
    replica: Arc<dyn Replica>,
    target: Target,
    pub(super) question: Question,
}

impl Exchange {
    pub(super) fn new(replica: Arc<dyn Replica>, target: Target, question: Question) -> Exchange {
        Exchange {
            replica,
            target,
            question,
        }
    }

    /// Asks, and answers what is proven.
    pub(super) fn run(&self) -> Result<Answer, Fault> {
        let response = self.query(&self.question)?;
        if response.upgrade == Some(true) {
            let reply = self.update()?;
            return Ok(Answer {
                reply,
                first_part: None,
            });
        }
        let reply = self.prove(&self.question, self.collect(response)?)?;
        let first_part = if reply.status == 206 && !self.question.asks_for_part() {
            Some(first_part(&reply)?)
        } else {
            None
        };
        Ok(Answer { reply, first_part })
    }

    /// Asks for the part from `first` on: a partial response in one piece.
    pub(super) fn part(&self, first: u64) -> Result<(ContentRange, Vec<u8>), Fault> {
        let question = self.question.starting_at(first);
        let response = self.query(&question)?;
        if response.upgrade == Some(true) {
            return Err(PartFault::Upgrade.at(first));
        }
        if response.streaming_strategy.is_some() {
            return Err(PartFault::Streamed.at(first));
        }
        let reply = self.prove(&question, whole(response))?;
        if reply.status != 206 {
            return Err(PartFault::Status(reply.status).at(first));
        }
        let range = part_range(&reply).map_err(|fault| fault.at(first))?;
        Ok((range, reply.body))
    }

    fn query(&self, question: &Question) -> Result<HttpResponse, Fault> {
        let headers = question.headers_for_canister();
        let argument = encode(&request(question, &headers, Some(2)))?;
        self.ask("http_request", argument)
    }

    /// Consensus vouches for the answer to an update, so it passes as it is.
    fn update(&self) -> Result<Reply, Fault> {
        const METHOD: &str = "http_request_update";
        let headers = self.question.headers_for_canister();
        let argument = encode(&request(&self.question, &headers, None))?;
        let rejected = |reject| Fault::Rejected {
            method: METHOD.to_owned(),
            reject,
        };
        let reply = self
            .replica
            .update(self.target.canister, METHOD, argument)
            .map_err(rejected)?;
        let response: HttpResponse = decode(METHOD, &reply)?;
        match response.streaming_strategy {
            None => Ok(whole(response)),
            Some(_) => Err(Fault::Stream(StreamFault::OfAnUpdate)),
        }
    }

    /// Follows a streaming strategy to the end of the body.
    fn collect(&self, mut response: HttpResponse) -> Result<Reply, Fault> {
        if let Some(StreamingStrategy::Callback { callback, token }) =
            response.streaming_strategy.take()
        {
            let (canister, method) = callback
                .as_function()
                .ok_or(Fault::Stream(StreamFault::NoFunction))?;
            if canister != self.target.canister {
                return Err(Fault::Stream(StreamFault::OfAnotherCanister(canister)));
            }
            let mut next = Some(token);
            for _ in 0..MAX_CALLBACKS {
                let Some(token) = next.take() else { break };
                let argument = token.encode().map_err(|error| Fault::Unreadable {
                    method: method.to_owned(),
                    why: error.to_string(),
                })?;
                let part: StreamedPart = self.ask(method, argument)?;
                response.body.extend(part.body);
                next = part.token;
            }
            if next.is_some() {
                return Err(Fault::Stream(StreamFault::TooLong {
                    callbacks: MAX_CALLBACKS,
                }));
            }
        }
        Ok(whole(response))
    }

    fn prove(&self, question: &Question, reply: Reply) -> Result<Reply, Fault> {
        match self.target.trust {
            Trust::Raw => Ok(reply),
            Trust::Verified => verify(&*self.replica, self.target.canister, question, reply)
                .map_err(|why| Fault::Unverified {
                    url: question.url.clone(),
                    why,
                }),
        }
    }

    fn ask<T: CandidType + DeserializeOwned>(
        &self,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<T, Fault> {
        let rejected = |reject| Fault::Rejected {
            method: method.to_owned(),
            reject,
        };
        let reply = self
            .replica
            .query(self.target.canister, method, argument)
            .map_err(rejected)?;
        decode(method, &reply)
    }
}

fn request<'a>(
    question: &'a Question,
    headers: &'a [(String, String)],
    certificate_version: Option<u16>,
) -> HttpRequest<'a> {
    HttpRequest {
        method: &question.method,
        url: &question.url,
        headers,
        body: Bytes::new(&question.body),
        certificate_version,
    }
}

fn encode(request: &HttpRequest<'_>) -> Result<Vec<u8>, Fault> {
    candid::encode_one(request).map_err(|error| Fault::Broken(error.to_string()))
}

fn decode<T: CandidType + DeserializeOwned>(method: &str, reply: &[u8]) -> Result<T, Fault> {
    interface::decode(reply).map_err(|error| Fault::Unreadable {
        method: method.to_owned(),
        why: error.to_string(),
    })
}

fn whole(response: HttpResponse) -> Reply {
    Reply {
        status: response.status_code,
        headers: response.headers,
        body: response.body,
    }
}

fn first_part(reply: &Reply) -> Result<ContentRange, Fault> {
    let range = part_range(reply).map_err(|fault| fault.at(0))?;
    match range.first {
        0 => Ok(range),
        _ => Err(PartFault::Elsewhere { range }.at(0)),
    }
}

fn part_range(reply: &Reply) -> Result<ContentRange, PartFault> {
    let text = reply
        .header("content-range")
        .ok_or(PartFault::NoContentRange)?;
    let range: ContentRange = text
        .parse()
        .map_err(|_| PartFault::BadContentRange(text.to_owned()))?;
    let length = reply.body.len() as u64;
    if length != range.length() {
        return Err(PartFault::Length { range, length });
    }
    Ok(range)
}
