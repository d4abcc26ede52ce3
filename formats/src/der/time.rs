//! GeneralizedTime and UTCTime (X.680 §46, §47) in the notation that RFC 5280 and RFC 3161 demand.

use ::time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Reads `YYYYMMDDhhmmss[.f…]Z` (RFC 3161 §2.4.2).
///
/// Zeros at the end of the fraction, which DER forbids, are read: real TSAs write `.000`. Digits beyond nanoseconds are cut off. A
/// leap second is read as the second after it.
#[must_use]
pub fn parse_generalized_time(text: &str) -> Option<OffsetDateTime> {
    let (seconds, fraction) = match text.strip_suffix('Z')?.split_once('.') {
        Some((seconds, fraction)) => (seconds, Some(fraction)),
        None => (text.strip_suffix('Z')?, None),
    };
    let (year, rest) = seconds.split_at_checked(4)?;
    let nanoseconds = fraction.map_or(Some(0), parse_fraction)?;
    calendar_time(digits(year)?, rest, nanoseconds)
}

/// Reads `YYMMDDhhmmssZ`; years from 50 belong to the 20th century (RFC 5280 §4.1.2.5.1).
#[must_use]
pub fn parse_utc_time(text: &str) -> Option<OffsetDateTime> {
    let (year, rest) = text.strip_suffix('Z')?.split_at_checked(2)?;
    let year = digits(year)?;
    let century = if year < 50 { 2000 } else { 1900 };
    calendar_time(year.checked_add(century)?, rest, 0)
}

/// Writes a time in the DER form of RFC 3161 §2.4.2: UTC, no zeros at the end of the fraction. `None` outside of the years 0 to 9999.
#[must_use]
pub fn format_generalized_time(time: OffsetDateTime) -> Option<String> {
    let time = time.checked_to_offset(::time::UtcOffset::UTC)?;
    if !(0..=9999).contains(&time.year()) {
        return None;
    }
    let mut text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    if time.nanosecond() != 0 {
        let fraction = format!("{:09}", time.nanosecond());
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push('Z');
    Some(text)
}

/// `rest` is `MMDDhhmmss`.
fn calendar_time(year: u32, rest: &str, nanoseconds: u32) -> Option<OffsetDateTime> {
    if rest.len() != 10 {
        return None;
    }
    let field = |from: usize| -> Option<u8> {
        let text = rest.get(from..from.checked_add(2)?)?;
        u8::try_from(digits(text)?).ok()
    };
    let month = Month::try_from(field(0)?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, field(2)?).ok()?;
    let (hour, minute, second) = (field(4)?, field(6)?, field(8)?);
    let leap = (hour, minute, second) == (23, 59, 60);
    let second = if leap { 59 } else { second };
    let time = Time::from_hms_nano(hour, minute, second, nanoseconds).ok()?;
    let moment = PrimitiveDateTime::new(date, time).assume_utc();
    if leap {
        return moment.checked_add(Duration::SECOND);
    }
    Some(moment)
}

fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn parse_fraction(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let mut nanoseconds: u32 = 0;
    for position in 0..9 {
        let digit = text
            .as_bytes()
            .get(position)
            .map_or(Some(0), |byte| char::from(*byte).to_digit(10))?;
        nanoseconds = nanoseconds.checked_mul(10)?.checked_add(digit)?;
    }
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(nanoseconds)
}

/// No clock is finer than an attosecond.
const FRACTION_DIGITS_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;
    use ::time::macros::datetime;
    use proptest::prelude::*;

    #[test]
    fn reads_both_types() {
        for (text, expected) in [
            ("20261122034830Z", datetime!(2026-11-22 03:48:30 UTC)),
            ("20261122034830.5Z", datetime!(2026-11-22 03:48:30.5 UTC)),
            (
                "20261122034830.123456789012Z",
                datetime!(2026-11-22 03:48:30.123456789 UTC),
            ),
            ("20261122034830.000Z", datetime!(2026-11-22 03:48:30 UTC)),
            ("20161231235960Z", datetime!(2017-01-01 00:00:00 UTC)),
        ] {
            assert_eq!(parse_generalized_time(text), Some(expected), "{text}");
        }
        assert_eq!(
            parse_utc_time("491231235959Z"),
            Some(datetime!(2049-12-31 23:59:59 UTC))
        );
        assert_eq!(
            parse_utc_time("500101000000Z"),
            Some(datetime!(1950-01-01 00:00:00 UTC))
        );
    }

    #[test]
    fn refuses_other_notations() {
        for text in [
            "",
            "Z",
            "20261122034830",
            "20261122034830+0900",
            "202611220348Z",
            "20261122034830.Z",
            "20261122034830,5Z",
            "20261122034830.+5Z",
            "20261322034830Z",
            "20260230034830Z",
            "20261122244830Z",
            "20261122034860Z",
            "2026112203483 Z",
            "２０２６1122034830Z",
            "20261122034830.1234567890123456789Z",
        ] {
            assert_eq!(parse_generalized_time(text), None, "{text}");
        }
        for text in [
            "4912312359Z",
            "491231235959",
            "491231235959+0000",
            "49123123595aZ",
        ] {
            assert_eq!(parse_utc_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn writes_what_it_reads(seconds in 0_i64..253_402_300_799, nanos in 0_u32..1_000_000_000) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanos).unwrap();
            let text = format_generalized_time(time).unwrap();
            prop_assert_eq!(parse_generalized_time(&text), Some(time));
        }
    }
}
