//! The configuration file `fumikura.toml`: which media make up the archive, and who stamps its records.
//!
//! Parsed strictly: an unknown key is an error, because a misspelt setting that is ignored is worse than none.
//! Relative paths are relative to the folder of the file. The file holds no secret; the archive's own facts stand on its media.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use formats::id::ArchiveId;

mod accounts;
mod alarms;
mod authorities;
mod error;
mod hot_folder;
mod https;
mod index;
mod intakes;
mod mail;
mod malware;
mod media;
mod openid;
mod place;
mod renewal;
mod request_log;
mod scrub;
mod service;
mod syslog;
mod telemetry;
mod text;

pub use accounts::AccountsConfig;
pub use alarms::{AlarmsConfig, WebhookConfig};
pub use authorities::{TsaConfig, TsaDemands, TsaKind};
pub use error::ConfigError;
pub use hot_folder::HotFolderConfig;
pub(crate) use https::{HEAD_SECONDS, PAUSE_SECONDS};
pub use https::{HttpsConfig, with_https};
pub use index::IndexConfig;
pub use intakes::IntakesConfig;
pub use mail::{MailConfig, MailSecurity};
pub use malware::MalwareConfig;
pub use media::{MediaConfig, with_data};
pub use openid::OpenidConfig;
use place::Place;
pub use renewal::RenewalConfig;
pub use request_log::RequestLogConfig;
pub use scrub::{ParityConfig, ScrubConfig};
pub use service::{SecretPlace, ServiceConfig};
pub use telemetry::TelemetryConfig;

/// The version of the configuration format that this program reads and writes.
pub const CONFIG_VERSION: u32 = 1;

/// The name of the configuration file.
pub const CONFIG_FILE_NAME: &str = "fumikura.toml";

/// Bytes at which a segment is sealed, unless configured: large enough that sealing is rare, small enough that one
/// damaged segment is quickly re-read and copied.
pub const SEGMENT_BYTES_MAX_DEFAULT: u64 = 256 * 1024 * 1024;

/// The bounds of `segments.max_bytes`.
pub const SEGMENT_BYTES_RANGE: std::ops::RangeInclusive<u64> =
    4 * 1024 * 1024..=4 * 1024 * 1024 * 1024 - 1;

/// A configuration, with all paths made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file that it came from.
    pub path: PathBuf,
    /// The archive that the media must belong to.
    pub archive: ArchiveId,
    /// The data media: each holds a full copy.
    pub data: Vec<PathBuf>,
    /// The key medium.
    pub keys: PathBuf,
    /// Copies of the key medium, kept in step with it.
    pub key_copies: Vec<PathBuf>,
    /// On how many key media a key must be durable before a deposit is acknowledged; all, unless configured.
    pub key_copies_min: Option<usize>,
    /// Who is responsible for the keys, for the inventory.
    pub key_responsible: Option<String>,
    /// The folder of the derived index; may be deleted at any time.
    pub index: PathBuf,
    /// How the index is held.
    pub index_options: IndexConfig,
    /// A folder of further class files, beside the built-in classes.
    pub classes: Option<PathBuf>,
    /// Whether this is a trial: the key medium may then share a device with data, and every output says so.
    pub evaluation: bool,
    /// The file that holds the passphrase of the key medium, where an operator is not there to type it.
    pub passphrase_file: Option<PathBuf>,
    /// Bytes at which a segment is sealed.
    pub segment_bytes_max: u64,
    /// How much parity is made for sealed segments, where it is.
    pub parity: Option<ParityConfig>,
    /// What is read again, and when.
    pub scrub: ScrubConfig,
    /// The time-stamping authorities, in the order in which they are tried.
    pub tsas: Vec<TsaConfig>,
    /// The registry of accredited authorities, where tokens are to be told statutory or not.
    pub registry: Option<PathBuf>,
    /// The algorithm policy, where it is not the one that is built in.
    pub policy: Option<PathBuf>,
    /// How many copies a commit must reach, and how often media are counted.
    pub media: MediaConfig,
    /// When evidence is renewed.
    pub renewal: RenewalConfig,
    /// What the service does.
    pub service: ServiceConfig,
    /// Whom it tells, and when.
    pub alarms: AlarmsConfig,
    /// How accounts are looked after.
    pub accounts: AccountsConfig,
    /// What the service takes in by itself, and what is scanned before.
    pub intakes: IntakesConfig,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    version: u32,
    archive: String,
    data: Vec<PathBuf>,
    keys: PathBuf,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    key_copies: Vec<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_copies_min: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_responsible: Option<String>,
    #[serde(default)]
    index: index::IndexForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<PathBuf>,
    #[serde(default)]
    evaluation: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<PathBuf>,
    #[serde(default)]
    segments: SegmentForm,
    #[serde(default)]
    media: media::MediaForm,
    #[serde(default)]
    scrub: scrub::ScrubForm,
    #[serde(default)]
    renewal: renewal::RenewalForm,
    #[serde(default)]
    service: service::ServiceForm,
    #[serde(default)]
    alarms: alarms::AlarmsForm,
    #[serde(default)]
    accounts: accounts::AccountsForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    malware: Option<malware::MalwareForm>,
    #[serde(default, rename = "hot_folder", skip_serializing_if = "Vec::is_empty")]
    hot_folders: Vec<hot_folder::HotFolderForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    syslog: Option<syslog::SyslogForm>,
    #[serde(default, rename = "tsa")]
    tsas: Vec<authorities::TsaForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registry: Option<authorities::RegistryForm>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SegmentForm {
    max_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parity: Option<String>,
}

