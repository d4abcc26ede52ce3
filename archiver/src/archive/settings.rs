//! What the parts of an archive are opened with: options, classes and policy, from its configuration.

use std::sync::Arc;

use formats::roster::ROSTER_FILE;
use verifier::policy::Policy;

use super::{Access, ArchiveError, Environment};
use crate::class::ClassRegistry;
use crate::config::Config;
use crate::keys::{CatalogSealer, KeyError, KeyMedium};
use crate::store::catalog::CatalogOptions;
use crate::store::{CopyPolicy, OpenOptions};

/// An intake host's index can be read by the process alone that made it.
pub(super) fn catalog_options(
    config: &Config,
    keys: &KeyMedium,
    access: Access,
    environment: &Environment,
) -> Result<CatalogOptions, KeyError> {
    let entropy = Arc::clone(&environment.entropy);
    let sealer = if keys.is_write_only() {
        CatalogSealer::forgetful(entropy)?
    } else {
        CatalogSealer::new(keys, entropy)?
    };
    let coming = match access {
        Access::TakeIn { coming } => coming,
        Access::Read | Access::Write => 0,
    };
    Ok(CatalogOptions {
        directory: config.index.clone(),
        sealer: Arc::new(sealer),
        cache_bytes: config.index_options.cache_bytes,
        engine: config.index_options.engine,
        versions_expected: keys.ledger().report().entries.saturating_add(coming),
        disk: Arc::clone(&environment.disk),
    })
}

pub(super) fn store_options(
    config: &Config,
    access: Access,
    environment: &Environment,
) -> OpenOptions {
    OpenOptions {
        writable: access != Access::Read,
        boot_id: environment.boot_id,
        clock: Arc::clone(&environment.clock),
        segment_bytes_max: config.segment_bytes_max,
        disk: Arc::clone(&environment.disk),
        copies: copy_policy(config),
    }
}

/// How many media each commit must reach, and where it is noted apart from them which do not take part: on the key medium.
pub(crate) fn copy_policy(config: &Config) -> CopyPolicy {
    let min = config.media.copies_min;
    CopyPolicy {
        min: min.and_then(|min| usize::try_from(min).ok()),
        note: Some(config.keys.join(ROSTER_FILE)),
    }
}

/// The algorithm policy of an archive: the one that its configuration names, otherwise the one that is built in.
///
/// # Errors
/// [`ArchiveError::Policy`] when the file cannot be read or is no policy.
pub fn policy(config: &Config) -> Result<Policy, ArchiveError> {
    let Some(path) = &config.policy else {
        return Ok(Policy::default());
    };
    let failed = |reason: String| ArchiveError::Policy {
        path: path.clone(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    Policy::parse(&bytes).map_err(|error| failed(error.to_string()))
}

/// The classes of an archive: the starter set, and the files of its own folder.
///
/// # Errors
/// [`ArchiveError::Class`] when a class file cannot be read or is no class.
pub fn classes(config: &Config) -> Result<ClassRegistry, ArchiveError> {
    let mut classes = ClassRegistry::built_in()?;
    if let Some(folder) = &config.classes {
        classes.add_directory(folder)?;
    }
    Ok(classes)
}
