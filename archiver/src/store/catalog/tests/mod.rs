mod chains;
mod columns;
mod events;
mod filling;
mod lacking;
mod moving;
mod refusing;
mod searching;
mod surviving;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;

use firmware::clock::SimulatedClock;
use formats::digest::DigestAlgorithm;
use formats::id::{ArchiveId, BatchId, MediumId, RecordId};
use formats::manifest::{ClassReference, ContentObject, Digests, Metadata, ObjectName, Role};
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::{ArchiveTimeStamp, ChunkCodec, LeafPage, Leaves, TimeStampKind};
use time::macros::{date, datetime};

use super::*;
use crate::store::CopyPolicy;
use crate::store::durable::system_disk;
use crate::store::{Appender, OpenOptions, Store};

const ARCHIVE: ArchiveId = ArchiveId::from_bytes([0xA0; 16]);

/// Not a cipher: it binds a value to its context, as the real one does.
#[derive(Debug)]
struct TestSealer;

impl ValueSealer for TestSealer {
    fn seal(&self, context: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let digest = DigestAlgorithm::Sha256.digest(&[context, value].concat());
        Some([digest.as_bytes(), value].concat())
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let value = sealed.get(32..)?;
        (self.seal(context, value)? == sealed).then(|| value.to_vec())
    }
}

/// Manifests stand unsealed in the tests' frames.
struct TestOpener;

impl ManifestOpener for TestOpener {
    fn open_manifest(&self, version: &RecordVersion) -> Result<Raw<Manifest>, ManifestFailure> {
        if version.manifest_sealed.starts_with(b"key destroyed") {
            return Err(ManifestFailure::KeyMissing);
        }
        Manifest::parse(&version.manifest_sealed).map_err(ManifestFailure::Malformed)
    }

    fn open_event(&self, event: &Event) -> Option<RecordedEvent> {
        RecordedEvent::parse(event.id, event.time, &event.sealed)
    }
}

struct Archive {
    engine: EngineChoice,
    root: tempfile::TempDir,
    store: Option<Store>,
    catalog: Option<Catalog>,
}

/// Everything that an index answers.
#[derive(Debug, PartialEq)]
struct Answers {
    hits: Vec<Hit>,
    unstamped: Vec<Unstamped>,
    batches: Vec<BatchEntry>,
    counts: Counts,
    heads: Vec<ChainHead>,
    chains: Vec<(VersionId, u8, Vec<ChainStart>)>,
    identities: Vec<Option<VersionId>>,
}

impl Archive {
    fn new() -> Self {
        Self::with(EngineChoice::Auto)
    }

