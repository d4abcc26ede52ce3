//! Content under good and bad conditions.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{self, Read};
use std::sync::Arc;

use firmware::entropy::{Entropy, SeededEntropy};
use formats::digest::DigestAlgorithm;
use formats::id::{ArchiveId, RecordId, VersionId};
use formats::segment::{ChunkCodec, ContentChunk, MANIFEST_OBJECT, RecordVersion};
use proptest::prelude::*;

use super::*;
use crate::keys::{DataKey, KdfParameters, KeyMedium, Passphrase};

mod failures;
mod refusals;

const MIB: usize = CHUNK_BYTES;

struct Bench {
    _place: tempfile::TempDir,
    keys: Arc<KeyMedium>,
    records: Cell<u8>,
}

/// A sealed content with what is needed to open it.
struct Sealed {
    opener: VersionOpener,
    shape: ObjectShape,
    summary: ContentSummary,
    chunks: Vec<ContentChunk>,
}

impl Bench {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let passphrase = Passphrase::generate(&*entropy).unwrap();
        let cheap = KdfParameters {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        };
        let keys = KeyMedium::create(
            crate::store::durable::system_disk(),
            place.path(),
            archive(),
            &passphrase,
            cheap,
            entropy,
        )
        .unwrap();
        Self {
            _place: place,
            keys: Arc::new(keys),
            records: Cell::new(0),
        }
    }

    fn sealer(&self) -> VersionSealer {
        self.records.set(self.records.get() + 1);
        let version = VersionId::first(RecordId::from_bytes([self.records.get(); 16]));
        let staged = self.keys.ledger().wrap_new(version).unwrap();
        VersionSealer::new(archive(), staged)
    }

    fn key(&self, version: VersionId) -> DataKey {
        self.keys.ledger().data_key(version).unwrap()
    }

    fn seal(&self, content: &[u8]) -> Sealed {
        self.seal_object(&mut self.sealer(), 0, content)
    }

    fn seal_object(&self, sealer: &mut VersionSealer, object: u32, content: &[u8]) -> Sealed {
        let mut chunks = Vec::new();
        let summary = ContentWriter::new()
            .unwrap()
            .write(sealer, object, &mut &*content, |chunk| {
                keep(&mut chunks, chunk)
            })
            .unwrap();
        let version = sealer.version();
        Sealed {
            opener: VersionOpener::new(archive(), version, &self.key(version)),
            shape: ObjectShape {
                object,
                size: summary.size,
                chunks: summary.chunks,
            },
            summary,
            chunks,
        }
    }
}

impl Sealed {
    fn read(&self) -> Result<Vec<u8>, ReadError<usize>> {
        let digests = [self.summary.sha256, self.summary.sha512];
        let mut content = Vec::new();
        let mut reader = ContentReader::new().unwrap();
        let fetch = |number| self.fetch(number);
        reader.read(&self.opener, self.shape, &digests, fetch, &mut content)?;
        Ok(content)
    }

    fn fetch(&self, number: u64) -> Result<ContentChunk, usize> {
        let number = usize::try_from(number).unwrap();
        self.chunks.get(number).cloned().ok_or(number)
    }

    fn fault(&self) -> ChunkFault {
        match self.read() {
            Err(ReadError::Chunk { fault, .. }) => fault,
            other => panic!("not refused: {:?}", other.map(|content| content.len())),
        }
    }
}

fn archive() -> ArchiveId {
    ArchiveId::from_bytes([7; 16])
}

fn keep(chunks: &mut Vec<ContentChunk>, chunk: ContentChunk) -> Result<(), Infallible> {
    chunks.push(chunk);
    Ok(())
}

/// Bytes that do not compress (xorshift64).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn text(length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|line| format!("{line:08} GET /index.html 200\n").into_bytes())
        .take(length)
        .collect()
}

#[test]
fn content_of_every_size_comes_back() {
    let bench = Bench::new();
    for length in [
        0,
        1,
        2,
        65_535,
        MIB - 1,
        MIB,
        MIB + 1,
        2 * MIB,
        4 * MIB,
        4 * MIB + 1,
        9 * MIB + 17,
    ] {
        for content in [noise(1, length), text(length)] {
            let sealed = bench.seal(&content);
            assert_eq!(sealed.summary.size, length as u64);
            assert_eq!(sealed.summary.chunks, chunk_count(length as u64));
            assert_eq!(sealed.chunks.len() as u64, sealed.summary.chunks);
            let digest = DigestAlgorithm::Sha256.digest(&content);
            assert_eq!(sealed.summary.sha256, digest);
            let digest = DigestAlgorithm::Sha512.digest(&content);
            assert_eq!(sealed.summary.sha512, digest);
            assert!(sealed.read().unwrap() == content, "{length} bytes");
        }
    }
}

#[test]
fn text_is_packed_and_noise_is_stored() {
    let bench = Bench::new();
    let packed = bench.seal(&text(3 * MIB));
    assert!(
        packed
            .chunks
            .iter()
            .all(|chunk| chunk.header.codec == ChunkCodec::Zstd)
    );
    assert!(packed.summary.sealed_bytes < packed.summary.size / 4);
    let stored = bench.seal(&noise(1, 3 * MIB));
    assert!(
        stored
            .chunks
            .iter()
            .all(|chunk| chunk.header.codec == ChunkCodec::Stored)
    );
    assert_eq!(stored.summary.sealed_bytes, 3 * (MIB as u64 + 16));
    let empty = bench.seal(b"");
    assert_eq!(empty.chunks[0].header.codec, ChunkCodec::Stored);
    assert_eq!(empty.summary.sealed_bytes, 16);
}

