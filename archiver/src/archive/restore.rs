//! An archive of which only media are left: its configuration and its classes come back from what is recorded on them.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use formats::medium::MediumRole;
use sha2::{Digest, Sha256};

use super::{Access, Archive, ArchiveError, Environment, OpeningReport, refuse_existing};
use crate::class::ClassRegistry;
use crate::config::{CONFIG_VERSION, Config, TsaConfig, TsaKind};
use crate::event::Topic;
use crate::event::configuration::{ClassRecorded, ConfigurationRecorded, RecordedFile};
use crate::keys::UnlockWith;
use crate::store::catalog::FoldProgress;
use crate::store::durable::{create_directories, replace_file};
use crate::store::{StoreError, read_label};
use crate::tsa::client::EMBEDDED_NAME;

/// What came back.
#[derive(Debug)]
pub struct Restored {
    /// The archive, open for reading, with its new configuration.
    pub archive: Archive,
    /// What building the index found.
    pub report: OpeningReport,
    /// Whether a configuration was recorded. If not, the new one has the defaults.
    pub from_record: bool,
    /// How many data media the recorded configuration names: those that are not at hand are to be added again.
    pub media_recorded: usize,
    /// Files that were written: the configuration, what it names, classes.
    pub written: Vec<PathBuf>,
}

/// Makes the index anew from the media that `plain` names ([`left_media`]) and writes a configuration for them, last of all.
///
/// # Errors
/// [`ArchiveError::AlreadyConfigured`] when a configuration stands there; [`ArchiveError`] when a medium is not readable, or the keys do not
/// open.
pub fn restore(
    plain: &Config,
    unlock: UnlockWith<'_>,
    environment: &Environment,
    progress: &mut dyn FnMut(FoldProgress),
) -> Result<Restored, ArchiveError> {
    refuse_existing(plain)?;
    let path = &plain.path;
    let (archive, report) = Archive::open(
        plain.clone(),
        unlock,
        Access::Read,
        environment.clone(),
        progress,
    )?;
    let recorded = archive.recorded_configuration()?.configuration;
    let classes = newest_classes(&archive)?;
    archive.close()?;

    let disk = environment.disk.as_ref();
    let mut written = Vec::new();
    let mut write = |path: &Path, bytes: &[u8]| -> Result<(), StoreError> {
        let error = |error| StoreError::io("writing", path, path, error);
        create_directories(disk, path.parent().unwrap_or(Path::new("."))).map_err(error)?;
        replace_file(disk, path, bytes).map_err(error)?;
        written.push(path.to_owned());
        Ok(())
    };
    let (mut config, media_recorded) = match &recorded {
        Some(recorded) => taken_over(plain, recorded, &mut write)?,
        None => (plain.clone(), 0),
    };
    let own = own_classes(classes, &config, recorded.is_some())?;
    if !own.is_empty() {
        let folder = folder_of(path).join("classes");
        for (id, class) in &own {
            write(&folder.join(format!("{id}.toml")), class.text.as_bytes())?;
        }
        config.classes = Some(folder);
    } else if config
        .classes
        .as_ref()
        .is_some_and(|folder| !folder.is_dir())
    {
        config.classes = None;
    }
    write(&config.path, config.to_text().as_bytes())?;
    let opened = Archive::open(config, unlock, Access::Read, environment.clone(), progress)?;
    Ok(Restored {
        archive: opened.0,
        report,
        from_record: recorded.is_some(),
        media_recorded,
        written,
    })
}

/// A configuration for the media that are left, from what their labels say; everything else has its default.
///
/// # Errors
/// [`ArchiveError::AlreadyConfigured`] when a configuration stands at `path`; [`StoreError::MediumMissing`], [`StoreError::WrongMedium`].
pub fn left_media(path: &Path, data: &[PathBuf], keys: &Path) -> Result<Config, ArchiveError> {
    let wrong = |directory: &Path| StoreError::WrongMedium {
        directory: directory.to_owned(),
    };
    let key_label = read_label(keys)?;
    if key_label.role != MediumRole::Keys {
        return Err(wrong(keys).into());
    }
    let mut evaluation = key_label.evaluation;
    for directory in data {
        let label = read_label(directory)?;
        if label.role != MediumRole::Data || label.archive != key_label.archive {
            return Err(wrong(directory).into());
        }
        evaluation |= label.evaluation;
    }
    let quoted = |path: &Path| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        toml::Value::String(absolute.to_string_lossy().into_owned()).to_string()
    };
    let data: Vec<String> = data.iter().map(|path| quoted(path)).collect();
    let text = format!(
        "version = {CONFIG_VERSION}\narchive = \"{}\"\ndata = [{}]\nkeys = {}\nevaluation = {evaluation}\n",
        key_label.archive,
        data.join(", "),
        quoted(keys)
    );
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut config = Config::parse(&path, &text)?;
    config.tsas = vec![TsaConfig::embedded(EMBEDDED_NAME)];
    refuse_existing(&config)?;
    Ok(config)
}

