//! The frames of evidence that came after the first ones.

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::id::ReceiptId;

pub(super) fn samples() -> Vec<Frame> {
    vec![
        Frame::ArchiveTimeStamp(renewal()),
        Frame::FurtherDigests(further_digests()),
        Frame::ValidationMaterial(material()),
        Frame::Signature(signature()),
        Frame::Receipt(receipt()),
    ]
}

fn renewal() -> ArchiveTimeStamp {
    ArchiveTimeStamp {
        kind: TimeStampKind::TimeStampRenewal,
        track: 0,
        leaves: Leaves::Heads(vec![BatchId::from_bytes([1; 16]); 2]),
        ..time_stamp()
    }
}

fn further_digests() -> FurtherDigests {
    FurtherDigests {
        version: version(4),
        algorithm: DigestAlgorithm::Sha3_256,
        sealed: vec![9; 2 * 32 + 16],
    }
}

fn material() -> ValidationMaterial {
    ValidationMaterial {
        batch: BatchId::from_bytes([9; 16]),
        collected_at: datetime!(2026-11-22 03:48:30 UTC),
        certificates: vec![vec![0x30, 0], vec![0x30, 1, 0]],
        crls: Vec::new(),
        ocsp_responses: vec![vec![0x30, 0]],
    }
}

fn signature() -> Signature {
    Signature {
        version: version(4),
        generation: 3,
        salt: [6; 8],
        sealed: vec![7; 17],
    }
}

fn receipt() -> Receipt {
    Receipt {
        id: ReceiptId::from_bytes([4; 16]),
        generation: 0,
        versions: vec![version(1), version(2)],
        nonce: [5; 12],
        sealed: vec![7; 17],
    }
}

#[test]
fn digests_material_and_signatures_outside_of_the_format_are_not_made() {
    let half_a_digest = FurtherDigests {
        sealed: vec![9; 33 + 16],
        ..further_digests()
    };
    let no_tag = FurtherDigests {
        sealed: vec![9; 15],
        ..further_digests()
    };
    let no_material = ValidationMaterial {
        certificates: Vec::new(),
        ocsp_responses: Vec::new(),
        ..material()
    };
    let empty_item = ValidationMaterial {
        crls: vec![Vec::new()],
        ..material()
    };
    let too_many = ValidationMaterial {
        crls: vec![vec![0x30, 0]; crate::limits::CMS_REVOCATIONS_MAX],
        ..material()
    };
    let no_signature = Signature {
        sealed: vec![0; 16],
        ..signature()
    };
    let for_nothing = Receipt {
        versions: Vec::new(),
        ..receipt()
    };
    let for_too_many = Receipt {
        versions: vec![version(1); RECEIPT_VERSIONS_MAX + 1],
        ..receipt()
    };
    for frame in [
        Frame::FurtherDigests(half_a_digest),
        Frame::FurtherDigests(no_tag),
        Frame::ValidationMaterial(no_material),
        Frame::ValidationMaterial(empty_item),
        Frame::ValidationMaterial(too_many),
        Frame::Signature(no_signature),
        Frame::Receipt(for_nothing),
        Frame::Receipt(for_too_many),
    ] {
        assert_eq!(frame.encode().unwrap_err().kind(), ErrorKind::NotEncodable);
    }
}

#[test]
fn kinds_tracks_and_sorts_outside_of_the_format_are_refused() {
    let refused = |frame: Frame, place: usize, value: u8| {
        let mut body = frame.clone().encode().unwrap().into_bytes()[FRAME_HEADER_BYTES..].to_vec();
        body[place] = value;
        kind(Frame::parse_body(frame.frame_type(), &body))
    };
    let stamp = Frame::ArchiveTimeStamp(time_stamp());
    assert_eq!(refused(stamp.clone(), 16, 3), ErrorKind::InvalidValue);
    assert_eq!(refused(stamp, 17, TRACKS_MAX), ErrorKind::InvalidValue);
    let page = Frame::LeafPage(LeafPage {
        batch: BatchId::from_bytes([9; 16]),
        first: 0,
        leaves: Leaves::Heads(vec![BatchId::from_bytes([1; 16])]),
    });
    assert_eq!(refused(page.clone(), 16, 2), ErrorKind::InvalidValue);
    // One leaf of 16 bytes is no leaf of 20.
    assert_eq!(refused(page, 16, 0), ErrorKind::LimitExceeded);
}

#[test]
fn seals_beside_the_contents_have_nonces_of_their_own() {
    let header = FurtherDigests::header(version(4), DigestAlgorithm::Sha3_512, 64);
    let nonce = header.nonce().unwrap();
    assert_eq!(nonce, [0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 12, 1]);
    assert_eq!(
        Signature::nonce([1, 2, 3, 4, 5, 6, 7, 8]),
        [0xff, 0xff, 0xff, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8]
    );
    let archive = ArchiveId::from_bytes([0xAA; 16]);
    let data = Signature::associated_data(archive, version(4), 3);
    assert_eq!(data.len(), 40);
    assert_ne!(data, Signature::associated_data(archive, version(4), 4));
    let receipt = receipt();
    let data = Receipt::associated_data(archive, receipt.id, 0, &receipt.versions);
    assert_eq!(data.len(), 16 + 16 + 4 + 1 + 40);
    assert_ne!(
        data,
        Receipt::associated_data(archive, receipt.id, 0, &receipt.versions[..1])
    );
}

proptest! {
    #[test]
    fn time_stamps_round_trip(kind in 0_u8..3, track in 0_u8..TRACKS_MAX, leaves in 0_u32..50, pages in proptest::collection::vec((any::<u32>(), any::<u64>()), 0..9)) {
        let kind = TimeStampKind::from_code(kind).unwrap();
        let stamp = ArchiveTimeStamp {
            kind,
            track,
            leaf_count: u64::from(leaves),
            leaves: if kind.is_head() {
                Leaves::Versions((1..=leaves).map(version).collect())
            } else {
                Leaves::Heads((1..=leaves).map(|n| BatchId::from_bytes([n as u8; 16])).collect())
            },
            tree_pages: pages.into_iter().map(|(s, o)| FrameAddress::new(s, o)).collect(),
            ..time_stamp()
        };
        let frame = Frame::ArchiveTimeStamp(stamp);
        let bytes = frame.clone().encode().unwrap().into_bytes();
        prop_assert_eq!(Frame::parse(&bytes).unwrap(), frame);
    }

    #[test]
    fn material_round_trips(lists in proptest::collection::vec(proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..5), 3)) {
        let material = ValidationMaterial {
            certificates: lists[0].clone(),
            crls: lists[1].clone(),
            ocsp_responses: lists[2].clone(),
            ..material()
        };
        let empty = material.is_empty();
        match Frame::ValidationMaterial(material.clone()).encode() {
            Ok(bytes) => prop_assert_eq!(Frame::parse(&bytes.into_bytes()).unwrap(), Frame::ValidationMaterial(material)),
            Err(_) => prop_assert!(empty),
        }
    }
}
