//! Key media that come together again: what only one of them opens is not overwritten, and a crash meanwhile loses nothing.

use super::*;

fn rotate_alone(bench: &Bench, root: &PathBuf) {
    let disk = Arc::new(SystemDisk);
    let medium = bench
        .open_on(disk, from_ref(root), 1, LedgerAccess::Write)
        .unwrap();
    medium.rotate(&mut |_| ()).unwrap();
}

#[test]
fn a_secret_that_only_a_medium_behind_holds_is_not_lost_with_its_key() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let medium = bench
        .open_on(Arc::new(SystemDisk), from_ref(&two), 1, LedgerAccess::Write)
        .unwrap();
    let secret = medium
        .seal_secret(crate::keys::sealed::SIGNING_KEY, b"new")
        .unwrap();
    medium
        .keep(Path::new("signing/key-7.sealed"), &secret)
        .unwrap();
    drop(medium);
    rotate_alone(&bench, &one);
    let before = bench.bytes();
    let error = bench.open(LedgerAccess::Write).unwrap_err();
    assert!(matches!(error, KeyError::KeysDiverge { .. }), "{error}");
    assert!(before == bench.bytes());
    bench.assert_whole(&[], "each alone");
}

#[test]
fn keys_that_another_process_changed_since_are_not_put_back() {
    let bench = Bench::new();
    let place = KeyPlace::new(&bench.roots()[0], &bench.roots()[1..], None);
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let file = ProviderFile::new(Arc::clone(&disk), place.present());
    let entropy = Arc::new(SeededEntropy::new(7));
    let old = FileKek::open(file, archive(), &passphrase(), entropy.clone()).unwrap();
    let other = bench.open(LedgerAccess::Write).unwrap();
    other.rotate(&mut |_| ()).unwrap();
    drop(other);
    let access = LedgerAccess::Write;
    let opened = KeyMedium::with_provider(disk, place, archive(), Arc::new(old), access, entropy);
    let error = opened.unwrap_err();
    assert!(matches!(error, KeyError::InUse { .. }), "{error}");
    bench.assert_whole(&[], "each alone");
}

#[test]
fn a_tombstone_that_only_a_medium_behind_holds_is_not_dropped() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let medium = bench
        .open_on(Arc::new(SystemDisk), from_ref(&two), 1, LedgerAccess::Write)
        .unwrap();
    medium.destroy(&[version(1)], NOW, &mut |_| ()).unwrap();
    drop(medium);
    rotate_alone(&bench, &one);
    rotate_alone(&bench, &one);
    let error = bench.open(LedgerAccess::Write).unwrap_err();
    assert!(
        matches!(error, KeyError::CopiesDiverge { keys: 1, .. }),
        "{error}"
    );
}

#[test]
fn joining_may_stop_at_any_call_and_loses_nothing() {
    for outcome in [Outcome::Lost, Outcome::Done, Outcome::Torn(50)] {
        for after in 0.. {
            let what = format!("{outcome:?} after {after}");
            let bench = Bench::new();
            let [_, two] = bench.roots();
            rotate_alone(&bench, &two);
            let disk = FaultyDisk::new();
            disk.arm(sticky(after, outcome));
            let roots = bench.roots();
            let done = bench
                .open_on(disk.clone(), &roots, 1, LedgerAccess::Write)
                .is_ok_and(|medium| medium.roots_in_service().len() == 2);
            disk.kill();
            disk.power_cut(after as u64);
            let ahead = bench.open_on(Arc::new(SystemDisk), from_ref(&two), 1, LedgerAccess::Read);
            bench.assert_gives(&ahead.unwrap(), &[], &what);
            bench.open(LedgerAccess::Write).unwrap();
            bench.assert_whole(&[], &what);
            if done {
                assert!(after > 10, "{after} calls");
                break;
            }
        }
    }
}

#[test]
fn what_differs_is_left_and_named_and_what_is_missing_is_added() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let write = |root: &Path, name: &str, text: &[u8]| {
        replace_file(&SystemDisk, &root.join(name), text).unwrap();
    };
    write(&two, "tsa/root.pem", b"newer");
    write(&two, "tsa/only-here.pem", b"only here");
    write(&one, "tsa/key.sealed", b"damaged");
    // A request that was killed.
    write(&one, "tsa/key-7.sealed.new", b"half");
    let medium = bench.open(LedgerAccess::Write).unwrap();
    assert_eq!(medium.differing_files(), [two.join("tsa/root.pem")]);
    drop(medium);
    bench.assert_whole(&[], "the secret was mended");
    let read = |root: &Path, name: &str| fs::read(root.join(name)).unwrap();
    assert_eq!(read(&one, "tsa/root.pem"), b"public");
    assert_eq!(read(&two, "tsa/root.pem"), b"newer");
    assert_eq!(read(&one, "tsa/only-here.pem"), b"only here");
    assert!(!one.join("tsa/key-7.sealed.new").exists());
}

