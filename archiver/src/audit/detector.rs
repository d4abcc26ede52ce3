//! The events that are to be reported (JNSA 001 §4.8.1(2) ① to ⑦, 002 SYS §4.8.1(2)), found entry by entry: by the service as they happen, and again by the
//! analysis of a month.

use std::collections::{HashMap, VecDeque};

use formats::audit::{AuditEntry, ChainChecker, Outcome};
use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Date, Duration, OffsetDateTime};

use super::{Act, ReadLine};
use crate::cli::lang::Lang;

/// What counts as an event to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRules {
    /// So many refused acts from one client within [`EventRules::refused_within`] (R1).
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

impl Default for EventRules {
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

/// A kind of event to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    /// R4: a rule was to be broken: a request approved by whoever made it, a record fetched out of quarantine.
    Violation,
    /// R5: something was tried without the right to it.
    Denied,
    /// R6: an account was asked for, made, suspended, resumed, closed or given a first password anew.
    AccountChange,
    /// R7: the rights of an account changed.
    RightsChange,
    /// The service raised an alarm about its work.
    Alarm,
    /// Something failed that was the archive's part.
    SystemError,
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
    /// Of which account, which alarm, why it was refused; empty where the rest says it all.
    pub about: String,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::RefusedInARow,
        Self::FailedLogIns,
        Self::LockOut,
        Self::LargeTransfer,
        Self::Violation,
        Self::Denied,
        Self::AccountChange,
        Self::RightsChange,
        Self::Alarm,
        Self::SystemError,
        Self::Broken,
        Self::ClockBack,
    ];

    /// The name in reports and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefusedInARow => "refused-in-a-row",
            Self::FailedLogIns => "failed-log-ins",
            Self::LockOut => "lock-out",
            Self::LargeTransfer => "large-transfer",
            Self::Violation => "violation",
            Self::Denied => "denied",
            Self::AccountChange => "account-change",
            Self::RightsChange => "rights-change",
            Self::Alarm => "alarm",
            Self::SystemError => "system-error",
            Self::Broken => "broken",
            Self::ClockBack => "clock-back",
        }
    }

    /// Which of the seven events of the standard it is, ① to ⑦ as R1 to R7.
    #[must_use]
    pub const fn rule(self) -> Option<&'static str> {
        match self {
            Self::RefusedInARow => Some("R1"),
            Self::FailedLogIns => Some("R2"),
            Self::LargeTransfer => Some("R3"),
            Self::Violation => Some("R4"),
            Self::Denied => Some("R5"),
            Self::AccountChange => Some("R6"),
            Self::RightsChange => Some("R7"),
            Self::LockOut | Self::Alarm | Self::SystemError | Self::Broken | Self::ClockBack => {
                None
            }
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::RefusedInARow => lang.pick("連続したアクセスの失敗", "accesses refused in a row"),
            Self::FailedLogIns => lang.pick("連続した認証の失敗", "failed log-ins in a row"),
            Self::LockOut => lang.pick("アカウントのロック", "account locked"),
            Self::LargeTransfer => lang.pick("大量の取り出し", "much fetched in a day"),
            Self::Violation => lang.pick("規則違反", "against a rule"),
            Self::Denied => lang.pick("権限外の操作", "act without the right"),
            Self::AccountChange => lang.pick("アカウントの変更", "change of an account"),
            Self::RightsChange => lang.pick("アクセス権の変更", "change of rights"),
            Self::Alarm => lang.pick("警報", "alarm"),
            Self::SystemError => lang.pick("システムエラー", "system error"),
            Self::Broken => lang.pick("証跡の欠け・書き換え", "trail broken"),
            Self::ClockBack => lang.pick("時計の逆行", "clock set back"),
        }
    }
}

impl Notice {
    /// What is told of the entry of a line.
    #[must_use]
    pub fn of(kind: NoticeKind, sequence: u64, entry: Option<&AuditEntry>) -> Self {
        let text = |part: fn(&AuditEntry) -> &str| entry.map(part).unwrap_or_default().to_owned();
        Self {
            kind,
            sequence,
            time: entry.map(|entry| entry.time),
            person: text(account),
            client: text(|entry| &entry.client),
            act: text(|entry| &entry.act),
            about: entry.map(about).unwrap_or_default(),
        }
    }
}

/// Finds the events in a trail that is read forwards. It holds some counters for each client, account and person of a day, and nothing else of what it read.
#[derive(Debug)]
pub struct EventDetector {
    rules: EventRules,
    checker: ChainChecker,
    latest: Option<OffsetDateTime>,
    refused: HashMap<String, VecDeque<OffsetDateTime>>,
    failures: HashMap<String, u64>,
    fetched: HashMap<(String, Date), (u64, u64)>,
}

impl EventDetector {
    /// Begins at any line.
    #[must_use]
    pub fn new(rules: EventRules) -> Self {
        Self {
            rules,
            checker: ChainChecker::new(None),
            latest: None,
            refused: HashMap::new(),
            failures: HashMap::new(),
            fetched: HashMap::new(),
        }
    }

    /// Whether the next line hangs together with the one before, and goes on in time.
    pub fn check(&mut self, read: &ReadLine) -> Vec<NoticeKind> {
        let mut found = Vec::new();
        if self.checker.line(&read.line).is_err() {
            found.push(NoticeKind::Broken);
        }
        if let Some(entry) = &read.entry {
            if self.latest.is_some_and(|latest| entry.time < latest) {
                found.push(NoticeKind::ClockBack);
            }
            self.latest = Some(entry.time);
        }
        found
    }

