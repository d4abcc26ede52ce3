//! What a restore drill verifies, and whether the backup and the data media belong together.

use std::collections::HashSet;

use formats::id::VersionId;

use super::ledger::Backups;
use super::report::Drill;
use super::{BackupError, BackupTaken};
use crate::archive::Archive;
use crate::event::Topic;
use crate::keys::events::KeyDestructionBegun;

/// Versions of the restored archive, at most `count`, spread evenly over it. Counts the versions without a key and the keys without a record.
///
/// # Errors
/// [`BackupError::Archive`] when the index is damaged.
pub fn sample(
    archive: &Archive,
    count: u32,
    drill: &mut Drill,
) -> Result<Vec<VersionId>, BackupError> {
    let ledger = archive.keys().ledger();
    drill.versions = archive.catalog().counts()?.versions;
    let step = (drill.versions / u64::from(count.max(1))).max(1);
    let mut versions = Vec::new();
    let mut held = 0;
    archive.catalog().for_each(&mut |hit| {
        let destroyed = ledger.destroyed_at(hit.version).is_some();
        if !destroyed && !ledger.holds(hit.version) {
            drill.without_key += 1;
        } else if !destroyed {
            if held % step == 0 && versions.len() < count as usize {
                versions.push(hit.version);
            }
            held += 1;
        }
        true
    })?;
    drill.keys = ledger.versions().len() as u64;
    let backups = Backups::read(archive)?;
    let own = |taken: &&BackupTaken| taken.sha256 == drill.sha256;
    let taken = backups.taken.get(&drill.generation).filter(own);
    let known = taken.map_or(0, |taken| taken.keys_without_record);
    drill.without_record = drill.keys.saturating_sub(held).saturating_sub(known);
    Ok(versions)
}

/// How keys and record versions of an archive go together.
pub(super) struct Census {
    /// Keys that no record version belongs to: deposits that were interrupted before their commit left them.
    pub(super) keys_without_record: u64,
    /// Record versions whose key is not there, though it was not destroyed.
    pub(super) versions_without_key: u64,
}

impl Census {
    pub(super) fn of(archive: &Archive) -> Result<Self, BackupError> {
        let ledger = archive.keys().ledger();
        let lawful = lawfully_destroyed(archive)?;
        let (mut held, mut versions_without_key) = (0, 0);
        archive.catalog().for_each(&mut |hit| {
            if ledger.holds(hit.version) {
                held += 1;
            } else if ledger.destroyed_at(hit.version).is_none() && !lawful.contains(&hit.version) {
                versions_without_key += 1;
            }
            true
        })?;
        Ok(Self {
            keys_without_record: (ledger.versions().len() as u64).saturating_sub(held),
            versions_without_key,
        })
    }
}

/// The versions whose destruction the data media tell of, decided or done.
fn lawfully_destroyed(archive: &Archive) -> Result<HashSet<VersionId>, BackupError> {
    let mut versions = HashSet::new();
    archive.catalog().events(Topic::Records, &mut |event| {
        if let Some(begun) = event.as_::<KeyDestructionBegun>() {
            versions.extend(begun.version_ids());
        }
        true
    })?;
    Ok(versions)
}
