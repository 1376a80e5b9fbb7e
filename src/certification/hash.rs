//! Request and response hashes (HTTP Gateway Protocol specification, "Request Hash Calculation" and
//! "Response Hash Calculation").
//!
//! Both hash a map of fields independently of their order: each field as the digests of name and value, sorted.
//! The answers of a path share most of their fields, so fields are hashed once, and constant ones never.

use super::{Expression, known::digest};
use crate::tree::Hash;
use sha2::{Digest, Sha256};

/// A header field as it enters a hash: the digests of its name, in lower case, and of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HashedField([Hash; 2]);

impl HashedField {
    /// Hashes a header field.
    pub fn new(name: &str, value: &str) -> Self {
        Self([
            digest(name.to_ascii_lowercase().as_bytes()),
            digest(value.as_bytes()),
        ])
    }
}

/// The hash of a response all of whose headers are certified: those given, and the expression header, which must
/// not be among them. `body` is the SHA-256 of the body as it is sent.
pub fn response_hash(
    status: u16,
    expression: Expression,
    headers: &[HashedField],
    body: &Hash,
) -> Hash {
    let mut fields = Vec::with_capacity(headers.len() + 2);
    fields.extend_from_slice(headers);
    fields.push(HashedField([
        digest(b"ic-certificateexpression"),
        *expression.hash(),
    ]));
    fields.push(HashedField([
        digest(b":ic-cert-status"),
        digest(&leb128(status)),
    ]));
    of_message(fields, body)
}

/// The hash, under [`Expression::EntityTag`], of a GET request without a body whose only `If-None-Match` is
/// `entity_tag`.
pub fn not_modified_request_hash(entity_tag: &str) -> Hash {
    get_request_hash("if-none-match", entity_tag)
}

/// The hash, under [`Expression::Range`], of a GET request without a body whose only `Range` is `range`.
pub fn range_request_hash(range: &str) -> Hash {
    get_request_hash("range", range)
}

fn get_request_hash(name: &str, value: &str) -> Hash {
    let method = HashedField::new(":ic-cert-method", "GET");
    let fields = vec![HashedField::new(name, value), method];
    of_message(fields, &digest(b""))
}

fn of_message(mut fields: Vec<HashedField>, body: &Hash) -> Hash {
    fields.sort_unstable();
    let mut hasher = Sha256::new();
    for HashedField([name, value]) in fields {
        hasher.update(name);
        hasher.update(value);
    }
    let fields = hasher.finalize();
    Sha256::new()
        .chain_update(fields)
        .chain_update(body)
        .finalize()
        .into()
}

/// Unsigned LEB128 of a status, which has three digits.
fn leb128(status: u16) -> [u8; 2] {
    [status as u8 | 0x80, (status >> 7) as u8]
}

/// The hash, under [`Expression::Method`], of a HEAD request without a body.
pub const HEAD_REQUEST_HASH: Hash = [
    0x36, 0x47, 0x0c, 0xd2, 0xed, 0x1e, 0xe2, 0xb5, 0x47, 0xd2, 0xaa, 0xc3, 0x13, 0xd5, 0x80, 0xa9,
    0x24, 0x02, 0x73, 0x04, 0x70, 0x7c, 0x04, 0xe4, 0x22, 0x37, 0xc6, 0xb2, 0x2e, 0x21, 0xa0, 0x7d,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certification::CERTIFICATE_EXPRESSION;
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
        let fields = headers.map(|(name, value)| HashedField::new(name, value));
        let body = Sha256::digest(b"hello").into();
        assert_eq!(
            response_hash(404, Expression::Response, &fields, &body),
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
        let range = HttpRequest::builder()
            .with_method("GET".parse().unwrap())
            .with_url("/a")
            .with_headers(vec![("range".to_owned(), "bytes=9-".to_owned())])
            .build();
        let full = DefaultCelBuilder::full_certification()
            .with_request_headers(vec!["range"])
            .build();
        assert_eq!(
            range_request_hash("bytes=9-"),
            request_hash(&range, &full.request).unwrap()
        );
        let head = HttpRequest::builder()
            .with_method("HEAD".parse().unwrap())
            .with_url("/a")
            .build();
        let full = DefaultCelBuilder::full_certification().build();
        assert_eq!(
            HEAD_REQUEST_HASH,
            request_hash(&head, &full.request).unwrap()
        );
    }
}
