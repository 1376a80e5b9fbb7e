//! Bodies in parts: stitched for those who ask for the whole, passed as they
//! are to those who ask for a part, and never wrong.

use axum::body::Body;

use super::site::{CANISTER, Site};
use super::{ask, get, get_with};

const PARTS: [&[u8]; 3] = [b"the first part, ", b"the second part, ", b"the end"];
const WHOLE: &str = "the first part, the second part, the end";

fn big() -> Site {
    Site::new().parts("/big", &PARTS)
}

#[tokio::test]
async fn parts_become_one_body() {
    let response = get(big(), "/big").await;
    assert_eq!((response.status, response.text()), (200, WHOLE));
    assert_eq!(
        response.header("content-length"),
        Some(&*WHOLE.len().to_string())
    );
    assert_eq!(response.header("content-range"), None);
    assert_eq!(response.header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn a_thousand_parts_are_not_too_many() {
    let parts = vec![&b"x"[..]; 1000];
    let response = get(Site::new().parts("/big", &parts), "/big").await;
    assert_eq!(response.text().len(), 1000);
    let parts = vec![&b"x"[..]; 1001];
    let response = get(Site::new().parts("/big", &parts), "/big").await;
    response.is_fault(503, &["1001 parts", "gateways fetch 1000"]);
}

#[tokio::test]
async fn head_fetches_no_parts() {
    let site = big().lying(|asked, wire| {
        if asked.header("range").is_some() {
            wire.status_code = 500;
        }
    });
    let host = format!("{CANISTER}.localhost");
    let response = ask(site, "HEAD", &host, "/big", &[], Body::empty()).await;
    assert_eq!((response.status, response.text()), (200, ""));
    assert_eq!(
        response.header("content-length"),
        Some(&*WHOLE.len().to_string())
    );
}

#[tokio::test]
async fn a_part_asked_for_stays_a_part() {
    let response = get_with(big(), "/big", &[("range", "bytes=16-")]).await;
    assert_eq!(
        (response.status, response.text()),
        (206, "the second part, ")
    );
    assert_eq!(response.header("content-range"), Some("bytes 16-32/40"));
}

#[tokio::test]
async fn a_part_may_begin_before_what_was_asked() {
    let site = Site::new()
        .part("/big", None, "bytes 0-5/10", b"012345")
        .part("/big", Some("bytes=6-"), "bytes 4-9/10", b"456789");
    assert_eq!(get(site, "/big").await.text(), "0123456789");
}

#[tokio::test]
async fn a_later_part_that_does_not_verify_tears_the_body() {
    for tampered in ["bytes=16-", "bytes=33-"] {
        let site = big().lying(move |asked, wire| {
            if asked.header("range") == Some(tampered) {
                wire.body[0] ^= 1;
            }
        });
        let response = get(site, "/big").await;
        assert_eq!((response.status, response.body), (200, None), "{tampered}");
    }
}

#[tokio::test]
async fn a_first_part_that_does_not_verify_is_refused() {
    let site = big().lying(|_, wire| wire.body[0] ^= 1);
    get(site, "/big")
        .await
        .is_fault(503, &["The answer to /big did not verify"]);
}

#[tokio::test]
async fn swapped_parts_tear_the_body() {
    let site = Site::new()
        .part("/big", None, "bytes 0-1/6", b"aa")
        .part("/big", Some("bytes=2-"), "bytes 4-5/6", b"cc")
        .part("/big", Some("bytes=4-"), "bytes 2-3/6", b"bb");
    assert_eq!(get(site, "/big").await.body, None);
}

#[tokio::test]
async fn parts_of_different_bodies_tear_the_body() {
    let site = Site::new().part("/big", None, "bytes 0-1/4", b"aa").part(
        "/big",
        Some("bytes=2-"),
        "bytes 2-3/5",
        b"bb",
    );
    assert_eq!(get(site, "/big").await.body, None);
}

#[tokio::test]
async fn a_part_that_is_not_what_it_says_tears_the_body() {
    let second = |content_range, body| {
        Site::new().part("/big", None, "bytes 0-1/4", b"aa").part(
            "/big",
            Some("bytes=2-"),
            content_range,
            body,
        )
    };
    assert_eq!(
        get(second("bytes 2-3/4", b"bb"), "/big").await.text(),
        "aabb"
    );
    assert_eq!(get(second("bytes 2-3/4", b"bbb"), "/big").await.body, None);
    assert_eq!(get(second("bytes 2-3/*", b"bb"), "/big").await.body, None);
    assert_eq!(get(second("", b"bb"), "/big").await.body, None);
}

#[tokio::test]
async fn a_part_that_asks_for_an_upgrade_tears_the_body() {
    let site = big().lying(|asked, wire| wire.upgrade = Some(asked.header("range").is_some()));
    assert_eq!(get(site, "/big").await.body, None);
}

#[tokio::test]
async fn a_first_part_must_be_the_first_and_say_so() {
    let site = Site::new().part("/big", None, "bytes 2-3/4", b"bb");
    get(site, "/big")
        .await
        .is_fault(503, &["Content-Range is bytes 2-3/4"]);
    let site = Site::new().part("/big", None, "bytes */4", b"aa");
    get(site, "/big")
        .await
        .is_fault(503, &["\"bytes */4\" does not say where it belongs"]);
    let site = Site::new().part("/big", None, "bytes 0-2/4", b"aa");
    get(site, "/big")
        .await
        .is_fault(503, &["Content-Range is bytes 0-2/4, its length 2"]);
    let site = Site::new().page("/big", 206, &[], b"aa");
    get(site, "/big")
        .await
        .is_fault(503, &["no certified Content-Range"]);
}
