//! Request and response hashes (HTTP Gateway Protocol specification, "Request Hash Calculation" and
//! "Response Hash Calculation").

use super::{CERTIFICATE_EXPRESSION, Expression};
use crate::tree::Hash;
use ic_http_certification::response_hash_from_headers;
use ic_representation_independent_hash::{Value, hash, representation_independent_hash};

/// The hash of a response all of whose headers are certified: those given, and the expression header, which
/// must not be among them. `body` is the SHA-256 of the body as it is sent.
pub fn response_hash<'a>(
    status: u16,
    expression: Expression,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: &Hash,
) -> Hash {
    let expression = (CERTIFICATE_EXPRESSION, expression.header());
    let fields: Vec<(String, Value)> = headers
        .into_iter()
        .chain([expression])
        .map(|(name, value)| (name.to_ascii_lowercase(), Value::String(value.to_owned())))
        .collect();
    response_hash_from_headers(&fields, status, body)
}

/// The hash, under [`Expression::Method`], of a HEAD request without a body.
pub fn head_request_hash() -> Hash {
    of_request(&[method("HEAD")])
}

/// The hash, under [`Expression::EntityTag`], of a GET request without a body whose only `If-None-Match` is
/// `entity_tag`.
pub fn not_modified_request_hash(entity_tag: &str) -> Hash {
    let condition = (
        "if-none-match".to_owned(),
        Value::String(entity_tag.to_owned()),
    );
    of_request(&[condition, method("GET")])
}

fn method(name: &str) -> (String, Value) {
    (":ic-cert-method".to_owned(), Value::String(name.to_owned()))
}

fn of_request(fields: &[(String, Value)]) -> Hash {
    let mut halves = [0; 64];
    halves[..32].copy_from_slice(&representation_independent_hash(fields));
    halves[32..].copy_from_slice(&hash(b""));
    hash(&halves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_http_certification::{
        DefaultCelBuilder, DefaultResponseCertification, HttpRequest, HttpResponse, StatusCode,
        request_hash, response_hash as reference,
    };

    #[test]
    fn responses_hash_like_the_reference() {
        let headers = [
            ("content-type", "text/plain"),
            ("X-Twice", "1"),
            ("x-twice", "2"),
        ];
        let mut all: Vec<(String, String)> = headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        all.push((
            CERTIFICATE_EXPRESSION.to_owned(),
            Expression::Response.header().to_owned(),
        ));
        let response = HttpResponse::builder()
            .with_status_code(StatusCode::NOT_FOUND)
            .with_headers(all)
            .with_body(b"hello".to_vec())
            .build();
        let everything = DefaultResponseCertification::response_header_exclusions(vec![]);
        assert_eq!(
            response_hash(404, Expression::Response, headers, &hash(b"hello")),
            reference(&response, &everything, None)
        );
    }

    #[test]
    fn requests_hash_like_the_reference() {
        let conditional = HttpRequest::builder()
            .with_method("GET".parse().unwrap())
            .with_url("/a?b=c")
            .with_headers(vec![("If-None-Match".to_owned(), "\"x\"".to_owned())])
            .build();
        let full = DefaultCelBuilder::full_certification()
            .with_request_headers(vec!["if-none-match"])
            .build();
        assert_eq!(
            not_modified_request_hash("\"x\""),
            request_hash(&conditional, &full.request).unwrap()
        );
        let head = HttpRequest::builder()
            .with_method("HEAD".parse().unwrap())
            .with_url("/a")
            .build();
        let full = DefaultCelBuilder::full_certification().build();
        assert_eq!(
            head_request_hash(),
            request_hash(&head, &full.request).unwrap()
        );
    }
}
