//! A trail for tests, without an archive.

use std::collections::BTreeMap;

use formats::audit::{AuditEntry, ChainPlace, Outcome};
use formats::id::ArchiveId;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{Act, ReadLine};

/// 10 o'clock in Japan.
pub(super) const NOW: OffsetDateTime = datetime!(2026-11-23 01:00 UTC);

pub(super) struct Trail {
    place: ChainPlace,
    pub(super) lines: Vec<ReadLine>,
}

impl Trail {
    pub(super) fn new() -> Self {
        Self {
            place: ChainPlace::start(ArchiveId::new(1, &[7; 10])),
            lines: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        person: &str,
        act: Act,
        outcome: Outcome,
        minutes: i64,
        details: &[(&str, &str)],
    ) {
        let details = details
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let entry = AuditEntry {
            sequence: self.place.sequence + 1,
            time: NOW + Duration::minutes(minutes),
            person: person.to_owned(),
            client: "192.0.2.7".to_owned(),
            act: act.code().to_owned(),
            record: None,
            purpose: (act == Act::EvidenceExport).then(|| "事件 17".to_owned()),
            outcome,
            details: details.collect::<BTreeMap<String, String>>(),
            previous: self.place.digest,
        };
        let line = entry.to_line().unwrap();
        self.place = ChainPlace::behind(entry.sequence, &line);
        self.lines.push(ReadLine {
            sequence: entry.sequence,
            line,
            entry: Some(entry),
        });
    }

    pub(super) fn refused_log_in(&mut self, entered: &str, minutes: i64, locked: bool) {
        let mut details = vec![("entered", entered), ("reason", "password")];
        if locked {
            details.push(("locked", "yes"));
        }
        self.add("", Act::SessionRefuse, Outcome::Denied, minutes, &details);
    }
}
