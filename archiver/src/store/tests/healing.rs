//! What is damaged on one replica is made anew from the others, and a crash in the middle leaves the old or the new.

use formats::segment::{CompactionMap, SegmentSeal};

use super::fixity::sealed;
use super::*;
use crate::store::durable::faults::{Fault, Outcome, Random, Unreadable};
use crate::store::heal::{
    CopyOutcome, HealSource, Patient, SegmentHealing, Suspects, heal_replica, heal_segment, sites,
};

fn heal(media: &Media, segment: u32) -> SegmentHealing {
    heal_with(media, segment, &Suspects::new()).unwrap()
}

fn heal_with(
    media: &Media,
    segment: u32,
    suspects: &Suspects,
) -> Result<SegmentHealing, StoreError> {
    let store = media.read_only();
    let newest = *store.segments().unwrap().last().unwrap();
    let sites = sites(&store)?;
    heal_segment(Patient {
        archive: ARCHIVE,
        segment,
        newest: segment == newest,
        sites: &sites,
        suspects,
        gate: None,
    })
}

/// The frames of the first segment: address and bytes.
fn frames(media: &Media) -> Vec<(usize, Vec<u8>)> {
    let whole = media.bytes(0, 1);
    let store = media.read_only();
    store
        .scan(None, ScanScope::Everything)
        .map(|item| item.unwrap())
        .filter(|item| item.address.segment == 1)
        .map(|item| {
            let start = item.address.offset as usize;
            let end = if item.next.segment == 1 {
                item.next.offset as usize
            } else {
                whole.len()
            };
            (start, whole[start..end].to_vec())
        })
        .collect()
}

/// Two places in the first segment with whole frames of one length that differ.
fn misdirection(media: &Media) -> (usize, Vec<u8>) {
    let frames = frames(media);
    for (place, (start, bytes)) in frames.iter().enumerate() {
        for (_, other) in &frames[place + 1..] {
            if other.len() == bytes.len() && other != bytes {
                return (*start, other.clone());
            }
        }
    }
    panic!("no two frames of one length");
}

#[test]
fn each_kind_of_damage_is_healed_from_the_other_copy() {
    let media = sealed(2);
    let whole = media.bytes(0, 1);
    let (place, frame) = misdirection(&media);
    let mut random = Random(11);
    let mut damages: Vec<Option<Vec<u8>>> = vec![
        None,
        Some(Vec::new()),
        Some(vec![0; whole.len()]),
        Some(whole[..whole.len() - 1].to_vec()),
        Some(whole[..whole.len() / 2].to_vec()),
        Some([whole.as_slice(), b"more"].concat()),
        Some(media.bytes(0, 2)),
        Some({
            let mut other = whole.clone();
            other[place..place + frame.len()].copy_from_slice(&frame);
            other
        }),
    ];
    for _ in 0..40 {
        let mut flipped = whole.clone();
        let bit = random.below(whole.len() as u64 * 8) as usize;
        flipped[bit / 8] ^= 1 << (bit % 8);
        damages.push(Some(flipped));
    }
    for (number, damage) in damages.into_iter().enumerate() {
        let bad = number % 2;
        match &damage {
            Some(bytes) => put(&media.segment(bad, 1), bytes),
            None => std::fs::remove_file(media.segment(bad, 1)).unwrap(),
        }
        let healing = heal(&media, 1);
        assert!(healing.is_whole() && !healing.was_whole(), "{number}");
        let good = MediumId::from_bytes([2 - bad as u8; 16]);
        let outcome = &healing.copies[bad].outcome;
        let CopyOutcome::Healed { source, bytes } = outcome else {
            panic!("{number}: {outcome:?}");
        };
        assert_eq!(*source, HealSource::Medium(good), "{number}");
        assert_eq!(*bytes, whole.len() as u64);
        assert!(media.bytes(bad, 1) == whole, "{number}");
        let mode = std::fs::metadata(media.segment(bad, 1)).unwrap();
        assert!(mode.permissions().readonly(), "{number}");
        assert!(heal(&media, 1).was_whole(), "{number}");
    }
}

#[test]
fn copies_damaged_at_different_places_are_put_together() {
    let media = sealed(2);
    let whole = media.bytes(0, 1);
    let (place, frame) = misdirection(&media);
    let frames = frames(&media);
    // A flip in each, at different frames; then a misdirected frame in one, which the digest in the seal gives away.
    for misdirected in [false, true] {
        let mut first = whole.clone();
        if misdirected {
            first[place..place + frame.len()].copy_from_slice(&frame);
        } else {
            first[frames[3].0 + 20] ^= 1;
        }
        let mut second = whole.clone();
        second[frames[9].0 + 30] ^= 4;
        put(&media.segment(0, 1), &first);
        put(&media.segment(1, 1), &second);
        let healing = heal(&media, 1);
        assert!(healing.is_whole(), "{healing:?}");
        assert!(healing.losses.is_empty());
        assert!(media.bytes(0, 1) == whole && media.bytes(1, 1) == whole);
    }
}

