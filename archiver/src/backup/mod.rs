//! Backup of what stands on no data medium, and the drill that restores it.
//!
//! The data media are copies of each other. What else an archive needs is the key medium; with it, one data medium gives back everything:
//! classes, configuration and events stand there as events. A backup holds the key medium as it is (each key wrapped under the key-encryption
//! key, and that sealed), the configuration with the files that it names, and the class files, all sealed once more under a key from a
//! passphrase of its own, or to custodians ([`container`], `SPEC.md` §7).
//!
//! **Destroyed keys.** A backup from before an erasure holds the destroyed keys. It is named ([`ledger::Backups::to_be_destroyed`]) until it is
//! overwritten and removed, or its destruction elsewhere was confirmed; each is an event.

pub mod container;
pub mod contents;
pub mod drill;
mod error;
pub mod header;
pub mod ledger;
mod plain;
pub mod report;
pub mod restore;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::archive::{Archive, ArchiveError};
use crate::keys::provider::custodians::BackupKey;
use crate::keys::{DataKey, KdfParameters, Passphrase};
use crate::store::durable::{self, Disk};
use firmware::entropy::Entropy;

pub use error::BackupError;

use container::Sealer;
use header::{BackupHeader, Opening, read_header};
use ledger::{BackupBegun, BackupDestroyed, BackupTaken, Backups, DestroyedBecause};

/// How a backup is taken.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// The folder that it is written to.
    pub to: PathBuf,
    /// How many stay in that folder.
    pub keep: Option<u32>,
    /// How the key is derived from the passphrase.
    pub parameters: KdfParameters,
}

/// What seals a backup.
#[derive(Debug, Clone, Copy)]
pub enum Protection<'a> {
    /// A passphrase.
    Passphrase(&'a Passphrase),
    /// The public half of a key that custodians share. Nobody is needed for it.
    Custodians(&'a BackupKey),
}

impl<'a> From<&'a Passphrase> for Protection<'a> {
    fn from(passphrase: &'a Passphrase) -> Self {
        Self::Passphrase(passphrase)
    }
}

/// What a backup run did.
#[derive(Debug)]
pub struct BackupReport {
    /// The new backup, read back and found whole.
    pub taken: BackupTaken,
    /// What became of older ones that were to be removed.
    pub older: Removal,
    /// What is not in it.
    pub gaps: Gaps,
}

/// What became of backups that were to be overwritten and removed. A failure does not hinder the others.
#[derive(Debug, Default)]
pub struct Removal {
    /// Those that are no more.
    pub removed: Vec<BackupDestroyed>,
    /// Those that are not where they were written.
    pub absent: Vec<BackupTaken>,
    /// Those that could not be removed, or whose end could not be recorded, and why.
    pub failed: Vec<(BackupTaken, BackupError)>,
}

/// What a backup lacks since the archive lacks it. As long as there is anything, no older backup is removed: one of them may have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Record versions that have no key though it was not destroyed.
    pub versions_without_key: u64,
    /// Damaged entries and headers of the key ledger.
    pub ledger_damaged: u64,
    /// Files that the configuration names and that cannot be read, or are too large, and were never recorded.
    pub files: Vec<PathBuf>,
}

impl Gaps {
    /// Whether nothing is lacking.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Takes a backup, reads it back, records it, and removes older ones, unless it has [`Gaps`].
///
/// # Errors
/// [`BackupError::SameDevice`] when the folder stands on the device of a data medium and the archive is no trial; errors of reading and writing.
pub fn take<'a>(
    archive: &Archive,
    by: &str,
    protection: impl Into<Protection<'a>>,
    options: &BackupOptions,
) -> Result<BackupReport, BackupError> {
    let environment = archive.environment();
    let disk = environment.disk.as_ref();
    let to = std::path::absolute(&options.to).map_err(|e| BackupError::io(&options.to, e))?;
    durable::create_directories(disk, &to).map_err(|e| BackupError::io(&to, e))?;
    refuse_data_devices(archive, &to)?;
    let backups = Backups::read(archive)?;
    let (generation, path) = free_place(&backups, &to)?;
    let protection = protection.into();
    let (header, content) = header(archive, generation, protection, options)?;
    let opening = match (&content, protection) {
        (Some(content), _) => Opening::Content(content),
        (None, Protection::Passphrase(passphrase)) => Opening::Passphrase(passphrase),
        (None, Protection::Custodians(_)) => return Err(BackupError::NoCustodians),
    };
    let (entries, missing) = contents::gather(archive)?;
    let begun = BackupBegun {
        generation,
        file: path.clone(),
        created_at: header.created_at.clone(),
    };
    archive.record_event(by, &begun)?;
    let written = write(
        disk,
        environment.entropy.as_ref(),
        &path,
        &header,
        opening,
        &entries,
    );
    let (bytes, sha256) = written.inspect_err(|_| forget(archive, by, &begun))?;
    let files = entries.len() as u64;
    let census = drill::Census::of(archive)?;
    let gaps = Gaps {
        versions_without_key: census.versions_without_key,
        ledger_damaged: archive.keys().ledger().report().damaged.len() as u64,
        files: missing,
    };
    let taken = BackupTaken {
        generation,
        file: path,
        bytes,
        sha256: hex::encode(sha256),
        created_at: header.created_at.clone(),
        files,
        keys_without_record: census.keys_without_record,
        key_epoch: header.custodians().map(|key| key.epoch),
        ceremony: header.custodians().map(|key| key.code(header.archive)),
    };
    archive.record_event(by, &taken)?;
    let keep = options.keep.filter(|_| gaps.is_empty());
    let older = remove_old(archive, by, &backups, &to, keep);
    Ok(BackupReport { taken, older, gaps })
}

