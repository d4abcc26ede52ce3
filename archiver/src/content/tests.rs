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
        let keys = KeyMedium::create(place.path(), archive(), &passphrase, cheap, entropy).unwrap();
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

/// Each row changes sealed content; all are refused with the fault of the row.
#[test]
fn changed_chunks_are_refused() {
    type Change = fn(&mut Sealed, &Sealed);
    let rows: [(&str, ChunkFault, Change); 16] = [
        ("swapped", ChunkFault::Misplaced, |s, _| s.chunks.swap(0, 1)),
        ("swapped, renumbered", ChunkFault::Forged, |s, _| {
            s.chunks.swap(0, 1);
            s.chunks[0].header.chunk = 0;
            s.chunks[1].header.chunk = 1;
        }),
        ("duplicated", ChunkFault::Misplaced, |s, _| {
            s.chunks[1] = s.chunks[0].clone()
        }),
        ("duplicated, renumbered", ChunkFault::Forged, |s, _| {
            s.chunks[1] = s.chunks[0].clone();
            s.chunks[1].header.chunk = 1;
        }),
        ("dropped", ChunkFault::Misplaced, |s, _| {
            s.chunks.remove(1);
        }),
        (
            "cut off, with the number of chunks",
            ChunkFault::End,
            |s, _| {
                s.chunks.pop();
                s.shape.chunks = 2;
                s.shape.size = 2 * MIB as u64;
            },
        ),
        ("cut off, with the end mark", ChunkFault::Forged, |s, _| {
            s.chunks.pop();
            s.shape.chunks = 2;
            s.shape.size = 2 * MIB as u64;
            s.chunks[1].header.last = true;
        }),
        ("end mark taken away", ChunkFault::End, |s, _| {
            s.chunks[2].header.last = false
        }),
        ("of another version", ChunkFault::Misplaced, |s, o| {
            s.chunks[0] = o.chunks[0].clone()
        }),
        ("of another version, renamed", ChunkFault::Forged, |s, o| {
            s.chunks[0] = ContentChunk {
                header: s.chunks[0].header,
                sealed: o.chunks[0].sealed.clone(),
            };
        }),
        ("of another object", ChunkFault::Misplaced, |s, _| {
            s.chunks[0].header.object = 1
        }),
        ("read as another object", ChunkFault::Forged, |s, _| {
            s.shape.object = 1;
            for chunk in &mut s.chunks {
                chunk.header.object = 1;
            }
        }),
        ("codec changed", ChunkFault::Forged, |s, _| {
            s.chunks[0].header.codec = ChunkCodec::Zstd;
        }),
        ("tag shortened", ChunkFault::Length, |s, _| {
            s.chunks[0].sealed.truncate(15);
        }),
        ("longer than a chunk", ChunkFault::Length, |s, _| {
            s.chunks[2].header.plain_bytes = u32::MAX;
        }),
        ("short in the middle", ChunkFault::Length, |s, _| {
            s.chunks[0].header.plain_bytes -= 1;
        }),
    ];
    let bench = Bench::new();
    let content = noise(1, 2 * MIB + 1000);
    let other = bench.seal(&noise(2, 2 * MIB + 1000));
    for (name, fault, change) in rows {
        let mut sealed = bench.seal(&content);
        change(&mut sealed, &other);
        assert_eq!(sealed.fault(), fault, "{name}");
    }
}

#[test]
fn wrong_keys_and_archives_are_refused() {
    let bench = Bench::new();
    let mut sealed = bench.seal(b"content");
    let version = sealed.opener.version();
    let key = bench.key(version);
    sealed.opener = VersionOpener::new(ArchiveId::from_bytes([8; 16]), version, &key);
    assert_eq!(sealed.fault(), ChunkFault::Forged);
    let other = bench.seal(b"content").opener.version();
    sealed.opener = VersionOpener::new(archive(), version, &bench.key(other));
    assert_eq!(sealed.fault(), ChunkFault::Forged);
    sealed.opener = VersionOpener::new(archive(), other, &key);
    assert_eq!(sealed.fault(), ChunkFault::Misplaced);
}

#[test]
fn each_flipped_bit_of_a_chunk_is_refused() {
    let bench = Bench::new();
    let mut reader = ContentReader::new().unwrap();
    for content in [noise(1, 40), text(400)] {
        let sealed = bench.seal(&content);
        for bit in 0..sealed.chunks[0].sealed.len() * 8 {
            let fetch = |number| {
                let mut chunk = sealed.fetch(number)?;
                chunk.sealed[bit / 8] ^= 1 << (bit % 8);
                Ok::<_, usize>(chunk)
            };
            let refused = reader.read(&sealed.opener, sealed.shape, &[], fetch, &mut io::sink());
            let fault = ChunkFault::Forged;
            assert!(matches!(refused, Err(ReadError::Chunk { fault: f, .. }) if f == fault));
        }
    }
}

