//! Media join, take the place of others, return and leave.
//!
//! A new medium is prepared and gets all sealed segments while the archive works ([`prepare`], [`copy`]); what it is for stands on the
//! medium itself, and what was copied is not copied again. Then, with the archive open ([`finish`]):
//!
//! 1. the writer brings it up to date and takes it into service: from then on each commit reaches it;
//! 2. the event is recorded;
//! 3. the configuration is rewritten;
//! 4. the medium whose place it takes leaves, and that is recorded.
//!
//! Killed between any two, the archive opens, and the same command goes on where it was.

use std::path::{Path, PathBuf};

use formats::id::MediumId;
use formats::medium::{MediumLabel, MediumRole};

use super::facts::{Leaving, MediumJoined, MediumLeft, Role};
use super::keep::of_label;
use super::ledger::{MediaLedger, Standing};
use crate::archive::{Archive, ArchiveError, Environment, copy_policy, medium_label};
use crate::config::{Config, ConfigError, with_data};
use crate::keys;
use crate::store::joining::{self, Joining};
use crate::store::{
    self, CopyProgress, CopyReport, StoreError, durable, is_same_folder, read_label,
};

/// Begins to prepare the medium at `directory`, or goes on with it. Answers its label.
///
/// # Errors
/// [`ArchiveError`]: the folder holds something else, it shares a device with the keys, it cannot be written.
pub fn prepare(
    config: &Config,
    environment: &Environment,
    ledger: &MediaLedger,
    directory: &Path,
    replaces: Option<MediumId>,
) -> Result<MediumLabel, ArchiveError> {
    let disk = environment.disk.as_ref();
    let io = |error| StoreError::io("making the directory", directory, directory, error);
    durable::create_directories(disk, directory).map_err(io)?;
    keys::require_separate(&config.keys, &[directory], config.evaluation)?;
    let number = ledger.next_number(Role::Data).max(next_number(config));
    let mut label = medium_label(config, directory, MediumRole::Data, number, environment)?;
    let first = config.data.iter().find_map(|path| read_label(path).ok());
    label.classification = first.map(|first| first.classification).unwrap_or_default();
    let joining = Joining::new(config.archive, replaces);
    Ok(joining::prepare(disk, directory, &joining, label)?)
}

/// The number behind those on the labels at hand.
fn next_number(config: &Config) -> u32 {
    let labels = config.data.iter().filter_map(|path| read_label(path).ok());
    labels.map(|label| label.number).max().unwrap_or(0) + 1
}

/// Copies the sealed segments that the medium at `directory` lacks. The archive may be used meanwhile.
///
/// # Errors
/// As [`store::copy_sealed`].
pub fn copy(
    config: &Config,
    environment: &Environment,
    directory: &Path,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<CopyReport, ArchiveError> {
    Ok(store::copy_sealed(
        &config.data,
        config.archive,
        &copy_policy(config),
        &environment.disk,
        directory,
        progress,
    )?)
}

/// Whose place a medium takes, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Succession {
    /// The medium that leaves.
    pub leaves: MediumId,
    /// Why.
    pub why: Leaving,
}

/// Takes a medium that was copied to into service, and the one whose place it takes out of the archive. `archive` must be open for
/// writing, with leave to go on without the medium that failed.
///
/// # Errors
/// [`ArchiveError`]; the same call goes on where this one ended.
///
/// Answers the length of the growing segment that the medium got.
pub fn finish(
    archive: &Archive,
    by: &str,
    directory: &Path,
    succession: Option<Succession>,
    copied: &CopyReport,
) -> Result<u64, ArchiveError> {
    let store = archive.store();
    let growing = store.admit(directory)?;
    let ledger = MediaLedger::of(archive.catalog())?;
    let label = read_label(directory)?;
    let entry = ledger.medium(label.medium);
    if entry.is_none() {
        let mut facts = of_label(&label, directory);
        facts.directory = Some(archive.config().written(directory));
        archive.record_event(by, &facts)?;
    }
    let gaps = copied.missing.iter();
    let joined = MediumJoined {
        medium: label.medium,
        directory: archive.config().written(directory),
        replaces: succession.map(|succession| succession.leaves),
        segments: copied.progress.segments,
        damaged: copied.damaged.clone(),
        missing: gaps.map(|gap| (*gap.start(), *gap.end())).collect(),
    };
    if entry.is_none_or(|entry| entry.standing != Standing::InService) {
        archive.record_event(by, &joined)?;
    }
    if let Some(succession) = succession {
        store.require_dispensable(succession.leaves)?;
    }
    let old = succession.and_then(|succession| place_of(archive, &ledger, succession.leaves));
    configure(archive, Some(directory), old.as_deref())?;
    if let Some(succession) = succession {
        leave(archive, by, &ledger, succession)?;
    }
    joining::finish(archive.environment().disk.as_ref(), directory)?;
    Ok(growing)
}

/// Takes a medium out of the archive: out of the configuration first, so that a crash in between leaves an archive that opens.
///
/// # Errors
/// [`StoreError::TooFewCopies`]; as [`finish`].
pub fn retire(archive: &Archive, by: &str, medium: MediumId) -> Result<(), ArchiveError> {
    let ledger = MediaLedger::of(archive.catalog())?;
    let replicas = archive.store().replicas();
    let in_service = |medium| {
        let mut members = replicas.iter();
        members.any(|replica| replica.medium == medium && replica.state.is_in_service())
    };
    let staying = replicas
        .iter()
        .filter(|replica| replica.medium != medium && replica.state.is_in_service());
    let wanted = archive.store().copies_min();
    if in_service(medium) && staying.count() < wanted {
        return Err(StoreError::TooFewCopies { wanted }.into());
    }
    archive.store().require_dispensable(medium)?;
    if let Some(place) = place_of(archive, &ledger, medium) {
        configure(archive, None, Some(&place))?;
    }
    let why = Leaving::Retired;
    leave(
        archive,
        by,
        &ledger,
        Succession {
            leaves: medium,
            why,
        },
    )
}

