//! The part `[service.https.openid]` of the configuration: the company's OpenID provider, and what a log-in by it must prove.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};
use super::service::SecretPlace;

/// A provider by which people log in (OpenID Connect Core 1.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenidConfig {
    /// Its issuer, exactly as its tokens name it.
    pub issuer: String,
    /// What it calls this service.
    pub client_id: String,
    /// Where the secret is that it gave to this service.
    pub client_secret: SecretPlace,
    /// How browsers reach this service: scheme, host and port. The provider sends them back below it.
    pub public_url: String,
    /// The provider's name on the button.
    pub label: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Which claim of the ID token names the account.
    pub account_claim: String,
    /// One of these must be the `acr` of the log-in; empty: any.
    pub acr: Vec<String>,
    /// Each of these must be among the `amr` of the log-in; empty: none.
    pub amr: Vec<String>,
    /// PEM file of the authorities of its TLS certificate, in place of the public ones.
    pub tls_roots: Option<PathBuf>,
    /// Its clock may differ by so many seconds.
    pub clock_skew_seconds: u32,
}

/// As it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenidForm {
    issuer: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    client_credential: Option<String>,
    public_url: String,
    label: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    account_claim: Option<String>,
    #[serde(default)]
    acr: Vec<String>,
    #[serde(default)]
    amr: Vec<String>,
    tls_roots: Option<PathBuf>,
    clock_skew_seconds: Option<u32>,
}

/// Reads the part.
pub(super) fn read(form: OpenidForm, place: &Place) -> Result<OpenidConfig, ConfigError> {
    if !is_https(&form.issuer) || form.issuer.contains(['?', '#']) {
        return Err(place.invalid(
            "service.https.openid.issuer",
            "the issuer as the provider names it, https:// and without query",
            "プロバイダーの issuer(https:// で始まり、クエリのないもの)",
        ));
    }
    let public_url = form.public_url.trim_end_matches('/').to_owned();
    if !is_https(&public_url) || public_url.matches('/').count() != 2 || public_url.contains('?') {
        return Err(place.invalid(
            "service.https.openid.public_url",
            "how browsers reach this service: https://, host and port, without path",
            "ブラウザーから見たこのサービスの住所(https:// とホスト・ポートのみ、パスなし)",
        ));
    }
    if !is_word(&form.client_id) {
        return Err(place.invalid(
            "service.https.openid.client_id",
            "what the provider calls this service: 1 to 255 characters without spaces",
            "プロバイダーに登録したクライアント ID(空白なしの 1〜255 字)",
        ));
    }
    let label = form.label.unwrap_or_else(|| LABEL.to_owned());
    let label = label.trim().to_owned();
    if label.is_empty() || label.chars().count() > LABEL_MAX || label.chars().any(char::is_control)
    {
        return Err(place.invalid(
            "service.https.openid.label",
            "a name of 1 to 40 characters",
            "1〜40 字の名前",
        ));
    }
    let account_claim = form
        .account_claim
        .unwrap_or_else(|| ACCOUNT_CLAIM.to_owned());
    let clock_skew_seconds = form.clock_skew_seconds.unwrap_or(CLOCK_SKEW_SECONDS);
    if clock_skew_seconds > CLOCK_SKEW_SECONDS_MAX {
        return Err(place.invalid(
            "service.https.openid.clock_skew_seconds",
            "from 0 to 300 seconds",
            "0 から 300 秒まで",
        ));
    }
    check_words(
        &[
            ("service.https.openid.scopes", form.scopes.as_slice()),
            ("service.https.openid.acr", &form.acr),
            ("service.https.openid.amr", &form.amr),
            (
                "service.https.openid.account_claim",
                std::slice::from_ref(&account_claim),
            ),
        ],
        place,
    )?;
    Ok(OpenidConfig {
        client_secret: client_secret(form.client_secret_file, form.client_credential, place)?,
        issuer: form.issuer,
        client_id: form.client_id,
        public_url,
        label,
        scopes: form.scopes,
        account_claim,
        acr: form.acr,
        amr: form.amr,
        tls_roots: form.tls_roots.map(|path| place.absolute(path)),
        clock_skew_seconds,
    })
}

fn client_secret(
    file: Option<PathBuf>,
    credential: Option<String>,
    place: &Place,
) -> Result<SecretPlace, ConfigError> {
    let read = SecretPlace::read(file, credential, place).ok().flatten();
    read.ok_or_else(|| {
        place.invalid(
            "service.https.openid.client_secret_file",
            "a file with the secret, or client_credential with the name of a credential, and not both",
            "秘密を書いたファイル、またはクレデンシャル名(client_credential)のどちらか一つ",
        )
    })
}