impl Default for SegmentForm {
    fn default() -> Self {
        Self {
            max_bytes: SEGMENT_BYTES_MAX_DEFAULT,
            parity: None,
        }
    }
}

impl Config {
    /// Reads the configuration at `path`.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is missing, unreadable, malformed, or holds a value outside its range.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                ConfigError::Missing {
                    looked_at: vec![path.to_path_buf()],
                }
            } else {
                ConfigError::Unreadable {
                    path: path.to_path_buf(),
                    source,
                }
            }
        })?;
        Self::parse(path, &text)
    }

    /// Reads a configuration from its text; `path` says where it stands, for relative paths and messages.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`] or [`ConfigError::Invalid`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let place = Place::of(path);
        let form: FileForm = toml::from_str(text).map_err(|e| place.malformed(e.to_string()))?;
        if form.version != CONFIG_VERSION {
            return Err(place.invalid(
                "version",
                "this program reads version 1",
                "このプログラムが読むのは第 1 版です",
            ));
        }
        let archive = form.archive.parse().map_err(|_| {
            place.invalid("archive", "the archive's id, a UUID", "保管庫の ID(UUID)")
        })?;
        if form.data.is_empty() {
            return Err(place.invalid(
                "data",
                "at least one folder, one for each data medium",
                "データ媒体ごとに一つのフォルダを、一つ以上",
            ));
        }
        check_numbers(&form, &place)?;
        let tsas = authorities::read(form.tsas, &place)?;
        let media = media::read(form.media, form.data.len(), &place)?;
        let parity = scrub::read_parity(form.segments.parity.as_deref(), &place)?;
        let scrub = scrub::read(form.scrub, &place)?;
        let renewal = renewal::read(form.renewal, &place)?;
        let service = service::read(form.service, &place)?;
        let alarms = alarms::read(form.alarms, &place)?;
        let accounts = accounts::read(form.accounts, &place)?;
        let intakes = intakes::read(form.malware, form.hot_folders, form.syslog, &place)?;
        let (folder, index_options) = index::read(form.index, &place)?;
        let placed = |p| place.absolute(p);
        Ok(Self {
            path: path.to_path_buf(),
            archive,
            data: form.data.into_iter().map(placed).collect(),
            keys: placed(form.keys),
            key_copies: form.key_copies.into_iter().map(placed).collect(),
            key_copies_min: form.key_copies_min,
            key_responsible: form.key_responsible,
            index: placed(folder),
            index_options,
            classes: form.classes.map(placed),
            evaluation: form.evaluation,
            passphrase_file: form.passphrase_file.map(placed),
            segment_bytes_max: form.segments.max_bytes,
            parity,
            scrub,
            tsas,
            registry: form.registry.map(|registry| placed(registry.file)),
            policy: form.policy.map(placed),
            media,
            renewal,
            service,
            alarms,
            accounts,
            intakes,
        })
    }

    /// A path as [`Config::to_text`] writes it.
    #[must_use]
    pub fn written(&self, path: &Path) -> PathBuf {
        Place::of(&self.path).written(path)
    }

    /// A path that may be relative to the folder of the configuration, made absolute.
    #[must_use]
    pub fn placed(&self, path: &Path) -> PathBuf {
        Place::of(&self.path).absolute(path.to_owned())
    }
}

