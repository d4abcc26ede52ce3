//! The analysis of a month of the trail (JNSA 001 §4.8.1(2), 002 SYS §4.8.1(2)): what was done by whom, and the events that are to be reported; made also when
//! there is nothing to report.

use std::collections::{BTreeMap, HashMap, VecDeque};

use formats::audit::{AuditEntry, ChainChecker, ChainPlace, Outcome};
use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Date, Duration, OffsetDateTime};

use super::month::ReportMonth;
use super::{Act, ReadLine};

/// What counts as an event to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalysisRules {
    /// So many refused acts from one client within [`AnalysisRules::refused_within`] (R1).
    pub refused_max: usize,
    /// See there.
    pub refused_within: Duration,
    /// So many failed log-ins to one account in a row (R2); below the number that locks it.
    pub failures_max: u64,
    /// So many retrievals of one person in one day (R3).
    pub retrievals_max: u64,
    /// So many bytes of them (R3).
    pub retrieved_bytes_max: u64,
    /// The hours in Japan in which work is usual: from the first one, before the second one.
    pub usual_hours: (u8, u8),
}

impl Default for AnalysisRules {
    /// R1: 5 in 10 minutes; R2: 5 in a row; R3: 1,000 objects or 10 GiB for a person and a day; 07 to 22 o'clock.
    fn default() -> Self {
        Self {
            refused_max: 5,
            refused_within: Duration::minutes(10),
            failures_max: 5,
            retrievals_max: 1_000,
            retrieved_bytes_max: 10 << 30,
            usual_hours: (7, 22),
        }
    }
}

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

/// A kind of event to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// R1: many refused acts from one client in a short time.
    RefusedInARow,
    /// R2: many failed log-ins in a row.
    FailedLogIns,
    /// An account was locked.
    LockOut,
    /// R3: much was fetched in one day.
    LargeTransfer,
    /// R4, R5: something was tried that was not allowed.
    Denied,
    /// R6, R7: accounts or their rights changed.
    AccountChange,
    /// The lines do not hang together.
    Broken,
    /// An entry has an earlier time than the one before: the clock was set back.
    ClockBack,
}

/// One event to report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Its kind.
    pub kind: NoticeKind,
    /// The entry that shows it.
    pub sequence: u64,
    /// When, in UTC; `None`: the line cannot be read.
    #[serde(serialize_with = "time_text")]
    pub time: Option<OffsetDateTime>,
    /// Who, or the account that somebody tried to enter.
    pub person: String,
    /// From where.
    pub client: String,
    /// What, as a code.
    pub act: String,
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
    rules: AnalysisRules,
    month: ReportMonth,
    checker: ChainChecker,
    found: MonthAnalysis,
    latest: Option<OffsetDateTime>,
    refused: HashMap<String, VecDeque<OffsetDateTime>>,
    failures: HashMap<String, u64>,
    fetched: HashMap<(String, Date), (u64, u64)>,
}

impl Analyst {
    /// Begins with a month.
    #[must_use]
    pub fn new(month: ReportMonth, rules: AnalysisRules) -> Self {
        Self {
            rules,
            month,
            checker: ChainChecker::new(None),
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
            latest: None,
            refused: HashMap::new(),
            failures: HashMap::new(),
            fetched: HashMap::new(),
        }
    }

