//! The ledger under good and bad conditions.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};

use firmware::entropy::SeededEntropy;
use formats::id::RecordId;
use tempfile::TempDir;

use self::disk::{Fault, TestDisk};
use super::entry::{ENTRY_BYTES, HEADER_BYTES};
use super::*;
use crate::keys::passphrase::Passphrase;
use crate::keys::provider::{FileKek, KdfParameters, ProviderFile};
use crate::store::durable::SystemDisk;

const CHEAP: KdfParameters = KdfParameters {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

mod disk;

struct Bench {
    place: TempDir,
    archive: ArchiveId,
    kek: Arc<FileKek>,
    entropy: Arc<SeededEntropy>,
}

impl Bench {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let archive = ArchiveId::from_bytes([1; 16]);
        let entropy = Arc::new(SeededEntropy::new(1));
        let passphrase = Passphrase::generate(&*entropy).unwrap();
        let file = ProviderFile::new(Arc::new(SystemDisk), [place.path()]);
        let kek = FileKek::create(file, archive, &passphrase, CHEAP, entropy.clone()).unwrap();
        KeyLedger::create(&SystemDisk, place.path(), archive).unwrap();
        Self {
            place,
            archive,
            kek: Arc::new(kek),
            entropy,
        }
    }

    fn open(&self, access: LedgerAccess) -> Result<KeyLedger, KeyError> {
        self.open_on(Arc::new(SystemDisk), access)
    }

    fn open_on(&self, disk: Arc<dyn Disk>, access: LedgerAccess) -> Result<KeyLedger, KeyError> {
        let place = LedgerPlace {
            disk,
            roots: vec![self.place.path().to_path_buf()],
            copies_min: 1,
        };
        KeyLedger::open(
            place,
            self.archive,
            access,
            self.kek.clone(),
            self.entropy.clone(),
        )
    }

    fn file(&self, number: u32) -> PathBuf {
        self.place.path().join(format!("ledger/{number:010}.led"))
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.file(1)).unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "a test damages a file")]
    fn replace(&self, bytes: &[u8]) {
        fs::write(self.file(1), bytes).unwrap();
    }

    /// Adds keys for the versions and tells their bytes.
    fn add(&self, records: impl IntoIterator<Item = u8>) -> Vec<(VersionId, [u8; KEY_BYTES])> {
        let ledger = self.open(LedgerAccess::Write).unwrap();
        records
            .into_iter()
            .map(|record| {
                let staged = ledger.wrap_new(version(record)).unwrap();
                ledger.commit(staged.ticket()).unwrap();
                (version(record), *staged.into_key().expose())
            })
            .collect()
    }
}

fn version(record: u8) -> VersionId {
    VersionId::first(RecordId::from_bytes([record; 16]))
}

#[test]
fn committed_keys_are_there_after_reopening() {
    let bench = Bench::new();
    let keys = bench.add(1..=20);
    assert_eq!(keys.len(), 20);
    let ledger = bench.open(LedgerAccess::Read).unwrap();
    assert_eq!(ledger.report().entries, 20);
    for (version, bytes) in keys {
        assert_eq!(ledger.data_key(version).unwrap().expose(), &bytes);
    }
    let missing = ledger.data_key(version(99)).unwrap_err();
    assert!(matches!(
        missing,
        KeyError::KeyMissing {
            damaged_entries: 0,
            ..
        }
    ));
    assert!(ledger.holds(version(20)) && !ledger.holds(version(99)));
}

#[test]
fn a_staged_key_is_found_but_not_on_the_medium_before_commit() {
    let bench = Bench::new();
    let ledger = bench.open(LedgerAccess::Write).unwrap();
    let staged = ledger.wrap_new(version(1)).unwrap();
    let ticket = staged.ticket();
    let bytes = *staged.into_key().expose();
    assert_eq!(ledger.data_key(version(1)).unwrap().expose(), &bytes);
    assert_eq!(bench.bytes().len(), HEADER_BYTES);
    ledger.commit(ticket).unwrap();
    ledger.commit(ticket).unwrap();
    assert_eq!(bench.bytes().len(), HEADER_BYTES + ENTRY_BYTES);
    assert_eq!(ledger.data_key(version(1)).unwrap().expose(), &bytes);
}

#[test]
fn a_version_gets_one_key_only() {
    let bench = Bench::new();
    bench.add([1]);
    let ledger = bench.open(LedgerAccess::Write).unwrap();
    let _staged = ledger.wrap_new(version(2)).unwrap();
    for record in [1, 2] {
        let error = ledger.wrap_new(version(record)).unwrap_err();
        assert!(matches!(error, KeyError::AlreadyHasKey { .. }), "{error}");
    }
}

