//! The `Content-Range` of a part: RFC 9110 §14.4, with a known total.

use std::fmt;
use std::str::FromStr;

/// `bytes first-last/total`, with `first <= last < total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) total: u64,
}

impl ContentRange {
    /// How many bytes the part has.
    pub(super) fn length(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Why a field value is no usable `Content-Range`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoContentRange;

impl FromStr for ContentRange {
    type Err = NoContentRange;

    fn from_str(text: &str) -> Result<ContentRange, NoContentRange> {
        let parse = || {
            let (unit, rest) = text.trim().split_once(' ')?;
            let (range, total) = rest.split_once('/')?;
            let (first, last) = range.split_once('-')?;
            let range = ContentRange {
                first: number(first)?,
                last: number(last)?,
                total: number(total)?,
            };
            let sound = range.first <= range.last && range.last < range.total;
            (unit.eq_ignore_ascii_case("bytes") && sound).then_some(range)
        };
        parse().ok_or(NoContentRange)
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{}/{}", self.first, self.last, self.total)
    }
}

/// Digits only: `u64::from_str` would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = "bytes 2000000-2999999/5000000";
        let range: ContentRange = text.parse().unwrap();
        assert_eq!(range.to_string(), text);
        assert_eq!(range.length(), 1_000_000);
    }

    #[test]
    fn refuses_what_names_no_part() {
        for text in [
            "",
            "bytes",
            "bytes */100",
            "bytes 0-9/*",
            "bytes 0-9",
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes +0-9/100",
            "bytes -9/100",
            "items 0-9/100",
            "bytes 0-9/99999999999999999999",
        ] {
            assert_eq!(text.parse::<ContentRange>(), Err(NoContentRange), "{text}");
        }
    }
}
