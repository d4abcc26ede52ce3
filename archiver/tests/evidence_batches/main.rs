//! Batches of every size lead from each leaf to the one token, and failures leave no half batch.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod pages;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use archiver::evidence::assemble::{AssembleError, StoredBatch};
use archiver::evidence::batch::{BatchMaker, BatchStep, MadeBatch, StampError};
use archiver::evidence::plan::PlannedBatch;
use archiver::tsa::checks::AcceptedToken;
use archiver::tsa::client::{Failover, Timestamper, TsaClient};
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use archiver::tsa::refusal::TsaError;
use archiver::tsa::transport::TransportError;
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::cms::AlgorithmIdentifier;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::{group_hash, root_of};
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord};
use formats::id::{RecordId, VersionId};
use formats::segment::{Frame, TimeStampKind};
use support::log::MemoryLog;
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::evidence::{Group, verify_record};
use verifier::finding::Place;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::{DigestSource, KnownDigests};

const NOW: OffsetDateTime = datetime!(2026-11-22 03:48:30.123 UTC);

struct World {
    clock: Arc<SimulatedClock>,
    entropy: Arc<SeededEntropy>,
    client: TsaClient,
    root: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(SimulatedClock::new(NOW));
        let entropy = Arc::new(SeededEntropy::new(1));
        let material = AuthorityMaterial::make("test", NOW, entropy.as_ref()).unwrap();
        let root = material.root.clone();
        let authority = EmbeddedAuthority::new(material, clock.clone(), entropy.clone()).unwrap();
        let client = TsaClient::embedded(Arc::new(authority), clock.clone(), entropy.clone());
        Self {
            clock,
            entropy,
            client,
            root,
        }
    }

    fn make_with(
        &self,
        authority: &dyn Timestamper,
        log: &MemoryLog,
        batch: PlannedBatch,
    ) -> Result<MadeBatch, StampError> {
        let maker = BatchMaker {
            authority,
            second: None,
            log,
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
        };
        maker.make(&batch, &mut |_| {})
    }

    fn make(&self, log: &MemoryLog, batch: PlannedBatch) -> MadeBatch {
        self.make_with(&self.client, log, batch).unwrap()
    }
}

/// The group of a version with one document, or with three.
fn group(algorithm: DigestAlgorithm, number: u64) -> Vec<DigestValue> {
    let members = if number.is_multiple_of(3) { 4 } else { 2 };
    (0..members)
        .map(|member: u64| algorithm.digest(&[number.to_be_bytes(), member.to_be_bytes()].concat()))
        .collect()
}

fn batch(algorithm: DigestAlgorithm, count: u64) -> PlannedBatch {
    let leaf = |number| {
        group_hash(algorithm, &group(algorithm, number))
            .unwrap()
            .as_bytes()
            .to_vec()
    };
    PlannedBatch {
        algorithm,
        versions: (0..count)
            .map(|number| VersionId::first(RecordId::new(number, &[0; 10])))
            .collect(),
        leaves: (0..count).flat_map(leaf).collect(),
    }
}

fn check_mathematics(record: &[u8], algorithm: DigestAlgorithm, number: u64) {
    let record = EvidenceRecord::parse(record).unwrap();
    assert_eq!(record.sequence.len(), 1);
    let time_stamp = &record.sequence[0].time_stamps[0];
    let lists = time_stamp.reduced_hash_tree.as_ref().unwrap();
    let mut members: Vec<Vec<u8>> = group(algorithm, number)
        .iter()
        .map(|v| v.as_bytes().to_vec())
        .collect();
    members.sort();
    assert_eq!(lists[0].0, members);
    let imprint = time_stamp.token().unwrap().info.imprint.value().unwrap();
    assert_eq!(root_of(algorithm, lists).unwrap(), imprint);
}

#[test]
fn every_leaf_of_a_batch_of_any_size_leads_to_the_token() {
    let world = World::new();
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        for count in [
            1u64, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 100, 4095, 4096, 4097, 8193, 10_000,
        ] {
            let log = MemoryLog::default();
            let made = world.make(&log, batch(algorithm, count));
            assert_eq!(made.frame.leaf_count, count);
            assert_eq!(made.frame.kind, TimeStampKind::Initial);
            assert_eq!(made.frame.stamped_at, NOW);
            assert_eq!(log.committed().len(), log.len());
            let stored = StoredBatch::open(&log, made.address).unwrap();
            let step = (count / 97).max(1);
            for leaf in (0..count).filter(|leaf| {
                leaf % usize::try_from(step).unwrap() as u64 == 0 || *leaf + 2 > count
            }) {
                let record = stored
                    .evidence_record(leaf, &group(algorithm, leaf))
                    .unwrap();
                check_mathematics(&record, algorithm, leaf);
            }
        }
    }
}

