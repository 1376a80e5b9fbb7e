//! Answers to browsers.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{self, ChunkOfContent, HttpRequest, HttpResponse, StreamingCallbackHttpResponse},
    canister,
    serve::serve_update,
};

#[query]
fn http_request(request: HttpRequest) -> HttpResponse {
    canister::answer(&request.into()).into()
}

#[update]
fn http_request_update(request: HttpRequest) -> HttpResponse {
    canister::read(|site| serve_update(site, &request.into())).into()
}

#[query]
fn http_request_streaming_callback(token: ChunkOfContent) -> StreamingCallbackHttpResponse {
    canister::read(|site| api::stream(site, token)).unwrap_or_else(|error| canister::refuse(error))
}

#[query]
fn site_hash() -> serde_bytes::ByteBuf {
    canister::read(|site| serde_bytes::ByteBuf::from(site.root().site()))
}