/// Writes a file durably.
type Write<'a> = dyn FnMut(&Path, &[u8]) -> Result<(), StoreError> + 'a;

/// The recorded configuration with the places of the media at hand, and how many data media it names. The files that it names are written
/// where they were, if that is below its folder, and to `restored` there otherwise.
fn taken_over(
    plain: &Config,
    recorded: &ConfigurationRecorded,
    write: &mut Write<'_>,
) -> Result<(Config, usize), ArchiveError> {
    let mut config = Config::parse(&plain.path, &recorded.text)?;
    if config.archive != plain.archive {
        return Err(StoreError::WrongMedium {
            directory: plain.keys.clone(),
        }
        .into());
    }
    let media = config.data.len();
    config.data.clone_from(&plain.data);
    config.keys.clone_from(&plain.keys);
    config.index.clone_from(&plain.index);
    config.evaluation = plain.evaluation;
    config.passphrase_file = config.passphrase_file.filter(|file| file.is_file());
    let folder = folder_of(&plain.path);
    let mut moved: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for file in &recorded.files {
        let Some(bytes) = file.bytes() else { continue };
        let target = target_of(&folder, file);
        let before = folder.join(&file.path);
        // A file that stands there belongs to somebody.
        if std::fs::read(&target).ok().as_ref() != Some(&bytes) {
            let target = free(&target);
            write(&target, &bytes)?;
            moved.insert(before, target);
        } else if target != before {
            moved.insert(before, target);
        }
    }
    for path in named_files(&mut config) {
        if let Some(target) = moved.get(path) {
            path.clone_from(target);
        }
    }
    Ok((config, media))
}

fn target_of(folder: &Path, file: &RecordedFile) -> PathBuf {
    let is_below = file
        .path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if is_below {
        folder.join(&file.path)
    } else {
        let name = file.path.file_name().unwrap_or("file".as_ref());
        folder.join("restored").join(name)
    }
}

/// The path, or one beside it that is not taken.
fn free(path: &Path) -> PathBuf {
    let mut free = path.to_owned();
    let mut number = 2_u32;
    while free.exists() {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".restored-{number}"));
        free = path.with_file_name(name);
        number += 1;
    }
    free
}

fn named_files(config: &mut Config) -> Vec<&mut PathBuf> {
    let mut files: Vec<&mut PathBuf> = Vec::new();
    files.extend(&mut config.policy);
    files.extend(&mut config.registry);
    for tsa in &mut config.tsas {
        if let TsaKind::Remote {
            trust, tls_roots, ..
        } = &mut tsa.kind
        {
            files.push(trust);
            files.extend(tls_roots);
        }
    }
    if let Some(webhook) = &mut config.alarms.webhook {
        files.extend(&mut webhook.tls_roots);
    }
    files
}

/// The newest recorded text of each class.
fn newest_classes(archive: &Archive) -> Result<BTreeMap<String, ClassRecorded>, ArchiveError> {
    let mut classes = BTreeMap::new();
    archive
        .catalog()
        .events(Topic::Configuration, &mut |event| {
            if let Some(class) = event.as_::<ClassRecorded>() {
                classes.insert(class.id.clone(), class);
            }
            true
        })?;
    Ok(classes)
}

/// The classes that this program does not have: those of the archive's own folder. Where it is known that there was none, a text that differs
/// from the built-in one is that of another version of the program.
fn own_classes(
    classes: BTreeMap<String, ClassRecorded>,
    config: &Config,
    is_recorded: bool,
) -> Result<BTreeMap<String, ClassRecorded>, ArchiveError> {
    let built_in = ClassRegistry::built_in()?;
    let had_folder = config.classes.is_some() || !is_recorded;
    let is_own = |class: &ClassRecorded| match built_in.class(&class.id) {
        Ok(known) => had_folder && hex::encode(Sha256::digest(known.text())) != class.sha256,
        Err(_) => true,
    };
    // The id becomes the name of a file.
    let is_name = |id: &str| {
        let mut letters = id.bytes();
        !id.is_empty() && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
    };
    Ok(classes
        .into_iter()
        .filter(|(id, class)| is_name(id) && is_own(class))
        .collect())
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}
