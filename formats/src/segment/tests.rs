mod compaction;
mod evidence;

use proptest::prelude::*;
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::digest::DigestAlgorithm;
use crate::error::ErrorKind;
use crate::id::{ArchiveId, BatchId, RecordId, VersionId};

fn version(n: u32) -> VersionId {
    VersionId::new(RecordId::from_bytes([n as u8; 16]), n).unwrap()
}

fn chunk(bytes: usize) -> ContentChunk {
    ContentChunk {
        header: ChunkHeader {
            version: version(3),
            object: 7,
            chunk: 0x0011_2233_4455_6677,
            codec: ChunkCodec::Zstd,
            last: true,
            plain_bytes: 99,
        },
        sealed: vec![0xA5; bytes],
    }
}

fn segment_index() -> SegmentIndex {
    let mut index = SegmentIndex::default();
    for (frame_type, offset) in [
        (FrameType::SegmentHeader, 0),
        (FrameType::ContentChunk, 66),
        (FrameType::RecordVersion, 500),
        (FrameType::CommitMark, 700),
    ] {
        index
            .add(IndexEntry {
                frame_type,
                offset,
                body_bytes: 54,
            })
            .unwrap();
    }
    index
}

fn content_samples(time: OffsetDateTime) -> [Frame; 5] {
    [
        Frame::SegmentHeader(SegmentHeader {
            archive: ArchiveId::from_bytes([1; 16]),
            segment: 5,
            created_at: time,
            boot: [2; 16],
            compacted: false,
        }),
        Frame::SegmentHeader(SegmentHeader {
            archive: ArchiveId::from_bytes([1; 16]),
            segment: 6,
            created_at: time,
            boot: [2; 16],
            compacted: true,
        }),
        Frame::CompactionMap(compaction::map()),
        Frame::ContentChunk(chunk(100)),
        Frame::RecordVersion(RecordVersion {
            version: version(1),
            identity: [8; 32],
            contents: vec![
                ContentLocations {
                    object: 0,
                    chunks: vec![
                        FrameAddress::new(1, 1 << 40),
                        FrameAddress::new(2, 66),
                        FrameAddress::new(2, 1 << 20),
                        FrameAddress::new(1, 5),
                    ],
                },
                ContentLocations::default(),
            ],
            manifest_codec: ChunkCodec::Stored,
            manifest_plain_bytes: 1,
            manifest_sealed: vec![4; 17],
        }),
    ]
}

fn samples() -> Vec<Frame> {
    let time = datetime!(2026-11-22 03:48:30.123456 UTC);
    let batch = BatchId::from_bytes([9; 16]);
    let mut samples = evidence::samples();
    samples.extend(content_samples(time));
    samples.extend([
        Frame::TreePage(TreePage {
            batch,
            algorithm: DigestAlgorithm::Sha256,
            level: 3,
            first: 4096,
            nodes: vec![1; 96],
        }),
        Frame::LeafPage(LeafPage {
            batch,
            first: 4096,
            leaves: Leaves::Versions(vec![version(1), version(2)]),
        }),
        Frame::LeafPage(LeafPage {
            batch,
            first: 0,
            leaves: Leaves::Heads(vec![batch, batch, batch]),
        }),
        Frame::ArchiveTimeStamp(time_stamp()),
        Frame::Event(Event {
            id: crate::id::EventId::from_bytes([3; 16]),
            time,
            nonce: [5; 12],
            sealed: vec![0; 16],
        }),
        Frame::CommitMark(CommitMark {
            address: FrameAddress::new(5, 1 << 33),
            replicas: 2,
            boot: [7; 16],
            time,
        }),
        Frame::SegmentIndex(segment_index()),
        Frame::SegmentSeal(SegmentSeal {
            index_offset: 66,
            length: 100,
            digest: [6; 32],
        }),
    ]);
    samples
}

fn time_stamp() -> ArchiveTimeStamp {
    ArchiveTimeStamp {
        batch: BatchId::from_bytes([9; 16]),
        kind: TimeStampKind::Initial,
        track: 1,
        algorithm: DigestAlgorithm::Sha512,
        stamped_at: datetime!(2026-11-22 03:48:30 UTC),
        leaf_count: 2,
        tree: BatchId::from_bytes([8; 16]),
        tree_pages: vec![FrameAddress::new(1, 66), FrameAddress::new(1, 660)],
        leaf_pages: vec![],
        leaves: Leaves::Versions(vec![version(1), version(2)]),
        tsa: "試験 TSA".to_owned(),
        token: vec![0x30, 0],
    }
}

