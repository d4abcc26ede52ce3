//! An archive that lives for years: records with several contents, several authorities, renewals, and the verifier as the judge.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use archiver::content::{ContentWriter, VersionSealer};
use archiver::evidence::assemble::{AssembleError, EvidenceAssembler};
use archiver::evidence::batch::{BatchMaker, MadeBatch};
use archiver::evidence::log::FrameLog;
use archiver::evidence::plan::BatchOptions;
use archiver::evidence::queue::Queue;
use archiver::evidence::renew::{
    RenewError, RenewOptions, RenewalAction, RenewalAuthorities, RenewedChains, Renewer,
};
use archiver::store::StoreError;
use archiver::tsa::checks::{AcceptedToken, Trust};
use archiver::tsa::client::{ClientOptions, Link, Timestamper, TsaClient};
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use archiver::tsa::material::{MaterialSource, NoMaterial};
use archiver::tsa::refusal::TsaError;
use archiver::tsa::transport::TransportError;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::EvidenceRecord;
use formats::id::{BatchId, RecordId, VersionId};
use formats::manifest::{
    ClassReference, ContentObject, Digests, Manifest, Metadata, ObjectName, Role,
};
use formats::raw::Raw;
use formats::segment::{ContentLocations, Frame, RecordVersion};
use time::{Duration, OffsetDateTime};
use verifier::evidence::{EvidenceReport, Group, verify_record};
use verifier::finding::Place;
use verifier::path::TrustAnchor;
use verifier::source::{DigestSource, KnownDigests};

use super::archive::World;

pub struct Years {
    pub world: World,
    pub second: Option<TsaClient>,
    pub material: Arc<dyn MaterialSource>,
    pub options: RenewOptions,
    /// What was deposited: the digests of manifest and contents under every algorithm.
    pub groups: BTreeMap<VersionId, Vec<KnownDigests>>,
    number: u64,
}

