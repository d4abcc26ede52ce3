//! The part `[service.https]` of the configuration: where people and systems reach the archive, and who may connect.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::openid::{self, OpenidConfig, OpenidForm};
use super::place::{Place, quoted};

/// The HTTPS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpsConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// PEM file of its certificate, followed by those that certify it.
    pub certificate: PathBuf,
    /// PEM file of the certificate's private key, not encrypted: readable by the service's user alone.
    pub key: PathBuf,
    /// PEM file of the authorities whose client certificates are accepted; `None`: systems cannot connect.
    pub client_roots: Option<PathBuf>,
    /// PEM files of their certificate revocation lists. Where any is given, a certificate whose state no list tells is refused.
    pub client_crls: Vec<PathBuf>,
    /// Most bytes of one deposited file.
    pub upload_bytes_max: u64,
    /// Hours that a deposit in parts waits for its next part.
    pub upload_hours: u32,
    /// Most connections at the same time.
    pub connections_max: u32,
    /// Minutes without a request after which a session is over.
    pub idle_minutes: u32,
    /// Seconds that the TLS handshake, and the head of a request, may take.
    pub head_seconds: u32,
    /// Seconds that the next 16 KiB of a request's body, and taking the next 16 KiB of an answer, may take.
    pub pause_seconds: u32,
    /// The company's OpenID provider; `None`: people log in with passwords only.
    pub openid: Option<OpenidConfig>,
}

/// As it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpsForm {
    listen: Option<String>,
    certificate: PathBuf,
    key: PathBuf,
    client_roots: Option<PathBuf>,
    #[serde(default)]
    client_crls: Vec<PathBuf>,
    upload_bytes_max: Option<u64>,
    upload_hours: Option<u32>,
    connections_max: Option<u32>,
    idle_minutes: Option<u32>,
    head_seconds: Option<u32>,
    pause_seconds: Option<u32>,
    openid: Option<OpenidForm>,
}

impl HttpsConfig {
    /// With the usual limits, for a certificate and its key.
    #[must_use]
    pub const fn new(listen: SocketAddr, certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            listen,
            certificate,
            key,
            client_roots: None,
            client_crls: Vec::new(),
            upload_bytes_max: UPLOAD_BYTES_MAX,
            upload_hours: UPLOAD_HOURS,
            connections_max: CONNECTIONS_MAX,
            idle_minutes: IDLE_MINUTES,
            head_seconds: HEAD_SECONDS,
            pause_seconds: PAUSE_SECONDS,
            openid: None,
        }
    }
}

/// Reads the part.
pub(super) fn read(form: HttpsForm, place: &Place) -> Result<HttpsConfig, ConfigError> {
    let listen = match form.listen.as_deref() {
        None => SocketAddr::from(([127, 0, 0, 1], PORT)),
        Some(text) => text.parse().map_err(|_| {
            place.invalid(
                "service.https.listen",
                "an address and a port, as 0.0.0.0:8443",
                "アドレスとポート(0.0.0.0:8443 など)",
            )
        })?,
    };
    if form.client_roots.is_none() && !form.client_crls.is_empty() {
        return Err(place.invalid(
            "service.https.client_crls",
            "revocation lists beside client_roots",
            "client_roots と併せて指定する失効リスト",
        ));
    }
    let upload_bytes_max = form.upload_bytes_max.unwrap_or(UPLOAD_BYTES_MAX);
    if upload_bytes_max == 0 {
        return Err(place.invalid(
            "service.https.upload_bytes_max",
            "1 or more bytes",
            "1 バイト以上",
        ));
    }
    let upload_hours = upload_hours(&form, place)?;
    let connections_max = form.connections_max.unwrap_or(CONNECTIONS_MAX);
    if !(1..=100_000).contains(&connections_max) {
        return Err(place.invalid(
            "service.https.connections_max",
            "from 1 to 100000 connections",
            "1 から 100000 接続まで",
        ));
    }
    let idle_minutes = form.idle_minutes.unwrap_or(IDLE_MINUTES);
    if !(1..=12 * 60).contains(&idle_minutes) {
        return Err(place.invalid(
            "service.https.idle_minutes",
            "from 1 to 720 minutes",
            "1 から 720 分まで",
        ));
    }
    let (head_seconds, pause_seconds) = patience(&form, place)?;
    Ok(HttpsConfig {
        listen,
        certificate: place.absolute(form.certificate),
        key: place.absolute(form.key),
        client_roots: form.client_roots.map(|path| place.absolute(path)),
        client_crls: form
            .client_crls
            .into_iter()
            .map(|path| place.absolute(path))
            .collect(),
        upload_bytes_max,
        upload_hours,
        connections_max,
        idle_minutes,
        head_seconds,
        pause_seconds,
        openid: form
            .openid
            .map(|form| openid::read(form, place))
            .transpose()?,
    })
}

