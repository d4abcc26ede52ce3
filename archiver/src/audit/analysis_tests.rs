use std::collections::BTreeMap;

use formats::audit::{AuditEntry, ChainPlace, Outcome};
use formats::id::ArchiveId;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::analysis::{AnalysisRules, Analyst, MonthAnalysis, NOTICES_MAX, NoticeKind};
use super::{Act, ReadLine, analysis_text};
use crate::cli::lang::Lang;

/// 10 o'clock in Japan.
const NOW: OffsetDateTime = datetime!(2026-11-23 01:00 UTC);

struct Trail {
    place: ChainPlace,
    lines: Vec<ReadLine>,
}

impl Trail {
    fn new() -> Self {
        Self {
            place: ChainPlace::start(ArchiveId::new(1, &[7; 10])),
            lines: Vec::new(),
        }
    }

    fn add(
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

    fn refused_log_in(&mut self, entered: &str, minutes: i64, locked: bool) {
        let mut details = vec![("entered", entered), ("reason", "password")];
        if locked {
            details.push(("locked", "yes"));
        }
        self.add("", Act::SessionRefuse, Outcome::Denied, minutes, &details);
    }

    fn analysed(&self) -> MonthAnalysis {
        let mut analyst = Analyst::new("2026-11".parse().unwrap(), AnalysisRules::default());
        self.lines.iter().for_each(|line| analyst.line(line));
        analyst.finish()
    }
}

fn kinds(found: &MonthAnalysis) -> Vec<(NoticeKind, u64)> {
    found
        .notices
        .iter()
        .map(|one| (one.kind, one.sequence))
        .collect()
}

#[test]
fn a_month_without_events_is_reported_as_such() {
    let found = Trail::new().analysed();
    assert_eq!(found.entries, 0);
    for (lang, words) in [
        (Lang::Ja, "報告すべき事象はありません"),
        (Lang::En, "Nothing to report."),
    ] {
        assert!(analysis_text(&found, lang).contains(words));
    }
}

#[test]
fn what_people_did_is_counted_with_hours_and_purposes() {
    let mut trail = Trail::new();
    trail.add("sato", Act::SessionBegin, Outcome::Done, 0, &[]);
    trail.add(
        "sato",
        Act::RecordRetrieve,
        Outcome::Done,
        1,
        &[("bytes", "4711")],
    );
    trail.add(
        "sato",
        Act::EvidenceExport,
        Outcome::Done,
        2,
        &[("bytes", "300")],
    );
    trail.add(
        "sato",
        Act::RecordRetrieve,
        Outcome::Failed,
        3,
        &[("bytes", "9")],
    );
    // 22 o'clock is outside, and so is what comes before 7 o'clock.
    trail.add("sato", Act::RecordRead, Outcome::Done, 12 * 60, &[]);
    trail.add("sato", Act::RecordRead, Outcome::Done, 20 * 60 + 59, &[]);
    trail.add("sato", Act::RecordRead, Outcome::Done, 21 * 60, &[]);
    // Another month.
    trail.add("sato", Act::RecordRead, Outcome::Done, 20 * 24 * 60, &[]);
    let found = trail.analysed();
    assert_eq!((found.entries, found.last), (7, Some(7)));
    let sato = &found.people["sato"];
    assert_eq!((sato.acts.done, sato.acts.failed, sato.log_ins), (6, 1, 1));
    assert_eq!(
        (sato.retrievals, sato.retrieved_bytes, sato.without_purpose),
        (2, 5011, 1)
    );
    assert_eq!(sato.outside_hours, 2);
    assert_eq!(found.acts["record.read"].done, 3);
    assert!(found.notices.is_empty(), "{:?}", found.notices);
}

#[test]
fn failed_log_ins_in_a_row_and_lock_outs_are_reported() {
    let mut trail = Trail::new();
    for number in 0..4 {
        trail.refused_log_in("sato", number * 20, false);
    }
    trail.add("sato", Act::SessionBegin, Outcome::Done, 90, &[]);
    trail.refused_log_in("sato", 100, false);
    assert!(trail.analysed().notices.is_empty(), "the row was broken");
    for number in 1..10 {
        trail.refused_log_in("sato", 100 + number * 20, number == 9);
    }
    let found = trail.analysed();
    assert_eq!(
        kinds(&found),
        [(NoticeKind::FailedLogIns, 10), (NoticeKind::LockOut, 15)]
    );
    assert_eq!(found.notices[0].person, "sato");
    assert_eq!(found.failed_log_ins, 14);
}

#[test]
fn many_refusals_in_a_short_time_and_acts_without_the_right_are_reported() {
    let mut trail = Trail::new();
    for number in 0..5 {
        trail.refused_log_in(&format!("guess{number}"), number * 2, false);
    }
    trail.add("kato", Act::AuditRead, Outcome::Denied, 60, &[]);
    let found = trail.analysed();
    assert_eq!(
        kinds(&found),
        [(NoticeKind::RefusedInARow, 5), (NoticeKind::Denied, 6)]
    );
    let mut slow = Trail::new();
    for number in 0..5 {
        slow.refused_log_in(&format!("guess{number}"), number * 3, false);
    }
    assert!(slow.analysed().notices.is_empty());
}

#[test]
fn much_fetched_in_a_day_and_changes_of_accounts_are_reported_once() {
    let mut trail = Trail::new();
    let much = (6_u64 << 30).to_string();
    for minutes in [0, 1, 2] {
        trail.add(
            "sato",
            Act::RecordRetrieve,
            Outcome::Done,
            minutes,
            &[("bytes", &much)],
        );
    }
    trail.add(
        "sato",
        Act::RecordRetrieve,
        Outcome::Done,
        24 * 60,
        &[("bytes", &much)],
    );
    trail.add("admin", Act::PeopleApprove, Outcome::Done, 24 * 60 + 1, &[]);
    trail.add("admin", Act::PeopleRead, Outcome::Done, 24 * 60 + 2, &[]);
    let found = trail.analysed();
    assert_eq!(
        kinds(&found),
        [
            (NoticeKind::LargeTransfer, 2),
            (NoticeKind::AccountChange, 5)
        ]
    );
}

#[test]
fn gaps_changed_lines_and_a_clock_that_went_back_are_reported() {
    let mut trail = Trail::new();
    for minutes in [0, 1, 2, 3] {
        trail.add("sato", Act::RecordRead, Outcome::Done, minutes, &[]);
    }
    let mut gap = Trail {
        place: trail.place,
        lines: trail.lines.clone(),
    };
    gap.lines.remove(1);
    assert_eq!(kinds(&gap.analysed()), [(NoticeKind::Broken, 3)]);
    gap.lines = trail.lines.clone();
    gap.lines[2].line = b"nothing\n".to_vec();
    gap.lines[2].entry = None;
    assert_eq!(
        kinds(&gap.analysed()),
        [(NoticeKind::Broken, 3), (NoticeKind::Broken, 4)]
    );
    trail.add("sato", Act::RecordRead, Outcome::Done, 1, &[]);
    assert_eq!(kinds(&trail.analysed()), [(NoticeKind::ClockBack, 5)]);
}

#[test]
fn a_flood_of_events_is_counted_and_not_listed() {
    let mut trail = Trail::new();
    let flood = NOTICES_MAX as i64 + 7;
    for number in 0..flood {
        trail.add(
            "kato",
            Act::AuditRead,
            Outcome::Denied,
            number * 30 % (6 * 24 * 60),
            &[],
        );
    }
    let found = trail.analysed();
    assert_eq!(found.notices.len(), NOTICES_MAX);
    assert_eq!(found.notice_counts[&NoticeKind::Denied], flood as u64);
    assert!(analysis_text(&found, Lang::En).contains("more"));
}
