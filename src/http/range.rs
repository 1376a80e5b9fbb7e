//! The part of a body that a request asks for ([RFC 9110 §14]).
//!
//! Only a single range of bytes is understood. Everything else (several ranges,
//! other units, nonsense) may be ignored by a server, and is: the answer is
//! the whole.
//!
//! [RFC 9110 §14]: https://www.rfc-editor.org/rfc/rfc9110#section-14

use super::header::Headers;
use std::{fmt, ops};

/// What a `Range` header asks for, of a body of known length.
///
/// ```
/// use ic_hallmark::http::Range;
///
/// assert_eq!(Range::of("bytes=2-4", 10), Range::Satisfiable(2..5));
/// assert_eq!(Range::of("bytes=2-", 10), Range::Satisfiable(2..10));
/// assert_eq!(Range::of("bytes=-3", 10), Range::Satisfiable(7..10));
/// assert_eq!(Range::of("bytes=10-", 10), Range::Unsatisfiable);
/// assert_eq!(Range::of("bytes=0-1,4-5", 10), Range::Whole);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// No part in particular: a 200 with the whole body.
    Whole,
    /// These bytes, at least one and all of them within the body: a 206.
    Satisfiable(ops::Range<u64>),
    /// Bytes that the body does not have: a 416.
    Unsatisfiable,
}

impl Range {
    /// What the headers of a `GET` request ask for. (For other methods the field
    /// has no meaning.) A repeated field is ignored.
    pub fn requested(headers: Headers<'_>, total: u64) -> Self {
        headers
            .only("range")
            .map_or(Self::Whole, |value| Self::of(value, total))
    }

    /// What the value of a `Range` header asks for.
    pub fn of(value: &str, total: u64) -> Self {
        match Spec::parse(value) {
            None => Self::Whole,
            Some(Spec::From { first, last }) if first < total => {
                Self::Satisfiable(first..last.saturating_add(1).min(total))
            }
            // An empty body has no last bytes to tell, but all of it can be sent.
            Some(Spec::Last(1..)) if total == 0 => Self::Whole,
            Some(Spec::Last(count @ 1..)) => Self::Satisfiable(total.saturating_sub(count)..total),
            Some(_) => Self::Unsatisfiable,
        }
    }
}

/// The value of a `Content-Range` header ([RFC 9110 §14.4]).
///
/// ```
/// use ic_hallmark::http::ContentRange;
///
/// let part = ContentRange::Part { bytes: 0..100, total: 250 };
/// assert_eq!(part.to_string(), "bytes 0-99/250");
/// assert_eq!(ContentRange::Unsatisfied { total: 250 }.to_string(), "bytes */250");
/// ```
///
/// [RFC 9110 §14.4]: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// Of a 206: which bytes of how many. At least one byte.
    Part {
        /// The bytes that the answer holds.
        bytes: ops::Range<u64>,
        /// The length of the whole.
        total: u64,
    },
    /// Of a 416: how many bytes there are to ask for.
    Unsatisfied {
        /// The length of the whole.
        total: u64,
    },
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part { bytes, total } => {
                let last = bytes.end.saturating_sub(1);
                write!(f, "bytes {}-{last}/{total}", bytes.start)
            }
            Self::Unsatisfied { total } => write!(f, "bytes */{total}"),
        }
    }
}

/// One range as written, not yet held against a length.
enum Spec {
    /// `first-last` or, up to the end, `first-`; both inclusive.
    From { first: u64, last: u64 },
    /// `-count`
    Last(u64),
}

impl Spec {
    fn parse(value: &str) -> Option<Self> {
        let (unit, set) = value.split_once('=')?;
        if !trimmed(unit).eq_ignore_ascii_case("bytes") {
            return None;
        }
        // A list may have empty elements (RFC 9110 §5.6.1.2).
        let mut specs = set.split(',').map(trimmed).filter(|spec| !spec.is_empty());
        let (spec, None) = (specs.next()?, specs.next()) else {
            return None;
        };
        match spec.split_once('-')? {
            ("", count) => Some(Self::Last(position(count)?)),
            (first, "") => Some(Self::From {
                first: position(first)?,
                last: u64::MAX,
            }),
            (first, last) => {
                let (first, last) = (position(first)?, position(last)?);
                (first <= last).then_some(Self::From { first, last })
            }
        }
    }
}

