//! Requests that no agent makes.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use candid::Principal;
use ic_transport_types::{Envelope, EnvelopeContent};

use crate::{Live, http};

const SECOND: u64 = 1_000_000_000;

/// In this many seconds from now.
fn after(seconds: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now.as_nanos() as u64).saturating_add_signed(seconds * SECOND as i64)
}

/// A call of nobody.
fn call(live: &Live, ingress_expiry: u64) -> EnvelopeContent {
    EnvelopeContent::Call {
        nonce: None,
        ingress_expiry,
        sender: Principal::anonymous(),
        canister_id: live.canister,
        method_name: "who_am_i".to_owned(),
        arg: vec![],
        sender_info: None,
    }
}

fn unsigned(content: EnvelopeContent) -> Envelope<'static> {
    Envelope {
        content: Cow::Owned(content),
        sender_pubkey: None,
        sender_sig: None,
        sender_delegation: None,
    }
}

fn is_refused(response: &http::Response, status: u16, reason: &str) {
    let text = response.text();
    assert_eq!(response.status, status, "{text}");
    assert!(text.contains(reason), "{text}");
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_expires_and_may_not_live_for_long() {
    let live = Live::new().await;
    for (seconds, good) in [(-5, false), (60, true), (300, true), (345, false)] {
        let body = unsigned(call(&live, after(seconds))).encode_bytes();
        let response = live.post(3, "call", body).await;
        if good {
            assert_eq!(response.status, 200, "{}", response.text());
        } else {
            // Agents look for these words to find out that clocks differ.
            let words = "Specified ingress_expiry not within expected range: Minimum allowed";
            is_refused(&response, 400, words);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_may_ask_does_not_expire() {
    let live = Live::new().await;
    let query = EnvelopeContent::Query {
        nonce: None,
        ingress_expiry: 0,
        sender: Principal::anonymous(),
        canister_id: live.canister,
        method_name: "whoami".to_owned(),
        arg: vec![],
        sender_info: None,
    };
    let read_state = EnvelopeContent::ReadState {
        ingress_expiry: 0,
        sender: Principal::anonymous(),
        paths: vec![vec!["time".into()]],
    };
    for (action, content) in [("query", query), ("read_state", read_state)] {
        for version in [2, 3] {
            let body = unsigned(content.clone()).encode_bytes();
            let response = live.post(version, action, body).await;
            assert_eq!(response.status, 200, "{action}: {}", response.text());
            assert_eq!(response.header("content-type"), Some("application/cbor"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_envelope_are_refused() {
    let live = Live::new().await;
    let good = unsigned(call(&live, after(60))).encode_bytes();
    let truncated = good[..good.len() - 20].to_vec();
    let deep = vec![0x81; 100_000];
    for body in [vec![], b"{}".to_vec(), vec![0xa0], truncated, deep] {
        let response = live.post(4, "call", body).await;
        is_refused(&response, 400, "The body is not an envelope in CBOR");
    }
    let response = live.post(4, "call", vec![0; 5 << 20]).await;
    is_refused(&response, 413, "The request has more than");
    for (action, reason) in [("query", "type query"), ("read_state", "type read_state")] {
        is_refused(&live.post(3, action, good.clone()).await, 400, reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_request_is_not_signed_and_its_nonce_is_short() {
    let live = Live::new().await;
    let signed = Envelope {
        sender_sig: Some(vec![1; 64]),
        ..unsigned(call(&live, after(60)))
    };
    let response = live.post(4, "call", signed.encode_bytes()).await;
    is_refused(&response, 400, "the sender is anonymous, but there is");

    let mut content = call(&live, after(60));
    if let EnvelopeContent::Call { nonce, .. } = &mut content {
        *nonce = Some(vec![0; 33]);
    }
    let response = live.post(4, "call", unsigned(content).encode_bytes()).await;
    is_refused(&response, 400, "Invalid nonce: it has 33 bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_names_the_canister_that_the_request_is_about() {
    let live = Live::new().await;
    let body = || unsigned(call(&live, after(60))).encode_bytes();
    let other = "/api/v4/canister/lqy7q-dh777-77777-aaaaq-cai/call";
    let response = live.post_to(other.to_owned(), body()).await;
    let reason = format!("but the request is about canister {}", live.canister);
    is_refused(&response, 400, &reason);

    let subnet = live.network.lock().unwrap().subnets()[1].id;
    let path = format!("/api/v4/subnet/{subnet}/call");
    let response = live.post_to(path, body()).await;
    is_refused(&response, 400, "Only calls that create canisters");

    let nowhere = Principal::from_slice(&[1, 2, 3]);
    let path = format!("/api/v3/subnet/{nowhere}/read_state");
    let read_state = EnvelopeContent::ReadState {
        ingress_expiry: 0,
        sender: Principal::anonymous(),
        paths: vec![],
    };
    let response = live
        .post_to(path, unsigned(read_state).encode_bytes())
        .await;
    is_refused(&response, 400, "this network has no subnet");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_for_everybody() {
    let live = Live::new().await;
    let port = live.port;
    let get = move || http::get(port, "localhost", "/api/v2/status");
    let status = tokio::task::spawn_blocking(get).await.unwrap();
    assert_eq!(status.status, 200);
    assert_eq!(status.header("content-type"), Some("application/cbor"));
    let root_key = live.network.lock().unwrap().root_key().to_vec();
    let mut windows = status.body.windows(root_key.len());
    assert!(windows.any(|window| window == root_key));
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_are_not_there_are_refused() {
    let live = Live::new().await;
    let port = live.port;
    let send = move |method: &'static str, path: &'static str| {
        let send = move || http::send(port, method, "localhost", path, b"").unwrap();
        tokio::task::spawn_blocking(send)
    };
    let response = send("GET", "/api/v2/canister/aaaaa-aa/nothing")
        .await
        .unwrap();
    is_refused(&response, 404, "has no endpoint");
    let response = send("GET", "/api/v2/canister/aaaaa-aa/call").await.unwrap();
    is_refused(&response, 405, "takes POST");
    let response = send("POST", "/api/v2/canister/nobody/call").await.unwrap();
    is_refused(&response, 400, "\"nobody\"");

    let response = send("OPTIONS", "/api/v4/canister/aaaaa-aa/call")
        .await
        .unwrap();
    assert_eq!(response.status, 204);
    assert_eq!(
        response.header("access-control-allow-headers"),
        Some("content-type")
    );
}
