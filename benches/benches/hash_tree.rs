//! Evidence for a million records: building the hash tree, assembling all evidence records from its pages, checking them.
//!
//! The figures that are measured once (the whole batch, the growth with the number of leaves, the size of a record) are printed before
//! the benches of `criterion` run. Run it with `cargo bench -p benches --bench hash_tree`.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints its figures and stops where something is wrong"
)]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archiver::evidence::assemble::StoredBatch;
use archiver::evidence::geometry::TreeGeometry;
use archiver::evidence::log::FrameSource;
use archiver::store::StoreError;
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::{HashTree, group_hash, reduced_hash_tree};
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord};
use formats::id::BatchId;
use formats::segment::{self, Frame, FrameAddress, Leaves, TimeStampKind, TreePage};
use formats::tsp::{MessageImprint, TimeStampRequest, TimeStampResponse};
use formats::x509::AlgorithmIdentifier;
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::context::Context;
use verifier::evidence::{Group, verify_record};
use verifier::finding::Place;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::DataBytes;
use verifier::verdict::Conclusion;

const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;
const MILLION: u64 = 1_000_000;
/// What one evidence record of a batch of a million may take: the target of the product.
const RECORD_BYTES_MAX: usize = 3000;
const STAMPED_AT: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);
/// Records assembled or checked in one iteration.
const SAMPLE: u64 = 1000;
/// How long each bench is measured.
const MEASURED: Duration = Duration::from_secs(8);

/// A stamped batch whose pages stand in memory, as the segments hold them.
struct Batch {
    stamp: segment::ArchiveTimeStamp,
    tree: HashTree,
    pages: Vec<TreePage>,
    anchor: TrustAnchor,
}

impl FrameSource for Batch {
    fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        let page = usize::try_from(address.offset).unwrap();
        Ok(Frame::TreePage(self.pages[page].clone()))
    }
}

impl Batch {
    fn new(leaf_count: u64) -> Self {
        let tree = HashTree::build(ALGORITHM, leaves(leaf_count), two_threads()).unwrap();
        let (token, anchor) = stamp(tree.root());
        let batch = BatchId::from_bytes([7; 16]);
        let pages: Vec<TreePage> = pages_of(&tree, batch);
        let addresses = (0..).map(|page| FrameAddress::new(1, page));
        Self {
            stamp: segment::ArchiveTimeStamp {
                batch,
                kind: TimeStampKind::Initial,
                track: 0,
                tree: batch,
                algorithm: ALGORITHM,
                stamped_at: STAMPED_AT,
                leaf_count,
                tree_pages: addresses.take(pages.len()).collect(),
                leaf_pages: Vec::new(),
                leaves: Leaves::none(TimeStampKind::Initial),
                tsa: "embedded".to_owned(),
                token,
            },
            tree,
            pages,
            anchor,
        }
    }

    fn stored(&self) -> StoredBatch<'_> {
        StoredBatch::new(self, self.stamp.clone(), &[]).unwrap()
    }

    /// The same record by way of the types of `formats`, which reads what it has written.
    fn encoded(&self, leaf: u64) -> Vec<u8> {
        let siblings = self.tree.siblings(usize::try_from(leaf).unwrap()).unwrap();
        let time_stamp = ArchiveTimeStamp {
            digest_algorithm: Some(AlgorithmIdentifier::of_digest(ALGORITHM)),
            attributes: Vec::new(),
            reduced_hash_tree: Some(reduced_hash_tree(&group(leaf), &siblings)),
            time_stamp: self.stamp.token.clone(),
        };
        let chain = ArchiveTimeStampChain::new(vec![time_stamp.into_raw().unwrap()]).unwrap();
        EvidenceRecord::new(vec![chain]).unwrap().encode().unwrap()
    }
}

/// A manifest and one document: the bytes whose digests are the data-object group of a leaf.
fn objects(leaf: u64) -> [Vec<u8>; 2] {
    ["manifest", "document"].map(|name| format!("{name} of record {leaf}").into_bytes())
}

fn group(leaf: u64) -> [DigestValue; 2] {
    objects(leaf).map(|bytes| ALGORITHM.digest(&bytes))
}

fn leaves(count: u64) -> Vec<u8> {
    let hash = |leaf| group_hash(ALGORITHM, &group(leaf)).unwrap();
    (0..count)
        .flat_map(|leaf| hash(leaf).as_bytes().to_vec())
        .collect()
}

fn two_threads() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(1)
}

fn pages_of(tree: &HashTree, batch: BatchId) -> Vec<TreePage> {
    let leaf_count = u64::try_from(tree.leaf_count()).unwrap();
    let at = |node: u64| usize::try_from(node).unwrap() * ALGORITHM.len();
    let page = |span: archiver::evidence::geometry::PageSpan| TreePage {
        batch,
        algorithm: ALGORITHM,
        level: span.level,
        first: span.first,
        nodes: tree.levels()[usize::from(span.level)][at(span.first)..at(span.first + span.count)]
            .to_vec(),
    };
    TreeGeometry::new(leaf_count).pages().map(page).collect()
}