/// Digits, however many: a position too large for the type is past any end.
fn position(digits: &str) -> Option<u64> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::Range::{Satisfiable, Unsatisfiable, Whole};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn resolves_a_range_against_the_length() {
        for (value, expected) in [
            ("bytes=0-0", Satisfiable(0..1)),
            ("bytes=0-9", Satisfiable(0..10)),
            ("bytes=0-10", Satisfiable(0..10)),
            ("bytes=9-", Satisfiable(9..10)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=10-20", Unsatisfiable),
            ("bytes=-1", Satisfiable(9..10)),
            ("bytes=-10", Satisfiable(0..10)),
            ("bytes=-11", Satisfiable(0..10)),
            ("bytes=-0", Unsatisfiable),
            ("bytes=000-0002", Satisfiable(0..3)),
        ] {
            assert_eq!(Range::of(value, 10), expected, "{value}");
        }
    }

    #[test]
    fn reads_the_unit_and_spaces_as_the_rfc_allows() {
        for value in ["Bytes=1-2", "bytes= 1-2 ", "bytes=,1-2,\t,", "bytes =1-2"] {
            assert_eq!(Range::of(value, 10), Satisfiable(1..3), "{value}");
        }
    }

    #[test]
    fn ignores_what_is_not_one_range_of_bytes() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=,",
            "bytes=2-1",
            "bytes=a-",
            "bytes=1-b",
            "bytes=1",
            "bytes=1-2-3",
            "bytes=--1",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=0x1-",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes:0-1",
            "=0-1",
            "bytes=٣-",
        ] {
            assert_eq!(Range::of(value, 10), Whole, "{value}");
        }
    }

    #[test]
    fn numbers_of_any_size() {
        let max = u64::MAX;
        let beyond = "99999999999999999999999999";
        assert_eq!(Range::of(&format!("bytes=0-{max}"), 10), Satisfiable(0..10));
        assert_eq!(
            Range::of(&format!("bytes=0-{beyond}"), 10),
            Satisfiable(0..10)
        );
        assert_eq!(
            Range::of(&format!("bytes=-{beyond}"), 10),
            Satisfiable(0..10)
        );
        assert_eq!(Range::of(&format!("bytes={beyond}-"), max), Unsatisfiable);
        assert_eq!(Range::of("bytes=0-", max), Satisfiable(0..max));
    }

    #[test]
    fn an_empty_body_has_no_parts() {
        assert_eq!(Range::of("bytes=0-", 0), Unsatisfiable);
        assert_eq!(Range::of("bytes=-5", 0), Whole);
        assert_eq!(Range::of("bytes=-0", 0), Unsatisfiable);
    }

    #[test]
    fn heeds_one_header_only() {
        let field = |value: &str| ("Range".to_owned(), value.to_owned());
        let fields = [field("bytes=1-1"), field("bytes=2-2")];
        assert_eq!(Range::requested(Headers::new(&[]), 10), Whole);
        assert_eq!(
            Range::requested(Headers::new(&fields[..1]), 10),
            Satisfiable(1..2)
        );
        assert_eq!(Range::requested(Headers::new(&fields), 10), Whole);
    }

    proptest! {
        #[test]
        fn a_satisfiable_range_lies_in_the_body(
            value in "(bytes=)?[0-9]{0,3}-[0-9]{0,21}[, ]?",
            total in prop_oneof![0..1000_u64, any::<u64>()],
        ) {
            if let Satisfiable(range) = Range::of(&value, total) {
                prop_assert!(range.start < range.end && range.end <= total);
            }
        }

        #[test]
        fn what_is_asked_for_is_what_is_told(first in 0..50_u64, count in 1..50_u64) {
            let bytes = first..first + count;
            let last = bytes.end - 1;
            prop_assert_eq!(
                Range::of(&format!("bytes={first}-{last}"), 100),
                Satisfiable(bytes.clone())
            );
            prop_assert_eq!(
                ContentRange::Part { bytes, total: 100 }.to_string(),
                format!("bytes {first}-{last}/100")
            );
        }

        #[test]
        fn any_text_is_answered(value in any::<String>(), total in any::<u64>()) {
            let asked = value.to_ascii_lowercase().contains("bytes");
            prop_assert!(asked || Range::of(&value, total) == Whole);
        }
    }
}
