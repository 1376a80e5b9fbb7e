//! Nothing passes that the root key does not vouch for.

use axum::body::Body;

use super::site::{CANISTER, NOW, Site, key};
use super::{ask, get};

const MINUTES: u64 = 60_000_000_000;

fn hello() -> Site {
    Site::new().page("/", 200, &[("content-type", "text/plain")], b"hello")
}

#[tokio::test]
async fn a_certified_page_passes() {
    let response = get(hello(), "/").await;
    assert_eq!((response.status, response.text()), (200, "hello"));
    assert_eq!(response.header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn certified_errors_pass_like_pages() {
    let site = Site::new().page(
        "/gone",
        404,
        &[("content-type", "text/html")],
        b"<h1>gone</h1>",
    );
    let response = get(site, "/gone").await;
    assert_eq!((response.status, response.text()), (404, "<h1>gone</h1>"));
}

#[tokio::test]
async fn a_changed_body_does_not() {
    let site = hello().lying(|_, wire| wire.body = b"hullo".to_vec());
    let words = [
        "The answer to / did not verify",
        "hash of the request and response was not found",
    ];
    get(site, "/").await.is_fault(503, &words);
}

#[tokio::test]
async fn a_changed_status_or_header_does_not() {
    let site = hello().lying(|_, wire| wire.status_code = 201);
    get(site, "/")
        .await
        .is_fault(503, &["hash of the request and response"]);
    let site = hello().lying(|_, wire| wire.headers[0].1 = "text/html".to_owned());
    get(site, "/")
        .await
        .is_fault(503, &["hash of the request and response"]);
}

#[tokio::test]
async fn a_page_of_another_path_does_not() {
    let site = hello().page("/bank", 200, &[], b"your balance");
    let home = site.wire(&asked("/")).unwrap();
    let site = site.lying(move |_, wire| *wire = home.clone());
    let words = [
        "The answer to /bank did not verify",
        "not valid for the request path",
    ];
    get(site, "/bank").await.is_fault(503, &words);
}

#[tokio::test]
async fn no_certificate_is_said_to_be_missing() {
    let site = hello().lying(|_, wire| wire.headers.truncate(2));
    get(site, "/")
        .await
        .is_fault(503, &["Certification values not found", ".raw.localhost"]);
}

#[tokio::test]
async fn version_1_is_refused() {
    let site = hello().lying(|_, wire| {
        let certificate = &mut wire.headers.last_mut().unwrap().1;
        *certificate = certificate.replace("version=2", "version=1");
    });
    get(site, "/").await.is_fault(
        503,
        &["version 1 is lower than the minimum requested version 2"],
    );
}

#[tokio::test]
async fn a_certificate_of_another_key_is_refused_with_its_cause() {
    let site = hello().signed_with(key(2));
    let words = ["Certificate verification failed: ", "ignature"];
    get(site, "/").await.is_fault(503, &words);
}

#[tokio::test]
async fn certificates_live_five_minutes() {
    let site = hello().certified_at(NOW - 5 * MINUTES);
    assert_eq!(get(site, "/").await.status, 200);
    let site = hello().certified_at(NOW - 5 * MINUTES - 1);
    get(site, "/")
        .await
        .is_fault(503, &["Certificate verification failed: ", "past"]);
    let site = hello().certified_at(NOW + 5 * MINUTES + 1);
    get(site, "/")
        .await
        .is_fault(503, &["Certificate verification failed: ", "future"]);
}

#[tokio::test]
async fn raw_passes_what_it_gets() {
    let site = hello().lying(|_, wire| {
        wire.body = b"anything".to_vec();
        wire.headers = vec![("x-uncertified".to_owned(), "yes".to_owned())];
    });
    let host = format!("{CANISTER}.raw.localhost");
    let response = ask(site, "GET", &host, "/", &[], Body::empty()).await;
    assert_eq!((response.status, response.text()), (200, "anything"));
    assert_eq!(response.header("x-uncertified"), Some("yes"));
}

fn asked(url: &str) -> super::site::Asked {
    super::site::Asked {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: vec![],
        body: vec![],
        certificate_version: Some(2),
    }
}
