//! Answers to browsers.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{self, ChunkOfContent, HttpResponse, StreamingCallbackHttpResponse, request_of},
    canister::{self, refuse},
    serve::Request,
};

#[query(decode_with = "request", hidden = true)]
fn http_request(request: Request) -> HttpResponse {
    canister::answer(&request).into()
}

#[update(decode_with = "request", hidden = true)]
fn http_request_update(request: Request) -> HttpResponse {
    canister::answer_update(&request).into()
}

fn request(argument: Vec<u8>) -> Request {
    request_of(&argument).unwrap_or_else(|error| refuse(error))
}

#[query]
fn http_request_streaming_callback(token: ChunkOfContent) -> StreamingCallbackHttpResponse {
    canister::read(|site| api::stream(site, token)).unwrap_or_else(|error| refuse(error))
}

#[query]
fn site_hash() -> serde_bytes::ByteBuf {
    canister::read(|site| serde_bytes::ByteBuf::from(site.root().site()))
}
