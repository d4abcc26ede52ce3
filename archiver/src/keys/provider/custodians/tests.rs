//! Every pair, every single, and wrong shares of every kind.

use super::*;
use firmware::entropy::SeededEntropy;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-22 05:00:00.5 UTC);

fn archive() -> ArchiveId {
    ArchiveId::from_bytes([0xa1; 16])
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("鍵管理者 {n}")).collect()
}

fn hold(archive: ArchiveId, threshold: u8, count: usize, seed: u64) -> Held {
    let entropy = SeededEntropy::new(seed);
    Ceremony::hold(archive, threshold, &names(count), NOW, &entropy).unwrap()
}

fn copy(share: &Share) -> Share {
    Share::parse(&share.words()).unwrap()
}

#[test]
fn every_choice_of_enough_shares_unlocks_and_no_smaller_one_does() {
    for (threshold, count) in [(2, 2), (2, 3), (3, 5), (4, 4)] {
        let held = hold(archive(), threshold, count, 1);
        for chosen in 0_u32..1 << count {
            let mut collector = Collector::new(archive(), held.ceremony.clone());
            for (place, share) in held.shares.iter().enumerate() {
                if chosen & (1 << place) != 0 {
                    collector.add(copy(share)).unwrap();
                }
            }
            let given = chosen.count_ones() as usize;
            let needed = usize::from(threshold);
            match collector.combine() {
                Ok(key) => {
                    assert!(given >= needed, "{chosen:b}");
                    assert_eq!(key.expose(), held.lock.expose(), "{chosen:b}");
                }
                Err(error) => assert_eq!(
                    error,
                    ShareError::Missing {
                        missing: needed - given
                    }
                ),
            }
        }
    }
}

#[test]
fn a_single_share_combined_by_force_is_not_the_key() {
    let held = hold(archive(), 2, 3, 1);
    for share in &held.shares {
        assert_ne!(&share.point()[1..], held.lock.expose());
        assert!(Gf256::combine_bytes(&[share.point().to_vec()]).is_err());
    }
}

#[test]
fn a_wrong_share_is_named_and_not_kept() {
    let held = hold(archive(), 2, 3, 1);
    let mut collector = Collector::new(archive(), held.ceremony.clone());
    assert_eq!(collector.add(copy(&held.shares[1])).unwrap(), "鍵管理者 2");
    assert_eq!(collector.missing(), 1);

    let twice = collector.add(copy(&held.shares[1])).unwrap_err();
    assert!(
        matches!(&twice, ShareError::Twice { number: 2, custodian } if custodian == "鍵管理者 2")
    );

    let earlier = hold(archive(), 2, 3, 2);
    let error = collector.add(copy(&earlier.shares[0])).unwrap_err();
    assert!(
        matches!(error, ShareError::OtherCeremony { number: 1, .. }),
        "{error}"
    );

    let other = ArchiveId::from_bytes([0xb2; 16]);
    let error = collector
        .add(copy(&hold(other, 2, 3, 1).shares[0]))
        .unwrap_err();
    assert!(
        matches!(error, ShareError::OtherArchive { number: 1, .. }),
        "{error}"
    );

    // Forged: the right ceremony and number, a check that holds, another value.
    let forged = Share::new(
        ShareKind::Keys,
        held.shares[2].origin(),
        3,
        2,
        &[9; KEY_BYTES],
    );
    let error = collector.add(forged).unwrap_err();
    assert!(
        matches!(&error, ShareError::Wrong { number: 3, custodian } if custodian == "鍵管理者 3"),
        "{error}"
    );
    let unheard = Share::new(
        ShareKind::Keys,
        held.shares[2].origin(),
        4,
        2,
        &[9; KEY_BYTES],
    );
    assert!(matches!(
        collector.add(unheard),
        Err(ShareError::OtherCeremony { number: 4, .. })
    ));

    assert_eq!(collector.missing(), 1);
    collector.add(copy(&held.shares[2])).unwrap();
    assert_eq!(collector.combine().unwrap().expose(), held.lock.expose());
}

#[test]
fn a_new_ceremony_makes_a_new_key() {
    let entropy = SeededEntropy::new(7);
    let hold = || Ceremony::hold(archive(), 2, &names(3), NOW, &entropy).unwrap();
    let (first, second) = (hold(), hold());
    assert_ne!(first.lock.expose(), second.lock.expose());
    assert_ne!(
        first.ceremony.origin(archive()),
        second.ceremony.origin(archive())
    );
}

#[test]
fn impossible_ceremonies_are_refused() {
    let entropy = SeededEntropy::new(1);
    let hold =
        |threshold, names: &[String]| Ceremony::hold(archive(), threshold, names, NOW, &entropy);
    for (threshold, count) in [(1, 3), (0, 3), (4, 3), (2, 1), (2, 0), (2, 17), (2, 300)] {
        let error = hold(threshold, &names(count)).unwrap_err();
        assert!(
            matches!(error, KeyError::Share(ShareError::Numbers)),
            "{threshold} of {count}"
        );
    }
    for bad in ["", " A", "B\n", &"x".repeat(65), "鍵管理者 1"] {
        let mut names = names(3);
        names[1] = bad.to_owned();
        let error = hold(2, &names).unwrap_err();
        assert!(
            matches!(error, KeyError::Share(ShareError::Names)),
            "{bad:?}"
        );
    }
}

#[test]
fn the_public_facts_hold_nothing_of_a_share() {
    let held = hold(archive(), 2, 3, 1);
    let public = serde_json::to_string(&held.ceremony).unwrap();
    assert!(
        public.contains("鍵管理者 3") && public.contains("2026-11-22T05:00:00Z"),
        "{public}"
    );
    assert!(!public.contains(&hex::encode(held.lock.expose())));
    for share in &held.shares {
        assert!(!public.contains(&hex::encode(&share.point()[1..])));
    }
    let back: Ceremony = serde_json::from_str(&public).unwrap();
    assert_eq!(back, held.ceremony);
    assert!(back.is_sound());
}

#[test]
fn a_sheet_shows_its_own_share_alone_in_words_and_code() {
    let held = hold(archive(), 2, 3, 1);
    let sheets: Vec<Sheet<'_>> = Sheet::all(archive(), 1, &held).collect();
    assert_eq!(sheets.len(), 3);
    for (place, sheet) in sheets.iter().enumerate() {
        for language in [SheetLanguage::Japanese, SheetLanguage::English] {
            let text = sheet.text(language).unwrap();
            let own = Share::parse(&text).unwrap();
            assert_eq!(own.number() as usize, place + 1);
            assert!(text.contains(&archive().to_string()) && text.contains("2026"));
            let page = sheet.html(language).unwrap();
            assert!(page.contains("<svg") && page.contains(&format!("鍵管理者 {}", place + 1)));
            for (other, share) in held.shares.iter().enumerate().filter(|(o, _)| *o != place) {
                let words = share.words();
                assert!(
                    !text.contains(&share.check_digits()) && !page.contains(&share.check_digits()),
                    "{other}"
                );
                let five: Vec<&str> = words.split(' ').skip(10).take(5).collect();
                assert!(!text.contains(&five.join(" ")));
            }
        }
    }
}