#[test]
fn what_no_copy_has_is_named_and_the_rest_is_healed() {
    let media = sealed(2);
    let frames = frames(&media);
    let whole = media.bytes(0, 1);
    let owned = |frame: &&(usize, Vec<u8>)| frame.1[4] == 2 || frame.1[4] == 3;
    let lost = frames.iter().filter(owned).nth(4).unwrap();
    let (mut first, mut second) = (whole.clone(), whole.clone());
    first[lost.0 + 40] ^= 1;
    second[lost.0 + 41] ^= 1;
    second[frames[2].0 + 20] ^= 1;
    put(&media.segment(0, 1), &first);
    put(&media.segment(1, 1), &second);
    let healing = heal(&media, 1);
    assert!(!healing.is_whole());
    assert_eq!(healing.losses.len(), 1, "{healing:?}");
    let loss = healing.losses[0];
    assert_eq!(loss.address, FrameAddress::new(1, lost.0 as u64));
    let record: [u8; 16] = lost.1[12..28].try_into().unwrap();
    assert_eq!(loss.version.unwrap().record().as_bytes(), &record);
    // The second copy got the frame that only the first one had, and keeps its own damaged bytes.
    assert!(media.bytes(0, 1) == first);
    let mut expected = whole.clone();
    expected[lost.0 + 41] ^= 1;
    assert!(media.bytes(1, 1) == expected);
    // Nothing is written again and again.
    let calls = media.disk.calls();
    assert!(!heal(&media, 1).is_whole());
    assert_eq!(media.disk.calls(), calls);
}

#[test]
fn bytes_that_no_medium_gives_back_are_not_replaced_by_zeros() {
    let media = sealed(2);
    let frames = frames(&media);
    let whole = media.bytes(0, 1);
    let owned = |frame: &&(usize, Vec<u8>)| frame.1[4] == 2 || frame.1[4] == 3;
    let lost = frames.iter().filter(owned).nth(4).unwrap().0;
    let mut second = whole.clone();
    second[frames[2].0 + 20] ^= 1;
    put(&media.segment(1, 1), &second);
    let range = lost as u64 + 40..lost as u64 + 41;
    {
        let _neither = Unreadable::new("/segments/0000000001.seg$", range.clone());
        let healing = heal(&media, 1);
        assert!(matches!(healing.copies[1].outcome, CopyOutcome::Damaged));
        assert_eq!(healing.losses.len(), 1);
    }
    assert!(media.bytes(0, 1) == whole && media.bytes(1, 1) == second);

    // The first medium gives back damaged bytes, the second one none: these are better than zeros.
    let mut first = whole.clone();
    first[lost + 44] ^= 1;
    put(&media.segment(0, 1), &first);
    {
        let _second = Unreadable::new("medium-2/segments/0000000001.seg$", range);
        assert!(!heal(&media, 1).is_whole());
    }
    assert!(media.bytes(0, 1) == first && media.bytes(1, 1) == first);
}

#[test]
fn a_frame_that_is_gone_at_the_second_reading_does_not_shorten_a_segment() {
    let media = sealed(2);
    let mut damaged = media.bytes(0, 1);
    damaged[frames(&media)[2].0 + 20] ^= 1;
    for place in 0..2 {
        put(&media.segment(place, 1), &damaged);
    }
    let store = media.read_only();
    let sites = sites(&store).unwrap();
    let patient = Patient {
        archive: ARCHIVE,
        segment: 1,
        newest: false,
        sites: &sites,
        suspects: &Suspects::new(),
        gate: None,
    };
    let (mut copies, _) = patient.examine();
    let error = patient.write(&mut copies, &[], &sites[0]).unwrap_err();
    assert!(matches!(error, StoreError::NotWhole { .. }), "{error}");
    assert!(media.bytes(0, 1) == damaged);
    let left = std::fs::read_dir(media.segment(0, 1).parent().unwrap()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name());
    assert!(
        !names
            .into_iter()
            .any(|name| name.to_string_lossy().ends_with(".new"))
    );
}

/// Another archive's segment would be noticed by its id; this one is of the same archive and whole.
fn impostor() -> Vec<u8> {
    let other = Media::with_small_segments(1);
    let (store, _) = other.open(9);
    let appender = store.appender().unwrap();
    for number in 100..130 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();
    other.bytes(0, 1)
}

