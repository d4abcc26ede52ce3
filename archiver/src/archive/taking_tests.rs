//! Deposits of an intake into a whole archive, with a real clamd before it.

use std::io::Cursor;

use formats::manifest::Metadata;

use crate::archive::Archive;
use crate::archive::taking_fixture::archive;
use crate::config::MalwareConfig;
use crate::intake::malware::real::{RealClamd, eicar};
use crate::intake::malware::{ScannerAddress, Unscanned};
use crate::intake::{Source, SourceName, TakeUnder, Taken, TakesIn};
use crate::record::error::RetrieveError;

fn take(archive: &Archive, name: &str, content: &[u8]) -> Result<Taken, crate::intake::TakeError> {
    let source = Source::Stream {
        name: SourceName::from_bytes(name.as_bytes()),
        reader: Box::new(Cursor::new(content.to_vec())),
    };
    let under = TakeUnder {
        class: "general",
        given: &Metadata::default(),
        depositor: "tester",
        channel: "test",
    };
    archive.take(source, &under)
}

fn content(archive: &Archive, taken: &Taken) -> Result<Vec<u8>, RetrieveError> {
    let mut found = Vec::new();
    let mut opened = archive.retriever().open(taken.version)?;
    opened.write_object(0, &mut found).map(|()| found)
}

fn scanning(socket: std::path::PathBuf, unscanned: Unscanned) -> Option<MalwareConfig> {
    Some(MalwareConfig {
        socket: ScannerAddress::Unix(socket),
        unscanned,
        stream_max: 1 << 20,
        timeout_s: 30,
    })
}

#[test]
fn an_infected_deposit_is_kept_unaltered_and_handed_out_after_two_people_released_it() {
    let Some(clamd) = RealClamd::start() else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let malware = || scanning(clamd.socket(), Unscanned::Refuse);
    let archive_open = archive(&place, malware());
    let clean = take(&archive_open, "clean.txt", b"an invoice").unwrap();
    assert_eq!(clean.threat, None);
    assert_eq!(content(&archive_open, &clean).unwrap(), b"an invoice");
    let bad = take(&archive_open, "bad.com", &eicar()).unwrap();
    let threat = bad.threat.clone().unwrap();
    assert!(threat.starts_with("Fumikura.Test"), "{threat}");
    let refused = |archive: &Archive| {
        let refused = content(archive, &bad);
        assert!(matches!(refused, Err(RetrieveError::Quarantined { .. })));
    };
    refused(&archive_open);
    assert_eq!(archive_open.quarantined().unwrap()[0].version, bad.version);
    // The same again is the same record, still held; also after the next opening, and with nothing that scans.
    let again = take(&archive_open, "bad.com", &eicar()).unwrap();
    assert_eq!(
        (again.was_there, again.threat.as_ref()),
        (true, Some(&threat))
    );
    archive_open.close().unwrap();
    let archive_open = archive(&place, None);
    refused(&archive_open);
    let release = |people| {
        let released = archive_open.release_from_quarantine("tester", bad.version, people, "why");
        released.unwrap().is_some()
    };
    assert!(!release(["sato", "Sato"]));
    assert!(!release(["sato", ""]));
    refused(&archive_open);
    assert!(release(["sato", "suzuki"]));
    assert_eq!(content(&archive_open, &bad).unwrap(), eicar());
    assert!(archive_open.quarantined().unwrap().is_empty());
    // What is in no quarantine cannot be released.
    assert!(!release(["sato", "suzuki"]));
}

#[test]
fn without_a_scanner_a_deposit_is_refused_or_says_that_it_was_not_scanned() {
    let place = tempfile::tempdir().unwrap();
    let nobody = place.path().join("nobody");
    let archive_open = archive(&place, scanning(nobody.clone(), Unscanned::Refuse));
    let refused = take(&archive_open, "a", b"a").unwrap_err();
    assert!(refused.may_pass(), "{refused}");
    archive_open.close().unwrap();
    let archive_open = archive(&place, scanning(nobody, Unscanned::Accept));
    let taken = take(&archive_open, "a", b"a").unwrap();
    assert!(!taken.was_there && taken.threat.is_none());
    let opened = archive_open.retriever().open(taken.version).unwrap();
    let facts = &opened.manifest().facts;
    assert_eq!(facts["malware-verdict"], "not-scanned");
    assert_eq!(facts["malware-reason"], "unreachable");
}

#[test]
fn an_unknown_class_and_a_bad_name_are_told_apart() {
    let place = tempfile::tempdir().unwrap();
    let archive = archive(&place, None);
    let bad_name = take(&archive, "../a", b"a").unwrap_err();
    assert!(!bad_name.may_pass(), "{bad_name}");
    let given = Metadata::default();
    let under = TakeUnder {
        class: "none-such",
        given: &given,
        depositor: "tester",
        channel: "test",
    };
    let source = Source::Stream {
        name: SourceName::from_bytes(*b"a"),
        reader: Box::new(Cursor::new(Vec::new())),
    };
    assert!(archive.take(source, &under).unwrap_err().may_pass());
}