fn leave(
    archive: &Archive,
    by: &str,
    ledger: &MediaLedger,
    succession: Succession,
) -> Result<(), ArchiveError> {
    let medium = succession.leaves;
    let replicas = archive.store().replicas();
    if replicas.iter().any(|replica| replica.medium == medium) {
        archive.store().dismiss(medium)?;
    }
    let left = ledger
        .medium(medium)
        .is_some_and(|entry| matches!(entry.standing, Standing::Left(..)));
    if !left {
        let why = succession.why;
        archive.record_event(by, &MediumLeft { medium, why })?;
    }
    Ok(())
}

/// The folder of a data medium: where it is mounted, or where the ledger last had it, unless another medium stands there by now.
fn place_of(archive: &Archive, ledger: &MediaLedger, medium: MediumId) -> Option<PathBuf> {
    let replicas = archive.store().replicas();
    let mut mounted = replicas.into_iter();
    let mounted = mounted.find(|replica| replica.medium == medium);
    let mounted = mounted.and_then(|replica| replica.directory);
    let known = || {
        let known = ledger.medium(medium)?.directory.as_ref()?;
        let place = archive.config().placed(known);
        // A label that cannot be read may be its own: it failed.
        let is_its_own = read_label(&place).map_or(true, |label| label.medium == medium);
        is_its_own.then_some(place)
    };
    mounted.or_else(known)
}

/// Rewrites the list of data media in the configuration as it stands there now; everything else in the file stays.
fn configure(
    archive: &Archive,
    joins: Option<&Path>,
    leaves: Option<&Path>,
) -> Result<(), ArchiveError> {
    let path = &archive.config().path;
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.clone(),
        source,
    })?;
    let Some(changed) = changed(path, &text, joins, leaves)? else {
        return Ok(());
    };
    let disk = archive.environment().disk.as_ref();
    durable::replace_file(disk, path, changed.as_bytes())
        .map_err(|error| StoreError::io("writing", path, path, error))?;
    Ok(())
}

/// The text of a configuration where a folder joins and another one leaves; `None` where nothing changes.
fn changed(
    path: &Path,
    text: &str,
    joins: Option<&Path>,
    leaves: Option<&Path>,
) -> Result<Option<String>, ArchiveError> {
    let config = Config::parse(path, text)?;
    let mut data = config.data.clone();
    // What joins may stand where the other one stood.
    let stays = |one: &PathBuf| {
        joins.is_some_and(|joins| is_same_folder(one, joins))
            || !leaves.is_some_and(|leaves| is_same_folder(one, leaves))
    };
    data.retain(stays);
    if let Some(joins) = joins
        && !data.iter().any(|one| is_same_folder(one, joins))
    {
        data.push(joins.to_owned());
    }
    if data == config.data || data.is_empty() {
        return Ok(None);
    }
    let wanted = config.media.copies_min.unwrap_or(1);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if data.len() < wanted {
        return Err(StoreError::TooFewCopies { wanted }.into());
    }
    let changed = with_data(path, text, &data).ok_or_else(|| ConfigError::Malformed {
        path: path.to_owned(),
        reason: "it has no list 'data'".to_owned(),
    })?;
    Ok(Some(changed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\n# ours\ndata = [\"a\", \"/y/b\"]\nkeys = \"k\"\n[media]\ncopies_min = 2\n";

    fn changed_to(joins: Option<&str>, leaves: Option<&str>) -> Option<String> {
        let path = Path::new("/x/fumikura.toml");
        let changed = changed(path, TEXT, joins.map(Path::new), leaves.map(Path::new));
        let line = |text: String| text.lines().nth(3).map(str::to_owned);
        changed.unwrap().and_then(line)
    }

    #[test]
    fn folders_join_and_leave_the_list_that_stands_in_the_file() {
        let data = |list: &str| Some(format!("data = [{list}]"));
        assert_eq!(changed_to(Some("/x/c"), None), data(r#""a", "/y/b", "c""#));
        assert_eq!(
            changed_to(Some("/x/c"), Some("/x/a")),
            data(r#""/y/b", "c""#)
        );
        assert_eq!(
            changed_to(Some("/x/c"), Some("/x/./a")),
            data(r#""/y/b", "c""#)
        );
        // There already, or gone already, or in the place of the other one.
        assert_eq!(changed_to(Some("/x/a"), None), None);
        assert_eq!(changed_to(None, Some("/x/gone")), None);
        assert_eq!(changed_to(Some("/x/a"), Some("/x/a")), None);
    }

    #[test]
    fn no_list_is_written_that_could_not_be_read_again() {
        let path = Path::new("/x/fumikura.toml");
        let leaves = |leaves: &str| changed(path, TEXT, None, Some(Path::new(leaves)));
        assert!(
            leaves("/x/a")
                .unwrap_err()
                .to_string()
                .contains("copies_min")
        );
        assert!(changed(path, "data = [", None, None).is_err());
        assert!(changed(path, "version = 1\n", None, None).is_err());
    }
}
