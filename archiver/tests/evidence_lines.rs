//! Real logs: any lines of them are proven, and nothing of the others leaves the archive.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use archiver::content::{LineKey, NoLines};
use archiver::evidence::lines::LinesError;
use archiver::evidence::package::ExportError;
use archiver::evidence::renew::{RenewOptions, RenewalAction, RenewalAuthorities, Renewer};
use archiver::record::outcome::DepositWarning;
use archiver::tsa::material::NoMaterial;
use formats::asic::AsicReader;
use formats::digest::DigestAlgorithm;
use formats::id::{BatchId, VersionId};
use formats::limits::LINE_BYTES_MAX;
use formats::lines::split_lines;
use formats::package::{LINE_PROOF, REPORT};
use support::archive::World;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::finding::Place;
use verifier::package::verify_package;

const NOW: OffsetDateTime = datetime!(2026-11-22 03:48:30.123 UTC);
const LATER: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);

/// The collected logs; empty where there are none.
fn logs() -> Vec<PathBuf> {
    let corpus = std::env::var_os("FUMIKURA_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(corpus.join("logs")) else {
        println!("left out: no collected logs (set FUMIKURA_CORPUS)");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut logs: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs
}

fn deposit(world: &World, name: &str, content: &[u8]) -> (VersionId, Vec<DepositWarning>) {
    let path = world.folder.path().join(name);
    support::openssl::put(&path, content);
    let record = world.deposit_as("system-log", &path);
    (record.version, record.warnings.clone())
}

fn member(package: &[u8], name: impl Fn(&str) -> bool) -> Vec<u8> {
    let reader = AsicReader::open(package).unwrap();
    let entry = reader.entries().iter().find(|entry| name(entry.name()));
    entry.unwrap().read().unwrap().into_owned()
}

fn shown(package: &[u8]) -> Vec<u8> {
    member(package, |name| name.starts_with("lines/"))
}

/// Whether the package passes the verifier.
fn passes(world: &World, package: &[u8], time: OffsetDateTime) -> bool {
    let report = verify_package(package, &world.context(time), &Place::root());
    report.judgement.is_passed()
}

#[test]
fn any_lines_of_real_logs_are_proven() {
    let world = World::new(NOW);
    let logs = logs();
    let records: Vec<_> = logs
        .iter()
        .map(|path| (path, world.deposit_as("system-log", path)))
        .collect();
    if records.is_empty() {
        return;
    }
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    for (path, record) in records {
        let content = std::fs::read(path).unwrap();
        let lines: Vec<&[u8]> = split_lines(&content).collect();
        let count = lines.len();
        assert_eq!(record.lines, Some(count as u64), "{path:?}");
        for (range, first, last) in [
            ("1", 1, 1),
            ("1200..1203", 1200, 1203),
            ("1023..1026", 1023, 1026),
            ("..1024", 1, 1024),
            ("1025..", 1025, count),
            (&format!("{count}"), count, count),
            ("1..", 1, count),
        ] {
            let (exported, package) = world.export_lines(record.version, range, LATER).unwrap();
            assert!(exported.judgement.is_passed(), "{path:?} {range}");
            assert_eq!(exported.existence, Some(NOW));
            assert_eq!((exported.first, exported.last), (first as u64, last as u64));
            assert_eq!(shown(&package), lines[first - 1..last].concat());
            assert!(passes(&world, &package, LATER), "{path:?} {range}");
        }
    }
}

/// Whether `needle` is anywhere in `bytes`.
fn is_in(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn nothing_of_the_other_lines_is_disclosed() {
    let world = World::new(NOW);
    let Some(path) = logs()
        .into_iter()
        .find(|path| path.ends_with("OpenSSH_2k.log"))
    else {
        return;
    };
    let version = world.deposit_as("system-log", &path).version;
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let (_, package) = world.export_lines(version, "1200..1203", LATER).unwrap();
    let content = std::fs::read(path).unwrap();
    let lines: Vec<&[u8]> = split_lines(&content).collect();
    let disclosed: BTreeSet<&[u8]> = lines[1199..1203].iter().copied().collect();
    let mut opened = world.retriever().open(version).unwrap();
    let index = opened.line_index(0).unwrap().unwrap();
    let key = LineKey::of(&index).unwrap();
    assert!(!is_in(&package, index.key()));
    assert!(!is_in(&package, hex::encode(index.key()).as_bytes()));
    for (number, line) in (1_u64..).zip(&lines) {
        let is_shown = (1200..=1203).contains(&number);
        let salt = hex::encode(key.salt(number));
        assert_eq!(is_in(&package, salt.as_bytes()), is_shown, "line {number}");
        assert!(!is_in(&package, &key.salt(number)), "line {number}");
        if !disclosed.contains(line) {
            let text = line.trim_ascii();
            assert!(!is_in(&package, text), "line {number}");
        }
    }
    let page = String::from_utf8(member(&package, |name| name == REPORT)).unwrap();
    assert!(page.contains("1,200–1,203 / 2,000") && page.contains("TOTAL-PASSED"));
    let proof = member(&package, |name| name == LINE_PROOF);
    assert!(proof.len() < 5000, "{}", proof.len());
}

#[test]
fn a_log_of_several_chunks_is_proven_after_a_rebuild_too() {
    let world = World::new(NOW);
    let mut content = String::new();
    for number in 1..=60_000 {
        let text = "x".repeat(number % 97);
        content.push_str(&format!("{number:06} {text}\r\n"));
    }
    content.push_str("the last line has no end");
    assert!(content.len() > 3 * 1024 * 1024);
    let (version, warnings) = deposit(&world, "large.log", content.as_bytes());
    assert_eq!(warnings, []);
    world.stamp(DigestAlgorithm::Sha512).unwrap();
    let (_, before) = world.export_lines(version, "31337..31340", LATER).unwrap();
    let world = world.rebuild();
    let (_, after) = world.export_lines(version, "31337..31340", LATER).unwrap();
    assert_eq!(before, after);
    assert!(passes(&world, &after, LATER));
    let (exported, package) = world.export_lines(version, "60000..", LATER).unwrap();
    assert_eq!((exported.last, exported.lines), (60_001, 60_001));
    assert!(shown(&package).ends_with(b"\r\nthe last line has no end"));
    assert!(passes(&world, &package, LATER));
    // The whole is what it was: the index beside the content is no document.
    let (whole, package) = world.export(version, LATER).unwrap();
    assert_eq!(whole.documents, 1);
    assert!(passes(&world, &package, LATER));
    let (_, summary) = world.verify(LATER, archiver::evidence::verify_records::Period::default());
    assert_eq!(summary.passed, 1);
}

#[test]
fn what_is_no_log_goes_in_without_a_line_tree_and_says_so() {
    let world = World::new(NOW);
    let long = [b"short\n".as_slice(), &vec![0; LINE_BYTES_MAX + 1]].concat();
    let (binary, warnings) = deposit(&world, "binary.log", &long);
    assert_eq!(
        warnings,
        [DepositWarning::NoLines(NoLines::LineTooLong { line: 2 })]
    );
    let (empty, warnings) = deposit(&world, "empty.log", b"");
    assert_eq!(warnings, [DepositWarning::Empty]);
    let general = world.deposit("general.log", b"one\ntwo\n");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let reason = |version| match world.export_lines(version, "1", LATER) {
        Err(LinesError::NoTree { reason }) => reason,
        other => panic!("{:?}", other.map(|_| ())),
    };
    assert!(reason(binary).unwrap().contains("line 2 is longer than"));
    assert_eq!(reason(empty), None);
    assert_eq!(reason(general), None);
    assert!(world.export(binary, LATER).unwrap().0.judgement.is_passed());
}

#[test]
fn lines_that_are_not_there_and_records_without_timestamps_have_no_package() {
    let world = World::new(NOW);
    let (version, _) = deposit(&world, "a.log", b"one\ntwo\n");
    let refused = world.export_lines(version, "1", LATER);
    assert!(matches!(
        refused,
        Err(LinesError::Export(ExportError::NotStamped { .. }))
    ));
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    for range in ["3", "2..3", "3.."] {
        let refused = world.export_lines(version, range, LATER);
        assert!(
            matches!(refused, Err(LinesError::BeyondEnd { lines: 2 })),
            "{range}"
        );
    }
    let (exported, _) = world.export_lines(version, "..2", LATER).unwrap();
    assert_eq!(exported.shown_bytes, 8);
}

#[test]
fn two_deposits_of_the_same_log_have_other_hashes() {
    let world = World::new(NOW);
    let (one, _) = deposit(&world, "one.log", b"same\nlines\n");
    let (two, _) = deposit(&world, "two.log", b"same\nlines\n");
    let roots = |version| {
        let opened = world.retriever().open(version).unwrap();
        opened.manifest().objects[0].lines.clone().unwrap().roots
    };
    assert_ne!(roots(one), roots(two));
}

fn heads(world: &World) -> Vec<BatchId> {
    let heads = world.catalog.heads().unwrap().into_iter();
    heads
        .filter(|head| head.live > 0)
        .map(|head| head.entry.batch)
        .collect()
}

fn renew(world: &World, action: &RenewalAction) {
    let appender = world.store.appender().unwrap();
    let renewer = Renewer {
        authorities: RenewalAuthorities {
            first: &world.client,
            second: None,
        },
        log: &appender,
        frames: &world.store,
        catalog: &world.catalog,
        retriever: world.retriever(),
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
        threads: NonZeroUsize::MIN,
        material: &NoMaterial,
        anchors: &[],
        options: RenewOptions::default(),
    };
    let renewed = renewer.run(action, &mut |_| {}).unwrap();
    assert!(renewed.is_whole(), "{renewed:?}");
}

#[test]
fn lines_of_renewed_records_are_proven() {
    let world = World::new(NOW);
    let (version, _) = deposit(&world, "a.log", b"one\ntwo\nthree\nfour\n");
    deposit(&world, "b.log", b"another\n");
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let actions: [fn(&World) -> RenewalAction; 4] = [
        |world| RenewalAction::TimeStamp {
            track: 0,
            algorithm: DigestAlgorithm::Sha256,
            heads: heads(world),
        },
        |world| RenewalAction::HashTree {
            track: 0,
            from: DigestAlgorithm::Sha256,
            to: DigestAlgorithm::Sha512,
            heads: heads(world),
        },
        |_| RenewalAction::ReHash {
            algorithm: DigestAlgorithm::Sha3_512,
            versions: 2,
        },
        |world| RenewalAction::HashTree {
            track: 0,
            from: DigestAlgorithm::Sha512,
            to: DigestAlgorithm::Sha3_512,
            heads: heads(world),
        },
    ];
    let mut sizes = BTreeSet::new();
    for action in actions {
        world.clock.advance(Duration::days(30));
        renew(&world, &action(&world));
        let (exported, package) = world.export_lines(version, "2..3", LATER).unwrap();
        assert!(exported.judgement.is_passed());
        assert_eq!(exported.existence, Some(NOW));
        assert_eq!(shown(&package), b"two\nthree\n");
        assert!(passes(&world, &package, LATER));
        sizes.insert(exported.evidence_bytes);
    }
    assert_eq!(
        sizes.len(),
        3,
        "each renewal makes the evidence longer, a re-hash does not"
    );
}
