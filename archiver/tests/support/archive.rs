//! An archive in a temporary folder, put together from its parts, with a clock that stands still.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archiver::class::ClassRegistry;
use archiver::content::Manifests;
use archiver::evidence::batch::{BatchMaker, MadeBatch};
use archiver::evidence::line_package::ExportedLines;
use archiver::evidence::lines::{LineRange, LinesError};
use archiver::evidence::package::{ExportError, ExportedPackage, Exporter};
use archiver::evidence::plan::BatchOptions;
use archiver::evidence::queue::Queue;
use archiver::evidence::verify_records::{Period, RecordVerdict, RecordVerifier, VerifySummary};
use archiver::intake::SourceName;
use archiver::intake::walk::Walk;
use archiver::keys::{CatalogSealer, KdfParameters, KeyMedium, Passphrase};
use archiver::record::deposit::{DepositOptions, DepositRequest, Depositor};
use archiver::record::outcome::{DepositEvent, DepositedRecord};
use archiver::record::retrieve::Retriever;
use archiver::store::catalog::{Catalog, CatalogOptions, EngineChoice};
use archiver::store::{OpenOptions, SEGMENT_BYTES_MAX, Store, durable};
use archiver::tsa::client::TsaClient;
use archiver::tsa::embedded::EmbeddedAuthority;
use archiver::tsa::vault;
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::digest::DigestAlgorithm;
use formats::id::{ArchiveId, MediumId, VersionId};
use formats::manifest::Metadata;
use formats::medium::{MediumLabel, MediumRole};
use tempfile::TempDir;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use zeroize::Zeroizing;

/// An open archive with one data medium and an embedded authority.
pub struct World {
    pub folder: TempDir,
    pub store: Store,
    pub keys: Arc<KeyMedium>,
    pub catalog: Catalog,
    pub clock: Arc<SimulatedClock>,
    pub entropy: Arc<SeededEntropy>,
    pub client: TsaClient,
    pub anchors: Vec<TrustAnchor>,
    pub policy: Policy,
}