/// A real token of the embedded authority with its certificate inside, and the authority's root.
fn stamp(root: DigestValue) -> (Vec<u8>, TrustAnchor) {
    let entropy = Arc::new(SeededEntropy::new(1));
    let clock = Arc::new(SimulatedClock::new(STAMPED_AT));
    let material = AuthorityMaterial::make("bench", STAMPED_AT, &*entropy).unwrap();
    let authority = EmbeddedAuthority::new(material, clock, entropy).unwrap();
    let request = TimeStampRequest {
        version: 1,
        imprint: MessageImprint::of(&root),
        policy: None,
        nonce: Some(u64::MAX.into()),
        certificate_wanted: true,
        extensions: Vec::new(),
    };
    let response = TimeStampResponse::parse(&authority.respond(&request.encode())).unwrap();
    let anchor = TrustAnchor::from_certificate(authority.root()).unwrap();
    (response.token.clone().unwrap(), anchor)
}

fn verify(records: &[(u64, Vec<u8>)], batch: &Batch, policy: &Policy) {
    let anchors = [batch.anchor.clone()];
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy,
        time: STAMPED_AT + time::Duration::DAY,
        cache: None,
        registry: None,
    };
    for (leaf, record) in records {
        let [manifest, document] = objects(*leaf);
        let manifest = DataBytes::new("manifest", manifest);
        let document = DataBytes::new("document", document);
        let data = [&manifest as _, &document as _];
        let report = verify_record(record, &data, Group::Whole, &context, &Place::root());
        assert_eq!(report.judgement.conclusion(), Conclusion::TotalPassed);
    }
}

/// What is measured once: a whole batch, from its leaves to all its evidence records.
fn figures(leaf_count: u64) -> Batch {
    let flat = leaves(leaf_count);
    let start = Instant::now();
    black_box(HashTree::build(ALGORITHM, flat, NonZeroUsize::MIN).unwrap());
    let built = start.elapsed();
    let batch = Batch::new(leaf_count);
    let stored = batch.stored();
    let start = Instant::now();
    let mut bytes = 0;
    let mut largest = 0;
    for leaf in 0..leaf_count {
        let record = stored.evidence_record(leaf, &group(leaf)).unwrap();
        bytes += record.len();
        largest = largest.max(record.len());
    }
    let assembled = start.elapsed();
    assert!(largest < RECORD_BYTES_MAX, "{largest} bytes");
    assert_eq!(
        stored.evidence_record(7, &group(7)).unwrap(),
        batch.encoded(7)
    );
    println!(
        "{leaf_count} leaves: tree {built:.3?} (1 thread); all evidence records {assembled:.2?}, {:.1} µs and at most {largest} bytes each, {:.1} MB together; token {} bytes",
        micros_each(assembled, leaf_count),
        megabytes(bytes),
        batch.stamp.token.len(),
    );
    batch
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn micros_each(total: Duration, count: u64) -> f64 {
    total.as_secs_f64() * 1e6 / count as f64
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn build(criterion: &mut Criterion) {
    let mut bench = criterion.benchmark_group("build");
    bench
        .sample_size(10)
        .measurement_time(MEASURED)
        .throughput(Throughput::Elements(MILLION));
    let flat = leaves(MILLION);
    for threads in [NonZeroUsize::MIN, two_threads()] {
        let id = BenchmarkId::new("threads", threads);
        bench.bench_function(id, |bencher| {
            bencher.iter_batched(
                || flat.clone(),
                |flat| HashTree::build(ALGORITHM, flat, threads).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    bench.finish();
}

fn assemble_and_verify(criterion: &mut Criterion) {
    for leaf_count in [10_000, 100_000] {
        drop(figures(leaf_count));
    }
    let batch = figures(MILLION);
    let stored = batch.stored();
    let record = |leaf| stored.evidence_record(leaf, &group(leaf)).unwrap();
    let mut bench = criterion.benchmark_group("million");
    bench
        .sample_size(10)
        .measurement_time(MEASURED)
        .throughput(Throughput::Elements(SAMPLE));
    bench.bench_function("assemble", |bencher| {
        bencher.iter(|| (0..SAMPLE).map(|leaf| record(leaf).len()).sum::<usize>());
    });
    bench.bench_function("encode", |bencher| {
        bencher.iter(|| {
            (0..SAMPLE)
                .map(|leaf| batch.encoded(leaf).len())
                .sum::<usize>()
        });
    });
    let records: Vec<(u64, Vec<u8>)> = (0..SAMPLE).map(|leaf| (leaf, record(leaf))).collect();
    let policy = Policy::default();
    bench.bench_function("verify", |bencher| {
        bencher.iter(|| verify(&records, &batch, &policy));
    });
    bench.finish();
}

criterion_group!(benches, assemble_and_verify, build);
criterion_main!(benches);
