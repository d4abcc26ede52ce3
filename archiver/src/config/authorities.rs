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
    /// Its place in the order in which authorities are asked: smaller numbers first, equal ones in the order of the file.
    pub priority: u32,
    /// Whether it gives the second, independent token of each batch; the first token then only where no other authority gives one.
    pub second: bool,
    /// How often it is asked again when it fails in a way that may pass.
    pub retries: u32,
    /// What is demanded of its tokens.
    pub demands: TsaDemands,
}

/// What the configuration demands of an authority's tokens, beside what the standards demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TsaDemands {
    /// The worst accuracy in milliseconds that a token may state.
    pub accuracy_max_ms: u32,
    /// Whether a token may state none.
    pub accuracy_may_miss: bool,
    /// Seconds that the token's time may lie from our clock.
    pub clock_tolerance_s: u32,
    /// Days that a token must hold, at least, before it has to be renewed.
    pub holds_min_days: u32,
}

impl TsaConfig {
    /// The archive's own authority under a name, with the defaults.
    #[must_use]
    pub fn embedded(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: TsaKind::Embedded,
            priority: PRIORITY_DEFAULT,
            second: false,
            retries: RETRIES_DEFAULT,
            demands: TsaDemands::default(),
        }
    }
}

impl Default for TsaDemands {
    /// One second, which is what Japan's accredited services keep to UTC; a token that states no accuracy passes, since its policy may
    /// state it; five minutes; thirty days.
    fn default() -> Self {
        Self {
            accuracy_max_ms: 1000,
            accuracy_may_miss: true,
            clock_tolerance_s: 300,
            holds_min_days: 30,
        }
    }
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
    #[serde(default = "default_priority")]
    priority: u32,
    #[serde(default)]
    second: bool,
    #[serde(default = "default_retries")]
    retries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accuracy_max_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accuracy_missing: Option<Missing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock_tolerance_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holds_min_days: Option<u32>,
}

/// What becomes of a token without accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Missing {
    Accept,
    Refuse,
}

/// The part `[registry]` as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistryForm {
    pub(super) file: PathBuf,
}

/// Room on both sides for authorities that come later.
const PRIORITY_DEFAULT: u32 = 100;
/// With the usual waits, an authority that is down costs some three seconds before the next one is asked.
const RETRIES_DEFAULT: u32 = 2;

fn default_priority() -> u32 {
    PRIORITY_DEFAULT
}

fn default_retries() -> u32 {
    RETRIES_DEFAULT
}

fn default_timeout_s() -> u64 {
    30
}

/// Reads the authorities, in the order in which they are asked; without any, the archive's own one stamps.
pub(super) fn read(forms: Vec<TsaForm>, place: &Place) -> Result<Vec<TsaConfig>, ConfigError> {
    let mut tsas: Vec<TsaConfig> = Vec::new();
    for form in forms {
        let name = form.name.clone();
        if name.is_empty() || tsas.iter().any(|tsa| tsa.name == name) {
            return Err(place.invalid(
                "tsa.name",
                "a name that no other authority has",
                "ほかの局にない名前",
            ));
        }
        if form.retries > 10 {
            return Err(place.invalid("tsa.retries", "from 0 to 10", "0 から 10 まで"));
        }
        let demands = demands(&form, place)?;
        tsas.push(TsaConfig {
            name,
            priority: form.priority,
            second: form.second,
            retries: form.retries,
            demands,
            kind: kind(form, place)?,
        });
    }
    if tsas.is_empty() {
        tsas.push(TsaConfig::embedded("embedded"));
    }
    tsas.sort_by_key(|tsa| tsa.priority);
    Ok(tsas)
}

/// Whoever writes a limit for the accuracy wants it kept: a token without one is then refused, unless that is asked for too.
fn demands(form: &TsaForm, place: &Place) -> Result<TsaDemands, ConfigError> {
    let usual = TsaDemands::default();
    let accuracy_max_ms = form.accuracy_max_ms.unwrap_or(usual.accuracy_max_ms);
    if !(1..=60_000).contains(&accuracy_max_ms) {
        return Err(place.invalid(
            "tsa.accuracy_max_ms",
            "from 1 to 60000 milliseconds",
            "1 から 60000 ミリ秒まで",
        ));
    }
    let clock_tolerance_s = form.clock_tolerance_s.unwrap_or(usual.clock_tolerance_s);
    if !(1..=3600).contains(&clock_tolerance_s) {
        return Err(place.invalid(
            "tsa.clock_tolerance_s",
            "from 1 to 3600 seconds",
            "1 から 3600 秒まで",
        ));
    }
    let holds_min_days = form.holds_min_days.unwrap_or(usual.holds_min_days);
    if holds_min_days > 3650 {
        return Err(place.invalid(
            "tsa.holds_min_days",
            "from 0 to 3650 days",
            "0 から 3650 日まで",
        ));
    }
    let accuracy_may_miss = form
        .accuracy_missing
        .map_or(form.accuracy_max_ms.is_none(), |missing| {
            missing == Missing::Accept
        });
    Ok(TsaDemands {
        accuracy_max_ms,
        accuracy_may_miss,
        clock_tolerance_s,
        holds_min_days,
    })
}

