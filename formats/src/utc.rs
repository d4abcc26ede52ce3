//! Points in time as text: RFC 3339 in UTC with microseconds, in exactly one notation.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::error::{ErrorKind, FormatError, Result};

/// The text of a point in time, for example `2026-11-22T03:48:30.123456Z`. What is below a microsecond is cut off.
///
/// # Errors
///
/// [`ErrorKind::InvalidTime`] for a year before 0 or after 9999, which RFC 3339 §5.6 cannot write.
pub fn to_text(time: OffsetDateTime) -> Result<String> {
    let utc = time.checked_to_offset(UtcOffset::UTC).ok_or(INVALID)?;
    if !(0..=9999).contains(&utc.year()) {
        return Err(INVALID);
    }
    utc.format(NOTATION).map_err(|_| INVALID)
}

/// The point in time of a text made by [`to_text`]. No other notation is accepted: no other offset, no lower-case letters,
/// neither more nor fewer than six digits, no leap second.
///
/// # Errors
///
/// [`ErrorKind::InvalidTime`] for anything else.
pub fn from_text(text: &str) -> Result<OffsetDateTime> {
    let time = PrimitiveDateTime::parse(text, NOTATION)
        .map_err(|_| INVALID)?
        .assume_utc();
    if to_text(time)? == text {
        Ok(time)
    } else {
        Err(INVALID)
    }
}

const NOTATION: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

const INVALID: FormatError = FormatError::new(ErrorKind::InvalidTime, "RFC 3339 date-time");

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn text_and_back() {
        for (time, text) in [
            (
                datetime!(2026-11-22 03:48:30.123456 UTC),
                "2026-11-22T03:48:30.123456Z",
            ),
            (
                datetime!(0000-01-01 00:00 UTC),
                "0000-01-01T00:00:00.000000Z",
            ),
            (
                datetime!(9999-12-31 23:59:59.999999 UTC),
                "9999-12-31T23:59:59.999999Z",
            ),
        ] {
            assert_eq!(to_text(time).unwrap(), text);
            assert_eq!(from_text(text).unwrap(), time);
        }
    }

    #[test]
    fn other_offsets_become_utc_and_nanoseconds_are_cut() {
        let time = datetime!(2026-01-01 00:00:00.123456789 +9);
        assert_eq!(to_text(time).unwrap(), "2025-12-31T15:00:00.123456Z");
    }

    #[test]
    fn years_that_rfc_3339_cannot_write_are_refused() {
        assert!(to_text(datetime!(-0001-12-31 00:00 UTC)).is_err());
        assert!(to_text(datetime!(9999-12-31 23:30 -1)).is_err());
    }

    #[test]
    fn other_notations_are_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T03:48:30Z",
            "2026-11-22T03:48:30.123Z",
            "2026-11-22T03:48:30.1234567Z",
            "2026-11-22t03:48:30.123456z",
            "2026-11-22 03:48:30.123456Z",
            "2026-11-22T03:48:30.123456+00:00",
            "2026-11-22T03:48:30.123456+09:00",
            "2026-11-22T03:48:60.123456Z",
            "2026-11-22T24:00:00.000000Z",
            "2026-02-29T00:00:00.000000Z",
            "+2026-11-22T03:48:30.123456Z",
            "2026-11-22T03:48:30.123456Z ",
        ] {
            assert!(from_text(text).is_err(), "{text}");
        }
    }
}
