//! From a deposit to a package that an outsider's verifier passes, and back: what was changed is named.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use archiver::evidence::package::ExportError;
use archiver::evidence::verify_records::{Outcome, Period};
use archiver::record::error::RetrieveError;
use formats::asic::AsicReader;
use formats::digest::DigestAlgorithm;
use formats::id::{BatchId, RecordId, VersionId};
use formats::package::{AUDIT, REPORT};
use formats::segment::{Frame, TreePage};
use support::archive::World;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::finding::Place;
use verifier::package::verify_package;
use verifier::verdict::{Conclusion, Integrity};

const NOW: OffsetDateTime = datetime!(2026-11-22 03:48:30.123 UTC);
const LATER: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);

fn incompressible(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_package_passes_the_verifier() {
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        let world = World::new(NOW);
        let small = world.deposit("請求書 <1>.txt", "税込 ¥110,000\n".as_bytes());
        let large = world.deposit("large.bin", &incompressible(3_000_000));
        let empty = world.deposit("empty", b"");
        world.stamp(algorithm).unwrap();
        for (version, content) in [
            (small, "税込 ¥110,000\n".as_bytes().to_vec()),
            (large, incompressible(3_000_000)),
            (empty, Vec::new()),
        ] {
            let (exported, package) = world.export(version, LATER).unwrap();
            assert!(exported.judgement.is_passed());
            assert_eq!(exported.existence, Some(NOW));
            assert!(exported.evidence_bytes < 3000);
            let report = verify_package(&package, &world.context(LATER), &Place::root());
            assert!(
                report.judgement.is_passed(),
                "{:?} {:?}",
                report.judgement,
                report.findings
            );
            assert_eq!(report.existence, Some(NOW));
            let reader = AsicReader::open(&package).unwrap();
            let document = reader
                .entries()
                .iter()
                .find(|entry| entry.name().starts_with("documents/"))
                .unwrap();
            assert_eq!(document.read().unwrap().as_ref(), content);
        }
    }
}