fn kind(tsa: TsaForm, place: &Place) -> Result<TsaKind, ConfigError> {
    match (tsa.embedded, tsa.url, tsa.trust) {
        (true, None, None) => Ok(TsaKind::Embedded),
        (false, Some(url), Some(trust)) => {
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err(place.invalid(
                    "tsa.url",
                    "an address that starts with https:// or http://",
                    "https:// か http:// で始まるアドレス",
                ));
            }
            if !(1..=600).contains(&tsa.timeout_s) {
                return Err(place.invalid(
                    "tsa.timeout_s",
                    "from 1 to 600 seconds",
                    "1 から 600 秒まで",
                ));
            }
            Ok(TsaKind::Remote {
                url,
                trust: place.absolute(trust),
                tls_roots: tsa.tls_roots.map(|p| place.absolute(p)),
                policy: tsa.policy,
                timeout_s: tsa.timeout_s,
            })
        }
        _ => Err(place.invalid(
            "tsa",
            "either embedded = true, or both url and trust",
            "embedded = true か、url と trust の両方か、どちらか一方",
        )),
    }
}

/// The text of one authority in the file.
pub(super) fn text(tsa: &TsaConfig, place: &Place) -> String {
    let mut text = match &tsa.kind {
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
    };
    text.push_str(&changed(tsa));
    text
}

/// The settings that differ from their defaults.
fn changed(tsa: &TsaConfig) -> String {
    let usual = TsaConfig::embedded("");
    let (own, default) = (&tsa.demands, &usual.demands);
    let mut text = String::new();
    for (key, value, default) in [
        ("priority", tsa.priority, usual.priority),
        ("retries", tsa.retries, usual.retries),
        (
            "accuracy_max_ms",
            own.accuracy_max_ms,
            default.accuracy_max_ms,
        ),
        (
            "clock_tolerance_s",
            own.clock_tolerance_s,
            default.clock_tolerance_s,
        ),
        ("holds_min_days", own.holds_min_days, default.holds_min_days),
    ] {
        if value != default {
            text.push_str(&format!("{key} = {value}\n"));
        }
    }
    let limit_written = own.accuracy_max_ms != default.accuracy_max_ms;
    if own.accuracy_may_miss == limit_written {
        let missing = if own.accuracy_may_miss {
            "accept"
        } else {
            "refuse"
        };
        text.push_str(&format!("accuracy_missing = \"{missing}\"\n"));
    }
    if tsa.second {
        text.push_str("second = true\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read_text(text: &str) -> Result<Vec<TsaConfig>, String> {
        #[derive(Deserialize)]
        struct Whole {
            tsa: Vec<TsaForm>,
        }
        let whole: Whole = toml::from_str(text).map_err(|error| error.to_string())?;
        read(whole.tsa, &Place::of(Path::new("/a/fumikura.toml")))
            .map_err(|error| error.to_string())
    }

    const REMOTE: &str = "[[tsa]]\nname = \"n\"\nurl = \"https://t/\"\ntrust = \"t.pem\"\n";

    #[test]
    fn settings_are_read_in_order_of_priority_and_written_back() {
        let text = format!(
            "[[tsa]]\nname = \"own\"\nembedded = true\n{REMOTE}priority = 1\nretries = 0\naccuracy_max_ms = 1500\nclock_tolerance_s = 10\nholds_min_days = 366\nsecond = true\n"
        );
        let read = read_text(&text).unwrap();
        let [first, own] = read.as_slice() else {
            panic!("{read:?}");
        };
        assert_eq!(
            (
                first.name.as_str(),
                first.priority,
                first.retries,
                first.second
            ),
            ("n", 1, 0, true)
        );
        assert_eq!(
            (
                first.demands.accuracy_max_ms,
                first.demands.accuracy_may_miss
            ),
            (1500, false)
        );
        assert_eq!(own, &TsaConfig::embedded("own"));
        let place = Place::of(Path::new("/a/fumikura.toml"));
        let written: String = read.iter().map(|tsa| text_of(tsa, &place)).collect();
        assert_eq!(read_text(&written).unwrap(), read);
    }

    fn text_of(tsa: &TsaConfig, place: &Place) -> String {
        text(tsa, place)
    }

    #[test]
    fn a_written_limit_is_meant_unless_its_absence_is_accepted() {
        for (more, may_miss) in [
            ("", true),
            ("accuracy_max_ms = 1000\n", false),
            (
                "accuracy_max_ms = 500\naccuracy_missing = \"accept\"\n",
                true,
            ),
            ("accuracy_missing = \"refuse\"\n", false),
        ] {
            let read = read_text(&format!("{REMOTE}{more}")).unwrap();
            assert_eq!(read[0].demands.accuracy_may_miss, may_miss, "{more}");
            let place = Place::of(Path::new("/a/fumikura.toml"));
            assert_eq!(
                read_text(&text(&read[0], &place)).unwrap()[0]
                    .demands
                    .accuracy_may_miss,
                may_miss
            );
        }
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_named() {
        for (more, key) in [
            ("accuracy_max_ms = 0", "accuracy_max_ms"),
            ("accuracy_max_ms = 60001", "accuracy_max_ms"),
            ("accuracy_missing = \"maybe\"", "maybe"),
            ("clock_tolerance_s = 0", "clock_tolerance_s"),
            ("clock_tolerance_s = 3601", "clock_tolerance_s"),
            ("holds_min_days = 3651", "holds_min_days"),
            ("retries = 11", "retries"),
            ("priority = -1", "priority"),
            ("seconds = true", "seconds"),
            ("[[tsa]]\nname = \"n\"\nembedded = true", "tsa.name"),
            ("[[tsa]]\nname = \"\"\nembedded = true", "tsa.name"),
        ] {
            let refused = read_text(&format!("{REMOTE}{more}\n")).unwrap_err();
            assert!(refused.contains(key), "{more}: {refused}");
        }
    }
}
