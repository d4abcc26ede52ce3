mod hostile;
mod manifests;
mod vectors;

use std::borrow::Cow;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::*;
use crate::error::ErrorKind;

/// A container with two documents, one of them empty.
pub(super) fn sample() -> Vec<u8> {
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), MIMETYPE_ASIC_E).unwrap();
    writer
        .add("documents/請求書.txt", 5, b"hello".as_slice())
        .unwrap();
    writer.add_bytes("empty", b"").unwrap();
    writer.finish().unwrap().into_inner()
}

/// A container as another program writes it: compressed, with folders.
pub(super) fn foreign() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("mimetype", stored).unwrap();
    writer.write_all(MIMETYPE_ASIC_S.as_bytes()).unwrap();
    writer.add_directory("META-INF/", stored).unwrap();
    writer.start_file("META-INF/log.txt", deflated).unwrap();
    writer
        .write_all(&b"2026-01-31 something happened\n".repeat(100))
        .unwrap();
    writer.finish().unwrap().into_inner()
}

pub(super) fn kind_of(bytes: &[u8]) -> ErrorKind {
    AsicReader::open(bytes).unwrap_err().kind()
}

/// Opens, and reads everything.
pub(super) fn read_all(bytes: &[u8]) -> crate::error::Result<Vec<(String, Vec<u8>)>> {
    let reader = AsicReader::open(bytes)?;
    let read = |entry: &AsicEntry<'_>| Ok((entry.name().to_owned(), entry.read()?.into_owned()));
    reader.entries().iter().map(read).collect()
}

#[test]
fn what_is_written_is_read() {
    let bytes = sample();
    let reader = AsicReader::open(&bytes).unwrap();
    let names: Vec<_> = reader.entries().iter().map(AsicEntry::name).collect();
    assert_eq!(names, ["mimetype", "documents/請求書.txt", "empty"]);
    assert_eq!(reader.mimetype(), Some(MIMETYPE_ASIC_E));
    assert_eq!(reader.notes(), []);
    assert!(reader.is_canonical());
    let entry = reader.entry("documents/請求書.txt").unwrap();
    assert!(matches!(entry.read().unwrap(), Cow::Borrowed(b"hello")));
    assert_eq!(
        (entry.size(), entry.is_stored(), entry.is_folder()),
        (5, true, false)
    );
    let uri = uri::encode(entry.name());
    assert_eq!(reader.resolve(&uri).unwrap().name(), entry.name());
    assert!(reader.resolve("documents/請求書.txt").is_some());
    assert!(reader.resolve("documents/%").is_none());
}

/// The media type stands where `file` looks for it (EN 319 162-1 §A.1).
#[test]
fn the_media_type_stands_at_byte_38() {
    assert!(sample()[38..].starts_with(MIMETYPE_ASIC_E.as_bytes()));
    assert_eq!(&sample()[30..38], b"mimetype");
}

#[test]
fn another_program_reads_what_is_written() {
    let mut archive = ZipArchive::new(Cursor::new(sample())).unwrap();
    assert_eq!(archive.len(), 3);
    let mut content = String::new();
    archive
        .by_name("documents/請求書.txt")
        .unwrap()
        .read_to_string(&mut content)
        .unwrap();
    assert_eq!(content, "hello");
}

#[test]
fn what_another_program_writes_is_read() {
    let bytes = foreign();
    let reader = AsicReader::open(&bytes).unwrap();
    assert_eq!(reader.mimetype(), Some(MIMETYPE_ASIC_S));
    assert_eq!(reader.notes(), []);
    assert!(!reader.is_canonical());
    assert!(reader.entry("META-INF/").unwrap().is_folder());
    let log = reader.entry("META-INF/log.txt").unwrap();
    assert!(!log.is_stored());
    assert_eq!(log.read().unwrap().len(), 3000);
}

#[test]
fn writing_is_deterministic() {
    assert_eq!(sample(), sample());
}

#[test]
fn a_writer_refuses_names_and_sizes_that_do_not_fit() {
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), MIMETYPE_ASIC_E).unwrap();
    let kind = |result: Result<(), WriteError>| match result {
        Err(WriteError::Format(error)) => error.kind(),
        other => panic!("{other:?}"),
    };
    for name in ["../a", "/a", "a\\b", "", "folder/", "a\nb"] {
        assert_eq!(
            kind(writer.add_bytes(name, b"")),
            ErrorKind::InvalidName,
            "{name:?}"
        );
    }
    assert_eq!(
        kind(writer.add_bytes("mimetype", b"")),
        ErrorKind::DuplicateElement
    );
    assert_eq!(
        kind(writer.add_bytes(&"a".repeat(5000), b"")),
        ErrorKind::LimitExceeded
    );
    assert_eq!(
        kind(writer.add("short", 6, b"hello".as_slice())),
        ErrorKind::SizeMismatch
    );
    assert_eq!(
        kind(writer.add("long", 4, b"hello".as_slice())),
        ErrorKind::SizeMismatch
    );
}

