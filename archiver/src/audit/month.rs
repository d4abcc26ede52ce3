//! One month in Japan, as people name it: `2026-11`.

use std::fmt;
use std::str::FromStr;

use time::macros::offset;
use time::{Date, Month, OffsetDateTime, Time};

/// A month of Japan Standard Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportMonth {
    first: Date,
}

/// The text names no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadMonth;

impl ReportMonth {
    /// The month of a time.
    #[must_use]
    pub fn of(time: OffsetDateTime) -> Self {
        let day = time.to_offset(offset!(+9)).date();
        Self {
            first: day.replace_day(1).unwrap_or(day),
        }
    }

    /// When it begins.
    #[must_use]
    pub const fn begin(self) -> OffsetDateTime {
        self.first
            .with_time(Time::MIDNIGHT)
            .assume_offset(offset!(+9))
    }

    /// When the next one begins.
    #[must_use]
    pub fn end(self) -> OffsetDateTime {
        let days = self.first.month().length(self.first.year());
        self.begin()
            .saturating_add(time::Duration::days(i64::from(days)))
    }

    /// Whether the time is in it.
    #[must_use]
    pub fn has(self, time: OffsetDateTime) -> bool {
        self.begin() <= time && time < self.end()
    }
}

impl fmt::Display for ReportMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = u8::from(self.first.month());
        write!(f, "{:04}-{month:02}", self.first.year())
    }
}

impl FromStr for ReportMonth {
    type Err = BadMonth;

    fn from_str(text: &str) -> Result<Self, BadMonth> {
        let (year, month) = text.split_once('-').ok_or(BadMonth)?;
        let digits = |part: &str, count| {
            part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(year, 4) || !digits(month, 2) {
            return Err(BadMonth);
        }
        let month: u8 = month.parse().map_err(|_| BadMonth)?;
        let month = Month::try_from(month).map_err(|_| BadMonth)?;
        let year = year.parse().map_err(|_| BadMonth)?;
        let first = Date::from_calendar_date(year, month, 1).map_err(|_| BadMonth)?;
        Ok(Self { first })
    }
}

impl fmt::Display for BadMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a month looks like 2026-11")
    }
}

impl std::error::Error for BadMonth {}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_month_is_that_of_japan() {
        let november: ReportMonth = "2026-11".parse().unwrap();
        assert!(!november.has(datetime!(2026-10-31 14:59:59 UTC)));
        assert!(november.has(datetime!(2026-10-31 15:00 UTC)));
        assert!(november.has(datetime!(2026-11-30 14:59:59 UTC)));
        assert!(!november.has(datetime!(2026-11-30 15:00 UTC)));
        assert_eq!(ReportMonth::of(datetime!(2026-10-31 15:00 UTC)), november);
        assert_eq!(november.to_string(), "2026-11");
        let february: ReportMonth = "2028-02".parse().unwrap();
        assert_eq!(february.end(), datetime!(2028-03-01 00:00 +9));
    }

    #[test]
    fn other_texts_are_no_month() {
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "26-11",
            "2026-11-01",
            "+026-11",
        ] {
            assert_eq!(text.parse::<ReportMonth>(), Err(BadMonth), "{text}");
        }
    }
}
