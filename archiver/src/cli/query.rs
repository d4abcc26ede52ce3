//! What users write for dates, amounts, times and records; and what they get as JSON.

use std::str::FromStr;

use formats::id::{RecordId, VersionId};
use formats::manifest::{Amount, Metadata};
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, offset};
use time::{Date, Duration, OffsetDateTime, Time};

use crate::store::catalog::{Hit, ValueMatch};

use super::exit::Exit;
use super::failure::Failure;
use super::lang::Lang;

/// A range of days: `2026-01-31`, `2026-01-01..2026-03-31`, `2026-01-01..`, `..2026-03-31`.
///
/// # Errors
/// [`Failure`] with what is accepted.
pub(crate) fn dates(text: &str, lang: Lang) -> Result<ValueMatch<Date>, Failure> {
    range(text, |part| Date::parse(part, format_description!("[year]-[month]-[day]")).ok()).ok_or_else(|| {
        unusable(
            lang,
            format!("--date {text}: 2026-01-31、2026-01-01..2026-03-31、2026-01-01.. の形で指定してください"),
            format!("--date {text}: give a day or a range, as 2026-01-31, 2026-01-01..2026-03-31 or 2026-01-01.."),
        )
    })
}

/// A range of amounts: `110000`, `10000..20000`, `10000..`, `..0`.
///
/// # Errors
/// [`Failure`] with what is accepted.
pub(crate) fn amounts(text: &str, lang: Lang) -> Result<ValueMatch<Amount>, Failure> {
    range(text, |part| Amount::from_str(&part.replace(',', "")).ok()).ok_or_else(|| {
        unusable(
            lang,
            format!("--amount {text}: 110000、10000..20000、10000.. の形で指定してください"),
            format!(
                "--amount {text}: give a number or a range, as 110000, 10000..20000 or 10000.."
            ),
        )
    })
}

/// A range from two times, each RFC 3339 or a day in Japan; the end of a day is included.
///
/// # Errors
/// [`Failure`] with what is accepted.
pub(crate) fn times(
    from: Option<&str>,
    to: Option<&str>,
    lang: Lang,
) -> Result<ValueMatch<OffsetDateTime>, Failure> {
    let read = |option: &str, text: &str, end: bool| {
        moment(text, end).ok_or_else(|| {
            unusable(
                lang,
                format!("{option} {text}: 2026-01-31 または 2026-01-31T09:00:00+09:00 の形で指定してください"),
                format!("{option} {text}: give a day or a time, as 2026-01-31 or 2026-01-31T09:00:00+09:00"),
            )
        })
    };
    let from = from.map(|text| read("--from", text, false)).transpose()?;
    let to = to.map(|text| read("--to", text, true)).transpose()?;
    Ok(if from.is_none() && to.is_none() {
        ValueMatch::Any
    } else {
        ValueMatch::Between(from, to)
    })
}

/// A record, or one version of it: `ID` or `ID/VERSION`.
///
/// # Errors
/// [`Failure`] with what is accepted.
pub(crate) fn record(text: &str, lang: Lang) -> Result<(RecordId, Option<u32>), Failure> {
    VersionId::parse_reference(text).map_err(|_| {
        unusable(
            lang,
            format!(
                "{}: 記録の ID ではありません。archiver search で探してください",
                text.escape_debug()
            ),
            format!(
                "{}: not a record id; find it with 'archiver search'",
                text.escape_debug()
            ),
        )
    })
}

fn unusable(lang: Lang, ja: String, en: String) -> Failure {
    Failure::said(Exit::Usage, lang, ja, en)
}

fn range<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<ValueMatch<T>>
where
    T: Clone,
{
    let Some((low, high)) = text.split_once("..") else {
        let one = read(text.trim())?;
        return Some(ValueMatch::Between(Some(one.clone()), Some(one)));
    };
    let end = |part: &str| match part.trim() {
        "" => Some(None),
        part => read(part).map(Some),
    };
    Some(ValueMatch::Between(end(low)?, end(high)?))
}

