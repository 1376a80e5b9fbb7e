//! Which encoding of a body a client would rather have ([RFC 9110 §12.5.3]).
//!
//! The highest weight wins. Among equals the server chooses, and chooses the
//! encoding that tends to be smallest:
//!
//! ```text
//! br   zstd   gzip   deflate   compress   any other   identity
//! ```
//!
//! | the request says | means |
//! | --- | --- |
//! | nothing | everything is acceptable, `identity` best of all |
//! | an empty list | only `identity` is |
//! | a coding, with or without `;q=` | that weight for it; 1 if there is none |
//! | `*` | that weight for every coding that is not named |
//! | `identity` neither by name nor by `*` | it will do when nothing named does |
//!
//! [RFC 9110 §12.5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3

use super::header::Headers;
use std::cmp::Reverse;

/// The encodings that a client accepts.
///
/// ```
/// use ic_hallmark::http::{AcceptEncoding, Headers};
///
/// let choose = |list: &str, available: &[&'static str]| {
///     let fields = [("Accept-Encoding".to_owned(), list.to_owned())];
///     let chosen = AcceptEncoding::of(Headers::new(&fields)).choose(available);
///     chosen.map(|index| available[index])
/// };
/// assert_eq!(choose("gzip, deflate, br", &["identity", "gzip", "br"]), Some("br"));
/// assert_eq!(choose("br;q=0.5, gzip", &["identity", "gzip", "br"]), Some("gzip"));
/// assert_eq!(choose("zstd", &["identity", "gzip"]), Some("identity"));
/// assert_eq!(choose("zstd", &["gzip"]), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AcceptEncoding<'a>(Headers<'a>);

impl<'a> AcceptEncoding<'a> {
    /// The encodings accepted in the headers of a request.
    pub fn of(headers: Headers<'a>) -> Self {
        Self(headers)
    }

    /// The index of the best of the available encodings, or `None` if none of
    /// them is acceptable.
    ///
    /// There is nothing to gain from refusing such a request with 406, and
    /// [RFC 9110 §12.4.1] does not ask for it: the caller sends `identity`, or
    /// whatever there is.
    ///
    /// [RFC 9110 §12.4.1]: https://www.rfc-editor.org/rfc/rfc9110#section-12.4.1
    pub fn choose(self, available: &[&str]) -> Option<usize> {
        let weighed = available.iter().enumerate().map(|(index, coding)| {
            let weight = self.weight(coding);
            (weight, Reverse(size_rank(coding)), Reverse(index))
        });
        let (weight, _, Reverse(index)) = weighed.max()?;
        (weight > Weight::Refused).then_some(index)
    }

    fn weight(self, coding: &str) -> Weight {
        let identity = same_coding(coding, "identity");
        if !self.0.has(ACCEPT_ENCODING) {
            return if identity {
                Weight::ONE
            } else {
                Weight::Unnamed
            };
        }
        let named = |name| {
            let codings = self.0.all(ACCEPT_ENCODING).flat_map(|list| list.split(','));
            let entries = codings
                .map(entry)
                .filter(|(entry, _)| same_coding(entry, name));
            entries.map(|(_, weight)| weight).max()
        };
        let unnamed = if identity {
            Weight::Unnamed
        } else {
            Weight::Refused
        };
        named(coding).or_else(|| named("*")).unwrap_or(unnamed)
    }
}

const ACCEPT_ENCODING: &str = "accept-encoding";

/// How much a client wants an encoding; the later the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Not at all: `q=0`, or not in the list.
    Refused,
    /// Acceptable, but nothing was said about it.
    Unnamed,
    /// From 1 to 1000.
    Thousandths(u16),
}

impl Weight {
    const ONE: Self = Self::Thousandths(1000);

