//! The parts `[service]` and `[alarms]` of the configuration: what `archiver serve` does by itself, and whom it tells.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::https::{self, HttpsConfig, HttpsForm};
use super::place::{Place, quoted};

/// What the service does, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Where it answers `/healthz`, `/readyz` and `/metrics`.
    pub listen: SocketAddr,
    /// Minutes between two looks at the archive.
    pub look_minutes: u32,
    /// Records wait at most so many minutes for their timestamp, as far as it is up to the service.
    pub stamp_minutes: u32,
    /// So many waiting records are stamped at the next look, whatever their age.
    pub stamp_count: u64,
    /// Where people and systems reach the archive; `None`: they do not.
    pub https: Option<HttpsConfig>,
}

/// When somebody is told, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmsConfig {
    /// A record without a timestamp for longer than so many hours is an alarm.
    pub unstamped_hours: u32,
    /// A renewal that is due and not done is an alarm from so many days before its last moment.
    pub renewal_days: u32,
    /// So many failures of the authorities in a row are an alarm.
    pub tsa_failures: u32,
    /// Where alarms are sent.
    pub webhook: Option<WebhookConfig>,
}

/// A receiver of alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Its address.
    pub url: String,
    /// Where the secret of the `Authorization` header is, if it wants one.
    pub secret: Option<SecretPlace>,
    /// PEM file of root certificates for TLS, where it does not use a public one.
    pub tls_roots: Option<PathBuf>,
}

/// Where a secret is: never in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// On the first line of a file.
    File(PathBuf),
    /// A credential of the service manager (`$CREDENTIALS_DIRECTORY/NAME`).
    Credential(String),
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            look_minutes: 5,
            stamp_minutes: 60,
            stamp_count: 10_000,
            https: None,
        }
    }
}

impl Default for AlarmsConfig {
    fn default() -> Self {
        Self {
            unstamped_hours: 24,
            renewal_days: 90,
            tsa_failures: 3,
            webhook: None,
        }
    }
}

/// The part `[service]` as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceForm {
    listen: Option<String>,
    look_minutes: Option<u32>,
    stamp_minutes: Option<u32>,
    stamp_count: Option<u64>,
    https: Option<HttpsForm>,
}

/// The part `[alarms]` as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmsForm {
    unstamped_hours: Option<u32>,
    renewal_days: Option<u32>,
    tsa_failures: Option<u32>,
    webhook: Option<String>,
    webhook_secret_file: Option<PathBuf>,
    webhook_credential: Option<String>,
    webhook_tls_roots: Option<PathBuf>,
}

/// Reads the part `[service]`.
pub(super) fn read(form: ServiceForm, place: &Place) -> Result<ServiceConfig, ConfigError> {
    let usual = ServiceConfig::default();
    let minutes = |key, value: Option<u32>, usual| match value.unwrap_or(usual) {
        minutes @ 1..=MINUTES_MAX => Ok(minutes),
        _ => Err(place.invalid(
            key,
            "from 1 to 10080 minutes (a week)",
            "1 から 10080 分(1 週間)まで",
        )),
    };
    let listen = match &form.listen {
        None => usual.listen,
        Some(text) => text.parse().map_err(|_| {
            place.invalid(
                "service.listen",
                "an address and a port, as 127.0.0.1:8420",
                "アドレスとポート(127.0.0.1:8420 など)",
            )
        })?,
    };
    let stamp_count = form.stamp_count.unwrap_or(usual.stamp_count);
    if stamp_count == 0 {
        return Err(place.invalid("service.stamp_count", "1 or more records", "1 件以上"));
    }
    Ok(ServiceConfig {
        listen,
        look_minutes: minutes(
            "service.look_minutes",
            form.look_minutes,
            usual.look_minutes,
        )?,
        stamp_minutes: minutes(
            "service.stamp_minutes",
            form.stamp_minutes,
            usual.stamp_minutes,
        )?,
        stamp_count,
        https: form
            .https
            .map(|form| https::read(form, place))
            .transpose()?,
    })
}