fn check_words(lists: &[(&'static str, &[String])], place: &Place) -> Result<(), ConfigError> {
    for (key, words) in lists {
        if !words.iter().all(|word| is_word(word)) {
            return Err(place.invalid(
                key,
                "1 to 255 characters without spaces each",
                "それぞれ空白なしの 1〜255 字",
            ));
        }
    }
    Ok(())
}

/// The text of the part in the file.
pub(super) fn text(openid: &OpenidConfig, place: &Place) -> String {
    let mut text = format!(
        "\n# The OpenID provider by which people may log in.\n[service.https.openid]\nissuer = {}\nclient_id = {}\n",
        quoted(&openid.issuer),
        quoted(&openid.client_id),
    );
    let keys = ["client_secret_file", "client_credential"];
    text.push_str(&openid.client_secret.text(keys, place));
    text.push_str(&format!("public_url = {}\n", quoted(&openid.public_url)));
    text.push_str(&format!("label = {}\n", quoted(&openid.label)));
    text.push_str(&format!(
        "account_claim = {}\n",
        quoted(&openid.account_claim)
    ));
    for (key, words) in [
        ("scopes", &openid.scopes),
        ("acr", &openid.acr),
        ("amr", &openid.amr),
    ] {
        if !words.is_empty() {
            let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            text.push_str(&format!("{key} = [{}]\n", words.join(", ")));
        }
    }
    if let Some(roots) = &openid.tls_roots {
        text.push_str(&format!("tls_roots = {}\n", place.shown(roots)));
    }
    if openid.clock_skew_seconds != CLOCK_SKEW_SECONDS {
        text.push_str(&format!(
            "clock_skew_seconds = {}\n",
            openid.clock_skew_seconds
        ));
    }
    text
}

/// An address with a host, over TLS, of characters that a URL has.
fn is_https(text: &str) -> bool {
    let host = text.strip_prefix("https://").unwrap_or("");
    !host.is_empty() && !host.starts_with('/') && text.bytes().all(|one| one.is_ascii_graphic())
}

/// A word as scopes, claims and classes of authentication are: no spaces, which part them.
fn is_word(text: &str) -> bool {
    let is_plain = |one: char| !one.is_control() && !one.is_whitespace();
    (1..=WORD_MAX).contains(&text.chars().count()) && text.chars().all(is_plain)
}

/// The name on the button unless configured.
const LABEL: &str = "OpenID";

/// Characters of it: it is a button.
const LABEL_MAX: usize = 40;

/// The claim that no provider gives to another person (OpenID Connect Core 1.0 §5.7).
const ACCOUNT_CLAIM: &str = "sub";

/// Characters of a word.
const WORD_MAX: usize = 255;

/// What clocks that are set by the network differ by at most.
const CLOCK_SKEW_SECONDS: u32 = 60;

/// More is no clock.
const CLOCK_SKEW_SECONDS_MAX: u32 = 300;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const GOOD: &str = "issuer = \"https://id.example/realms/a\"\nclient_id = \"fumikura\"\nclient_secret_file = \"openid.secret\"\npublic_url = \"https://archive.example:8443/\"\nscopes = [\"profile\"]\nacr = [\"phr\"]\namr = [\"mfa\"]\nclock_skew_seconds = 5\nlabel = \"会社\"\n";

    fn parsed(text: &str) -> Result<OpenidConfig, ConfigError> {
        read(
            toml::from_str(text).expect("a table"),
            &Place::of(Path::new("/a/fumikura.toml")),
        )
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = parsed(GOOD).expect("it is good");
        assert_eq!(config.account_claim, "sub");
        assert_eq!(config.public_url, "https://archive.example:8443");
        let secret = PathBuf::from("/a/openid.secret");
        assert_eq!(config.client_secret, SecretPlace::File(secret));
        let place = Place::of(Path::new("/a/fumikura.toml"));
        let written = text(&config, &place).replace("[service.https.openid]", "");
        assert_eq!(parsed(&written).expect("own text"), config);
    }

    #[test]
    fn each_bad_value_is_named() {
        for (from, to, key) in [
            ("https://id.example", "http://id.example", "issuer"),
            ("realms/a", "realms/a?x=1", "issuer"),
            ("https://archive", "http://archive", "public_url"),
            (":8443/", ":8443/path", "public_url"),
            ("\"fumikura\"", "\"a b\"", "client_id"),
            ("\"会社\"", "\" \"", "label"),
            ("[\"profile\"]", "[\"profile email\"]", "scopes"),
            ("[\"phr\"]", "[\"\"]", "acr"),
            ("[\"mfa\"]", "[\"m fa\"]", "amr"),
            ("seconds = 5", "seconds = 301", "clock_skew_seconds"),
            ("label", "account_claim = \"\"\nlabel", "account_claim"),
            (
                "client_secret_file = \"openid.secret\"",
                "",
                "client_secret_file",
            ),
            (
                "label",
                "client_credential = \"openid\"\nlabel",
                "client_secret_file",
            ),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from} stands in the sample");
            match parsed(&text) {
                Err(ConfigError::Invalid { key: found, .. }) => {
                    assert_eq!(found, format!("service.https.openid.{key}"));
                }
                other => panic!("{key}: {other:?}"),
            }
        }
        let inline = format!("{GOOD}client_secret = \"x\"\n");
        toml::from_str::<OpenidForm>(&inline).expect_err("a secret never stands inline");
    }
}
