//! A reader written from `SPEC.md`, with nothing of the crate that writes: the text is enough, and it is right.

use sha2::{Digest, Sha256};

use super::*;

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self, count: usize) -> u64 {
        let bytes = self.take(count).iter();
        bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn varint(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.number(1);
            number |= (byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }

    fn signed_varint(&mut self) -> i64 {
        let code = self.varint();
        let half = (code / 2) as i64;
        if code.is_multiple_of(2) {
            half
        } else {
            -half - 1
        }
    }

    fn addresses(&mut self) -> Vec<(u64, u64)> {
        let mut last = (0, 0);
        (0..self.varint())
            .map(|_| {
                let segments = self.signed_varint();
                let base = if segments == 0 { last.1 } else { 0 };
                let segment = (last.0 as i64 + segments) as u64;
                last = (segment, (base as i64 + self.signed_varint()) as u64);
                last
            })
            .collect()
    }
}

/// Frames of a segment: offset, type, body. Checks every checksum.
fn frames(segment: &[u8]) -> Vec<(usize, u8, &[u8])> {
    let mut frames = Vec::new();
    let mut rest = Bytes(segment);
    while !rest.0.is_empty() {
        let offset = segment.len() - rest.0.len();
        let cover = rest.0[..8].to_vec();
        let length = rest.number(4) as usize;
        let frame_type = rest.number(1) as u8;
        assert_eq!(rest.number(3), 0);
        let checksum = rest.number(4);
        let body = rest.take(length);
        let covered = [cover.as_slice(), body].concat();
        assert_eq!(u64::from(crc32c::crc32c(&covered)), checksum);
        frames.push((offset, frame_type, body));
    }
    frames
}

#[test]
fn the_text_is_enough_to_read_a_medium() {
    let media = Media::with_small_segments(1);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..60 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();

    let last = media.read_only().segments().unwrap().len() as u32;
    let segments: Vec<Vec<u8>> = (1..=last).map(|number| media.bytes(0, number)).collect();
    let mut found = 0;
    for (segment, number) in segments.iter().zip(1_u64..) {
        let frames = frames(segment);
        check_shape(segment, &frames, number, number == u64::from(last));
        for (_, _, body) in frames.iter().filter(|frame| frame.1 == 3) {
            let mut body = Bytes(body);
            assert_eq!(body.take(16)[15], found);
            assert_eq!(body.number(4), 1);
            assert_eq!(body.take(32), [found; 32]);
            assert_eq!((body.varint(), body.varint()), (1, 0));
            let [(segment, offset)] = body.addresses()[..] else {
                panic!("one chunk");
            };
            check_chunk(&segments[segment as usize - 1], offset as usize, found);
            assert_eq!((body.number(1), body.number(4)), (0, 10));
            assert_eq!(body.0, [7; 26]);
            found += 1;
        }
    }
    assert_eq!(found, 60);
}

/// Header, marks, index and seal of a segment.
fn check_shape(segment: &[u8], frames: &[(usize, u8, &[u8])], number: u64, growing: bool) {
    let mut header = Bytes(frames[0].2);
    assert_eq!((frames[0].1, header.take(8)), (1, &b"FUMIKURA"[..]));
    assert_eq!(header.number(2), 1);
    assert_eq!(header.take(16), ARCHIVE.as_bytes());
    assert_eq!(header.number(4), number);
    assert_eq!(header.number(8), 1_795_319_310_000_000);
    assert_eq!(header.0, [1; 16]);
    for (offset, _, body) in frames.iter().filter(|frame| frame.1 == 7) {
        let mut body = Bytes(body);
        assert_eq!(body.number(4), number);
        assert_eq!(body.number(8), *offset as u64);
        assert_eq!(body.number(1), 1);
    }
    if growing {
        return;
    }
    let [.., index, seal] = frames else {
        panic!("index and seal");
    };
    assert_eq!((index.1, seal.1), (8, 9));
    let mut body = Bytes(seal.2);
    assert_eq!(body.number(8), index.0 as u64);
    assert_eq!(body.number(8), seal.0 as u64);
    assert_eq!(body.0, Sha256::digest(&segment[..seal.0]).as_slice());
    check_index(frames, Bytes(index.2));
}

fn check_index(frames: &[(usize, u8, &[u8])], mut index: Bytes<'_>) {
    let count = |wanted| frames.iter().filter(|frame| frame.1 == wanted).count() as u64;
    assert_eq!((index.number(8), index.number(8)), (count(2), count(7)));
    let mut end = 0;
    for (offset, frame_type, body) in frames {
        if [2, 7, 8, 9].contains(frame_type) {
            continue;
        }
        assert_eq!(index.number(1), u64::from(*frame_type));
        assert_eq!(index.varint(), *offset as u64 - end);
        assert_eq!(index.varint(), body.len() as u64);
        end = (*offset + 12 + body.len()) as u64;
    }
    assert!(index.0.is_empty());
}

fn check_chunk(segment: &[u8], offset: usize, number: u8) {
    let (_, frame_type, body) = frames(segment)
        .into_iter()
        .find(|frame| frame.0 == offset)
        .unwrap();
    let mut body = Bytes(body);
    assert_eq!((frame_type, body.take(16)[15]), (2, number));
    assert_eq!((body.number(4), body.number(4)), (1, 0));
    assert_eq!((body.number(8), body.number(1), body.number(1)), (0, 0, 1));
    let plain = body.number(4) as usize;
    assert_eq!(body.0, vec![number; plain + 16]);
}