/// Reads the part `[alarms]`.
pub(super) fn read_alarms(form: AlarmsForm, place: &Place) -> Result<AlarmsConfig, ConfigError> {
    let usual = AlarmsConfig::default();
    let at_least_one = |key, en, ja, value: Option<u32>, usual| match value.unwrap_or(usual) {
        0 => Err(place.invalid(key, en, ja)),
        value => Ok(value),
    };
    let secret = match (&form.webhook_secret_file, &form.webhook_credential) {
        (None, None) => None,
        (Some(file), None) => Some(SecretPlace::File(place.absolute(file.clone()))),
        (None, Some(name)) if is_credential_name(name) => {
            Some(SecretPlace::Credential(name.clone()))
        }
        _ => {
            return Err(place.invalid(
                "alarms.webhook_credential",
                "the name of a credential, and not beside webhook_secret_file",
                "クレデンシャルの名前(webhook_secret_file と併用できません)",
            ));
        }
    };
    let webhook = match form.webhook {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Some(WebhookConfig {
                url,
                secret,
                tls_roots: form.webhook_tls_roots.map(|path| place.absolute(path)),
            })
        }
        None if secret.is_none() && form.webhook_tls_roots.is_none() => None,
        _ => {
            return Err(place.invalid(
                "alarms.webhook",
                "an address that starts with https:// or http://",
                "https:// か http:// で始まるアドレス",
            ));
        }
    };
    Ok(AlarmsConfig {
        unstamped_hours: at_least_one(
            "alarms.unstamped_hours",
            "1 or more hours",
            "1 時間以上",
            form.unstamped_hours,
            usual.unstamped_hours,
        )?,
        renewal_days: at_least_one(
            "alarms.renewal_days",
            "1 or more days",
            "1 日以上",
            form.renewal_days,
            usual.renewal_days,
        )?,
        tsa_failures: at_least_one(
            "alarms.tsa_failures",
            "1 or more failures",
            "1 回以上",
            form.tsa_failures,
            usual.tsa_failures,
        )?,
        webhook,
    })
}

/// The text of both parts in the file; nothing where everything is as usual.
pub(super) fn text(service: &ServiceConfig, alarms: &AlarmsConfig, place: &Place) -> String {
    let mut text = String::new();
    if *service != ServiceConfig::default() {
        text.push_str(&format!(
            "\n# What 'archiver serve' does by itself.\n[service]\nlisten = {}\nlook_minutes = {}\nstamp_minutes = {}\nstamp_count = {}\n",
            quoted(&service.listen.to_string()),
            service.look_minutes,
            service.stamp_minutes,
            service.stamp_count
        ));
    }
    if let Some(https) = &service.https {
        text.push_str(&https::text(https, place));
    }
    if *alarms != AlarmsConfig::default() {
        text.push_str(&format!(
            "\n# Whom it tells, and when.\n[alarms]\nunstamped_hours = {}\nrenewal_days = {}\ntsa_failures = {}\n",
            alarms.unstamped_hours, alarms.renewal_days, alarms.tsa_failures
        ));
        if let Some(webhook) = &alarms.webhook {
            text.push_str(&format!("webhook = {}\n", quoted(&webhook.url)));
            match &webhook.secret {
                None => {}
                Some(SecretPlace::File(file)) => {
                    text.push_str(&format!("webhook_secret_file = {}\n", place.shown(file)));
                }
                Some(SecretPlace::Credential(name)) => {
                    text.push_str(&format!("webhook_credential = {}\n", quoted(name)));
                }
            }
            if let Some(roots) = &webhook.tls_roots {
                text.push_str(&format!("webhook_tls_roots = {}\n", place.shown(roots)));
            }
        }
    }
    text
}

/// A credential is one file in one folder.
pub(super) fn is_credential_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

/// A week.
const MINUTES_MAX: u32 = 7 * 24 * 60;
