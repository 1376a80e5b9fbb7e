//! Entity tags and the conditions that compare them.
//!
//! A tag names one representation of a resource: these bytes, in this encoding.
//! `If-None-Match` asks for the representation only if it is another one than
//! the client has; `If-Range` asks for a part only if it is of the same one.

use super::header::Headers;
use std::fmt;

/// An entity tag ([RFC 9110 §8.8.3]), such as `"3f9a"` or `W/"3f9a"`.
///
/// ```
/// use ic_hallmark::http::EntityTag;
///
/// let tag = EntityTag::strong("3f9a").unwrap();
/// let weak = EntityTag::parse("W/\"3f9a\"").unwrap();
/// assert!(tag.weak_eq(weak) && !tag.strong_eq(weak));
/// assert_eq!(tag.to_string(), "\"3f9a\"");
/// ```
///
/// [RFC 9110 §8.8.3]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
// No `PartialEq`: which of the two comparisons is right depends on the use.
#[derive(Clone, Copy, Debug)]
pub struct EntityTag<'a> {
    weak: bool,
    opaque: &'a str,
}

impl<'a> EntityTag<'a> {
    /// The strong tag of this text, which goes between quotes; `None` if a
    /// character in it cannot stand there.
    pub fn strong(opaque: &'a str) -> Option<Self> {
        let weak = false;
        opaque
            .chars()
            .all(is_tag_char)
            .then_some(Self { weak, opaque })
    }

    /// Reads a tag with its quotes; `None` if the text is anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (tag, rest) = Self::split_off(text)?;
        rest.is_empty().then_some(tag)
    }

    /// Whether both are strong and of the same text: then the bytes are equal
    /// ([RFC 9110 §8.8.3.2]).
    ///
    /// [RFC 9110 §8.8.3.2]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.2
    pub fn strong_eq(self, other: EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Whether both are of the same text, weak or strong: then one does for the
    /// other ([RFC 9110 §8.8.3.2]).
    ///
    /// [RFC 9110 §8.8.3.2]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.2
    pub fn weak_eq(self, other: EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// Reads a tag off the front of the text. A tag may contain commas, so a
    /// list of them cannot be split before it is read.
    fn split_off(text: &'a str) -> Option<(Self, &'a str)> {
        let unprefixed = text.strip_prefix("W/");
        let quoted = unprefixed.unwrap_or(text).strip_prefix('"')?;
        let (opaque, rest) = quoted.split_once('"')?;
        let tag = Self {
            weak: unprefixed.is_some(),
            ..Self::strong(opaque)?
        };
        Some((tag, rest))
    }
}

impl fmt::Display for EntityTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.weak { "W/" } else { "" };
        write!(f, "{prefix}\"{}\"", self.opaque)
    }
}

/// The `If-None-Match` condition of a request ([RFC 9110 §13.1.2]).
///
/// ```
/// use ic_hallmark::http::{EntityTag, Headers, IfNoneMatch};
///
/// let fields = [("If-None-Match".to_owned(), r#""a", W/"b""#.to_owned())];
/// let condition = IfNoneMatch::of(Headers::new(&fields));
/// assert!(!condition.passes(EntityTag::strong("b").unwrap())); // 304
/// assert!(condition.passes(EntityTag::strong("c").unwrap()));
/// ```
///
/// [RFC 9110 §13.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
#[derive(Clone, Copy, Debug)]
pub struct IfNoneMatch<'a>(Headers<'a>);

impl<'a> IfNoneMatch<'a> {
    /// The condition in the headers of a request.
    pub fn of(headers: Headers<'a>) -> Self {
        Self(headers)
    }

    /// Whether the request may go ahead, given the tag of what would be sent. If
    /// not, a `GET` or `HEAD` is answered with 304.
    ///
    /// A request without the header has no condition, so it passes. Of a list
    /// that is malformed, the tags before the fault count.
    pub fn passes(self, current: EntityTag<'_>) -> bool {
        !self.0.all("if-none-match").any(|list| names(list, current))
    }
}

/// Whether a list of tags, or `*`, names this one.
fn names(list: &str, current: EntityTag<'_>) -> bool {
    if trimmed(list) == "*" {
        return true;
    }
    let mut rest = list;
    while let Some((tag, after)) = EntityTag::split_off(rest.trim_start_matches(SEPARATORS)) {
        if tag.weak_eq(current) {
            return true;
        }
        rest = after;
    }
    false
}

/// The `If-Range` condition of a request ([RFC 9110 §13.1.5]).
///
/// [RFC 9110 §13.1.5]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
#[derive(Clone, Copy, Debug)]
pub struct IfRange<'a>(Headers<'a>);

impl<'a> IfRange<'a> {
    /// The condition in the headers of a request.
    pub fn of(headers: Headers<'a>) -> Self {
        Self(headers)
    }

    /// Whether `Range` is to be heeded, given the tag of what would be sent. If
    /// not, the whole is sent.
    ///
    /// The tags must be strongly equal. A date never matches, because no date
    /// of last modification is ever sent.
    pub fn passes(self, current: EntityTag<'_>) -> bool {
        let matches =
            |value| EntityTag::parse(trimmed(value)).is_some_and(|t| t.strong_eq(current));
        !self.0.has("if-range") || self.0.only("if-range").is_some_and(matches)
    }
}