impl Years {
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            world: World::new(now),
            second: None,
            material: Arc::new(NoMaterial),
            options: RenewOptions::default(),
            groups: BTreeMap::new(),
            number: 0,
        }
    }

    pub fn now(&self) -> OffsetDateTime {
        firmware::clock::Clock::now(self.world.clock.as_ref())
    }

    pub fn pass(&self, days: i64) {
        self.world.clock.advance(Duration::days(days));
    }

    /// A new authority with a root of its own, whom the judge trusts.
    pub fn authority(&mut self, name: &str) -> TsaClient {
        let world = &mut self.world;
        let now = firmware::clock::Clock::now(world.clock.as_ref());
        let material = AuthorityMaterial::make(name, now, world.entropy.as_ref()).unwrap();
        let root = material.root.clone();
        world
            .anchors
            .push(TrustAnchor::from_certificate(&root).unwrap());
        let (clock, entropy) = (world.clock.clone(), world.entropy.clone());
        let authority = EmbeddedAuthority::new(material, clock.clone(), entropy.clone()).unwrap();
        let options = ClientOptions::new(name, Trust::anchors(vec![root]));
        TsaClient::new(Link::Embedded(Arc::new(authority)), options, clock, entropy)
    }

    /// Deposits records with these contents, all in one commit.
    pub fn deposit(&mut self, records: &[Vec<Vec<u8>>]) -> Vec<VersionId> {
        let appender = self.world.store.appender().unwrap();
        let ledger = self.world.keys.ledger();
        let mut writer = ContentWriter::new().unwrap();
        let mut made = Vec::new();
        let mut ticket = None;
        for contents in records {
            self.number += 1;
            let version = VersionId::first(RecordId::new(self.number, &[9; 10]));
            let key = ledger.wrap_new(version).unwrap();
            let mut sealer = VersionSealer::new(self.world.store.archive(), key);
            let mut located = Vec::new();
            for (object, content) in (0u32..).zip(contents) {
                let mut chunks = Vec::new();
                let mut input = content.as_slice();
                writer
                    .write(&mut sealer, object, &mut input, |chunk| {
                        chunks.push(appender.append(Frame::ContentChunk(chunk))?);
                        Ok::<(), StoreError>(())
                    })
                    .unwrap();
                located.push(ContentLocations { object, chunks });
            }
            let manifest = self.manifest(version, contents);
            let sealed = writer.seal_manifest(&mut sealer, manifest.raw()).unwrap();
            ticket = Some(sealer.ticket());
            let frame = RecordVersion {
                version,
                identity: identity(self.number),
                contents: located,
                manifest_codec: sealed.codec,
                manifest_plain_bytes: sealed.plain_bytes,
                manifest_sealed: sealed.sealed,
            };
            self.groups.insert(version, known(&manifest, contents));
            made.push((frame, manifest));
        }
        ledger.commit(ticket.unwrap()).unwrap();
        let mut versions = Vec::new();
        let mut applied = Vec::new();
        for (frame, manifest) in made {
            let address = appender
                .append(Frame::RecordVersion(frame.clone()))
                .unwrap();
            versions.push(frame.version);
            applied.push((address, frame, manifest));
        }
        appender.commit(applied.last().unwrap().0).unwrap();
        for (address, frame, manifest) in &applied {
            self.world
                .catalog
                .apply_version(*address, frame, manifest)
                .unwrap();
        }
        versions
    }

    fn manifest(&self, version: VersionId, contents: &[Vec<u8>]) -> Raw<Manifest> {
        let objects = contents
            .iter()
            .enumerate()
            .map(|(number, content)| ContentObject {
                name: ObjectName::new(&format!("{number}.txt")).unwrap(),
                role: if number == 0 {
                    Role::Original
                } else {
                    Role::Rendition
                },
                media_type: "text/plain".to_owned(),
                size: content.len() as u64,
                digests: Digests::of(content),
                lines: None,
            });
        let manifest = Manifest {
            archive: self.world.store.archive(),
            record: version.record(),
            version: version.version(),
            supersedes: None,
            class: ClassReference {
                id: "general".to_owned(),
                digests: Digests::of(b"class"),
            },
            metadata: Metadata::default(),
            objects: objects.collect(),
            depositor: "tester".to_owned(),
            channel: "cli".to_owned(),
            received_at: self.now(),
            facts: BTreeMap::new(),
            salt: [5; 16],
        };
        Manifest::parse(&manifest.encode().unwrap()).unwrap()
    }

    /// Stamps all that waits, in batches of at most so many.
    pub fn stamp(&self, algorithm: DigestAlgorithm, leaves_max: usize) -> Vec<MadeBatch> {
        let world = &self.world;
        let options = BatchOptions {
            algorithm,
            leaves_max,
        };
        let appender = world.store.appender().unwrap();
        let maker = BatchMaker {
            authority: &world.client,
            second: self
                .second
                .as_ref()
                .map(|second| -> &dyn Timestamper { second }),
            log: &appender,
            clock: world.clock.as_ref(),
            entropy: world.entropy.as_ref(),
        };
        let batches = Queue::new(world.retriever()).plan(options).unwrap();
        let batches = batches.batches.into_iter();
        batches
            .map(|batch| {
                let made = maker.make(&batch, &mut |_| {}).unwrap();
                made.apply(&world.catalog).unwrap();
                made
            })
            .collect()
    }

    pub fn run_with(
        &self,
        first: &dyn Timestamper,
        action: &RenewalAction,
    ) -> Result<RenewedChains, RenewError> {
        let appender = self.world.store.appender().unwrap();
        self.run_by(first, &appender, action)
    }

    pub fn run_on(
        &self,
        log: &dyn FrameLog,
        action: &RenewalAction,
    ) -> Result<RenewedChains, RenewError> {
        self.run_by(&self.world.client, log, action)
    }

    fn run_by(
        &self,
        first: &dyn Timestamper,
        log: &dyn FrameLog,
        action: &RenewalAction,
    ) -> Result<RenewedChains, RenewError> {
        let world = &self.world;
        let second = self.second.as_ref();
        let renewer = Renewer {
            authorities: RenewalAuthorities {
                first,
                second: second.map(|second| -> &dyn Timestamper { second }),
            },
            log,
            frames: &world.store,
            catalog: &world.catalog,
            retriever: world.retriever(),
            clock: world.clock.as_ref(),
            entropy: world.entropy.as_ref(),
            threads: NonZeroUsize::new(2).unwrap(),
            material: self.material.as_ref(),
            anchors: &[],
            options: self.options,
        };
        renewer.run(action, &mut |_| {})
    }

    pub fn run(&self, action: &RenewalAction) -> RenewedChains {
        self.run_with(&self.world.client, action).unwrap()
    }

    /// The heads of live chains of a track and algorithm.
    pub fn heads(&self, track: u8, algorithm: DigestAlgorithm) -> Vec<BatchId> {
        let heads = self.world.catalog.heads().unwrap().into_iter();
        heads
            .filter(|head| {
                head.track == track && head.live > 0 && head.entry.algorithm == algorithm
            })
            .map(|head| head.entry.batch)
            .collect()
    }

    /// Renews the time-stamps of all live chains of a track; the number of tokens.
    pub fn renew_time_stamps(&self, track: u8) -> usize {
        let mut tokens = 0;
        for algorithm in DigestAlgorithm::ALL {
            let heads = self.heads(track, *algorithm);
            if !heads.is_empty() {
                let renewed = self.run(&RenewalAction::TimeStamp {
                    track,
                    algorithm: *algorithm,
                    heads,
                });
                assert!(renewed.is_whole(), "{renewed:?}");
                tokens += renewed.batches.len();
            }
        }
        tokens
    }

    /// Renews the hash trees of all live chains of a track that have another algorithm.
    pub fn renew_hash_trees(&self, track: u8, to: DigestAlgorithm) -> RenewedChains {
        let mut all = RenewedChains::default();
        for from in DigestAlgorithm::ALL {
            let heads = self.heads(track, *from);
            if heads.is_empty() || *from == to {
                continue;
            }
            let renewed = self.run(&RenewalAction::HashTree {
                track,
                from: *from,
                to,
                heads,
            });
            all.batches.extend(renewed.batches);
            all.versions += renewed.versions;
            all.versions_left.extend(renewed.versions_left);
            all.chains_left.extend(renewed.chains_left);
        }
        all
    }

    /// The evidence record of a version, as the archive puts it together.
    pub fn record(&self, version: VersionId, track: u8) -> Result<Vec<u8>, AssembleError> {
        let assembler = EvidenceAssembler::new(&self.world.store, &self.world.catalog);
        assembler.evidence_record(version, track, &|algorithm| self.group(version, algorithm))
    }

    pub fn group(
        &self,
        version: VersionId,
        algorithm: DigestAlgorithm,
    ) -> Option<Vec<DigestValue>> {
        let group = &self.groups[&version];
        group.iter().map(|one| one.digest(algorithm)).collect()
    }

    /// What the verifier says about a record at a time.
    pub fn judge(&self, version: VersionId, record: &[u8], at: OffsetDateTime) -> EvidenceReport {
        let group = &self.groups[&version];
        let data: Vec<&dyn DigestSource> = group
            .iter()
            .map(|one| -> &dyn DigestSource { one })
            .collect();
        let context = self.world.context(at);
        verify_record(record, &data, Group::Whole, &context, &Place::root())
    }

    /// Every version passes on a track at a time, since its first stamp, without a finding that tells of a reading that is not the rule.
    pub fn assert_all_pass(&self, track: u8, at: OffsetDateTime) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        for version in self.groups.keys() {
            if self
                .world
                .catalog
                .chains_of(*version, track)
                .unwrap()
                .is_empty()
            {
                continue;
            }
            let record = self.record(*version, track).unwrap();
            let report = self.judge(*version, &record, at);
            assert!(
                report.judgement.is_passed(),
                "{version} at {at}: {:?} {:#?}",
                report.judgement,
                report.findings
            );
            let odd: Vec<_> = report
                .findings
                .iter()
                .filter(|finding| finding.severity() != verifier::finding::Severity::Info)
                .collect();
            assert!(odd.is_empty(), "{odd:#?}");
            let parsed = EvidenceRecord::parse(&record).unwrap();
            assert_eq!(parsed.encode().unwrap(), record, "{version}");
            let again = EvidenceRecord::new(parsed.sequence.clone()).unwrap();
            assert_eq!(again.encode().unwrap(), record, "{version}");
            records.push(record);
        }
        records
    }

    pub fn rebuild(self) -> Self {
        Self {
            world: self.world.rebuild(),
            ..self
        }
    }
}

