//! Key media that can be read and not written: full, or mounted for reading alone.

#![allow(clippy::disallowed_methods, reason = "a test seals key media anew")]

use super::*;

fn full(path: &str) -> Fault {
    Fault {
        call: Some(Call::Write),
        path: path.to_owned(),
        error: io::ErrorKind::StorageFull,
        ..sticky(0, Outcome::Lost)
    }
}

/// Adds a key to one key medium alone.
fn add_alone(bench: &mut Bench, root: &PathBuf, record: u8) {
    let medium = bench
        .open_on(Arc::new(SystemDisk), from_ref(root), 1, LedgerAccess::Write)
        .unwrap();
    let staged = medium.ledger().wrap_new(version(record)).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    let key = *staged.into_key().expose();
    bench.keys.push((version(record), key));
}

/// Opens both while one is full: refused where both must be written, otherwise it is out of service, and is caught up later.
fn goes_on_without(bench: &mut Bench, unwritable: usize, path: &str, what: &str) {
    let roots = bench.roots();
    let disk = FaultyDisk::new();
    disk.arm(full(path));
    let error = bench.open_on(disk.clone(), &roots, 2, LedgerAccess::Write);
    assert!(matches!(error, Err(KeyError::Full { .. })), "{what}");
    let medium = bench.open_on(disk, &roots, 1, LedgerAccess::Write).unwrap();
    let copies = medium.ledger().copies();
    for (number, copy) in copies.iter().enumerate() {
        let out = matches!(copy.condition, CopyCondition::OutOfService { .. });
        assert_eq!(out, number == unwritable, "{what}: {copy:?}");
    }
    bench.assert_gives(&medium, &[], what);
    assert!(matches!(
        medium.rotate(&mut |_| ()),
        Err(KeyError::CopiesMissing { .. })
    ));
    let staged = medium.ledger().wrap_new(version(99)).unwrap();
    medium.ledger().commit(staged.ticket()).unwrap();
    bench.keys.push((version(99), *staged.into_key().expose()));
    drop(medium);
    drop(bench.open(LedgerAccess::Write).unwrap());
    bench.assert_whole(&[], what);
}

#[test]
fn a_full_copy_is_put_out_of_service_where_fewer_are_allowed_and_caught_up_later() {
    let mut bench = Bench::new();
    let [one, _] = bench.roots();
    add_alone(&mut bench, &one, 5);
    goes_on_without(&mut bench, 1, "copy/ledger", "a copy that lacks a key");
}

#[test]
fn another_copy_leads_with_all_keys_where_the_leading_one_is_full() {
    let mut bench = Bench::new();
    let [one, two] = bench.roots();
    for (root, record) in [(&one, 5), (&one, 6), (&two, 7)] {
        add_alone(&mut bench, root, record);
    }
    goes_on_without(&mut bench, 0, "keys/ledger", "the leading one");
}

#[test]
fn a_copy_that_does_not_take_the_new_passphrase_is_out_of_service() {
    let mut bench = Bench::new();
    let [one, _] = bench.roots();
    let place = ProviderFile::new(Arc::new(SystemDisk), [&one]);
    let entropy = Arc::new(SeededEntropy::new(8));
    let kek = FileKek::open(place, archive(), &passphrase(), entropy).unwrap();
    kek.seal_under_passphrase(&passphrase(), CHEAP).unwrap();
    drop(kek);
    goes_on_without(&mut bench, 1, "copy/kek.json", "kek.json");
}