#[test]
fn faults_of_source_and_sink_are_told_apart() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), MIMETYPE_ASIC_E).unwrap();
    assert!(matches!(
        writer.add("a", 1, Broken),
        Err(WriteError::Source(_))
    ));
    let mut full = [0; 40];
    let result = AsicWriter::new(Cursor::new(full.as_mut_slice()), MIMETYPE_ASIC_E);
    assert!(matches!(result, Err(WriteError::Sink(_))));
    let mut elsewhere = Cursor::new(Vec::new());
    elsewhere.set_position(1);
    assert!(matches!(
        AsicWriter::new(elsewhere, MIMETYPE_ASIC_E),
        Err(WriteError::Sink(_))
    ));
}

static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// Keeps what stands outside of a large run of zeros: enough to look at the headers around 4 GiB.
#[derive(Default)]
struct Sparse {
    position: u64,
    end: u64,
    blocks: Vec<(u64, Vec<u8>)>,
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !ZEROS.starts_with(bytes) {
            self.blocks.push((self.position, bytes.to_vec()));
        }
        self.position += bytes.len() as u64;
        self.end = self.end.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        if let SeekFrom::Start(position) = to {
            self.position = position;
        }
        Ok(self.position)
    }
}

impl Sparse {
    fn at(&self, position: u64, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        for (start, block) in &self.blocks {
            for (index, byte) in (*start..).zip(block) {
                if let Some(slot) = index
                    .checked_sub(position)
                    .and_then(|at| out.get_mut(at as usize))
                {
                    *slot = *byte;
                }
            }
        }
        out
    }
}

/// Sizes and offsets beyond 32 bits go to zip64 fields, and nowhere else.
#[test]
fn zip64_where_needed() {
    const BIG: u64 = 0xFFFF_FFFF;
    let mut writer = AsicWriter::new(Sparse::default(), MIMETYPE_ASIC_E).unwrap();
    writer
        .add("big", BIG, std::io::repeat(0).take(BIG))
        .unwrap();
    writer.add_bytes("after", b"x").unwrap();
    let sink = writer.finish().unwrap();
    let mimetype_end = 38 + MIMETYPE_ASIC_E.len() as u64;
    let local = sink.at(mimetype_end, 53);
    assert_eq!(local[18..26], [0xFF; 8]);
    assert_eq!(local[33..37], [1, 0, 16, 0]);
    assert_eq!(local[37..45], BIG.to_le_bytes());
    let after = mimetype_end + 53 + BIG;
    assert_eq!(sink.at(after, 4), 0x0403_4b50_u32.to_le_bytes());
    let directory = after + 30 + 5 + 1;
    let end = sink.at(sink.end - 98, 98);
    assert_eq!(end[..4], 0x0606_4b50_u32.to_le_bytes());
    assert_eq!(end[48..56], directory.to_le_bytes());
    assert_eq!(end[64..72], (sink.end - 98).to_le_bytes());
    let central = sink.at(directory, (sink.end - 98 - directory) as usize);
    // `mimetype` needs no extra field, `big` its sizes, `after` its offset.
    assert_eq!(central.len(), 3 * 46 + 8 + 3 + 5 + 20 + 12);
    assert!(central.ends_with(&after.to_le_bytes()));
}

#[test]
fn many_members_need_zip64_too() {
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), MIMETYPE_ASIC_E).unwrap();
    for number in 1..65_535 {
        writer.add_bytes(&number.to_string(), b"").unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let reader = AsicReader::open(&bytes).unwrap();
    assert_eq!(reader.entries().len(), 65_535);
    assert!(reader.is_canonical());
    assert_eq!(ZipArchive::new(Cursor::new(&bytes)).unwrap().len(), 65_535);
}

proptest! {
    #[test]
    fn round_trip(members in vec(("[a-z請]{1,4}(/[a-z]{1,3})?", vec(any::<u8>(), 0..50)), 0..6)) {
        let members: std::collections::BTreeMap<_, _> = members.into_iter().collect();
        let mut writer = AsicWriter::new(Cursor::new(Vec::new()), MIMETYPE_ASIC_E).unwrap();
        for (name, content) in &members {
            writer.add(name, content.len() as u64, content.as_slice()).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        prop_assert!(AsicReader::open(&bytes).unwrap().is_canonical());
        let read = read_all(&bytes).unwrap();
        prop_assert_eq!(&read[0].0, "mimetype");
        prop_assert_eq!(read[1..].to_vec(), members.into_iter().collect::<Vec<_>>());
    }
}