#[test]
fn the_verifier_passes_assembled_evidence() {
    let world = World::new();
    let algorithm = DigestAlgorithm::Sha256;
    let anchors = [TrustAnchor::from_certificate(&world.root).unwrap()];
    let policy = Policy::default();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: datetime!(2027-06-01 00:00 UTC),
        cache: None,
        registry: None,
    };
    for count in [1u64, 2, 3, 7, 100] {
        let log = MemoryLog::default();
        let made = world.make(&log, batch(algorithm, count));
        let stored = StoredBatch::open(&log, made.address).unwrap();
        for leaf in 0..count {
            let record = stored
                .evidence_record(leaf, &group(algorithm, leaf))
                .unwrap();
            let data: Vec<KnownDigests> = group(algorithm, leaf)
                .into_iter()
                .map(|digest| KnownDigests::computed("member", vec![digest]))
                .collect();
            let data: Vec<&dyn DigestSource> = data
                .iter()
                .map(|one| -> &dyn DigestSource { one })
                .collect();
            let report = verify_record(&record, &data, Group::Whole, &context, &Place::root());
            assert!(
                report.judgement.is_passed(),
                "{count} {leaf}: {:?} {:?}",
                report.judgement,
                report.findings
            );
            assert_eq!(report.existence, Some(NOW));
        }
    }
}

#[test]
fn a_million_leaves_take_one_token_and_small_evidence() {
    let world = World::new();
    let algorithm = DigestAlgorithm::Sha256;
    let count = 1_000_000u64;
    let log = MemoryLog::default();
    let started = std::time::Instant::now();
    let made = world.make(&log, batch(algorithm, count));
    println!("a batch of {count} leaves: {:?}", started.elapsed());
    assert!(made.frame.leaves.is_empty());
    assert_eq!(made.frame.leaf_pages.len(), 245);
    let stamps = log
        .committed()
        .into_iter()
        .filter(|frame| matches!(frame, Frame::ArchiveTimeStamp(_)));
    assert_eq!(stamps.count(), 1);
    let stored = StoredBatch::open(&log, made.address).unwrap();
    for leaf in [
        0, 1, 2, 4095, 4096, 499_999, 524_287, 524_288, 999_997, 999_998, 999_999,
    ] {
        let record = stored
            .evidence_record(leaf, &group(algorithm, leaf))
            .unwrap();
        assert!(record.len() < 3000, "{} bytes", record.len());
        check_mathematics(&record, algorithm, leaf);
    }
}

#[test]
fn steps_are_told_in_order() {
    let world = World::new();
    let log = MemoryLog::default();
    let maker = BatchMaker {
        authority: &world.client,
        second: None,
        log: &log,
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
    };
    let mut steps = Vec::new();
    maker
        .make(&batch(DigestAlgorithm::Sha256, 5), &mut |step| {
            steps.push(step);
        })
        .unwrap();
    assert_eq!(
        steps,
        [
            BatchStep::TreeBuilt { leaves: 5 },
            BatchStep::Stamped { gen_time: NOW },
            BatchStep::Committed
        ]
    );
}

#[derive(Debug)]
struct Unreachable;

impl Timestamper for Unreachable {
    fn name(&self) -> &str {
        "far away"
    }

    fn timestamp(&self, _: &DigestValue) -> Result<AcceptedToken, TsaError> {
        Err(TsaError::Transport(TransportError::TimeOut))
    }
}

#[test]
fn when_the_authority_fails_nothing_is_written() {
    let world = World::new();
    let log = MemoryLog::default();
    let failed = world.make_with(&Unreachable, &log, batch(DigestAlgorithm::Sha256, 5));
    assert!(matches!(
        failed,
        Err(StampError::Authority(TsaError::Transport(
            TransportError::TimeOut
        )))
    ));
    assert!(failed.unwrap_err().to_string().contains("stay queued"));
    assert_eq!(log.len(), 0);
}

#[test]
fn the_second_authority_serves_when_the_first_fails() {
    let world = World::new();
    let log = MemoryLog::default();
    let both = Failover::new(vec![Box::new(Unreachable), Box::new(world.client.clone())]);
    let made = world
        .make_with(&both, &log, batch(DigestAlgorithm::Sha256, 5))
        .unwrap();
    assert_eq!(made.frame.tsa, "embedded (NOT ACCREDITED)");
    let none = Failover::new(vec![Box::new(Unreachable), Box::new(Unreachable)]);
    let failed = world
        .make_with(&none, &log, batch(DigestAlgorithm::Sha256, 5))
        .unwrap_err();
    let StampError::Authority(TsaError::All(failures)) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(failures.len(), 2);
}