#[test]
fn a_reader_adds_nothing_and_a_second_writer_waits() {
    let bench = Bench::new();
    let _writer = bench.open(LedgerAccess::Write).unwrap();
    let reader = bench.open(LedgerAccess::Read).unwrap();
    assert!(matches!(
        reader.wrap_new(version(1)),
        Err(KeyError::ReadOnly)
    ));
    assert!(matches!(
        bench.open(LedgerAccess::Write),
        Err(KeyError::InUse { .. })
    ));
}

#[test]
fn another_archive_and_a_missing_ledger_are_told_apart() {
    let mut bench = Bench::new();
    assert!(matches!(
        KeyLedger::create(&SystemDisk, bench.place.path(), bench.archive),
        Err(KeyError::AlreadyCreated { .. })
    ));
    bench.archive = ArchiveId::from_bytes([2; 16]);
    assert!(matches!(
        bench.open(LedgerAccess::Read),
        Err(KeyError::OtherArchive { .. })
    ));
    fs::remove_file(bench.file(1)).unwrap();
    assert!(matches!(
        bench.open(LedgerAccess::Read),
        Err(KeyError::MediumMissing { .. })
    ));
    fs::remove_dir(bench.place.path().join("ledger")).unwrap();
    assert!(matches!(
        bench.open(LedgerAccess::Write),
        Err(KeyError::MediumMissing { .. })
    ));
}

#[test]
fn a_torn_tail_of_any_length_is_cut_off_and_nothing_else() {
    let bench = Bench::new();
    let keys = bench.add([1, 2]);
    let whole = bench.bytes();
    for torn in 1..ENTRY_BYTES {
        bench.replace(&[&whole, &whole[HEADER_BYTES..][..torn]].concat());
        let reader = bench.open(LedgerAccess::Read).unwrap();
        assert_eq!(reader.report().torn_bytes, torn as u64);
        assert_eq!(
            bench.bytes().len(),
            whole.len() + torn,
            "a reader cuts nothing"
        );
        let writer = bench.open(LedgerAccess::Write).unwrap();
        assert_eq!(bench.bytes(), whole);
        let staged = writer.wrap_new(version(3)).unwrap();
        writer.commit(staged.ticket()).unwrap();
        drop(writer);
        let reader = bench.open(LedgerAccess::Read).unwrap();
        assert_eq!(reader.report().entries, 3);
        for (version, bytes) in &keys {
            assert_eq!(reader.data_key(*version).unwrap().expose(), bytes);
        }
    }
}

#[test]
fn each_flipped_bit_is_noticed_and_loses_no_other_key() {
    let bench = Bench::new();
    let keys = bench.add([1, 2, 3]);
    let whole = bench.bytes();
    let start = HEADER_BYTES + ENTRY_BYTES;
    for bit in start * 8..(start + ENTRY_BYTES) * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        bench.replace(&flipped);
        let ledger = bench.open(LedgerAccess::Read).unwrap();
        assert_eq!(ledger.report().damaged, [(bench.file(1), start as u64)]);
        let error = ledger.data_key(keys[1].0).unwrap_err();
        assert!(matches!(
            error,
            KeyError::KeyMissing {
                damaged_entries: 1,
                ..
            }
        ));
        for (version, bytes) in [&keys[0], &keys[2]] {
            assert_eq!(ledger.data_key(*version).unwrap().expose(), bytes);
        }
    }
}

#[test]
fn a_change_with_a_corrected_checksum_is_noticed_by_the_tag() {
    let bench = Bench::new();
    bench.add([1]);
    let whole = bench.bytes();
    let body = HEADER_BYTES + 4;
    for place in body..body + 84 {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        let (rest, checksum) = changed[HEADER_BYTES..].split_last_chunk_mut::<4>().unwrap();
        *checksum = crc32c::crc32c(rest).to_be_bytes();
        let owner = KeyOwner::from_parts(
            rest[4..20].try_into().unwrap(),
            u32::from_be_bytes(rest[20..24].try_into().unwrap()),
        );
        bench.replace(&changed);
        let ledger = bench.open(LedgerAccess::Read).unwrap();
        let error = ledger.key_of(owner).unwrap_err();
        assert!(
            matches!(
                error,
                KeyError::KeyDamaged { .. } | KeyError::UnknownEpoch { .. }
            ),
            "byte {place}: {error}"
        );
    }
}

#[test]
fn damage_that_comes_while_the_ledger_is_open_is_noticed() {
    let bench = Bench::new();
    bench.add([1]);
    let ledger = bench.open(LedgerAccess::Read).unwrap();
    let mut bytes = bench.bytes();
    *bytes.last_mut().unwrap() ^= 1;
    bench.replace(&bytes);
    assert!(matches!(
        ledger.data_key(version(1)),
        Err(KeyError::KeyDamaged { .. })
    ));
}

