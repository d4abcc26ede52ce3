//! What an archive is configured as, recorded in the archive itself: classes, settings and the files that they name.
//!
//! With these, one data medium and the key medium are enough to put the whole archive back to work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{EventBody, RecordedEvent, Topic};
use crate::class::ClassRegistry;
use crate::config::{Config, TsaKind};

/// The text of a class, as records refer to it by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRecorded {
    /// Id of the class.
    pub id: String,
    /// SHA-256 of the text, in hexadecimal: manifests name it.
    pub sha256: String,
    /// The class file, whole.
    pub text: String,
}

/// The configuration, and the files that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationRecorded {
    /// SHA-256 over text and files, in hexadecimal: it tells whether anything changed.
    pub sha256: String,
    /// `fumikura.toml`, with paths below its folder made relative. It holds no secret.
    pub text: String,
    /// The files that it names: policy, registry, trust anchors, TLS roots.
    pub files: Vec<RecordedFile>,
}

/// A file that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// Its path, as the configuration writes it.
    pub path: PathBuf,
    /// Its bytes, in Base64.
    pub base64: String,
}

impl EventBody for ClassRecorded {
    const KIND: &'static str = "class-recorded";
    const TOPIC: Topic = Topic::Configuration;
}

impl EventBody for ConfigurationRecorded {
    const KIND: &'static str = "configuration-recorded";
    const TOPIC: Topic = Topic::Configuration;
}

impl RecordedFile {
    /// The bytes. `None`: they are not in Base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.base64).ok()
    }
}

impl ConfigurationRecorded {
    /// The configuration as it stands. A file that cannot be read, or is too large to be one of these, is left out: the archive says so
    /// where it needs the file.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self::after(config, None)
    }

    /// The same after what was recorded `last`: a file that this user cannot read, or that is gone, keeps the bytes that it has there.
    #[must_use]
    pub fn after(config: &Config, last: Option<&Self>) -> Self {
        let last: BTreeMap<&Path, &RecordedFile> = last.map_or_else(BTreeMap::new, |last| {
            let files = last.files.iter();
            files.map(|file| (file.path.as_path(), file)).collect()
        });
        let mut named = config.clone();
        let paths: BTreeMap<PathBuf, PathBuf> = named_files(&mut named)
            .into_iter()
            .map(|path| (config.written(path), path.clone()))
            .collect();
        let mut files = Vec::new();
        for (written, path) in paths {
            let length = std::fs::metadata(&path).map_or(0, |found| found.len());
            if length > FILE_BYTES_MAX {
                continue;
            }
            if let Ok(bytes) = std::fs::read(path) {
                files.push(RecordedFile {
                    path: written,
                    base64: STANDARD.encode(bytes),
                });
            } else if let Some(known) = last.get(written.as_path()) {
                files.push((*known).clone());
            }
        }
        let text = config.to_text();
        let mut digest = Sha256::new_with_prefix(&text);
        for file in &files {
            digest.update(file.path.as_os_str().as_encoded_bytes());
            digest.update([0]);
            digest.update(&file.base64);
            digest.update([0]);
        }
        let sha256 = hex::encode(digest.finalize());
        Self {
            sha256,
            text,
            files,
        }
    }
}

impl ConfigurationRecorded {
    /// The files that a configuration names and that are not here.
    #[must_use]
    pub fn missing(&self, config: &Config) -> Vec<PathBuf> {
        let mut named = config.clone();
        let paths = named_files(&mut named).into_iter();
        let is_here = |path: &PathBuf| {
            let written = config.written(path);
            self.files.iter().any(|file| file.path == written)
        };
        let mut missing: Vec<PathBuf> = paths
            .filter(|path| !is_here(path))
            .map(|path| path.clone())
            .collect();
        missing.sort();
        missing.dedup();
        missing
    }
}

/// What of the configuration is recorded: the newest of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedConfiguration {
    /// Texts of classes by the digest that manifests name.
    pub classes: BTreeMap<String, ClassRecorded>,
    /// The newest configuration.
    pub configuration: Option<ConfigurationRecorded>,
}

impl RecordedConfiguration {
    /// Takes a further event, in the order of events.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(class) = event.as_::<ClassRecorded>() {
            self.classes.insert(class.sha256.clone(), class);
        } else if let Some(configuration) = event.as_::<ConfigurationRecorded>() {
            self.configuration = Some(configuration);
        }
    }

    /// The classes that are not recorded yet.
    #[must_use]
    pub fn missing_classes(&self, classes: &ClassRegistry) -> Vec<ClassRecorded> {
        let all = classes.iter().map(|class| ClassRecorded {
            id: class.policy().id.clone(),
            sha256: hex::encode(Sha256::digest(class.text())),
            text: class.text().to_owned(),
        });
        all.filter(|class| !self.classes.contains_key(&class.sha256))
            .collect()
    }

    /// The configuration as it stands, if it is not what was recorded last.
    #[must_use]
    pub fn changed_configuration(&self, config: &Config) -> Option<ConfigurationRecorded> {
        let last = self.configuration.as_ref();
        let now = ConfigurationRecorded::after(config, last);
        (last.map(|last| &last.sha256) != Some(&now.sha256)).then_some(now)
    }
}

/// The files that a configuration names and that are recorded with it.
pub(crate) fn named_files(config: &mut Config) -> Vec<&mut PathBuf> {
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

/// Most bytes of a recorded file: a registry or a list of roots has a few hundred kilobytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes its own input files"
    )]
    fn put(path: &Path, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn config(path: &Path) -> Config {
        let text = "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"d\"]\nkeys = \"k\"\n\
                    policy = \"policy.json\"\n[registry]\nfile = \"rules/registry.toml\"\n";
        Config::parse(path, text).unwrap()
    }

    fn recorded(configuration: &ConfigurationRecorded) -> RecordedConfiguration {
        RecordedConfiguration {
            configuration: Some(configuration.clone()),
            ..RecordedConfiguration::default()
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_keeps_what_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("fumikura.toml"));
        let registry = folder.path().join("rules/registry.toml");
        put(&registry, b"first");
        put(&folder.path().join("policy.json"), b"a policy");
        let first = ConfigurationRecorded::of(&config);
        let paths: Vec<_> = first.files.iter().map(|file| &file.path).collect();
        assert_eq!(
            paths,
            [Path::new("policy.json"), Path::new("rules/registry.toml")]
        );
        let last = recorded(&first);
        assert_eq!(last.changed_configuration(&config), None);

        // For this user it is not there, or no file.
        std::fs::remove_file(&registry).unwrap();
        assert_eq!(last.changed_configuration(&config), None);
        put(&registry.join("inside"), b"a folder in its place");
        assert_eq!(last.changed_configuration(&config), None);
        let poorer = ConfigurationRecorded::of(&config);
        assert_eq!(poorer.files.len(), 1);
        assert_eq!(poorer.missing(&config), std::slice::from_ref(&registry));
        assert!(first.missing(&config).is_empty());

        // What changed beside it is recorded, with the bytes that were.
        put(&folder.path().join("policy.json"), b"another policy");
        let next = last.changed_configuration(&config).unwrap();
        assert_eq!(next.files[0].bytes().unwrap(), b"another policy");
        assert_eq!(next.files[1], first.files[1]);
        std::fs::remove_dir_all(&registry).unwrap();
        put(&registry, b"second");
        let last = recorded(&next).changed_configuration(&config).unwrap();
        assert_eq!(last.files[1].bytes().unwrap(), b"second");
    }
}