const SEPARATORS: [char; 3] = [' ', '\t', ','];

fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// `etagc`: visible, not a quote, or beyond ASCII.
fn is_tag_char(c: char) -> bool {
    matches!(c, '!' | '#'..='~' | '\u{80}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passes(header: &str, values: &[&str], current: &str) -> bool {
        let field = |value: &&str| (header.to_owned(), value.to_string());
        let fields: Vec<_> = values.iter().map(field).collect();
        let (headers, current) = (Headers::new(&fields), EntityTag::parse(current).unwrap());
        match header {
            "if-none-match" => IfNoneMatch::of(headers).passes(current),
            "if-range" => IfRange::of(headers).passes(current),
            _ => unreachable!("{header}"),
        }
    }

    #[test]
    fn parses_tags() {
        for tag in [r#""""#, r#""a,b""#, r#"W/"a""#, r#""ä""#] {
            assert_eq!(EntityTag::parse(tag).unwrap().to_string(), tag);
        }
        for bad in [
            "", "\"a b\"", "a", "\"", "\"a", "a\"", "w/\"a\"", "W/ \"a\"", "\"a\" ", "\"a\"\"",
            "\"\x7f\"",
        ] {
            assert!(EntityTag::parse(bad).is_none(), "{bad:?}");
        }
        assert!(EntityTag::strong("a\"").is_none());
    }

    /// The table of RFC 9110 §8.8.3.2.
    #[test]
    fn compares_as_the_rfc_does() {
        for (a, b, strong, weak) in [
            (r#"W/"1""#, r#"W/"1""#, false, true),
            (r#"W/"1""#, r#"W/"2""#, false, false),
            (r#"W/"1""#, r#""1""#, false, true),
            (r#""1""#, r#""1""#, true, true),
        ] {
            let [a, b] = [a, b].map(|tag| EntityTag::parse(tag).unwrap());
            assert_eq!((a.strong_eq(b), a.weak_eq(b)), (strong, weak));
            assert_eq!((b.strong_eq(a), b.weak_eq(a)), (strong, weak));
        }
    }

    #[test]
    fn if_none_match_compares_weakly_with_each_tag() {
        let passes = |values: &[&str], current| passes("if-none-match", values, current);
        assert!(passes(&[], r#""a""#));
        assert!(passes(&[""], r#""a""#));
        assert!(!passes(&[r#""a""#], r#""a""#));
        assert!(!passes(&[r#"W/"a""#], r#""a""#));
        assert!(!passes(&[r#""a""#], r#"W/"a""#));
        assert!(!passes(&[r#" , "x,y" ,,	W/"a""#], r#""a""#));
        assert!(!passes(&[r#""b""#, r#""a""#], r#""a""#));
        assert!(passes(&[r#""b", "c""#], r#""a""#));
        assert!(passes(&[r#""x"a"y""#], r#""y""#), "after a fault");
        assert!(passes(&["a"], r#""a""#));
        assert!(passes(&[r#""A""#], r#""a""#));
    }

    #[test]
    fn a_star_matches_whatever_there_is() {
        assert!(!passes("if-none-match", &["*"], r#""a""#));
        assert!(!passes("if-none-match", &[" *\t"], r#""a""#));
        assert!(passes("if-none-match", &[r#"*, "b""#], r#""a""#));
    }

    #[test]
    fn if_range_compares_strongly_with_one_tag() {
        let passes = |values: &[&str], current| passes("if-range", values, current);
        assert!(passes(&[], r#""a""#));
        assert!(passes(&[r#" "a""#], r#""a""#));
        assert!(!passes(&[r#"W/"a""#], r#""a""#));
        assert!(!passes(&[r#""a", "a""#], r#""a""#));
        assert!(!passes(&[r#""a""#, r#""a""#], r#""a""#));
        assert!(!passes(&["Wed, 21 Oct 2026 07:28:00 GMT"], r#""a""#));
        assert!(!passes(&[""], r#""a""#));
    }

    proptest! {
        #[test]
        fn any_text_is_a_condition(values in prop::collection::vec("[W/*\" ,ab\u{e9}]{0,12}", 0..3)) {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            let named = values.iter().any(|v| v.contains("\"a\"") || v.contains('*'));
            prop_assert!(named || passes("if-none-match", &values, "\"a\""));
            prop_assert!(values.is_empty() || named || !passes("if-range", &values, "\"a\""));
        }

        #[test]
        fn a_tag_is_found_at_any_place_of_a_list(
            tags in prop::collection::vec("(W/)?\"[!#-~]{0,5}\"", 1..6),
            at in any::<prop::sample::Index>(),
            separator in "[ \t]{0,2},[ \t,]{0,2}",
        ) {
            let current = EntityTag::parse(&tags[at.index(tags.len())]).unwrap().to_string();
            prop_assert!(!passes("if-none-match", &[&tags.join(&separator)], &current));
        }

        #[test]
        fn a_tag_is_read_back(tag in "(W/)?\"[!#-~\u{80}-\u{2ff}]{0,9}\"") {
            prop_assert_eq!(EntityTag::parse(&tag).unwrap().to_string(), tag);
        }
    }
}