    /// Reads a `qvalue` ([RFC 9110 §12.4.2]). What is not a number counts as no
    /// weight, which is 1; more than 1 as 1; digits after the third are ignored.
    ///
    /// [RFC 9110 §12.4.2]: https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2
    fn parse(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if text.is_empty() || !digits().all(|byte| byte.is_ascii_digit()) {
            return Self::ONE;
        }
        if whole.bytes().any(|digit| digit != b'0') {
            return Self::ONE;
        }
        let padded = fraction.bytes().chain(*b"000").take(3);
        match padded.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')) {
            0 => Self::Refused,
            thousandths => Self::Thousandths(thousandths),
        }
    }
}

/// Reads an element of the list: a coding, and after a semicolon its weight.
fn entry(text: &str) -> (&str, Weight) {
    let mut parts = text.split(';').map(str::trim_ascii);
    let coding = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_weight = name.trim_ascii().eq_ignore_ascii_case("q");
        is_weight.then(|| Weight::parse(value.trim_ascii()))
    });
    (coding, weight.unwrap_or(Weight::ONE))
}

/// Names are compared without case; two have an older form beginning with `x-`
/// ([RFC 9110 §8.4.1]).
///
/// [RFC 9110 §8.4.1]: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1
fn same_coding(a: &str, b: &str) -> bool {
    current_name(a).eq_ignore_ascii_case(current_name(b))
}

fn current_name(coding: &str) -> &str {
    if coding.eq_ignore_ascii_case("x-gzip") || coding.eq_ignore_ascii_case("x-compress") {
        &coding[2..]
    } else {
        coding
    }
}

/// The codings from the one that makes bodies smallest; `identity` comes last,
/// after any that is not in this list.
const BY_SIZE: [&str; 5] = ["br", "zstd", "gzip", "deflate", "compress"];

