//! Resources: all the answers that a path has, computed when the site changes.
//!
//! A resource is stored once, as a block beside the bodies, and shared by every path that it answers. It holds
//! each answer as it is sent and as it is certified, so that nothing can be served that is not in the tree: the
//! leaves of the tree name a resource, and serving picks one of its answers.
//!
//! ```text
//! block:  references u32 | CBOR of Resource
//!
//!             ┌ GET, per encoding: the whole, or parts of 1,900,000 bytes at most as 206
//! Resource ───┼ HEAD and 304, per encoding
//!             └ any other method: 405
//! ```

use super::{
    asset::{Asset, Encoding, from_cbor, to_cbor},
    bodies::{Bodies, Body},
    partition::{PART, Partition},
};
use crate::{
    certification::{
        Expression, HEAD_REQUEST_HASH, HashedField, digest, not_modified_request_hash,
        range_request_hash, response_hash,
    },
    error::Hex,
    http::{ContentRange, Method},
    storage::{Address, Memory, StorageError},
    tree::{Graft, Hash, Labels, TreeError},
};
use minicbor::{Decode, Encode};
use std::ops::Range;

/// All the answers of a path.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Resource {
    #[n(0)]
    pub(crate) representations: Vec<Representation>,
    /// The answer to methods that no representation answers. Without one, those get the answer to a GET.
    #[n(1)]
    pub(crate) other_methods: Option<Answer>,
    /// Whether it may be had without verification.
    #[n(2)]
    pub(crate) allows_raw: bool,
}

/// The answers in one encoding.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Representation {
    #[n(0)]
    pub(crate) encoding: String,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pieces: Vec<u8>,
    #[n(2)]
    pub(crate) get: Delivery,
    #[n(3)]
    pub(crate) head: Option<Answer>,
    /// The 304, and the entity tag that it confirms.
    #[n(4)]
    pub(crate) not_modified: Option<(String, Answer)>,
}

/// How the body of a representation is sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Delivery {
    /// In one answer.
    #[n(0)]
    Whole(#[n(0)] Answer),
    /// In parts, each an answer of its own.
    #[n(1)]
    Parts(#[n(0)] Parts),
}

/// A body in parts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Parts {
    #[n(0)]
    partition: Partition,
    /// The headers that all parts have. Each has a `Content-Range` besides.
    #[n(1)]
    headers: Vec<(String, String)>,
    /// The response hashes, 32 bytes each.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    hashes: Vec<u8>,
}

/// One answer, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Answer {
    #[n(0)]
    pub(crate) status: u16,
    #[n(1)]
    expression: Expression,
    #[n(2)]
    pub(crate) headers: Vec<(String, String)>,
    /// A body that is not an asset's.
    #[n(3)]
    pub(crate) text: Option<String>,
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    request: Option<Hash>,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    response: Hash,
}

/// The labels of an answer below its expression path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLabels {
    expression: Expression,
    request: Option<Hash>,
    response: Hash,
}

impl Resource {
    /// The resource that an asset is, answered with this status. `None` if the asset has nothing to answer with.
    pub(super) fn of_asset<M: Memory>(
        asset: &Asset,
        status: u16,
        cookie: Option<&str>,
        bodies: &Bodies<M>,
    ) -> Option<Self> {
        // A 404 cannot be sent in parts: stitching them always makes a 200.
        let fits = |encoding: &Encoding| status == 200 || encoding.body.length() <= PART;
        let represent = |(name, encoding): (&String, &Encoding)| {
            let headers = headers(asset, name, encoding, status, cookie);
            Representation::new(name, encoding, status, headers, bodies)
        };
        let representations: Vec<_> = asset
            .encodings
            .iter()
            .filter(|(_, encoding)| fits(encoding))
            .map(represent)
            .collect();
        (!representations.is_empty()).then(|| Self {
            representations,
            other_methods: (status == 200).then(Answer::method_not_allowed),
            allows_raw: asset.properties.allow_raw_access.unwrap_or(true),
        })
    }

    /// What is answered where no asset is.
    pub(super) fn not_found() -> Self {
        Self {
            representations: vec![Representation {
                encoding: "identity".to_owned(),
                pieces: Vec::new(),
                get: Delivery::Whole(Answer::not_found()),
                head: None,
                not_modified: None,
            }],
            other_methods: None,
            allows_raw: true,
        }
    }

    /// The labels of all answers.
    pub(super) fn labels(&self) -> Vec<AnswerLabels> {
        let mut labels = Vec::new();
        for representation in &self.representations {
            match &representation.get {
                Delivery::Whole(answer) => labels.push(answer.labels()),
                Delivery::Parts(parts) => {
                    labels.extend((0..parts.count()).map(|number| parts.labels(number)));
                }
            }
            let not_modified = representation.not_modified.iter().map(|(_, answer)| answer);
            labels.extend(not_modified.chain(&representation.head).map(Answer::labels));
        }
        labels.extend(self.other_methods.iter().map(Answer::labels));
        labels
    }

