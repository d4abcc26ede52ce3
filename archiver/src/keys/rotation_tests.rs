//! Rotation, destruction and copies of the key medium, with a fault at every call that writes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::Arc;

use firmware::entropy::SeededEntropy;
use formats::id::{ArchiveId, MediumId, RecordId, VersionId};
use formats::medium::{MediumLabel, MediumRole};
use tempfile::TempDir;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::ledger::CopyCondition;
use super::provider::ProviderFile;
use super::{
    DamagedEntries, FileKek, KdfParameters, KeyError, KeyMedium, KeyPlace, LedgerAccess, Passphrase,
};
use crate::store::durable::faults::{Call, Fault, FaultyDisk, Outcome};
use crate::store::durable::{Disk, SystemDisk, read_settled, replace_file};

const CHEAP: KdfParameters = KdfParameters {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};
const NOW: OffsetDateTime = time::macros::datetime!(2026-11-22 06:00 UTC);

mod copies;
mod copying;
mod device;
mod joining;
mod stale;
mod unfinished;
mod unopened;
mod unwritable;

/// Two key media in step, with the keys of a few versions and one more secret.
struct Bench {
    place: TempDir,
    keys: Vec<(VersionId, [u8; 32])>,
}

fn archive() -> ArchiveId {
    ArchiveId::from_bytes([1; 16])
}

fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"right".to_vec())).unwrap()
}

fn version(record: u8) -> VersionId {
    VersionId::first(RecordId::from_bytes([record; 16]))
}

fn label() -> MediumLabel {
    MediumLabel {
        medium: MediumId::new(1, &[2; 10]),
        archive: archive(),
        role: MediumRole::Keys,
        number: 2,
        created_at: NOW,
        classification: String::new(),
        capacity_bytes: 1,
        evaluation: true,
        format_version: 1,
    }
}

fn sticky(after: usize, outcome: Outcome) -> Fault {
    Fault {
        call: None,
        path: String::new(),
        after,
        sticky: true,
        error: io::ErrorKind::Other,
        outcome,
    }
}

