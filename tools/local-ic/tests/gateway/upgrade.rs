//! Queries that ask to be updates.

use axum::body::Body;
use candid::Principal;
use local_ic::ErrorCode;

use super::site::{Asked, CANISTER, Callback, Site, Strategy, Wire, reject};
use super::{ask, get};

fn upgrading() -> Site {
    Site::new().page("/", 200, &[], b"").lying(|_, wire| {
        wire.headers.clear();
        wire.upgrade = Some(true);
    })
}

fn answer(wire: &Wire) -> Vec<u8> {
    candid::encode_one(wire).unwrap()
}

fn created() -> Wire {
    Wire {
        status_code: 201,
        headers: vec![("location".to_owned(), "/todos/1".to_owned())],
        body: b"created".to_vec(),
        upgrade: None,
        streaming_strategy: None,
    }
}

#[tokio::test]
async fn an_update_answers_with_all_its_headers() {
    let site = upgrading().method("http_request_update", |argument| {
        let asked: Asked = candid::decode_one(&argument).unwrap();
        assert_eq!((&*asked.method, &*asked.body), ("POST", &b"todo"[..]));
        assert_eq!(asked.certificate_version, None);
        Ok(answer(&created()))
    });
    let host = format!("{CANISTER}.localhost");
    let response = ask(site, "POST", &host, "/", &[], Body::from("todo")).await;
    assert_eq!((response.status, response.text()), (201, "created"));
    assert_eq!(response.header("location"), Some("/todos/1"));
}

#[tokio::test]
async fn an_upgrade_refused_is_not_a_page() {
    let site = upgrading().lying(|_, wire| {
        wire.headers.clear();
        wire.upgrade = Some(false);
    });
    get(site, "/").await.is_fault(503, &["did not verify"]);
}

#[tokio::test]
async fn an_update_that_fails_is_named() {
    let site = upgrading().method("http_request_update", |_| {
        Err(reject(ErrorCode::CanisterCalledTrap, "out of paper"))
    });
    let words = ["failed in http_request_update: out of paper (CanisterCalledTrap)"];
    get(site, "/").await.is_fault(503, &words);
}

#[tokio::test]
async fn an_update_cannot_be_continued_by_queries() {
    let site = upgrading().method("http_request_update", |_| {
        let callback = Callback::new(Principal::from_text(CANISTER).unwrap(), "more".to_owned());
        let streaming_strategy = Some(Strategy::Callback { callback, token: 7 });
        Ok(answer(&Wire {
            streaming_strategy,
            ..created()
        }))
    });
    get(site, "/")
        .await
        .is_fault(503, &["an update answered it"]);
}