    /// The labels of all parts but first ones.
    pub(super) fn later_parts(&self) -> Vec<AnswerLabels> {
        let labels = self.labels().into_iter();
        labels
            .filter(|labels| labels.expression == Expression::Range)
            .collect()
    }

    /// The first bytes of all parts but first ones.
    pub(super) fn first_bytes(&self) -> impl Iterator<Item = u64> {
        self.representations.iter().flat_map(|representation| {
            let parts = match &representation.get {
                Delivery::Whole(_) => None,
                Delivery::Parts(parts) => Some(parts),
            };
            parts
                .into_iter()
                .flat_map(|parts| (1..parts.count()).map(|number| parts.range(number).start))
        })
    }

    /// All answers, as leaves to put below an expression path.
    pub(super) fn graft(&self) -> Result<Graft, TreeError> {
        let below = |answer: &AnswerLabels| answer.below(&Labels::new());
        Graft::new(self.labels().iter().map(below).collect())
    }

    /// The bodies that it refers to.
    pub(super) fn bodies(&self) -> impl Iterator<Item = Body> {
        self.representations.iter().map(Representation::body)
    }
}

impl Representation {
    fn new<M: Memory>(
        name: &str,
        encoding: &Encoding,
        status: u16,
        headers: Vec<(String, String)>,
        bodies: &Bodies<M>,
    ) -> Self {
        let length = encoding.body.length();
        let hashed = hash_all(&headers);
        let pieces = encoding.body.encode();
        let whole = |headers| {
            let content = &encoding.sha256;
            Delivery::Whole(Answer::to_any(status, headers, &hashed, content))
        };
        if status != 200 {
            return Self {
                encoding: name.to_owned(),
                pieces,
                get: whole(headers),
                head: None,
                not_modified: None,
            };
        }
        let entity_tag = value_of(&headers, "etag").unwrap_or_default().to_owned();
        let not_modified = Answer::not_modified(&entity_tag, &headers, &hashed);
        let head = Answer::to_head(headers.clone(), hashed.clone(), length);
        Self {
            encoding: name.to_owned(),
            pieces,
            head: Some(head),
            not_modified: Some((entity_tag, not_modified)),
            get: if length <= PART {
                whole(headers)
            } else {
                Delivery::Parts(Parts::new(headers, &hashed, encoding, bodies))
            },
        }
    }

    /// The number of the later part that is asked for by this `Range` header.
    pub(crate) fn part_for(&self, range: &str) -> Option<(&Parts, u64)> {
        let Delivery::Parts(parts) = &self.get else {
            return None;
        };
        let mut later = 1..parts.count();
        let number = later.find(|number| parts.request(*number) == range)?;
        Some((parts, number))
    }

    /// The content.
    pub(crate) fn body(&self) -> Body {
        Body::decode(&self.pieces)
    }
}

impl Parts {
    fn new<M: Memory>(
        headers: Vec<(String, String)>,
        hashed: &[HashedField],
        Encoding { sha256, body, .. }: &Encoding,
        bodies: &Bodies<M>,
    ) -> Self {
        let mut parts = Self {
            partition: Partition::of(sha256, body.length()),
            headers,
            hashes: Vec::new(),
        };
        for (number, range) in (0..).zip(parts.partition.ranges()) {
            let content_range = parts.content_range(range.clone());
            let hashed = [hashed, &[HashedField::new("content-range", &content_range)]].concat();
            let content = bodies.hash_range(body, range);
            let hash = response_hash(206, Self::expression(number), &hashed, &content);
            parts.hashes.extend_from_slice(&hash);
        }
        parts
    }

    /// The first part answers a request without a range, and says that there is more. Any other answers one
    /// range only, the one that gateways ask for.
    fn expression(number: u64) -> Expression {
        match number {
            0 => Expression::Response,
            _ => Expression::Range,
        }
    }

    /// The `Range` header that asks for a part, as gateways write it.
    pub(crate) fn request(&self, number: u64) -> String {
        format!("bytes={}-", self.range(number).start)
    }

    fn content_range(&self, bytes: Range<u64>) -> String {
        let total = self.length();
        ContentRange::Part { bytes, total }.to_string()
    }

    /// Bytes of the whole body.
    pub(crate) fn length(&self) -> u64 {
        self.partition.length()
    }

    /// How many parts there are.
    pub(crate) fn count(&self) -> u64 {
        self.partition.count()
    }

    /// The bytes of a part.
    pub(crate) fn range(&self, number: u64) -> Range<u64> {
        self.partition.range(number)
    }

