//! What somebody must be told, and how often: once, then once a day until it is solved, and then that it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// Something that somebody must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What sort it is.
    pub kind: AlarmKind,
    /// What it is about, to tell it from others of its sort.
    pub subject: String,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

/// Sorts of alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// Records have waited too long for their timestamp.
    Unstamped,
    /// A renewal is due, not done, and its last moment comes near.
    RenewalOverdue,
    /// A renewal that should be done cannot be.
    RenewalBlocked,
    /// The proof of records has ended.
    EvidenceLost,
    /// An authority fails again and again.
    AuthorityFailing,
    /// Work at the archive failed.
    WorkFailing,
    /// A medium of the archive gets nothing new.
    MediumOutOfService,
    /// A medium was not counted in time.
    StockTakeOverdue,
    /// What is stored was not read again in time.
    ScrubOverdue,
    /// A hot folder or syslog takes nothing in.
    IntakeHeldUp,
    /// The archive cannot be opened.
    ArchiveUnreachable,
}

impl AlarmKind {
    /// Every sort, for metrics.
    pub const ALL: [Self; 11] = [
        Self::Unstamped,
        Self::RenewalOverdue,
        Self::RenewalBlocked,
        Self::EvidenceLost,
        Self::AuthorityFailing,
        Self::WorkFailing,
        Self::MediumOutOfService,
        Self::StockTakeOverdue,
        Self::ScrubOverdue,
        Self::IntakeHeldUp,
        Self::ArchiveUnreachable,
    ];

    /// The name in logs, metrics and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unstamped => "unstamped",
            Self::RenewalOverdue => "renewal-overdue",
            Self::RenewalBlocked => "renewal-blocked",
            Self::EvidenceLost => "evidence-lost",
            Self::AuthorityFailing => "authority-failing",
            Self::WorkFailing => "work-failing",
            Self::MediumOutOfService => "medium-out-of-service",
            Self::StockTakeOverdue => "stock-take-overdue",
            Self::ScrubOverdue => "scrub-overdue",
            Self::IntakeHeldUp => "intake-held-up",
            Self::ArchiveUnreachable => "archive-unreachable",
        }
    }
}

/// What is told about an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The alarm.
    pub condition: Condition,
    /// New, still there, or gone.
    pub state: NoticeState,
    /// Since when it is known.
    pub since: OffsetDateTime,
    /// When this notice was made.
    pub at: OffsetDateTime,
}

/// Where an alarm is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeState {
    /// It is new.
    Raised,
    /// It is still there after a day.
    Standing,
    /// It is gone.
    Solved,
}

impl NoticeState {
    /// The name in logs and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Standing => "standing",
            Self::Solved => "solved",
        }
    }
}

/// An alarm that stands, as it was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingAlarm {
    /// Its sort.
    pub kind: AlarmKind,
    /// What it is about.
    pub subject: String,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
    /// Since when.
    pub since: OffsetDateTime,
}

/// The alarms that stand.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Alarms {
    standing: BTreeMap<String, Standing>,
}

/// One alarm that stands. Times are seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Standing {
    since: i64,
    told: i64,
    kind: String,
    subject: String,
    en: String,
    ja: String,
}

impl Alarms {
    /// Takes in what is the case now, and says what somebody must be told. Conditions of a kind in `unknown` were not looked at: what stands
    /// of them stands.
    pub fn update(
        &mut self,
        conditions: &[Condition],
        unknown: &BTreeSet<AlarmKind>,
        now: OffsetDateTime,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut present = BTreeSet::new();
        for condition in conditions {
            let key = condition.key();
            if !present.insert(key.clone()) {
                continue;
            }
            let state = match self.standing.get(&key) {
                None => NoticeState::Raised,
                Some(known) if now.unix_timestamp() - known.told >= REPEAT.whole_seconds() => {
                    NoticeState::Standing
                }
                Some(_) => continue,
            };
            let since = self
                .standing
                .get(&key)
                .map_or(now, |known| moment(known.since, now));
            let told = Standing {
                since: since.unix_timestamp(),
                told: now.unix_timestamp(),
                kind: condition.kind.name().to_owned(),
                subject: condition.subject.clone(),
                en: condition.en.clone(),
                ja: condition.ja.clone(),
            };
            self.standing.insert(key, told);
            notices.push(Notice {
                condition: condition.clone(),
                state,
                since,
                at: now,
            });
        }
        self.standing.retain(|key, known| {
            let kind = AlarmKind::ALL
                .into_iter()
                .find(|kind| kind.name() == known.kind);
            let Some(kind) = kind else { return false };
            if present.contains(key) || unknown.contains(&kind) {
                return true;
            }
            notices.push(Notice {
                condition: Condition {
                    kind,
                    subject: known.subject.clone(),
                    en: known.en.clone(),
                    ja: known.ja.clone(),
                },
                state: NoticeState::Solved,
                since: moment(known.since, now),
                at: now,
            });
            false
        });
        notices
    }

