//! An archive of which only media are left: its configuration and its classes come back from what is recorded on them.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use formats::medium::MediumRole;
use sha2::{Digest, Sha256};

use super::departures::{Departure, fit};
use super::{Access, Archive, ArchiveError, Environment, OpeningReport, refuse_existing};
use crate::class::ClassRegistry;
use crate::config::{CONFIG_FILE_NAME, CONFIG_VERSION, Config, TsaConfig};
use crate::event::Topic;
use crate::event::configuration::{
    ClassRecorded, ConfigurationRecorded, RecordedFile, named_files,
};
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
    /// Whether the configuration is a recorded one. If not, the new one has the defaults.
    pub from_record: bool,
    /// Why the recorded configuration is not used, and where its text was put.
    pub unusable: Option<(String, PathBuf)>,
    /// In what the new configuration differs from the recorded one, apart from where the media are.
    pub departures: Vec<Departure>,
    /// How many data media the recorded configuration names: those that are not at hand are to be added again.
    pub media_recorded: usize,
    /// Files that were written: the configuration, what it names, classes.
    pub written: Vec<PathBuf>,
}

/// Makes the index anew from the media that `plain` names ([`left_media`]) and writes a configuration for them, last of all: one that the
/// archive was opened with.
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
    let mut open = |config: &Config| {
        let environment = environment.clone();
        Archive::open(config.clone(), unlock, Access::Read, environment, progress)
    };
    let (archive, report) = open(plain)?;
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
    let mut unusable = None;
    let mut used = None;
    if let Some(recorded) = &recorded {
        let mut taken = taken_over(plain, recorded, &mut write)?;
        if let Ok(taken) = &mut taken {
            put_classes(&classes, &mut taken.config, true, &mut write)?;
        }
        // The media and the keys were opened before: what fails now is what the configuration names.
        let opened = taken.and_then(|taken| {
            let archive = open(&taken.config)?.0;
            let text = taken.config.to_text();
            Ok((archive, text, taken.media, taken.departures))
        });
        match opened {
            Ok(opened) => used = Some(opened),
            Err(error) => {
                let aside = free(&folder_of(&plain.path).join(ASIDE).join(CONFIG_FILE_NAME));
                write(&aside, recorded.text.as_bytes())?;
                unusable = Some((error.to_string(), aside));
            }
        }
    }
    let from_record = used.is_some();
    let (archive, text, media_recorded, departures) = match used {
        Some(used) => used,
        None => {
            let mut config = plain.clone();
            put_classes(&classes, &mut config, false, &mut write)?;
            (open(&config)?.0, config.to_text(), 0, Vec::new())
        }
    };
    write(&plain.path, text.as_bytes())?;
    Ok(Restored {
        archive,
        report,
        from_record,
        unusable,
        departures,
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

/// A recorded configuration, put to use.
struct Taken {
    config: Config,
    /// How many data media it names as it was recorded.
    media: usize,
    departures: Vec<Departure>,
}

/// The recorded configuration with the places of the media at hand. The files that it names are written where they were, if that is below its
/// folder, and to `restored` there otherwise. The inner error: it cannot be used.
fn taken_over(
    plain: &Config,
    recorded: &ConfigurationRecorded,
    write: &mut Write<'_>,
) -> Result<Result<Taken, ArchiveError>, ArchiveError> {
    let mut config = match Config::parse(&plain.path, &recorded.text) {
        Ok(config) => config,
        Err(error) => return Ok(Err(error.into())),
    };
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
    let folder = folder_of(&plain.path);
    let mut moved: BTreeMap<&Path, PathBuf> = BTreeMap::new();
    for file in &recorded.files {
        let Some(bytes) = file.bytes() else { continue };
        let holds = |path: &Path| std::fs::read(path).ok().as_ref() == Some(&bytes);
        if holds(&folder.join(&file.path)) {
            continue;
        }
        let mut target = target_of(&folder, file);
        if !holds(&target) {
            // A file that stands there belongs to somebody.
            target = free(&target);
            write(&target, &bytes)?;
        }
        moved.insert(&file.path, target);
    }
    let spelling = config.clone();
    for path in named_files(&mut config) {
        if let Some(target) = moved.get(spelling.written(path).as_path()) {
            path.clone_from(target);
        }
    }
    let departures = fit(&mut config);
    // What is written must be what can be read.
    Ok(match Config::parse(&plain.path, &config.to_text()) {
        Ok(config) => Ok(Taken {
            config,
            media,
            departures,
        }),
        Err(error) => Err(error.into()),
    })
}

/// Writes the archive's own classes, and has the configuration name their folder.
fn put_classes(
    classes: &BTreeMap<String, ClassRecorded>,
    config: &mut Config,
    is_recorded: bool,
    write: &mut Write<'_>,
) -> Result<(), ArchiveError> {
    let own = own_classes(classes, config, is_recorded)?;
    if own.is_empty() {
        config.classes.take_if(|folder| !folder.is_dir());
        return Ok(());
    }
    let mut folder = folder_of(&config.path).join("classes");
    let differs = |id: &str, class: &ClassRecorded| {
        let there = std::fs::read(folder.join(format!("{id}.toml")));
        there.is_ok_and(|there| there != class.text.as_bytes())
    };
    if own.iter().any(|(id, class)| differs(id, class)) {
        folder = free(&folder);
    }
    for (id, class) in own {
        write(&folder.join(format!("{id}.toml")), class.text.as_bytes())?;
    }
    config.classes = Some(folder);
    Ok(())
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
        folder.join(ASIDE).join(name)
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
fn own_classes<'a>(
    classes: &'a BTreeMap<String, ClassRecorded>,
    config: &Config,
    is_recorded: bool,
) -> Result<BTreeMap<&'a str, &'a ClassRecorded>, ArchiveError> {
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
        .iter()
        .filter(|(id, class)| is_name(id) && is_own(class))
        .map(|(id, class)| (id.as_str(), class))
        .collect())
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// The folder beside the new configuration for files that stood elsewhere, and for a configuration that cannot be used.
const ASIDE: &str = "restored";
