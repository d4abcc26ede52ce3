//! The part `[alarms]` of the configuration: whom the service tells, when, and what of the audit trail is to be reported.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use time::Duration;

use super::ConfigError;
use super::mail::{self, MailConfig, MailForm};
use super::place::{Place, quoted};
use super::service::SecretPlace;
use crate::access::login::LockRules;
use crate::audit::EventRules;

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
    /// To whom they are mailed.
    pub mail: Option<MailConfig>,
    /// What of the audit trail is to be reported.
    pub events: EventRules,
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

impl Default for AlarmsConfig {
    fn default() -> Self {
        Self {
            unstamped_hours: 24,
            renewal_days: 90,
            tsa_failures: 3,
            webhook: None,
            mail: None,
            events: EventRules::default(),
        }
    }
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
    mail: Option<MailForm>,
    events: Option<EventsForm>,
}

/// The part `[alarms.events]` as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsForm {
    refused_count: Option<u32>,
    refused_minutes: Option<u32>,
    failed_log_ins: Option<u32>,
    retrievals_per_day: Option<u32>,
    retrieved_mib_per_day: Option<u32>,
    usual_hours: Option<(u8, u8)>,
}

/// Reads the part `[alarms]`.
pub(super) fn read(form: AlarmsForm, place: &Place) -> Result<AlarmsConfig, ConfigError> {
    let usual = AlarmsConfig::default();
    let at_least_one = |key, en, ja, value: Option<u32>, usual| match value.unwrap_or(usual) {
        0 => Err(place.invalid(key, en, ja)),
        value => Ok(value),
    };
    let secret = SecretPlace::read(form.webhook_secret_file, form.webhook_credential, place);
    let secret = secret.map_err(|()| {
        place.invalid(
            "alarms.webhook_credential",
            "the name of a credential, and not beside webhook_secret_file",
            "クレデンシャルの名前(webhook_secret_file と併用できません)",
        )
    })?;
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
        mail: form.mail.map(|form| mail::read(form, place)).transpose()?,
        events: form
            .events
            .map_or(Ok(usual.events), |form| read_events(&form, place))?,
    })
}

fn read_events(form: &EventsForm, place: &Place) -> Result<EventRules, ConfigError> {
    let usual = EventRules::default();
    let within = |key, value: Option<u32>, usual: u64, max: u64| {
        let value = value.map_or(usual, u64::from);
        if (1..=max).contains(&value) {
            return Ok(value);
        }
        Err(place.invalid(
            key,
            "1 or more, and no more than is of use: see docs/en/events.md",
            "1 以上で、意味のある範囲(docs/ja/events.md を参照)",
        ))
    };
    let refused = within(
        "alarms.events.refused_count",
        form.refused_count,
        usual.refused_max as u64,
        10_000,
    )?;
    let minutes = within(
        "alarms.events.refused_minutes",
        form.refused_minutes,
        usual.refused_within.whole_minutes().unsigned_abs(),
        24 * 60,
    )?;
    // Told before the account is locked.
    let lock = u64::from(LockRules::default().failures_max);
    let failures = within(
        "alarms.events.failed_log_ins",
        form.failed_log_ins,
        usual.failures_max,
        lock.saturating_sub(1),
    )?;
    let retrievals = within(
        "alarms.events.retrievals_per_day",
        form.retrievals_per_day,
        usual.retrievals_max,
        u64::from(u32::MAX),
    )?;
    let mib = within(
        "alarms.events.retrieved_mib_per_day",
        form.retrieved_mib_per_day,
        usual.retrieved_bytes_max >> 20,
        u64::from(u32::MAX),
    )?;
    let usual_hours = form.usual_hours.unwrap_or(usual.usual_hours);
    if usual_hours.0 >= usual_hours.1 || usual_hours.1 > 24 {
        return Err(place.invalid(
            "alarms.events.usual_hours",
            "two hours of the day, as [7, 22]",
            "[7, 22] のような二つの時刻",
        ));
    }
    Ok(EventRules {
        refused_max: usize::try_from(refused).unwrap_or(usual.refused_max),
        refused_within: Duration::minutes(i64::try_from(minutes).unwrap_or(10)),
        failures_max: failures,
        retrievals_max: retrievals,
        retrieved_bytes_max: mib << 20,
        usual_hours,
    })
}

