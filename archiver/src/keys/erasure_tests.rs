//! Records that are destroyed: nothing brings them back, and a crash in between is no way out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware::clock::SystemClock;
use firmware::entropy::SystemEntropy;
use formats::id::{MediumId, VersionId};
use formats::manifest::Metadata;
use formats::medium::{MediumLabel, MediumRole};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::events::{KeyCopyMade, KeyDestructionBegun, KeyMediumFact, KeysDestroyed};
use super::inventory::{AuditPart, KeyState};
use super::{DamagedEntries, Destruction, KeyError, Passphrase};
use crate::archive::{self, Access, Archive, ArchiveError, Environment, NewArchive};
use crate::config::Config;
use crate::event::Topic;
use crate::intake::{SourceName, Walk};
use crate::record::deposit::{DepositOptions, DepositRequest};
use crate::record::outcome::DepositEvent;
use crate::store::durable::faults::{Fault, FaultyDisk, Outcome};
use crate::store::durable::{Disk, SystemDisk, replace_file};

const PLAIN: &str = "the plain text of a record that is to be destroyed, and nobody else's";

mod copying;
mod damage;
mod joining;
mod resuming;

struct Bench {
    place: TempDir,
    gone: VersionId,
    kept: VersionId,
}

fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"known to everybody".to_vec())).unwrap()
}

fn environment(disk: Arc<dyn Disk>) -> Environment {
    Environment {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        boot_id: [5; 16],
        disk,
    }
}

fn config(folder: &Path, copies: bool) -> Config {
    let text = fs::read_to_string(folder.join("fumikura.toml")).unwrap_or_else(|_| {
        "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"data\"]\nkeys = \"keys\"\nevaluation = true\n"
            .to_owned()
    });
    let mut config = Config::parse(&folder.join("fumikura.toml"), &text).unwrap();
    if copies {
        config.key_copies = vec![folder.join("copy")];
    }
    config
}

fn open_on(folder: &Path, disk: Arc<dyn Disk>, access: Access) -> Result<Archive, ArchiveError> {
    let opened = Archive::open(
        config(folder, true),
        &passphrase(),
        access,
        environment(disk),
        &mut |_| (),
    );
    Ok(opened?.0)
}

fn open(folder: &Path, access: Access) -> Archive {
    open_on(folder, Arc::new(SystemDisk), access).unwrap()
}

fn deposit(archive: &Archive, folder: &Path, name: &str, text: &str) -> Option<VersionId> {
    let path = folder.join(name);
    replace_file(&SystemDisk, &path, text.as_bytes()).unwrap();
    let request = DepositRequest {
        class: archive.classes().class("general").unwrap().clone(),
        given: Metadata::default(),
        depositor: "tester".into(),
        channel: "cli".into(),
    };
    let walk = Walk::new(
        vec![path.clone()],
        SourceName::from(std::ffi::OsStr::new("-")),
    );
    let mut version = None;
    archive.depositor().unwrap().deposit_all(
        walk,
        &request,
        &DepositOptions::default(),
        &mut |events| {
            for event in events {
                if let DepositEvent::Deposited(record) = event {
                    version = Some(record.version);
                }
            }
        },
    );
    fs::remove_file(path).unwrap();
    version
}

