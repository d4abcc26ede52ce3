use super::*;
use crate::asic::layout::{StoredMember, end_records};
use crate::limits::{ZIP_INFLATED_BYTES_MAX, ZIP_MEMBERS_MAX, ZIP_RATIO_FREE_BYTES};

/// Puts a ZIP file together from members that need not be honest.
fn forged(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in members {
        let member = StoredMember {
            name,
            crc: crc32fast::hash(content),
            size: content.len() as u64,
            offset: bytes.len() as u64,
        };
        bytes.extend(member.local_header().unwrap());
        bytes.extend_from_slice(content);
        directory.extend(member.central_header().unwrap());
    }
    let start = bytes.len() as u64;
    bytes.extend_from_slice(&directory);
    bytes.extend(end_records(
        members.len() as u64,
        start,
        directory.len() as u64,
    ));
    bytes
}

/// Overwrites bytes.
fn patched(mut bytes: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

fn position_of(bytes: &[u8], signature: u32) -> usize {
    bytes
        .windows(4)
        .position(|window| window == signature.to_le_bytes())
        .unwrap()
}

const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

#[test]
fn duplicate_names_are_refused() {
    let members: &[(&[u8], &[u8])] = &[(b"a", b"1"), (b"b", b""), (b"a", b"2")];
    assert_eq!(kind_of(&forged(members)), ErrorKind::DuplicateElement);
    // The same text, once as UTF-8 and once in code page 437, where the flag for UTF-8 is taken away.
    let bytes = forged(&[("é".as_bytes(), b""), (b"\x82", b"")]);
    assert_eq!(kind_of(&bytes), ErrorKind::InvalidText);
    let central = position_of(&bytes, CENTRAL);
    let bytes = patched(bytes, 32 + 6, &[0, 0]);
    let bytes = patched(bytes, central + 48 + 8, &[0, 0]);
    assert_eq!(kind_of(&bytes), ErrorKind::DuplicateElement);
}

#[test]
fn path_tricks_are_refused() {
    for name in [
        b"../a".as_slice(),
        b"/a",
        b"a/../b",
        b"a\\b",
        b"C:/a",
        b"a\0b",
        b"a\x1b[2Jb",
        b"",
    ] {
        assert_eq!(
            kind_of(&forged(&[(name, b"")])),
            ErrorKind::InvalidName,
            "{name:?}"
        );
    }
}

#[test]
fn what_is_no_container_is_told() {
    for bytes in [b"".as_slice(), b"PK", b"%PDF-1.7", &[0; 100], b"PK\x05\x06"] {
        assert_eq!(kind_of(bytes), ErrorKind::WrongType);
    }
    let end_only = end_records(0, 0, 0);
    let reader = AsicReader::open(&end_only).unwrap();
    assert_eq!(reader.entries().len(), 0);
    assert_eq!(reader.notes(), [ContainerNote::MimetypeMissing]);
}

#[test]
fn every_prefix_is_refused() {
    for bytes in [sample(), foreign()] {
        for end in 0..bytes.len() {
            assert!(AsicReader::open(&bytes[..end]).is_err(), "{end}");
        }
    }
    let bytes = sample();
    assert_eq!(kind_of(&bytes[..bytes.len() - 1]), ErrorKind::Truncated);
}

#[test]
fn bytes_in_front_or_behind_are_refused() {
    let mut behind = sample();
    behind.push(0);
    assert_eq!(kind_of(&behind), ErrorKind::Truncated);
    let front = [b"#!/bin/sh\n".as_slice(), &sample()].concat();
    assert_eq!(kind_of(&front), ErrorKind::Inconsistent);
}

#[test]
fn a_comment_is_noted() {
    let mut bytes = sample();
    let at = bytes.len() - 2;
    bytes = patched(bytes, at, &[3, 0]);
    bytes.extend_from_slice(b"abc");
    let reader = AsicReader::open(&bytes).unwrap();
    assert_eq!(reader.notes(), [ContainerNote::Comment]);
    assert!(!reader.is_canonical());
}

/// Programs that look for the last signature, without regard to the length of the comment, would see whatever the comment says.
#[test]
fn a_comment_with_another_end_is_refused() {
    let other = forged(&[(b"mimetype", MIMETYPE_ASIC_S.as_bytes())]);
    let end = &other[position_of(&other, END)..];
    let behind = [end, b" "].concat();
    for comment in [
        &END.to_le_bytes()[..],
        end,
        &behind,
        &other,
        &[&other, end].concat(),
    ] {
        let mut bytes = sample();
        let at = bytes.len() - 2;
        let length = u16::try_from(comment.len()).unwrap();
        bytes = patched(bytes, at, &length.to_le_bytes());
        bytes.extend_from_slice(comment);
        assert_eq!(kind_of(&bytes), ErrorKind::Inconsistent, "{comment:?}");
    }
}

/// The type of a file stands in the upper half of the external attributes, as Unix has it.
#[test]
fn what_is_unpacked_as_something_else_is_noted() {
    let notes = |name: &[u8], content: &[u8], mode: u16| {
        let bytes = forged(&[(b"mimetype", MIMETYPE_ASIC_E.as_bytes()), (name, content)]);
        let second = position_of(&bytes, CENTRAL) + 46 + "mimetype".len();
        let bytes = patched(bytes, second + 40, &mode.to_le_bytes());
        AsicReader::open(&bytes).unwrap().notes().to_vec()
    };
    let noted = [ContainerNote::NotPlainFile { entry: 1 }];
    // Link, device, pipe, socket; a file with the mode of a folder, and the other way about.
    for mode in [0o120_777, 0o020_666, 0o060_666, 0o010_666, 0o140_777] {
        assert_eq!(notes(b"a", b"/etc/passwd", mode), noted, "{mode:o}");
        assert_eq!(notes(b"a/", b"", mode), noted, "{mode:o}");
    }
    assert_eq!(notes(b"a", b"text", 0o040_755), noted);
    assert_eq!(notes(b"a/", b"", 0o100_644), noted);
    for mode in [0, 0o040_755] {
        assert_eq!(notes(b"a/", b"content", mode), noted, "{mode:o}");
        assert_eq!(notes(b"a/", b"", mode), [], "{mode:o}");
    }
    for mode in [0, 0o644, 0o100_644] {
        assert_eq!(notes(b"a", b"text", mode), [], "{mode:o}");
    }
}

/// Programs that read from the front see the name in the local header only (APPNOTE.TXT §4.6.9).
#[test]
fn a_second_name_is_noted_wherever_it_stands() {
    let name = "mimetype";
    let unicode_path = [&b"\x75\x70\x06\x00\x01"[..], &[0; 4], b"b"].concat();
    let length = u16::try_from(unicode_path.len()).unwrap().to_le_bytes();
    let bytes = forged(&[(name.as_bytes(), MIMETYPE_ASIC_E.as_bytes())]);
    let central = position_of(&bytes, CENTRAL);
    let end = position_of(&bytes, END);
    let inserted = |at: usize, length_at: usize, end_field: usize, value: usize| {
        let value = u32::try_from(value + unicode_path.len()).unwrap();
        let bytes = patched(bytes.clone(), length_at, &length);
        let bytes = patched(bytes, end + end_field, &value.to_le_bytes());
        [&bytes[..at], &unicode_path, &bytes[at..]].concat()
    };
    let local = inserted(30 + name.len(), 28, 16, central);
    let listed = inserted(end, central + 30, 12, end - central);
    for bytes in [local, listed] {
        let reader = AsicReader::open(&bytes).unwrap();
        let note = ContainerNote::OtherName { entry: 0 };
        assert!(reader.notes().contains(&note), "{:?}", reader.notes());
    }
}

#[test]
fn hidden_bytes_are_noted() {
    let honest = forged(&[(b"mimetype", MIMETYPE_ASIC_E.as_bytes())]);
    let hidden = forged(&[(b"hidden", b"content")]);
    let hidden = &hidden[..position_of(&hidden, CENTRAL)];
    let start = position_of(&honest, CENTRAL);
    let mut bytes = [&honest[..start], hidden, &honest[start..]].concat();
    let end = bytes.len() - 22;
    bytes = patched(
        bytes,
        end + 16,
        &((start + hidden.len()) as u32).to_le_bytes(),
    );
    let reader = AsicReader::open(&bytes).unwrap();
    assert_eq!(
        reader.notes(),
        [ContainerNote::UnlistedBytes { offset: start }]
    );
    assert!(!reader.is_canonical());
}

#[test]
fn members_must_not_share_bytes() {
    let bytes = forged(&[(b"a", b"1"), (b"a", b"1")]);
    let central = position_of(&bytes, CENTRAL);
    // The second record points to the first member, as the classic overlapping bomb does.
    let second = central + 46 + 1;
    let bytes = patched(bytes, second + 42, &[0; 4]);
    let renamed = patched(bytes.clone(), second + 46, b"b");
    assert_eq!(kind_of(&renamed), ErrorKind::Inconsistent);
    assert_eq!(kind_of(&bytes), ErrorKind::Overlap);
}

#[test]
fn contradictions_are_refused() {
    let bytes = forged(&[(b"name", b"content")]);
    let central = position_of(&bytes, CENTRAL);
    let end = position_of(&bytes, END);
    for (at, patch, kind) in [
        (30, b"eman".as_slice(), ErrorKind::Inconsistent),
        (central + 46, b"eman", ErrorKind::Inconsistent),
        (14, &[9], ErrorKind::Inconsistent),
        (18, &[8], ErrorKind::Inconsistent),
        (8, &[8], ErrorKind::Inconsistent),
        (0, b"XX", ErrorKind::WrongType),
        (central, b"XX", ErrorKind::WrongType),
        (central + 20, &[6], ErrorKind::Inconsistent),
        (central + 24, &[0xFF, 0xFF], ErrorKind::Inconsistent),
        (central + 42, &[1], ErrorKind::WrongType),
        (central + 42, &[0, 0, 0, 0x7F], ErrorKind::Truncated),
        (end + 4, &[1], ErrorKind::InvalidValue),
        (end + 8, &[2], ErrorKind::InvalidValue),
        (end + 8, &[2, 0, 2], ErrorKind::WrongType),
        (end + 8, &[0, 0, 0], ErrorKind::Inconsistent),
        (end + 12, &[9], ErrorKind::Inconsistent),
        (end + 16, &[9], ErrorKind::Inconsistent),
    ] {
        assert_eq!(
            kind_of(&patched(bytes.clone(), at, patch)),
            kind,
            "{at} {patch:?}"
        );
    }
}

#[test]
fn encryption_and_other_methods_are_refused() {
    let bytes = forged(&[(b"name", b"content")]);
    let central = position_of(&bytes, CENTRAL);
    for (flags, kind) in [
        ([1, 0], ErrorKind::Encrypted),
        ([0x40, 0], ErrorKind::Encrypted),
        ([0, 0x20], ErrorKind::Encrypted),
    ] {
        assert_eq!(kind_of(&patched(bytes.clone(), central + 8, &flags)), kind);
    }
    for method in [1, 9, 12, 14, 93, 98, 99] {
        assert_eq!(
            kind_of(&patched(bytes.clone(), central + 10, &[method])),
            ErrorKind::UnsupportedCompression
        );
    }
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("mimetype", options).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn bombs_are_refused_before_anything_is_inflated() {
    let small = deflated(&vec![0; ZIP_RATIO_FREE_BYTES as usize]);
    assert_eq!(
        read_all(&small).unwrap()[0].1.len() as u64,
        ZIP_RATIO_FREE_BYTES
    );
    let bomb = deflated(&vec![0; ZIP_RATIO_FREE_BYTES as usize + 1]);
    assert_eq!(kind_of(&bomb), ErrorKind::LimitExceeded);
    let crowd = end_records(ZIP_MEMBERS_MAX as u64 + 1, 0, 0);
    assert_eq!(kind_of(&crowd), ErrorKind::LimitExceeded);
}

/// Small members may have any ratio, but not any number of them.
#[test]
fn a_crowd_of_small_bombs_is_refused() {
    let crowd = |count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("{number:05}")).collect();
        let members: Vec<_> = names
            .iter()
            .map(|name| (name.as_bytes(), b"x".as_slice()))
            .collect();
        let mut bytes = forged(&members);
        let (local, central) = (30 + 5 + 1, 46 + 5);
        let size = u32::try_from(ZIP_RATIO_FREE_BYTES).unwrap().to_le_bytes();
        for number in 0..count {
            for (header, method) in [(number * local, 8), (count * local + number * central, 10)] {
                bytes[header + method] = 8;
                bytes[header + method + 14..header + method + 18].copy_from_slice(&size);
            }
        }
        bytes
    };
    let most = usize::try_from(ZIP_INFLATED_BYTES_MAX / ZIP_RATIO_FREE_BYTES).unwrap();
    assert!(AsicReader::open(&crowd(most)).is_ok());
    assert_eq!(kind_of(&crowd(most + 1)), ErrorKind::LimitExceeded);
}

