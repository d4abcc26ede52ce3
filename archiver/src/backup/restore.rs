//! Restoring a backup into a fresh folder.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use formats::id::VersionId;

use super::BackupError;
use super::container::{self, EntrySink};
use super::contents::{CLASSES, CONFIGURATION, CONFIGURATION_BYTES_MAX, KEYS};
use super::header::{self, BackupHeader, Opening};
use serde_json::Value;

use crate::archive::{ArchiveError, Environment};
use crate::config::{Config, TsaKind};
use crate::event::configuration::ConfigurationRecorded;
use crate::keys::provider::{KEK_FILE, ProviderKind};
use crate::keys::{KeyMedium, KeyPlace, LedgerAccess, UnlockWith};
use crate::store::durable::{self, Disk};
use crate::store::read_label;

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The configuration, as it stands in the new folder.
    pub config: Config,
    /// Of which backup.
    pub header: BackupHeader,
    /// SHA-256 of the backup.
    pub sha256: [u8; 32],
    /// Files restored.
    pub files: u64,
    /// Bytes restored.
    pub bytes: u64,
}

/// Restores a backup into a folder that is empty or does not exist, for use with the data media `data`.
///
/// # Errors
/// [`BackupError::NotEmpty`], [`BackupError::Foreign`]; what [`container::read`] says.
pub fn restore<'a>(
    disk: &dyn Disk,
    from: &Path,
    opening: impl Into<Opening<'a>>,
    data: &[PathBuf],
    into: &Path,
    evaluation: bool,
) -> Result<Restored, BackupError> {
    let opening = opening.into();
    let into = std::path::absolute(into).map_err(|error| BackupError::io(into, error))?;
    let data = data
        .iter()
        .map(|one| std::path::absolute(one).map_err(|error| BackupError::io(one, error)));
    let data = data.collect::<Result<Vec<_>, _>>()?;
    let (header, _) = header::read_header(from)?;
    for medium in &data {
        let label = read_label(medium)?;
        if label.archive != header.archive {
            return Err(BackupError::Foreign {
                backup: header.archive,
                medium: label.archive,
                directory: medium.clone(),
            });
        }
    }
    // Before anything is written.
    container::check(from, opening)?;
    if into.exists() {
        let mut entries =
            std::fs::read_dir(&into).map_err(|error| BackupError::io(&into, error))?;
        if entries.next().is_some() {
            return Err(BackupError::NotEmpty { path: into });
        }
    }
    durable::create_directories(disk, &into).map_err(|error| BackupError::io(&into, error))?;
    let mut target = Target {
        disk,
        into: &into,
        from,
        current: None,
        configuration: Vec::new(),
        bytes: 0,
    };
    let (header, files, sha256) = container::read(from, opening, &mut target)?;
    let bytes = target.bytes;
    let recorded: ConfigurationRecorded =
        serde_json::from_slice(&target.configuration).map_err(|_| BackupError::Damaged {
            path: from.to_path_buf(),
        })?;
    let files_of = recorded.files.iter();
    let bytes_of = files_of.map(|file| Some((file.path.clone(), file.bytes()?)));
    let named = bytes_of.collect::<Option<Vec<_>>>();
    let named = named.ok_or_else(|| BackupError::Damaged {
        path: from.to_path_buf(),
    })?;
    let config = configuration(disk, &into, &recorded.text, &named, data, evaluation)?;
    if brings_a_library(&into).map_err(|error| BackupError::io(&into, error))? {
        return Err(BackupError::Damaged {
            path: from.to_path_buf(),
        });
    }
    Ok(Restored {
        config,
        header,
        sha256,
        files,
        bytes,
    })
}

/// Overwrites and removes all that stands in a folder that was restored into. The folder was empty, or not there, before.
///
/// # Errors
/// [`BackupError::Io`].
pub fn take_back(disk: &dyn Disk, into: &Path) -> Result<(), BackupError> {
    let failed = |error| BackupError::io(into, error);
    for entry in std::fs::read_dir(into).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            take_back(disk, &path)?;
            std::fs::remove_dir(&path).map_err(failed)?;
        } else {
            durable::erase_file(disk, &path).map_err(|error| BackupError::io(&path, error))?;
        }
    }
    disk.sync_directory(into).map_err(failed)
}