impl Bench {
    /// An archive with two key media and three records.
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        let new = NewArchive {
            config: config(folder, false),
            token: None,
        };
        archive::create(new, &passphrase(), &environment(Arc::new(SystemDisk))).unwrap();
        let (archive, _) = Archive::open(
            config(folder, false),
            &passphrase(),
            Access::Write,
            environment(Arc::new(SystemDisk)),
            &mut |_| (),
        )
        .unwrap();
        let label = MediumLabel {
            medium: MediumId::new(1, &[2; 10]),
            archive: archive.config().archive,
            role: MediumRole::Keys,
            number: 2,
            created_at: time::macros::datetime!(2026-11-22 06:00 UTC),
            classification: String::new(),
            capacity_bytes: 1,
            evaluation: true,
            format_version: 1,
        };
        let copy = folder.join("copy");
        archive
            .keys()
            .copy_to(&copy, &label, false, &mut |_| ())
            .unwrap();
        let made = KeyCopyMade {
            copy: KeyMediumFact::of(&copy),
            entries: 1,
            epoch: 1,
        };
        archive.record_event("tester", &made).unwrap();
        archive.close().unwrap();
        let archive = open(folder, Access::Write);
        let kept = deposit(&archive, folder, "kept.txt", "what stays").unwrap();
        let gone = deposit(&archive, folder, "gone.txt", PLAIN).unwrap();
        deposit(&archive, folder, "other.txt", "what stays, too").unwrap();
        archive.close().unwrap();
        Self { place, gone, kept }
    }

    fn folder(&self) -> &Path {
        self.place.path()
    }

    fn destruction(&self) -> Destruction {
        Destruction {
            versions: vec![self.gone],
            by: "佐藤".to_owned(),
            approved_by: "鈴木".to_owned(),
            reason: "the retention period is over".to_owned(),
            damaged: DamagedEntries::Keep,
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
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

/// Every byte of every file below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
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

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// The wrapped key of a version, as it stands in a ledger file, and the sealed key-encryption key, as it stands in `kek.json`.
fn old_secrets(keys: &Path, version: VersionId) -> [Vec<u8>; 2] {
    let ledger = fs::read_dir(keys.join("ledger")).unwrap();
    let file: PathBuf = ledger.map(|entry| entry.unwrap().path()).next().unwrap();
    let ledger = fs::read(file).unwrap();
    let entry = ledger[64..]
        .chunks(96)
        .find(|entry| entry[4..20] == *version.record().as_bytes())
        .unwrap();
    let kek: serde_json::Value =
        serde_json::from_slice(&fs::read(keys.join("kek.json")).unwrap()).unwrap();
    let sealed = kek["keys"][0]["sealed"].as_str().unwrap();
    [entry[40..88].to_vec(), sealed.as_bytes().to_vec()]
}

#[test]
fn a_destroyed_record_cannot_be_brought_back() {
    let bench = Bench::new();
    let before = tempfile::tempdir().unwrap();
    copy_folder(bench.folder(), before.path());
    let old = old_secrets(&bench.folder().join("keys"), bench.gone);
    assert!(
        old.iter()
            .all(|part| contains(&bytes(bench.folder()), part))
    );

    let archive = open(bench.folder(), Access::Write);
    let report = archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    let facts = &report.facts;
    assert_eq!(facts.versions, [bench.gone.to_string()]);
    assert_eq!(
        (facts.epochs_destroyed.as_slice(), facts.epoch),
        (&[1][..], 2)
    );
    assert_eq!((facts.media.len(), facts.survivors), (2, 3));
    assert!(facts.media.iter().all(|medium| medium.medium.is_some()));
    assert!(facts.other_copies.is_empty() && facts.verification.starts_with("passed"));
    assert!(matches!(
        archive.keys().ledger().data_key(bench.gone),
        Err(KeyError::KeyDestroyed { .. })
    ));
    let hit = archive.catalog().version(bench.gone).unwrap().unwrap();
    assert!(!hit.readable && hit.objects.is_empty());
    assert!(
        archive
            .catalog()
            .version(bench.kept)
            .unwrap()
            .unwrap()
            .readable
    );
    archive.close().unwrap();

    // With every medium as it is afterwards, the index, and the passphrase.
    let after = bytes(bench.folder());
    assert!(!old.iter().any(|part| contains(&after, part)));
    assert!(!contains(&after, PLAIN.as_bytes()));
    assert!(!contains(&after, b"gone.txt"));
    let (rebuilt, opening) = Archive::rebuild(
        config(bench.folder(), true),
        &passphrase(),
        environment(Arc::new(SystemDisk)),
        &mut |_| (),
    )
    .unwrap();
    assert!(
        opening.catalog.without_manifest.is_empty(),
        "no warning at each rebuild"
    );
    assert!(rebuilt.retriever().open(bench.gone).is_err());
    assert!(rebuilt.retriever().open(bench.kept).is_ok());
    rebuilt.close().unwrap();

    // The same document may come again: as another record.
    let archive = open(bench.folder(), Access::Write);
    let again = deposit(&archive, bench.folder(), "gone.txt", PLAIN).unwrap();
    assert_ne!(again.record(), bench.gone.record());
    archive.close().unwrap();

    // What the documentation says: who took all media before and knows the passphrase can still read.
    let old = open(before.path(), Access::Read);
    assert!(old.retriever().open(bench.gone).is_ok());
}

#[test]
fn destroying_needs_two_people_and_a_key() {
    let bench = Bench::new();
    let archive = open(bench.folder(), Access::Write);
    for (by, approved_by) in [
        ("", "鈴木"),
        ("佐藤", " "),
        ("Sato", "sato "),
        ("佐藤", "佐藤"),
    ] {
        let destruction = Destruction {
            by: by.to_owned(),
            approved_by: approved_by.to_owned(),
            ..bench.destruction()
        };
        let error = archive.destroy_keys(&destruction, &mut |_| ()).unwrap_err();
        assert!(
            matches!(error, ArchiveError::Keys(KeyError::TwoPeople)),
            "{error}"
        );
    }
    let unknown = Destruction {
        versions: vec![VersionId::first(formats::id::RecordId::from_bytes([9; 16]))],
        ..bench.destruction()
    };
    let error = archive.destroy_keys(&unknown, &mut |_| ()).unwrap_err();
    assert!(
        matches!(error, ArchiveError::Keys(KeyError::KeyMissing { .. })),
        "{error}"
    );
    assert_eq!(archive.keys().provider().epochs(), [1]);
    assert!(archive.keys().ledger().holds(bench.gone));
}

#[test]
fn a_destruction_that_was_decided_is_carried_out_after_a_crash() {
    let bench = Bench::new();
    let mut carried_out = 0;
    for after in (0..).step_by(6) {
        let place = tempfile::tempdir().unwrap();
        copy_folder(bench.folder(), place.path());
        let text = fs::read_to_string(bench.folder().join("fumikura.toml")).unwrap();
        replace_file(
            &SystemDisk,
            &place.path().join("fumikura.toml"),
            text.as_bytes(),
        )
        .unwrap();
        let disk = FaultyDisk::new();
        let archive = open_on(place.path(), disk.clone(), Access::Write).unwrap();
        disk.arm(Fault {
            call: None,
            path: String::new(),
            after,
            sticky: true,
            error: io::ErrorKind::Other,
            outcome: Outcome::Lost,
        });
        let done = archive
            .destroy_keys(&bench.destruction(), &mut |_| ())
            .is_ok();
        disk.kill();
        drop(archive);
        let archive = open(place.path(), Access::Write);
        let (mut begun, mut ended) = (0, 0);
        archive
            .catalog()
            .events(Topic::Records, &mut |event| {
                begun += u32::from(event.as_::<KeyDestructionBegun>().is_some());
                ended += u32::from(event.as_::<KeysDestroyed>().is_some());
                true
            })
            .unwrap();
        let destroyed = archive.keys().ledger().destroyed_at(bench.gone).is_some();
        assert_eq!((begun, ended), (begun.min(1), begun), "after {after}");
        assert_eq!(destroyed, begun == 1, "after {after}");
        assert!(
            archive.retriever().open(bench.kept).is_ok(),
            "after {after}"
        );
        let hit = archive.catalog().version(bench.gone).unwrap().unwrap();
        assert_eq!(hit.readable, !destroyed, "after {after}");
        if destroyed {
            carried_out += 1;
            assert_eq!(archive.keys().provider().epochs().len(), 1);
        }
        archive.close().unwrap();
        if done {
            break;
        }
    }
    assert!(carried_out > 5, "{carried_out}");
}

#[test]
fn the_inventory_names_every_key_and_an_audit_opens_them() {
    let bench = Bench::new();
    let archive = open(bench.folder(), Access::Write);
    archive
        .rotate_keys("佐藤", DamagedEntries::Keep, &mut |_| ())
        .unwrap();
    archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    let inventory = archive.key_inventory().unwrap();
    let states: Vec<(Option<u32>, KeyState, &str)> = inventory
        .items
        .iter()
        .filter(|item| item.name.starts_with("key-encryption"))
        .map(|item| (item.epoch, item.state, item.occasion))
        .collect();
    assert_eq!(
        states,
        [
            (Some(1), KeyState::Destroyed, "rotation"),
            (Some(2), KeyState::Destroyed, "records were destroyed"),
            (Some(3), KeyState::Active, "records were destroyed"),
        ]
    );
    let sealed = inventory
        .items
        .iter()
        .filter(|item| item.name.ends_with(".sealed"));
    assert!(sealed.clone().count() >= 3 && sealed.clone().all(|item| item.epoch == Some(3)));
    assert_eq!(inventory.places.len(), 2);
    assert_eq!(inventory.inspected_at, None);
    let part = AuditPart { part: 1, parts: 1 };
    let audit = archive.audit_keys("佐藤", part, &mut |_, _| ()).unwrap();
    assert_eq!((audit.keys, audit.records, audit.orphans), (2, 2, 0));
    assert_eq!(audit.failed, Vec::<String>::new());
    assert!(archive.key_inventory().unwrap().inspected_at.is_some());
    // A key that was lost is found.
    let ledger = fs::read_dir(bench.folder().join("keys/ledger")).unwrap();
    let files: Vec<_> = ledger.map(|entry| entry.unwrap().file_name()).collect();
    archive.close().unwrap();
    for root in ["keys", "copy"] {
        let path = bench.folder().join(root).join("ledger").join(&files[0]);
        let mut bytes = fs::read(&path).unwrap();
        for entry in bytes[64..].chunks_mut(96) {
            if entry[4..20] == *bench.kept.record().as_bytes() {
                entry[50] ^= 1;
            }
        }
        replace_file(&SystemDisk, &path, &bytes).unwrap();
    }
    let archive = open(bench.folder(), Access::Write);
    let audit = archive.audit_keys("佐藤", part, &mut |_, _| ()).unwrap();
    assert_eq!(audit.failed, [bench.kept.to_string()]);
}