    /// What the next entry is, or completes.
    pub fn entry(&mut self, entry: &AuditEntry) -> Vec<NoticeKind> {
        let mut found = Vec::new();
        self.watch_refusals(entry, &mut found);
        self.watch_log_ins(entry, &mut found);
        self.watch_transfers(entry, &mut found);
        found.extend(of_change(entry));
        found.extend(of_failure(entry));
        found
    }

    /// R1, R5.
    fn watch_refusals(&mut self, entry: &AuditEntry, found: &mut Vec<NoticeKind>) {
        if entry.outcome != Outcome::Denied {
            return;
        }
        if entry.act != Act::SessionRefuse.code() {
            found.push(NoticeKind::Denied);
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
            found.push(NoticeKind::RefusedInARow);
        }
    }

    /// R2, and accounts that were locked.
    fn watch_log_ins(&mut self, entry: &AuditEntry, found: &mut Vec<NoticeKind>) {
        if entry.act == Act::SessionBegin.code() && entry.outcome == Outcome::Done {
            self.failures.remove(&entry.person);
        }
        if entry.act != Act::SessionRefuse.code() {
            return;
        }
        let locked = entry.details.get("locked");
        if locked.is_some_and(|locked| locked == "yes") {
            found.push(NoticeKind::LockOut);
        }
        let account = account(entry);
        if self.failures.len() >= KEYS_MAX && !self.failures.contains_key(account) {
            self.failures.clear();
        }
        let failures = self.failures.entry(account.to_owned()).or_default();
        *failures = failures.saturating_add(1);
        if *failures == self.rules.failures_max {
            found.push(NoticeKind::FailedLogIns);
        }
    }

    /// R3: told once for a person and a day.
    fn watch_transfers(&mut self, entry: &AuditEntry, found: &mut Vec<NoticeKind>) {
        if entry.outcome != Outcome::Done || !is_retrieval(&entry.act) {
            return;
        }
        let day = entry.time.to_offset(offset!(+9)).date();
        // The days before are over.
        self.fetched.retain(|(_, of), _| *of == day);
        let of_day = self.fetched.entry((entry.person.clone(), day));
        let (count, fetched) = of_day.or_default();
        let is_large = |count: u64, bytes: u64, rules: &EventRules| {
            count >= rules.retrievals_max || bytes >= rules.retrieved_bytes_max
        };
        let was_large = is_large(*count, *fetched, &self.rules);
        *count = count.saturating_add(1);
        *fetched = fetched.saturating_add(bytes(entry));
        if !was_large && is_large(*count, *fetched, &self.rules) {
            found.push(NoticeKind::LargeTransfer);
        }
    }
}

/// R6, R7.
fn of_change(entry: &AuditEntry) -> Option<NoticeKind> {
    let changes = [
        Act::PeopleRequest,
        Act::PeopleApprove,
        Act::PeopleSuspend,
        Act::PeopleResume,
        Act::PeopleClose,
        Act::PeopleReset,
    ];
    let is_change = changes.iter().any(|act| act.code() == entry.act);
    if entry.outcome != Outcome::Done || !is_change {
        return None;
    }
    let is_rights = entry.details.get("change").is_some_and(|it| it == "rights");
    if is_rights {
        Some(NoticeKind::RightsChange)
    } else {
        Some(NoticeKind::AccountChange)
    }
}

/// R4, and what the archive itself could not do or says of itself.
fn of_failure(entry: &AuditEntry) -> Option<NoticeKind> {
    if entry.outcome == Outcome::Done {
        return (entry.act == Act::AlarmRaise.code()).then_some(NoticeKind::Alarm);
    }
    let refusal = entry.details.get("refusal").map(String::as_str)?;
    if entry.outcome != Outcome::Failed {
        None
    } else if VIOLATIONS.contains(&refusal) {
        Some(NoticeKind::Violation)
    } else {
        ERRORS.contains(&refusal).then_some(NoticeKind::SystemError)
    }
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

/// What the details add for whoever reads of the event.
fn about(entry: &AuditEntry) -> String {
    let facts = ABOUT.iter().filter_map(|key| entry.details.get(*key));
    let text = facts.map(String::as_str).collect::<Vec<_>>().join(", ");
    text.chars().take(ABOUT_CHARACTERS_MAX).collect()
}

/// The bytes that a retrieval says it gave.
pub(super) fn bytes(entry: &AuditEntry) -> u64 {
    let bytes = entry.details.get("bytes");
    bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// Whether something was fetched by it.
pub(super) fn is_retrieval(act: &str) -> bool {
    needs_purpose(act) || act == Act::SearchExport.code()
}

/// Whether it asks what for.
pub(super) fn needs_purpose(act: &str) -> bool {
    [
        Act::RecordRetrieve.code(),
        Act::SearchRetrieve.code(),
        Act::EvidenceExport.code(),
    ]
    .contains(&act)
}

#[allow(clippy::ref_option, reason = "serde gives a reference")]
fn time_text<S: Serializer>(
    time: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = time.and_then(|time| time.to_offset(offset!(UTC)).format(&Rfc3339).ok());
    text.serialize(serializer)
}

/// Refusals by a rule that binds also who has the right.
const VIOLATIONS: [&str; 2] = ["second-person-wanted", "quarantined"];

/// Refusals that are the archive's part.
const ERRORS: [&str; 4] = ["archive", "unreadable", "evidence", "audit-stopped"];

/// Details that say what an event was about.
const ABOUT: [&str; 4] = ["account", "alarm", "text", "refusal"];

/// Of them, so much.
const ABOUT_CHARACTERS_MAX: usize = 300;

/// So many names are told apart; whoever enters names at random fills no memory.
pub(super) const KEYS_MAX: usize = 10_000;