#[test]
fn no_nonce_comes_twice_and_no_plaintext_shows() {
    let bench = Bench::new();
    let mut sealer = bench.sealer();
    let content = text(6 * MIB);
    let mut nonces = std::collections::BTreeSet::new();
    let mut count = 0;
    for object in 0..3 {
        for chunk in bench.seal_object(&mut sealer, object, &content).chunks {
            nonces.insert(chunk.header.nonce().unwrap());
            count += 1;
            assert!(!chunk.sealed.windows(10).any(|part| part == b"index.html"));
        }
    }
    let manifest = ContentWriter::new()
        .unwrap()
        .seal_manifest(&mut sealer, b"{}")
        .unwrap();
    nonces.insert(record(&sealer, manifest).manifest_header().nonce().unwrap());
    assert_eq!(nonces.len(), count + 1);
}

#[test]
fn an_object_is_sealed_once_under_a_key() {
    let bench = Bench::new();
    let mut sealer = bench.sealer();
    let mut writer = ContentWriter::new().unwrap();
    let mut write = |sealer: &mut VersionSealer, object| {
        writer.write(sealer, object, &mut &b"content"[..], |_| {
            Ok::<_, Infallible>(())
        })
    };
    write(&mut sealer, 5).unwrap();
    assert!(matches!(
        write(&mut sealer, 5),
        Err(WriteError::Seal(SealError::ObjectBegunTwice { object: 5 }))
    ));
    assert!(matches!(
        write(&mut sealer, MANIFEST_OBJECT),
        Err(WriteError::Seal(SealError::ReservedObject))
    ));
    let mut writer = ContentWriter::new().unwrap();
    writer.seal_manifest(&mut sealer, b"{}").unwrap();
    assert_eq!(
        writer.seal_manifest(&mut sealer, b"{}"),
        Err(SealError::ObjectBegunTwice {
            object: MANIFEST_OBJECT
        })
    );
}

#[test]
fn ranges_are_the_same_as_parts_of_the_whole() {
    let bench = Bench::new();
    let content = text(3 * MIB + 100);
    let size = content.len();
    let sealed = bench.seal(&content);
    let mut reader = ContentReader::new().unwrap();
    let mut read = |start: usize, end: usize| {
        let mut part = Vec::new();
        let range = start as u64..end as u64;
        let fetch = |number| sealed.fetch(number);
        reader
            .read_range(&sealed.opener, sealed.shape, range, fetch, &mut part)
            .map(|()| part)
    };
    for (start, end) in [
        (0, 0),
        (0, 1),
        (5, 5),
        (MIB - 1, MIB + 1),
        (MIB, 2 * MIB),
        (17, size),
        (size - 1, size),
        (size, size),
        (0, size),
    ] {
        assert!(
            read(start, end).unwrap() == content[start..end],
            "{start}..{end}"
        );
    }
    for (start, end) in [(0, size + 1), (size + 1, size + 1), (6, 5)] {
        assert!(matches!(read(start, end), Err(ReadError::Range { .. })));
    }
}

fn record(sealer: &VersionSealer, manifest: SealedManifest) -> RecordVersion {
    RecordVersion {
        version: sealer.version(),
        identity: [0; 32],
        contents: Vec::new(),
        manifest_codec: manifest.codec,
        manifest_plain_bytes: manifest.plain_bytes,
        manifest_sealed: manifest.sealed,
    }
}

#[test]
fn nothing_prints_a_key_or_content() {
    let bench = Bench::new();
    let mut sealer = bench.sealer();
    let sealed = bench.seal_object(&mut sealer, 0, b"top secret");
    let writer = ContentWriter::new().unwrap();
    let shown = format!("{sealer:?} {:?} {writer:?}", sealed.opener);
    assert!(
        shown.starts_with("VersionSealer { version: VersionId("),
        "{shown}"
    );
    assert!(
        !shown.contains("cipher") && !shown.contains("secret"),
        "{shown}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Noise and text in any order, read in pieces of any size, come back whole and in any range.
    #[test]
    fn any_content_comes_back(
        parts in proptest::collection::vec((any::<bool>(), 0..700_000_usize), 0..6),
        step in 1..200_000_usize,
        cut in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let bench = Bench::new();
        let content: Vec<u8> = parts
            .iter()
            .flat_map(|&(random, length)| if random { noise(3, length) } else { text(length) })
            .collect();
        let mut sealer = bench.sealer();
        let mut chunks = Vec::new();
        let summary = ContentWriter::new()
            .unwrap()
            .write(&mut sealer, 0, &mut Stepped(&content, step), |chunk| keep(&mut chunks, chunk))
            .unwrap();
        let version = sealer.version();
        let opener = VersionOpener::new(archive(), version, &bench.key(version));
        let shape = ObjectShape { object: 0, size: summary.size, chunks: summary.chunks };
        let sealed = Sealed { opener, shape, summary, chunks };
        prop_assert!(sealed.read().unwrap() == content);

        let (one, two) = (cut.0.index(content.len() + 1), cut.1.index(content.len() + 1));
        let (start, end) = (one.min(two), one.max(two));
        let mut part = Vec::new();
        ContentReader::new()
            .unwrap()
            .read_range(&sealed.opener, shape, start as u64..end as u64, |n| sealed.fetch(n), &mut part)
            .unwrap();
        prop_assert!(part == content[start..end]);
    }
}

/// Gives its bytes in pieces.
struct Stepped<'a>(&'a [u8], usize);

impl Read for Stepped<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.1);
        self.0.read(&mut bytes[..count])
    }
}