/// The hours that a deposit in parts waits.
fn upload_hours(form: &HttpsForm, place: &Place) -> Result<u32, ConfigError> {
    match form.upload_hours.unwrap_or(UPLOAD_HOURS) {
        hours @ 1..=UPLOAD_HOURS_MAX => Ok(hours),
        _ => Err(place.invalid(
            "service.https.upload_hours",
            "from 1 to 720 hours",
            "1 から 720 時間まで",
        )),
    }
}

/// The seconds for a head, and for a piece of a body.
fn patience(form: &HttpsForm, place: &Place) -> Result<(u32, u32), ConfigError> {
    let seconds = |key, given: Option<u32>, usual| match given.unwrap_or(usual) {
        seconds @ 1..=SECONDS_MAX => Ok(seconds),
        _ => Err(place.invalid(key, "from 1 to 600 seconds", "1 から 600 秒まで")),
    };
    let head = "service.https.head_seconds";
    let pause = "service.https.pause_seconds";
    Ok((
        seconds(head, form.head_seconds, HEAD_SECONDS)?,
        seconds(pause, form.pause_seconds, PAUSE_SECONDS)?,
    ))
}

/// The text of the part in the file.
pub(super) fn text(https: &HttpsConfig, place: &Place) -> String {
    let usual = HttpsConfig::new(https.listen, PathBuf::new(), PathBuf::new());
    let mut text = format!(
        "\n# Where people and systems reach the archive.\n[service.https]\nlisten = {}\ncertificate = {}\nkey = {}\n",
        quoted(&https.listen.to_string()),
        place.shown(&https.certificate),
        place.shown(&https.key),
    );
    if let Some(roots) = &https.client_roots {
        text.push_str(&format!("client_roots = {}\n", place.shown(roots)));
    }
    if !https.client_crls.is_empty() {
        let lists: Vec<_> = https
            .client_crls
            .iter()
            .map(|one| place.shown(one))
            .collect();
        text.push_str(&format!("client_crls = [{}]\n", lists.join(", ")));
    }
    for (key, value, usual) in [
        (
            "upload_bytes_max",
            https.upload_bytes_max,
            usual.upload_bytes_max,
        ),
        (
            "upload_hours",
            https.upload_hours.into(),
            usual.upload_hours.into(),
        ),
        (
            "connections_max",
            https.connections_max.into(),
            usual.connections_max.into(),
        ),
        (
            "idle_minutes",
            https.idle_minutes.into(),
            usual.idle_minutes.into(),
        ),
        (
            "head_seconds",
            https.head_seconds.into(),
            usual.head_seconds.into(),
        ),
        (
            "pause_seconds",
            https.pause_seconds.into(),
            usual.pause_seconds.into(),
        ),
    ] {
        if value != usual {
            text.push_str(&format!("{key} = {value}\n"));
        }
    }
    if let Some(provider) = &https.openid {
        text.push_str(&openid::text(provider, place));
    }
    text
}

/// The text of a configuration with this part at its end, and everything else as it was.
#[must_use]
pub fn with_https(path: &std::path::Path, before: &str, https: &HttpsConfig) -> String {
    let place = Place::of(path);
    let end = if before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{end}{}", text(https, &place))
}

/// Where the service listens unless configured.
const PORT: u16 = 8443;

/// 16 GiB.
const UPLOAD_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// A night and a day: who was cut off in the evening goes on in the morning.
const UPLOAD_HOURS: u32 = 24;

/// A month: what waits is in no archive yet.
const UPLOAD_HOURS_MAX: u32 = 720;

/// Each takes some 50 KiB while nothing is asked.
const CONNECTIONS_MAX: u32 = 12_000;

/// 000–002: `A42`.
const IDLE_MINUTES: u32 = 15;

/// What a client on a slow line needs for a handshake, several times over.
pub(crate) const HEAD_SECONDS: u32 = 10;

/// 16 KiB in that time are 546 bytes a second: whoever is slower only holds the connection.
pub(crate) const PAUSE_SECONDS: u32 = 30;

/// More patience than that would be none of a limit.
const SECONDS_MAX: u32 = 600;