#[test]
fn a_damaged_header_costs_no_key_and_the_ledger_grows_in_a_new_file() {
    let bench = Bench::new();
    let keys = bench.add([1]);
    let whole = bench.bytes();
    for bit in 0..HEADER_BYTES * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        bench.replace(&flipped);
        let ledger = bench.open(LedgerAccess::Write).unwrap();
        assert_eq!(ledger.report().damaged, [(bench.file(1), 0)]);
        assert_eq!(ledger.data_key(keys[0].0).unwrap().expose(), &keys[0].1);
        let staged = ledger.wrap_new(version(2)).unwrap();
        ledger.commit(staged.ticket()).unwrap();
        assert_eq!(bench.bytes(), flipped, "the damaged file is left alone");
        assert!(ledger.data_key(version(2)).is_ok());
        drop(ledger);
        assert!(
            bench
                .open(LedgerAccess::Read)
                .unwrap()
                .data_key(version(2))
                .is_ok()
        );
        fs::remove_file(bench.file(2)).unwrap();
    }
}

#[test]
fn zeros_that_a_power_loss_left_are_no_damage() {
    let bench = Bench::new();
    bench.add([1]);
    let mut bytes = bench.bytes();
    bytes.extend([0; 2 * ENTRY_BYTES + 5]);
    bench.replace(&bytes);
    bench.add([2]);
    let ledger = bench.open(LedgerAccess::Read).unwrap();
    assert_eq!(ledger.report().holes, 2);
    assert_eq!(ledger.report().entries, 2);
    assert!(ledger.report().damaged.is_empty());
}

#[test]
fn an_entry_of_a_later_format_is_not_passed_over() {
    let bench = Bench::new();
    bench.add([1]);
    let mut bytes = bench.bytes();
    let (rest, checksum) = bytes[HEADER_BYTES..].split_last_chunk_mut::<4>().unwrap();
    rest[0] = 2;
    *checksum = crc32c::crc32c(rest).to_be_bytes();
    bench.replace(&bytes);
    assert!(matches!(
        bench.open(LedgerAccess::Read),
        Err(KeyError::UnsupportedFormat { .. })
    ));
}

#[test]
fn commits_at_the_same_time_share_synchronisations() {
    const THREADS: u8 = 32;
    let bench = Bench::new();
    let disk = Arc::new(TestDisk::default());
    let ledger = bench.open_on(disk.clone(), LedgerAccess::Write).unwrap();
    let all_staged = Barrier::new(usize::from(THREADS));
    std::thread::scope(|scope| {
        for record in 0..THREADS {
            let (ledger, all_staged) = (&ledger, &all_staged);
            scope.spawn(move || {
                let staged = ledger.wrap_new(version(record)).unwrap();
                all_staged.wait();
                ledger.commit(staged.ticket()).unwrap();
            });
        }
    });
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 1);
    drop(ledger);
    let ledger = bench.open(LedgerAccess::Read).unwrap();
    assert_eq!(ledger.report().entries, u64::from(THREADS));
    assert!((0..THREADS).all(|record| ledger.data_key(version(record)).is_ok()));
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged() {
    for fault in [
        Fault::Full,
        Fault::Torn,
        Fault::SyncLost,
        Fault::SyncReportedLost,
    ] {
        let bench = Bench::new();
        let before = bench.add([1]);
        let disk = Arc::new(TestDisk {
            fault: Some(fault),
            ..TestDisk::default()
        });
        let ledger = bench.open_on(disk, LedgerAccess::Write).unwrap();
        let staged = ledger.wrap_new(version(2)).unwrap();
        let error = ledger.commit(staged.ticket()).unwrap_err();
        match fault {
            Fault::Full => assert!(matches!(error, KeyError::Full { .. }), "{error}"),
            Fault::Torn | Fault::SyncLost | Fault::SyncReportedLost => {
                assert!(matches!(error, KeyError::Io { .. }), "{error}");
            }
        }
        assert!(matches!(
            ledger.commit(staged.ticket()),
            Err(KeyError::Stopped)
        ));
        assert!(matches!(
            ledger.wrap_new(version(3)),
            Err(KeyError::Stopped)
        ));
        drop(ledger);
        let ledger = bench.open(LedgerAccess::Write).unwrap();
        assert_eq!(ledger.data_key(before[0].0).unwrap().expose(), &before[0].1);
        let staged = ledger.wrap_new(version(4)).unwrap();
        ledger.commit(staged.ticket()).unwrap();
        assert!(ledger.data_key(version(4)).is_ok());
    }
}

#[test]
fn nothing_prints_a_key() {
    let bench = Bench::new();
    let ledger = bench.open(LedgerAccess::Write).unwrap();
    let staged = ledger.wrap_new(version(1)).unwrap();
    let shown = format!("{staged:?} {ledger:?}");
    let digits = hex::encode(staged.into_key().expose());
    assert!(shown.contains("secret"));
    assert!(!shown.contains(&digits[..8]), "{shown}");
}
