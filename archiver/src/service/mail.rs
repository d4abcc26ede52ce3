//! Alarms and events by mail (RFC 5321): in Japanese and English, one message for each, with a message id by which a mail program knows one that was sent twice.

use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::SmtpTransportBuilder;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::notify::Notifier;
use super::outgoing::WAIT_MAX;
use crate::cli::output::moment;
use crate::config::{MailConfig, MailSecurity};

/// What a mailer is made of.
#[derive(Clone)]
pub struct MailParts<'a> {
    /// The server, and to whom.
    pub config: &'a MailConfig,
    /// The password of the account, where the server wants one.
    pub password: Option<SecretString>,
    /// DER of root certificates, in place of the public ones; empty: those of the system.
    pub tls_roots: &'a [Vec<u8>],
}

impl std::fmt::Debug for MailParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailParts")
            .field("config", self.config)
            .finish_non_exhaustive()
    }
}

/// Sends what is told by mail.
pub struct Mailer {
    server: SmtpTransportBuilder,
    /// The account, and its password: in the clear only while it is sent.
    account: Option<(String, SecretString)>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    /// Prepares the connection; nothing is sent.
    ///
    /// # Errors
    /// What is wrong with an address or the TLS roots, in words.
    pub fn new(parts: MailParts<'_>) -> Result<Self, String> {
        let config = parts.config;
        let mailbox = |text: &String| {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|error: AddressError| format!("{text}: {error}"))
        };
        let server = config.server.trim_matches(['[', ']']);
        let user = config.account.as_ref().map(|(user, _)| user.clone());
        Ok(Self {
            // What protects the connection is set here, and nothing is left to the name.
            server: SmtpTransport::builder_dangerous(server)
                .port(config.port)
                .timeout(Some(WAIT_MAX))
                .tls(tls(&parts, server)?),
            account: user.zip(parts.password),
            from: mailbox(&config.from)?,
            to: config.to.iter().map(mailbox).collect::<Result<_, _>>()?,
        })
    }

    /// The message as it is sent.
    fn message(&self, told: &Value) -> Result<Message, String> {
        let builder: MessageBuilder = Message::builder()
            .from(self.from.clone())
            .subject(subject(told))
            .date(sent_at(told).into())
            .message_id(Some(self.id(told)));
        let builder = self.to.iter().cloned().fold(builder, MessageBuilder::to);
        let built = builder.header(ContentType::TEXT_PLAIN).body(body(told));
        built.map_err(|error| error.to_string())
    }

    /// The same for the same notice, also after a restart: a repeated delivery is no second notice.
    fn id(&self, told: &Value) -> String {
        let told =
            ["archive", "alarm", "subject", "state", "since", "events"].map(|key| told.get(key));
        let digest = Sha256::digest(json!(told).to_string());
        let name = hex::encode(digest.get(..16).unwrap_or_default());
        format!("<{name}@{}>", self.from.email.domain())
    }
}

fn tls(parts: &MailParts<'_>, server: &str) -> Result<Tls, String> {
    let mut builder = TlsParameters::builder(server.to_owned());
    if !parts.tls_roots.is_empty() {
        builder = builder.certificate_store(CertificateStore::None);
    }
    for root in parts.tls_roots {
        let root = Certificate::from_der(root.clone()).map_err(|error| error.to_string())?;
        builder = builder.add_root_certificate(root);
    }
    let parameters = || builder.build().map_err(|error| error.to_string());
    Ok(match parts.config.security {
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::Starttls => Tls::Required(parameters()?),
        MailSecurity::None => Tls::None,
    })
}

impl Notifier for Mailer {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn notify(&self, message: &Value) -> Result<(), String> {
        let mail = self.message(message)?;
        let mut server = self.server.clone();
        if let Some((user, password)) = &self.account {
            let password = password.expose_secret().to_owned();
            server = server.credentials(Credentials::new(user.clone(), password));
        }
        // What the server answers names addresses at most.
        let sent = server.build().send(&mail);
        sent.map(drop).map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer")
            .field("to", &self.to.len())
            .finish_non_exhaustive()
    }
}

/// One line: whose archive, what, and how it stands. Others may have entered parts of it.
fn subject(told: &Value) -> String {
    let first = text(told, "ja").lines().next().unwrap_or_default();
    let (ja, en) = match told["state"].as_str() {
        Some("raised") => ("警報", "alarm"),
        Some("standing") => ("警報(継続中)", "alarm, still there"),
        Some("solved") => ("警報解消", "alarm over"),
        Some(_) | None => ("報告すべき事象", "to report"),
    };
    let line = format!("[文蔵 Fumikura] {ja} / {en}: {}", first);
    line.chars()
        .filter(|one| !one.is_control())
        .take(SUBJECT_CHARACTERS_MAX)
        .collect()
}

fn body(told: &Value) -> String {
    let part = |key: &str| told[key].as_str().unwrap_or_default();
    let at = moment(sent_at(told));
    let since = told["since"].as_str().and_then(parsed).map(moment);
    let mut lines = vec![
        text(told, "ja").to_owned(),
        String::new(),
        text(told, "en").to_owned(),
    ];
    lines.push(String::new());
    if let Some(since) = since {
        lines.push(format!("発生 / since: {since}"));
    }
    lines.push(format!("時刻 / time: {at}"));
    lines.push(format!("保管庫 / archive: {}", part("archive")));
    lines.push(String::new());
    lines.push("文蔵の「警報と事象」のページで確かめ、したことを書き留めてください。".to_owned());
    lines.push(
        "Look at the page \"Alarms and events\" of the archive, and write down what was done."
            .to_owned(),
    );
    lines.join("\r\n")
}

/// What a notice says in a language.
fn text<'a>(told: &'a Value, language: &str) -> &'a str {
    let text = told.get("text").and_then(|text| text.get(language));
    text.and_then(Value::as_str).unwrap_or_default()
}

fn sent_at(told: &Value) -> OffsetDateTime {
    let at = told["at"].as_str().and_then(parsed);
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn parsed(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

const SUBJECT_CHARACTERS_MAX: usize = 150;

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
