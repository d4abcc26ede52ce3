//! Changed, misplaced, repeated, dropped and cut off chunks.

use super::*;

/// A way to change sealed content, and the fault by which it is refused.
type Row = (&'static str, ChunkFault, fn(&mut Sealed, &Sealed));

fn all_are_refused(rows: &[Row]) {
    let bench = Bench::new();
    let content = noise(1, 2 * MIB + 1000);
    let other = bench.seal(&noise(2, 2 * MIB + 1000));
    for (name, fault, change) in rows {
        let mut sealed = bench.seal(&content);
        change(&mut sealed, &other);
        assert_eq!(sealed.fault(), *fault, "{name}");
    }
}

#[test]
fn chunks_in_another_order_or_number_are_refused() {
    let rows: [Row; 8] = [
        ("swapped", ChunkFault::Misplaced, |s, _| s.chunks.swap(0, 1)),
        ("swapped, renumbered", ChunkFault::Forged, |s, _| {
            s.chunks.swap(0, 1);
            s.chunks[0].header.chunk = 0;
            s.chunks[1].header.chunk = 1;
        }),
        ("duplicated", ChunkFault::Misplaced, |s, _| {
            s.chunks[1] = s.chunks[0].clone();
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
            s.chunks[2].header.last = false;
        }),
    ];
    all_are_refused(&rows);
}

#[test]
fn chunks_of_another_place_or_form_are_refused() {
    let rows: [Row; 8] = [
        ("of another version", ChunkFault::Misplaced, |s, o| {
            s.chunks[0] = o.chunks[0].clone();
        }),
        ("of another version, renamed", ChunkFault::Forged, |s, o| {
            s.chunks[0] = ContentChunk {
                header: s.chunks[0].header,
                sealed: o.chunks[0].sealed.clone(),
            };
        }),
        ("of another object", ChunkFault::Misplaced, |s, _| {
            s.chunks[0].header.object = 1;
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
    all_are_refused(&rows);
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
