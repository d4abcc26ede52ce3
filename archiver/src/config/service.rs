//! The part `[service]` of the configuration: what `archiver serve` does by itself.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::https::{self, HttpsConfig, HttpsForm};
use super::place::{Place, quoted};
use super::request_log::{self, RequestLogConfig, RequestLogForm};
use super::telemetry::{self, TelemetryConfig, TelemetryForm};

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
    /// Where each request is logged; `None`: nowhere.
    pub log: Option<RequestLogConfig>,
    /// Which collector is told how long things took; `None`: none.
    pub telemetry: Option<TelemetryConfig>,
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
            log: None,
            telemetry: None,
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
    log: Option<RequestLogForm>,
    telemetry: Option<TelemetryForm>,
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
        log: form.log.map(|form| request_log::read(form, place)),
        telemetry: form
            .telemetry
            .map(|form| telemetry::read(form, place))
            .transpose()?,
    })
}

/// The text of the part in the file; nothing where everything is as usual.
pub(super) fn text(service: &ServiceConfig, place: &Place) -> String {
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
    if let Some(log) = &service.log {
        text.push_str(&request_log::text(log, place));
    }
    if let Some(telemetry) = &service.telemetry {
        text.push_str(&telemetry::text(telemetry, place));
    }
    text
}

impl SecretPlace {
    /// What two keys of a part say: a file, a credential, or neither; `Err`: both, or a name that is none.
    pub(super) fn read(
        file: Option<PathBuf>,
        credential: Option<String>,
        place: &Place,
    ) -> Result<Option<Self>, ()> {
        match (file, credential) {
            (None, None) => Ok(None),
            (Some(file), None) => Ok(Some(Self::File(place.absolute(file)))),
            (None, Some(name)) if is_credential_name(&name) => Ok(Some(Self::Credential(name))),
            _ => Err(()),
        }
    }

    /// The line of the file, under one of the two keys.
    pub(super) fn text(&self, [file_key, credential_key]: [&str; 2], place: &Place) -> String {
        match self {
            Self::File(file) => format!("{file_key} = {}\n", place.shown(file)),
            Self::Credential(name) => format!("{credential_key} = {}\n", quoted(name)),
        }
    }
}

/// A credential is one file in one folder.
fn is_credential_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

/// A week.
const MINUTES_MAX: u32 = 7 * 24 * 60;
