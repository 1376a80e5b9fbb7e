//! Streaming callbacks: followed, collected, and verified as one body.

use candid::{CandidType, Nat, Principal};
use local_ic::{ErrorCode, Reject};
use serde::Deserialize;

use super::get;
use super::site::{Asked, CANISTER, Callback, Site, Strategy, Wire, reject};

/// A token as asset canisters have it, with every kind of field.
#[derive(Debug, Clone, PartialEq, CandidType, Deserialize)]
struct Token {
    key: String,
    index: Nat,
    sha256: Option<serde_bytes::ByteBuf>,
    nothing: Option<u8>,
}

#[derive(CandidType)]
struct Part {
    body: serde_bytes::ByteBuf,
    token: Option<Token>,
}

fn token(index: usize) -> Token {
    Token {
        key: "/stream".to_owned(),
        index: index.into(),
        sha256: Some(vec![7; 32].into()),
        nothing: None,
    }
}

/// A site whose `/stream` comes byte by byte, one callback each.
fn streaming(body: &'static [u8], owner: &str) -> Site {
    let owner = Principal::from_text(owner).unwrap();
    let certified = Site::new().page("/stream", 200, &[], body);
    Site::new()
        .method("http_request", move |argument| {
            let asked: Asked = candid::decode_one(&argument).unwrap();
            let Wire {
                status_code,
                headers,
                body,
                upgrade,
                ..
            } = certified.wire(&asked).unwrap();
            let callback = Callback::new(owner, "more".to_owned());
            let wire = Wire {
                status_code,
                headers,
                body: body[..1].to_vec(),
                upgrade,
                streaming_strategy: Some(Strategy::Callback {
                    callback,
                    token: token(1),
                }),
            };
            Ok(candid::encode_one(wire).unwrap())
        })
        .method("more", move |argument| more(body, &argument))
}

fn more(body: &[u8], argument: &[u8]) -> Result<Vec<u8>, Reject> {
    let given: Token = candid::decode_one(argument)
        .map_err(|error| reject(ErrorCode::CanisterCalledTrap, &error.to_string()))?;
    let index = (1..body.len())
        .find(|index| token(*index) == given)
        .unwrap();
    let part = Part {
        body: vec![body[index]].into(),
        token: (index + 1 < body.len()).then(|| token(index + 1)),
    };
    Ok(candid::encode_one(part).unwrap())
}

#[tokio::test]
async fn four_callbacks_are_followed_and_verified() {
    let response = get(streaming(b"01234", CANISTER), "/stream").await;
    assert_eq!((response.status, response.text()), (200, "01234"));
}

#[tokio::test]
async fn a_fifth_is_refused() {
    let response = get(streaming(b"012345", CANISTER), "/stream").await;
    response.is_fault(503, &["goes on after 4 callbacks"]);
}

#[tokio::test]
async fn a_callback_of_another_canister_is_refused() {
    let response = get(streaming(b"01", "aaaaa-aa"), "/stream").await;
    response.is_fault(503, &["another canister, aaaaa-aa"]);
}

#[tokio::test]
async fn a_stream_that_does_not_verify_is_refused() {
    let site = Site::new()
        .page("/stream", 200, &[], b"01")
        .lying(|_, wire| {
            let callback =
                Callback::new(Principal::from_text(CANISTER).unwrap(), "more".to_owned());
            wire.streaming_strategy = Some(Strategy::Callback { callback, token: 7 });
        });
    let site = site.method("more", |_| {
        let part = Part {
            body: b"forged".to_vec().into(),
            token: None,
        };
        Ok(candid::encode_one(part).unwrap())
    });
    get(site, "/stream")
        .await
        .is_fault(503, &["did not verify"]);
}

#[tokio::test]
async fn a_callback_that_fails_is_named() {
    let site = Site::new()
        .page("/stream", 200, &[], b"01")
        .lying(|_, wire| {
            let callback =
                Callback::new(Principal::from_text(CANISTER).unwrap(), "more".to_owned());
            wire.streaming_strategy = Some(Strategy::Callback { callback, token: 7 });
        });
    let site = site.method("more", |_| {
        Err(reject(ErrorCode::CanisterCalledTrap, "no more"))
    });
    get(site, "/stream")
        .await
        .is_fault(503, &["failed in more: no more (CanisterCalledTrap)"]);
}
