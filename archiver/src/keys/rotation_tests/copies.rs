//! Copies of the key medium: behind, ahead, foreign, failing, lost.

#![allow(
    clippy::disallowed_methods,
    reason = "a test moves key media away and back"
)]

use super::*;

/// Adds a key to the first of these copies; the others are not there.
fn add_alone(bench: &Bench, roots: &[PathBuf], record: u8) -> (VersionId, [u8; 32]) {
    let medium = bench
        .open_on(Arc::new(SystemDisk), roots, 1, LedgerAccess::Write)
        .unwrap();
    let copies = medium.ledger().copies();
    assert_eq!(copies.len(), roots.len());
    for other in &copies[1..] {
        assert_eq!(other.condition, CopyCondition::Missing);
    }
    let staged = medium.ledger().wrap_new(version(record)).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    (version(record), *staged.into_key().expose())
}

#[test]
fn a_destroyed_key_is_not_brought_back_by_an_old_copy() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let away = bench.place.path().join("away");
    copy_folder(&two, &away);
    let medium = bench.open(LedgerAccess::Write).unwrap();
    medium.destroy(&[version(2)], NOW, &mut |_| ()).unwrap();
    drop(medium);
    for (kept, restored) in [(&one, &two), (&two, &one)] {
        fs::remove_dir_all(restored).unwrap();
        copy_folder(&away, restored);
        let reader = bench.open(LedgerAccess::Read).unwrap();
        assert_eq!(reader.root(), kept);
        bench.assert_gives(&reader, &[version(2)], "reading");
        drop(reader);
        let writer = bench.open(LedgerAccess::Write).unwrap();
        let states = writer.ledger().copies();
        let stale: Vec<_> = states
            .iter()
            .filter(|one| one.stale)
            .map(|one| &one.root)
            .collect();
        assert_eq!(stale, [restored]);
        bench.assert_gives(&writer, &[version(2)], "writing");
        drop(writer);
        bench.assert_whole(&[version(2)], "after");
    }
    let error = bench
        .open(LedgerAccess::Write)
        .unwrap()
        .ledger()
        .wrap_new(version(2))
        .unwrap_err();
    assert!(matches!(error, KeyError::AlreadyHasKey { .. }));
    // What the documentation says: who took a copy before, and knows its passphrase, still has the key.
    let old = bench.open_on(Arc::new(SystemDisk), &[away], 1, LedgerAccess::Read);
    assert!(old.unwrap().ledger().data_key(version(2)).is_ok());
}

#[test]
fn a_copy_that_was_away_is_caught_up_and_one_that_went_on_alone_is_refused() {
    let mut bench = Bench::new();
    let [one, two] = bench.roots();
    let away = bench.place.path().join("away");
    fs::rename(&two, &away).unwrap();
    assert!(matches!(
        bench.open(LedgerAccess::Write),
        Err(KeyError::CopiesMissing { copies_min: 2, missing }) if missing == [two.clone()]
    ));
    bench.assert_gives(&bench.open(LedgerAccess::Read).unwrap(), &[], "reading");
    let first = add_alone(&bench, &[one.clone(), two.clone()], 5);
    let second = add_alone(&bench, &[away.clone(), two.clone()], 6);
    fs::rename(&away, &two).unwrap();
    bench.keys.extend([first, second]);
    // Neither was rotated: each gets what the other has.
    let medium = bench.open(LedgerAccess::Write).unwrap();
    bench.assert_gives(&medium, &[], "merged");
    let caught_up: Vec<u64> = medium
        .ledger()
        .copies()
        .iter()
        .map(|one| one.caught_up)
        .collect();
    assert_eq!(caught_up, [0, 1]);
    drop(medium);
    bench.assert_whole(&[], "merged");
    // One goes on alone, and the other is rotated: nobody can tell what became of the key.
    fs::rename(&two, &away).unwrap();
    let roots = bench.roots();
    let medium = bench
        .open_on(Arc::new(SystemDisk), &roots, 1, LedgerAccess::Write)
        .unwrap();
    let report = medium.rotate(&mut |_| ()).unwrap();
    assert_eq!(report.unreached, from_ref(&two));
    assert!(matches!(
        medium.destroy(&[version(1)], NOW, &mut |_| ()),
        Err(KeyError::CopiesMissing { .. })
    ));
    drop(medium);
    add_alone(&bench, from_ref(&away), 8);
    fs::rename(&away, &two).unwrap();
    let error = bench.open(LedgerAccess::Write).unwrap_err();
    assert!(
        matches!(&error, KeyError::CopiesDiverge { path, keys: 1 } if *path == two),
        "{error}"
    );
    let medium = bench
        .open_on(Arc::new(SystemDisk), &[one], 1, LedgerAccess::Write)
        .unwrap();
    assert!(matches!(
        medium.copy_to(&two, &label(), false, &mut |_| ()),
        Err(KeyError::CopiesDiverge { .. })
    ));
    let report = medium.copy_to(&two, &label(), true, &mut |_| ()).unwrap();
    assert_eq!((report.entries, report.dropped), (6, 1));
    drop(medium);
    bench.open(LedgerAccess::Write).unwrap();
    bench.assert_whole(&[], "made anew");
}

