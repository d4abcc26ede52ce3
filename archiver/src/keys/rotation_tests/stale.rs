//! A copy behind a rotation that is made anew or brought into step: it opens alone wherever that stops, and nothing that only it has is overwritten
//! unasked.

use super::*;
use crate::keys::sealed::{SIGNING_KEY, TSA_KEY};

fn alone(bench: &Bench, root: &PathBuf, access: LedgerAccess) -> Result<KeyMedium, KeyError> {
    bench.open_on(Arc::new(SystemDisk), from_ref(root), 1, access)
}

impl Bench {
    /// The same once more, elsewhere.
    fn again(&self) -> Self {
        let place = tempfile::tempdir().unwrap();
        let bench = Self {
            place,
            keys: self.keys.clone(),
        };
        for (from, to) in self.roots().iter().zip(bench.roots()) {
            copy_folder(from, &to);
        }
        bench
    }
}

fn rotate_alone(bench: &Bench, root: &PathBuf) {
    let medium = alone(bench, root, LedgerAccess::Write).unwrap();
    medium.rotate(&mut |_| ()).unwrap();
}

/// Changes the entry of a record on one key medium.
fn with_entry(root: &Path, record: u8, act: impl Fn(&mut [u8])) {
    let path = root.join("ledger/0000000001.led");
    let mut bytes = fs::read(&path).unwrap();
    let is_it = |entry: &&mut [u8]| entry[4] == record && entry[23] == 1;
    act(bytes[64..].chunks_mut(96).find(is_it).unwrap());
    replace_file(&SystemDisk, &path, &bytes).unwrap();
}

/// Seals another secret under the same name on one key medium.
fn reseal(bench: &Bench, root: &PathBuf, name: &str, label: &'static str) {
    let medium = alone(bench, root, LedgerAccess::Write).unwrap();
    let sealed = medium.seal_secret(label, b"another").unwrap();
    medium.keep(Path::new(name), &sealed).unwrap();
}

#[test]
fn a_stale_copy_opens_alone_wherever_its_renewal_stops() {
    let stale = Bench::new();
    rotate_alone(&stale, &stale.roots()[0]);
    for outcome in [Outcome::Lost, Outcome::Done] {
        for (joins, after) in (0..).flat_map(|after| [(true, after), (false, after)]) {
            let what = format!("{outcome:?} after {after}, joining: {joins}");
            let bench = stale.again();
            let [one, two] = bench.roots();
            let disk = FaultyDisk::new();
            let done = if joins {
                disk.arm(sticky(after, outcome));
                bench
                    .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
                    .is_ok()
            } else {
                let medium = bench
                    .open_on(disk.clone(), from_ref(&one), 1, LedgerAccess::Write)
                    .unwrap();
                disk.arm(sticky(after, outcome));
                medium.copy_to(&two, &label(), false, &mut |_| ()).is_ok()
            };
            disk.kill();
            disk.power_cut(after as u64);
            // The medium that was read is lost at this moment.
            let reader = alone(&bench, &two, LedgerAccess::Read);
            let reader = reader.unwrap_or_else(|error| panic!("{what}: {error}"));
            for (version, bytes) in &bench.keys {
                let key = reader.ledger().data_key(*version);
                let key = key.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(key.expose(), bytes, "{what}");
            }
            drop(reader);
            let writer = alone(&bench, &two, LedgerAccess::Write).unwrap();
            bench.assert_gives(&writer, &[], &what);
            drop(writer);
            bench.open(LedgerAccess::Write).unwrap();
            if done && !joins {
                assert!(after > 20, "{after} calls");
                break;
            }
        }
    }
}

#[test]
fn what_was_prepared_is_kept_by_the_next_run_and_by_a_new_passphrase() {
    for seals in [false, true] {
        let bench = Bench::new();
        let [one, two] = bench.roots();
        rotate_alone(&bench, &one);
        let disk = FaultyDisk::new();
        let medium = bench
            .open_on(disk.clone(), from_ref(&one), 1, LedgerAccess::Write)
            .unwrap();
        // The ledger has its name, and nothing else has.
        disk.arm(Fault {
            call: Some(Call::Rename),
            path: "copy/kek.json".to_owned(),
            ..sticky(1, Outcome::Lost)
        });
        medium
            .copy_to(&two, &label(), false, &mut |_| ())
            .unwrap_err();
        disk.kill();
        drop(medium);
        assert!(two.join("kek.json.new").exists() && two.join("tsa/key.sealed.new").exists());
        if seals {
            let place = ProviderFile::new(Arc::new(SystemDisk), [&two]);
            let entropy = Arc::new(SeededEntropy::new(31));
            let kek = FileKek::open(place, archive(), &passphrase(), entropy).unwrap();
            kek.seal_under_passphrase(&passphrase(), CHEAP).unwrap();
        }
        let writer = alone(&bench, &two, LedgerAccess::Write).unwrap();
        bench.assert_gives(&writer, &[], "alone");
        drop(writer);
        assert!(!two.join("kek.json.new").exists() && !two.join("tsa/key.sealed.new").exists());
    }
}

