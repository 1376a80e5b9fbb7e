//! Points in time, as certificates and log entries tell them, for people.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// Nanoseconds since 1970. Displays as `2026-03-01 12:00:00 UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Time {
    /// Now, by this machine's clock.
    pub fn now() -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Time(since.map_or(0, |since| since.as_nanos() as u64))
    }

    /// Whole seconds from `earlier` until then; 0 if it is later.
    pub fn seconds_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000_000_000
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(self.0.into());
        let moment = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (hour, minute, second) = moment.to_hms();
        write!(f, "{} {hour:02}:{minute:02}:{second:02} UTC", moment.date())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(Time(0).to_string(), "1970-01-01 00:00:00 UTC");
        let then = Time(1_700_000_000_999_999_999);
        assert_eq!(then.to_string(), "2023-11-14 22:13:20 UTC");
        assert!(Time(u64::MAX).to_string().starts_with("2554-07-21"));
        assert_eq!(then.seconds_since(Time(1_699_999_990_000_000_000)), 10);
        assert_eq!(Time(0).seconds_since(then), 0);
    }
}
