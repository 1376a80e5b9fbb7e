//! Answers to browsers.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{HttpResponse, request_of},
    canister::{self, refuse},
    serve::{Request, serve_update},
};

#[query(decode_with = "request", hidden = true)]
fn http_request(request: Request) -> HttpResponse {
    canister::answer(&request).into()
}

#[update(decode_with = "request", hidden = true)]
fn http_request_update(request: Request) -> HttpResponse {
    canister::read(|site| serve_update(site, &request)).into()
}

fn request(argument: Vec<u8>) -> Request {
    request_of(&argument).unwrap_or_else(|error| refuse(error))
}

#[query]
fn site_hash() -> serde_bytes::ByteBuf {
    canister::read(|site| serde_bytes::ByteBuf::from(site.root().site()))
}