/// A moment: RFC 3339, or the start of a day in Japan.
pub(crate) fn instant(text: &str) -> Option<OffsetDateTime> {
    moment(text, false)
}

fn moment(text: &str, end_of_day: bool) -> Option<OffsetDateTime> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(time);
    }
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    let start = day.with_time(Time::MIDNIGHT).assume_offset(offset!(+9));
    if end_of_day {
        start.checked_add(Duration::days(1) - Duration::microseconds(1))
    } else {
        Some(start)
    }
}

/// A time for machines.
#[must_use]
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    time.to_offset(offset!(UTC))
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// Metadata for machines: the keys that `--meta` takes, without those that have no value.
#[must_use]
pub(crate) fn metadata_json(metadata: &Metadata) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            map.insert(key.to_owned(), Value::String(value));
        }
    };
    put("date", metadata.date.map(|d| d.to_string()));
    put("amount", metadata.amount.as_ref().map(ToString::to_string));
    put(
        "currency",
        metadata.currency.as_ref().map(ToString::to_string),
    );
    put("counterparty", metadata.counterparty.clone());
    put("title", metadata.title.clone());
    put("document-number", metadata.document_number.clone());
    put(
        "registration-number",
        metadata
            .registration_number
            .as_ref()
            .map(ToString::to_string),
    );
    put("supplier", metadata.supplier.clone());
    put("customer", metadata.customer.clone());
    for (key, value) in &metadata.additional {
        put(key, Some(value.clone()));
    }
    Value::Object(map)
}

/// A hit for machines.
#[must_use]
pub(crate) fn hit_json(hit: &Hit) -> Value {
    let objects: Vec<Value> = hit
        .objects
        .iter()
        .map(|o| json!({ "name": o.name.to_string(), "media_type": o.media_type, "size": o.size }))
        .collect();
    json!({
        "record": hit.version.record().to_string(),
        "version": hit.version.version(),
        "class": hit.class,
        "received_at": rfc3339(hit.received_at),
        "metadata": metadata_json(&hit.metadata),
        "objects": objects,
        "depositor": hit.depositor,
        "stamped": hit.stamp.is_some(),
        "stamped_at": hit.stamp.map(|s| rfc3339(s.stamped_at)),
        "batch": hit.stamp.map(|s| s.batch.to_string()),
        "superseded": hit.superseded,
        "readable": hit.readable,
    })
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn ranges_are_read_with_open_ends() {
        let day = date!(2026 - 01 - 31);
        assert_eq!(
            dates("2026-01-31", Lang::En).expect("a day"),
            ValueMatch::Between(Some(day), Some(day))
        );
        assert_eq!(
            dates("2026-01-31..", Lang::En).expect("open"),
            ValueMatch::Between(Some(day), None)
        );
        assert_eq!(
            dates("..2026-01-31", Lang::En).expect("open"),
            ValueMatch::Between(None, Some(day))
        );
        for bad in ["", "2026-13-01", "2026-01-01..x", "31.1.2026"] {
            assert!(dates(bad, Lang::En).is_err(), "{bad}");
        }
        assert!(amounts("10,000..20,000", Lang::En).is_ok());
        assert!(amounts("-500..0", Lang::En).is_ok());
        for bad in ["ten", "1..2..3", "1e5"] {
            assert!(amounts(bad, Lang::En).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_a_day_in_japan() {
        let expected = ValueMatch::Between(
            Some(datetime!(2026-01-30 15:00 UTC)),
            Some(datetime!(2026-01-31 14:59:59.999999 UTC)),
        );
        assert_eq!(
            times(Some("2026-01-31"), Some("2026-01-31"), Lang::En).expect("days"),
            expected
        );
        assert!(times(Some("yesterday"), None, Lang::En).is_err());
    }
}