    /// The number of the part that a byte is in.
    pub(crate) fn number_at(&self, byte: u64) -> u64 {
        self.partition.number_at(byte)
    }

    /// The headers of the part with these bytes.
    pub(crate) fn headers(&self, range: Range<u64>) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        headers.push(("content-range".to_owned(), self.content_range(range)));
        headers
    }

    /// The labels of a part.
    pub(crate) fn labels(&self, number: u64) -> AnswerLabels {
        let (hashes, _) = self.hashes.as_chunks::<32>();
        AnswerLabels {
            expression: Self::expression(number),
            request: (number > 0).then(|| range_request_hash(&self.request(number))),
            response: hashes[number as usize],
        }
    }
}

impl Answer {
    /// An answer that is true of its path whatever the request.
    fn to_any(
        status: u16,
        headers: Vec<(String, String)>,
        hashed: &[HashedField],
        content: &Hash,
    ) -> Self {
        Self {
            status,
            expression: Expression::Response,
            response: response_hash(status, Expression::Response, hashed, content),
            headers,
            text: None,
            request: None,
        }
    }

    fn not_found() -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        let text = "not found";
        let hashed = hash_all(&headers);
        Self {
            text: Some(text.to_owned()),
            ..Self::to_any(404, headers, &hashed, &digest(text.as_bytes()))
        }
    }

    fn method_not_allowed() -> Self {
        let headers = [
            ("allow", Method::ALLOW),
            ("cache-control", "no-store"),
            ("content-type", "text/plain"),
        ];
        Self {
            status: 405,
            expression: Expression::Response,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            text: Some(METHOD_NOT_ALLOWED.to_owned()),
            request: None,
            response: METHOD_NOT_ALLOWED_HASH,
        }
    }

    /// The answer to a HEAD request for a body of this length.
    fn to_head(
        mut headers: Vec<(String, String)>,
        mut hashed: Vec<HashedField>,
        length: u64,
    ) -> Self {
        let length = length.to_string();
        hashed.push(HashedField::new("content-length", &length));
        headers.push(("content-length".to_owned(), length));
        Self::without_content(200, Expression::Method, headers, &hashed, HEAD_REQUEST_HASH)
    }

    /// The answer to a GET whose `If-None-Match` is this entity tag.
    fn not_modified(
        entity_tag: &str,
        headers: &[(String, String)],
        hashed: &[HashedField],
    ) -> Self {
        let (headers, hashed): (Vec<_>, Vec<_>) = headers
            .iter()
            .cloned()
            .zip(hashed)
            .filter(|((name, _), _)| KEPT_IN_304.contains(&name.as_str()))
            .unzip();
        let request = not_modified_request_hash(entity_tag);
        Self::without_content(304, Expression::EntityTag, headers, &hashed, request)
    }

    fn without_content(
        status: u16,
        expression: Expression,
        headers: Vec<(String, String)>,
        hashed: &[HashedField],
        request: Hash,
    ) -> Self {
        Self {
            status,
            expression,
            response: response_hash(status, expression, hashed, &digest(b"")),
            headers,
            text: Some(String::new()),
            request: Some(request),
        }
    }

    /// The labels of this answer.
    pub(crate) fn labels(&self) -> AnswerLabels {
        AnswerLabels {
            expression: self.expression,
            request: self.request,
            response: self.response,
        }
    }
}

impl AnswerLabels {
    /// What is certified of the request and the response.
    pub(crate) fn expression(&self) -> Expression {
        self.expression
    }

    /// The path of the answer's leaf below an expression path.
    pub(crate) fn below(&self, path: &Labels) -> Labels {
        path.clone()
            .with(self.expression.hash())
            .with(self.request.as_ref().map_or(b"", |hash| &hash[..]))
            .with(&self.response)
    }
}

/// The headers of an asset in one encoding. The uploader's own replace those that the canister would send, but for
/// two that say how the encodings of this asset differ, and the cookie of the environment.
fn headers(
    asset: &Asset,
    name: &str,
    encoding: &Encoding,
    status: u16,
    cookie: Option<&str>,
) -> Vec<(String, String)> {
    let properties = &asset.properties;
    let mut headers = vec![("content-type", properties.content_type.clone())];
    if status == 200 {
        headers.push(("etag", format!("\"{}\"", Hex(&encoding.sha256))));
    }
    if let Some(seconds) = properties.max_age {
        headers.push(("cache-control", format!("max-age={seconds}")));
    }
    if name != "identity" {
        headers.push(("content-encoding", name.to_owned()));
    }
    let varies = asset.encodings.len() > 1;
    if varies {
        headers.push(("vary", ACCEPT_ENCODING.to_owned()));
    }
    let mut headers: Vec<(String, String)> = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for (field, value) in properties.headers.iter().flatten() {
        let field = field.to_ascii_lowercase();
        let value = match &*field {
            "content-encoding" if name != "identity" => continue,
            "vary" if varies => vary_with(value),
            _ => value.clone(),
        };
        headers.retain(|(other, _)| *other != field);
        headers.push((field, value));
    }
    if let Some(cookie) = cookie {
        headers.retain(|(name, value)| name != SET_COOKIE || !is_environment(value));
        headers.push((SET_COOKIE.to_owned(), cookie.to_owned()));
    }
    headers
}

