//! Tests of depositing and retrieving, on a whole archive.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use formats::id::VersionId;

use super::super::fixture::{Fixture, request};
use super::super::outcome::DepositWarning;
use super::*;
use crate::intake::{IntakeError, Walk};

/// Bytes that do not compress and differ by seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn versions(events: &[DepositEvent]) -> Vec<VersionId> {
    let version = |event: &DepositEvent| match event {
        DepositEvent::Deposited(record) => Some(record.version),
        DepositEvent::AlreadyThere { version, .. } => Some(*version),
        DepositEvent::Skipped { .. } | DepositEvent::Failed(_) | DepositEvent::LeftOut { .. } => {
            None
        }
    };
    events.iter().filter_map(version).collect()
}

fn content(fixture: &Fixture, version: VersionId) -> Vec<u8> {
    let mut opened = fixture.retriever().open(version).unwrap();
    let mut output = Vec::new();
    opened.write_object(0, &mut output).unwrap();
    output
}

#[test]
fn what_goes_in_comes_out_byte_for_byte() {
    let fixture = Fixture::new();
    let contents = [
        ("docs/a.txt", b"hello\n".to_vec()),
        ("docs/b.bin", noise(3 * 1024 * 1024 + 17, 1)),
        (
            "docs/c.log",
            "2026-11-22 03:48:30 line\n".repeat(60_000).into_bytes(),
        ),
        ("docs/d.empty", Vec::new()),
        ("docs/e.edge", noise(256 * 1024, 2)),
        ("docs/f.edge", noise(256 * 1024 + 1, 3)),
        ("docs/g.edge", noise(1024 * 1024, 4)),
    ];
    for (name, content) in &contents {
        fixture.file(name, content);
    }
    let (summary, events) = fixture.deposit(&[&fixture.path("docs")]);
    assert!(summary.is_complete(), "{summary:?}");
    assert_eq!(summary.deposited, 7);
    let total: usize = contents.iter().map(|(_, content)| content.len()).sum();
    assert_eq!(summary.deposited_bytes, u64::try_from(total).unwrap());
    let deposited = versions(&events);
    for ((name, expected), version) in contents.iter().zip(&deposited) {
        let mut opened = fixture.retriever().open(*version).unwrap();
        let place = opened.object_named(name.as_bytes()).unwrap();
        let mut output = Vec::new();
        opened.write_object(place, &mut output).unwrap();
        assert!(output == *expected, "{name}");
        assert_eq!(opened.manifest().depositor, "test");
        assert_eq!(opened.manifest().class.id, "general");
    }
    let fixture = fixture.reopen();
    for ((name, expected), version) in contents.iter().zip(&deposited) {
        assert!(content(&fixture, *version) == *expected, "{name}");
    }
}

#[test]
fn a_part_of_an_object_can_be_read() {
    let fixture = Fixture::new();
    let bytes = noise(2 * 1024 * 1024 + 100, 5);
    let path = fixture.file("x", &bytes);
    let (_, events) = fixture.deposit(&[&path]);
    let mut opened = fixture.retriever().open(versions(&events)[0]).unwrap();
    let mut part = Vec::new();
    opened
        .write_range(0, 1_048_570..1_048_590, &mut part)
        .unwrap();
    assert_eq!(part, bytes[1_048_570..1_048_590]);
    assert!(opened.write_range(0, 5..u64::MAX, &mut part).is_err());
    assert!(opened.write_object(1, &mut part).is_err());
    assert!(opened.object_named(b"y").is_err());
}