#[test]
fn a_copy_of_a_later_state_is_not_rolled_back() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let disk = || Arc::new(SystemDisk);
    rotate_alone(&bench, &two);
    let medium = bench
        .open_on(disk(), from_ref(&one), 1, LedgerAccess::Write)
        .unwrap();
    let before = bench.bytes();
    let error = medium
        .copy_to(&two, &label(), false, &mut |_| ())
        .unwrap_err();
    assert!(
        matches!(error, KeyError::CopiesDiverge { keys: 0, .. }),
        "{error}"
    );
    assert!(before == bench.bytes());
    // What was destroyed does not come back, whatever is asked for.
    let later = bench
        .open_on(disk(), from_ref(&two), 1, LedgerAccess::Write)
        .unwrap();
    later.destroy(&[version(1)], NOW, &mut |_| ()).unwrap();
    drop(later);
    let before = bench.bytes();
    for replace in [false, true] {
        let error = medium
            .copy_to(&two, &label(), replace, &mut |_| ())
            .unwrap_err();
        assert!(
            matches!(error, KeyError::DestructionsUnknown { keys: 1, .. }),
            "{error}"
        );
    }
    assert!(before == bench.bytes());
    drop(medium);
    // The other way round it is right.
    let medium = bench
        .open_on(disk(), from_ref(&two), 1, LedgerAccess::Write)
        .unwrap();
    medium.copy_to(&one, &label(), false, &mut |_| ()).unwrap();
    drop(medium);
    bench.assert_whole(&[version(1)], "made anew");
}

#[test]
fn a_damaged_secret_stops_no_deposit_and_no_destruction_half_way() {
    let mut bench = Bench::new();
    let damage = |bench: &Bench| {
        for root in bench.roots() {
            let path = root.join("tsa/key.sealed");
            replace_file(&SystemDisk, &path, b"damaged").unwrap();
        }
    };
    let whole = fs::read(bench.roots()[0].join("tsa/key.sealed")).unwrap();
    damage(&bench);
    let medium = bench.open(LedgerAccess::Write).unwrap();
    let error = medium.destroy(&[version(1)], NOW, &mut |_| ()).unwrap_err();
    assert!(matches!(error, KeyError::SecretDamaged { .. }), "{error}");
    assert!(medium.ledger().holds(version(1)));
    drop(medium);
    // It is damaged after the tombstones were written: whoever deposits goes on, and is told.
    for root in bench.roots() {
        let path = root.join("tsa/key.sealed");
        replace_file(&SystemDisk, &path, &whole).unwrap();
    }
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
    damage(&bench);
    bench.add([9]);
    let medium = bench.open(LedgerAccess::Write).unwrap();
    assert!(medium.hindrance().is_some_and(KeyError::is_damage));
    assert!(medium.ledger().is_destruction_unfinished());
}

#[test]
fn a_ledger_file_of_the_highest_number_is_not_counted_on_from_zero() {
    let bench = Bench::new();
    let name = |number: u32| bench.roots()[0].join(format!("ledger/{number:010}.led"));
    fs::copy(name(1), name(u32::MAX)).unwrap();
    for roots in [&bench.roots()[..1], &bench.roots()[..]] {
        let opened = bench.open_on(Arc::new(SystemDisk), roots, 1, LedgerAccess::Write);
        let error = match opened {
            Ok(medium) => medium.rotate(&mut |_| ()).unwrap_err(),
            Err(error) => error,
        };
        assert!(
            matches!(error, KeyError::UnsupportedFormat { .. }),
            "{error}"
        );
        assert!(name(1).exists() && !name(0).exists());
    }
}

/// Seals one key medium anew, as often as told, with nobody else there.
fn seal_alone(root: &Path, times: usize, seed: u64) {
    let place = ProviderFile::new(Arc::new(SystemDisk), [root]);
    let entropy = Arc::new(SeededEntropy::new(seed));
    let kek = FileKek::open(place, archive(), &passphrase(), entropy).unwrap();
    for _ in 0..times {
        kek.seal_under_passphrase(&passphrase(), CHEAP).unwrap();
    }
}

#[test]
fn a_passphrase_that_was_changed_apart_is_not_brought_back_or_away() {
    // Once and twice; once, while the other was rotated: then the first is the newer one for certain.
    for rotated in [false, true] {
        let bench = Bench::new();
        let [one, two] = bench.roots();
        seal_alone(&one, 1, 21);
        if rotated {
            let alone = from_ref(&two);
            let opened = bench.open_on(Arc::new(SystemDisk), alone, 1, LedgerAccess::Write);
            opened.unwrap().rotate(&mut |_| ()).unwrap();
        } else {
            seal_alone(&two, 2, 22);
        }
        let before = [&one, &two].map(|root| fs::read(root.join("kek.json")).unwrap());
        let Err(KeyError::CustodyDiverges(what)) = bench.open(LedgerAccess::Write) else {
            panic!("{rotated}: not refused");
        };
        assert_eq!(
            (&what.path, what.is_newer),
            (&one.join("kek.json"), rotated)
        );
        assert!(what.sealed_by.starts_with("passphrase ") && what.sealed_by != what.kept);
        let after = [&one, &two].map(|root| fs::read(root.join("kek.json")).unwrap());
        assert!(before == after, "nothing is changed");
    }
    // One that was away only is brought into step, however often the other changed.
    let bench = Bench::new();
    seal_alone(&bench.roots()[1], 3, 23);
    bench.open(LedgerAccess::Write).unwrap();
    bench.assert_whole(&[], "in step");
}
