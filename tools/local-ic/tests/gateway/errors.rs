//! What goes wrong before there is an answer to verify.

use axum::body::Body;
use local_ic::ErrorCode;
use local_ic::gateway::MAX_REQUEST_BODY;

use super::site::{CANISTER, Site, reject};
use super::{ask, get, get_with};

fn failing(code: ErrorCode, message: &'static str) -> Site {
    Site::new().method("http_request", move |_| Err(reject(code, message)))
}

#[tokio::test]
async fn a_canister_that_does_not_exist_is_not_found() {
    let host = "lqy7q-dh777-77777-aaaaq-cai.localhost";
    let response = ask(Site::new(), "GET", host, "/", &[], Body::empty()).await;
    response.is_fault(404, &["There is no such canister", "(CanisterNotFound)"]);
}

#[tokio::test]
async fn a_trap_is_service_unavailable_with_its_message() {
    let site = failing(ErrorCode::CanisterCalledTrap, "index out of bounds");
    let words = ["failed in http_request: index out of bounds (CanisterCalledTrap)"];
    get(site, "/").await.is_fault(503, &words);
}

#[tokio::test]
async fn states_a_canister_can_be_in_are_told_apart() {
    for (code, words) in [
        (ErrorCode::CanisterStopped, "The canister is stopped"),
        (ErrorCode::CanisterMethodNotFound, "does not serve HTTP"),
        (
            ErrorCode::CanisterWasmModuleNotFound,
            "No code is installed",
        ),
    ] {
        get(failing(code, "why"), "/")
            .await
            .is_fault(503, &[words, "why"]);
    }
}

#[tokio::test]
async fn replies_of_another_type_are_bad() {
    for reply in [&b""[..], b"DIDL", b"DIDL\0\0", b"DIDL\0\x01\x71\x02hi"] {
        let site = Site::new().method("http_request", |_| Ok(reply.to_vec()));
        get(site, "/")
            .await
            .is_fault(502, &["The reply to http_request"]);
    }
}

#[tokio::test]
async fn a_reply_that_unfolds_without_end_is_bad() {
    // A record of the right fields, and one more: a vector of 2^32 nulls.
    #[derive(candid::CandidType)]
    struct Bomb {
        status_code: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        upgrade: Option<bool>,
        streaming_strategy: Option<Strategy>,
    }
    #[derive(candid::CandidType)]
    enum Strategy {
        Callback { callback: Vec<()>, token: Vec<()> },
    }
    let nulls = || vec![(); 1 << 30];
    let bomb = Bomb {
        status_code: 200,
        headers: vec![],
        body: vec![],
        upgrade: None,
        streaming_strategy: Some(Strategy::Callback {
            callback: nulls(),
            token: nulls(),
        }),
    };
    let reply = candid::encode_one(bomb).unwrap();
    let site = Site::new().method("http_request", move |_| Ok(reply.clone()));
    get(site, "/")
        .await
        .is_fault(502, &["The reply to http_request"]);
}

#[tokio::test]
async fn a_body_no_message_holds_is_too_large() {
    let host = format!("{CANISTER}.raw.localhost");
    let site = Site::new().page("/", 200, &[], b"stored");
    let body = vec![0; MAX_REQUEST_BODY];
    let response = ask(site, "POST", &host, "/", &[], body.into()).await;
    assert_eq!(response.text(), "stored");
    let body = vec![0; MAX_REQUEST_BODY + 1];
    let response = ask(Site::new(), "POST", &host, "/", &[], body.into()).await;
    response.is_fault(413, &["2097152"]);
}

#[tokio::test]
async fn hosts_that_name_no_canister_are_explained() {
    for (host, words) in [
        ("example.com", "example.com is not a domain of this gateway"),
        ("www.localhost", "\"www\" is not a canister id"),
        (
            "localhost:8000",
            "http://localhost:8000/?canisterId=<canister-id>",
        ),
    ] {
        let response = ask(Site::new(), "GET", host, "/", &[], Body::empty()).await;
        response.is_fault(400, &[words]);
    }
}

#[tokio::test]
async fn headers_that_are_no_text_are_refused() {
    let response = get_with(Site::new(), "/", &[("x-name", "Zoë")]).await;
    response.is_fault(400, &["x-name"]);
}

#[tokio::test]
async fn a_gateway_without_a_public_interface_says_so() {
    let response = get(Site::new(), "/api/v2/status").await;
    response.is_fault(501, &["Agents are not answered here"]);
}

#[tokio::test]
async fn links_of_a_page_opened_by_query_lead_back_to_the_canister() {
    let page = format!("http://localhost/?canisterId={CANISTER}");
    let headers = [("referer", &*page)];
    let response = ask(
        Site::new(),
        "GET",
        "localhost",
        "/a.css",
        &headers,
        Body::empty(),
    )
    .await;
    assert_eq!(response.status, 307);
    let location = response.header("location").unwrap().to_owned();
    assert_eq!(location, format!("/a.css?canisterId={CANISTER}"));

    let site = Site::new().page("/a.css", 200, &[], b"a {}");
    let response = ask(site, "GET", "localhost", &location, &headers, Body::empty()).await;
    assert_eq!(response.text(), "a {}");
}