#[test]
fn an_empty_file_is_taken_with_a_warning() {
    let fixture = Fixture::new();
    let (summary, events) = fixture.deposit(&[&fixture.file("empty", "")]);
    assert_eq!((summary.deposited, summary.warnings), (1, 1));
    let [DepositEvent::Deposited(record)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(record.warnings, [DepositWarning::Empty]);
    assert!(content(&fixture, record.version).is_empty());
}

#[test]
fn a_repeated_deposit_is_recognised_before_and_after_reopening() {
    let fixture = Fixture::new();
    fixture.file("docs/small", "small");
    fixture.file("docs/large", noise(700_000, 6));
    fixture.file("docs/empty", "");
    let path = fixture.path("docs");
    let (_, first) = fixture.deposit(&[&path]);
    let (summary, second) = fixture.deposit(&[&path]);
    assert_eq!((summary.deposited, summary.already_there), (0, 3));
    assert!(summary.is_complete());
    assert_eq!(versions(&first), versions(&second));
    let fixture = fixture.reopen();
    let (summary, third) = fixture.deposit(&[&path]);
    assert_eq!((summary.deposited, summary.already_there), (0, 3));
    assert_eq!(versions(&first), versions(&third));
}

#[test]
fn class_name_and_given_metadata_make_another_deposit() {
    let fixture = Fixture::new();
    let path = fixture.file("a", "content");
    let mut seen = BTreeSet::new();
    for request in [
        request("general", &[]),
        request("ledger", &[]),
        request("general", &["date=2026-01-31"]),
    ] {
        let (summary, events) = fixture.deposit_as(&request, &[&path]);
        assert_eq!(summary.deposited, 1);
        seen.extend(versions(&events));
    }
    let (_, events) = fixture.deposit(&[&fixture.file("b", "content")]);
    seen.extend(versions(&events));
    assert_eq!(seen.len(), 4);
}

#[test]
fn contents_that_differ_only_behind_their_head_are_both_kept() {
    let fixture = Fixture::new();
    let mut bytes = noise(900_000, 7);
    let path = fixture.file("x", &bytes);
    let (_, first) = fixture.deposit(&[&path]);
    bytes[899_999] ^= 1;
    fixture.file("x", &bytes);
    let (summary, second) = fixture.deposit(&[&path]);
    assert_eq!(summary.deposited, 1);
    let (summary, third) = fixture.deposit(&[&path]);
    assert_eq!(summary.already_there, 1);
    assert_eq!(versions(&second), versions(&third));
    assert_ne!(versions(&first), versions(&second));
    assert!(content(&fixture, versions(&second)[0]) == bytes);
}

#[test]
fn the_same_content_twice_in_one_run_is_one_record() {
    let fixture = Fixture::new();
    let paths: Vec<_> = (0..24)
        .map(|place| fixture.file(&format!("{place}/a.txt"), "the same"))
        .collect();
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    let (summary, events) = fixture.deposit(&paths);
    assert_eq!((summary.deposited, summary.already_there), (1, 23));
    let distinct: BTreeSet<VersionId> = versions(&events).into_iter().collect();
    assert_eq!(distinct.len(), 1);
}

#[test]
fn a_failing_source_does_not_disturb_the_others() {
    let fixture = Fixture::new();
    for place in 0..40 {
        fixture.file(&format!("docs/{place:02}"), noise(2000, place));
    }
    let directory = fixture.path("docs");
    let fifo = directory.join("05-fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    std::os::unix::fs::symlink("nowhere", directory.join("06-dangling")).unwrap();
    std::os::unix::fs::symlink("07-loop", directory.join("07-loop")).unwrap();
    std::os::unix::fs::symlink("08", directory.join("08-link")).unwrap();
    let (summary, events) = fixture.deposit(&[&directory, &fixture.path("missing")]);
    assert_eq!(
        (summary.deposited, summary.failed, summary.skipped),
        (40, 4, 1)
    );
    assert!(!summary.is_complete() && summary.stopped.is_none());
    let failures: Vec<String> = events
        .iter()
        .filter(|event| matches!(event, DepositEvent::Failed(_)))
        .map(|event| event.text(crate::cli::lang::Lang::En))
        .collect();
    for (name, words) in [
        ("missing", "does not exist"),
        ("docs/05-fifo", "named pipe"),
        ("docs/06-dangling", "leads nowhere"),
        ("docs/07-loop", "leads back to itself"),
    ] {
        let is_named = |line: &&String| line.contains(name) && line.contains(words);
        assert_eq!(failures.iter().filter(is_named).count(), 1, "{failures:?}");
    }
}

#[test]
fn newline_and_invalid_utf8_names_are_kept_exactly() {
    use std::os::unix::ffi::OsStrExt;
    let fixture = Fixture::new();
    fixture.file("docs/plain", "x");
    let names = [&b"new\nline"[..], b"bad\xff"];
    for name in names {
        let path = fixture.path("docs").join(std::ffi::OsStr::from_bytes(name));
        std::fs::copy(fixture.path("docs/plain"), path).unwrap();
    }
    let (summary, events) = fixture.deposit(&[&fixture.path("docs")]);
    assert_eq!(summary.deposited, 3);
    let stored: Vec<Vec<u8>> = versions(&events)
        .into_iter()
        .map(|version| {
            let opened = fixture.retriever().open(version).unwrap();
            opened.manifest().objects[0].name.as_bytes().to_vec()
        })
        .collect();
    assert_eq!(
        stored,
        [
            b"docs/bad\xff".to_vec(),
            b"docs/new\nline".to_vec(),
            b"docs/plain".to_vec()
        ]
    );
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_kept() {
    for size in [1000, 600_000] {
        let fixture = Fixture::new();
        fixture.file("docs/calm", "calm");
        let path = fixture.file("docs/restless", noise(size, 8));
        // The random bytes for the record id are drawn after the file was opened and before it is stored.
        fixture.entropy.set_hook(move || {
            let file = std::fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .unwrap();
            std::io::Write::write_all(&mut &file, b"more").unwrap();
        });
        let (summary, events) = fixture.deposit(&[&fixture.path("docs")]);
        assert_eq!((summary.deposited, summary.failed), (1, 1));
        assert!(matches!(
            &events[1],
            DepositEvent::Failed(IntakeError::Changed { .. })
        ));
        assert_eq!(fixture.catalog.counts().unwrap().versions, 1);
        let fixture = fixture.reopen();
        assert_eq!(fixture.catalog.counts().unwrap().versions, 1);
    }
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let fixture = Fixture::new();
    let depositor = fixture.depositor();
    let deposit = |name: Vec<u8>| {
        let source = Source::Stream {
            name: SourceName::from_bytes(name),
            reader: Box::new(Cursor::new(b"x")),
        };
        depositor.deposit(source, &request("general", &[])).unwrap()
    };
    for bad in [&b""[..], b"../x", b"/x", b"a//b"] {
        assert!(matches!(
            deposit(bad.to_vec()),
            DepositEvent::Failed(IntakeError::BadName { .. })
        ));
    }
    assert!(matches!(
        deposit(vec![b'x'; 5000]),
        DepositEvent::Failed(IntakeError::NameTooLong { .. })
    ));
    assert!(matches!(deposit(b"x".to_vec()), DepositEvent::Deposited(_)));
}

#[test]
fn streams_of_unknown_length_are_taken_once() {
    let fixture = Fixture::new();
    let depositor = fixture.depositor();
    for size in [0, 10, 256 * 1024, 2_000_000] {
        let bytes = noise(size, 9);
        let deposit = |bytes: &[u8]| {
            let source = Source::Stream {
                name: SourceName::from_bytes(*b"piped"),
                reader: Box::new(Cursor::new(bytes.to_vec())),
            };
            depositor.deposit(source, &request("general", &[])).unwrap()
        };
        let first = versions(&[deposit(&bytes)]);
        assert!(content(&fixture, first[0]) == bytes);
        let again = deposit(&bytes);
        assert!(matches!(again, DepositEvent::AlreadyThere { .. }), "{size}");
        assert_eq!(versions(&[again]), first);
    }
}

#[test]
fn a_stream_that_breaks_off_is_not_kept() {
    struct Broken(usize);
    impl std::io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::from_raw_os_error(5));
            }
            let count = buffer.len().min(self.0);
            self.0 -= count;
            Ok(count)
        }
    }
    let fixture = Fixture::new();
    for length in [100, 3_000_000] {
        let source = Source::Stream {
            name: SourceName::from_bytes(*b"piped"),
            reader: Box::new(Broken(length)),
        };
        let event = fixture
            .depositor()
            .deposit(source, &request("general", &[]))
            .unwrap();
        assert!(matches!(
            event,
            DepositEvent::Failed(IntakeError::Unreadable { .. })
        ));
    }
    assert_eq!(fixture.catalog.counts().unwrap().versions, 0);
}

