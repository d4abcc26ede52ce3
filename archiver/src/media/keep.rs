//! Keeping the ledger in step with what is there.

use std::path::Path;

use formats::id::MediumId;
use formats::medium::{MediumLabel, MediumRole};
use time::format_description::well_known::Rfc3339;

use super::facts::{MediumOutOfService, MediumRegistered, MediumReturned, Role};
use super::ledger::{MediaLedger, Standing};
use crate::archive::{Archive, ArchiveError};
use crate::store::{ReplicaCondition, read_label};

/// Enters the archive's own media where they are not in the ledger yet, and records which data media went out of service or came back.
///
/// # Errors
/// [`ArchiveError`] when the archive was opened for reading, or an event cannot be recorded.
pub fn record_media(archive: &Archive, by: &str) -> Result<(), ArchiveError> {
    let ledger = MediaLedger::of(archive.catalog())?;
    let replicas = archive.store().replicas();
    let member = |medium| replicas.iter().any(|replica| replica.medium == medium);
    let config = archive.config();
    for directory in config.data.iter().chain([&config.keys]) {
        let Ok(label) = read_label(directory) else {
            continue;
        };
        let own = label.archive == config.archive
            && (label.role == MediumRole::Keys || member(label.medium));
        let known_key_medium = label.role == MediumRole::Keys
            && ledger.all().iter().any(|entry| entry.role.holds_keys());
        // Another key medium than the one in the ledger is not entered by itself: it may be the wrong one.
        if own && ledger.medium(label.medium).is_none() && !known_key_medium {
            let mut facts = of_label(&label, directory);
            // As the configuration names it: the folder of an archive may be moved whole.
            facts.directory = Some(config.written(directory));
            archive.record_event(by, &facts)?;
        }
    }
    for replica in replicas {
        record_state(archive, by, &ledger, replica.medium, replica.state)?;
    }
    Ok(())
}

fn record_state(
    archive: &Archive,
    by: &str,
    ledger: &MediaLedger,
    medium: MediumId,
    state: ReplicaCondition,
) -> Result<(), ArchiveError> {
    let Some(entry) = ledger.medium(medium) else {
        return Ok(());
    };
    match (state, &entry.standing) {
        (ReplicaCondition::OutOfService(out), standing) => {
            let facts = MediumOutOfService {
                medium,
                since: out.since.format(&Rfc3339).unwrap_or_default(),
                cause: out.cause,
                from_segment: out.from.segment,
            };
            if *standing != Standing::OutOfService(facts.clone()) {
                archive.record_event(by, &facts)?;
            }
        }
        (ReplicaCondition::InService, Standing::OutOfService(_)) => {
            archive.record_event(by, &MediumReturned { medium })?;
        }
        (ReplicaCondition::InService, Standing::InService | Standing::Left(..)) => {}
    }
    Ok(())
}

/// What label and device say of a medium.
#[must_use]
pub fn of_label(label: &MediumLabel, directory: &Path) -> MediumRegistered {
    let device = firmware::device::identity_of(directory);
    MediumRegistered {
        medium: Some(label.medium),
        role: Some(match label.role {
            MediumRole::Data => Role::Data,
            MediumRole::Keys => Role::Keys,
        }),
        number: Some(label.number),
        serial: Some(device.serial),
        model: Some(device.model),
        classification: Some(label.classification.clone()),
        removable: device.removable,
        directory: Some(directory.to_owned()),
        ..MediumRegistered::default()
    }
}