impl World {
    /// A new archive.
    pub fn new(now: OffsetDateTime) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::new(now));
        let entropy = Arc::new(SeededEntropy::new(7));
        let archive = ArchiveId::new(1, &[7; 10]);
        let key_root = folder.path().join("keys");
        std::fs::create_dir(&key_root).unwrap();
        let passphrase =
            Passphrase::new(&Zeroizing::new(b"correct horse battery".to_vec())).unwrap();
        let parameters = KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let keys = Arc::new(
            KeyMedium::create(
                durable::system_disk(),
                &key_root,
                archive,
                &passphrase,
                parameters,
                entropy.clone(),
            )
            .unwrap(),
        );
        let disk = durable::system_disk();
        let material = vault::create(&keys, disk.as_ref(), now, entropy.as_ref()).unwrap();
        let anchors = vec![TrustAnchor::from_certificate(&material.root).unwrap()];
        let authority = EmbeddedAuthority::new(material, clock.clone(), entropy.clone()).unwrap();
        let client = TsaClient::embedded(Arc::new(authority), clock.clone(), entropy.clone());
        let data = folder.path().join("data");
        let options = store_options(clock.clone());
        let store = Store::create(&[(data, label(archive, now))], &options).unwrap();
        let catalog = open_catalog(folder.path(), &store, &keys, &entropy);
        Self {
            folder,
            store,
            keys,
            catalog,
            clock,
            entropy,
            client,
            anchors,
            policy: Policy::default(),
        }
    }

    /// Closes the archive, and opens it again with an index made from nothing.
    pub fn rebuild(self) -> Self {
        let Self {
            folder,
            store,
            keys,
            catalog,
            clock,
            entropy,
            client,
            anchors,
            policy,
        } = self;
        let archive = store.archive();
        drop(catalog);
        store.close().unwrap();
        std::fs::remove_dir_all(folder.path().join("index")).unwrap();
        let data = [folder.path().join("data")];
        let (store, _) = Store::open(&data, archive, &store_options(clock.clone())).unwrap();
        let catalog = open_catalog(folder.path(), &store, &keys, &entropy);
        Self {
            folder,
            store,
            keys,
            catalog,
            clock,
            entropy,
            client,
            anchors,
            policy,
        }
    }

    /// The time.
    pub fn now(&self) -> OffsetDateTime {
        firmware::clock::Clock::now(self.clock.as_ref())
    }

    /// Writes a file and deposits it.
    pub fn deposit(&self, name: &str, bytes: &[u8]) -> VersionId {
        let path = self.folder.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        super::openssl::put(&path, bytes);
        self.deposit_path(&path)
    }

    fn deposit_path(&self, path: &Path) -> VersionId {
        self.deposit_as("general", path).version
    }

    /// Deposits a file under a class.
    pub fn deposit_as(&self, class: &str, path: &Path) -> Box<DepositedRecord> {
        let classes = ClassRegistry::built_in().unwrap();
        let request = DepositRequest {
            class: classes.class(class).unwrap().clone(),
            given: Metadata::default(),
            depositor: "tester".into(),
            channel: "cli".into(),
        };
        let ledger = self.keys.ledger();
        let depositor = Depositor::new(
            &self.store,
            &self.catalog,
            ledger,
            self.clock.as_ref(),
            self.entropy.as_ref(),
        )
        .unwrap();
        let mut deposited = None;
        let walk = Walk::new(
            vec![PathBuf::from(path)],
            SourceName::from(std::ffi::OsStr::new("-")),
        );
        depositor.deposit_all(walk, &request, &DepositOptions::default(), &mut |events| {
            for event in events {
                let DepositEvent::Deposited(record) = event else {
                    panic!("{event:?}");
                };
                deposited = Some(record);
            }
        });
        deposited.unwrap()
    }

    /// Stamps all that waits; one batch at most.
    pub fn stamp(&self, algorithm: DigestAlgorithm) -> Option<MadeBatch> {
        let options = BatchOptions {
            algorithm,
            ..BatchOptions::default()
        };
        let planned = Queue::new(self.retriever()).plan(options).unwrap();
        assert!(planned.unreadable.is_empty());
        let appender = self.store.appender().unwrap();
        let maker = BatchMaker {
            authority: &self.client,
            second: None,
            log: &appender,
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
        };
        let batch = planned.batches.into_iter().next()?;
        let made = maker.make(&batch, &mut |_| {}).unwrap();
        made.apply(&self.catalog).unwrap();
        Some(made)
    }

    pub fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.store, &self.catalog, self.keys.ledger())
    }

    /// Judged at `time`.
    pub fn context(&self, time: OffsetDateTime) -> Context<'_> {
        Context {
            anchors: &self.anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: &self.policy,
            time,
            cache: None,
            registry: None,
        }
    }

    /// The package of a version.
    pub fn export(
        &self,
        version: VersionId,
        time: OffsetDateTime,
    ) -> Result<(ExportedPackage, Vec<u8>), ExportError> {
        let sink = Cursor::new(Vec::new());
        let (exported, sink) = self.exporter(time).export(version, sink)?;
        Ok((exported, sink.into_inner()))
    }

    /// The package that shows some lines of a version's only object.
    pub fn export_lines(
        &self,
        version: VersionId,
        range: &str,
        time: OffsetDateTime,
    ) -> Result<(ExportedLines, Vec<u8>), LinesError> {
        let range = LineRange::parse(range).unwrap();
        let sink = Cursor::new(Vec::new());
        let exported = self.exporter(time).export_lines(version, 0, range, sink);
        exported.map(|(exported, sink)| (exported, sink.into_inner()))
    }

    fn exporter(&self, time: OffsetDateTime) -> Exporter<'_> {
        Exporter {
            retriever: self.retriever(),
            catalog: &self.catalog,
            frames: &self.store,
            context: self.context(time),
            exported_by: "tester",
            evaluation: false,
        }
    }

    /// Verifies everything.
    pub fn verify(&self, time: OffsetDateTime, period: Period) -> (Vec<String>, VerifySummary) {
        let mut verdicts = Vec::new();
        let summary = self
            .verifier(time)
            .verify_period(&period, &mut |verdict: &RecordVerdict| {
                verdicts.push(format!("{} {:?}", verdict.version, verdict.outcome));
            })
            .unwrap();
        (verdicts, summary)
    }

    pub fn verifier(&self, time: OffsetDateTime) -> RecordVerifier<'_> {
        RecordVerifier {
            retriever: self.retriever(),
            catalog: &self.catalog,
            frames: &self.store,
            context: self.context(time),
            workers: NonZeroUsize::new(3).unwrap(),
            lang: archiver::cli::lang::Lang::En,
        }
    }

    /// The files of segments.
    pub fn segments(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path().join("data/segments"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }
}

fn store_options(clock: Arc<SimulatedClock>) -> OpenOptions {
    OpenOptions {
        writable: true,
        boot_id: [1; 16],
        clock,
        segment_bytes_max: SEGMENT_BYTES_MAX,
        disk: durable::system_disk(),
        copies: archiver::store::CopyPolicy::default(),
    }
}

fn open_catalog(
    folder: &Path,
    store: &Store,
    keys: &Arc<KeyMedium>,
    entropy: &Arc<SeededEntropy>,
) -> Catalog {
    let options = CatalogOptions {
        directory: folder.join("index"),
        sealer: Arc::new(CatalogSealer::new(keys, entropy.clone()).unwrap()),
        cache_bytes: 1 << 20,
        engine: EngineChoice::Auto,
        versions_expected: 0,
        disk: durable::system_disk(),
    };
    let manifests = Manifests::new(keys.clone()).unwrap();
    Catalog::open(store, options, &manifests, &mut |_| {})
        .unwrap()
        .0
}

fn label(archive: ArchiveId, now: OffsetDateTime) -> MediumLabel {
    MediumLabel {
        medium: MediumId::new(1, &[3; 10]),
        archive,
        role: MediumRole::Data,
        number: 1,
        created_at: now,
        classification: String::new(),
        capacity_bytes: 1 << 30,
        evaluation: true,
        format_version: 1,
    }
}
