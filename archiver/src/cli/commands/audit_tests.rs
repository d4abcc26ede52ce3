//! The commands on an archive whose trail was written as the service writes it, and what the verifier says of what they export.

use std::sync::Arc;

use formats::audit::BreakKind;
use formats::id::ArchiveId;
use time::macros::datetime;
use verifier::audit::{AuditCheck, AuditReport as Checked};
use verifier::verdict::Conclusion;

use super::*;
use crate::audit::EventRules;
use crate::audit::{AuditTrail, NewEntry};
use crate::cli::fixture::{Bench, passphrase};
use crate::config::Config;

const NOW: OffsetDateTime = datetime!(2026-01-05 00:00 UTC);

/// An archive with so many entries, one an hour, whose passphrase the session finds in a file.
fn bench(entries: i64) -> Bench {
    let mut bench = Bench::new();
    let file = bench.place.path().join("passphrase");
    crate::store::durable::replace_file(&*bench.disk, &file, passphrase_text().as_ref()).unwrap();
    bench.session.common.passphrase_file = Some(file);
    let archive = Arc::new(bench.open(Access::Write));
    let trail = AuditTrail::open(Arc::clone(&archive)).unwrap();
    for number in 0..entries {
        let entry = NewEntry {
            person: if number % 2 == 0 { "sato" } else { "suzuki" }.to_owned(),
            client: "192.0.2.7".to_owned(),
            act: if number % 3 == 0 {
                Act::RecordRead
            } else {
                Act::RecordRetrieve
            },
            record: None,
            purpose: None,
            outcome: Outcome::Done,
            details: [("bytes".to_owned(), "10".to_owned())].into(),
            time: NOW + Duration::hours(number),
        };
        trail.write(entry).unwrap();
    }
    trail.close();
    Arc::into_inner(archive).unwrap().close().unwrap();
    bench
}

fn passphrase_text() -> &'static str {
    // The one of the bench.
    let _same = passphrase();
    "known to everybody\n"
}

fn exported(bench: &Bench, from: Option<&str>, to: Option<&str>) -> Result<Vec<u8>, Exit> {
    let output = bench.place.path().join("lines.jsonl");
    let arguments = AuditExport {
        output: output.clone(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    let run = export(&bench.session, &arguments);
    assert_eq!(run.map_err(|failure| failure.exit())?, Exit::Done);
    Ok(std::fs::read(output).unwrap())
}

fn checked(bytes: &[u8], start: Option<ArchiveId>) -> Checked {
    let mut check = AuditCheck::new(start);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        check.line(line);
    }
    check.finish(None)
}

#[test]
fn what_is_exported_passes_the_verifier_and_does_not_when_it_was_changed() {
    let bench = bench(40);
    let archive = bench.config.archive;
    let all = exported(&bench, None, None).unwrap();
    let report = checked(&all, Some(archive));
    assert_eq!(report.conclusion(), Conclusion::TotalPassed);
    assert_eq!(report.lines(), 40);

    let text = String::from_utf8(all.clone()).unwrap();
    let changed = checked(
        text.replacen("suzuki", "tanaka", 1).as_bytes(),
        Some(archive),
    );
    assert_eq!(changed.problems[0].kind, BreakKind::Changed);
    let without_first = &all[text.find('\n').unwrap() + 1..];
    let cut = checked(without_first, Some(archive));
    assert_eq!(cut.problems[0].kind, BreakKind::Missing);
    let foreign = checked(&all, Some(ArchiveId::new(9, &[9; 10])));
    assert_eq!(foreign.conclusion(), Conclusion::TotalFailed);
}

#[test]
fn a_day_is_exported_whole_and_hangs_together_with_the_next_one() {
    let bench = bench(40);
    // 15 hours of the day in Japan are left when the first entry is made.
    let first = exported(&bench, None, Some("2026-01-05")).unwrap();
    let second = exported(&bench, Some("2026-01-06"), Some("2026-01-06")).unwrap();
    assert_eq!(checked(&first, None).lines(), 15);
    assert_eq!(checked(&second, None).lines(), 24);
    let both = [first, second].concat();
    let report = checked(&both, Some(bench.config.archive));
    assert_eq!(report.conclusion(), Conclusion::TotalPassed);
    assert_eq!(
        exported(&bench, Some("2027-01-01"), None),
        Err(Exit::NotFound)
    );
    assert_eq!(exported(&bench, Some("soon"), None), Err(Exit::Usage));
}

#[test]
fn entries_are_listed_and_filters_are_read() {
    let bench = bench(3);
    let mut arguments = AuditList {
        from: None,
        to: Some("2026-01-05".to_owned()),
        person: Some("sato".to_owned()),
        act: None,
        record: None,
        outcome: Some("denied".to_owned()),
        limit: 2,
    };
    let read = filter(&arguments, Lang::En).unwrap();
    assert_eq!(read.to, Some(datetime!(2026-01-06 00:00 +9)));
    assert_eq!(read.outcome, Some(Outcome::Denied));
    assert_eq!(list(&bench.session, &arguments).ok(), Some(Exit::Done));
    arguments.record = Some("no record".to_owned());
    let refused = list(&bench.session, &arguments).map_err(|failure| failure.exit());
    assert_eq!(refused, Err(Exit::Usage));
}

#[test]
fn a_month_is_analysed_also_when_nothing_happened_in_it() {
    let bench = bench(40);
    let archive = bench.open(Access::Read);
    let january = analyse(&archive, "2026-01".parse().unwrap(), EventRules::default()).unwrap();
    assert_eq!(
        (january.entries, january.first, january.last),
        (40, Some(1), Some(40))
    );
    assert_eq!(january.people["sato"].retrievals, 13);
    assert_eq!(january.people["sato"].without_purpose, 13);
    assert!(january.notices.is_empty());
    let february = analyse(&archive, "2026-02".parse().unwrap(), EventRules::default()).unwrap();
    assert_eq!((february.entries, february.first), (0, None));
    let text = analysis_text(&february, Lang::En);
    assert!(text.contains("Nothing to report."), "{text}");
    let month = |text: &str| AuditReport {
        month: text.to_owned(),
    };
    drop(archive);
    assert_eq!(
        report(&bench.session, &month("2026-01")).ok(),
        Some(Exit::Done)
    );
    let refused = report(&bench.session, &month("January")).map_err(|failure| failure.exit());
    assert_eq!(refused, Err(Exit::Usage));
}

#[test]
fn the_session_reads_the_configuration_of_the_bench() {
    let bench = bench(1);
    let read: Config = bench.session.config().unwrap();
    assert_eq!(read.archive, bench.config.archive);
}