#[test]
fn an_invoice_brings_its_own_search_keys() {
    let fixture = Fixture::new();
    let invoice = |amount: &str| {
        format!(
            "<?xml version=\"1.0\"?><Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\" \
             xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" \
             xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">\
             <cbc:ID>7</cbc:ID><cbc:IssueDate>2026-01-31</cbc:IssueDate><cac:AccountingSupplierParty><cac:Party>\
             <cac:PartyName><cbc:Name>文蔵商事</cbc:Name></cac:PartyName></cac:Party></cac:AccountingSupplierParty>\
             <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID=\"JPY\">{amount}</cbc:PayableAmount>\
             </cac:LegalMonetaryTotal></Invoice>"
        )
    };
    fixture.file("in/a.xml", invoice("110000"));
    fixture.file("in/b.xml", invoice("1").replace("</Invoice>", "</Broken>"));
    let request = request("received-invoice", &["counterparty=別名"]);
    let (summary, events) = fixture.deposit_as(&request, &[&fixture.path("in")]);
    assert_eq!(summary.deposited, 2);
    let [
        DepositEvent::Deposited(read),
        DepositEvent::Deposited(unread),
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    assert_eq!(read.metadata.counterparty.as_deref(), Some("別名"));
    assert_eq!(read.metadata.amount.as_ref().unwrap().as_str(), "110000");
    assert_eq!(unread.warnings.len(), 2);
    let opened = fixture.retriever().open(read.version).unwrap();
    let facts = &opened.manifest().facts;
    assert_eq!(facts["document"], "UBL Invoice");
    assert_eq!(
        facts["metadata-from-document"],
        "date amount currency document-number supplier"
    );
}

#[test]
fn acknowledgements_come_after_the_commit_and_share_it() {
    let fixture = Fixture::new();
    for place in 0..300 {
        fixture.file(&format!("docs/{place:03}"), noise(300, place));
    }
    let walk = Walk::new(
        vec![fixture.path("docs")],
        SourceName::from_bytes(*b"standard-input"),
    );
    let before = fixture.disk.syncs();
    let mut acknowledged = Vec::new();
    let summary = fixture.depositor().deposit_all(
        walk,
        &request("general", &[]),
        &DepositOptions::default(),
        &mut |group| {
            assert!(
                fixture.disk.syncs() >= before + 2,
                "acknowledged before the commit"
            );
            for event in group {
                let DepositEvent::Deposited(record) = event else {
                    panic!("{event:?}");
                };
                assert!(fixture.keys.ledger().holds(record.version));
                acknowledged.push(record.version);
            }
        },
    );
    assert_eq!((summary.deposited, acknowledged.len()), (300, 300));
    for version in acknowledged {
        assert!(fixture.catalog.version(version).unwrap().is_some());
    }
    // Two media; without sharing it would be at least 600.
    let syncs = fixture.disk.syncs() - before;
    assert!(syncs < 400, "{syncs} synchronisations for 300 records");
}

#[test]
fn a_full_medium_stops_the_run_and_leaves_nothing_half_done() {
    let fixture = Fixture::new();
    for place in 0..60 {
        fixture.file(&format!("docs/{place:02}"), noise(40_000, place));
    }
    let path = fixture.path("docs");
    fixture.disk.fill_after(2 * 1_000_000);
    let (summary, events) = fixture.deposit(&[&path]);
    let stopped = summary.stopped.as_ref().unwrap();
    assert!(stopped.is_medium_full(), "{stopped:?}");
    assert_eq!(summary.deposited + summary.left_out, 60);
    assert!(summary.deposited < 60 && !summary.is_complete());
    let acknowledged = versions(&events);
    let fixture = fixture.reopen();
    assert_eq!(
        fixture.catalog.counts().unwrap().versions,
        summary.deposited
    );
    for version in acknowledged {
        assert_eq!(content(&fixture, version).len(), 40_000);
    }
    let (summary, _) = fixture.deposit(&[&path]);
    assert!(summary.is_complete());
    assert_eq!(summary.deposited + summary.already_there, 60);
}

#[test]
fn a_medium_that_cannot_be_synchronised_stops_the_run() {
    let fixture = Fixture::new();
    fixture.file("docs/a", "a");
    fixture.file("docs/b", "b");
    fixture.disk.fail_syncs();
    let (summary, events) = fixture.deposit(&[&fixture.path("docs")]);
    assert_eq!((summary.deposited, summary.left_out), (0, 2));
    assert!(summary.stopped.is_some() && versions(&events).is_empty());
    let fixture = fixture.reopen();
    assert_eq!(fixture.catalog.counts().unwrap().versions, 0);
    let (summary, _) = fixture.deposit(&[&fixture.path("docs")]);
    assert_eq!(summary.deposited, 2);
}

#[test]
fn an_unknown_version_is_not_found() {
    let fixture = Fixture::new();
    let version = VersionId::first(formats::id::RecordId::from_bytes([9; 16]));
    let error = fixture.retriever().open(version).unwrap_err();
    assert!(!error.is_integrity_failure());
    assert!(error.text(crate::cli::lang::Lang::Ja).contains("search"));
}