#[test]
fn a_failure_before_the_archive_timestamp_leaves_no_batch() {
    let world = World::new();
    // 5 leaves make 4 levels of one page each; the archive timestamp is the fifth frame.
    for frames_max in 0..5 {
        let log = MemoryLog::with_room_for(frames_max);
        let failed = world.make_with(&world.client, &log, batch(DigestAlgorithm::Sha256, 5));
        assert!(matches!(failed, Err(StampError::Store(_))), "{frames_max}");
        assert!(log.committed().is_empty());
    }
    let log = MemoryLog::without_commit();
    let failed = world.make_with(&world.client, &log, batch(DigestAlgorithm::Sha256, 5));
    assert!(matches!(failed, Err(StampError::Store(_))));
    assert!(log.committed().is_empty());
}

#[test]
fn an_empty_or_uneven_batch_is_refused() {
    let world = World::new();
    let log = MemoryLog::default();
    let mut uneven = batch(DigestAlgorithm::Sha256, 2);
    uneven.leaves.pop();
    for planned in [batch(DigestAlgorithm::Sha256, 0), uneven] {
        let failed = world.make_with(&world.client, &log, planned);
        assert!(matches!(failed, Err(StampError::Tree(_))));
        assert_eq!(log.len(), 0);
    }
}

#[test]
fn a_changed_document_has_no_evidence() {
    let world = World::new();
    let log = MemoryLog::default();
    let made = world.make(&log, batch(DigestAlgorithm::Sha256, 10));
    let stored = StoredBatch::open(&log, made.address).unwrap();
    let mut changed = group(DigestAlgorithm::Sha256, 4);
    changed[1] = DigestAlgorithm::Sha256.digest(b"changed");
    assert!(matches!(
        stored.evidence_record(4, &changed),
        Err(AssembleError::NotCovered)
    ));
    // The right document at the wrong leaf.
    let other = group(DigestAlgorithm::Sha256, 5);
    assert!(matches!(
        stored.evidence_record(4, &other),
        Err(AssembleError::NotCovered)
    ));
    assert!(matches!(
        stored.evidence_record(4, &[]),
        Err(AssembleError::Format(_) | AssembleError::NotCovered)
    ));
    assert!(matches!(
        stored.evidence_record(10, &other),
        Err(AssembleError::NoSuchLeaf)
    ));
    assert!(matches!(
        stored.evidence_record(u64::MAX, &other),
        Err(AssembleError::NoSuchLeaf)
    ));
}

#[test]
fn a_page_of_another_batch_or_level_is_refused() {
    let world = World::new();
    let log = MemoryLog::default();
    let made = world.make(&log, batch(DigestAlgorithm::Sha256, 10));
    let other = world.make(&log, batch(DigestAlgorithm::Sha256, 10));
    let address = made.frame.tree_pages[0];
    let Frame::TreePage(own) = archiver::evidence::log::FrameSource::read(&log, address).unwrap()
    else {
        panic!("not a page");
    };
    let foreign =
        archiver::evidence::log::FrameSource::read(&log, other.frame.tree_pages[0]).unwrap();
    let mut other_level = own.clone();
    other_level.level = 1;
    let mut changed = own.clone();
    changed.nodes[5 * 32] ^= 1;
    for frame in [foreign, Frame::TreePage(other_level)] {
        log.replace(address, frame);
        let stored = StoredBatch::open(&log, made.address).unwrap();
        let refused = stored.evidence_record(4, &group(DigestAlgorithm::Sha256, 4));
        assert!(
            matches!(refused, Err(AssembleError::WrongFrame { .. })),
            "{refused:?}"
        );
    }
    log.replace(address, Frame::TreePage(changed));
    let stored = StoredBatch::open(&log, made.address).unwrap();
    let refused = stored.evidence_record(4, &group(DigestAlgorithm::Sha256, 4));
    assert!(
        matches!(refused, Err(AssembleError::NotCovered)),
        "{refused:?}"
    );
    assert!(matches!(
        StoredBatch::open(&log, address),
        Err(AssembleError::WrongFrame { .. })
    ));
}

#[test]
fn the_short_way_of_writing_a_record_gives_the_bytes_of_the_long_one() {
    let world = World::new();
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        for count in [1u64, 2, 13, 600] {
            let log = MemoryLog::default();
            let made = world.make(&log, batch(algorithm, count));
            let stored = StoredBatch::open(&log, made.address).unwrap();
            for leaf in [0, count / 2, count - 1] {
                let record = stored
                    .evidence_record(leaf, &group(algorithm, leaf))
                    .unwrap();
                let lists = EvidenceRecord::parse(&record).unwrap().sequence[0].time_stamps[0]
                    .reduced_hash_tree
                    .clone();
                let time_stamp = ArchiveTimeStamp {
                    digest_algorithm: Some(AlgorithmIdentifier::of_digest(algorithm)),
                    attributes: Vec::new(),
                    reduced_hash_tree: lists,
                    time_stamp: made.frame.token.clone(),
                };
                let chain =
                    ArchiveTimeStampChain::new(vec![time_stamp.into_raw().unwrap()]).unwrap();
                let encoded = EvidenceRecord::new(vec![chain]).unwrap().encode().unwrap();
                assert_eq!(record, encoded);
            }
        }
    }
}
