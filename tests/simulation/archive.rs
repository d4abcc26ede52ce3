//! The archive of the simulation: real segments, keys and index in a temporary folder, a clock that jumps.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archiver::class::ClassRegistry;
use archiver::content::Manifests;
use archiver::evidence::package::Exporter;
use archiver::intake::SourceName;
use archiver::intake::walk::Walk;
use archiver::keys::{CatalogSealer, KdfParameters, KeyMedium, Passphrase};
use archiver::record::deposit::{DepositOptions, DepositRequest, Depositor};
use archiver::record::outcome::DepositEvent;
use archiver::record::retrieve::Retriever;
use archiver::store::catalog::{Catalog, CatalogOptions, EngineChoice};
use archiver::store::{OpenOptions, SEGMENT_BYTES_MAX, Store, durable};
use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::SeededEntropy;
use formats::id::{ArchiveId, MediumId, VersionId};
use formats::manifest::Metadata;
use formats::medium::{MediumLabel, MediumRole};
use tempfile::TempDir;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::judge;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::InputFile;
use zeroize::Zeroizing;

/// An open archive with one data medium.
pub(crate) struct SimulatedArchive {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) keys: Arc<KeyMedium>,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
    pub(crate) policy: Policy,
    deposits: u32,
}

impl SimulatedArchive {
    /// A new archive.
    pub(crate) fn new(clock: &Arc<SimulatedClock>, policy: &Policy, seed: u64) -> Self {
        let folder = folder();
        let entropy = Arc::new(SeededEntropy::new(seed));
        let archive = ArchiveId::new(1, &[7; 10]);
        let key_root = folder.path().join("keys");
        std::fs::create_dir(&key_root).expect("made");
        let secret = Zeroizing::new(b"thirty years of records".to_vec());
        let passphrase = Passphrase::new(&secret).expect("long enough");
        let parameters = KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        // Threads take turns in no fixed order: each part draws from a source of its own.
        let key_entropy = Arc::new(SeededEntropy::new(seed ^ 0x6b65_7973));
        let keys = KeyMedium::create(
            durable::system_disk(),
            &key_root,
            archive,
            &passphrase,
            parameters,
            key_entropy,
        );
        let keys = Arc::new(keys.expect("a key medium"));
        let data = folder.path().join("data");
        let options = OpenOptions {
            writable: true,
            boot_id: [1; 16],
            clock: clock.clone(),
            segment_bytes_max: SEGMENT_BYTES_MAX,
            disk: durable::system_disk(),
            copies: archiver::store::CopyPolicy::default(),
        };
        let store = Store::create(&[(data, label(archive, clock.now()))], &options);
        let store = store.expect("a store");
        let index_entropy = Arc::new(SeededEntropy::new(seed ^ 0x696e_6465));
        let catalog = open_catalog(folder.path(), &store, &keys, &index_entropy);
        Self {
            folder,
            store,
            keys,
            catalog,
            clock: Arc::clone(clock),
            entropy,
            policy: policy.clone(),
            deposits: 0,
        }
    }

    /// Deposits one more record.
    pub(crate) fn deposit(&mut self) -> VersionId {
        self.deposits += 1;
        let text = format!("record {} of {}\n", self.deposits, self.clock.now());
        let path = self.folder.path().join(format!("in/{}.txt", self.deposits));
        tests::world::put(&path, text.as_bytes());
        let file = std::fs::File::open(&path).expect("opened");
        file.set_modified(self.clock.now().into()).expect("set");
        let version = self.deposit_file(&path);
        std::fs::remove_file(path).expect("removed");
        version
    }

    fn deposit_file(&self, path: &Path) -> VersionId {
        let classes = ClassRegistry::built_in().expect("classes");
        let request = DepositRequest {
            class: classes.class("general").expect("a class").clone(),
            given: Metadata::default(),
            depositor: "simulation".into(),
            channel: "cli".into(),
        };
        let depositor = Depositor::new(
            &self.store,
            &self.catalog,
            self.keys.ledger(),
            self.clock.as_ref(),
            self.entropy.as_ref(),
        );
        let mut version = None;
        let walk = Walk::new(
            vec![PathBuf::from(path)],
            SourceName::from(std::ffi::OsStr::new("-")),
        );
        depositor.expect("writable").deposit_all(
            walk,
            &request,
            &DepositOptions::default(),
            &mut |events| {
                for event in events {
                    let DepositEvent::Deposited(record) = event else {
                        panic!("{event:?}");
                    };
                    version = Some(record.version);
                }
            },
        );
        version.expect("deposited")
    }

    pub(crate) fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.store, &self.catalog, self.keys.ledger())
    }

    /// The package of a version, as it would be handed over now. Its report page is made without trust in anybody: the outsider judges.
    pub(crate) fn export(&self, version: VersionId) -> Vec<u8> {
        let exporter = Exporter {
            retriever: self.retriever(),
            catalog: &self.catalog,
            frames: &self.store,
            context: self.context(&[], self.clock.now()),
            exported_by: "simulation",
            evaluation: false,
        };
        let exported = exporter.export(version, Cursor::new(Vec::new()));
        let (_, sink) = exported.unwrap_or_else(|error| panic!("{version}: {error}"));
        sink.into_inner()
    }

    /// What an outsider with the roots alone says about a package at this time.
    pub(crate) fn judge(
        &self,
        package: &[u8],
        anchors: &[TrustAnchor],
        lists: &[Vec<u8>],
        time: OffsetDateTime,
    ) -> Report {
        let files = [InputFile::new("record.asice", package)];
        let context = Context {
            crls: lists,
            ..self.context(anchors, time)
        };
        judge::verify(&files, &[], &context)
    }

    pub(crate) fn context<'a>(
        &'a self,
        anchors: &'a [TrustAnchor],
        time: OffsetDateTime,
    ) -> Context<'a> {
        Context {
            anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: &self.policy,
            time,
            cache: None,
            registry: None,
        }
    }
}

/// In memory where there is a file system for it: thirty years wait for a disk some thousand times.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}

fn open_catalog(
    folder: &Path,
    store: &Store,
    keys: &Arc<KeyMedium>,
    entropy: &Arc<SeededEntropy>,
) -> Catalog {
    let sealer = CatalogSealer::new(keys, entropy.clone()).expect("a sealer");
    let options = CatalogOptions {
        directory: folder.join("index"),
        sealer: Arc::new(sealer),
        cache_bytes: 1 << 20,
        engine: EngineChoice::Auto,
        versions_expected: 0,
        disk: durable::system_disk(),
    };
    let manifests = Manifests::new(Arc::clone(keys)).expect("an opener");
    let opened = Catalog::open(store, options, &manifests, &mut |_| {});
    opened.expect("an index").0
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
