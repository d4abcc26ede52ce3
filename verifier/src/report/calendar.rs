//! Times for people: in Japan and in UTC.

use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::finding::Language;

/// Japan standard time has no summer time: nine hours before UTC all the year.
const JAPAN: UtcOffset = offset!(+9);

const CIVIL: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

const JAPANESE: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]年[month padding:none]月[day padding:none]日 [hour]:[minute]:[second]"
);

const ENGLISH: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]:[second]");

/// A time in Japan and in UTC, for example `2026-11-22 12:48:30 JST (2026-11-22 03:48:30 UTC)`.
#[must_use]
pub fn civil_time(time: OffsetDateTime) -> String {
    let japan = time.to_offset(JAPAN).format(CIVIL).unwrap_or_default();
    let utc = time
        .to_offset(UtcOffset::UTC)
        .format(CIVIL)
        .unwrap_or_default();
    format!("{japan} JST ({utc} UTC)")
}

/// The same for a time of existence, which is never told too early: a fraction of a second counts as a whole one.
pub(super) fn civil_time_of_existence(time: OffsetDateTime) -> String {
    civil_time(whole_second(time))
}

/// Reads what [`civil_time`] writes.
pub(super) fn parse_civil_time(text: &str) -> Option<OffsetDateTime> {
    let (japan, _) = text.split_once(" JST")?;
    let time = PrimitiveDateTime::parse(japan, CIVIL).ok()?;
    Some(time.assume_offset(JAPAN))
}

/// A time in Japan in words, for a sentence. A fraction of a second counts as a whole one: what existed then existed a moment later, too.
pub(super) fn spoken_time(time: OffsetDateTime, language: Language) -> String {
    let time = whole_second(time).to_offset(JAPAN);
    match language {
        Language::Japanese => {
            let time = time.format(JAPANESE).unwrap_or_default();
            format!("{time}（日本時間）")
        }
        Language::English => {
            let time = time.format(ENGLISH).unwrap_or_default();
            format!("{time} (Japan time)")
        }
    }
}

/// The same time in UTC, in words.
pub(super) fn spoken_utc(time: OffsetDateTime, language: Language) -> String {
    let time = whole_second(time).to_offset(UtcOffset::UTC);
    match language {
        Language::Japanese => {
            let time = time.format(JAPANESE).unwrap_or_default();
            format!("協定世界時では {time}")
        }
        Language::English => {
            let time = time.format(ENGLISH).unwrap_or_default();
            format!("{time} UTC")
        }
    }
}

fn whole_second(time: OffsetDateTime) -> OffsetDateTime {
    let floor = time.replace_nanosecond(0).unwrap_or(time);
    if floor == time {
        return time;
    }
    floor.checked_add(Duration::SECOND).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const TIME: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);

    #[test]
    fn a_time_stands_in_japan_time_and_utc() {
        let text = civil_time(TIME);
        assert_eq!(text, "2026-11-22 12:48:30 JST (2026-11-22 03:48:30 UTC)");
        assert_eq!(parse_civil_time(&text), Some(TIME));
        assert_eq!(parse_civil_time("2026-11-22 12:48:30"), None);
        assert_eq!(parse_civil_time("soon JST"), None);
    }

    #[test]
    fn a_spoken_time_is_never_earlier_than_the_proven_one() {
        let later = TIME + Duration::milliseconds(1);
        let text = spoken_time(later, Language::Japanese);
        assert_eq!(text, "2026年11月22日 12:48:31（日本時間）");
        assert!(civil_time_of_existence(later).starts_with("2026-11-22 12:48:31 JST"));
        let text = spoken_time(TIME, Language::English);
        assert_eq!(text, "22 November 2026, 12:48:30 (Japan time)");
        let text = spoken_utc(TIME, Language::Japanese);
        assert_eq!(text, "協定世界時では 2026年11月22日 03:48:30");
    }
}
