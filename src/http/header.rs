//! Header fields: reading those of a request, and what may stand in those of an
//! answer.
//!
//! A field that an uploader attaches to an asset becomes part of certified
//! answers. It is checked once, when it is attached, so that every answer made
//! later can be carried by a gateway and verified.

use std::fmt;

/// The header fields of a message, looked up by name without regard to case.
///
/// ```
/// use ic_hallmark::http::Headers;
///
/// let fields = [("Accept", "text/html"), ("range", "bytes=0-"), ("accept", "*/*")]
///     .map(|(name, value)| (name.to_owned(), value.to_owned()));
/// let headers = Headers::new(&fields);
///
/// assert!(headers.all("ACCEPT").eq(["text/html", "*/*"]));
/// assert_eq!(headers.only("Range"), Some("bytes=0-"));
/// assert_eq!(headers.only("Accept"), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(&'a [(String, String)]);

impl<'a> Headers<'a> {
    /// Wraps name–value pairs in the order they were received.
    pub fn new(fields: &'a [(String, String)]) -> Self {
        Self(fields)
    }

    /// The values of every field of this name, in order.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of the field of this name if there is exactly one. A field
    /// that is no list must not be repeated ([RFC 9110 §5.3]), and an answer
    /// certified for one value holds for no repetition of it.
    ///
    /// [RFC 9110 §5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    pub fn only(self, name: &str) -> Option<&'a str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether there is a field of this name.
    pub fn has(self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// Checks a header field that an uploader wants answers to carry.
///
/// - The name is a token ([RFC 9110 §5.6.2]) and not one of those that the
///   canister or the connection must set: see [`FieldError::Reserved`].
/// - The value holds visible ASCII characters, spaces and tabs, the set that
///   [RFC 9110 §5.5] asks of senders. It lets recipients pass on the bytes above
///   ASCII too, but HTTP gateways of the Internet Computer refuse a whole answer
///   for one of them. (`Content-Disposition` writes other letters as
///   `filename*=UTF-8''%C3%A6`.)
///
/// [RFC 9110 §5.5]: https://www.rfc-editor.org/rfc/rfc9110#section-5.5
/// [RFC 9110 §5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
///
/// # Errors
///
/// The first thing that is wrong with it.
///
/// ```
/// use ic_hallmark::http::check_field;
///
/// assert!(check_field("X-Frame-Options", "DENY").is_ok());
/// assert_eq!(
///     check_field("Link", "</a>\r\nSet-Cookie: b").unwrap_err().to_string(),
///     r"the value of header `Link` contains '\r' at byte 4",
/// );
/// ```
pub fn check_field(name: &str, value: &str) -> Result<(), FieldError> {
    if name.is_empty() {
        return Err(FieldError::EmptyName);
    }
    if let Some(found) = name.chars().find(|&found| !is_token_char(found)) {
        return Err(FieldError::NotToken {
            name: name.to_owned(),
            found,
        });
    }
    if let Some(&(_, why)) = RESERVED.iter().find(|(r, _)| name.eq_ignore_ascii_case(r)) {
        return Err(FieldError::Reserved {
            name: name.to_owned(),
            why,
        });
    }
    if let Some((at, found)) = value.char_indices().find(|&(_, c)| !is_value_char(c)) {
        return Err(FieldError::BadValue {
            name: name.to_owned(),
            found,
            at,
        });
    }
    Ok(())
}

/// What is wrong with a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// The name is empty.
    EmptyName,
    /// The name is not a token.
    NotToken {
        /// The name.
        name: String,
        /// Its first character that no token has.
        found: char,
    },
    /// The name is one that an uploader may not set.
    Reserved {
        /// The name.
        name: String,
        /// Whose it is.
        why: Reserved,
    },
    /// The value holds a control character or one beyond ASCII.
    BadValue {
        /// The name.
        name: String,
        /// The character.
        found: char,
        /// Where it is, in bytes.
        at: usize,
    },
}

/// Why an uploader may not set a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It carries the certificate. Verifiers read the last field of the name,
    /// so a second one breaks the answer.
    Certification,
    /// It says which part of the whole a 206 holds, which differs from answer
    /// to answer.
    Part,
    /// It frames the message or concerns one connection ([RFC 9110 §7.6.1]).
    /// Gateways write their own; one that differs lets the end of the body be
    /// forged.
    ///
    /// [RFC 9110 §7.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
    Connection,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("a header has an empty name"),
            Self::NotToken { name, found } => {
                let name = name.escape_debug();
                write!(f, "the header name `{name}` contains {found:?}")
            }
            Self::Reserved { name, why } => {
                write!(f, "header `{name}` cannot be set: ")?;
                f.write_str(match why {
                    Reserved::Certification => "it carries the certificate of the answer",
                    Reserved::Part => "it depends on the part that an answer holds",
                    Reserved::Connection => "it belongs to the connection, not to the content",
                })
            }
            Self::BadValue { name, found, at } => {
                write!(
                    f,
                    "the value of header `{name}` contains {found:?} at byte {at}"
                )
            }
        }
    }
}