fn size_rank(coding: &str) -> usize {
    let known = BY_SIZE.iter().position(|known| same_coding(known, coding));
    let unknown = BY_SIZE.len() + usize::from(same_coding(coding, "identity"));
    known.unwrap_or(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [&str; 4] = ["identity", "gzip", "br", "zstd"];

    fn choose<'a>(values: &[&str], available: &[&'a str]) -> Option<&'a str> {
        let field = |value: &&str| ("accept-ENCODING".to_owned(), value.to_string());
        let fields: Vec<_> = values.iter().map(field).collect();
        let chosen = AcceptEncoding::of(Headers::new(&fields)).choose(available);
        chosen.map(|index| available[index])
    }

    #[test]
    fn the_highest_weight_wins() {
        for (list, expected) in [
            ("br;q=0.1, gzip;q=0.2, zstd;q=0.15", "gzip"),
            ("gzip;q=0.8, identity", "identity"),
            ("identity;q=0.2, gzip;q=0.8, *;q=0.5", "gzip"),
            ("gzip;q=0.5, *", "br"),
            ("gzip;q=0.5, br;q=0, *;q=0.001", "gzip"),
            ("br;q=0.001", "br"),
        ] {
            assert_eq!(choose(&[list], &ALL), Some(expected), "{list}");
        }
    }

    #[test]
    fn among_equals_the_smallest_is_chosen() {
        assert_eq!(choose(&["gzip, deflate, br, zstd"], &ALL), Some("br"));
        assert_eq!(choose(&["zstd, gzip, identity"], &ALL), Some("zstd"));
        assert_eq!(choose(&["*"], &ALL), Some("br"));
        assert_eq!(
            choose(&["*;q=0.5"], &["identity", "own", "compress"]),
            Some("compress")
        );
        assert_eq!(choose(&["*"], &["identity", "own"]), Some("own"));
        assert_eq!(choose(&["*"], &["own", "other"]), Some("own"));
    }

    #[test]
    fn identity_does_when_nothing_named_is_there() {
        assert_eq!(choose(&["deflate;q=0.1"], &ALL), Some("identity"));
        assert_eq!(
            choose(&["gzip;q=0.001"], &["identity", "gzip"]),
            Some("gzip")
        );
        assert_eq!(
            choose(&["gzip;q=0"], &["identity", "gzip"]),
            Some("identity")
        );
        assert_eq!(choose(&[""], &ALL), Some("identity"));
        assert_eq!(choose(&[" , "], &["gzip"]), None);
    }

    #[test]
    fn identity_can_be_refused() {
        for list in ["identity;q=0", "*;q=0", "deflate, identity;q=0.000"] {
            assert_eq!(choose(&[list], &["identity"]), None, "{list}");
        }
        assert_eq!(choose(&["identity;q=0.1, *;q=0"], &ALL), Some("identity"));
        assert_eq!(
            choose(&["identity;q=0, *"], &["identity", "gzip"]),
            Some("gzip")
        );
    }

    #[test]
    fn without_the_header_identity_is_best() {
        assert_eq!(choose(&[], &["br", "identity"]), Some("identity"));
        assert_eq!(choose(&[], &["gzip", "br"]), Some("br"));
    }

    #[test]
    fn nothing_available_is_nothing_chosen() {
        assert_eq!(choose(&["*"], &[]), None);
        assert_eq!(choose(&[], &[]), None);
    }

    #[test]
    fn names_are_compared_without_case_and_in_both_forms() {
        assert_eq!(choose(&["GZip"], &ALL), Some("gzip"));
        assert_eq!(choose(&["x-gzip"], &ALL), Some("gzip"));
        assert_eq!(choose(&["gzip"], &["X-GZIP"]), Some("X-GZIP"));
        assert_eq!(choose(&["x-br"], &["br"]), None);
        assert_eq!(choose(&["bro"], &["br"]), None);
    }

    #[test]
    fn fields_and_their_repetitions_add_up() {
        assert_eq!(choose(&["gzip;q=0.5", "br;q=0.4"], &ALL), Some("gzip"));
        assert_eq!(choose(&["gzip;q=0", "gzip"], &ALL), Some("gzip"));
    }

    #[test]
    fn reads_odd_weights() {
        for (list, expected) in [
            ("gzip ; Q = 0.9 , br;q=0.8", "gzip"),
            ("gzip;level=3;q=0.1, br;q=0.2", "br"),
            ("gzip;q=0.5;q=0.9, br;q=0.6", "br"),
            ("gzip;q=x, br;q=0.9", "gzip"),
            ("gzip;q=, br;q=0.9", "gzip"),
            ("gzip;q=-1, br;q=0.9", "gzip"),
            ("gzip;q=7, br;q=0.9", "gzip"),
            ("gzip;q=1.000, br;q=0.999", "gzip"),
            ("gzip;q=.5, br;q=0.4999", "gzip"),
            ("gzip;q=0.50009, br;q=0.5", "br"),
            ("gzip;q=0., br;q=0.1", "br"),
            ("gzip;q=99999999999999999999, br;q=0.9", "gzip"),
        ] {
            assert_eq!(choose(&[list], &["gzip", "br"]), Some(expected), "{list}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(values in prop::collection::vec(any::<String>(), 0..3)) {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            let named = values.concat().to_lowercase();
            let chosen = choose(&values, &ALL);
            prop_assert!(chosen.is_some_and(|c| c == "identity") || named.contains(['*', 'g', 'b', 'z', 'i']));
        }

        /// Against the definition: sort by weight, then by size.
        #[test]
        fn chooses_what_sorting_by_weight_puts_first(weights in [0..=1000_u16, 0..=1000, 0..=1000, 0..=1000]) {
            let mut ranked: Vec<_> = std::iter::zip(weights, ["br", "zstd", "gzip", "identity"]).collect();
            let list: Vec<_> = ranked.iter().map(|(w, coding)| format!("{coding};q={}.{:03}", w / 1000, w % 1000)).collect();
            ranked.sort_by_key(|&(weight, _)| Reverse(weight));
            let expected = ranked.iter().find(|(weight, _)| *weight > 0);
            prop_assert_eq!(choose(&[&list.join(",")], &ALL), expected.map(|(_, coding)| *coding));
        }
    }
}
