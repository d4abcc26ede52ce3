//! Dates as people write them in Japan, to days of the calendar.

use time::{Date, Month};
use unicode_normalization::UnicodeNormalization;

/// Reads `2026-01-31`, `2026/1/31`, `2026.1.31`, `20260131`, `2026年1月31日`, and the eras `令和8年1月31日`, `R8.1.31`
/// (also 平成 and 昭和, and 元年), in full or half width. `None` if it is none of these or no such day exists.
pub(super) fn parse(text: &str) -> Option<Date> {
    let folded: String = text.nfkc().collect();
    let folded = folded.trim();
    let date = match era_of(folded) {
        Some((era, rest)) => era.date(&fields(rest)?)?,
        None => western(folded)?,
    };
    (1..=9999).contains(&date.year()).then_some(date)
}

fn western(text: &str) -> Option<Date> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return date(text.get(..4)?, text.get(4..6)?, text.get(6..)?);
    }
    let [year, month, day] = fields(text)?;
    if year.len() != 4 {
        return None;
    }
    date(year, month, day)
}

/// The three numbers of a date with one kind of separator throughout.
fn fields(text: &str) -> Option<[&str; 3]> {
    let parts: Vec<&str> = if let Some(days) = text.strip_suffix('日') {
        let (year, rest) = days.split_once('年')?;
        let (month, day) = rest.split_once('月')?;
        vec![year, month, day]
    } else {
        let separator = text.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
        text.split(separator).collect()
    };
    let parts: Vec<&str> = parts.into_iter().map(str::trim).collect();
    parts.try_into().ok()
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    day_of(number(year, 4)?, month, day)
}

fn day_of(year: i32, month: &str, day: &str) -> Option<Date> {
    let month = Month::try_from(u8::try_from(number(month, 2)?).ok()?).ok()?;
    let day = u8::try_from(number(day, 2)?).ok()?;
    Date::from_calendar_date(year, month, day).ok()
}

/// A number of 1 to `digits_max` digits; signs, which `parse` accepts, are no digits.
fn number(text: &str, digits_max: usize) -> Option<i32> {
    let is_number =
        (1..=digits_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// A Japanese era: how it is written, the year before its first, and its first day.
struct Era {
    kanji: &'static str,
    letter: char,
    year_before: i32,
    first_day: (i32, Month, u8),
}

impl Era {
    fn date(&self, [year, month, day]: &[&str; 3]) -> Option<Date> {
        let year_of_era = if *year == "元" { 1 } else { number(year, 2)? };
        if year_of_era == 0 {
            return None;
        }
        let date = day_of(self.year_before.checked_add(year_of_era)?, month, day)?;
        let (first_year, first_month, first_day) = self.first_day;
        let first = Date::from_calendar_date(first_year, first_month, first_day).ok()?;
        (date >= first).then_some(date)
    }
}

fn era_of(text: &str) -> Option<(&'static Era, &str)> {
    ERAS.iter().find_map(|era| {
        let rest = text
            .strip_prefix(era.kanji)
            .or_else(|| text.strip_prefix(era.letter))
            .or_else(|| text.strip_prefix(era.letter.to_ascii_lowercase()))?;
        Some((era, rest.trim()))
    })
}

/// The eras in which a record that a company still has to keep can be dated.
const ERAS: [Era; 3] = [
    Era {
        kanji: "令和",
        letter: 'R',
        year_before: 2018,
        first_day: (2019, Month::May, 1),
    },
    Era {
        kanji: "平成",
        letter: 'H',
        year_before: 1988,
        first_day: (1989, Month::January, 8),
    },
    Era {
        kanji: "昭和",
        letter: 'S',
        year_before: 1925,
        first_day: (1926, Month::December, 25),
    },
];

#[cfg(test)]
mod tests {
    fn parse(text: &str) -> Option<String> {
        super::parse(text).map(|date| date.to_string())
    }

    #[test]
    fn the_usual_ways_of_writing_a_date() {
        for text in [
            "2026-01-31",
            "2026/1/31",
            "2026.1.31",
            "20260131",
            "２０２６年１月３１日",
            "２０２６／０１／３１",
            " 2026年 1月31日 ",
            "令和8年1月31日",
            "令和８年１月３１日",
            "R8.1.31",
            "r08/01/31",
        ] {
            assert_eq!(parse(text).as_deref(), Some("2026-01-31"), "{text}");
        }
        assert_eq!(parse("令和元年5月1日").as_deref(), Some("2019-05-01"));
        assert_eq!(parse("平成31年4月30日").as_deref(), Some("2019-04-30"));
        assert_eq!(parse("2024-02-29").as_deref(), Some("2024-02-29"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-1-32",
            "26-1-31",
            "31/1/2026",
            "2026-1/31",
            "2026-1-31-1",
            "+026-1-31",
            "2026--1-31",
            "2026-01-31T00:00:00",
            "令和0年1月1日",
            "令和元年4月30日",
            "明治1年1月1日",
            "R8",
            "2026年1月31",
            "0000-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
