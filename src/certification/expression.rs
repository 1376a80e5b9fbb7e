//! The four expressions that Hallmark certifies answers with.
//!
//! All of them certify every header of the response. They differ in what they say about the request:
//!
//! * an answer that is true of its path whatever the request says nothing about it;
//! * an answer without a body says which method it answers, or it would pass for the answer to a GET;
//! * a 304 also says which entity tag it confirms, or a replica could pin a stale copy with it;
//! * a later part of a body also says which range it answers, or it would pass for the whole.

use crate::tree::Hash;
use minicbor::{Decode, Encode};

/// A CEL expression, as the `IC-CertificateExpression` header shows it. In stable memory a number stands for it;
/// numbers are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Expression {
    /// Nothing of the request.
    #[n(0)]
    Response,
    /// Method and body of the request, no header.
    #[n(1)]
    Method,
    /// Method and body of the request, and its `If-None-Match`.
    #[n(2)]
    EntityTag,
    /// Method and body of the request, and its `Range`.
    #[n(3)]
    Range,
}

impl Expression {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Response, Self::Method, Self::EntityTag, Self::Range];

    /// The value of the header.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Response => RESPONSE,
            Self::Method => METHOD,
            Self::EntityTag => ENTITY_TAG,
            Self::Range => RANGE,
        }
    }

    /// The label in the tree: SHA-256 of the header.
    pub const fn hash(self) -> &'static Hash {
        match self {
            Self::Response => &RESPONSE_HASH,
            Self::Method => &METHOD_HASH,
            Self::EntityTag => &ENTITY_TAG_HASH,
            Self::Range => &RANGE_HASH,
        }
    }
}

const RESPONSE: &str = "default_certification(ValidationArgs{certification:Certification{\
no_request_certification:Empty{},\
response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})";

const METHOD: &str = "default_certification(ValidationArgs{certification:Certification{\
request_certification:RequestCertification{certified_request_headers:[],certified_query_parameters:[]},\
response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})";

const ENTITY_TAG: &str = "default_certification(ValidationArgs{certification:Certification{\
request_certification:RequestCertification{certified_request_headers:[\"if-none-match\"],certified_query_parameters:[]},\
response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})";

const RANGE: &str = "default_certification(ValidationArgs{certification:Certification{\
request_certification:RequestCertification{certified_request_headers:[\"range\"],certified_query_parameters:[]},\
response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})";

const RESPONSE_HASH: Hash = [
    0xf0, 0x46, 0x5e, 0x9b, 0x39, 0x69, 0xf9, 0xc7, 0x0f, 0xaf, 0xe5, 0xd8, 0x51, 0xbd, 0x78, 0xd2,
    0xea, 0x53, 0x04, 0x2d, 0xa4, 0xaf, 0xe1, 0xf2, 0xa2, 0x35, 0xff, 0x37, 0xb0, 0x48, 0xf8, 0x82,
];

const METHOD_HASH: Hash = [
    0x64, 0x9f, 0x6e, 0x7b, 0x0c, 0x87, 0xa7, 0x70, 0x11, 0x34, 0x5e, 0x93, 0x60, 0x29, 0x05, 0x57,
    0xd9, 0x55, 0x7c, 0x03, 0xcd, 0xe1, 0xd8, 0xcc, 0xcf, 0x4c, 0xf4, 0xd9, 0x13, 0xd2, 0xaf, 0x37,
];

const ENTITY_TAG_HASH: Hash = [
    0xbc, 0xd6, 0xed, 0x12, 0xc3, 0xfe, 0x40, 0xa6, 0xde, 0xbc, 0xc5, 0x8c, 0x31, 0xfc, 0x10, 0x2b,
    0x63, 0x69, 0x51, 0xc2, 0xa3, 0x4a, 0x3a, 0x7d, 0x67, 0x69, 0xd6, 0x36, 0x7d, 0xcf, 0x58, 0xc0,
];

const RANGE_HASH: Hash = [
    0x15, 0xba, 0xab, 0x4b, 0x80, 0x43, 0xd3, 0x64, 0xe9, 0x8c, 0xf7, 0x83, 0x41, 0x85, 0x8a, 0x8d,
    0xfe, 0x0e, 0x97, 0x69, 0xf8, 0x92, 0x41, 0xa0, 0x58, 0x9c, 0x60, 0x21, 0x7a, 0x73, 0x73, 0xcc,
];

#[cfg(test)]
mod tests {
    use super::*;
    use ic_http_certification::{DefaultCelBuilder, DefaultResponseCertification};
    use sha2::{Digest, Sha256};

    #[test]
    fn expressions_are_those_of_the_reference_builder() {
        let everything = || DefaultResponseCertification::response_header_exclusions(vec![]);
        let response = DefaultCelBuilder::response_only_certification()
            .with_response_certification(everything())
            .build();
        let full = |headers| {
            DefaultCelBuilder::full_certification()
                .with_request_headers(headers)
                .with_response_certification(everything())
                .build()
                .to_string()
        };
        assert_eq!(Expression::Response.header(), response.to_string());
        assert_eq!(Expression::Method.header(), full(vec![]));
        assert_eq!(Expression::EntityTag.header(), full(vec!["if-none-match"]));
        assert_eq!(Expression::Range.header(), full(vec!["range"]));
    }

    #[test]
    fn hashes_are_those_of_the_headers() {
        for expression in Expression::ALL {
            let digest: Hash = Sha256::digest(expression.header()).into();
            assert_eq!(*expression.hash(), digest);
        }
        assert!(minicbor::decode::<Expression>(&[4]).is_err());
    }
}
