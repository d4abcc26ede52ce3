//! Copies that are made anew or joined while something fails: what opened before, or what is to open, opens.

#![allow(
    clippy::disallowed_methods,
    reason = "a test damages key media and mends them"
)]

use super::*;

/// One key medium for itself.
fn alone(bench: &Bench, root: &PathBuf, access: LedgerAccess) -> KeyMedium {
    bench
        .open_on(Arc::new(SystemDisk), from_ref(root), 1, access)
        .unwrap()
}

/// Nothing of the ledger file that was there before can be erased.
fn erasing_fails() -> Fault {
    Fault {
        path: "copy/ledger/0000000001.led".to_owned(),
        ..sticky(0, Outcome::Lost)
    }
}

fn assert_keys(bench: &Bench, root: &PathBuf, what: &str) {
    let medium = alone(bench, root, LedgerAccess::Read);
    for (version, bytes) in &bench.keys {
        let key = medium.ledger().data_key(*version);
        let key = key.unwrap_or_else(|error| panic!("{what}: {version}: {error}"));
        assert_eq!(key.expose(), bytes, "{what}");
    }
}

/// Puts a directory in place of the ledger's file: it is there, and nothing can be read from it.
fn fail_ledger(bench: &Bench, root: &Path) -> (PathBuf, PathBuf) {
    let path = root.join("ledger/0000000001.led");
    let away = bench.place.path().join("away.led");
    fs::rename(&path, &away).unwrap();
    fs::create_dir(&path).unwrap();
    (path, away)
}

fn mend_ledger((path, away): (PathBuf, PathBuf)) {
    fs::remove_dir(&path).unwrap();
    fs::rename(away, path).unwrap();
}

#[test]
fn a_secret_that_does_not_open_is_not_copied_over_a_whole_one() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let path = one.join("tsa/key.sealed");
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = fs::read(two.join("tsa/key.sealed")).unwrap();
    let medium = alone(&bench, &one, LedgerAccess::Write);
    for root in [&two, &bench.place.path().join("third")] {
        let error = medium.copy_to(root, &label(), true, &mut |_| ());
        let error = error.unwrap_err();
        assert!(matches!(error, KeyError::SecretDamaged { .. }), "{error}");
    }
    assert!(!bench.place.path().join("third").exists());
    assert_eq!(fs::read(two.join("tsa/key.sealed")).unwrap(), before);
    bench.assert_gives(&alone(&bench, &two, LedgerAccess::Read), &[], "the copy");
}

#[test]
fn a_copy_that_is_made_anew_opens_where_its_making_stops() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    alone(&bench, &one, LedgerAccess::Write)
        .rotate(&mut |_| ())
        .unwrap();
    // The source fails while the ledger is compared with it.
    let disk = FaultyDisk::new();
    let medium = bench
        .open_on(disk.clone(), from_ref(&one), 1, LedgerAccess::Write)
        .unwrap();
    let ledger = one.join("ledger/0000000002.led");
    let whole = fs::read(&ledger).unwrap();
    let mut fails = |_| {
        let file = fs::OpenOptions::new().write(true).open(&ledger).unwrap();
        file.set_len(64).unwrap();
    };
    medium
        .copy_to(&two, &label(), false, &mut fails)
        .unwrap_err();
    bench.assert_gives(&alone(&bench, &two, LedgerAccess::Read), &[], "as it was");
    fs::write(&ledger, &whole).unwrap();
    drop(medium);
    // What stood there cannot be erased.
    let medium = bench
        .open_on(disk.clone(), from_ref(&one), 1, LedgerAccess::Write)
        .unwrap();
    disk.arm(erasing_fails());
    medium
        .copy_to(&two, &label(), false, &mut |_| ())
        .unwrap_err();
    bench.assert_gives(&alone(&bench, &two, LedgerAccess::Read), &[], "made anew");
}

#[test]
fn a_copy_that_is_brought_into_step_opens_where_that_stops() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    alone(&bench, &one, LedgerAccess::Write)
        .rotate(&mut |_| ())
        .unwrap();
    let disk = FaultyDisk::new();
    disk.arm(erasing_fails());
    bench
        .open_on(disk, &bench.roots(), 2, LedgerAccess::Write)
        .unwrap_err();
    assert_keys(&bench, &two, "the copy");
    bench.open(LedgerAccess::Write).unwrap();
    bench.assert_whole(&[], "in step");
}

#[test]
fn a_medium_that_is_there_and_failed_stops_a_rotation() {
    let bench = Bench::new();
    let [_, two] = bench.roots();
    let kek = fs::read(two.join("kek.json")).unwrap();
    let failed = fail_ledger(&bench, &two);
    let medium = bench
        .open_on(Arc::new(SystemDisk), &bench.roots(), 1, LedgerAccess::Write)
        .unwrap();
    let error = medium.rotate(&mut |_| ()).unwrap_err();
    assert!(
        matches!(&error, KeyError::CopiesMissing { missing, copies_min: 2 } if *missing == [two.clone()]),
        "{error}"
    );
    assert_eq!(medium.provider().epochs(), [1]);
    drop(medium);
    assert!(fs::read(two.join("kek.json")).unwrap() == kek);
    mend_ledger(failed);
    bench.open(LedgerAccess::Write).unwrap();
    bench.assert_whole(&[], "in step");
}

#[test]
fn a_medium_that_failed_keeps_a_destruction_from_its_end_and_nobody_from_depositing() {
    let bench = Bench::new();
    let [_, two] = bench.roots();
    let disk = FaultyDisk::new();
    let medium = bench
        .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
        .unwrap();
    disk.arm(Fault {
        path: ".led.new".to_owned(),
        ..sticky(0, Outcome::Lost)
    });
    medium.destroy(&[version(1)], NOW, &mut |_| ()).unwrap_err();
    disk.kill();
    drop(medium);
    let failed = fail_ledger(&bench, &two);
    let medium = bench
        .open_on(Arc::new(SystemDisk), &bench.roots(), 1, LedgerAccess::Write)
        .unwrap();
    assert!(matches!(
        medium.hindrance(),
        Some(KeyError::CopiesMissing { .. })
    ));
    drop(medium);
    mend_ledger(failed);
    let medium = bench.open(LedgerAccess::Write).unwrap();
    assert!(!medium.ledger().is_destruction_unfinished());
    drop(medium);
    bench.assert_whole(&[version(1)], "after");
}

#[test]
fn of_three_media_each_gets_what_any_of_them_held_alone() {
    let mut bench = Bench::new();
    let [one, two] = bench.roots();
    let three = bench.place.path().join("third");
    let medium = alone(&bench, &one, LedgerAccess::Write);
    medium
        .copy_to(&three, &label(), false, &mut |_| ())
        .unwrap();
    drop(medium);
    for (root, records) in [(&one, &[5, 6][..]), (&two, &[7]), (&three, &[8])] {
        for record in records {
            let medium = alone(&bench, root, LedgerAccess::Write);
            let staged = medium.ledger().wrap_new(version(*record)).unwrap();
            medium.ledger().commit(staged.ticket()).unwrap();
            let key = *staged.into_key().expose();
            bench.keys.push((version(*record), key));
        }
    }
    let roots = [one, two, three];
    let medium = bench
        .open_on(Arc::new(SystemDisk), &roots, 3, LedgerAccess::Write)
        .unwrap();
    drop(medium);
    for root in &roots {
        assert_keys(&bench, root, &root.display().to_string());
    }
}
