//! Which headers pass, in both directions.

use std::sync::{Arc, Mutex};

use axum::body::Body;

use super::site::{CANISTER, Site};
use super::{ask, get, get_with};

#[tokio::test]
async fn the_gateway_adds_nothing() {
    let site = Site::new().page("/", 200, &[("content-type", "text/plain")], b"hello");
    let response = get(site, "/").await;
    let mut names: Vec<_> = response.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["content-type", "ic-certificate", "ic-certificateexpression"]
    );
}

#[tokio::test]
async fn what_describes_the_connection_is_the_gateways() {
    let headers = [
        ("connection", "upgrade"),
        ("transfer-encoding", "chunked"),
        ("content-length", "9"),
    ];
    let response = get(Site::new().page("/", 200, &headers, b"hello"), "/").await;
    assert_eq!(response.text(), "hello");
    for (name, _) in headers {
        assert_eq!(response.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn repeated_headers_stay_repeated() {
    let cookies = [("set-cookie", "a=1"), ("set-cookie", "b=2")];
    let response = get(Site::new().page("/", 200, &cookies, b""), "/").await;
    let values: Vec<_> = response.headers.get_all("set-cookie").iter().collect();
    assert_eq!(values, ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_header_http_cannot_carry_is_a_fault() {
    let site = Site::new().page("/", 200, &[("x-evil", "a\r\nset-cookie: b=2")], b"");
    get(site, "/").await.is_fault(502, &["x-evil"]);
}

#[tokio::test]
async fn an_informational_status_is_a_fault() {
    let site = Site::new().page("/", 101, &[], b"");
    get(site, "/").await.is_fault(502, &["101"]);
}

#[tokio::test]
async fn head_brings_no_body() {
    let host = format!("{CANISTER}.localhost");
    let site = Site::new().page("/", 200, &[("content-length", "1000")], b"");
    let response = ask(site, "HEAD", &host, "/", &[], Body::empty()).await;
    assert_eq!((response.status, response.text()), (200, ""));
    assert_eq!(response.header("content-length"), Some("1000"));

    let site = Site::new().page("/", 200, &[], b"hello");
    let response = ask(site, "HEAD", &host, "/", &[], Body::empty()).await;
    assert_eq!((response.status, response.text()), (200, ""));
    assert_eq!(response.header("content-length"), Some("5"));
}

#[tokio::test]
async fn not_modified_brings_no_body() {
    let site = Site::new().page(
        "/",
        304,
        &[("etag", "\"a\""), ("content-length", "5")],
        b"hello",
    );
    let response = get_with(site, "/", &[("if-none-match", "\"a\"")]).await;
    assert_eq!((response.status, response.text()), (304, ""));
    assert_eq!(response.header("etag"), Some("\"a\""));
    assert_eq!(response.header("content-length"), None);
}

#[tokio::test]
async fn the_canister_sees_the_request_as_it_is() {
    let seen = Arc::new(Mutex::new(None));
    let site = Site::new()
        .page("/a b", 200, &[], b"")
        .page("/a%20b", 200, &[], b"");
    let site = site.lying({
        let seen = seen.clone();
        move |asked, _| *seen.lock().unwrap() = Some(asked.clone())
    });
    let host = format!("{CANISTER}.raw.localhost");
    let headers = [
        ("accept-encoding", "gzip, br"),
        ("x-custom", "one"),
        ("x-custom", "two"),
    ];
    ask(
        site,
        "PUT",
        &host,
        "/a%20b?c=%2F&d",
        &headers,
        "payload".into(),
    )
    .await;

    let asked = seen.lock().unwrap().take().unwrap();
    assert_eq!((&*asked.method, &*asked.url), ("PUT", "/a%20b?c=%2F&d"));
    assert_eq!(
        (&*asked.body, asked.certificate_version),
        (&b"payload"[..], Some(2))
    );
    let headers: Vec<_> = asked
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert!(headers.contains(&("host", &host)), "{headers:?}");
    assert!(
        headers.contains(&("accept-encoding", "gzip, br, identity")),
        "{headers:?}"
    );
    assert!(headers.contains(&("x-custom", "one")), "{headers:?}");
    assert!(headers.contains(&("x-custom", "two")), "{headers:?}");
}
