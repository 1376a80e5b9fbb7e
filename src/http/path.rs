//! The path that a URL names, in one normal form.
//!
//! A path is the key of an asset, the route of a request and the labels of its
//! witness. All three come from [`UrlPath`], so they cannot disagree with each
//! other, and they agree with the verifier, which reads URLs in its own way:
//!
//! ```text
//! http://host/a%20b//c/?q=1#top        the URL as sent
//!            /a%20b//c/                no scheme and authority, no query, no fragment
//!            /a b//c/                  percent-decoded, once, as a whole
//!            /a b/c/                   empty segments dropped, a final slash kept
//!             a b │ c │ ""             its segments
//! ```
//!
//! Decoding comes before splitting, so `%2F` separates like `/`. Dot segments,
//! letter case and Unicode forms are left alone.

use std::borrow::Cow;
use std::fmt;

/// A path in normal form: either empty, or a slash before each segment, where
/// only the last segment may be empty.
///
/// ```
/// use ic_hallmark::http::UrlPath;
///
/// let path = UrlPath::parse("https://example.org/caf%C3%A9//menu/?lang=fr").unwrap();
/// assert_eq!(path.as_str(), "/café/menu/");
/// assert!(path.segments().eq(["café", "menu", ""]));
/// assert_eq!(path, UrlPath::from_key("/café/menu/").unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UrlPath<'a>(Cow<'a, str>);

/// A URL that names no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The URL has this many bytes, more than [`UrlPath::MAX_URL_BYTES`].
    TooLong(usize),
    /// Its path decodes to bytes that are not UTF-8, as `/%FF` does.
    NotUtf8,
    /// It is neither `/a/path`, nor `scheme://host/a/path`, nor a bare host:
    /// a path relative to nothing, such as `a/path`.
    Relative,
}

impl<'a> UrlPath<'a> {
    /// The longest URL that is read, in bytes; that of the verifier's URL parser.
    pub const MAX_URL_BYTES: usize = 65_534;

    /// Reads the path out of a request's URL.
    ///
    /// Wherever `ic-response-verification` finds a path, this finds the same
    /// one. Its parser is stricter about characters (a raw space or `<` in a
    /// path, for one), and which ones it refuses differs between versions;
    /// here they stand for themselves, and an empty URL means `/`.
    ///
    /// The verifier gives `*` (of `OPTIONS *`) the segment `*`, and a bare host
    /// no segment at all, so this does too.
    ///
    /// # Errors
    ///
    /// An [`UrlError`] only where the verifier has no path either.
    pub fn parse(url: &'a str) -> Result<Self, UrlError> {
        if url.len() > Self::MAX_URL_BYTES {
            return Err(UrlError::TooLong(url.len()));
        }
        let decoded = percent_decode(raw_path(url)?)?;
        Ok(Self(normalized(decoded)))
    }

    /// Takes the key of an asset as a path, if it is one already: beginning with
    /// a slash, without empty segments except for a final one. Keys are text and
    /// not URLs: a `%` or `?` in them stands for itself.
    ///
    /// ```
    /// use ic_hallmark::http::UrlPath;
    ///
    /// assert!(UrlPath::from_key("/100%.txt").is_some());
    /// assert!(UrlPath::from_key("/a//b.txt").is_none());
    /// assert!(UrlPath::from_key("a.txt").is_none());
    /// ```
    pub fn from_key(key: &'a str) -> Option<Self> {
        is_key(key).then_some(Self(Cow::Borrowed(key)))
    }

    /// The path as the text of an asset's key. Empty for a path without
    /// segments, which no key is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments from the root down; `""` for the final slash.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        // A path without segments has no slash to strip either.
        let relative = self.0.strip_prefix('/');
        relative.into_iter().flat_map(|path| path.split('/'))
    }

    /// The same path, borrowing nothing.
    pub fn into_owned(self) -> UrlPath<'static> {
        UrlPath(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Display for UrlPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => {
                let limit = UrlPath::MAX_URL_BYTES;
                write!(f, "the URL has {bytes} bytes, the limit is {limit}")
            }
            Self::NotUtf8 => f.write_str("the path of the URL does not decode to UTF-8"),
            Self::Relative => f.write_str("the URL has no path that begins with a slash"),
        }
    }
}

