use formats::audit::Outcome;

use super::analysis::{Analyst, MonthAnalysis, NOTICES_MAX};
use super::detector::{EventRules, NoticeKind};
use super::fixture::Trail;
use super::{Act, analysis_text};
use crate::cli::lang::Lang;

fn analysed(trail: &Trail) -> MonthAnalysis {
    let mut analyst = Analyst::new("2026-11".parse().unwrap(), EventRules::default());
    trail.lines.iter().for_each(|line| analyst.line(line));
    analyst.finish()
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
    let found = analysed(&Trail::new());
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
    let found = analysed(&trail);
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
    assert!(analysed(&trail).notices.is_empty(), "the row was broken");
    for number in 1..10 {
        trail.refused_log_in("sato", 100 + number * 20, number == 9);
    }
    let found = analysed(&trail);
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
    let found = analysed(&trail);
    assert_eq!(
        kinds(&found),
        [(NoticeKind::RefusedInARow, 5), (NoticeKind::Denied, 6)]
    );
    let mut slow = Trail::new();
    for number in 0..5 {
        slow.refused_log_in(&format!("guess{number}"), number * 3, false);
    }
    assert!(analysed(&slow).notices.is_empty());
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
    let found = analysed(&trail);
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
    let mut gap = Trail::new();
    gap.lines = trail.lines.clone();
    gap.lines.remove(1);
    assert_eq!(kinds(&analysed(&gap)), [(NoticeKind::Broken, 3)]);
    gap.lines = trail.lines.clone();
    gap.lines[2].line = b"nothing\n".to_vec();
    gap.lines[2].entry = None;
    assert_eq!(
        kinds(&analysed(&gap)),
        [(NoticeKind::Broken, 3), (NoticeKind::Broken, 4)]
    );
    trail.add("sato", Act::RecordRead, Outcome::Done, 1, &[]);
    assert_eq!(kinds(&analysed(&trail)), [(NoticeKind::ClockBack, 5)]);
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
    let found = analysed(&trail);
    assert_eq!(found.notices.len(), NOTICES_MAX);
    assert_eq!(found.notice_counts[&NoticeKind::Denied], flood as u64);
    assert!(analysis_text(&found, Lang::En).contains("more"));
}