fn identity(number: u64) -> [u8; 32] {
    let mut identity = [0; 32];
    identity[..8].copy_from_slice(&number.to_be_bytes());
    identity
}

fn known(manifest: &Raw<Manifest>, contents: &[Vec<u8>]) -> Vec<KnownDigests> {
    let of = |name: String, bytes: &[u8]| {
        let all = DigestAlgorithm::ALL.iter().map(|one| one.digest(bytes));
        KnownDigests::computed(name, all.collect())
    };
    let first = of("manifest.json".to_owned(), manifest.raw());
    let rest = contents
        .iter()
        .enumerate()
        .map(|(number, content)| of(format!("documents/{number}.txt"), content));
    std::iter::once(first).chain(rest).collect()
}

/// Records of one content each.
pub fn single(count: u64, salt: u64) -> Vec<Vec<Vec<u8>>> {
    (0..count)
        .map(|number| vec![format!("content {salt} {number}").into_bytes()])
        .collect()
}

/// An authority that answers so often, and then no more.
#[derive(Debug)]
pub struct Once<'a> {
    inner: &'a TsaClient,
    left: std::sync::atomic::AtomicU32,
}

impl<'a> Once<'a> {
    pub fn new(inner: &'a TsaClient) -> Self {
        let left = 1.into();
        Self { inner, left }
    }

    pub fn never(inner: &'a TsaClient) -> Self {
        let left = 0.into();
        Self { inner, left }
    }
}

impl Timestamper for Once<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        use std::sync::atomic::Ordering::SeqCst;
        let taken = self
            .left
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if taken.is_err() {
            return Err(TsaError::Transport(TransportError::TimeOut));
        }
        self.inner.timestamp(imprint)
    }
}