/// The stated size bounds what is inflated, and must be exact.
#[test]
fn a_wrong_stated_size_is_refused() {
    let bytes = deflated(&b"abc".repeat(1000));
    let central = position_of(&bytes, CENTRAL);
    for size in [2999_u32, 3001, 10, 0] {
        let wrong = patched(bytes.clone(), central + 24, &size.to_le_bytes());
        let wrong = patched(wrong, 22, &size.to_le_bytes());
        assert_eq!(
            read_all(&wrong).unwrap_err().kind(),
            ErrorKind::SizeMismatch,
            "{size}"
        );
    }
}

#[test]
fn damaged_content_is_refused() {
    let bytes = patched(sample(), 40, b"X");
    assert_eq!(
        read_all(&bytes).unwrap_err().kind(),
        ErrorKind::ChecksumMismatch
    );
    let reader = AsicReader::open(&bytes).unwrap();
    assert_eq!(reader.notes(), [ContainerNote::MimetypeUnknown]);
    let bytes = deflated(&b"abc".repeat(1000));
    let bytes = patched(bytes, 40, &[0xFF; 8]);
    assert!(read_all(&bytes).is_err());
}

/// No bit of our own containers can change unseen.
#[test]
fn every_flipped_bit_is_found() {
    let bytes = sample();
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let found = AsicReader::open(&flipped).map_or(true, |reader| !reader.is_canonical())
            || read_all(&flipped).is_err();
        assert!(found, "byte {} bit {}", at / 8, at % 8);
    }
}