/// Whether an uploader's cookie has the name of the environment's: a browser keeps one of the two.
fn is_environment(cookie: &str) -> bool {
    let name = cookie.split('=').next().unwrap_or_default();
    name.trim() == super::environment::NAME
}

/// An uploader's `Vary`, with the encodings that the canister negotiates.
fn vary_with(value: &str) -> String {
    let mut names = value.split(',').map(str::trim);
    if names.any(|name| name == "*" || name.eq_ignore_ascii_case(ACCEPT_ENCODING)) {
        value.to_owned()
    } else {
        format!("{value}, {ACCEPT_ENCODING}")
    }
}

fn hash_all(headers: &[(String, String)]) -> Vec<HashedField> {
    headers
        .iter()
        .map(|(name, value)| HashedField::new(name, value))
        .collect()
}

const ACCEPT_ENCODING: &str = "accept-encoding";

const METHOD_NOT_ALLOWED: &str = "method not allowed";

/// The response hash of every 405.
const METHOD_NOT_ALLOWED_HASH: Hash = [
    0xcd, 0x69, 0xb9, 0x80, 0x5e, 0x7d, 0x42, 0xa0, 0x5f, 0xb3, 0x1d, 0xd7, 0xcd, 0xcc, 0x5f, 0xe0,
    0xe0, 0x49, 0xef, 0x82, 0xaa, 0xf7, 0xde, 0x4e, 0x33, 0x83, 0x35, 0x01, 0xe6, 0x5c, 0xa7, 0xe3,
];

const SET_COOKIE: &str = "set-cookie";

/// The headers of a 200 that its 304 repeats (RFC 9110, §15.4.5), and its cookie, which may have changed though
/// the body has not.
const KEPT_IN_304: [&str; 6] = [
    "cache-control",
    "content-location",
    "etag",
    "expires",
    SET_COOKIE,
    "vary",
];

fn value_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(other, _)| other == name)?;
    Some(value)
}

const REFERENCES: u32 = 0;

impl<M: Memory> Bodies<M> {
    /// Stores a resource, with a reference of its own to each body in it.
    pub(super) fn put_resource(&mut self, resource: &Resource) -> Result<Address, StorageError> {
        let address = self
            .heap
            .store(&[&1u32.to_le_bytes(), &to_cbor(resource)])?;
        for body in resource.bodies() {
            for piece in body.pieces() {
                self.retain(*piece);
            }
        }
        Ok(address)
    }

    /// Reads a resource.
    pub(crate) fn resource(&self, address: Address) -> Result<Resource, StorageError> {
        let block = self.heap.load(address);
        from_cbor(block.get(4..).unwrap_or_default())
    }

    /// Takes more references to a resource.
    pub(super) fn retain_resource(&mut self, address: Address, more: u32) {
        let references = self.heap.u32(address, REFERENCES);
        self.heap.set_u32(address, REFERENCES, references + more);
    }

    /// Gives a reference to a resource back. With the last one it goes, and its bodies are returned: their
    /// references are now the caller's.
    pub(super) fn release_resource(&mut self, address: Address) -> Result<Vec<Body>, StorageError> {
        let references = self.resource_references(address);
        if references > 1 {
            self.heap.set_u32(address, REFERENCES, references - 1);
            return Ok(Vec::new());
        }
        let bodies = self.resource(address)?.bodies().collect();
        self.heap.free(address);
        Ok(bodies)
    }

    pub(super) fn resource_references(&self, address: Address) -> u32 {
        self.heap.u32(address, REFERENCES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_405_is_that_of_its_headers_and_text() {
        let answer = Answer::method_not_allowed();
        let content = digest(METHOD_NOT_ALLOWED.as_bytes());
        let hashed = hash_all(&answer.headers);
        let hash = response_hash(405, Expression::Response, &hashed, &content);
        assert_eq!(answer.response, hash);
    }

    #[test]
    fn vary_keeps_both_what_the_uploader_and_what_the_canister_says() {
        assert_eq!(vary_with("Origin"), "Origin, accept-encoding");
        assert_eq!(
            vary_with("Origin, Accept-Encoding"),
            "Origin, Accept-Encoding"
        );
        assert_eq!(vary_with("*"), "*");
    }
}
