mod admitting;
mod compacting;
mod faulty;
mod fixity;
mod growing;
mod healing;
mod histories;
mod opening;
mod recovering;
mod replicas;
mod returning;
mod specification;
mod surveying;
mod unreadable;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware::clock::SimulatedClock;
use formats::id::{ArchiveId, MediumId, RecordId, VersionId};
use formats::medium::{MediumLabel, MediumRole};
use formats::segment::{
    ChunkCodec, ChunkHeader, ContentChunk, ContentLocations, Frame, FrameAddress, RecordVersion,
};
use time::macros::datetime;

use super::durable::Disk;
use super::durable::faults::FaultyDisk;
use super::*;

const ARCHIVE: ArchiveId = ArchiveId::from_bytes([0xA0; 16]);

/// An archive's media in a temporary directory.
pub(super) struct Media {
    root: tempfile::TempDir,
    directories: Vec<PathBuf>,
    disk: Arc<FaultyDisk>,
    segment_bytes_max: u64,
    copies: CopyPolicy,
}

impl Media {
    fn new(replicas: u32) -> Self {
        let root = tempfile::tempdir().unwrap();
        let directories: Vec<PathBuf> = (1..=replicas)
            .map(|number| root.path().join(format!("medium-{number}")))
            .collect();
        let media = Self {
            root,
            directories,
            disk: FaultyDisk::new(),
            segment_bytes_max: 1 << 20,
            copies: CopyPolicy::default(),
        };
        let labelled: Vec<(PathBuf, MediumLabel)> = media
            .directories
            .iter()
            .zip(1..)
            .map(|(directory, number)| (directory.clone(), label(number)))
            .collect();
        Store::create(&labelled, &media.options(1))
            .unwrap()
            .close()
            .unwrap();
        media
    }

    fn with_small_segments(replicas: u32) -> Self {
        Self {
            segment_bytes_max: 4096,
            ..Self::new(replicas)
        }
    }

    fn options(&self, boot: u8) -> OpenOptions {
        let disk: Arc<dyn Disk> = self.disk.clone();
        OpenOptions {
            writable: true,
            boot_id: [boot; 16],
            clock: Arc::new(SimulatedClock::new(datetime!(2026-11-22 03:48:30 UTC))),
            segment_bytes_max: self.segment_bytes_max,
            disk,
            copies: self.copies.clone(),
        }
    }

    fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// A reader, after the writer was closed.
    fn read_only_while(&self, store: Store) -> Store {
        store.close().unwrap();
        self.read_only()
    }

    fn open(&self, boot: u8) -> (Store, RecoveryReport) {
        Store::open(&self.directories, ARCHIVE, &self.options(boot)).unwrap()
    }

    fn read_only(&self) -> Store {
        let options = OpenOptions {
            writable: false,
            ..self.options(1)
        };
        Store::open(&self.directories, ARCHIVE, &options).unwrap().0
    }

    /// Where a medium is.
    pub(super) fn directory(&self, medium: usize) -> &Path {
        &self.directories[medium]
    }

    fn segment(&self, medium: usize, segment: u32) -> PathBuf {
        self.directories[medium].join(format!("segments/{segment:010}.seg"))
    }

    fn bytes(&self, medium: usize, segment: u32) -> Vec<u8> {
        std::fs::read(self.segment(medium, segment)).unwrap()
    }

    fn assert_replicas_equal(&self) {
        for segment in self.read_only().segments().unwrap() {
            for medium in 1..self.directories.len() {
                assert!(
                    self.bytes(0, segment) == self.bytes(medium, segment),
                    "segment {segment} differs on medium {medium}"
                );
            }
        }
    }
}

fn label(number: u32) -> MediumLabel {
    MediumLabel {
        medium: MediumId::from_bytes([number as u8; 16]),
        archive: ARCHIVE,
        role: MediumRole::Data,
        number,
        created_at: datetime!(2026-11-22 03:48:30 UTC),
        classification: String::new(),
        capacity_bytes: 1,
        evaluation: true,
        format_version: 1,
    }
}

fn version(number: u32) -> VersionId {
    let mut record = [0; 16];
    record[12..].copy_from_slice(&number.to_be_bytes());
    VersionId::new(RecordId::from_bytes(record), 1).unwrap()
}

fn chunk(number: u32, bytes: usize) -> Frame {
    Frame::ContentChunk(ContentChunk {
        header: ChunkHeader {
            version: version(number),
            object: 0,
            chunk: 0,
            codec: ChunkCodec::Stored,
            last: true,
            plain_bytes: bytes as u32,
        },
        sealed: vec![number as u8; bytes + 16],
    })
}

fn record(number: u32, chunk: FrameAddress) -> Frame {
    Frame::RecordVersion(RecordVersion {
        version: version(number),
        identity: [number as u8; 32],
        contents: vec![ContentLocations {
            object: 0,
            chunks: vec![chunk],
        }],
        manifest_codec: ChunkCodec::Stored,
        manifest_plain_bytes: 10,
        manifest_sealed: vec![7; 26],
    })
}

/// Deposits a chunk and a record version, without a commit.
fn deposit(appender: &Appender, number: u32) -> Result<FrameAddress, StoreError> {
    let chunk = appender.append(chunk(number, 40 + number as usize % 100))?;
    appender.append(record(number, chunk))
}

/// The numbers of the records that a scan finds. Each chunk must be readable.
fn records(store: &Store) -> Vec<u32> {
    let mut numbers = Vec::new();
    for item in store.scan(None, ScanScope::Records) {
        let Frame::RecordVersion(found) = item.unwrap().frame else {
            continue;
        };
        let tail: [u8; 4] = found.version.record().as_bytes()[12..].try_into().unwrap();
        let number = u32::from_be_bytes(tail);
        let read = store.read(found.contents[0].chunks[0]).unwrap();
        assert_eq!(read, chunk(number, 40 + number as usize % 100));
        numbers.push(number);
    }
    numbers
}

/// A medium whose first segment is sealed and has about so many bytes.
pub(super) fn sealed_with(bytes: usize) -> Media {
    let media = Media {
        segment_bytes_max: bytes as u64,
        ..Media::new(1)
    };
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..(bytes / 5000 + 10) as u32 {
        let address = appender.append(chunk(number, 5000)).unwrap();
        let address = appender.append(record(number, address)).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();
    media
}

fn flip(path: &Path, bit: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    put(path, &bytes);
}

fn put(path: &Path, bytes: &[u8]) {
    if path.exists() {
        std::fs::remove_file(path).unwrap();
    }
    let file = durable::SystemDisk.create(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0).unwrap();
}
