use formats::audit::Outcome;
use time::Duration;

use super::super::detector::NoticeKind;
use super::super::fixture::{NOW, Trail};
use super::*;

fn watch(told: Option<u64>) -> TrailWatch {
    let mut watch = TrailWatch::new(EventRules::default(), NOW + Duration::hours(1));
    told.into_iter().for_each(|told| watch.told_up_to(told));
    watch
}

fn taken(watch: &mut TrailWatch, lines: &[ReadLine]) -> Vec<Notice> {
    watch.take(lines);
    watch.take_news()
}

fn kinds<'a>(notices: impl IntoIterator<Item = &'a Notice>) -> Vec<(NoticeKind, u64)> {
    let notices = notices.into_iter();
    notices.map(|one| (one.kind, one.sequence)).collect()
}

/// One of each of the seven events, and of those that the service finds in itself.
fn eventful() -> Trail {
    let mut trail = Trail::new();
    trail.add("sato", Act::SessionBegin, Outcome::Done, 0, &[]);
    for minute in 1..=5 {
        trail.refused_log_in("sato", minute, false);
    }
    trail.add(
        "sato",
        Act::RecordRetrieve,
        Outcome::Done,
        6,
        &[("bytes", "10737418240")],
    );
    let second = [("refusal", "second-person-wanted"), ("account", "kimura")];
    trail.add("sato", Act::PeopleApprove, Outcome::Failed, 7, &second);
    trail.add("sato", Act::AuditRead, Outcome::Denied, 8, &[]);
    trail.add("suzuki", Act::PeopleSuspend, Outcome::Done, 9, &[]);
    let rights = [("change", "rights"), ("account", "kimura")];
    trail.add("suzuki", Act::PeopleApprove, Outcome::Done, 10, &rights);
    let text = [("text", "a medium is full")];
    trail.add("", Act::AlarmRaise, Outcome::Done, 11, &text);
    let refusal = [("refusal", "unreadable")];
    trail.add("sato", Act::RecordRead, Outcome::Failed, 12, &refusal);
    // Mistakes of people are no events: a value that is none, a record that does not exist.
    let invalid = [("refusal", "invalid-value")];
    trail.add("sato", Act::RecordSearch, Outcome::Failed, 13, &invalid);
    trail
}

#[test]
fn each_of_the_seven_events_is_found_as_it_happens_by_its_rule() {
    let trail = eventful();
    let mut watch = watch(None);
    let mut told = Vec::new();
    for line in &trail.lines {
        told.extend(taken(&mut watch, std::slice::from_ref(line)));
    }
    assert_eq!(
        kinds(&told),
        [
            (NoticeKind::RefusedInARow, 6),
            (NoticeKind::FailedLogIns, 6),
            (NoticeKind::LargeTransfer, 7),
            (NoticeKind::Violation, 8),
            (NoticeKind::Denied, 9),
            (NoticeKind::AccountChange, 10),
            (NoticeKind::RightsChange, 11),
            (NoticeKind::Alarm, 12),
            (NoticeKind::SystemError, 13),
        ]
    );
    let rules: Vec<_> = told.iter().filter_map(|one| one.kind.rule()).collect();
    assert_eq!(rules, ["R1", "R2", "R3", "R4", "R5", "R6", "R7"]);
    assert_eq!(told[1].person, "sato", "the account that was tried");
    assert_eq!(told[3].about, "kimura, second-person-wanted");
    assert_eq!(told[7].about, "a medium is full");
    assert_eq!(
        watch.open().len(),
        8,
        "entries, one of them with two events"
    );
    assert_eq!(watch.read(), 14);
}

#[test]
fn what_was_told_is_not_told_again_and_stays_open_until_somebody_answers() {
    let mut trail = eventful();
    let mut watch = watch(Some(9));
    let told = taken(&mut watch, &trail.lines);
    assert_eq!(told.first().map(|one| one.sequence), Some(10));
    assert_eq!(watch.open().len(), 8);
    let refused = [("entries", "7 9"), ("remark", "…")];
    trail.add("suzuki", Act::EventAnswer, Outcome::Denied, 14, &refused);
    trail.add("suzuki", Act::EventAnswer, Outcome::Done, 15, &refused);
    let told = taken(&mut watch, &trail.lines[14..]);
    assert_eq!(kinds(&told), [(NoticeKind::Denied, 15)]);
    assert!(watch.open().of(7).is_empty() && watch.open().of(9).is_empty());
    assert_eq!(
        watch.open().len(),
        7,
        "and the refused answer is open itself"
    );
    let newest = watch.open().iter().next().map(|one| one.sequence);
    assert_eq!(newest, Some(15));
}

#[test]
fn without_a_memory_events_of_the_last_day_are_told_and_older_ones_are_open_alone() {
    let mut trail = Trail::new();
    trail.add("sato", Act::AuditRead, Outcome::Denied, -25 * 60, &[]);
    trail.add("sato", Act::AuditRead, Outcome::Denied, 0, &[]);
    let mut watch = watch(None);
    let told = taken(&mut watch, &trail.lines);
    assert_eq!(kinds(&told), [(NoticeKind::Denied, 2)]);
    assert_eq!(watch.open().len(), 2);
}

#[test]
fn a_line_that_was_changed_or_is_missing_is_an_event_at_once() {
    let trail = eventful();
    let mut gap = watch(Some(0));
    gap.take(&trail.lines[..1]);
    let told = taken(&mut gap, &trail.lines[2..3]);
    assert_eq!(kinds(&told), [(NoticeKind::Broken, 3)]);
    let mut changed = trail.lines[1].clone();
    changed.line = String::from_utf8_lossy(&changed.line)
        .replace("192.0.2.7", "192.0.2.8")
        .into_bytes();
    let mut watch = watch(Some(0));
    watch.take(&trail.lines[..1]);
    watch.take(&[changed]);
    let told = taken(&mut watch, &trail.lines[2..3]);
    assert_eq!(kinds(&told), [(NoticeKind::Broken, 3)]);
}

#[test]
fn many_events_fill_no_memory() {
    let mut trail = Trail::new();
    for _ in 0..OPEN_MAX + 3 {
        trail.add("sato", Act::AuditRead, Outcome::Denied, 0, &[]);
    }
    let mut watch = watch(Some(0));
    watch.take(&trail.lines);
    assert_eq!(watch.open().len(), OPEN_MAX);
    assert_eq!(watch.open().left_out, 3);
    assert!(watch.open().of(3).is_empty() && !watch.open().of(4).is_empty());
}