/// The text of the part in the file; nothing where everything is as usual.
pub(super) fn text(alarms: &AlarmsConfig, place: &Place) -> String {
    let mut text = String::new();
    if *alarms != AlarmsConfig::default() {
        text.push_str(&format!(
            "\n# Whom it tells, and when.\n[alarms]\nunstamped_hours = {}\nrenewal_days = {}\ntsa_failures = {}\n",
            alarms.unstamped_hours, alarms.renewal_days, alarms.tsa_failures
        ));
        if let Some(webhook) = &alarms.webhook {
            text.push_str(&format!("webhook = {}\n", quoted(&webhook.url)));
            if let Some(secret) = &webhook.secret {
                let keys = ["webhook_secret_file", "webhook_credential"];
                text.push_str(&secret.text(keys, place));
            }
            if let Some(roots) = &webhook.tls_roots {
                text.push_str(&format!("webhook_tls_roots = {}\n", place.shown(roots)));
            }
        }
        if let Some(mail) = &alarms.mail {
            text.push_str(&mail::text(mail, place));
        }
        if alarms.events != EventRules::default() {
            text.push_str(&events_text(&alarms.events));
        }
    }
    text
}

fn events_text(events: &EventRules) -> String {
    format!(
        "\n# What of the audit trail is to be reported.\n[alarms.events]\nrefused_count = {}\nrefused_minutes = {}\nfailed_log_ins = {}\nretrievals_per_day = {}\nretrieved_mib_per_day = {}\nusual_hours = [{}, {}]\n",
        events.refused_max,
        events.refused_within.whole_minutes(),
        events.failures_max,
        events.retrievals_max,
        events.retrieved_bytes_max >> 20,
        events.usual_hours.0,
        events.usual_hours.1
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::super::{Config, MailSecurity};
    use super::*;

    pub(in super::super) fn sample() -> AlarmsConfig {
        AlarmsConfig {
            webhook: Some(WebhookConfig {
                url: "https://alarms.example/".into(),
                secret: Some(SecretPlace::Credential("alarms".into())),
                tls_roots: Some(PathBuf::from("/a/roots.pem")),
            }),
            mail: Some(MailConfig {
                server: "mail.example".into(),
                port: 587,
                security: MailSecurity::Starttls,
                from: "archive@example.jp".into(),
                to: vec!["a@example.jp".into(), "b@example.jp".into()],
                account: Some((
                    "archive".into(),
                    SecretPlace::File("/a/mail-password".into()),
                )),
                tls_roots: Some(PathBuf::from("/a/mail-roots.pem")),
            }),
            events: EventRules {
                failures_max: 3,
                ..EventRules::default()
            },
            ..AlarmsConfig::default()
        }
    }

    /// What stands in the sample, what is put in its place, and the key that is named.
    const BAD: &[(&str, &str, &str)] = &[
        (
            "unstamped_hours = 24",
            "unstamped_hours = 0",
            "alarms.unstamped_hours",
        ),
        (
            "https://alarms.example/",
            "alarms.example",
            "alarms.webhook",
        ),
        (
            "webhook = \"https://alarms.example/\"",
            "",
            "alarms.webhook",
        ),
        (
            "webhook_credential = \"alarms\"",
            "webhook_credential = \"../alarms\"",
            "alarms.webhook_credential",
        ),
        (
            "\"mail.example\"",
            "\"mail.example/x\"",
            "alarms.mail.server",
        ),
        ("\"starttls\"", "\"none\"", "alarms.mail.security"),
        (
            "from = \"archive@example.jp\"",
            "from = \"archive\"",
            "alarms.mail.from",
        ),
        (
            "\"b@example.jp\"",
            "\"b@example.jp\\r\\nBcc: c@example.jp\"",
            "alarms.mail.to",
        ),
        (
            "to = [\"a@example.jp\", \"b@example.jp\"]",
            "to = []",
            "alarms.mail.to",
        ),
        ("user = \"archive\"\n", "", "alarms.mail.user"),
        (
            "password_file = \"mail-password\"\n",
            "",
            "alarms.mail.user",
        ),
        (
            "failed_log_ins = 3",
            "failed_log_ins = 10",
            "alarms.events.failed_log_ins",
        ),
        (
            "refused_count = 5",
            "refused_count = 0",
            "alarms.events.refused_count",
        ),
        (
            "usual_hours = [7, 22]",
            "usual_hours = [22, 7]",
            "alarms.events.usual_hours",
        ),
    ];

    #[test]
    fn bad_values_are_named() {
        let config = super::super::tests::sample();
        let good = config.to_text();
        for (from, to, key) in BAD.iter().copied() {
            let text = good.replace(from, to);
            assert_ne!(text, good, "{from} stands in the sample");
            match Config::parse(Path::new("/a/fumikura.toml"), &text) {
                Err(ConfigError::Invalid { key: found, .. }) => assert_eq!(found, key),
                other => panic!("{key}: {other:?}"),
            }
        }
    }
}
