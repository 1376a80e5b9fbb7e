//! Serving: one request in, one certified answer out.
//!
//! [`serve`] reads top to bottom:
//!
//! 1. *path*: the URL in normal form, as the verifier will see it;
//! 2. *route*: one walk down the answers, to the path itself or to the nearest wildcard;
//! 3. *select*: the one answer of that place for this method, encoding, entity tag and range;
//! 4. *witness*: the proof that the answer is there, and that nothing nearer is;
//! 5. *answer*: its headers and body, with certificate and witness.
//!
//! Work is proportional to the answer and to the depth of its path, not to the site. No clock is read, so that a
//! replica may reuse the answer for the same query.

mod previous;
mod raw;
mod route;
mod select;
mod update;

pub use raw::refuse_raw;
pub use update::{serve_importing, serve_update};

use crate::{
    certification::{CERTIFICATE, CERTIFICATE_EXPRESSION, certificate_header},
    http::{UrlError, UrlPath},
    site::Site,
    storage::{Memory, StorageError},
};
use route::Route;
use select::Selection;

/// A request, as gateways pass it on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, as sent.
    pub method: String,
    /// Path and query.
    pub url: String,
    /// The headers, as sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case but for those of the certification.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// True if the request should be repeated as an update call: to [`serve_update`] if it asks for a range that no
    /// certified answer is, or for what only the release before has; to [`serve_importing`] if it asks for what is
    /// being imported.
    pub upgrade: bool,
}

impl Request {
    /// A GET request without headers.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            url: url.into(),
            ..Self::default()
        }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::http::Headers::new(&self.headers).only(name)
    }

    /// An answer that nothing certifies.
    fn uncertified(status: u16, reason: impl ToString) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: reason.to_string().into_bytes(),
            upgrade: false,
        }
    }

    /// No verifier can read such a URL, so there is nothing to prove.
    fn bad_url(url: &str, error: UrlError) -> Self {
        let reason = match error {
            UrlError::NotUtf8 => "invalid percent encoding".to_owned(),
            UrlError::TooLong(length) => format!(
                "{length} bytes, at most {} can be read",
                UrlPath::MAX_URL_BYTES
            ),
            UrlError::Relative => "it does not begin with a slash".to_owned(),
        };
        let excerpt: String = url.chars().take(200).collect();
        Self::uncertified(400, format!("failed to decode path '{excerpt}': {reason}"))
    }
}

/// Answers a request. `certificate` is the one that the system has for the certified data of this site, which is
/// [`Root::hash`](crate::certification::Root::hash).
pub fn serve<M: Memory>(site: &Site<M>, request: &Request, certificate: &[u8]) -> Response {
    let path = match UrlPath::parse(&request.url) {
        Ok(path) => path,
        Err(error) => return Response::bad_url(&request.url, error),
    };
    answer(site, request, &path, certificate)
        .unwrap_or_else(|error| Response::uncertified(500, error))
}

fn answer<M: Memory>(
    site: &Site<M>,
    request: &Request,
    path: &UrlPath<'_>,
    certificate: &[u8],
) -> Result<Response, StorageError> {
    if site.awaited(path)?.is_some() {
        return Ok(Response {
            upgrade: true,
            ..Response::uncertified(503, "this is being imported")
        });
    }
    let route = Route::to(site, path)?;
    let going_on = previous::part(site, request, &route)?;
    let is_replaced =
        going_on.is_none() && previous::resource(site, request, path, &route)?.is_some();
    let Selection {
        status,
        mut headers,
        content,
        labels,
        is_exact,
    } = going_on.unwrap_or_else(|| select::select(&route.resource, request));
    let mut proven = route.absent;
    proven.push(labels.below(route.path.labels()));
    let witness = site.witness(&proven);
    headers.push((
        CERTIFICATE_EXPRESSION.to_owned(),
        labels.expression().header().to_owned(),
    ));
    headers.push((
        CERTIFICATE.to_owned(),
        certificate_header(certificate, &witness, &route.path),
    ));
    Ok(Response {
        status,
        headers,
        body: content.read(site),
        upgrade: !is_exact || is_replaced,
    })
}
