//! What is said of a batch as a whole: when, how many, from whom. Drawn from its lines, so that a batch after a crash gets the same.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Date, OffsetDateTime};

use crate::intake::metadata::{self, Metadata, MetadataError};

/// What a batch holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    first: Option<String>,
    last: Option<String>,
    lines: u64,
    senders: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Stated {
    received: String,
    from: String,
}

impl Summary {
    /// Reads a batch from its beginning to its end.
    pub(super) fn of(batch: &mut dyn BufRead) -> io::Result<Self> {
        let mut summary = Self::default();
        let mut line = Vec::new();
        while batch.read_until(b'\n', &mut line)? > 0 {
            summary.lines += 1;
            if let Ok(stated) = serde_json::from_slice::<Stated>(&line) {
                summary.first.get_or_insert_with(|| stated.received.clone());
                summary.last = Some(stated.received);
                summary.senders.insert(stated.from);
            }
            line.clear();
        }
        Ok(summary)
    }

    /// What the record is searched by.
    pub(super) fn metadata(&self) -> Result<Metadata, MetadataError> {
        let first = self.first.as_deref().unwrap_or_default();
        let last = self.last.as_deref().unwrap_or_default();
        let mut arguments = vec![
            format!("title=syslog {first} – {last}"),
            format!("first-received={first}"),
            format!("last-received={last}"),
            format!("lines={}", self.lines),
            format!("senders={}", self.senders_text()),
        ];
        if let Some(date) = japanese_date(first) {
            arguments.push(format!("date={date}"));
        }
        metadata::from_arguments(arguments.iter().map(String::as_str))
    }

    fn senders_text(&self) -> String {
        let named: Vec<&str> = self.senders.iter().map(String::as_str).collect();
        let (shown, more) = named.split_at(named.len().min(SENDERS_SHOWN_MAX));
        let mut text = shown.join(" ");
        if !more.is_empty() {
            text.push_str(&format!(" +{}", more.len()));
        }
        text
    }
}

fn japanese_date(received: &str) -> Option<Date> {
    let time = OffsetDateTime::parse(received, &Rfc3339).ok()?;
    Some(time.to_offset(offset!(+9)).date())
}

/// Senders that are named one by one.
const SENDERS_SHOWN_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_says_when_how_many_and_from_whom() {
        let batch = "{\"received\":\"2026-11-22T16:00:00Z\",\"from\":\"192.0.2.2\",\"raw\":\"a\"}\n\
             {\"received\":\"2026-11-22T17:00:00Z\",\"from\":\"192.0.2.1\",\"raw\":\"b\"}\n";
        let metadata = Summary::of(&mut batch.as_bytes())
            .unwrap()
            .metadata()
            .unwrap();
        assert_eq!(metadata.date.unwrap().to_string(), "2026-11-23");
        assert_eq!(metadata.additional["lines"], "2");
        assert_eq!(metadata.additional["senders"], "192.0.2.1 192.0.2.2");
        assert_eq!(metadata.additional["last-received"], "2026-11-22T17:00:00Z");
    }

    #[test]
    fn foreign_lines_are_counted_and_say_nothing() {
        let summary = Summary::of(&mut &b"not json\n{\"received\":1}\n\xff"[..]).unwrap();
        assert_eq!((summary.lines, summary.first.as_ref()), (3, None));
    }
}