#[test]
fn the_mimetype_rule_is_reported() {
    let notes = |members: &[(&[u8], &[u8])]| {
        let bytes = forged(members);
        AsicReader::open(&bytes).unwrap().notes().to_vec()
    };
    assert_eq!(notes(&[(b"a", b"")]), [ContainerNote::MimetypeMissing]);
    assert_eq!(
        notes(&[(b"a", b""), (b"mimetype", MIMETYPE_ASIC_S.as_bytes())]),
        [ContainerNote::MimetypeNotFirst]
    );
    assert_eq!(
        notes(&[(b"mimetype", b"text/plain")]),
        [ContainerNote::MimetypeUnknown]
    );
    assert_eq!(
        notes(&[(b"mimetype", &[b'x'; 1000])]),
        [ContainerNote::MimetypeUnknown]
    );
    let compressed = deflated(MIMETYPE_ASIC_E.as_bytes());
    let reader = AsicReader::open(&compressed).unwrap();
    assert_eq!(reader.mimetype(), Some(MIMETYPE_ASIC_E));
    assert_eq!(reader.notes(), [ContainerNote::MimetypeCompressed]);
}

proptest! {
    #[test]
    fn damage_never_panics(edits in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6), cut in any::<proptest::sample::Index>()) {
        for mut bytes in [sample(), foreign()] {
            for (at, value) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            // Whatever comes out: no panic.
            read_all(&bytes).ok();
            read_all(&bytes[cut.index(bytes.len())..]).ok();
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..300)) {
        read_all(&bytes).ok();
        bytes.extend(end_records(1, 0, bytes.len() as u64));
        read_all(&bytes).ok();
    }
}