#[test]
fn audit_and_report_tell_what_happened() {
    let world = World::new(NOW);
    let version = world.deposit("a<b>&'\".txt", b"text");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let (_, package) = world.export(version, LATER).unwrap();
    let reader = AsicReader::open(&package).unwrap();
    let member = |name: &str| {
        reader
            .entries()
            .iter()
            .find(|entry| entry.name() == name)
            .unwrap()
            .read()
            .unwrap()
            .into_owned()
    };
    let audit: serde_json::Value = serde_json::from_slice(&member(AUDIT)).unwrap();
    let events: Vec<&str> = audit["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["deposited", "stamped", "exported"]);
    assert_eq!(audit["events"][1]["authority"], "embedded (NOT ACCREDITED)");
    let page = String::from_utf8(member(REPORT)).unwrap();
    assert!(page.contains("TOTAL-PASSED") && page.contains("証拠パッケージ"));
    assert!(page.contains("a&lt;b&gt;&amp;&#39;&quot;.txt"));
    assert!(!page.contains("a<b>"));
}

#[test]
fn the_same_export_gives_the_same_bytes() {
    let world = World::new(NOW);
    let version = world.deposit("a.txt", b"text");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let (_, one) = world.export(version, LATER).unwrap();
    let (_, two) = world.export(version, LATER).unwrap();
    assert_eq!(one, two);
}

#[test]
fn what_is_not_stamped_or_not_there_has_no_package() {
    let world = World::new(NOW);
    let version = world.deposit("a.txt", b"text");
    let refused = world.export(version, LATER);
    assert!(matches!(refused, Err(ExportError::NotStamped { version: named }) if named == version));
    let unknown = VersionId::first(RecordId::new(5, &[5; 10]));
    let refused = world.export(unknown, LATER);
    assert!(matches!(
        refused,
        Err(ExportError::Retrieve(RetrieveError::NotFound { .. }))
    ));
}

#[test]
fn a_package_is_made_even_when_the_evidence_does_not_pass_and_says_so() {
    let mut world = World::new(NOW);
    let version = world.deposit("a.txt", b"text");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    world.anchors.clear();
    let (exported, _) = world.export(version, LATER).unwrap();
    assert_eq!(exported.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(exported.judgement.integrity(), Integrity::Intact);
    assert_eq!(exported.existence, None);
}

#[test]
fn verifying_names_each_version_in_order() {
    let world = World::new(NOW);
    let mut versions = Vec::new();
    for number in 0..40 {
        versions.push(world.deposit(
            &format!("{number}.txt"),
            format!("text {number}").as_bytes(),
        ));
        if number % 10 == 8 {
            world.clock.advance(Duration::minutes(1));
            world.stamp(DigestAlgorithm::Sha256).unwrap();
        }
    }
    let (verdicts, summary) = world.verify(LATER, Period::default());
    assert_eq!(
        (summary.versions, summary.passed, summary.unstamped),
        (40, 39, 1),
        "{verdicts:?}"
    );
    assert!(summary.is_good());
    versions.sort();
    for (verdict, version) in verdicts.iter().zip(&versions) {
        assert!(verdict.starts_with(&version.to_string()), "{verdict}");
    }
}

#[test]
fn a_period_limits_what_is_verified() {
    let world = World::new(NOW);
    for number in 0..4 {
        world.deposit(&format!("{number}.txt"), &[number]);
        world.clock.advance(Duration::hours(1));
    }
    let period = Period {
        from: Some(NOW + Duration::hours(1)),
        to: Some(NOW + Duration::hours(3)),
        ..Period::default()
    };
    assert_eq!(world.verify(LATER, period).1.versions, 2);
    let period = Period {
        from: Some(NOW + Duration::hours(9)),
        to: None,
        ..Period::default()
    };
    assert_eq!(world.verify(LATER, period).1.versions, 0);
}

#[test]
fn versions_that_are_named_are_verified_and_unknown_ones_are_told() {
    let world = World::new(NOW);
    let version = world.deposit("a.txt", b"text");
    let unknown = VersionId::first(RecordId::new(5, &[5; 10]));
    let mut verdicts = Vec::new();
    let summary = world
        .verifier(LATER)
        .verify_versions(&[unknown, version], &mut |verdict| {
            verdicts.push((
                verdict.version,
                matches!(
                    verdict.outcome,
                    Outcome::Unreadable(RetrieveError::NotFound { .. })
                ),
            ));
        })
        .unwrap();
    assert_eq!(verdicts, [(version, false), (unknown, true)]);
    assert_eq!((summary.unstamped, summary.unreadable), (1, 1));
}

#[test]
fn without_trust_nothing_passes_and_nothing_is_called_broken() {
    let mut world = World::new(NOW);
    world.deposit("a.txt", b"text");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    world.anchors.clear();
    let (_, summary) = world.verify(LATER, Period::default());
    assert_eq!(
        (summary.passed, summary.indeterminate, summary.failed),
        (0, 1, 0)
    );
}

#[test]
fn after_the_end_of_the_certificate_evidence_without_renewal_is_not_passed() {
    let world = World::new(NOW);
    world.deposit("a.txt", b"text");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let (verdicts, summary) = world.verify(NOW + Duration::days(365 * 10 + 5), Period::default());
    assert_eq!((summary.passed, summary.indeterminate), (0, 1));
    assert!(verdicts[0].contains("OutOfBoundsNoPoe"), "{verdicts:?}");
    assert!(verdicts[0].contains("Intact"), "{verdicts:?}");
}

#[test]
fn evidence_survives_the_loss_of_the_index() {
    let world = World::new(NOW);
    let version = world.deposit("a.txt", b"text");
    world.deposit("b.txt", b"other");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let waiting = world.deposit("c.txt", b"waits");
    let (_, before) = world.export(version, LATER).unwrap();
    let world = world.rebuild();
    assert_eq!(world.export(version, LATER).unwrap().1, before);
    let unstamped = world.catalog.unstamped(usize::MAX).unwrap();
    assert_eq!(
        unstamped.iter().map(|one| one.version).collect::<Vec<_>>(),
        [waiting]
    );
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    assert_eq!(world.verify(LATER, Period::default()).1.passed, 3);
}

/// What a process that dies between the pages and the archive timestamp leaves behind.
#[test]
fn pages_without_archive_timestamp_leave_the_records_queued() {
    let world = World::new(NOW);
    let version = world.deposit("a.txt", b"text");
    let appender = world.store.appender().unwrap();
    let page = TreePage {
        batch: BatchId::new(1, &[1; 10]),
        algorithm: DigestAlgorithm::Sha256,
        level: 0,
        first: 0,
        nodes: vec![7; 32],
    };
    let address = appender.append(Frame::TreePage(page)).unwrap();
    // Committed pages are the worst case: without the commit they are cut off at the next opening.
    appender.commit(address).unwrap();
    drop(appender);
    let world = world.rebuild();
    let unstamped = world.catalog.unstamped(usize::MAX).unwrap();
    assert_eq!(
        unstamped.iter().map(|one| one.version).collect::<Vec<_>>(),
        [version]
    );
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    assert_eq!(world.verify(LATER, Period::default()).1.passed, 1);
}

/// With one replica there is no good copy to fall back to: whatever byte of a frame is damaged, a verdict or the check of the stored
/// bytes says so. Left out is the commit mark at the end of the open segment: nothing of a record stands in it or after it.
#[test]
fn damage_anywhere_in_the_segment_is_noticed() {
    use std::os::unix::fs::FileExt;
    let world = World::new(NOW);
    for number in 0..3 {
        world.deposit(&format!("{number}.txt"), &incompressible(300 + number));
    }
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let path = world.segments().pop().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for place in (0..bytes.len() - COMMIT_MARK_BYTES).step_by(37) {
        file.write_at(&[bytes[place] ^ (1 << (place % 8))], place as u64)
            .unwrap();
        let (verdicts, summary) = world.verify(LATER, Period::default());
        let fixity = world.store.verify_segment(1).unwrap();
        let noticed = fixity
            .replicas
            .iter()
            .any(|replica| !replica.problems.is_empty());
        assert!(noticed || summary.failed > 0, "byte {place}: {verdicts:?}");
        file.write_at(&[bytes[place]], place as u64).unwrap();
    }
    assert_eq!(world.verify(LATER, Period::default()).1.passed, 3);
}

/// Header and body of a commit mark.
const COMMIT_MARK_BYTES: usize = 12 + 37;
