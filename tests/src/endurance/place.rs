//! Where a life takes place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archiver::archive::Environment;
use archiver::config::Config;
use archiver::keys::{KdfParameters, KeyMedium, Passphrase};
use archiver::store::durable::{self, Disk};
use archiver::store::{self, OpenOptions, Store};
use archiver::{signature, tsa};
use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::SeededEntropy;
use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, MediumRole};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;
use zeroize::Zeroizing;

/// When every life begins.
pub(super) const BIRTH: OffsetDateTime = datetime!(2027-01-10 00:00:00 UTC);

/// Small, so that segments are sealed often.
const SEGMENT_BYTES: u64 = 96 * 1024;

/// A new archive, of which each life gets a copy.
pub(super) struct Base {
    folder: TempDir,
}

/// The folder of one life.
pub(super) struct Place {
    folder: TempDir,
}

/// In memory where there is a file system for it: cuts are made by the thousand.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("fumikura-power-");
    let made = builder.tempdir_in(memory);
    made.or_else(|_| builder.tempdir()).expect("a folder")
}

pub(super) fn passphrase() -> Passphrase {
    let secret = Zeroizing::new(b"correct horse battery staple".to_vec());
    Passphrase::new(&secret).expect("long enough")
}

pub(super) fn environment(
    clock: &Arc<SimulatedClock>,
    seed: u64,
    boot: u64,
    disk: Arc<dyn Disk>,
) -> Environment {
    let mut boot_id = [0x42; 16];
    boot_id[..8].copy_from_slice(&boot.to_be_bytes());
    Environment {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(SeededEntropy::new(seed)),
        boot_id,
        disk,
    }
}

impl Base {
    /// As `archiver init` makes it, with a passphrase that is cheap to check.
    pub(super) fn new(seed: u64) -> Self {
        let folder = folder();
        let archive = ArchiveId::new(1, &[7; 10]);
        let disk = durable::system_disk();
        let entropy = Arc::new(SeededEntropy::new(seed));
        let keys = folder.path().join("keys");
        let label = |role, number| label(archive, role, number);
        store::create_medium(disk.as_ref(), &keys, &label(MediumRole::Keys, 1))
            .expect("a key medium");
        let parameters = KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let keys = KeyMedium::create(
            Arc::clone(&disk),
            &keys,
            archive,
            &passphrase(),
            parameters,
            entropy.clone(),
        )
        .expect("keys");
        tsa::vault::create(&keys, disk.as_ref(), BIRTH, entropy.as_ref()).expect("an authority");
        signature::vault::create(&keys, disk.as_ref(), BIRTH, entropy.as_ref()).expect("a signer");
        let options = OpenOptions {
            writable: true,
            boot_id: [0; 16],
            clock: Arc::new(SimulatedClock::new(BIRTH)),
            segment_bytes_max: SEGMENT_BYTES,
            copies: store::CopyPolicy::default(),
            disk,
        };
        let data = [
            (folder.path().join("data-a"), label(MediumRole::Data, 1)),
            (folder.path().join("data-b"), label(MediumRole::Data, 2)),
        ];
        let store = Store::create(&data, &options).expect("a store");
        store.close().expect("closed");
        let text = format!(
            "version = 1\narchive = \"{archive}\"\ndata = [\"data-a\", \"data-b\"]\nkeys = \"keys\"\nindex = \"index\"\nevaluation = true\n\
             [renewal]\nage_max_days = 200\n[[tsa]]\nname = \"embedded\"\nembedded = true\n"
        );
        crate::world::put(&folder.path().join("fumikura.toml"), text.as_bytes());
        Self { folder }
    }

    pub(super) fn copy(&self) -> Place {
        let place = Place { folder: folder() };
        copy_folder(self.folder.path(), place.folder.path());
        place
    }
}

impl Place {
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration, with segments smaller than any that a user may ask for.
    /// `retired`: under a policy that trusts SHA-256 until 2029 alone.
    pub(super) fn config(&self, retired: bool) -> Config {
        let config = Config::read(&self.at("fumikura.toml"));
        let mut config = config.expect("a configuration");
        config.segment_bytes_max = SEGMENT_BYTES;
        if retired {
            let policy = crate::workspace_root().join("verifier/policy/default.json");
            let policy = std::fs::read_to_string(policy).expect("the built-in policy");
            let built_in = r#""SHA-256", "trusted_until": "2050-"#;
            assert!(policy.contains(built_in), "{policy}");
            let ending = policy.replace(built_in, r#""SHA-256", "trusted_until": "2029-"#);
            let path = self.at("policy.json");
            crate::world::put(&path, ending.as_bytes());
            config.policy = Some(path);
        }
        config
    }

    /// Leaves the folder there for whoever looks for the cause.
    pub(super) fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

fn label(archive: ArchiveId, role: MediumRole, number: u32) -> MediumLabel {
    let kind = if role == MediumRole::Data { 3 } else { 4 };
    MediumLabel {
        medium: MediumId::new(u64::from(number), &[kind; 10]),
        archive,
        role,
        number,
        created_at: BIRTH,
        classification: String::new(),
        capacity_bytes: 1 << 30,
        evaluation: true,
        format_version: 1,
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