/// Refuses numbers that are out of their bounds.
fn check_numbers(form: &FileForm, place: &Place) -> Result<(), ConfigError> {
    if !SEGMENT_BYTES_RANGE.contains(&form.segments.max_bytes) {
        return Err(place.invalid(
            "segments.max_bytes",
            "from 4 MiB to 4 GiB less one byte",
            "4 MiB から 4 GiB 未満まで",
        ));
    }
    let key_media = form.key_copies.len() + 1;
    if form
        .key_copies_min
        .is_some_and(|min| !(1..=key_media).contains(&min))
    {
        return Err(place.invalid(
            "key_copies_min",
            "from 1 to the number of key media",
            "1 から鍵媒体の数まで",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn sample() -> Config {
        Config {
            path: PathBuf::from("/a/fumikura.toml"),
            archive: "01935e7a-1111-7222-8333-444455556666"
                .parse()
                .expect("an id"),
            data: vec![
                PathBuf::from("/a/data-a"),
                PathBuf::from("/mnt/b \"quoted\""),
            ],
            keys: PathBuf::from("/media/keys"),
            key_copies: vec![PathBuf::from("/media/key-copy")],
            key_copies_min: Some(1),
            key_responsible: Some("鍵 \"管理\"".to_owned()),
            index: PathBuf::from("/a/index"),
            index_options: IndexConfig::default(),
            classes: None,
            evaluation: true,
            passphrase_file: Some(PathBuf::from("/a/passphrase.txt")),
            segment_bytes_max: SEGMENT_BYTES_MAX_DEFAULT,
            parity: ParityConfig::parse("10+2"),
            scrub: ScrubConfig {
                part: Some(30),
                hours: crate::store::scrub::Hours::parse("22-6"),
                bytes_per_second: Some(50_000_000),
                ..ScrubConfig::default()
            },
            tsas: vec![
                TsaConfig::embedded("embedded"),
                TsaConfig {
                    kind: TsaKind::Remote {
                        url: "https://tsa.example/".into(),
                        trust: PathBuf::from("/a/tsa.pem"),
                        tls_roots: None,
                        policy: Some("1.2.392.1".into()),
                        timeout_s: 20,
                    },
                    ..TsaConfig::embedded("second")
                },
            ],
            registry: Some(PathBuf::from("/a/tsa-registry.toml")),
            policy: Some(PathBuf::from("/a/policy.json")),
            media: MediaConfig {
                copies_min: Some(1),
                ..MediaConfig::default()
            },
            renewal: RenewalConfig {
                path_days: 181,
                age_max_days: Some(3000),
                ..RenewalConfig::default()
            },
            service: ServiceConfig {
                stamp_count: 7,
                ..ServiceConfig::default()
            },
            alarms: alarms::tests::sample(),
            accounts: AccountsConfig {
                dormant_days: 60,
                dormant_exempt: ["erp".to_owned()].into(),
                ..AccountsConfig::default()
            },
            intakes: intakes::sample(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = sample();
        assert_eq!(
            Config::parse(&config.path, &config.to_text()).expect("own text"),
            config
        );
    }

    #[test]
    fn bad_values_are_named() {
        let good = sample().to_text();
        for (from, to, key) in [
            ("version = 1", "version = 2", "version"),
            (
                "max_bytes = 268435456",
                "max_bytes = 1",
                "segments.max_bytes",
            ),
            ("\"10+2\"", "\"10\"", "segments.parity"),
            ("part = 30", "part = 0", "scrub.part"),
            ("22:00-06:00", "22-22", "scrub.hours"),
            (
                "overdue_days = 90",
                "overdue_days = 0",
                "scrub.overdue_days",
            ),
            ("https://tsa.example/", "ftp://tsa.example/", "tsa.url"),
            ("timeout_s = 20", "timeout_s = 0", "tsa.timeout_s"),
            ("embedded = true", "embedded = false", "tsa"),
            ("archive = \"01935e7a", "archive = \"nonsense", "archive"),
            ("\ncopies_min = 1", "\ncopies_min = 3", "media.copies_min"),
            ("path_days = 181", "path_days = 0", "renewal.path_days"),
            ("join_days = 365", "join_days = 4000", "renewal.join_days"),
            (
                "age_max_days = 3000",
                "age_max_days = 0",
                "renewal.age_max_days",
            ),
            (
                "dormant_days = 60",
                "dormant_days = 0",
                "accounts.dormant_days",
            ),
            ("[\"erp\"]", "[\"a b\"]", "accounts.dormant_exempt"),
            (
                "approval_days = 30",
                "approval_days = 0",
                "accounts.approval_days",
            ),
            (
                "review_days = 365",
                "review_days = 4000",
                "accounts.review_days",
            ),
            (
                "review_answer_days = 30",
                "review_answer_days = 0",
                "accounts.review_answer_days",
            ),
            ("\"SHA3-512\"", "\"SHA-1\"", "renewal.third_digest"),
            ("127.0.0.1:8420", "everywhere", "service.listen"),
            (
                "look_minutes = 5",
                "look_minutes = 0",
                "service.look_minutes",
            ),
            ("stamp_count = 7", "stamp_count = 0", "service.stamp_count"),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good, "{from} stands in the sample");
            match Config::parse(Path::new("/a/fumikura.toml"), &text) {
                Err(ConfigError::Invalid { key: found, .. }) => assert_eq!(found, key),
                other => panic!("{key}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = format!("misspelt = 1\n{}", sample().to_text());
        assert!(matches!(
            Config::parse(Path::new("x"), &text),
            Err(ConfigError::Malformed { .. })
        ));
        assert!(matches!(
            Config::parse(Path::new("x"), ""),
            Err(ConfigError::Malformed { .. })
        ));
    }

    #[test]
    fn a_missing_file_says_where_it_was_looked_for() {
        let error =
            Config::read(Path::new("/nonexistent/fumikura.toml")).expect_err("there is none");
        assert!(error.to_string().contains("/nonexistent/fumikura.toml"));
    }
}
