//! What a restore drill verifies, and whether the backup and the data media belong together.

use std::collections::HashSet;

use formats::id::VersionId;

use super::ledger::Backups;
use super::report::Drill;
use super::{BackupError, BackupTaken};
use crate::archive::Archive;
use crate::event::Topic;
use crate::keys::events::KeyDestructionBegun;

/// Versions of the restored archive, at most `count`, spread evenly over those that have a key. Counts the versions without a key and the keys
/// without a record. What was destroyed by a decision that the data media tell of is none of these: the backup holds keys of it that must go.
///
/// # Errors
/// [`BackupError::Archive`] when the index is damaged.
pub fn sample(
    archive: &Archive,
    count: u32,
    drill: &mut Drill,
) -> Result<Vec<VersionId>, BackupError> {
    let ledger = archive.keys().ledger();
    let lawful = lawfully_destroyed(archive)?;
    drill.versions = archive.catalog().counts()?.versions;
    let mut held = Vec::new();
    archive.catalog().for_each(&mut |hit| {
        let version = hit.version;
        let destroyed = ledger.destroyed_at(version).is_some() || lawful.contains(&version);
        if !destroyed && ledger.holds(version) {
            held.push(version);
        } else if !destroyed {
            drill.without_key += 1;
        }
        true
    })?;
    let keys = ledger.versions();
    drill.destroyed_keys = ledger.shut_out_versions().len() as u64;
    drill.keys = keys.len() as u64;
    let backups = Backups::read(archive)?;
    let own = |taken: &&BackupTaken| taken.sha256 == drill.sha256;
    let taken = backups.taken.get(&drill.generation).filter(own);
    let known = taken.map_or(0, |taken| taken.keys_without_record);
    let without_record = drill.keys.saturating_sub(held.len() as u64);
    drill.without_record = without_record.saturating_sub(known);
    Ok(spread(&held, count as usize))
}

/// As many as `count` of a list, spread evenly over it.
fn spread(all: &[VersionId], count: usize) -> Vec<VersionId> {
    let count = count.min(all.len());
    let places = (0..count).map(|number| number * all.len() / count);
    places.filter_map(|place| all.get(place).copied()).collect()
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

#[cfg(test)]
mod tests {
    use formats::id::RecordId;

    use super::*;

    #[test]
    fn a_sample_is_spread_over_everything() {
        let version = |number: u8| VersionId::new(RecordId::from_bytes([number; 16]), 1).unwrap();
        let all: Vec<VersionId> = (0..100).map(version).collect();
        for count in [1_usize, 3, 7, 51, 60, 99, 100, 200] {
            let sample = spread(&all, count);
            assert_eq!(sample.len(), count.min(100), "{count}");
            let apart = 100_usize.div_ceil(count);
            let last = all.iter().position(|one| sample.last() == Some(one));
            assert!(last.unwrap() + apart >= 100, "{count}: {last:?}");
            assert!(sample.is_sorted_by(|one, next| one < next), "{count}");
        }
        assert!(spread(&all, 0).is_empty());
        assert!(spread(&[], 5).is_empty());
    }
}