    /// The next line of the trail. Lines of another month among them are looked at for gaps alone.
    pub fn line(&mut self, read: &ReadLine) {
        if self.checker.line(&read.line).is_err() {
            self.notice(NoticeKind::Broken, read.sequence, read.entry.as_ref());
        }
        let Some(entry) = &read.entry else {
            return;
        };
        if self.latest.is_some_and(|latest| entry.time < latest) {
            self.notice(NoticeKind::ClockBack, read.sequence, Some(entry));
        }
        self.latest = Some(entry.time);
        if !self.month.has(entry.time) {
            return;
        }
        self.found.entries = self.found.entries.saturating_add(1);
        self.found.first.get_or_insert(read.sequence);
        self.found.last = Some(read.sequence);
        let place = ChainPlace::behind(read.sequence, &read.line);
        self.found.last_digest = Some(hex::encode(place.digest));
        self.count(entry);
        self.watch_refusals(entry);
        self.watch_log_ins(entry);
        self.watch_transfers(entry);
        if is_account_change(entry) {
            self.notice(NoticeKind::AccountChange, read.sequence, Some(entry));
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

    /// R1, R4, R5.
    fn watch_refusals(&mut self, entry: &AuditEntry) {
        if entry.outcome != Outcome::Denied {
            return;
        }
        if entry.act != Act::SessionRefuse.code() {
            self.notice(NoticeKind::Denied, entry.sequence, Some(entry));
        }
        if self.refused.len() >= KEYS_MAX && !self.refused.contains_key(&entry.client) {
            self.refused.clear();
        }
        let times = self.refused.entry(entry.client.clone()).or_default();
        times.push_back(entry.time);
        while times
            .front()
            .is_some_and(|first| entry.time - *first > self.rules.refused_within)
        {
            times.pop_front();
        }
        if times.len() >= self.rules.refused_max {
            times.clear();
            self.notice(NoticeKind::RefusedInARow, entry.sequence, Some(entry));
        }
    }

    /// R2, and accounts that were locked.
    fn watch_log_ins(&mut self, entry: &AuditEntry) {
        if entry.act == Act::SessionBegin.code() && entry.outcome == Outcome::Done {
            self.failures.remove(&entry.person);
        }
        if entry.act != Act::SessionRefuse.code() {
            return;
        }
        self.found.failed_log_ins = self.found.failed_log_ins.saturating_add(1);
        if entry
            .details
            .get("locked")
            .is_some_and(|locked| locked == "yes")
        {
            self.notice(NoticeKind::LockOut, entry.sequence, Some(entry));
        }
        let account = account(entry);
        if self.failures.len() >= KEYS_MAX && !self.failures.contains_key(account) {
            self.failures.clear();
        }
        let failures = self.failures.entry(account.to_owned()).or_default();
        *failures = failures.saturating_add(1);
        if *failures == self.rules.failures_max {
            self.notice(NoticeKind::FailedLogIns, entry.sequence, Some(entry));
        }
    }

    /// R3: told once for a person and a day.
    fn watch_transfers(&mut self, entry: &AuditEntry) {
        if entry.outcome != Outcome::Done || !is_retrieval(&entry.act) {
            return;
        }
        let day = entry.time.to_offset(offset!(+9)).date();
        // The days before are over.
        self.fetched.retain(|(_, of), _| *of == day);
        let of_day = self.fetched.entry((entry.person.clone(), day));
        let (count, fetched) = of_day.or_default();
        let is_large = |count: u64, bytes: u64, rules: &AnalysisRules| {
            count >= rules.retrievals_max || bytes >= rules.retrieved_bytes_max
        };
        let was_large = is_large(*count, *fetched, &self.rules);
        *count = count.saturating_add(1);
        *fetched = fetched.saturating_add(bytes(entry));
        if !was_large && is_large(*count, *fetched, &self.rules) {
            self.notice(NoticeKind::LargeTransfer, entry.sequence, Some(entry));
        }
    }

    fn notice(&mut self, kind: NoticeKind, sequence: u64, entry: Option<&AuditEntry>) {
        let count = self.found.notice_counts.entry(kind).or_default();
        *count = count.saturating_add(1);
        if self.found.notices.len() < NOTICES_MAX {
            self.found.notices.push(Notice {
                kind,
                sequence,
                time: entry.map(|entry| entry.time),
                person: entry
                    .map(|entry| account(entry).to_owned())
                    .unwrap_or_default(),
                client: entry.map(|entry| entry.client.clone()).unwrap_or_default(),
                act: entry.map(|entry| entry.act.clone()).unwrap_or_default(),
            });
        }
    }
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::RefusedInARow,
        Self::FailedLogIns,
        Self::LockOut,
        Self::LargeTransfer,
        Self::Denied,
        Self::AccountChange,
        Self::Broken,
        Self::ClockBack,
    ];
}

#[allow(clippy::ref_option, reason = "serde gives a reference")]
fn time_text<S: Serializer>(
    time: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = time.and_then(|time| time.to_offset(offset!(UTC)).format(&Rfc3339).ok());
    text.serialize(serializer)
}

/// Whose entry it is: the account, or what somebody entered as one.
fn account(entry: &AuditEntry) -> &str {
    let entered = entry.details.get("entered").map(String::as_str);
    if entry.person.is_empty() {
        entered.unwrap_or_default()
    } else {
        &entry.person
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

fn bytes(entry: &AuditEntry) -> u64 {
    let bytes = entry.details.get("bytes");
    bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn is_retrieval(act: &str) -> bool {
    needs_purpose(act) || act == Act::SearchExport.code()
}

fn needs_purpose(act: &str) -> bool {
    [
        Act::RecordRetrieve.code(),
        Act::SearchRetrieve.code(),
        Act::EvidenceExport.code(),
    ]
    .contains(&act)
}

fn is_account_change(entry: &AuditEntry) -> bool {
    let changes = [
        Act::PeopleRequest,
        Act::PeopleApprove,
        Act::PeopleSuspend,
        Act::PeopleResume,
        Act::PeopleClose,
        Act::PeopleReset,
    ];
    entry.outcome == Outcome::Done && changes.iter().any(|act| act.code() == entry.act)
}

/// So many events to report are listed; all are counted.
pub const NOTICES_MAX: usize = 500;

/// So many names are told apart; whoever enters names at random fills no memory.
const KEYS_MAX: usize = 10_000;

const OTHERS: &str = "…";