#[test]
fn whole_copies_that_differ_are_outvoted_or_left_alone() {
    let impostor = impostor();
    let media = sealed(3);
    let whole = media.bytes(0, 1);
    put(&media.segment(0, 1), &impostor);
    assert!(heal(&media, 1).is_whole());
    assert!(media.bytes(0, 1) == whole);
    let media = sealed(2);
    put(&media.segment(0, 1), &impostor);
    let healing = heal(&media, 1);
    assert!(!healing.is_whole());
    assert!(media.bytes(0, 1) == impostor && media.bytes(1, 1) != impostor);
    // Somebody with keys says which one is wrong.
    let suspects = Suspects::from([(0, 100)]);
    assert!(heal_with(&media, 1, &suspects).unwrap().is_whole());
    assert!(media.bytes(0, 1) == media.bytes(1, 1) && media.bytes(0, 1) != impostor);
}

#[test]
fn a_fault_in_the_middle_leaves_the_old_or_the_new() {
    let media = sealed(2);
    let whole = media.bytes(0, 1);
    let mut damaged = whole.clone();
    damaged[700] ^= 8;
    let calls = {
        put(&media.segment(1, 1), &damaged);
        let before = media.disk.calls();
        assert!(heal(&media, 1).is_whole());
        media.disk.calls() - before
    };
    assert!(calls >= 5, "{calls}");
    for after in 0..calls {
        for outcome in [Outcome::Lost, Outcome::Done, Outcome::Torn(300)] {
            put(&media.segment(1, 1), &damaged);
            media.disk.arm(Fault {
                call: None,
                path: "segments".to_owned(),
                after,
                sticky: false,
                error: std::io::ErrorKind::Other,
                outcome,
            });
            let healing = heal(&media, 1);
            media.disk.heal();
            let now = media.bytes(1, 1);
            assert!(now == damaged || now == whole, "{after} {outcome:?}");
            if healing.is_whole() {
                assert!(now == whole, "{after} {outcome:?}");
            }
            assert!(heal(&media, 1).is_whole(), "{after} {outcome:?}");
            assert!(media.bytes(1, 1) == whole);
        }
    }
}

#[test]
fn a_power_cut_in_the_middle_leaves_the_old_or_the_new() {
    for seed in 0..12 {
        let mut media = sealed(2);
        let whole = media.bytes(0, 1);
        let mut damaged = whole.clone();
        damaged[900] ^= 8;
        put(&media.segment(1, 1), &damaged);
        media.disk.arm(Fault {
            call: None,
            path: "segments".to_owned(),
            after: seed as usize % 6,
            sticky: true,
            error: std::io::ErrorKind::Other,
            outcome: Outcome::Lost,
        });
        drop(heal(&media, 1));
        media.disk.kill();
        media.disk.power_cut(seed);
        media.disk = FaultyDisk::new();
        let now = media.bytes(1, 1);
        assert!(now == damaged || now == whole, "seed {seed}");
        assert!(heal(&media, 1).is_whole(), "seed {seed}");
        assert!(media.bytes(1, 1) == whole, "seed {seed}");
    }
}

#[test]
fn the_growing_segment_is_patched_while_it_grows() {
    let media = Media::new(2);
    let (store, _) = media.open(1);
    let appender = store.appender().unwrap();
    for number in 0..10 {
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    let length = media.bytes(0, 1).len();
    let mut random = Random(5);
    for round in 0..10 {
        let bad = round % 2;
        let bit = random.below(length as u64 * 8) as usize;
        let file = durable::SystemDisk.open(&media.segment(bad, 1)).unwrap();
        let mut byte = [0];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut byte, bit as u64 / 8).unwrap();
        byte[0] ^= 1 << (bit % 8);
        std::os::unix::fs::FileExt::write_all_at(&file, &byte, bit as u64 / 8).unwrap();
        let sites = sites(&store).unwrap();
        let healing = heal_segment(Patient {
            archive: ARCHIVE,
            segment: 1,
            newest: true,
            sites: &sites,
            suspects: &Suspects::new(),
            gate: None,
        })
        .unwrap();
        assert!(
            healing.is_whole() && !healing.was_whole(),
            "bit {bit}: {healing:?}"
        );
        let number = 10 + round as u32;
        let address = deposit(&appender, number).unwrap();
        appender.commit(address).unwrap();
    }
    store.close().unwrap();
    media.assert_replicas_equal();
    assert_eq!(records(&media.read_only()), (0..20).collect::<Vec<_>>());
}