/// The next number under which nothing stands in the folder, and its place there. A backup that no event names, or one that is newer than
/// the archive as it was restored, may be the only place that has a key: nothing is overwritten.
fn free_place(backups: &Backups, to: &Path) -> Result<(u32, PathBuf), BackupError> {
    let mut generation = backups.next_generation();
    loop {
        let path = to.join(format!("fumikura-{generation:08}.backup"));
        let is_free = |path: &Path| {
            let found = std::fs::symlink_metadata(path);
            found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
        };
        if is_free(&path) && is_free(&unfinished(&path)) {
            return Ok((generation, path));
        }
        let Some(next) = generation.checked_add(1) else {
            return Err(BackupError::Exists { path });
        };
        generation = next;
    }
}

/// Writes a backup and reads it back. Answers its length and digest.
fn write(
    disk: &dyn Disk,
    entropy: &dyn Entropy,
    path: &Path,
    header: &BackupHeader,
    opening: Opening<'_>,
    entries: &[contents::Entry],
) -> Result<(u64, [u8; 32]), BackupError> {
    let mut sealer = Sealer::create(disk, path, header, opening, entropy)?;
    for entry in entries {
        entry.write(&mut sealer)?;
    }
    let (bytes, sha256) = sealer.finish()?;
    let checked = container::check(path, opening)?;
    if checked.1 != entries.len() as u64 || checked.2 != sha256 {
        let path = path.to_path_buf();
        return Err(BackupError::Damaged { path });
    }
    Ok((bytes, sha256))
}

/// Records that nothing came of a backup, if nothing of it is there. What hinders that changes nothing: it stays named as begun.
fn forget(archive: &Archive, by: &str, begun: &BackupBegun) {
    if begun.file.exists() || unfinished(&begun.file).exists() {
        return;
    }
    let destroyed = BackupDestroyed {
        generation: begun.generation,
        file: begun.file.clone(),
        because: DestroyedBecause::NotFinished,
    };
    archive.record_event(by, &destroyed).ok();
}

/// The header, and the key of the content where it is sealed in the header.
fn header(
    archive: &Archive,
    generation: u32,
    protection: Protection<'_>,
    options: &BackupOptions,
) -> Result<(BackupHeader, Option<DataKey>), BackupError> {
    let environment = archive.environment();
    let (id, now) = (archive.config().archive, rfc3339(environment.clock.now()));
    let entropy = environment.entropy.as_ref();
    Ok(match protection {
        Protection::Passphrase(_) => (
            BackupHeader::new(id, generation, now, options.parameters, entropy)?,
            None,
        ),
        Protection::Custodians(to) => {
            let (header, content) = BackupHeader::for_custodians(id, generation, now, to, entropy)?;
            (header, Some(content))
        }
    })
}

/// Overwrites and removes the backups that hold keys which were destroyed since, as far as they are where they were written.
///
/// # Errors
/// [`BackupError::Archive`] when the index is damaged.
pub fn prune(archive: &Archive, by: &str) -> Result<Removal, BackupError> {
    let backups = Backups::read(archive)?;
    let doomed = backups.to_be_destroyed(archive.keys().ledger());
    let because = DestroyedBecause::HoldsDestroyedKeys;
    Ok(remove_all(archive, by, &doomed, because))
}