impl std::error::Error for FieldError {}

const RESERVED: [(&str, Reserved); 12] = [
    ("ic-certificate", Reserved::Certification),
    ("ic-certificateexpression", Reserved::Certification),
    ("content-range", Reserved::Part),
    ("connection", Reserved::Connection),
    ("content-length", Reserved::Connection),
    ("keep-alive", Reserved::Connection),
    ("proxy-connection", Reserved::Connection),
    ("te", Reserved::Connection),
    ("trailer", Reserved::Connection),
    ("transfer-encoding", Reserved::Connection),
    ("upgrade", Reserved::Connection),
    ("http2-settings", Reserved::Connection),
];

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn is_value_char(c: char) -> bool {
    matches!(c, '\t' | ' '..='~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn finds_fields_whatever_their_case() {
        let fields = fields(&[("A", "1"), ("b", "2"), ("a", "3")]);
        let headers = Headers::new(&fields);
        assert!(headers.all("a").eq(["1", "3"]));
        assert_eq!(headers.only("a"), None);
        assert_eq!(headers.only("B"), Some("2"));
        assert_eq!(headers.only("c"), None);
        assert!(headers.has("a"));
        assert!(!headers.has("c"));
    }

    #[test]
    fn accepts_the_headers_that_sites_set() {
        for (name, value) in [
            (
                "Content-Security-Policy",
                "default-src 'self';\tobject-src 'none'",
            ),
            (
                "Strict-Transport-Security",
                "max-age=31536000; includeSubDomains",
            ),
            ("Set-Cookie", "a=b; SameSite=Lax"),
            ("Cache-Control", ""),
            ("x_odd.name!", "~ "),
        ] {
            assert_eq!(check_field(name, value), Ok(()));
        }
    }

    #[test]
    fn names_are_tokens() {
        assert_eq!(check_field("", "a"), Err(FieldError::EmptyName));
        for name in [
            "a b",
            "a:",
            ":ic-cert-status",
            "a\r\nb",
            "ä",
            "a\"",
            "a\0",
            "(a)",
        ] {
            assert!(
                matches!(check_field(name, "a"), Err(FieldError::NotToken { .. })),
                "{name:?}"
            );
        }
        assert_eq!(
            check_field("a\nb", "a").unwrap_err().to_string(),
            r"the header name `a\nb` contains '\n'"
        );
    }

    #[test]
    fn values_are_visible_ascii() {
        for (value, found, at) in [
            ("a\nb", '\n', 1),
            ("a\r", '\r', 1),
            ("\0", '\0', 0),
            ("ab\x7f", '\x7f', 2),
            ("\x1b[0m", '\x1b', 0),
            ("né", 'é', 1),
        ] {
            let name = "X-A".to_owned();
            assert_eq!(
                check_field("X-A", value),
                Err(FieldError::BadValue { name, found, at })
            );
        }
    }

    #[test]
    fn some_names_are_not_the_uploaders() {
        let refused = |name| check_field(name, "a").unwrap_err().to_string();
        assert_eq!(
            refused("IC-Certificate"),
            "header `IC-Certificate` cannot be set: it carries the certificate of the answer"
        );
        assert_eq!(
            refused("Content-Range"),
            "header `Content-Range` cannot be set: it depends on the part that an answer holds"
        );
        assert_eq!(
            refused("content-length"),
            "header `content-length` cannot be set: it belongs to the connection, not to the content"
        );
        for (name, _) in RESERVED {
            assert!(check_field(&name.to_uppercase(), "a").is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_cannot_end_a_line(name in any::<String>(), value in any::<String>()) {
            if check_field(&name, &value).is_ok() {
                let line = format!("{name}: {value}");
                prop_assert!(line.is_ascii());
                prop_assert!(!line.contains(['\r', '\n', '\0']));
                prop_assert_eq!(line.split_once(": "), Some((name.as_str(), value.as_str())));
            }
        }

        #[test]
        fn every_bad_character_is_found(
            before in "[ -~]{0,9}",
            found in "[^ -~\t]",
            after in any::<String>(),
        ) {
            let value = format!("{before}{found}{after}");
            let found = found.chars().next().unwrap();
            let (name, at) = ("a".to_owned(), before.len());
            prop_assert_eq!(
                check_field("a", &value),
                Err(FieldError::BadValue { name, found, at })
            );
        }
    }
}
