//! Random damage up to the strength of the parity is healed, beyond it is not, and nothing is written then.

use proptest::prelude::*;

use super::*;
use crate::store::StoreError;
use crate::store::durable::faults::{FaultyDisk, Random};
use crate::store::durable::{Disk, SystemDisk};
use crate::store::tests::sealed_with;

const ARCHIVE: ArchiveId = ArchiveId::from_bytes([0xA0; 16]);

/// A sealed segment of some 80 blocks on a medium of its own, with parity.
struct Bed {
    _media: crate::store::tests::Media,
    replica: Replica,
    whole: Vec<u8>,
    strength: ParityStrength,
}

fn bed(data: u16, parity: u16) -> Bed {
    let media = sealed_with(300_000);
    let disk = FaultyDisk::new();
    let medium = formats::id::MediumId::from_bytes([1; 16]);
    let replica = Replica::new(media.directory(0), medium, disk);
    let whole = std::fs::read(replica.path(1)).unwrap();
    let strength = ParityStrength { data, parity };
    make(&replica, ARCHIVE, 1, strength, None).unwrap();
    Bed {
        _media: media,
        replica,
        whole,
        strength,
    }
}

impl Bed {
    fn put(&self, path: PathBuf, bytes: &[u8]) {
        std::fs::remove_file(&path).unwrap();
        let file = SystemDisk.create(&path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0).unwrap();
    }

    fn segment(&self, bytes: &[u8]) {
        self.put(self.replica.path(1), bytes);
    }

    fn restore(&self) -> Result<Option<u64>, StoreError> {
        restore(&[&self.replica], &self.replica, ARCHIVE, 1, None)
    }

    fn rows(&self) -> usize {
        self.whole
            .len()
            .div_ceil(self.strength.data as usize * BLOCK_BYTES)
    }

    fn now(&self) -> Vec<u8> {
        std::fs::read(self.replica.path(1)).unwrap()
    }
}

/// The file alone says how to make a lost block anew: XOR as in SPEC.md, and elimination over the bits.
#[test]
fn the_coefficients_are_the_code() {
    let strength = ParityStrength { data: 5, parity: 3 };
    let words = coefficients(strength).unwrap();
    let mut random = Random(1);
    let shards: Vec<Vec<u8>> = (0..5)
        .map(|_| (0..256).map(|_| random.below(256) as u8).collect())
        .collect();
    let coded = reed_solomon_simd::encode(5, 3, &shards).unwrap();
    for (row, parity) in coded.iter().enumerate() {
        for unit in (0..256).step_by(UNIT_BYTES) {
            for word in 0..UNIT_BYTES / 2 {
                let mut sum = 0_u16;
                for (shard, bytes) in shards.iter().enumerate() {
                    let value = u16::from_le_bytes([bytes[unit + word], bytes[unit + word + 32]]);
                    for bit in (0..16).filter(|bit| value >> bit & 1 == 1) {
                        sum ^= words[row * 5 + shard][bit];
                    }
                }
                let found = u16::from_le_bytes([parity[unit + word], parity[unit + word + 32]]);
                assert_eq!(sum, found);
            }
        }
    }
}

#[test]
fn a_lost_end_or_a_hole_is_healed_up_to_the_strength() {
    let bed = bed(10, 2);
    let shard = bed.rows() * BLOCK_BYTES;
    let room = shard * 10;
    // The end of the segment lies in the last shard: what is behind it counts as there.
    let keep = room - 2 * shard;
    for kept in [keep, keep + 1, keep + BLOCK_BYTES, bed.whole.len() - 1] {
        bed.segment(&bed.whole[..kept.min(bed.whole.len())]);
        assert_eq!(
            bed.restore().unwrap(),
            Some(bed.whole.len() as u64),
            "{kept}"
        );
        assert!(bed.now() == bed.whole);
    }
    let torn = &bed.whole[..keep - shard];
    bed.segment(torn);
    assert_eq!(bed.restore().unwrap(), None);
    assert!(bed.now() == torn);
    let mut hole = bed.whole.clone();
    hole[100..2 * shard - BLOCK_BYTES].fill(0xEE);
    bed.segment(&hole);
    assert!(bed.restore().unwrap().is_some());
    assert!(bed.now() == bed.whole);
}

