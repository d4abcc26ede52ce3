use std::sync::Arc;

use formats::audit::Outcome;
use time::macros::{date, datetime};
use time::{Date, Duration, OffsetDateTime};

use super::*;
use crate::archive::{Access, Archive};
use crate::audit::closing::close_days;
use crate::audit::{Act, AuditTrail, EventRules, NewEntry};
use crate::cli::fixture::Bench;
use crate::store::catalog::Query;

/// 9 o'clock in Japan.
const NOW: OffsetDateTime = datetime!(2026-01-05 00:00 UTC);
const DAY: Date = date!(2026 - 01 - 05);

struct Office {
    archive: Arc<Archive>,
    trail: AuditTrail,
    bench: Bench,
}

impl Office {
    fn new() -> Self {
        let bench = Bench::new();
        let archive = Arc::new(bench.open(Access::Write));
        let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
        Self {
            archive,
            trail,
            bench,
        }
    }

    fn told(
        &self,
        person: &str,
        (act, outcome): (Act, Outcome),
        hours: i64,
        details: &[(&str, &str)],
    ) {
        let details = details.iter();
        let details = details.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.trail
            .write(NewEntry {
                person: person.to_owned(),
                client: "192.0.2.7".to_owned(),
                act,
                record: None,
                purpose: None,
                outcome,
                details: details.collect(),
                time: NOW + Duration::hours(hours),
            })
            .unwrap();
    }

    /// A day with something under each item that the trail gives.
    fn eventful() -> Self {
        let office = Self::new();
        let done = |act| (act, Outcome::Done);
        office.told("", done(Act::ServiceStart), 0, &[]);
        office.told("sato", done(Act::SessionBegin), 1, &[]);
        office.told("suzuki", done(Act::SessionBegin), 2, &[]);
        let change = [
            ("account", "kimura"),
            ("change", "rights"),
            ("roles", "operator"),
        ];
        office.told("suzuki", done(Act::PeopleApprove), 3, &change);
        office.told("sato", (Act::AuditRead, Outcome::Denied), 4, &[]);
        let alarm = [("text", "a medium is full"), ("alarm", "work-failing")];
        office.told("", done(Act::AlarmRaise), 5, &alarm);
        let answer = [("entries", "5 6"), ("remark", "made room\u{202e}")];
        office.told("suzuki", done(Act::EventAnswer), 6, &answer);
        office.told("sato", done(Act::SessionEnd), 7, &[]);
        office
    }

    fn journal(&self, day: Date) -> Journal {
        journal_of(&self.archive, day, EventRules::default()).unwrap()
    }

    fn close(&self, now: OffsetDateTime) -> Vec<Date> {
        close_days(&self.archive, &self.trail, now).unwrap();
        let closed = close_journals(&self.archive, &self.trail, EventRules::default(), now);
        closed.unwrap().iter().map(|one| one.day).collect()
    }

    /// The names of the records of the class.
    fn kept(&self) -> Vec<String> {
        let query = Query {
            class: Some(CLASS.to_owned()),
            ..Query::default()
        };
        let found = self.archive.catalog().search(&query).unwrap();
        let objects = found.iter().flat_map(|hit| &hit.objects);
        objects.map(|object| object.name.to_string()).collect()
    }

    fn leave(self) {
        self.trail.close();
        Arc::into_inner(self.archive).unwrap().close().unwrap();
        drop(self.bench);
    }
}

#[test]
fn a_day_is_told_in_five_items() {
    let office = Office::eventful();
    let journal = office.journal(DAY);
    assert_eq!(journal.entries, Some((1, 8)));
    let [sato, suzuki] = journal.sessions.as_slice() else {
        panic!("{:?}", journal.sessions);
    };
    assert_eq!(
        (sato.person.as_str(), sato.begun),
        ("sato", Some(NOW + Duration::hours(1)))
    );
    assert_eq!(sato.ended, Some(NOW + Duration::hours(7)));
    assert_eq!((suzuki.person.as_str(), suzuki.ended), ("suzuki", None));
    let settings: Vec<&str> = journal.settings.iter().map(|one| one.en.as_str()).collect();
    assert!(
        settings
            .iter()
            .any(|one| one.starts_with("Service started")),
        "{settings:?}"
    );
    assert!(
        settings.contains(&"Account approved: account=kimura, change=rights, roles=operator"),
        "{settings:?}"
    );
    let errors: Vec<&str> = journal.errors.iter().map(|one| one.en.as_str()).collect();
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(
        errors[0].starts_with("R7 change of rights: entry 4"),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with("R5 act without the right: entry 5"),
        "{errors:?}"
    );
    assert!(errors[2].contains("a medium is full"), "{errors:?}");
    assert!(
        errors[3].contains("entries=5 6, remark=made room"),
        "{errors:?}"
    );
    assert!(
        !errors[3].contains('\u{202e}'),
        "what turns the line around is taken out"
    );
    assert_eq!(office.journal(date!(2026 - 01 - 04)).entries, None);
    let text = text(&journal);
    for words in [
        "① ログイン",
        "② 設定の変更",
        "③ ログの保存",
        "④ バックアップ",
        "⑤ エラー",
        "なし / none",
    ] {
        assert!(text.contains(words), "{words}");
    }
    office.leave();
}

