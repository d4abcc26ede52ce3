//! The part `[service.telemetry]` of the configuration: which collector is told how long things took.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};

/// A collector of traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// Where it takes traces over OTLP/HTTP, with its path.
    pub endpoint: String,
    /// PEM file of root certificates for TLS, where it does not use a public one.
    pub tls_roots: Option<PathBuf>,
}

/// As it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TelemetryForm {
    endpoint: String,
    tls_roots: Option<PathBuf>,
}

/// Reads the part.
pub(super) fn read(form: TelemetryForm, place: &Place) -> Result<TelemetryConfig, ConfigError> {
    let address = reqwest::Url::parse(&form.endpoint).ok();
    let address = address.filter(|one| {
        let has_no_secret = one.username().is_empty() && one.password().is_none();
        matches!(one.scheme(), "http" | "https") && has_no_secret
    });
    let Some(mut address) = address else {
        return Err(place.invalid(
            "service.telemetry.endpoint",
            "an address that starts with https:// or http://, without a password",
            "https:// か http:// で始まり、パスワードを含まないアドレス",
        ));
    };
    // As with other programs: an address without a path is that of the collector, and traces have a place of their own there.
    if address.path() == "/" {
        address.set_path(TRACES_PATH);
    }
    Ok(TelemetryConfig {
        endpoint: address.to_string(),
        tls_roots: form.tls_roots.map(|path| place.absolute(path)),
    })
}

/// The text of the part in the file.
pub(super) fn text(telemetry: &TelemetryConfig, place: &Place) -> String {
    let mut text = format!(
        "\n# Which collector is told how long things took.\n[service.telemetry]\nendpoint = {}\n",
        quoted(&telemetry.endpoint)
    );
    if let Some(roots) = &telemetry.tls_roots {
        text.push_str(&format!("tls_roots = {}\n", place.shown(roots)));
    }
    text
}

/// Where a collector takes traces (OTLP 1.0, OTLP/HTTP).
const TRACES_PATH: &str = "/v1/traces";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn config(more: &str) -> Result<Config, ConfigError> {
        let text = format!(
            "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"a\"]\nkeys = \"k\"\n{more}"
        );
        Config::parse(Path::new("/a/fumikura.toml"), &text)
    }

    #[test]
    fn traces_go_where_the_part_says_and_nowhere_without_it() {
        assert_eq!(config("").unwrap().service.telemetry, None);
        let part = |text: &str| config(&format!("[service.telemetry]\n{text}"));
        let usual = part("endpoint = \"http://localhost:4318\"").unwrap();
        let telemetry = usual.service.telemetry.clone().unwrap();
        assert_eq!(telemetry.endpoint, "http://localhost:4318/v1/traces");
        let other = part("endpoint = \"https://c.example/x\"\ntls_roots = \"c.pem\"").unwrap();
        let telemetry = other.service.telemetry.clone().unwrap();
        assert_eq!(telemetry.endpoint, "https://c.example/x");
        assert_eq!(telemetry.tls_roots, Some(PathBuf::from("/a/c.pem")));
        for config in [usual, other] {
            let again = Config::parse(&config.path, &config.to_text()).unwrap();
            assert_eq!(again.service.telemetry, config.service.telemetry);
        }
        for wrong in [
            "endpoint = \"c.example:4318\"",
            "endpoint = \"https://me:secret@c.example/\"",
            "",
            "endpoint = \"http://c/\"\nqueue = 1",
        ] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
