//! Expression paths: where in the tree the answers to a request are.
//!
//! The labels of an expression path are the decoded segments of a URL path and one terminator, `<$>` for this
//! very path or `<*>` for it and everything below. Empty segments do not count, except a last one, which stands
//! for the trailing slash (HTTP Gateway Protocol specification, "The Tree").

use crate::tree::Labels;

/// Which requests the answers at an expression path are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Requests for this very path.
    Exact,
    /// Requests for this path and all below it that have no nearer answer.
    Below,
}

/// An expression path without its leading `http_expr`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpressionPath {
    labels: Labels,
}

impl ExpressionPath {
    /// The expression path of these segments.
    pub fn new<S: AsRef<[u8]>>(segments: impl IntoIterator<Item = S>, reach: Reach) -> Self {
        let segments: Labels = segments.into_iter().collect();
        Self {
            labels: segments.with(reach.terminator()),
        }
    }

    /// Its labels in the `http_expr` tree.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The array of text strings that the `IC-Certificate` header shows, as self-described CBOR.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut cbor = SELF_DESCRIBED.to_vec();
        head(ARRAY, self.labels.len() + 1, &mut cbor);
        for label in [&b"http_expr"[..]].into_iter().chain(self.labels.iter()) {
            head(TEXT, label.len(), &mut cbor);
            cbor.extend_from_slice(label);
        }
        cbor
    }
}

impl Reach {
    /// The last label of an expression path.
    pub const fn terminator(self) -> &'static [u8] {
        match self {
            Self::Exact => b"<$>",
            Self::Below => b"<*>",
        }
    }
}

/// Tag 55799 (RFC 8949, §3.4.6).
pub(super) const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

const TEXT: u8 = 3 << 5;
const ARRAY: u8 = 4 << 5;

/// The initial bytes of a text string or an array (RFC 8949, §3).
fn head(major: u8, length: usize, cbor: &mut Vec<u8>) {
    match length {
        0..=23 => cbor.push(major | length as u8),
        24..=0xff => cbor.extend_from_slice(&[major | 24, length as u8]),
        _ => {
            cbor.push(major | 25);
            cbor.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_cbor::{CborResult, parse_cbor_string_array};

    fn texts(path: &ExpressionPath) -> CborResult<Vec<String>> {
        parse_cbor_string_array(&path.to_cbor())
    }

    #[test]
    fn cbor_is_read_back_by_the_verifier() {
        let fallback = ExpressionPath::new::<&str>([], Reach::Below);
        assert_eq!(texts(&fallback).unwrap(), ["http_expr", "<*>"]);
        let long = "x".repeat(300);
        let path = ExpressionPath::new(["a", &long, ""], Reach::Exact);
        assert_eq!(texts(&path).unwrap(), ["http_expr", "a", &long, "", "<$>"]);
    }
}