#[test]
fn a_day_that_is_over_becomes_one_record_that_says_the_same_whenever_it_is_made() {
    let office = Office::eventful();
    assert_eq!(
        office.close(NOW + Duration::hours(10)),
        [],
        "the day goes on"
    );
    office
        .archive
        .record_event(
            "suzuki",
            &JournalNoted::new(DAY, "the fan of disk B was changed"),
        )
        .unwrap();
    let before = office.journal(DAY);
    assert_eq!(office.close(NOW + Duration::DAY), [DAY]);
    assert_eq!(office.kept(), ["journal-2026-01-05.txt"]);
    let standing = Standing::of(&office.archive, DAY).unwrap();
    let (_, closed) = standing.closed.unwrap();
    let digest = |journal: &Journal| {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(text(journal)))
    };
    assert_eq!(closed.sha256, digest(&before));
    assert_eq!(office.close(NOW + Duration::DAY), [], "once");
    office
        .archive
        .record_event("suzuki", &JournalNoted::new(DAY, "it was disk A"))
        .unwrap();
    assert_eq!(
        closed.sha256,
        digest(&office.journal(DAY)),
        "what is added stands beside it"
    );
    assert_eq!(Standing::of(&office.archive, DAY).unwrap().notes.len(), 2);
    // The closing of the trail is an entry of the next day, and stands under the logs of its journal.
    let next = office.journal(date!(2026 - 01 - 06));
    assert!(
        next.logs[0].en.starts_with("Day of the audit trail closed"),
        "{:?}",
        next.logs
    );
    office.leave();
}

#[test]
fn a_closing_that_was_cut_off_makes_no_second_record() {
    let office = Office::eventful();
    let now = NOW + Duration::DAY;
    close_days(&office.archive, &office.trail, now).unwrap();
    // As if the power went between the record and the event that names it.
    let text = text(&office.journal(DAY)).into_bytes();
    let metadata = formats::manifest::Metadata {
        date: Some(DAY),
        ..Default::default()
    };
    let name = "journal-2026-01-05.txt".to_owned();
    let first = closing::kept(
        &office.archive,
        (name, metadata),
        std::io::Cursor::new(text),
    );
    assert_eq!(office.close(now), [DAY]);
    let (_, closed) = Standing::of(&office.archive, DAY).unwrap().closed.unwrap();
    assert_eq!(closed.version, first.unwrap());
    assert_eq!(office.kept().len(), 1);
    office.leave();
}

#[test]
fn the_analysis_of_a_month_is_made_once_when_it_is_over_also_without_events() {
    let office = Office::eventful();
    let make = |now| {
        let made = make_reports(&office.archive, &office.trail, EventRules::default(), now);
        let made = made.unwrap().into_iter().map(|one| one.month);
        made.collect::<Vec<_>>()
    };
    assert_eq!(make(NOW + Duration::days(20)), [""; 0], "the month goes on");
    assert_eq!(
        make(datetime!(2026-03-01 00:00 UTC)),
        ["2026-01", "2026-02"]
    );
    assert_eq!(make(datetime!(2026-03-02 00:00 UTC)), [""; 0]);
    let mut kept = office.kept();
    kept.sort();
    assert_eq!(
        kept,
        ["audit-report-2026-01.txt", "audit-report-2026-02.txt"]
    );
    let february = analyse(
        &office.archive,
        "2026-02".parse().unwrap(),
        EventRules::default(),
    );
    assert!(february.unwrap().notices.is_empty());
    assert_eq!(reports(&office.archive).unwrap().len(), 2);
    office.leave();
}
