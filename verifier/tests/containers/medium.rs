//! Containers and other evidence that are read from a medium.

use formats::asic::MIMETYPE_ASIC_E;
use formats::limits::EVIDENCE_BYTES_MAX;
use verifier::finding::package as codes;
use verifier::source::{AccessError, InputFile, RandomAccess};
use verifier::verdict::{Conclusion, Integrity};

use super::{
    DOCUMENT, MANIFEST, NOW, RENEWED, STAMP, assert_open, judge, judge_at, packed, renewed, told,
};

/// A medium on which some bytes cannot be read any more.
struct Medium {
    bytes: Vec<u8>,
    lost: std::ops::Range<u64>,
}

impl RandomAccess for Medium {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), AccessError> {
        let end = offset + buffer.len() as u64;
        if offset < self.lost.end && self.lost.start < end {
            return Err(AccessError::Unreadable);
        }
        buffer.copy_from_slice(&self.bytes[offset as usize..end as usize]);
        Ok(())
    }
}

#[test]
fn the_same_container_gets_the_same_answer_from_a_medium() {
    let members = renewed(&[DOCUMENT, MANIFEST, STAMP], RENEWED);
    let medium = Medium {
        bytes: packed(&members, MIMETYPE_ASIC_E),
        lost: 0..0,
    };
    let report = judge_at(InputFile::elsewhere("container.asice", &medium), NOW);
    assert!(report.judgement.is_passed(), "{}", told(&report));
    assert_eq!(told(&report), told(&judge(&members, NOW)));
}

#[test]
fn what_a_medium_does_not_give_is_unknown_and_not_broken() {
    let members = renewed(&[DOCUMENT, MANIFEST, STAMP], RENEWED);
    let bytes = packed(&members, MIMETYPE_ASIC_E);
    for at in (0..bytes.len() as u64).step_by(97) {
        let medium = Medium {
            bytes: bytes.clone(),
            lost: at..at + 1,
        };
        let report = judge_at(InputFile::elsewhere("container.asice", &medium), NOW);
        assert!(!report.judgement.is_passed(), "{at}");
        assert_ne!(
            report.judgement.integrity(),
            Integrity::Broken,
            "{at}: {}",
            told(&report)
        );
    }
}

/// Zeros that nobody may read: only the first and the last bytes.
struct Huge(&'static [u8]);

impl RandomAccess for Huge {
    fn len(&self) -> u64 {
        EVIDENCE_BYTES_MAX + 1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), AccessError> {
        assert!(buffer.len() < 100_000, "too much is read");
        buffer.fill(0);
        if offset == 0 {
            let count = buffer.len().min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
        }
        Ok(())
    }
}

#[test]
fn evidence_above_the_limit_is_refused_unread() {
    let heads: [&[u8]; 5] = [
        b"",
        b"\x30\x84\x3f\xff\xff\xfa",
        b"<?xml version='1.0'?><a/>",
        b"%PDF-1.7",
        b"-----BEGIN CMS-----",
    ];
    for head in heads {
        let huge = Huge(head);
        let report = judge_at(InputFile::elsewhere("huge", &huge), NOW);
        assert_open(&report, codes::INPUT_TOO_LARGE);
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    }
}
