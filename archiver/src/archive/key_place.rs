//! What kind of key medium an archive has, and where.

use super::{Access, ArchiveError};
use crate::config::Config;
use crate::keys::{self, EvaluationNotice, KeyError, KeyPlace, ProviderFile, ProviderKind};
use crate::media;

/// Whether the key medium is that of an intake host, and whether it stands apart from the data.
pub(super) fn examine_key_place(
    config: &Config,
    place: &KeyPlace,
    access: Access,
) -> Result<(bool, Option<EvaluationNotice>), ArchiveError> {
    let present: Vec<_> = config
        .data
        .iter()
        .filter(|medium| medium.is_dir())
        .collect();
    let file = ProviderFile::read_only(place.present());
    let kind = keys::provider::kind(&file, config.archive);
    let is_write_only = matches!(kind, Ok(ProviderKind::Intake));
    if is_write_only && !matches!(access, Access::TakeIn { .. }) {
        return Err(KeyError::WriteOnly.into());
    }
    // An intake host's key medium opens nothing that stands on a data medium.
    let notice = if is_write_only {
        None
    } else {
        keys::require_separate_media(&place.roots, &present, config.evaluation)?
    };
    for root in place.roots.iter().filter(|root| root.is_dir()) {
        media::key_medium(root, config.archive).map_err(ArchiveError::KeyMedium)?;
    }
    Ok((is_write_only, notice))
}