    /// Those that stand, by kind and subject.
    #[must_use]
    pub fn standing(&self, now: OffsetDateTime) -> Vec<StandingAlarm> {
        let all = self.standing.values().filter_map(|known| {
            let kind = AlarmKind::ALL
                .into_iter()
                .find(|kind| kind.name() == known.kind)?;
            Some(StandingAlarm {
                kind,
                subject: known.subject.clone(),
                en: known.en.clone(),
                ja: known.ja.clone(),
                since: moment(known.since, now),
            })
        });
        all.collect()
    }

    /// How many alarms of each kind stand.
    #[must_use]
    pub fn count(&self, kind: AlarmKind) -> u64 {
        let of_kind = self
            .standing
            .values()
            .filter(|known| known.kind == kind.name());
        of_kind.count() as u64
    }
}

impl Condition {
    fn key(&self) -> String {
        format!("{} {}", self.kind.name(), self.subject)
    }
}

fn moment(seconds: i64, otherwise: OffsetDateTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(otherwise)
}

/// An alarm that stands is told again after so long.
pub const REPEAT: Duration = Duration::DAY;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    fn condition(subject: &str) -> Condition {
        Condition {
            kind: AlarmKind::AuthorityFailing,
            subject: subject.to_owned(),
            en: "fails".to_owned(),
            ja: "失敗".to_owned(),
        }
    }

    fn states(notices: &[Notice]) -> Vec<(&str, NoticeState)> {
        notices
            .iter()
            .map(|notice| (notice.condition.subject.as_str(), notice.state))
            .collect()
    }

    #[test]
    fn an_alarm_is_told_once_a_day_until_it_is_solved() {
        let mut alarms = Alarms::default();
        let none = BTreeSet::new();
        let both = [condition("a"), condition("b"), condition("a")];
        let told = alarms.update(&both, &none, NOW);
        assert_eq!(
            states(&told),
            [("a", NoticeState::Raised), ("b", NoticeState::Raised)]
        );
        assert_eq!(alarms.count(AlarmKind::AuthorityFailing), 2);
        let hours = Duration::hours;
        assert!(alarms.update(&both, &none, NOW + hours(23)).is_empty());
        let told = alarms.update(&both[..1], &none, NOW + hours(24));
        assert_eq!(
            states(&told),
            [("a", NoticeState::Standing), ("b", NoticeState::Solved)]
        );
        assert_eq!(told[0].since, NOW);
        assert!(alarms.update(&both[..1], &none, NOW + hours(25)).is_empty());
        let told = alarms.update(&[], &none, NOW + hours(26));
        assert_eq!(states(&told), [("a", NoticeState::Solved)]);
        assert!(alarms.update(&[], &none, NOW + hours(27)).is_empty());
        assert_eq!(alarms.count(AlarmKind::AuthorityFailing), 0);
    }

    #[test]
    fn what_was_not_looked_at_is_not_solved() {
        let mut alarms = Alarms::default();
        alarms.update(&[condition("a")], &BTreeSet::new(), NOW);
        let unknown = BTreeSet::from([AlarmKind::AuthorityFailing]);
        assert!(alarms.update(&[], &unknown, NOW).is_empty());
        assert_eq!(alarms.count(AlarmKind::AuthorityFailing), 1);
    }

    #[test]
    fn alarms_survive_as_text() {
        let mut alarms = Alarms::default();
        alarms.update(&[condition("a")], &BTreeSet::new(), NOW);
        let text = serde_json::to_string(&alarms).expect("text");
        let mut read: Alarms = serde_json::from_str(&text).expect("alarms");
        assert!(
            read.update(&[condition("a")], &BTreeSet::new(), NOW)
                .is_empty()
        );
    }
}
