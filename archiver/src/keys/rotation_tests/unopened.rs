//! Entries that are as they were written and do not open, and damaged entries on a medium that is to be made anew.

#![allow(clippy::disallowed_methods, reason = "a test changes ledgers")]

use super::*;
use crate::keys::CopyOptions;
use crate::store::durable::replace_file;

/// Does something to the entry of a record on one key medium.
fn with_entry(root: &Path, record: u8, act: impl Fn(&mut [u8])) {
    let path = root.join("ledger/0000000001.led");
    let mut bytes = fs::read(&path).unwrap();
    let is_it = |entry: &&mut [u8]| entry[4] == record && entry[23] == 1 && entry[0] == 1;
    act(bytes[64..].chunks_mut(96).find(is_it).unwrap());
    replace_file(&SystemDisk, &path, &bytes).unwrap();
}

/// An entry of record 1 that is whole, under a key that is not this archive's.
fn foreign_entry() -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let entropy = Arc::new(SeededEntropy::new(99));
    let medium = KeyMedium::create(
        Arc::new(SystemDisk),
        place.path(),
        archive(),
        &passphrase(),
        CHEAP,
        entropy,
    )
    .unwrap();
    let staged = medium.ledger().wrap_new(version(1)).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    let bytes = fs::read(place.path().join("ledger/0000000001.led")).unwrap();
    let mut entries = bytes[64..].chunks(96);
    let found = entries.find(|entry| entry[4] == 1 && entry[0] == 1 && entry[23] == 1);
    found.unwrap().to_vec()
}

#[test]
fn an_entry_that_is_whole_and_does_not_open_is_known_before_a_new_epoch_is_made() {
    let mut bench = Bench::new();
    let [one, two] = bench.roots();
    let foreign = foreign_entry();
    with_entry(&one, 1, |entry| entry.copy_from_slice(&foreign));
    // The copy has the key: the rotation takes it from there.
    let medium = bench.open(LedgerAccess::Write).unwrap();
    let report = medium.rotate(&mut |_| ()).unwrap();
    assert_eq!((report.damaged_dropped, report.epoch), (0, 2));
    drop(medium);
    bench.assert_whole(&[], "from the copy");

    let mut lost = Bench::new();
    let roots = lost.roots();
    for root in &roots {
        with_entry(root, 1, |entry| entry.copy_from_slice(&foreign));
    }
    let medium = lost.open(LedgerAccess::Write).unwrap();
    let error = medium.rotate(&mut |_| ()).unwrap_err();
    assert!(
        matches!(error, KeyError::EntriesDamaged { entries: 1, .. }),
        "{error}"
    );
    assert_eq!(medium.provider().epochs(), [1], "nothing was made");
    let report = medium
        .rotate_with(DamagedEntries::GiveUp, &mut |_| ())
        .unwrap();
    assert_eq!((report.damaged_dropped, report.keys), (1, 3));
    drop(medium);
    lost.keys.retain(|(one, _)| *one != version(1));
    lost.assert_whole(&[], "given up");
    bench.keys.clear();
    drop(two);
}

#[test]
fn a_copy_with_damaged_entries_of_its_own_is_not_made_anew_unasked() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let alone = |root: &PathBuf| {
        bench
            .open_on(Arc::new(SystemDisk), from_ref(root), 1, LedgerAccess::Write)
            .unwrap()
    };
    // What the source has whole is no loss.
    with_entry(&two, 2, |entry| entry[50] ^= 1);
    alone(&one)
        .copy_to(&two, &label(), false, &mut |_| ())
        .unwrap();
    let medium = alone(&two);
    // Of the same seed as the others' keys, which it must not be like.
    medium
        .seal_secret(crate::keys::sealed::TSA_KEY, b"x")
        .unwrap();
    let staged = medium.ledger().wrap_new(version(9)).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    drop(medium);
    let ledger = fs::read_dir(two.join("ledger")).unwrap();
    let mut files: Vec<PathBuf> = ledger.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "led"));
    files.sort();
    let path = files.last().unwrap();
    let mut bytes = fs::read(path).unwrap();
    let is_it = |entry: &&mut [u8]| entry[4] == 9 && entry[0] == 1;
    let entry = bytes[64..].chunks_mut(96).find(is_it).unwrap();
    // Its checksum is wrong, and the wrapped key is whole, or is not.
    for place in [92, 50] {
        entry[place] ^= 1;
        let mut changed = fs::read(path).unwrap();
        let old = changed[64..].chunks_mut(96).find(is_it).unwrap();
        old.copy_from_slice(entry);
        replace_file(&SystemDisk, path, &changed).unwrap();
        for replace in [false, true] {
            let error = alone(&one).copy_to(&two, &label(), replace, &mut |_| ());
            assert!(
                matches!(error, Err(KeyError::EntriesDamaged { entries: 1, .. })),
                "{place}: {error:?}"
            );
        }
    }
    let options = CopyOptions {
        replace: false,
        damaged: DamagedEntries::GiveUp,
    };
    alone(&one)
        .copy_with(&two, &label(), options, &mut |_| ())
        .unwrap();
    bench.assert_whole(&[], "given up");
}

#[test]
fn what_an_interrupted_rotation_leaves_is_overwritten_before_it_is_cut_off() {
    let bench = Bench::new();
    let [one, _] = bench.roots();
    let unfinished = one.join("ledger/0000000002.led.new");
    let disk = FaultyDisk::new();
    let medium = bench
        .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
        .unwrap();
    // The new file is whole, and does not get its name.
    disk.arm(Fault {
        call: Some(Call::Rename),
        path: "keys/ledger".to_owned(),
        ..sticky(0, Outcome::Lost)
    });
    medium.rotate(&mut |_| ()).unwrap_err();
    disk.kill();
    drop(medium);
    let mut bytes = fs::read(&unfinished).unwrap();
    let length = bytes.len();
    bytes.extend([0xa7; 96]);
    fs::write(&unfinished, &bytes).unwrap();
    let disk = FaultyDisk::new();
    let medium = bench
        .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
        .unwrap();
    // After the failure nothing reaches the file any more: it would be overwritten as a whole.
    for (call, after) in [(Call::Truncate, 0), (Call::Open, 2), (Call::Remove, 0)] {
        disk.arm(Fault {
            call: Some(call),
            path: "led.new".to_owned(),
            ..sticky(after, Outcome::Lost)
        });
    }
    medium.rotate(&mut |_| ()).unwrap_err();
    assert_eq!(fs::read(&unfinished).unwrap()[length..], [0; 96]);
    drop(medium);
    let medium = bench.open(LedgerAccess::Write).unwrap();
    medium.rotate(&mut |_| ()).unwrap();
    drop(medium);
    bench.assert_whole(&[], "after");
}