fn kind(result: crate::error::Result<Frame>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn each_type_round_trips() {
    for frame in samples() {
        let bytes = frame.clone().encode().unwrap().into_bytes();
        assert_eq!(Frame::parse(&bytes).unwrap(), frame);
        let again = Frame::parse(&bytes).unwrap().encode().unwrap().into_bytes();
        assert_eq!(again, bytes);
        assert_eq!(FrameType::from_code(bytes[4]), Some(frame.frame_type()));
    }
}

#[test]
fn fixed_frames_have_their_stated_size() {
    let mut seen = 0;
    for frame in samples() {
        for (frame_type, bytes) in [
            (FrameType::SegmentHeader, SegmentHeader::FRAME_BYTES),
            (FrameType::CommitMark, CommitMark::FRAME_BYTES),
            (FrameType::SegmentSeal, SegmentSeal::FRAME_BYTES),
        ] {
            if frame.frame_type() == frame_type {
                assert_eq!(frame.clone().encode().unwrap().frame_bytes(), bytes);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn any_flipped_bit_is_noticed() {
    for frame in samples() {
        let mut bytes = frame.encode().unwrap().into_bytes();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::parse(&bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn any_cut_or_addition_is_noticed() {
    for frame in samples() {
        let mut bytes = frame.encode().unwrap().into_bytes();
        for length in 0..bytes.len() {
            assert!(Frame::parse(&bytes[..length]).is_err());
        }
        bytes.push(0);
        assert_eq!(kind(Frame::parse(&bytes)), ErrorKind::TrailingBytes);
    }
}

#[test]
fn a_body_cut_anywhere_never_panics() {
    for frame in samples() {
        let bytes = frame.clone().encode().unwrap().into_bytes();
        let body = &bytes[FRAME_HEADER_BYTES..];
        for length in 0..body.len() {
            if let Ok(other) = Frame::parse_body(frame.frame_type(), &body[..length]) {
                assert_ne!(other, frame);
            }
        }
    }
}

#[test]
fn zeros_are_no_frame() {
    assert_eq!(kind(Frame::parse(&[0; 64])), ErrorKind::LimitExceeded);
    assert_eq!(kind(Frame::parse(&[])), ErrorKind::Truncated);
    assert_eq!(kind(Frame::parse(&[0xff; 64])), ErrorKind::LimitExceeded);
}

#[test]
fn unknown_types_and_flags_are_refused() {
    let header = |code, flags, reserved| [0, 0, 0, 1, code, flags, 0, reserved, 0, 0, 0, 0, 0];
    for bytes in [
        header(0, 0, 0),
        header(16, 0, 0),
        header(7, 1, 0),
        header(7, 0, 1),
    ] {
        assert_eq!(kind(Frame::parse(&bytes)), ErrorKind::UnsupportedVersion);
    }
}

#[test]
fn a_frame_too_large_is_not_made() {
    let fits = FRAME_BODY_BYTES_MAX - ChunkHeader::BYTES;
    let mut chunk = chunk(fits);
    chunk.header.chunk = 1;
    assert!(Frame::ContentChunk(chunk.clone()).encode().is_ok());
    chunk.sealed.push(0);
    assert_eq!(
        Frame::ContentChunk(chunk).encode().unwrap_err().kind(),
        ErrorKind::NotEncodable
    );
}

#[test]
fn values_outside_of_the_format_are_not_made() {
    let mut chunk = chunk(16);
    chunk.header.chunk = 1 << 56;
    assert!(chunk.header.nonce().is_err());
    let mut stamp = time_stamp();
    stamp.leaf_count = 3;
    let no_nodes = TreePage {
        batch: stamp.batch,
        algorithm: DigestAlgorithm::Sha256,
        level: 0,
        first: 0,
        nodes: vec![],
    };
    let half_a_node = TreePage {
        nodes: vec![0; 33],
        ..no_nodes.clone()
    };
    let too_many_nodes = TreePage {
        nodes: vec![0; 32 * (PAGE_NODES_MAX + 1)],
        ..no_nodes.clone()
    };
    let too_many_leaves = LeafPage {
        batch: stamp.batch,
        first: 0,
        leaves: Leaves::Versions(vec![version(1); PAGE_NODES_MAX + 1]),
    };
    let no_leaves = LeafPage {
        leaves: Leaves::Heads(Vec::new()),
        ..too_many_leaves.clone()
    };
    let heads_in_the_first = ArchiveTimeStamp {
        leaves: Leaves::Heads(vec![stamp.batch; 2]),
        ..time_stamp()
    };
    let third_track = ArchiveTimeStamp {
        track: TRACKS_MAX,
        ..time_stamp()
    };
    for frame in [
        Frame::LeafPage(no_leaves),
        Frame::ArchiveTimeStamp(heads_in_the_first),
        Frame::ArchiveTimeStamp(third_track),
        Frame::ContentChunk(chunk),
        Frame::ArchiveTimeStamp(stamp),
        Frame::TreePage(no_nodes),
        Frame::TreePage(half_a_node),
        Frame::TreePage(too_many_nodes),
        Frame::LeafPage(too_many_leaves),
    ] {
        assert_eq!(frame.encode().unwrap_err().kind(), ErrorKind::NotEncodable);
    }
}

#[test]
fn nonce_and_associated_data_hold_all_clear_fields() {
    let header = chunk(16).header;
    assert_eq!(
        header.nonce().unwrap(),
        [0, 0, 0, 7, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 1]
    );
    let data = header.associated_data(ArchiveId::from_bytes([0xAA; 16]));
    let mut expected = vec![0xAA; 16];
    expected.extend([3; 16]);
    expected.extend([0, 0, 0, 3, 0, 0, 0, 7]);
    expected.extend([
        0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 1, 1, 0, 0, 0, 99,
    ]);
    assert_eq!(data.as_slice(), expected);
}

#[test]
fn index_names_all_but_chunks_and_marks() {
    let mut index = segment_index();
    assert_eq!((index.content_chunks, index.commit_marks), (1, 1));
    let entries = index.entries().unwrap();
    let offsets: Vec<u64> = entries.iter().map(|entry| entry.offset).collect();
    assert_eq!(offsets, [0, 500]);
    assert!(index.clone().into_entries().eq(entries.iter().copied()));
    assert_eq!(SegmentIndex::default().into_entries().next(), None);
    assert_eq!(entries[1].end(), 500 + 12 + 54);
    let backwards = IndexEntry {
        offset: 400,
        ..entries[1]
    };
    assert!(index.add(backwards).is_err());
}

#[test]
fn longer_varints_are_refused() {
    for bytes in [
        &[0x80, 0x00][..],
        &[0xff; 10],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
    ] {
        let error = Reader::new("test", bytes).varint().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidEncoding);
    }
    assert_eq!(
        Reader::new("test", &[0x80]).varint().unwrap_err().kind(),
        ErrorKind::Truncated
    );
}

proptest! {
    #[test]
    fn numbers_round_trip(value: u64, signed: i64) {
        let mut writer = Writer::default();
        writer.varint(value);
        writer.signed_varint(signed);
        let bytes = writer.finish();
        let mut reader = Reader::new("test", &bytes);
        prop_assert_eq!(reader.varint().unwrap(), value);
        prop_assert_eq!(reader.signed_varint().unwrap(), signed);
        prop_assert!(reader.finish().is_ok());
    }

    #[test]
    fn addresses_round_trip(list in proptest::collection::vec((any::<u32>(), any::<u64>()), 0..50)) {
        let list: Vec<FrameAddress> = list.into_iter().map(|(s, o)| FrameAddress::new(s, o)).collect();
        let mut writer = Writer::default();
        writer.addresses(&list);
        let bytes = writer.finish();
        prop_assert_eq!(Reader::new("test", &bytes).addresses(50).unwrap(), list);
    }

    #[test]
    fn times_round_trip(seconds in -60_000_000_000_i64..250_000_000_000, micros in 0_i64..1_000_000) {
        let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::microseconds(micros);
        let mut writer = Writer::default();
        writer.time(time);
        let bytes = writer.finish();
        prop_assert_eq!(Reader::new("test", &bytes).time().unwrap(), time);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in 1_u8..15) {
        drop(Frame::parse(&bytes));
        drop(Frame::parse_body(FrameType::from_code(code).unwrap(), &bytes));
    }
}