impl std::error::Error for UrlError {}

/// Cuts the path out of a URL, still encoded.
fn raw_path(url: &str) -> Result<&str, UrlError> {
    let path = if url.starts_with('/') || url == "*" {
        url
    } else if let Some((_, rest)) = url.split_once("://").filter(|(s, _)| !has_delimiter(s)) {
        match rest.find(DELIMITERS) {
            Some(end) => &rest[end..],
            None => "",
        }
    } else if url.is_empty() || url.starts_with('?') {
        url
    } else if has_delimiter(url) {
        return Err(UrlError::Relative);
    } else {
        return Ok("");
    };
    let end = path.find(['?', '#']).unwrap_or(path.len());
    Ok(if end == 0 { "/" } else { &path[..end] })
}

/// The characters that end the scheme and the authority of a URL.
const DELIMITERS: [char; 3] = ['/', '?', '#'];

fn has_delimiter(text: &str) -> bool {
    text.contains(DELIMITERS)
}

/// Decodes each `%` that two hexadecimal digits follow; any other stays.
fn percent_decode(text: &str) -> Result<Cow<'_, str>, UrlError> {
    let Some(first) = text.find('%') else {
        return Ok(Cow::Borrowed(text));
    };
    let (plain, mut rest) = text.as_bytes().split_at(first);
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(plain);
    loop {
        let (byte, after) = match rest {
            [b'%', high, low, after @ ..] if let Some(byte) = hex_pair(*high, *low) => {
                (byte, after)
            }
            [byte, after @ ..] => (*byte, after),
            [] => break,
        };
        decoded.push(byte);
        rest = after;
    }
    let decoded = String::from_utf8(decoded).map_err(|_| UrlError::NotUtf8)?;
    Ok(Cow::Owned(decoded))
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn is_key(text: &str) -> bool {
    text.starts_with('/') && !text.contains("//")
}