#[test]
fn a_damaged_parity_file_is_noticed_and_still_helps_with_what_is_left() {
    let bed = bed(10, 2);
    let path = path(&bed.replica, 1);
    let par = std::fs::read(&path).unwrap();
    let state = |bed: &Bed| {
        let bytes = bed.whole.len() as u64;
        ParityState::of(&bed.replica, ARCHIVE, 1, bytes, None)
    };
    assert_eq!(state(&bed), ParityState::Whole);
    let mut random = Random(4);
    for place in [
        0,
        20,
        par.len() / 2,
        par.len() - 1,
        random.below(par.len() as u64) as usize,
    ] {
        let mut damaged = par.clone();
        damaged[place] ^= 2;
        bed.put(path.clone(), &damaged);
        assert_eq!(state(&bed), ParityState::Damaged, "{place}");
        let mut flipped = bed.whole.clone();
        flipped[50_000] ^= 1;
        bed.segment(&flipped);
        assert!(bed.restore().unwrap().is_some(), "{place}");
        assert!(bed.now() == bed.whole);
    }
    // Of another segment, cut, or empty: no help, and no harm.
    for bad in [&b""[..], b"FUMIPARI", &par[..40], &[0xff; 5000]] {
        bed.put(path.clone(), bad);
        let mut flipped = bed.whole.clone();
        flipped[50_000] ^= 1;
        bed.segment(&flipped);
        assert_eq!(bed.restore().unwrap(), None);
        assert!(bed.now() == flipped);
    }
}

#[test]
fn no_parity_is_made_of_a_damaged_segment() {
    let bed = bed(4, 1);
    let before = std::fs::read(path(&bed.replica, 1)).unwrap();
    for place in [10, 70_000, bed.whole.len() - 1] {
        let mut damaged = bed.whole.clone();
        damaged[place] ^= 1;
        bed.segment(&damaged);
        let made = make(&bed.replica, ARCHIVE, 1, bed.strength, None);
        assert!(matches!(made, Err(StoreError::NotWhole { .. })), "{place}");
    }
    assert!(std::fs::read(path(&bed.replica, 1)).unwrap() == before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// In each row as many blocks are damaged as `losses` says: up to m everything comes back, and with one more in any row nothing is written.
    #[test]
    fn damage_within_the_strength_is_healed_and_beyond_it_is_not(
        seed in any::<u64>(),
        data in 1_u16..12,
        parity in 1_u16..5,
        beyond in any::<bool>(),
    ) {
        prop_assume!(parity <= data);
        let bed = bed(data, parity);
        let mut random = Random(seed);
        let rows = bed.rows();
        let mut damaged = bed.whole.clone();
        let too_many = random.below(rows as u64) as usize;
        let mut expected = true;
        for row in 0..rows {
            let mut count = random.below(u64::from(parity) + 1) as usize;
            if beyond && row == too_many {
                count = usize::from(parity) + 1;
            }
            let mut shards: Vec<usize> = (0..usize::from(data)).collect();
            let mut hit = 0;
            while hit < count && !shards.is_empty() {
                let shard = shards.remove(random.below(shards.len() as u64) as usize);
                let start = (shard * rows + row) * BLOCK_BYTES;
                if start >= damaged.len() {
                    continue;
                }
                let end = (start + BLOCK_BYTES).min(damaged.len());
                let place = start + random.below((end - start) as u64) as usize;
                damaged[place] ^= 1 << random.below(8);
                hit += 1;
            }
            expected &= hit <= usize::from(parity);
        }
        bed.segment(&damaged);
        let restored = bed.restore().unwrap();
        prop_assert_eq!(restored.is_some(), expected);
        let right = if expected { &bed.whole } else { &damaged };
        prop_assert!(bed.now() == *right);
    }
}
