//! Which of a resource's answers a request gets.
//!
//! An answer that certifies part of the request is only right for a request that has exactly that: no body, and
//! for a 304 one `If-None-Match` that is the entity tag, byte for byte. Every other request gets an answer that
//! is true whatever it says, so there always is one.

use super::Request;
use crate::{
    http::{AcceptEncoding, EntityTag, Headers, IfRange, Method, Range as RequestedRange},
    site::{Answer, AnswerLabels, Body, Delivery, Parts, Representation, Resource, Site},
    storage::Memory,
};
use std::ops::Range;

/// An answer, and what to send with it.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
    pub(super) labels: AnswerLabels,
    /// False if the request asks for a range that the answer does not begin at.
    pub(super) is_exact: bool,
}

/// Where a body is.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Stored(Body, Range<u64>),
}

impl Content {
    pub(super) fn read<M: Memory>(self, site: &Site<M>) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Stored(body, range) => site.store.bodies.read(&body, range),
        }
    }
}

pub(super) fn select(resource: &Resource, request: &Request) -> Selection {
    let headers = Headers::new(&request.headers);
    let method = Method::named(&request.method);
    if let (Method::Other, Some(refusal)) = (method, &resource.other_methods) {
        return Selection::of(refusal, Body::default());
    }
    let representation = negotiate(resource, headers);
    if request.body.is_empty() {
        match (method, &representation.head, &representation.not_modified) {
            (Method::Head, Some(head), _) => return Selection::of(head, Body::default()),
            (Method::Get, _, Some((entity_tag, not_modified)))
                if headers.only("if-none-match") == Some(entity_tag) =>
            {
                return Selection::of(not_modified, Body::default());
            }
            _ => {}
        }
    }
    match &representation.get {
        Delivery::Whole(answer) => Selection::of(answer, representation.body()),
        Delivery::Parts(parts) => part(representation, parts, request),
    }
}

/// The representation that the client likes best.
pub(super) fn negotiate<'r>(resource: &'r Resource, headers: Headers<'_>) -> &'r Representation {
    let names: Vec<&str> = resource
        .representations
        .iter()
        .map(|representation| &*representation.encoding)
        .collect();
    // A client that accepts nothing there is gets what most can read, rather than a 406.
    let choice = AcceptEncoding::of(headers)
        .choose(&names)
        .or_else(|| names.iter().position(|name| *name == "identity"))
        .unwrap_or_default();
    &resource.representations[choice]
}

fn part(representation: &Representation, parts: &Parts, request: &Request) -> Selection {
    let headers = Headers::new(&request.headers);
    let (number, is_exact) = match wanted_range(representation, parts, headers) {
        RequestedRange::Whole => (0, true),
        RequestedRange::Satisfiable(range) => {
            let number = parts.number_at(range.start);
            let is_certified = number == 0 && range.start == 0
                || request.body.is_empty()
                    && request.method == "GET"
                    && headers.only("range") == Some(&parts.request(number));
            match is_certified && range.end >= parts.range(number).end {
                true => (number, true),
                false => (0, false),
            }
        }
        RequestedRange::Unsatisfiable => (0, false),
    };
    Selection {
        is_exact,
        ..Selection::of_part(representation, parts, number)
    }
}

/// The later part of a resource that a request names by its first byte, as gateways do: of the representation that the
/// client likes best, if several have one that begins there.
pub(super) fn named_part(resource: &Resource, request: &Request) -> Option<Selection> {
    let headers = Headers::new(&request.headers);
    let range = headers.only("range")?;
    let (representation, (parts, number)) = [negotiate(resource, headers)]
        .into_iter()
        .chain(&resource.representations)
        .find_map(|representation| Some((representation, representation.part_for(range)?)))?;
    match wanted_range(representation, parts, headers) {
        RequestedRange::Satisfiable(_) => Some(Selection::of_part(representation, parts, number)),
        _ => None,
    }
}

/// The range that a request asks for: all, if what it has a part of already is no longer what is here
/// (RFC 9110, §13.1.5).
pub(super) fn wanted_range(
    representation: &Representation,
    parts: &Parts,
    headers: Headers<'_>,
) -> RequestedRange {
    let entity_tag = representation.not_modified.as_ref();
    let current = entity_tag.and_then(|(tag, _)| EntityTag::parse(tag));
    let is_current = match current {
        Some(current) => IfRange::of(headers).passes(current),
        None => !headers.has("if-range"),
    };
    if is_current {
        RequestedRange::requested(headers, parts.length())
    } else {
        RequestedRange::Whole
    }
}

impl Selection {
    fn of(answer: &Answer, body: Body) -> Self {
        let length = body.length();
        Self {
            status: answer.status,
            headers: answer.headers.clone(),
            content: match &answer.text {
                Some(text) => Content::Text(text.clone()),
                None => Content::Stored(body, 0..length),
            },
            labels: answer.labels(),
            is_exact: true,
        }
    }

    fn of_part(representation: &Representation, parts: &Parts, number: u64) -> Self {
        let range = parts.range(number);
        Self {
            status: 206,
            headers: parts.headers(range.clone()),
            content: Content::Stored(representation.body(), range),
            labels: parts.labels(number),
            is_exact: true,
        }
    }
}
