use std::io::{self, IoSlice};

use super::faults::{Call, Fault, FaultyDisk, Outcome};
use super::*;

fn fault(call: Call, outcome: Outcome) -> Fault {
    Fault {
        call: Some(call),
        path: String::new(),
        after: 0,
        sticky: false,
        error: io::ErrorKind::StorageFull,
        outcome,
    }
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    replace_file(&SystemDisk, &path, b"old").unwrap();
    for call in [Call::Create, Call::Write, Call::Sync, Call::Rename] {
        for outcome in [Outcome::Lost, Outcome::Torn(1), Outcome::Done] {
            if call == Call::Rename && outcome == Outcome::Done {
                continue;
            }
            let disk = FaultyDisk::new();
            disk.arm(fault(call, outcome));
            assert!(replace_file(disk.as_ref(), &path, b"new").is_err());
            assert_eq!(std::fs::read(&path).unwrap(), b"old");
        }
    }
    let disk = FaultyDisk::new();
    disk.arm(fault(Call::Rename, Outcome::Done));
    assert!(replace_file(disk.as_ref(), &path, b"new").is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    replace_file(disk.as_ref(), &path, b"newer").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"newer");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn many_slices_are_written_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = AppendFile::create(system_disk(), &directory.path().join("file")).unwrap();
    let pieces: Vec<Vec<u8>> = (0..3000_u32)
        .map(|n| n.to_be_bytes()[..(n % 5) as usize].to_vec())
        .collect();
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    file.append(&mut slices).unwrap();
    file.append(&mut [IoSlice::new(b"end")]).unwrap();
    let mut expected = pieces.concat();
    expected.extend(b"end");
    assert_eq!(file.read_all().unwrap(), expected);
    assert_eq!(file.length(), expected.len() as u64);
    file.truncate(2).unwrap();
    assert_eq!(
        AppendFile::open(system_disk(), file.path())
            .unwrap()
            .length(),
        2
    );
}

#[test]
fn existing_files_are_never_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    AppendFile::create(system_disk(), &path).unwrap();
    let error = AppendFile::create(system_disk(), &path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    let error = AppendFile::open(system_disk(), &directory.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn damaged_things_are_set_aside_under_free_names() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index");
    for number in 1..3 {
        std::fs::create_dir(&path).unwrap();
        let aside = set_aside(&SystemDisk, &path).unwrap();
        assert!(aside.ends_with(format!("index.damaged-{number}")));
        assert!(aside.is_dir());
    }
    assert!(set_aside(&SystemDisk, &path).is_err());
}

#[test]
fn a_writer_excludes_others_and_readers_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let reader = DirectoryLock::take(directory.path(), false).unwrap();
    drop(DirectoryLock::take(directory.path(), false).unwrap());
    let refused = DirectoryLock::take(directory.path(), true).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    drop(reader);
    let _writer = DirectoryLock::take(directory.path(), true).unwrap();
    assert!(DirectoryLock::take(directory.path(), false).is_err());
}
