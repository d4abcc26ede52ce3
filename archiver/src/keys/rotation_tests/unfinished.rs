//! New files of a rotation that was interrupted: what may stay of them.

use super::*;
use crate::keys::RotationStep;
use crate::keys::provider::KEK_FILE;

/// Rotates and is killed with the new file written to its end, and no name given to it.
fn cut_before_the_name(bench: &Bench, roots: &[PathBuf]) {
    let disk = FaultyDisk::new();
    let medium = bench
        .open_on(disk.clone(), roots, 1, LedgerAccess::Write)
        .unwrap();
    // So that the key differs from that of the next process, whose random source is the same.
    medium
        .seal_secret(crate::keys::sealed::TSA_KEY, b"x")
        .unwrap();
    let killed = medium.rotate(&mut |progress| {
        if progress.step == RotationStep::Wrapping && progress.done == progress.total {
            disk.kill();
        }
    });
    killed.unwrap_err();
    assert!(roots[0].join("ledger/0000000002.led.new").exists());
}

#[test]
fn what_was_wrapped_under_another_key_of_the_same_number_does_not_stay() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let kek = fs::read(one.join(KEK_FILE)).unwrap();
    cut_before_the_name(&bench, from_ref(&one));
    // The provider's file of before is put back, and the next rotation makes another key of the same number.
    replace_file(&SystemDisk, &one.join(KEK_FILE), &kek).unwrap();
    let medium = bench.open(LedgerAccess::Write).unwrap();
    assert_eq!(medium.provider().epochs(), [1]);
    assert_eq!(medium.rotate(&mut |_| ()).unwrap().epoch, 2);
    drop(medium);
    bench.assert_whole(&[], "after the rotation");
    assert_eq!(bench.roots(), [one, two]);
}

#[test]
fn a_new_file_whose_synchronisation_failed_is_written_again() {
    let bench = Bench::new();
    let disk = FaultyDisk::new();
    let medium = bench
        .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
        .unwrap();
    // The first makes the empty file durable.
    disk.arm(Fault {
        call: Some(Call::Sync),
        path: "0000000002.led.new$".to_owned(),
        after: 1,
        sticky: false,
        error: io::ErrorKind::Other,
        outcome: Outcome::Lost,
    });
    medium.rotate(&mut |_| ()).unwrap_err();
    drop(medium);
    assert!(!bench.roots()[0].join("ledger/0000000002.led.new").exists());
    let medium = bench.open(LedgerAccess::Write).unwrap();
    assert!(medium.rotate(&mut |_| ()).unwrap().resumed);
    drop(medium);
    bench.assert_whole(&[], "after the rotation");
}

#[test]
fn zeros_in_the_ledger_stop_a_rotation_while_a_copy_is_away() {
    let bench = Bench::new();
    let [one, two] = bench.roots();
    let path = one.join("ledger/0000000001.led");
    let mut bytes = fs::read(&path).unwrap();
    // As a drive gives a sector that it could not read.
    let last = bytes.len() - 96;
    bytes[last - 48..].fill(0);
    replace_file(&SystemDisk, &path, &bytes).unwrap();
    let away = [one.clone(), bench.place.path().join("away")];
    let medium = bench
        .open_on(Arc::new(SystemDisk), &away, 1, LedgerAccess::Write)
        .unwrap();
    assert_eq!(medium.ledger().report().unwritten(), 2);
    let error = medium.rotate(&mut |_| ()).unwrap_err();
    assert!(
        matches!(error, KeyError::EntriesDamaged { entries: 2, .. }),
        "{error}"
    );
    assert_eq!(medium.provider().epochs(), [1]);
    drop(medium);
    let medium = bench
        .open_on(Arc::new(SystemDisk), &[one, two], 2, LedgerAccess::Write)
        .unwrap();
    medium.rotate(&mut |_| ()).unwrap();
    drop(medium);
    bench.assert_whole(&[], "with the copy");
}
