//! The part `[alarms.mail]` of the configuration: the mail server that alarms go through, and to whom.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};
use super::service::SecretPlace;

/// To whom alarms are mailed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// The name of the server, which its certificate must have.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: MailSecurity,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// The account at the server and where its password is, if it wants one.
    pub account: Option<(String, SecretPlace)>,
    /// PEM file of root certificates for TLS, where it does not use a public one.
    pub tls_roots: Option<PathBuf>,
}

/// How the connection to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailSecurity {
    /// TLS from the beginning (RFC 8314 §3.3).
    Tls,
    /// TLS after STARTTLS (RFC 3207); nothing is sent where the server does not offer it.
    Starttls,
    /// Not at all: for a server on this machine.
    None,
}

/// As it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MailForm {
    server: String,
    port: Option<u16>,
    security: Option<MailSecurity>,
    from: String,
    to: Vec<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    password_credential: Option<String>,
    tls_roots: Option<PathBuf>,
}

/// Reads the part.
pub(super) fn read(form: MailForm, place: &Place) -> Result<MailConfig, ConfigError> {
    let security = form.security.unwrap_or(MailSecurity::Tls);
    let is_name = !form.server.is_empty()
        && form.server.len() <= 255
        && form
            .server
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || ".-:[]".contains(one));
    if !is_name {
        return Err(place.invalid(
            "alarms.mail.server",
            "the name of a mail server, without its port",
            "メールサーバーの名前(ポートは port に)",
        ));
    }
    let is_here = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&form.server.as_str());
    if security == MailSecurity::None && !is_here {
        return Err(place.invalid(
            "alarms.mail.security",
            "tls or starttls; none only for a server on this machine",
            "tls か starttls(none は同じ機械のサーバーだけ)",
        ));
    }
    let is_address = |text: &String| {
        let parts = text.split_once('@');
        parts.is_some_and(|(who, at)| !who.is_empty() && !at.is_empty())
            && !text.chars().any(|one| one.is_control() || one == ' ')
    };
    if !is_address(&form.from) {
        return Err(place.invalid(
            "alarms.mail.from",
            "an address, as archive@example.jp",
            "archive@example.jp のようなアドレス",
        ));
    }
    if form.to.is_empty() || form.to.len() > RECEIVERS_MAX || !form.to.iter().all(is_address) {
        return Err(place.invalid(
            "alarms.mail.to",
            "1 to 50 addresses",
            "1 件から 50 件のアドレス",
        ));
    }
    let secret = SecretPlace::read(form.password_file, form.password_credential, place);
    let account = account(form.user, secret, security, place)?;
    Ok(MailConfig {
        account,
        port: form.port.unwrap_or(match security {
            MailSecurity::Tls => 465,
            MailSecurity::Starttls => 587,
            MailSecurity::None => 25,
        }),
        server: form.server,
        security,
        from: form.from,
        to: form.to,
        tls_roots: form.tls_roots.map(|path| place.absolute(path)),
    })
}

fn account(
    user: Option<String>,
    secret: Result<Option<SecretPlace>, ()>,
    security: MailSecurity,
    place: &Place,
) -> Result<Option<(String, SecretPlace)>, ConfigError> {
    let secret = secret.map_err(|()| {
        place.invalid(
            "alarms.mail.password_credential",
            "the name of a credential, and not beside password_file",
            "クレデンシャルの名前(password_file と併用できません)",
        )
    })?;
    match (user, secret) {
        (None, None) => Ok(None),
        (Some(user), Some(secret)) if security != MailSecurity::None => Ok(Some((user, secret))),
        _ => Err(place.invalid(
            "alarms.mail.user",
            "a user with password_file or password_credential, over TLS",
            "user と password_file(または password_credential)の両方。TLS が必要です",
        )),
    }
}

/// The text of the part in the file.
pub(super) fn text(mail: &MailConfig, place: &Place) -> String {
    let security = match mail.security {
        MailSecurity::Tls => "tls",
        MailSecurity::Starttls => "starttls",
        MailSecurity::None => "none",
    };
    let to: Vec<String> = mail.to.iter().map(|one| quoted(one)).collect();
    let mut text = format!(
        "\n# To whom alarms are mailed.\n[alarms.mail]\nserver = {}\nport = {}\nsecurity = {}\nfrom = {}\nto = [{}]\n",
        quoted(&mail.server),
        mail.port,
        quoted(security),
        quoted(&mail.from),
        to.join(", ")
    );
    if let Some((user, secret)) = &mail.account {
        text.push_str(&format!("user = {}\n", quoted(user)));
        let keys = ["password_file", "password_credential"];
        text.push_str(&secret.text(keys, place));
    }
    if let Some(roots) = &mail.tls_roots {
        text.push_str(&format!("tls_roots = {}\n", place.shown(roots)));
    }
    text
}

const RECEIVERS_MAX: usize = 50;
