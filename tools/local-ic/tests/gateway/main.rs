//! The gateway in front of a replica that the tests make up: what passes, what
//! does not, and what is said about it.

mod errors;
mod headers;
mod ranges;
mod site;
mod streaming;
mod upgrade;
mod verification;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use local_ic::gateway::Gateway;

use site::{CANISTER, Site};

/// A response, its body read to the end.
struct Response {
    status: u16,
    headers: HeaderMap,
    /// `None` if the body broke off.
    body: Option<Vec<u8>>,
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_deref().unwrap()).unwrap()
    }

    /// Asserts that the gateway refused, and said all of `words`.
    #[track_caller]
    fn is_fault(&self, status: u16, words: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(self.header("ic-certificate"), None);
        for word in words {
            assert!(
                self.text().contains(word),
                "{word:?} is not in: {}",
                self.text()
            );
        }
    }
}

/// `GET path` of the site under its verified domain.
async fn get(site: Site, path: &str) -> Response {
    get_with(site, path, &[]).await
}

async fn get_with(site: Site, path: &str, headers: &[(&str, &str)]) -> Response {
    let host = format!("{CANISTER}.localhost");
    ask(site, "GET", &host, path, headers, Body::empty()).await
}

async fn ask(
    site: Site,
    method: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Response {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = Gateway::new(site).answer(request.body(body).unwrap()).await;
    let (parts, body) = response.into_parts();
    Response {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.ok().map(Into::into),
    }
}