#[test]
fn a_medium_of_another_archive_or_with_the_label_of_a_data_medium_is_refused() {
    let bench = Bench::new();
    let [_, two] = bench.roots();
    for (role, id) in [(MediumRole::Data, 1), (MediumRole::Keys, 2)] {
        let other = MediumLabel {
            role,
            archive: ArchiveId::from_bytes([id; 16]),
            ..label()
        };
        crate::store::write_label(&SystemDisk, &two, &other).unwrap();
        for access in [LedgerAccess::Read, LedgerAccess::Write] {
            let error = bench.open(access).unwrap_err();
            let named = matches!(
                error,
                KeyError::NotAKeyMedium { .. } | KeyError::OtherArchive { .. }
            );
            assert!(named, "{error}");
        }
    }
    let medium = bench
        .open_on(
            Arc::new(SystemDisk),
            &bench.roots()[..1],
            1,
            LedgerAccess::Write,
        )
        .unwrap();
    assert!(medium.copy_to(&two, &label(), true, &mut |_| ()).is_err());
    let filled = bench.place.path().join("filled");
    fs::create_dir(&filled).unwrap();
    fs::create_dir(filled.join("photographs")).unwrap();
    assert!(matches!(
        medium.copy_to(&filled, &label(), true, &mut |_| ()),
        Err(KeyError::AlreadyCreated { .. })
    ));
}

#[test]
fn a_copy_that_fails_is_out_of_service_or_stops_the_ledger() {
    for (min, which) in [(1, "keys/"), (1, "copy/"), (2, "keys/"), (2, "copy/")] {
        let mut bench = Bench::new();
        let disk = FaultyDisk::new();
        let medium = bench
            .open_on(disk.clone(), &bench.roots(), min, LedgerAccess::Write)
            .unwrap();
        disk.arm(Fault {
            call: Some(Call::Sync),
            path: which.to_owned(),
            ..sticky(0, Outcome::Lost)
        });
        let staged = medium.ledger().wrap_new(version(7)).unwrap();
        let committed = medium.ledger().commit(staged.ticket());
        if min == 2 {
            assert!(committed.is_err());
            assert!(medium.ledger().wrap_new(version(8)).is_err());
            continue;
        }
        committed.unwrap();
        bench.keys.push((version(7), *staged.into_key().expose()));
        let staged = medium.ledger().wrap_new(version(8)).unwrap();
        medium.ledger().commit(staged.ticket()).unwrap();
        bench.keys.push((version(8), *staged.into_key().expose()));
        let states = medium.ledger().copies();
        let failed: Vec<_> = states
            .iter()
            .filter(|one| matches!(one.condition, CopyCondition::OutOfService { .. }))
            .map(|one| one.root.to_string_lossy().into_owned() + "/")
            .collect();
        assert!(
            failed.len() == 1 && failed[0].ends_with(which),
            "{failed:?}"
        );
        bench.assert_gives(&medium, &[], which);
        drop(medium);
        let medium = bench.open(LedgerAccess::Write).unwrap();
        bench.assert_gives(&medium, &[], which);
        drop(medium);
        bench.assert_whole(&[], which);
    }
}

#[test]
fn making_a_copy_may_stop_at_any_call_and_is_resumed() {
    for outcome in [Outcome::Lost, Outcome::Done] {
        for after in 0.. {
            let bench = Bench::new();
            let [one, two] = bench.roots();
            fs::remove_dir_all(&two).unwrap();
            let disk = FaultyDisk::new();
            let roots = [one];
            let medium = bench
                .open_on(disk.clone(), &roots, 1, LedgerAccess::Write)
                .unwrap();
            disk.arm(sticky(after, outcome));
            let done = medium.copy_to(&two, &label(), false, &mut |_| ()).is_ok();
            disk.kill();
            drop(medium);
            disk.power_cut(after as u64);
            let medium = bench
                .open_on(Arc::new(SystemDisk), &roots, 1, LedgerAccess::Write)
                .unwrap();
            medium.copy_to(&two, &label(), false, &mut |_| ()).unwrap();
            drop(medium);
            bench.open(LedgerAccess::Write).unwrap();
            bench.assert_whole(&[], &format!("{outcome:?} after {after}"));
            if done {
                break;
            }
        }
    }
}