/// Records that a backup that is kept elsewhere was destroyed.
///
/// # Errors
/// [`BackupError::Unknown`] when there is no such backup; [`BackupError::StillThere`] when it stands where it was written;
/// [`BackupError::Io`] when that cannot be read.
pub fn confirm_destroyed(
    archive: &Archive,
    by: &str,
    generation: u32,
) -> Result<BackupDestroyed, BackupError> {
    let backups = Backups::read(archive)?;
    let mut there = backups.kept();
    let found = there.find(|one| one.generation == generation);
    let one = found.ok_or(BackupError::Unknown { generation })?;
    if stands(archive, one)? {
        let path = one.file.clone();
        return Err(BackupError::StillThere { generation, path });
    }
    let destroyed = BackupDestroyed {
        generation,
        file: one.file.clone(),
        because: DestroyedBecause::Confirmed,
    };
    archive.record_event(by, &destroyed)?;
    Ok(destroyed)
}

fn remove_old(
    archive: &Archive,
    by: &str,
    before: &Backups,
    to: &Path,
    keep: Option<u32>,
) -> Removal {
    let Some(keep) = keep else {
        return Removal::default();
    };
    let kept = before.kept().filter(|one| one.file.parent() == Some(to));
    let (finished, mut leave): (Vec<_>, Vec<_>) = kept.partition(|one| one.is_finished());
    // One that was carried off, or cannot be read, does not count as staying.
    let is_here = |one: &&BackupTaken| is_backup(archive, &one.file, one.generation);
    let here: Vec<&BackupTaken> = finished.into_iter().filter(is_here).collect();
    // The new one is not among them.
    let stay = usize::try_from(keep)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    leave.extend(here.iter().take(here.len().saturating_sub(stay)));
    remove_all(archive, by, &leave, DestroyedBecause::Superseded)
}

fn remove_all(
    archive: &Archive,
    by: &str,
    backups: &[&BackupTaken],
    because: DestroyedBecause,
) -> Removal {
    let mut removal = Removal::default();
    for &one in backups {
        match remove(archive, by, one, because) {
            Ok(Some(destroyed)) => removal.removed.push(destroyed),
            Ok(None) => removal.absent.push(one.clone()),
            Err(error) => removal.failed.push((one.clone(), error)),
        }
    }
    removal
}

/// Overwrites and removes a backup. `None`: it is not where it was written, or that is another file.
fn remove(
    archive: &Archive,
    by: &str,
    one: &BackupTaken,
    because: DestroyedBecause,
) -> Result<Option<BackupDestroyed>, BackupError> {
    let disk = archive.environment().disk.as_ref();
    let left = unfinished(&one.file);
    if stands(archive, one)? {
        container::destroy(disk, &one.file)?;
    } else if !one.is_finished() && left.exists() {
        container::destroy(disk, &left)?;
    } else {
        return Ok(None);
    }
    let destroyed = BackupDestroyed {
        generation: one.generation,
        file: one.file.clone(),
        because,
    };
    archive.record_event(by, &destroyed)?;
    Ok(Some(destroyed))
}

/// Whether the backup stands at this place, be it half overwritten.
///
/// # Errors
/// [`BackupError::Io`] where that cannot be read.
fn stands(archive: &Archive, one: &BackupTaken) -> Result<bool, BackupError> {
    match read_header(&one.file) {
        Ok((header, _)) => Ok(is_of(archive, &header, one.generation)),
        // An interrupted run had begun to remove it. Of one that was never finished nobody knows how long it was: a person must look.
        Err(_) if one.is_finished() && container::is_overwritten(&one.file, one.bytes) => Ok(true),
        Err(BackupError::Io { path, source }) if source.kind() != ErrorKind::NotFound => {
            Err(BackupError::Io { path, source })
        }
        Err(_) => Ok(false),
    }
}

/// Where a backup is written before it is whole.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("backup.new")
}

/// Whether a file is, by its header, the backup of this archive with this number.
fn is_backup(archive: &Archive, path: &Path, generation: u32) -> bool {
    let header = read_header(path);
    header.is_ok_and(|(header, _)| is_of(archive, &header, generation))
}

fn is_of(archive: &Archive, header: &BackupHeader, generation: u32) -> bool {
    header.archive == archive.config().archive && header.generation == generation
}

/// What is lost with a data medium must not be lost with the same device.
fn refuse_data_devices(archive: &Archive, to: &Path) -> Result<(), BackupError> {
    for medium in archive.store().directories() {
        let same = firmware::media::same_device(to, &medium).map_err(ArchiveError::from)?;
        if same && !archive.config().evaluation {
            return Err(BackupError::SameDevice {
                to: to.to_path_buf(),
                medium,
            });
        }
    }
    Ok(())
}

/// A time as the backup and its events write it.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}
