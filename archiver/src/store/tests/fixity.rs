use super::*;
use crate::store::durable::faults::Random;

/// An archive whose first segment is sealed.
pub(super) fn sealed(replicas: u32) -> Media {
    let media = Media::with_small_segments(replicas);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..30 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();
    media
}

#[test]
fn any_flipped_bit_of_a_sealed_segment_is_found() {
    let media = sealed(2);
    let path = media.segment(1, 1);
    let whole = media.bytes(1, 1);
    let store = media.read_only();
    assert!(store.verify_segment(1).unwrap().is_intact());
    drop(store);
    let mut random = Random(7);
    for byte in 0..whole.len() {
        let bit = byte * 8 + random.below(8) as usize;
        let mut damaged = whole.clone();
        damaged[byte] ^= 1 << (bit % 8);
        put(&path, &damaged);
        let fixity = media.read_only().verify_segment(1).unwrap();
        assert!(fixity.replicas[0].problems.is_empty());
        assert!(!fixity.replicas[1].problems.is_empty(), "bit {bit}");
    }
}

#[test]
fn a_damaged_frame_names_its_record() {
    let media = sealed(2);
    let store = media.read_only();
    let items: Vec<ScanItem> = store
        .scan(None, ScanScope::Everything)
        .map(|item| item.unwrap())
        .filter(|item| item.address.segment == 1)
        .collect();
    drop(store);
    for item in items {
        let owner = if let Frame::ContentChunk(chunk) = &item.frame {
            chunk.header.version
        } else if let Frame::RecordVersion(record) = &item.frame {
            record.version
        } else {
            continue;
        };
        let whole = media.bytes(0, 1);
        flip(
            &media.segment(0, 1),
            (item.address.offset as usize + 20) * 8,
        );
        let fixity = media.read_only().verify_segment(1).unwrap();
        let problem = &fixity.replicas[0].problems[0];
        assert_eq!(problem.offset, item.address.offset);
        assert_eq!(problem.version, Some(owner));
        put(&media.segment(0, 1), &whole);
    }
}

#[test]
fn cuts_additions_and_absence_are_found() {
    let media = sealed(1);
    let whole = media.bytes(0, 1);
    let kinds = |media: &Media| -> Vec<FixityProblemKind> {
        let fixity = media.read_only().verify_segment(1).unwrap();
        let problems = &fixity.replicas[0].problems;
        problems.iter().map(|problem| problem.kind).collect()
    };
    for cut in [1, 60, 61, 500, whole.len()] {
        put(&media.segment(0, 1), &whole[..whole.len() - cut]);
        assert!(kinds(&media).contains(&FixityProblemKind::NotSealed));
    }
    let mut longer = whole.clone();
    longer.push(0);
    put(&media.segment(0, 1), &longer);
    assert_eq!(kinds(&media), [FixityProblemKind::AfterSeal]);
    std::fs::remove_file(media.segment(0, 1)).unwrap();
    assert_eq!(kinds(&media), [FixityProblemKind::Missing]);
    put(&media.segment(0, 1), &media.bytes(0, 2));
    assert!(kinds(&media).contains(&FixityProblemKind::Header));
}

#[test]
fn whole_copies_that_differ_are_found() {
    let media = sealed(2);
    let other = Media::with_small_segments(1);
    let (store, _) = other.open(9);
    let appender = store.appender().unwrap();
    for number in 100..130 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();
    put(&media.segment(1, 1), &other.bytes(0, 1));
    let fixity = media.read_only().verify_segment(1).unwrap();
    assert_eq!(
        fixity.replicas[1].problems[0].kind,
        FixityProblemKind::Differs
    );
}

#[test]
fn a_damaged_frame_is_read_from_the_other_replica() {
    let media = sealed(2);
    let whole = media.bytes(0, 1);
    let mut random = Random(3);
    for _ in 0..200 {
        let bit = random.below(whole.len() as u64 * 8) as usize;
        flip(&media.segment(0, 1), bit);
        let store = media.read_only();
        assert_eq!(records(&store), (0..30).collect::<Vec<_>>(), "bit {bit}");
        let everything = store.scan(None, ScanScope::Everything);
        assert!(everything.into_iter().all(|item| item.is_ok()));
        for incident in store.incidents() {
            assert_eq!(incident.directory, media.directories[0]);
        }
        put(&media.segment(0, 1), &whole);
    }
}

#[test]
fn a_frame_damaged_everywhere_is_an_error_and_the_rest_is_found() {
    let media = sealed(1);
    let store = media.read_only();
    let addresses: Vec<FrameAddress> = store
        .scan(None, ScanScope::Records)
        .map(|item| item.unwrap().address)
        .collect();
    drop(store);
    flip(
        &media.segment(0, 1),
        (addresses[3].offset as usize + 30) * 8,
    );
    let store = media.read_only();
    assert!(matches!(
        store.read(addresses[3]),
        Err(StoreError::Damaged { .. })
    ));
    let found: Vec<_> = store.scan(None, ScanScope::Records).collect();
    assert_eq!(found.len(), addresses.len());
    assert_eq!(found.iter().filter(|item| item.is_err()).count(), 1);
    assert!(
        matches!(found[3], Err(StoreError::Damaged { address, .. }) if address == addresses[3])
    );
}