/// Drops empty segments and puts a slash before each of the others.
fn normalized(path: Cow<'_, str>) -> Cow<'_, str> {
    if path.is_empty() || is_key(&path) {
        return path;
    }
    let mut text = String::with_capacity(path.len() + 1);
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        text.push('/');
        text.push_str(segment);
    }
    if path.ends_with('/') {
        text.push('/');
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_http_certification::{HttpCertificationPath, HttpRequest};
    use proptest::prelude::*;

    fn path(url: &str) -> String {
        UrlPath::parse(url).unwrap().as_str().to_owned()
    }

    #[test]
    fn takes_the_path_out_of_every_form_of_url() {
        assert_eq!(path("/a/b?c=/d#e"), "/a/b");
        assert_eq!(path("/a#b?c"), "/a");
        assert_eq!(path("http://host:80/a?b"), "/a");
        assert_eq!(path("HTTPS://host/a/"), "/a/");
        assert_eq!(path("other+scheme://host"), "/");
        assert_eq!(path("http://host?a/b"), "/");
        assert_eq!(path("http://host#a"), "/");
        assert_eq!(path("*"), "/*");
        assert_eq!(path("host"), "");
        assert_eq!(path("host:80"), "");
        assert_eq!(path(""), "/");
        assert_eq!(path("?a=/b"), "/");
    }

    #[test]
    fn drops_empty_segments_and_keeps_the_final_slash() {
        assert_eq!(path("/"), "/");
        assert_eq!(path("//"), "/");
        assert_eq!(path("///a///b"), "/a/b");
        assert_eq!(path("/a//"), "/a/");
        assert_eq!(path("/a/./../b"), "/a/./../b");
    }

    #[test]
    fn decodes_once() {
        assert_eq!(path("/a%2Fb%2f"), "/a/b/");
        assert_eq!(path("/%252e"), "/%2e");
        assert_eq!(path("/%C3%A6+%20"), "/æ+ ");
        assert_eq!(path("/%3C*%3E/%3c$%3e"), "/<*>/<$>");
        assert_eq!(path("/%00"), "/\0");
        for odd in ["/%", "/%%", "/%4", "/%zz", "/%4z", "/%æ", "/a%%4"] {
            assert_eq!(path(odd), odd);
        }
        assert_eq!(path("/%%41%4%41"), "/%A%4A");
    }

    #[test]
    fn says_why_a_url_has_no_path() {
        assert_eq!(UrlPath::parse("/%FF"), Err(UrlError::NotUtf8));
        assert_eq!(UrlPath::parse("/%C3/%A6"), Err(UrlError::NotUtf8));
        assert_eq!(UrlPath::parse("a/b"), Err(UrlError::Relative));
        assert_eq!(UrlPath::parse("host?a"), Err(UrlError::Relative));
        assert_eq!(
            UrlPath::parse("a?at=http://host/b"),
            Err(UrlError::Relative)
        );

        let longest = "/".repeat(UrlPath::MAX_URL_BYTES);
        assert_eq!(path(&longest), "/");
        let too_long = longest + "/";
        assert_eq!(UrlPath::parse(&too_long), Err(UrlError::TooLong(65_535)));
    }

    #[test]
    fn gives_segments() {
        let segments = |url| {
            let path = UrlPath::parse(url).unwrap();
            path.segments().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(segments("host").is_empty());
        assert_eq!(segments("/"), [""]);
        assert_eq!(segments("/a"), ["a"]);
        assert_eq!(segments("/a/b/"), ["a", "b", ""]);
        assert_eq!(segments(&"/a".repeat(10_000)).len(), 10_000);
    }

    #[test]
    fn a_url_without_escapes_is_borrowed() {
        for url in ["/a/b.html?c", "http://host/a", "host", ""] {
            assert!(matches!(UrlPath::parse(url).unwrap().0, Cow::Borrowed(_)));
        }
    }

    /// What the verifier sees: its own parser, then its own splitting.
    fn verifier_segments(url: &str) -> Option<Vec<String>> {
        let path = HttpRequest::get(url).build().get_path().ok()?;
        let mut labels = HttpCertificationPath::exact(path).to_expr_path();
        labels.pop();
        labels.remove(0);
        Some(labels)
    }

    fn odd_url() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => prop::sample::select(vec!["/", "a", "b.html", "%2F", "%2e", "..", "%C3%A6"]),
            4 => prop::sample::select(vec!["//", "?", "#", "%", "%4", "%zz", "%25", "%00", "%ff"]),
            2 => prop::sample::select(vec!["://", ":", "*", "@", "[", "]", "http", "http_expr", "+"]),
            1 => prop::sample::select(vec!["æ", "\u{301}", " ", "<*>", "<$>", "%3C*%3E", "\"", "\\", "\0"]),
        ];
        let pieces = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
        let prefix = prop::sample::select(vec!["/", "/", "", "http://h", "x-y://u@h:1/"]);
        (prefix, pieces).prop_map(|(prefix, pieces)| format!("{prefix}{pieces}"))
    }

    fn agrees_with_the_verifier(url: &str) -> Result<(), TestCaseError> {
        let ours = UrlPath::parse(url);
        if let Some(theirs) = verifier_segments(url) {
            prop_assert!(ours.is_ok(), "{ours:?} for {theirs:?}");
            prop_assert!(ours.unwrap().segments().eq(theirs));
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn reads_urls_as_the_verifier_does(url in odd_url()) {
            agrees_with_the_verifier(&url)?;
        }

        #[test]
        fn reads_any_text_as_the_verifier_does(url in any::<String>()) {
            agrees_with_the_verifier(&url)?;
            agrees_with_the_verifier(&format!("/{url}"))?;
        }

        #[test]
        fn a_parsed_path_is_a_key(url in odd_url()) {
            if let Ok(path) = UrlPath::parse(&url) {
                let again = UrlPath::from_key(path.as_str());
                prop_assert_eq!(again.is_none(), path.segments().next().is_none());
                prop_assert!(again.is_none_or(|again| again == path));
            }
        }

        #[test]
        fn a_key_is_found_by_its_encoded_url(key in "(/[^/]{1,4}){1,4}/?") {
            let url: String = key
                .bytes()
                .map(|byte| match byte {
                    b'/' => "/".to_owned(),
                    _ => format!("%{byte:02x}"),
                })
                .collect();
            let path = UrlPath::parse(&url).unwrap();
            prop_assert_eq!(Some(path), UrlPath::from_key(&key));
        }
    }
}
