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
        let folder = config.path.parent().unwrap_or(Path::new(""));
        let mut files = Vec::new();
        for path in named_files(config) {
            let small = std::fs::metadata(path).is_ok_and(|found| found.len() <= FILE_BYTES_MAX);
            if let Some(bytes) = small.then(|| std::fs::read(path).ok()).flatten() {
                files.push(RecordedFile {
                    path: path.strip_prefix(folder).unwrap_or(path).to_owned(),
                    base64: STANDARD.encode(bytes),
                });
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
        let now = ConfigurationRecorded::of(config);
        let known = self.configuration.as_ref().map(|known| &known.sha256);
        (known != Some(&now.sha256)).then_some(now)
    }
}

fn named_files(config: &Config) -> Vec<&PathBuf> {
    let mut files: Vec<&PathBuf> = Vec::new();
    files.extend(&config.policy);
    files.extend(&config.registry);
    for tsa in &config.tsas {
        if let TsaKind::Remote {
            trust, tls_roots, ..
        } = &tsa.kind
        {
            files.push(trust);
            files.extend(tls_roots);
        }
    }
    if let Some(webhook) = &config.alarms.webhook {
        files.extend(&webhook.tls_roots);
    }
    files.sort();
    files.dedup();
    files
}

/// Most bytes of a recorded file: a registry or a list of roots has a few hundred kilobytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
