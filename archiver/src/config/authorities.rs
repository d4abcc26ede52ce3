//! The part `[[tsa]]` of the configuration: who stamps the archive's records.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};

/// One configured time-stamping authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TsaConfig {
    /// The name used in reports.
    pub name: String,
    /// How it is reached.
    pub kind: TsaKind,
}

/// How a time-stamping authority is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TsaKind {
    /// The archive's own authority on the key medium: for trials, not accredited.
    Embedded,
    /// RFC 3161 over HTTP or HTTPS.
    Remote {
        /// The address of the service.
        url: String,
        /// PEM file of the trust anchors that its tokens must chain to.
        trust: PathBuf,
        /// PEM file of root certificates for TLS, where the service does not use a public one.
        tls_roots: Option<PathBuf>,
        /// The policy that is asked for, dotted; without it the authority's default.
        policy: Option<String>,
        /// Seconds until an unanswered request is given up.
        timeout_s: u64,
    },
}

/// The part as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TsaForm {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls_roots: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(default = "default_timeout_s")]
    timeout_s: u64,
    #[serde(default)]
    embedded: bool,
}

fn default_timeout_s() -> u64 {
    30
}

/// Reads the authorities; without any, the archive's own one stamps.
pub(super) fn read(forms: Vec<TsaForm>, place: &Place) -> Result<Vec<TsaConfig>, ConfigError> {
    let mut tsas = Vec::new();
    for form in forms {
        let name = form.name.clone();
        let kind = kind(form, place)?;
        tsas.push(TsaConfig { name, kind });
    }
    if tsas.is_empty() {
        tsas.push(TsaConfig {
            name: "embedded".to_owned(),
            kind: TsaKind::Embedded,
        });
    }
    Ok(tsas)
}

fn kind(tsa: TsaForm, place: &Place) -> Result<TsaKind, ConfigError> {
    match (tsa.embedded, tsa.url, tsa.trust) {
        (true, None, None) => Ok(TsaKind::Embedded),
        (false, Some(url), Some(trust)) => {
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err(
                    place.invalid("tsa.url", "an address that starts with https:// or http://")
                );
            }
            if !(1..=600).contains(&tsa.timeout_s) {
                return Err(place.invalid("tsa.timeout_s", "from 1 to 600 seconds"));
            }
            Ok(TsaKind::Remote {
                url,
                trust: place.absolute(trust),
                tls_roots: tsa.tls_roots.map(|p| place.absolute(p)),
                policy: tsa.policy,
                timeout_s: tsa.timeout_s,
            })
        }
        _ => Err(place.invalid("tsa", "either embedded = true, or both url and trust")),
    }
}

/// The text of one authority in the file.
pub(super) fn text(tsa: &TsaConfig, place: &Place) -> String {
    match &tsa.kind {
        TsaKind::Embedded => format!(
            "\n# The archive's own authority on the key medium. NOT ACCREDITED: for trials only.\n[[tsa]]\nname = {}\nembedded = true\n",
            quoted(&tsa.name)
        ),
        TsaKind::Remote {
            url,
            trust,
            tls_roots,
            policy,
            timeout_s,
        } => {
            let mut text = format!(
                "\n[[tsa]]\nname = {}\nurl = {}\ntrust = {}\ntimeout_s = {timeout_s}\n",
                quoted(&tsa.name),
                quoted(url),
                place.shown(trust)
            );
            if let Some(roots) = tls_roots {
                text.push_str(&format!("tls_roots = {}\n", place.shown(roots)));
            }
            if let Some(policy) = policy {
                text.push_str(&format!("policy = {}\n", quoted(policy)));
            }
            text
        }
    }
}