#[test]
fn a_damaged_entry_is_healed_from_the_copy_before_it_is_wrapped_anew() {
    // Its owner, the number of its version, its epoch, its nonce, its key, its checksum.
    for (root, offset) in [
        (0, 45),
        (0, 5),
        (1, 5),
        (0, 23),
        (1, 27),
        (0, 30),
        (1, 86),
        (0, 95),
    ] {
        let what = format!("medium {root}, byte {offset}");
        let bench = Bench::new();
        let path = bench.roots()[root].join("ledger/0000000001.led");
        let mut bytes = fs::read(&path).unwrap();
        bytes[64 + 96 + offset] ^= 1;
        let file = SystemDisk.open(&path).unwrap();
        SystemDisk
            .write_at(&file, &mut [io::IoSlice::new(&bytes)], 0)
            .unwrap();
        let reader = bench.open(LedgerAccess::Read).unwrap();
        bench.assert_gives(&reader, &[], &what);
        let medium = bench.open(LedgerAccess::Write).unwrap();
        bench.assert_gives(&medium, &[], &what);
        let report = medium.rotate(&mut |_| ()).unwrap();
        assert_eq!((report.keys, report.salvaged), (4, 0), "{what}");
        assert_eq!(report.damaged_dropped, 0, "{what}");
        drop(medium);
        bench.assert_whole(&[], &what);
        bench.assert_compact(4, 0);
    }
}

/// What a power loss leaves of entries that nobody was told of, and what is left of a tombstone, is no key that could be lost.
#[test]
fn an_entry_that_was_never_whole_stops_no_rotation() {
    for (from, to) in [(0, 32), (0, 64), (24, 96), (60, 96), (92, 96), (33, 95)] {
        let bench = Bench::new();
        let [one, _] = bench.roots();
        let path = one.join("ledger/0000000001.led");
        let mut bytes = fs::read(&path).unwrap();
        let mut torn = bytes[64..64 + 96].to_vec();
        torn[4..20].fill(9);
        torn[from..to].fill(0);
        bytes.extend(torn);
        replace_file(&SystemDisk, &path, &bytes).unwrap();
        let medium = bench.open(LedgerAccess::Write).unwrap();
        let report = medium.rotate(&mut |_| ()).unwrap();
        assert_eq!(report.damaged_dropped, 0, "{from}..{to}");
        drop(medium);
        bench.assert_whole(&[], "after");
    }
}

#[test]
fn a_damaged_entry_whose_version_stands_whole_under_another_number_is_no_copy_of_it() {
    let bench = Bench::new();
    let [one, _] = bench.roots();
    let alone = |access| bench.open_on(Arc::new(SystemDisk), from_ref(&one), 1, access);
    let second = VersionId::new(RecordId::from_bytes([1; 16]), 3).unwrap();
    let medium = alone(LedgerAccess::Write).unwrap();
    let staged = medium.ledger().wrap_new(second).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    drop(medium);
    let path = one.join("ledger/0000000001.led");
    let mut bytes = fs::read(&path).unwrap();
    let first = |entry: &&mut [u8]| entry[4] == 1 && entry[23] == 1;
    let entry = bytes[64..].chunks_mut(96).find(first).unwrap();
    // Version 1 reads as version 3, and the key does not open.
    entry[23] = 3;
    replace_file(&SystemDisk, &path, &bytes).unwrap();
    let medium = alone(LedgerAccess::Write).unwrap();
    let error = medium.rotate(&mut |_| ()).unwrap_err();
    assert!(
        matches!(error, KeyError::EntriesDamaged { entries: 1, .. }),
        "{error}"
    );
    assert_eq!(medium.provider().epochs(), [1]);
    let report = medium
        .rotate_with(DamagedEntries::GiveUp, &mut |_| ())
        .unwrap();
    assert_eq!(report.damaged_dropped, 1);
}

#[test]
fn a_sealed_file_that_nobody_knows_stops_the_rotation_before_its_key_is_lost() {
    let bench = Bench::new();
    let medium = bench.open(LedgerAccess::Write).unwrap();
    let sealed = medium.seal_secret("something new", b"precious").unwrap();
    medium.keep(Path::new("other/key.sealed"), &sealed).unwrap();
    let error = medium.rotate(&mut |_| ()).unwrap_err();
    assert!(
        matches!(error, KeyError::UnsupportedFormat { .. }),
        "{error}"
    );
    drop(medium);
    let medium = bench.open(LedgerAccess::Write).unwrap();
    let secret = medium.open_secret("something new", &sealed).unwrap();
    assert_eq!(secret.as_slice(), b"precious");
    bench.assert_gives(&medium, &[], "all");
}