/// Destroys in the restored key medium what was destroyed since the backup was made: tombstones, the other keys wrapped anew, the old files
/// overwritten. Answers whether it could. With a token, which `holder` tells, it does not even open the medium for writing: that could end a
/// rotation, and the key-encryption key that it destroys is that of the archive's own key media.
///
/// # Errors
/// [`BackupError::Archive`]: what destroying says. The keys are not used all the same, as long as the data media tell of their destruction.
pub fn bury(
    restored: &Restored,
    unlock: UnlockWith<'_>,
    holder: ProviderKind,
    versions: &[VersionId],
    environment: &Environment,
) -> Result<bool, BackupError> {
    if holder == ProviderKind::Token {
        return Ok(false);
    }
    let config = &restored.config;
    let keys = KeyMedium::open(
        Arc::clone(&environment.disk),
        KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min),
        config.archive,
        unlock,
        LedgerAccess::Write,
        Arc::clone(&environment.entropy),
    )
    .map_err(ArchiveError::from)?;
    let now = environment.clock.now();
    keys.destroy(versions, now, &mut |_| ())
        .map_err(ArchiveError::from)?;
    Ok(true)
}

/// Whether the key medium that was restored asks for a token library that came with it. Anybody can seal to the public half of the
/// custodians' key, and a library becomes a part of the process that opens the archive: it must have been on this machine before.
fn brings_a_library(into: &Path) -> io::Result<bool> {
    let own = std::fs::canonicalize(into)?;
    let entries = match std::fs::read_dir(into.join(KEYS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(KEK_FILE) {
            continue;
        }
        let file: Option<Value> = serde_json::from_slice(&std::fs::read(entry.path())?).ok();
        let module = file.as_ref().and_then(|file| file.get("module")?.as_str());
        if module.is_some_and(|path| {
            std::fs::canonicalize(path).is_ok_and(|path| path.starts_with(&own))
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the files of a backup.
struct Target<'a> {
    disk: &'a dyn Disk,
    into: &'a Path,
    from: &'a Path,
    current: Option<(PathBuf, Option<File>, u64)>,
    configuration: Vec<u8>,
    bytes: u64,
}

impl EntrySink for Target<'_> {
    fn begin(&mut self, path: &str) -> Result<(), BackupError> {
        if path == CONFIGURATION {
            self.current = Some((PathBuf::from(path), None, 0));
            return Ok(());
        }
        let relative = Path::new(path);
        let first = relative.components().next();
        let known = [CLASSES, KEYS].map(|name| Component::Normal(name.as_ref()));
        if !is_plain(relative) || !first.is_some_and(|first| known.contains(&first)) {
            return Err(BackupError::Damaged {
                path: self.from.to_path_buf(),
            });
        }
        let place = self.into.join(relative);
        let folder = place.parent().unwrap_or(self.into);
        durable::create_directories(self.disk, folder)
            .map_err(|error| BackupError::io(folder, error))?;
        let file = self
            .disk
            .create(&place)
            .map_err(|error| BackupError::io(&place, error))?;
        self.current = Some((place, Some(file), 0));
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.bytes += bytes.len() as u64;
        match &mut self.current {
            Some((place, Some(file), at)) => {
                self.disk
                    .write_at(file, &mut [IoSlice::new(bytes)], *at)
                    .map_err(|error| BackupError::io(place, error))?;
                *at += bytes.len() as u64;
            }
            Some((_, None, _)) => {
                if self.configuration.len() + bytes.len() > CONFIGURATION_BYTES_MAX {
                    let path = self.from.to_path_buf();
                    return Err(BackupError::Damaged { path });
                }
                self.configuration.extend_from_slice(bytes);
            }
            None => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), BackupError> {
        if let Some((place, Some(file), _)) = self.current.take() {
            self.disk
                .sync(&file)
                .and_then(|()| {
                    self.disk
                        .sync_directory(place.parent().unwrap_or(self.into))
                })
                .map_err(|error| BackupError::io(&place, error))?;
        }
        Ok(())
    }
}

/// The configuration with its paths in the new folder, written there with the files that it names: their old places, and their bytes.
fn configuration(
    disk: &dyn Disk,
    into: &Path,
    text: &str,
    files: &[(PathBuf, Vec<u8>)],
    data: Vec<PathBuf>,
    evaluation: bool,
) -> Result<Config, BackupError> {
    let path = into.join(crate::config::CONFIG_FILE_NAME);
    let mut config = Config::parse(&path, text).map_err(ArchiveError::from)?;
    for (number, (path, bytes)) in files.iter().enumerate() {
        let place = if is_plain(path) {
            into.join(path)
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            into.join("files").join(format!("{number}-{name}"))
        };
        let old = into.join(path);
        for named in named_paths(&mut config) {
            if *named == old {
                named.clone_from(&place);
            }
        }
        let folder = place.parent().unwrap_or(into);
        durable::create_directories(disk, folder)
            .map_err(|error| BackupError::io(folder, error))?;
        durable::replace_file(disk, &place, bytes)
            .map_err(|error| BackupError::io(&place, error))?;
    }
    config.data = data;
    config.media.copies_min = None;
    config.keys = into.join(KEYS);
    // The copies of the archive's own key medium hold what came after the backup, and are not what is to be proven here.
    config.key_copies = Vec::new();
    config.key_copies_min = None;
    config.index = into.join("index");
    config.passphrase_file = None;
    config.evaluation |= evaluation;
    if config.classes.is_some() {
        let classes = into.join(CLASSES);
        durable::create_directories(disk, &classes)
            .map_err(|error| BackupError::io(&classes, error))?;
        config.classes = Some(classes);
    }
    durable::replace_file(disk, &path, config.to_text().as_bytes())
        .map_err(|error| BackupError::io(&path, error))?;
    Ok(config)
}

/// The files that a configuration names.
fn named_paths(config: &mut Config) -> Vec<&mut PathBuf> {
    let mut paths: Vec<&mut PathBuf> = Vec::new();
    paths.extend(&mut config.policy);
    paths.extend(&mut config.registry);
    for tsa in &mut config.tsas {
        if let TsaKind::Remote {
            trust, tls_roots, ..
        } = &mut tsa.kind
        {
            paths.push(trust);
            paths.extend(tls_roots);
        }
    }
    if let Some(webhook) = &mut config.alarms.webhook {
        paths.extend(&mut webhook.tls_roots);
    }
    paths
}

/// A relative path of ordinary names: it stays below the folder that it is joined to.
fn is_plain(path: &Path) -> bool {
    let mut components = path.components().peekable();
    components.peek().is_some() && components.all(|one| matches!(one, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;
    use formats::id::ArchiveId;
    use sha2::{Digest, Sha256};
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::{KdfParameters, Passphrase};
    use crate::store::durable::system_disk;

    /// A backup that holds only a configuration, which names one file.
    fn backup(folder: &Path, passphrase: &Passphrase, base64: &str) -> PathBuf {
        let (disk, entropy) = (system_disk(), SeededEntropy::new(5));
        let parameters = KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let archive = ArchiveId::from_bytes([3; 16]);
        let header = BackupHeader::new(archive, 1, String::new(), parameters, &entropy).unwrap();
        let path = folder.join("one.backup");
        let mut sealer =
            container::Sealer::create(disk.as_ref(), &path, &header, passphrase.into(), &entropy)
                .unwrap();
        let text = "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"data\"]\nkeys = \"keys\"\nkey_copies = [\"/media/live-keys\"]\nkey_copies_min = 2\npolicy = \"policy.json\"\n";
        let recorded = serde_json::json!({
            "sha256": "", "text": text, "files": [{ "path": "policy.json", "base64": base64 }],
        });
        let bytes = serde_json::to_vec(&recorded).unwrap();
        let length = u16::try_from(CONFIGURATION.len()).unwrap();
        sealer.put(&length.to_be_bytes()).unwrap();
        sealer.put(CONFIGURATION.as_bytes()).unwrap();
        sealer.put(&(bytes.len() as u64).to_be_bytes()).unwrap();
        sealer.put(&bytes).unwrap();
        sealer.put(&Sha256::digest(&bytes)).unwrap();
        sealer.finish().unwrap();
        path
    }

    #[test]
    fn a_file_that_cannot_be_decoded_is_not_restored_as_an_empty_one() {
        let passphrase = Passphrase::new(&Zeroizing::new(b"of a backup".to_vec())).unwrap();
        for (base64, is_right) in [("e30=", true), ("e30", false), ("no base64!", false)] {
            let folder = tempfile::tempdir().unwrap();
            let from = backup(folder.path(), &passphrase, base64);
            let into = folder.path().join("new");
            let disk = system_disk();
            let restored = restore(disk.as_ref(), &from, &passphrase, &[], &into, true);
            if is_right {
                let config = restored.unwrap().config;
                assert_eq!(
                    (config.key_copies, config.key_copies_min),
                    (Vec::new(), None)
                );
                assert_eq!(std::fs::read(into.join("policy.json")).unwrap(), b"{}");
                continue;
            }
            assert!(matches!(restored, Err(BackupError::Damaged { .. })));
            assert!(!into.join("policy.json").exists(), "{base64}");
        }
    }

    #[test]
    fn a_library_that_came_with_the_backup_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join(KEYS);
        std::fs::create_dir(&keys).unwrap();
        let library = folder.path().join("policy.json");
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        durable::replace_file(system_disk().as_ref(), &library, b"\x7fELF").unwrap();
        let brings = |name: &str, module: &Path| {
            let text = serde_json::json!({ "kind": "token", "module": module }).to_string();
            let path = keys.join(name);
            durable::replace_file(system_disk().as_ref(), &path, text.as_bytes()).unwrap();
            let found = brings_a_library(folder.path()).unwrap();
            std::fs::remove_file(path).unwrap();
            found
        };
        assert!(brings(KEK_FILE, &library));
        assert!(brings("kek.json.new", &keys.join("../policy.json")));
        assert!(!brings(KEK_FILE, elsewhere.path()));
        assert!(!brings(KEK_FILE, &folder.path().join("nothing there")));
    }
}