#[test]
fn an_empty_replica_is_filled_and_a_second_run_finds_nothing_to_do() {
    let media = sealed(2);
    let medium = MediumId::from_bytes([2; 16]);
    let (store, _) = media.open(1);
    let segments = store.segments().unwrap();
    for segment in &segments[..segments.len() - 1] {
        std::fs::remove_file(media.segment(1, *segment)).unwrap();
    }
    let mut steps = 0;
    let healing = heal_replica(&store, medium, &mut |_| steps += 1).unwrap();
    assert!(healing.is_whole());
    assert_eq!(healing.copied, segments[..segments.len() - 1]);
    assert_eq!(steps, segments.len());
    let again = heal_replica(&store, medium, &mut |_| ()).unwrap();
    assert!(again.copied.is_empty() && again.mended.is_empty() && again.is_whole());
    // It is read again, so a damage in a copy that was there is found, too.
    flip(&media.segment(1, 1), 4000);
    let healing = heal_replica(&store, medium, &mut |_| ()).unwrap();
    assert_eq!(healing.mended.len(), 1);
    assert!(healing.is_whole());
    let strange = MediumId::from_bytes([9; 16]);
    assert!(heal_replica(&store, strange, &mut |_| ()).is_err());
    store.close().unwrap();
    media.assert_replicas_equal();
}

/// A copy that was compacted, and one that was not yet.
fn half_compacted() -> (Media, Vec<u8>, Vec<u8>) {
    let media = sealed(2);
    let original = media.bytes(1, 1);
    let (store, _) = media.open(1);
    let is_odd = |version: VersionId| version.record().as_bytes()[15] % 2 == 1;
    let results = compacting::compact(&store, &is_odd).unwrap();
    assert!(results.iter().any(|(segment, _)| *segment == 1));
    store.close().unwrap();
    let compacted = media.bytes(0, 1);
    assert!(compacted.len() < original.len() && compacted == media.bytes(1, 1));
    put(&media.segment(1, 1), &original);
    (media, original, compacted)
}

#[test]
fn what_was_dropped_does_not_come_back_by_healing() {
    let (media, original, compacted) = half_compacted();
    let mut damages = vec![compacted[..compacted.len() / 2].to_vec()];
    let mut random = Random(29);
    for _ in 0..24 {
        let mut flipped = compacted.clone();
        let bit = random.below(compacted.len() as u64 * 8) as usize;
        flipped[bit / 8] ^= 1 << (bit % 8);
        damages.push(flipped);
    }
    for (number, damage) in damages.into_iter().enumerate() {
        put(&media.segment(0, 1), &damage);
        let healing = heal(&media, 1);
        assert!(healing.is_whole() && !healing.was_whole(), "{number}");
        assert!(!healing.copies[0].problems.is_empty(), "{number}");
        assert!(healing.copies[1].problems.is_empty(), "{number}");
        let outcome = &healing.copies[0].outcome;
        assert!(
            matches!(
                outcome,
                CopyOutcome::Healed {
                    source: HealSource::Medium(_),
                    ..
                }
            ),
            "{number}: {outcome:?}"
        );
        assert!(media.bytes(0, 1) == compacted, "{number}");
        assert!(media.bytes(1, 1) == original, "{number}");
        assert!(heal(&media, 1).was_whole(), "{number}");
    }
}

#[test]
fn a_compacted_copy_without_a_map_is_replaced_by_the_other_one() {
    let (media, original, compacted) = half_compacted();
    let mut damaged = compacted.clone();
    damaged[CompactionMap::OFFSET as usize + 40] ^= 1;
    let behind = damaged.len() - SegmentSeal::FRAME_BYTES - 20;
    damaged[behind] ^= 1;
    put(&media.segment(0, 1), &damaged);
    let healing = heal(&media, 1);
    assert!(healing.is_whole(), "{healing:?}");
    assert!(media.bytes(0, 1) == original && media.bytes(1, 1) == original);
}

/// A copy that is whole by itself and was written elsewhere; the seal of the other copy cannot be read just then.
#[test]
fn a_seal_that_cannot_be_read_is_not_taken_for_none() {
    let media = sealed(2);
    let medium = MediumId::from_bytes([2; 16]);
    let (right, other) = (media.bytes(0, 1), impostor());
    put(&media.segment(1, 1), &other);
    let store = media.read_only();
    let end = right.len() as u64;
    let fault = Unreadable::new("medium-1/segments/0000000001.seg$", end - 1..end);
    let healing = heal_replica(&store, medium, &mut |_| ()).unwrap();
    drop(fault);
    let failed: Vec<u32> = healing.failed.iter().map(|(segment, _)| *segment).collect();
    assert_eq!(failed, [1]);
    assert!(healing.mended.is_empty());
    assert!(media.bytes(0, 1) == right && media.bytes(1, 1) == other);
}
