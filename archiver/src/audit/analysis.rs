//! The analysis of a month of the trail (JNSA 001 §4.8.1(2), 002 SYS §4.8.1(2)): what was done by whom, and the events that are to be reported; made also when
//! there is nothing to report.

use std::collections::BTreeMap;

use formats::audit::{AuditEntry, ChainPlace, Outcome};
use serde::Serialize;
use time::macros::offset;

use super::detector::{
    EventDetector, EventRules, KEYS_MAX, Notice, NoticeKind, bytes, is_retrieval, needs_purpose,
};
use super::month::ReportMonth;
use super::{Act, ReadLine};

/// How often, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Done.
    pub done: u64,
    /// Not allowed.
    pub denied: u64,
    /// Tried, and failed.
    pub failed: u64,
}

/// What one person did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OfPerson {
    /// All acts.
    pub acts: Counts,
    /// Log-ins.
    pub log_ins: u64,
    /// What was fetched: contents, evidence, search results.
    pub retrievals: u64,
    /// Bytes of it, as far as the entries say.
    pub retrieved_bytes: u64,
    /// Retrievals of contents and evidence for which no purpose is given.
    pub without_purpose: u64,
    /// Acts outside of the usual hours.
    pub outside_hours: u64,
}

/// The analysis of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MonthAnalysis {
    /// The month in Japan.
    pub month: String,
    /// How many entries it has.
    pub entries: u64,
    /// The number of the first one.
    pub first: Option<u64>,
    /// The number of the last one.
    pub last: Option<u64>,
    /// SHA-256 of the last line, hexadecimal.
    pub last_digest: Option<String>,
    /// How often what was done.
    pub acts: BTreeMap<String, Counts>,
    /// What each person did.
    pub people: BTreeMap<String, OfPerson>,
    /// Failed log-ins.
    pub failed_log_ins: u64,
    /// How many events to report there are, by kind.
    pub notice_counts: BTreeMap<NoticeKind, u64>,
    /// The events to report: the first [`NOTICES_MAX`].
    pub notices: Vec<Notice>,
}

/// Makes the analysis from the lines of a month, one after the other.
#[derive(Debug)]
pub struct Analyst {
    rules: EventRules,
    month: ReportMonth,
    detector: EventDetector,
    found: MonthAnalysis,
}

impl Analyst {
    /// Begins with a month.
    #[must_use]
    pub fn new(month: ReportMonth, rules: EventRules) -> Self {
        Self {
            rules,
            month,
            detector: EventDetector::new(rules),
            found: MonthAnalysis {
                month: month.to_string(),
                entries: 0,
                first: None,
                last: None,
                last_digest: None,
                acts: BTreeMap::new(),
                people: BTreeMap::new(),
                failed_log_ins: 0,
                notice_counts: BTreeMap::new(),
                notices: Vec::new(),
            },
        }
    }

    /// The next line of the trail. Lines of another month among them are looked at for gaps alone.
    pub fn line(&mut self, read: &ReadLine) {
        for kind in self.detector.check(read) {
            self.notice(kind, read.sequence, read.entry.as_ref());
        }
        let Some(entry) = &read.entry else {
            return;
        };
        if !self.month.has(entry.time) {
            return;
        }
        self.found.entries = self.found.entries.saturating_add(1);
        self.found.first.get_or_insert(read.sequence);
        self.found.last = Some(read.sequence);
        let place = ChainPlace::behind(read.sequence, &read.line);
        self.found.last_digest = Some(hex::encode(place.digest));
        self.count(entry);
        for kind in self.detector.entry(entry) {
            self.notice(kind, read.sequence, Some(entry));
        }
    }

    /// All lines were read.
    #[must_use]
    pub fn finish(self) -> MonthAnalysis {
        self.found
    }

    fn count(&mut self, entry: &AuditEntry) {
        let room = self.found.acts.len() < KEYS_MAX;
        let act = key(&entry.act, &self.found.acts, room);
        one_more(self.found.acts.entry(act).or_default(), entry.outcome);
        let room = self.found.people.len() < KEYS_MAX;
        let person = key(&entry.person, &self.found.people, room);
        let of_person = self.found.people.entry(person).or_default();
        one_more(&mut of_person.acts, entry.outcome);
        if entry.act == Act::SessionRefuse.code() {
            self.found.failed_log_ins = self.found.failed_log_ins.saturating_add(1);
        }
        let is_done = entry.outcome == Outcome::Done;
        if is_done && entry.act == Act::SessionBegin.code() {
            of_person.log_ins = of_person.log_ins.saturating_add(1);
        }
        let hour = entry.time.to_offset(offset!(+9)).hour();
        let (from, to) = self.rules.usual_hours;
        if !entry.person.is_empty() && !(from..to).contains(&hour) {
            of_person.outside_hours = of_person.outside_hours.saturating_add(1);
        }
        if is_done && is_retrieval(&entry.act) {
            of_person.retrievals = of_person.retrievals.saturating_add(1);
            of_person.retrieved_bytes = of_person.retrieved_bytes.saturating_add(bytes(entry));
            let purpose = entry.purpose.as_deref().unwrap_or_default();
            if needs_purpose(&entry.act) && purpose.trim().is_empty() {
                of_person.without_purpose = of_person.without_purpose.saturating_add(1);
            }
        }
    }

    fn notice(&mut self, kind: NoticeKind, sequence: u64, entry: Option<&AuditEntry>) {
        let count = self.found.notice_counts.entry(kind).or_default();
        *count = count.saturating_add(1);
        if self.found.notices.len() < NOTICES_MAX {
            let notice = Notice::of(kind, sequence, entry);
            self.found.notices.push(notice);
        }
    }
}

fn one_more(counts: &mut Counts, outcome: Outcome) {
    let count = match outcome {
        Outcome::Done => &mut counts.done,
        Outcome::Denied => &mut counts.denied,
        Outcome::Failed => &mut counts.failed,
    };
    *count = count.saturating_add(1);
}

/// The key itself or, where there are too many, that of all others.
fn key<T>(key: &str, known: &BTreeMap<String, T>, has_room: bool) -> String {
    if has_room || known.contains_key(key) {
        key.to_owned()
    } else {
        OTHERS.to_owned()
    }
}

/// So many events to report are listed; all are counted.
pub const NOTICES_MAX: usize = 500;

const OTHERS: &str = "…";
