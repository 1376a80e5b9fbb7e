//! `http_request` and `http_request_update` (HTTP Gateway Protocol specification, "Canister HTTP Interface").

use super::wire::{WireError, argument, field, pair, required};
use crate::serve::{Request, Response};
use candid::{CandidType, Deserialize};

/// A request, as gateways send it.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct HttpRequest {
    /// The method. Text, because a strict type would make the canister trap before it can answer.
    pub method: String,
    /// Path and query.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// The version of response verification that the gateway wants. Answers are certified in version 2 whatever
    /// it is.
    pub certificate_version: Option<u16>,
}

/// An answer, as gateways expect it, but for the optional streaming strategy: what gateways get by callbacks, they do
/// not verify, so large bodies come as 206 parts.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct HttpResponse {
    /// The status code.
    pub status_code: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// True if the request should be repeated as an update call.
    pub upgrade: Option<bool>,
}

/// Reads a request as it comes over the wire, an [`HttpRequest`].
///
/// # Errors
///
/// [`WireError`] if it is not one.
pub fn request_of(bytes: &[u8]) -> Result<Request, WireError> {
    const METHOD: u32 = field("method");
    const URL: u32 = field("url");
    const HEADERS: u32 = field("headers");
    const BODY: u32 = field("body");
    argument(bytes, |request| {
        let (mut method, mut url, mut headers, mut body) = (None, None, None, None);
        request.record(|name, value| {
            match name {
                METHOD => method = Some(value.text()?.to_owned()),
                URL => url = Some(value.text()?.to_owned()),
                HEADERS => headers = Some(value.list(pair)?),
                BODY => body = Some(value.blob()?.to_vec()),
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(Request {
            method: required(method, "method")?,
            url: required(url, "url")?,
            headers: required(headers, "headers")?,
            body: required(body, "body")?,
        })
    })
}

impl From<HttpRequest> for Request {
    fn from(request: HttpRequest) -> Self {
        Self {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
        }
    }
}

impl From<Response> for HttpResponse {
    fn from(response: Response) -> Self {
        Self {
            status_code: response.status,
            headers: response.headers,
            body: response.body,
            upgrade: response.upgrade.then_some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_candid_reads_it() {
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: "/a?b".to_owned(),
            headers: vec![("host".to_owned(), "localhost".to_owned())],
            body: vec![1, 2, 3],
            certificate_version: Some(2),
        };
        let bytes = candid::encode_one(&request).unwrap();
        assert_eq!(request_of(&bytes), Ok(request.into()));
        for cut in 0..bytes.len() {
            assert!(request_of(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let missing = candid::encode_one("a text").unwrap();
        let expected = "record";
        assert_eq!(
            request_of(&missing),
            Err(WireError::Unexpected { expected })
        );
    }
}