impl Bench {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut bench = Self {
            place,
            keys: Vec::new(),
        };
        let [one, two] = bench.roots();
        fs::create_dir(&one).unwrap();
        let entropy = Arc::new(SeededEntropy::new(1));
        let medium = KeyMedium::create(
            Arc::new(SystemDisk),
            &one,
            archive(),
            &passphrase(),
            CHEAP,
            entropy,
        )
        .unwrap();
        let sealed = medium
            .seal_secret(super::sealed::TSA_KEY, b"private")
            .unwrap();
        medium.keep(Path::new("tsa/key.sealed"), &sealed).unwrap();
        medium.keep(Path::new("tsa/root.pem"), b"public").unwrap();
        medium.copy_to(&two, &label(), false, &mut |_| ()).unwrap();
        drop(medium);
        bench.add([3, 1, 2]);
        bench
    }

    fn roots(&self) -> [PathBuf; 2] {
        ["keys", "copy"].map(|name| self.place.path().join(name))
    }

    fn open_on(
        &self,
        disk: Arc<dyn Disk>,
        roots: &[PathBuf],
        min: usize,
        access: LedgerAccess,
    ) -> Result<KeyMedium, KeyError> {
        let place = KeyPlace::new(&roots[0], &roots[1..], Some(min));
        let present = place.present();
        let file = match access {
            LedgerAccess::Read => ProviderFile::read_only(present),
            LedgerAccess::Write => ProviderFile::new(Arc::clone(&disk), present),
        };
        let entropy = Arc::new(SeededEntropy::new(7));
        let kek = FileKek::open(file, archive(), &passphrase(), entropy.clone())?;
        KeyMedium::with_provider(disk, place, archive(), Arc::new(kek), access, entropy)
    }

    fn open(&self, access: LedgerAccess) -> Result<KeyMedium, KeyError> {
        self.open_on(Arc::new(SystemDisk), &self.roots(), 2, access)
    }

    fn add(&mut self, records: impl IntoIterator<Item = u8>) {
        let medium = self.open(LedgerAccess::Write).unwrap();
        for record in records {
            let staged = medium.ledger().wrap_new(version(record)).unwrap();
            medium.ledger().commit(staged.ticket()).unwrap();
            let key = *staged.into_key().expose();
            self.keys.push((version(record), key));
        }
    }

    /// Each key medium for itself gives every key and secret but those of `destroyed`.
    fn assert_whole(&self, destroyed: &[VersionId], what: &str) {
        for root in self.roots() {
            let disk = Arc::new(SystemDisk);
            let medium = self
                .open_on(disk, from_ref(&root), 1, LedgerAccess::Read)
                .unwrap_or_else(|error| panic!("{what}: {}: {error}", root.display()));
            self.assert_gives(&medium, destroyed, what);
        }
    }

    fn assert_gives(&self, medium: &KeyMedium, destroyed: &[VersionId], what: &str) {
        for (version, bytes) in &self.keys {
            let key = medium.ledger().data_key(*version);
            if destroyed.contains(version) {
                assert!(
                    matches!(key, Err(KeyError::KeyDestroyed { .. })),
                    "{what}: {key:?}"
                );
            } else {
                let key = key.unwrap_or_else(|error| panic!("{what}: {version}: {error}"));
                assert_eq!(key.expose(), bytes, "{what}");
            }
        }
        medium.catalog_key().unwrap();
        let sealed = read_settled(&medium.root().join("tsa/key.sealed")).unwrap();
        let secret = medium.open_secret(super::sealed::TSA_KEY, &sealed).unwrap();
        assert_eq!(secret.as_slice(), b"private", "{what}");
    }

    /// Every byte of every file on both media.
    fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut folders = vec![self.place.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.extend(fs::read(path).unwrap());
                }
            }
        }
        all
    }

    /// One file, of the same bytes on both media: live keys by id, then tombstones.
    fn assert_compact(&self, keys: usize, tombstones: usize) {
        let ledgers = self.roots().map(|root| {
            let files: Vec<_> = fs::read_dir(root.join("ledger"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            assert_eq!(files.len(), 1, "{files:?}");
            fs::read(&files[0]).unwrap()
        });
        let [one, two] = &ledgers;
        assert_eq!(one[64..], two[64..]);
        let entries: Vec<&[u8]> = one[64..].chunks(96).collect();
        assert_eq!(entries.len(), keys + tombstones);
        assert!(entries[..keys].is_sorted_by_key(|entry| &entry[4..24]));
        assert!(entries[..keys].iter().all(|entry| entry[0] == 1));
        assert!(entries[keys..].iter().all(|entry| entry[0] == 2));
    }
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_rotation_wraps_everything_anew_and_leaves_nothing_of_the_old() {
    let bench = Bench::new();
    let before = bench.bytes();
    let old_ledger = fs::read(bench.roots()[0].join("ledger/0000000001.led")).unwrap();
    let reader = bench.open(LedgerAccess::Read).unwrap();
    let writer = bench.open(LedgerAccess::Write).unwrap();
    let mut steps = 0;
    let report = writer.rotate(&mut |_| steps += 1).unwrap();
    assert_eq!(
        (report.epoch, report.epochs_destroyed.as_slice()),
        (2, &[1][..])
    );
    assert_eq!(
        (report.keys, report.secrets, report.copies.len()),
        (4, 1, 2)
    );
    assert!(!report.resumed && steps >= 4);
    bench.assert_gives(&writer, &[], "the writer goes on");
    bench.assert_gives(&reader, &[], "a reader that was open before goes on");
    bench.assert_compact(4, 0);
    let after = bench.bytes();
    for entry in old_ledger[64..].chunks(96) {
        assert!(contains(&before, &entry[40..88]) && !contains(&after, &entry[40..88]));
    }
    let staged = writer.ledger().wrap_new(version(9)).unwrap();
    writer.ledger().commit(staged.ticket()).unwrap();
    drop(writer);
    bench.assert_whole(&[], "after reopening");
    let again = bench.open(LedgerAccess::Write).unwrap();
    assert_eq!(again.rotate(&mut |_| ()).unwrap().epoch, 3);
    assert_eq!(again.provider().epochs(), [3]);
}

#[test]
fn a_rotation_that_stops_at_any_call_loses_no_key_and_is_resumed() {
    for outcome in [Outcome::Lost, Outcome::Done, Outcome::Torn(50)] {
        for after in 0.. {
            let what = format!("{outcome:?} after {after}");
            let bench = Bench::new();
            let disk = FaultyDisk::new();
            let medium = bench
                .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
                .unwrap();
            disk.arm(sticky(after, outcome));
            let done = medium.rotate(&mut |_| ()).is_ok();
            disk.kill();
            drop(medium);
            disk.power_cut(after as u64);
            bench.assert_whole(&[], &what);
            let medium = bench.open(LedgerAccess::Write).unwrap();
            bench.assert_gives(&medium, &[], &what);
            let unfinished = medium.ledger().is_unfinished();
            let report = medium.rotate(&mut |_| ()).unwrap();
            assert_eq!(report.resumed, unfinished, "{what}");
            drop(medium);
            bench.assert_whole(&[], &what);
            bench.assert_compact(4, 0);
            if done {
                assert!(after > 40, "{after} calls");
                break;
            }
        }
    }
}

#[test]
fn a_destruction_that_stops_at_any_call_is_undone_or_brought_to_its_end() {
    for outcome in [Outcome::Lost, Outcome::Done] {
        for after in 0.. {
            let what = format!("{outcome:?} after {after}");
            let bench = Bench::new();
            let gone = [version(1), version(3)];
            let ledger = fs::read(bench.roots()[0].join("ledger/0000000001.led")).unwrap();
            let wrapped: Vec<&[u8]> = ledger[64..]
                .chunks(96)
                .filter(|entry| [1, 3].contains(&entry[4]))
                .map(|entry| &entry[40..88])
                .collect();
            let disk = FaultyDisk::new();
            let medium = bench
                .open_on(disk.clone(), &bench.roots(), 2, LedgerAccess::Write)
                .unwrap();
            disk.arm(sticky(after, outcome));
            let done = medium.destroy(&gone, NOW, &mut |_| ()).is_ok();
            disk.kill();
            drop(medium);
            disk.power_cut(after as u64);
            let medium = bench.open(LedgerAccess::Write).unwrap();
            let destroyed = medium.ledger().destroyed_at(gone[0]) == Some(NOW);
            assert!(destroyed || !done, "{what}");
            let gone_now: Vec<VersionId> = medium
                .ledger()
                .destroyed()
                .into_iter()
                .map(|(version, _)| version)
                .collect();
            bench.assert_gives(&medium, &gone_now, &what);
            if destroyed {
                assert_eq!(medium.provider().epochs().len(), 1, "{what}");
            }
            medium.destroy(&gone, NOW, &mut |_| ()).unwrap();
            assert!(!medium.ledger().is_destruction_unfinished());
            bench.assert_gives(&medium, &gone, &what);
            bench.assert_compact(2, 2);
            let after_all = bench.bytes();
            for wrapped in &wrapped {
                assert_eq!(wrapped.len(), 48);
                assert!(!contains(&after_all, wrapped), "{what}");
            }
            drop(medium);
            bench.assert_whole(&gone, &what);
            if done {
                break;
            }
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
