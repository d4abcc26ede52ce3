//! Making an archive: labels, keys, first segment, embedded authority, configuration; in this order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware::media;
use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, MediumRole};
use time::OffsetDateTime;

use super::settings::store_options;
use super::{Access, ArchiveError, Environment};
use crate::config::Config;
use crate::keys::{self, EvaluationNotice, KdfParameters, KeyMedium, Passphrase, TokenPlace};
use crate::signature;
use crate::store::durable;
use crate::store::{self, Store};
use crate::tsa::vault;

/// Version of the format of what stands on a medium.
const FORMAT_VERSION: u16 = 1;

/// Where a new archive goes.
#[derive(Debug, Clone)]
pub struct NewArchive {
    /// The configuration to write; its `archive` is replaced by a new id.
    pub config: Config,
    /// The token that is to hold the key-encryption keys, whose PIN is then the passphrase; `None`: a file under the passphrase.
    pub token: Option<TokenPlace>,
}

/// Makes an archive and writes its configuration last, so that a failure leaves nothing that looks like an archive to later commands.
///
/// # Errors
/// [`ArchiveError`]: a folder is not empty, keys and data share a device, a medium cannot be written.
pub fn create(
    new: NewArchive,
    passphrase: &Passphrase,
    environment: &Environment,
) -> Result<(Config, Option<EvaluationNotice>), ArchiveError> {
    let mut config = new.config;
    refuse_existing(&config)?;
    let now = environment.clock.now();
    config.archive = ArchiveId::new(unix_ms(now), &random(environment)?);
    let notice = separate(&config)?;

    let disk = Arc::clone(&environment.disk);
    let key_label = label(&config, &config.keys, MediumRole::Keys, 1, now, environment)?;
    let mut data = Vec::new();
    for (number, directory) in (1..).zip(&config.data) {
        data.push((
            directory.clone(),
            label(
                &config,
                directory,
                MediumRole::Data,
                number,
                now,
                environment,
            )?,
        ));
    }
    store::create_medium(disk.as_ref(), &config.keys, &key_label)?;
    let entropy = Arc::clone(&environment.entropy);
    let (place, archive) = (&config.keys, config.archive);
    let key_disk = Arc::clone(&disk);
    let keys = match &new.token {
        Some(token) => {
            KeyMedium::create_in_token(key_disk, place, archive, token, passphrase, entropy)?
        }
        None => {
            let parameters = KdfParameters::default();
            KeyMedium::create(key_disk, place, archive, passphrase, parameters, entropy)?
        }
    };
    vault::create(&keys, disk.as_ref(), now, environment.entropy.as_ref())?;
    signature::vault::create(&keys, disk.as_ref(), now, environment.entropy.as_ref())?;
    Store::create(&data, &store_options(&config, Access::Write, environment))?.close()?;

    durable::replace_file(disk.as_ref(), &config.path, config.to_text().as_bytes())
        .map_err(|source| store::StoreError::io("writing", &config.path, &config.path, source))?;
    Ok((config, notice))
}

/// An archive is never overwritten.
///
/// # Errors
/// [`ArchiveError::AlreadyConfigured`].
pub fn refuse_existing(config: &Config) -> Result<(), ArchiveError> {
    if config.path.exists() {
        return Err(ArchiveError::AlreadyConfigured {
            path: config.path.clone(),
        });
    }
    Ok(())
}

/// The folders need not exist yet, so their devices are those of the nearest folders that do.
fn separate(config: &Config) -> Result<Option<EvaluationNotice>, ArchiveError> {
    let existing = |path: &PathBuf| {
        path.ancestors().find(|p| p.is_dir()).map_or_else(
            || PathBuf::from("."),
            |p| {
                if p.as_os_str().is_empty() {
                    PathBuf::from(".")
                } else {
                    p.to_path_buf()
                }
            },
        )
    };
    let data: Vec<PathBuf> = config.data.iter().map(existing).collect();
    match keys::require_separate(&existing(&config.keys), &data, config.evaluation) {
        Ok(notice) => Ok(notice),
        Err(keys::KeyError::SameDevice { .. }) => Err(keys::KeyError::SameDevice {
            keys: config.keys.clone(),
            data: config.data.first().cloned().unwrap_or_default(),
        }
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// The label of a new medium at a folder that may not exist yet.
///
/// # Errors
/// [`ArchiveError`] when the device or the random source does not answer.
pub(crate) fn medium_label(
    config: &Config,
    directory: &Path,
    role: MediumRole,
    number: u32,
    environment: &Environment,
) -> Result<MediumLabel, ArchiveError> {
    let now = environment.clock.now();
    label(config, directory, role, number, now, environment)
}

fn label(
    config: &Config,
    directory: &Path,
    role: MediumRole,
    number: u32,
    now: OffsetDateTime,
    environment: &Environment,
) -> Result<MediumLabel, ArchiveError> {
    let place = directory
        .ancestors()
        .find(|p| p.is_dir())
        .unwrap_or(directory);
    let place = if place.as_os_str().is_empty() {
        Path::new(".")
    } else {
        place
    };
    Ok(MediumLabel {
        medium: MediumId::new(unix_ms(now), &random(environment)?),
        archive: config.archive,
        role,
        number,
        created_at: now,
        classification: String::new(),
        capacity_bytes: media::space(place)?.total_bytes,
        evaluation: config.evaluation,
        format_version: FORMAT_VERSION,
    })
}

fn random(environment: &Environment) -> Result<[u8; 10], ArchiveError> {
    let mut bytes = [0; 10];
    environment.entropy.fill(&mut bytes)?;
    Ok(bytes)
}

fn unix_ms(time: OffsetDateTime) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}