    fn with(engine: EngineChoice) -> Self {
        let root = tempfile::tempdir().unwrap();
        let label = MediumLabel {
            medium: MediumId::from_bytes([1; 16]),
            archive: ARCHIVE,
            role: MediumRole::Data,
            number: 1,
            created_at: datetime!(2026-11-22 03:48:30 UTC),
            classification: String::new(),
            capacity_bytes: 1,
            evaluation: true,
            format_version: 1,
        };
        let medium = root.path().join("medium");
        let store = Store::create(&[(medium, label)], &options()).unwrap();
        let mut archive = Self {
            engine,
            root,
            store: Some(store),
            catalog: None,
        };
        archive.open_catalog();
        archive
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn catalog(&self) -> &Catalog {
        self.catalog.as_ref().unwrap()
    }

    fn appender(&self) -> Appender {
        self.store().appender().unwrap()
    }

    fn index(&self) -> PathBuf {
        self.root.path().join("index")
    }

    fn catalog_options(&self) -> CatalogOptions {
        CatalogOptions {
            directory: self.index(),
            sealer: Arc::new(TestSealer),
            cache_bytes: 1 << 20,
            engine: self.engine,
            versions_expected: 0,
            disk: system_disk(),
        }
    }

    fn try_open(&self) -> Result<(Catalog, CatalogReport), StoreError> {
        let options = self.catalog_options();
        Catalog::open(self.store(), options, &TestOpener, &mut |_| {})
    }

    fn open_catalog(&mut self) -> CatalogReport {
        self.catalog = None;
        let (catalog, report) = self.try_open().unwrap();
        self.catalog = Some(catalog);
        report
    }

    fn append(&self, number: u32) -> (FrameAddress, RecordVersion, Raw<Manifest>) {
        let manifest = manifest(number);
        let frame = frame(number, manifest.raw());
        let address = self
            .appender()
            .append(Frame::RecordVersion(frame.clone()))
            .unwrap();
        (address, frame, manifest)
    }

    fn deposit(&self, numbers: std::ops::Range<u32>) {
        let appended: Vec<_> = numbers.map(|number| self.append(number)).collect();
        if let Some((address, ..)) = appended.last() {
            self.appender().commit(*address).unwrap();
        }
        for (address, frame, manifest) in appended {
            self.catalog()
                .apply_version(address, &frame, &manifest)
                .unwrap();
        }
    }

    /// Stamps everything that waits.
    fn stamp(&self, batch: u8) {
        let batch = BatchId::from_bytes([batch; 16]);
        let waiting = self.catalog().unstamped(usize::MAX).unwrap();
        let leaves: Vec<VersionId> = waiting.iter().map(|entry| entry.version).collect();
        let appender = self.appender();
        let mut leaf_pages = Vec::new();
        let paged = leaves.len() > 100;
        if paged {
            for (page, leaves) in leaves.chunks(50).enumerate() {
                let page = LeafPage {
                    batch,
                    first: page as u64 * 50,
                    leaves: Leaves::Versions(leaves.to_vec()),
                };
                leaf_pages.push(appender.append(Frame::LeafPage(page)).unwrap());
            }
        }
        let frame = Frame::ArchiveTimeStamp(ArchiveTimeStamp {
            batch,
            kind: TimeStampKind::Initial,
            track: 0,
            tree: batch,
            algorithm: DigestAlgorithm::Sha256,
            stamped_at: datetime!(2026-11-23 00:00 UTC),
            leaf_count: leaves.len() as u64,
            tree_pages: Vec::new(),
            leaf_pages,
            leaves: Leaves::Versions(if paged { Vec::new() } else { leaves }),
            tsa: "test".to_owned(),
            token: vec![0x30, 0],
        });
        let address = appender.append(frame.clone()).unwrap();
        appender.commit(address).unwrap();
        self.catalog().apply(address, &frame).unwrap();
    }

    fn answers(&self) -> Answers {
        answers(self.catalog())
    }
}

fn answers(catalog: &Catalog) -> Answers {
    let mut hits = Vec::new();
    catalog
        .for_each(&mut |hit| {
            hits.push(hit);
            true
        })
        .unwrap();
    let identities = (0..hits.len() as u32 + 1)
        .map(|number| catalog.by_deposit_identity(&identity(number)).unwrap());
    let chains = hits.iter().flat_map(|hit| {
        [0, 1].map(|track| {
            let chains = catalog.chains_of(hit.version, track).unwrap();
            (hit.version, track, chains)
        })
    });
    Answers {
        identities: identities.collect(),
        heads: catalog.heads().unwrap(),
        chains: chains.collect(),
        hits,
        unstamped: catalog.unstamped(usize::MAX).unwrap(),
        batches: catalog.batches().unwrap(),
        counts: catalog.counts().unwrap(),
    }
}

fn options() -> OpenOptions {
    OpenOptions {
        writable: true,
        boot_id: [1; 16],
        clock: Arc::new(SimulatedClock::new(datetime!(2026-11-22 03:48:30 UTC))),
        segment_bytes_max: 20_000,
        disk: system_disk(),
        copies: CopyPolicy::default(),
    }
}

/// Every third record has two versions.
fn version(number: u32) -> VersionId {
    let (record, version) = if number % 4 == 3 {
        (number - 1, 2)
    } else {
        (number, 1)
    };
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&record.to_be_bytes());
    VersionId::new(RecordId::from_bytes(bytes), version).unwrap()
}

fn identity(number: u32) -> [u8; 32] {
    let mut identity = [0xEE; 32];
    identity[..4].copy_from_slice(&number.to_be_bytes());
    identity
}

fn manifest(number: u32) -> Raw<Manifest> {
    let version = version(number);
    let day = number % 28 + 1;
    let metadata = Metadata {
        date: (!number.is_multiple_of(5))
            .then(|| date!(2026 - 01 - 01).replace_day(day as u8).unwrap()),
        amount: (!number.is_multiple_of(7))
            .then(|| (number % 7 * 100 - 100).to_string().parse().unwrap()),
        currency: (!number.is_multiple_of(7)).then(|| "JPY".parse().unwrap()),
        counterparty: (!number.is_multiple_of(3)).then(|| format!("㈱文蔵{}", number % 3)),
        title: Some(format!("請求書 {number}")),
        additional: BTreeMap::from([("project".to_owned(), format!("P{}", number % 2))]),
        ..Metadata::default()
    };
    let manifest = Manifest {
        archive: ARCHIVE,
        record: version.record(),
        version: version.version(),
        supersedes: (version.version() > 1).then(|| formats::manifest::Superseded {
            version: 1,
            digests: Digests::of(b"old"),
        }),
        class: ClassReference {
            id: ["general", "contract"][number as usize % 2].to_owned(),
            digests: Digests::of(b"class"),
        },
        metadata,
        objects: vec![ContentObject {
            name: ObjectName::new(&format!("ﾌｧｲﾙ-{number}.pdf")).unwrap(),
            role: Role::Original,
            media_type: "application/pdf".to_owned(),
            size: u64::from(number),
            digests: Digests::of(&number.to_be_bytes()),
            lines: None,
        }],
        depositor: "keiri".to_owned(),
        channel: "cli".to_owned(),
        received_at: datetime!(2026-11-22 03:48:30.5 UTC),
        facts: BTreeMap::new(),
        salt: [5; 16],
    };
    Manifest::parse(&manifest.encode().unwrap()).unwrap()
}

fn frame(number: u32, manifest: &[u8]) -> RecordVersion {
    RecordVersion {
        version: version(number),
        identity: identity(number),
        contents: Vec::new(),
        manifest_codec: ChunkCodec::Stored,
        manifest_plain_bytes: manifest.len() as u32,
        manifest_sealed: manifest.to_vec(),
    }
}
