//! What goes into a backup.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::BackupError;
use super::container::Sealer;
use crate::archive::Archive;
use crate::event::configuration::ConfigurationRecorded;
use crate::keys::KeyError;
use crate::keys::provider::KEK_FILE;

/// The configuration, with the files that it names.
pub const CONFIGURATION: &str = "configuration.json";

/// The folder of class files.
pub const CLASSES: &str = "classes";

/// The folder of the key medium.
pub const KEYS: &str = "keys";

/// A file of a backup.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its path in the backup, with slashes.
    path: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// Everything of an archive that stands on no data medium. The file of a passphrase is never part of it. A file that the configuration names and
/// that cannot be read goes in as it was recorded last; those that are not recorded either are answered, too.
pub(super) fn gather(archive: &Archive) -> Result<(Vec<Entry>, Vec<PathBuf>), BackupError> {
    let config = archive.config();
    let last = archive.recorded_configuration()?.configuration;
    let recorded = ConfigurationRecorded::after(config, last.as_ref());
    let missing = recorded.missing(config);
    let configuration = serde_json_canonicalizer::to_vec(&recorded).unwrap_or_default();
    if configuration.len() > CONFIGURATION_BYTES_MAX {
        let too_large = std::io::ErrorKind::FileTooLarge.into();
        return Err(BackupError::io(&config.path, too_large));
    }
    let mut entries = vec![Entry {
        path: CONFIGURATION.to_owned(),
        source: Source::Bytes(configuration),
    }];
    if let Some(classes) = &config.classes {
        walk(classes, CLASSES, None, &mut entries)?;
    }
    let secret = config.passphrase_file.as_deref();
    // The first one that is configured may be away, and its mount point empty.
    let keys = archive.keys().ledger().leading_root()?;
    walk(keys, KEYS, secret, &mut entries)?;
    let ledger = format!("{KEYS}/ledger/");
    let is_ledger = |path: &str| path.starts_with(&ledger) && path.ends_with(".led");
    let holds = |wanted: &dyn Fn(&str) -> bool| entries.iter().any(|entry| wanted(&entry.path));
    if !holds(&|path| path == format!("{KEYS}/{KEK_FILE}")) || !holds(&is_ledger) {
        return Err(BackupError::Keys(KeyError::MediumMissing {
            path: keys.to_path_buf(),
        }));
    }
    Ok((entries, missing))
}

/// Adds all regular files below a folder, in the order of their names. Links are passed over: what they name is not on the medium.
fn walk(
    folder: &Path,
    prefix: &str,
    without: Option<&Path>,
    entries: &mut Vec<Entry>,
) -> Result<(), BackupError> {
    let failed = |error| BackupError::io(folder, error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        names.push((entry.file_name(), entry.file_type().map_err(failed)?));
    }
    names.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, sort) in names {
        let place = folder.join(&name);
        let text = name.to_string_lossy();
        // What a writer left unfinished; opening the archive gave the key medium's own file its name.
        if text.ends_with(".new") || text == "lost+found" || Some(place.as_path()) == without {
            continue;
        }
        let path = format!("{prefix}/{text}");
        if sort.is_dir() {
            walk(&place, &path, without, entries)?;
        } else if sort.is_file() {
            let source = Source::File(place);
            entries.push(Entry { path, source });
        }
    }
    Ok(())
}

impl Entry {
    /// path length u16 | path | length u64 | bytes | SHA-256 of the bytes 32
    pub(super) fn write(&self, sealer: &mut Sealer<'_>) -> Result<(), BackupError> {
        let length = u16::try_from(self.path.len()).unwrap_or(u16::MAX);
        sealer.put(&length.to_be_bytes())?;
        sealer.put(self.path.as_bytes())?;
        match &self.source {
            Source::Bytes(bytes) => {
                sealer.put(&(bytes.len() as u64).to_be_bytes())?;
                sealer.put(bytes)?;
                sealer.put(&Sha256::digest(bytes))
            }
            Source::File(path) => copy(path, sealer),
        }
    }
}

fn copy(path: &Path, sealer: &mut Sealer<'_>) -> Result<(), BackupError> {
    let failed = |error| BackupError::io(path, error);
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    sealer.put(&length.to_be_bytes())?;
    let mut file = file.take(length);
    let mut digest = Sha256::new();
    let mut piece = Zeroizing::new(vec![0; PIECE_BYTES]);
    let mut copied = 0;
    loop {
        let read = file.read(&mut piece).map_err(failed)?;
        if read == 0 {
            break;
        }
        let bytes = piece.get(..read).unwrap_or_default();
        sealer.put(bytes)?;
        digest.update(bytes);
        copied += read as u64;
    }
    if copied != length {
        return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
    }
    sealer.put(&digest.finalize())
}

/// Most bytes of the configuration with its files, which is held in memory: some dozen files of 4 MiB each, as text. More is neither backed up
/// nor restored.
pub(super) const CONFIGURATION_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes read at once.
const PIECE_BYTES: usize = 256 * 1024;