#[test]
fn content_that_is_not_what_its_manifest_states_is_refused() {
    let bench = Bench::new();
    let mut sealed = bench.seal(&noise(1, MIB + 5));
    sealed.shape.size -= 1;
    assert!(matches!(sealed.read(), Err(ReadError::Size { found, .. }) if found == MIB as u64 + 5));
    sealed.shape.size = MIB as u64;
    assert!(matches!(
        sealed.read(),
        Err(ReadError::ChunkCount {
            expected: 1,
            found: 2
        })
    ));
    sealed.shape.size = MIB as u64 + 5;
    sealed.summary.sha512 = DigestAlgorithm::Sha512.digest(b"other");
    assert!(matches!(
        sealed.read(),
        Err(ReadError::Digest(DigestAlgorithm::Sha512))
    ));
    sealed.chunks.pop();
    assert!(matches!(sealed.read(), Err(ReadError::Fetch(1))));
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

#[test]
fn a_range_of_a_changed_chunk_is_refused() {
    let bench = Bench::new();
    let mut sealed = bench.seal(&noise(1, 3 * MIB));
    sealed.chunks[1].sealed[0] ^= 1;
    let mut reader = ContentReader::new().unwrap();
    let mut read = |range| {
        let fetch = |number| sealed.fetch(number);
        reader.read_range(&sealed.opener, sealed.shape, range, fetch, &mut io::sink())
    };
    let mib = MIB as u64;
    read(0..mib).unwrap();
    read(2 * mib..3 * mib).unwrap();
    assert!(matches!(
        read(mib - 1..mib + 1),
        Err(ReadError::Chunk {
            chunk: 1,
            fault: ChunkFault::Forged,
            ..
        })
    ));
}

/// Gives some bytes, then fails.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let count = bytes.len().min(self.0).min(100_000);
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn a_writer_works_again_after_every_failure() {
    let bench = Bench::new();
    let mut writer = ContentWriter::new().unwrap();
    for round in 0..20 {
        let length = round * MIB / 2;
        let failed = writer.write(&mut bench.sealer(), 0, &mut Failing(length), |_| {
            Ok::<_, Infallible>(())
        });
        assert!(matches!(failed, Err(WriteError::Source(_))));
        let mut left = round;
        let failed = writer.write(&mut bench.sealer(), 0, &mut io::repeat(7), |_| {
            left = left.checked_sub(1).ok_or("no room")?;
            Ok(())
        });
        assert!(matches!(failed, Err(WriteError::Append("no room"))));
    }
    let mut count = 0;
    let summary = writer
        .write(
            &mut bench.sealer(),
            0,
            &mut io::repeat(7).take(8 << 20),
            |_| {
                count += 1;
                Ok::<_, Infallible>(())
            },
        )
        .unwrap();
    assert_eq!((summary.size, summary.chunks, count), (8 << 20, 8, 8));
}

#[test]
fn a_reader_works_again_after_every_failure() {
    let bench = Bench::new();
    let content = noise(1, 7 * MIB);
    let sealed = bench.seal(&content);
    let mut reader = ContentReader::new().unwrap();
    for bad in 0..7 {
        let fetch = |number| {
            if number == bad {
                Err(99)
            } else {
                sealed.fetch(number)
            }
        };
        let failed = reader.read(&sealed.opener, sealed.shape, &[], fetch, &mut io::sink());
        assert!(matches!(failed, Err(ReadError::Fetch(99))));
    }
    let mut output = Vec::new();
    let digests = [sealed.summary.sha256, sealed.summary.sha512];
    let fetch = |number| sealed.fetch(number);
    reader
        .read(&sealed.opener, sealed.shape, &digests, fetch, &mut output)
        .unwrap();
    assert!(output == content);
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
fn a_manifest_comes_back_and_no_changed_one_does() {
    let bench = Bench::new();
    for manifest in [text(2000), noise(1, 300), noise(2, 2 * MIB), text(3 * MIB)] {
        let mut sealer = bench.sealer();
        let sealed = ContentWriter::new()
            .unwrap()
            .seal_manifest(&mut sealer, &manifest)
            .unwrap();
        let record = record(&sealer, sealed);
        let key = bench.key(record.version);
        let opener = VersionOpener::new(archive(), record.version, &key);
        let open = |record: &RecordVersion| {
            ContentReader::new()
                .unwrap()
                .open_manifest::<Infallible>(&opener, record)
        };
        assert!(open(&record).unwrap().as_slice() == manifest);
        let mut changed = record.clone();
        changed.manifest_sealed[10] ^= 1;
        assert!(open(&changed).is_err());
        let mut changed = record.clone();
        changed.manifest_plain_bytes += 1;
        assert!(open(&changed).is_err());
        let mut changed = record.clone();
        changed.manifest_plain_bytes = u32::MAX;
        assert!(open(&changed).is_err());
        let mut changed = record.clone();
        changed.version = VersionId::new(record.version.record(), 2).unwrap();
        assert!(open(&changed).is_err());
        let mut changed = record;
        changed.manifest_sealed.clear();
        assert!(open(&changed).is_err());
    }
    let too_long = vec![0; formats::limits::MANIFEST_BYTES_MAX + 1];
    assert_eq!(
        ContentWriter::new()
            .unwrap()
            .seal_manifest(&mut bench.sealer(), &too_long),
        Err(SealError::ManifestTooLong)
    );
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
