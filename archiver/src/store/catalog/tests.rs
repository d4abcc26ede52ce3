use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firmware::clock::SimulatedClock;
use formats::digest::DigestAlgorithm;
use formats::id::{ArchiveId, BatchId, MediumId, RecordId};
use formats::manifest::{ClassReference, ContentObject, Digests, Metadata, ObjectName, Role};
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::{ChunkCodec, LeafPage};
use time::macros::{date, datetime};

use super::*;
use crate::store::durable::faults::Random;
use crate::store::durable::system_disk;
use crate::store::{Appender, OpenOptions};

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
}

struct Archive {
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
    identities: Vec<Option<VersionId>>,
}

impl Archive {
    fn new() -> Self {
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
        for number in numbers {
            let (address, frame, manifest) = self.append(number);
            self.appender().commit(address).unwrap();
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
                    leaves: leaves.to_vec(),
                };
                leaf_pages.push(appender.append(Frame::LeafPage(page)).unwrap());
            }
        }
        let frame = Frame::ArchiveTimeStamp(ArchiveTimeStamp {
            batch,
            kind: TimeStampKind::Initial,
            chain: 0,
            position: 0,
            algorithm: DigestAlgorithm::Sha256,
            stamped_at: datetime!(2026-11-23 00:00 UTC),
            leaf_count: leaves.len() as u64,
            tree_pages: Vec::new(),
            leaf_pages,
            leaves: if paged { Vec::new() } else { leaves },
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
    Answers {
        identities: identities.collect(),
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
        date: (number % 5 > 0).then(|| date!(2026 - 01 - 01).replace_day(day as u8).unwrap()),
        amount: (number % 7 > 0).then(|| (number % 7 * 100 - 100).to_string().parse().unwrap()),
        currency: (number % 7 > 0).then(|| "JPY".parse().unwrap()),
        counterparty: (number % 3 > 0).then(|| format!("㈱文蔵{}", number % 3)),
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

fn found(archive: &Archive, query: &Query) -> usize {
    archive.catalog().search(query).unwrap().len()
}

#[test]
fn searches_find_what_they_should() {
    let archive = Archive::new();
    archive.deposit(0..420);
    let all = Query {
        all_versions: true,
        ..Query::default()
    };
    assert_eq!(found(&archive, &all), 420);
    assert_eq!(
        found(&archive, &Query::default()),
        315,
        "the newest versions only"
    );
    let with = |change: &dyn Fn(&mut Query)| {
        let mut query = all.clone();
        change(&mut query);
        found(&archive, &query)
    };
    let amount = |text: &str| Some(text.parse().unwrap());
    assert_eq!(with(&|q| q.amount = ValueMatch::Missing), 60);
    assert_eq!(
        with(&|q| q.amount = ValueMatch::Between(amount("0"), amount("0.00"))),
        60,
        "zero is an amount"
    );
    assert_eq!(
        with(&|q| q.amount = ValueMatch::Between(amount("99.5"), amount("300"))),
        180
    );
    assert_eq!(with(&|q| q.amount = ValueMatch::Between(None, None)), 360);
    assert_eq!(with(&|q| q.date = ValueMatch::Missing), 84);
    let january = (date!(2026 - 01 - 03), date!(2026 - 01 - 03));
    assert_eq!(
        with(&|q| q.date = ValueMatch::Between(Some(january.0), Some(january.1))),
        (0..420).filter(|n| n % 28 == 2 && n % 5 > 0).count()
    );
    assert_eq!(
        with(&|q| q.date = ValueMatch::Between(None, Some(date!(2025 - 12 - 31)))),
        0
    );
    for name in ["株式会社文蔵1", "（株）文蔵１", "文蔵１"] {
        assert_eq!(
            with(&|q| q.counterparty = Some(name.to_owned())),
            140,
            "{name}"
        );
    }
    assert_eq!(with(&|q| q.counterparty = Some(String::new())), 140);
    assert_eq!(with(&|q| q.counterparty = Some("有限会社".to_owned())), 0);
    assert_eq!(with(&|q| q.class = Some("contract".to_owned())), 210);
    assert_eq!(with(&|q| q.class = Some("contrac".to_owned())), 0);
    assert_eq!(with(&|q| q.currency = Some("jpy".to_owned())), 360);
    assert_eq!(with(&|q| q.text = Some("ふぁいる－４１".to_owned())), 11);
    assert_eq!(
        with(&|q| q.additional = vec![("project".to_owned(), "p1".to_owned())]),
        210
    );
    assert_eq!(
        with(&|q| q.additional = vec![("other".to_owned(), "p1".to_owned())]),
        0
    );
    assert_eq!(with(&|q| q.record = Some(version(6).record())), 2);
    assert_eq!(with(&|q| q.hits_max = Some(3)), 3);
    assert_eq!(with(&|q| q.hits_max = Some(0)), 0);
    let both = with(&|q| {
        q.class = Some("contract".to_owned());
        q.amount = ValueMatch::Missing;
    });
    assert_eq!(both, 30, "all conditions hold");
}

#[test]
fn versions_and_identities_are_found() {
    let archive = Archive::new();
    archive.deposit(0..20);
    let catalog = archive.catalog();
    let versions = catalog.versions(version(6).record()).unwrap();
    let numbers: Vec<u32> = versions.iter().map(|hit| hit.version.version()).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(
        versions
            .iter()
            .map(|hit| hit.superseded)
            .collect::<Vec<_>>(),
        [true, false]
    );
    let latest = catalog.latest(version(6).record()).unwrap().unwrap();
    assert_eq!(latest.version, version(7));
    assert_eq!(latest.metadata, manifest(7).metadata);
    assert_eq!(latest.objects[0].name, manifest(7).objects[0].name);
    assert_eq!(
        catalog.version(version(6)).unwrap().unwrap().version,
        version(6)
    );
    let none = VersionId::new(version(6).record(), 3).unwrap();
    assert!(catalog.version(none).unwrap().is_none());
    assert!(
        catalog
            .latest(RecordId::from_bytes([9; 16]))
            .unwrap()
            .is_none()
    );
    assert_eq!(
        catalog.by_deposit_identity(&identity(7)).unwrap(),
        Some(version(7))
    );
    assert_eq!(catalog.by_deposit_identity(&identity(99)).unwrap(), None);
}

#[test]
fn stamps_are_folded() {
    let archive = Archive::new();
    archive.deposit(0..300);
    assert_eq!(archive.catalog().unstamped(7).unwrap().len(), 7);
    let waiting = archive.catalog().unstamped(1).unwrap();
    let group = Manifest::group(&manifest(0), DigestAlgorithm::Sha256).unwrap();
    let leaf = formats::evidence::hash_tree::group_hash(DigestAlgorithm::Sha256, &group);
    assert_eq!(waiting[0].leaf, leaf);
    archive.stamp(1);
    archive.deposit(300..310);
    let counts = archive.catalog().counts().unwrap();
    assert_eq!(
        (counts.versions, counts.unstamped, counts.batches),
        (310, 10, 1)
    );
    let stamp = archive.catalog().batch_of(version(100)).unwrap().unwrap();
    assert_eq!(
        (stamp.batch, stamp.leaf),
        (BatchId::from_bytes([1; 16]), 100)
    );
    assert!(archive.catalog().batch_of(version(305)).unwrap().is_none());
    archive.stamp(2);
    let query = Query {
        batch: Some(BatchId::from_bytes([2; 16])),
        all_versions: true,
        ..Query::default()
    };
    assert_eq!(found(&archive, &query), 10);
    let query = Query {
        unstamped_only: true,
        ..Query::default()
    };
    assert_eq!(found(&archive, &query), 0);
    let batch = archive.catalog().batch(stamp.batch).unwrap().unwrap();
    assert_eq!((batch.leaf_count, batch.tsa.as_str()), (300, "test"));
    assert!(
        archive
            .catalog()
            .batch(BatchId::from_bytes([3; 16]))
            .unwrap()
            .is_none()
    );
}

/// 250 versions, 240 of them in two batches.
fn filled() -> Archive {
    let archive = Archive::new();
    archive.deposit(0..200);
    archive.stamp(1);
    archive.deposit(200..240);
    archive.stamp(2);
    archive.deposit(240..250);
    archive
}

#[test]
fn a_deleted_index_is_made_anew() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    std::fs::remove_dir_all(archive.index()).unwrap();
    let report = archive.open_catalog();
    assert!(report.rebuilt);
    assert_eq!((report.versions_applied, report.batches_applied), (250, 2));
    assert_eq!(archive.answers(), before);
    archive.catalog = None;
    let (catalog, report) = Catalog::rebuild(
        archive.store(),
        archive.catalog_options(),
        &TestOpener,
        &mut |_| {},
    )
    .unwrap();
    assert!(report.rebuilt);
    assert_eq!(answers(&catalog), before);
    drop(catalog);
    let report = archive.open_catalog();
    assert_eq!((report.rebuilt, report.versions_applied), (false, 0));
    assert_eq!(std::fs::read_dir(archive.index()).unwrap().count(), 1);
}

#[test]
fn applying_twice_changes_nothing() {
    let archive = filled();
    let before = archive.answers();
    for item in archive.store().scan(None, ScanScope::Records) {
        let item = item.unwrap();
        match &item.frame {
            Frame::RecordVersion(frame) => {
                let manifest = TestOpener.open_manifest(frame).unwrap();
                archive
                    .catalog()
                    .apply_version(item.address, frame, &manifest)
                    .unwrap();
            }
            frame => archive.catalog().apply(item.address, frame).unwrap(),
        }
    }
    assert_eq!(archive.answers(), before);
}

#[test]
fn what_was_not_applied_is_read_from_the_segments() {
    let mut archive = Archive::new();
    archive.deposit(0..5);
    // Number 5 is committed and not applied, as when its depositor dies; number 6 is applied.
    let (address, ..) = archive.append(5);
    archive.appender().commit(address).unwrap();
    archive.deposit(6..8);
    assert_eq!(archive.catalog().counts().unwrap().versions, 7);
    archive.catalog().checkpoint().unwrap();
    let report = archive.open_catalog();
    assert_eq!(report.versions_applied, 3);
    assert_eq!(archive.catalog().counts().unwrap().versions, 8);
}

#[test]
fn versions_without_a_key_are_listed_without_metadata() {
    let mut archive = Archive::new();
    archive.deposit(0..2);
    let frame = frame(2, b"key destroyed, surely");
    let address = archive
        .appender()
        .append(Frame::RecordVersion(frame))
        .unwrap();
    archive.appender().commit(address).unwrap();
    let report = archive.open_catalog();
    assert_eq!(
        report.without_manifest,
        [(version(2), address, ManifestFailure::KeyMissing)]
    );
    let hit = archive.catalog().version(version(2)).unwrap().unwrap();
    assert!(!hit.readable);
    assert_eq!(archive.catalog().unstamped(9).unwrap()[2].leaf, None);
}

#[test]
fn two_processes_do_not_share_an_index() {
    let archive = Archive::new();
    assert!(matches!(
        archive.try_open(),
        Err(StoreError::IndexInUse { .. })
    ));
}

/// A copy of the index directory, as a killed process leaves it.
fn copy_index(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_index(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files_of(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn a_killed_process_loses_nothing_of_the_index() {
    let archive = Archive::new();
    for round in 0..12 {
        archive.deposit(round * 20..round * 20 + 20);
        if round % 4 == 2 {
            archive.stamp(round as u8);
        }
        if round % 3 == 1 {
            archive.catalog().checkpoint().unwrap();
        }
        let copy = archive.root.path().join(format!("copy-{round}"));
        copy_index(&archive.index(), &copy);
        let options = CatalogOptions {
            directory: copy,
            ..archive.catalog_options()
        };
        let (catalog, report) =
            Catalog::open(archive.store(), options, &TestOpener, &mut |_| {}).unwrap();
        assert_eq!(report.set_aside, None);
        assert_eq!(answers(&catalog), archive.answers(), "round {round}");
    }
}

/// Files of the engine cut, emptied, filled with garbage, removed, or with a flipped bit: the answers are right, or the damage is noticed,
/// and then the next opening makes the index anew.
#[test]
fn a_damaged_index_is_noticed_and_made_anew() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    let index = archive.index();
    let good = archive.root.path().join("good");
    std::fs::rename(&index, &good).unwrap();
    let mut random = Random(11);
    let mut set_aside = 0;
    for file in 0..files_of(&good).len() {
        for kind in 0..12 {
            copy_index(&good, &index);
            damage(&files_of(&index)[file], kind, &mut random);
            let report = archive.open_catalog();
            set_aside += u32::from(report.set_aside.is_some());
            let mut failed = false;
            archive
                .catalog()
                .for_each(&mut |_| true)
                .unwrap_or_else(|_| failed = true);
            if failed {
                assert!(archive.open_catalog().set_aside.is_some());
            }
            assert_eq!(archive.answers(), before, "file {file}, damage {kind}");
            archive.catalog = None;
            std::fs::remove_dir_all(&index).unwrap();
        }
    }
    assert!(set_aside > 3, "{set_aside} set aside");
}

fn damage(path: &Path, kind: u32, random: &mut Random) {
    let mut bytes = std::fs::read(path).unwrap();
    let length = bytes.len();
    match kind {
        0 => bytes.truncate(length / 2),
        1 => bytes.clear(),
        2 => bytes
            .iter_mut()
            .for_each(|byte| *byte = random.below(256) as u8),
        3 => bytes.truncate(length.saturating_sub(1)),
        4 => bytes.fill(0),
        5 => bytes.extend([7; 100]),
        _ if length == 0 => {}
        _ => {
            let bit = random.below(length as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
    std::fs::remove_file(path).unwrap();
    if kind != 11 {
        crate::store::durable::replace_file(system_disk().as_ref(), path, &bytes).unwrap();
    }
}

#[test]
fn an_index_ahead_of_the_segments_is_made_anew() {
    let mut archive = filled();
    archive.catalog = None;
    let index = archive.index();
    let mut other = Archive::new();
    other.deposit(0..3);
    other.catalog = None;
    std::fs::remove_dir_all(other.index()).unwrap();
    std::fs::rename(index, other.index()).unwrap();
    let report = other.open_catalog();
    assert!(report.set_aside.is_some());
    assert_eq!(other.catalog().counts().unwrap().versions, 3);
}
