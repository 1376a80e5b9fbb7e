//! Answers to browsers.

use ic_cdk::{query, update};
use ic_hallmark::{
    api::{HttpRequest, HttpResponse},
    canister,
};

#[query]
fn http_request(request: HttpRequest) -> HttpResponse {
    canister::answer(&request.into()).into()
}

#[update]
fn http_request_update(request: HttpRequest) -> HttpResponse {
    canister::answer_update(&request.into()).into()
}

#[query]
fn site_hash() -> serde_bytes::ByteBuf {
    canister::read(|site| serde_bytes::ByteBuf::from(site.root().site()))
}