#[test]
fn another_secret_of_the_same_name_is_not_overwritten_unasked() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    reseal(&bench, &two, "tsa/key.sealed", TSA_KEY);
    let medium = alone(&bench, &one, LedgerAccess::Write).unwrap();
    let before = bench.bytes();
    let refused = medium.copy_to(&two, &label(), false, &mut |_| ());
    assert!(
        matches!(refused, Err(KeyError::KeysDiverge { .. })),
        "{refused:?}"
    );
    assert!(before == bench.bytes());
    drop(medium);
    // Sealed under a key that the copy alone has: it does not open here.
    rotate_alone(&bench, &two);
    let medium = alone(&bench, &one, LedgerAccess::Write).unwrap();
    let refused = medium.copy_to(&two, &label(), false, &mut |_| ());
    assert!(refused.is_err(), "{refused:?}");
    medium.copy_to(&two, &label(), true, &mut |_| ()).unwrap();
    bench.assert_whole(&[], "asked for");
    // One that opens nowhere is no reason.
    let path = two.join("tsa/key.sealed");
    for place in [0, 20] {
        let mut bytes = fs::read(&path).unwrap();
        bytes[place] ^= 1;
        replace_file(&SystemDisk, &path, &bytes).unwrap();
        medium.copy_to(&two, &label(), false, &mut |_| ()).unwrap();
        bench.assert_whole(&[], "a damaged one");
    }
}

#[test]
fn a_secret_that_only_the_copy_has_goes_with_its_key_where_that_is_asked_for() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    reseal(&bench, &two, "signing/key-7.sealed", SIGNING_KEY);
    let medium = alone(&bench, &one, LedgerAccess::Write).unwrap();
    let refused = medium.copy_to(&two, &label(), false, &mut |_| ());
    assert!(matches!(refused, Err(KeyError::KeysDiverge { .. })));
    let report = medium.copy_to(&two, &label(), true, &mut |_| ()).unwrap();
    assert_eq!(report.dropped, 1);
    drop(medium);
    assert!(!two.join("signing/key-7.sealed").exists());
    // Else it would stop every rotation.
    let medium = bench.open(LedgerAccess::Write).unwrap();
    medium.rotate(&mut |_| ()).unwrap();
}

#[test]
fn what_does_not_open_replaces_no_copy() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    // Whole by its checksum, and another key by now.
    with_entry(&one, 2, |entry| {
        entry[50] ^= 1;
        let sum = crc32c::crc32c(&entry[..92]);
        entry[92..].copy_from_slice(&sum.to_be_bytes());
    });
    let medium = alone(&bench, &one, LedgerAccess::Write).unwrap();
    let before = bench.bytes();
    for replace in [false, true] {
        let refused = medium.copy_to(&two, &label(), replace, &mut |_| ());
        assert!(
            matches!(refused, Err(KeyError::KeyDamaged { .. })),
            "{refused:?}"
        );
    }
    assert!(before == bench.bytes());
    bench.assert_gives(&alone(&bench, &two, LedgerAccess::Read).unwrap(), &[], "");
}

#[test]
fn a_damaged_entry_that_only_a_copy_behind_has_is_not_erased_unasked() {
    let mut bench = Bench::new();
    let [one, two] = bench.roots();
    let medium = alone(&bench, &two, LedgerAccess::Write).unwrap();
    // Of the same seed as the others' keys, which it must not be like.
    medium.seal_secret(TSA_KEY, b"x").unwrap();
    let staged = medium.ledger().wrap_new(version(9)).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    bench.keys.push((version(9), *staged.into_key().expose()));
    drop(medium);
    rotate_alone(&bench, &one);
    // Its checksum alone is damaged: it opens all the same, under the keys that stand beside it.
    with_entry(&two, 9, |entry| entry[93] ^= 1);
    let before = fs::read(two.join("ledger/0000000001.led")).unwrap();
    let refused = bench.open(LedgerAccess::Write);
    assert!(
        matches!(&refused, Err(KeyError::CopiesDiverge { path, keys: 1 }) if *path == two),
        "{refused:?}"
    );
    assert!(before == fs::read(two.join("ledger/0000000001.led")).unwrap());
    let medium = alone(&bench, &one, LedgerAccess::Write).unwrap();
    let refused = medium.copy_to(&two, &label(), false, &mut |_| ());
    assert!(
        matches!(refused, Err(KeyError::EntriesDamaged { .. })),
        "{refused:?}"
    );
    drop(medium);
    // There it is made good, and nothing is lost.
    rotate_alone(&bench, &two);
    let medium = alone(&bench, &two, LedgerAccess::Read).unwrap();
    bench.assert_gives(&medium, &[], "salvaged");
}

#[test]
fn what_a_person_put_beside_the_ledger_is_left() {
    let bench = Bench::new();
    let names = ["0000000001.led.bak", "notes.ledger", "1.led", "x.led.new"];
    for (root, name) in bench
        .roots()
        .iter()
        .flat_map(|root| names.map(|name| (root.clone(), name)))
    {
        replace_file(&SystemDisk, &root.join("ledger").join(name), b"kept").unwrap();
    }
    let medium = bench.open(LedgerAccess::Write).unwrap();
    medium.rotate(&mut |_| ()).unwrap();
    for root in bench.roots() {
        for name in names {
            let kept = fs::read(root.join("ledger").join(name)).unwrap();
            assert_eq!(kept, b"kept", "{name}");
        }
        assert!(!root.join("ledger/0000000001.led").exists());
    }
}
