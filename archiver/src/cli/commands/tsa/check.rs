//! `archiver tsa check`: one test timestamp from each authority, and every check of it explained.

use formats::digest::DigestAlgorithm;
use serde_json::{Value, json};

use super::keys;
use crate::archive::{self, ArchiveError, Authorities};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::{Output, moment, shown_name};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::config::{Config, TsaConfig, TsaKind};
use crate::tsa::checks::{AcceptedToken, CheckResult};
use crate::tsa::client::{Timestamper, TsaClient};

pub(super) fn run(session: &Session, only: Option<&str>) -> Result<Exit, Failure> {
    let config = session.config()?;
    let keys = keys(session, &config)?;
    let authorities = archive::configured(&config, &keys, &session.environment)?;
    let wanted: Vec<_> = config
        .tsas
        .iter()
        .zip(&authorities.clients)
        .filter(|(tsa, client)| only.is_none_or(|only| only == tsa.name || only == client.name()))
        .collect();
    if wanted.is_empty() {
        return Err(unknown(session.output.lang, only.unwrap_or(""), &config));
    }
    let asked = wanted.len();
    let mut accepted = 0;
    for (tsa, client) in wanted {
        if ask(session, &authorities, tsa, client)? {
            accepted += 1;
        }
    }
    Ok(if accepted == asked {
        Exit::Done
    } else if accepted > 0 {
        Exit::Partial
    } else {
        Exit::Tsa
    })
}

fn unknown(lang: Lang, only: &str, config: &Config) -> Failure {
    let names: Vec<&str> = config.tsas.iter().map(|tsa| tsa.name.as_str()).collect();
    let (only, names) = (shown_name(only), shown_name(&names.join(", ")));
    Failure::said(
        Exit::Usage,
        lang,
        format!("時刻認証局 {only} は設定にありません。設定にあるもの: {names}"),
        format!("no TSA {only} is configured; there are: {names}"),
    )
}

/// Asks one authority, remembers how it did, and says everything; gives whether its token would be accepted.
fn ask(
    session: &Session,
    authorities: &Authorities,
    tsa: &TsaConfig,
    client: &TsaClient,
) -> Result<bool, Failure> {
    let output = &session.output;
    let mut random = [0u8; 32];
    let entropy = &session.environment.entropy;
    entropy.fill(&mut random).map_err(ArchiveError::from)?;
    let imprint = DigestAlgorithm::Sha256.digest(&random);
    let spinner = output.spinner(&shown_name(client.name()));
    let examined = client.examine_now(&imprint);
    spinner.finish_and_clear();
    let health = &authorities.health;
    let head = Head { tsa, client };
    let examination = match examined {
        Ok(examination) => examination,
        Err(error) => {
            health.failed(client.name(), &error);
            head.say(output, false);
            output.say(&format!(
                "  {}  {}",
                mark(output.lang, false),
                error.text(output.lang)
            ));
            let mut event = head.json(false);
            set(&mut event, "reason", json!(error.to_string()));
            output.event(&event);
            return Ok(false);
        }
    };
    let results = examination.results.clone();
    let token = AcceptedToken::from_examination(examination, client.trust(), client.name());
    match &token {
        Ok(token) => health.succeeded(client.name(), token),
        Err(refusal) => health.failed(client.name(), &refusal.clone().into()),
    }
    head.say(output, token.is_ok());
    for result in &results {
        output.say(&line(result, output.lang));
    }
    let mut event = head.json(token.is_ok());
    let checks: Vec<Value> = results.iter().map(as_json).collect();
    set(&mut event, "checks", Value::Array(checks));
    if let Ok(token) = &token {
        say_token(output, token);
        set(&mut event, "gen_time", json!(rfc3339(token.gen_time())));
        set(
            &mut event,
            "holds_until",
            json!(token.holds_until().map(rfc3339)),
        );
        set(&mut event, "accreditation", token.statutory().to_json());
    }
    output.event(&event);
    Ok(token.is_ok())
}

fn say_token(output: &Output, token: &AcceptedToken) {
    let lang = output.lang;
    output.say(&format!("  {}", token.statutory().text(lang.into())));
    if let Some(until) = token.holds_until() {
        output.say(&lang.pick(
            format!("  {} までに更新が必要です", moment(until)),
            format!("  must be renewed before {}", moment(until)),
        ));
    }
}

/// What is said of an authority before its checks.
struct Head<'a> {
    tsa: &'a TsaConfig,
    client: &'a TsaClient,
}

impl Head<'_> {
    fn address(&self) -> &str {
        match &self.tsa.kind {
            TsaKind::Embedded => "-",
            TsaKind::Remote { url, .. } => url,
        }
    }

    fn say(&self, output: &Output, accepted: bool) {
        let (name, address) = (shown_name(self.client.name()), shown_name(self.address()));
        output.say(&if accepted {
            output.lang.pick(
                format!("{name} ({address}): 使用できます"),
                format!("{name} ({address}): can be used"),
            )
        } else {
            output.lang.pick(
                format!("{name} ({address}): 使用できません"),
                format!("{name} ({address}): cannot be used"),
            )
        });
    }

    fn json(&self, accepted: bool) -> Value {
        json!({
            "event": "tsa-check", "name": self.client.name(), "url": self.address(), "accepted": accepted,
        })
    }
}

fn line(result: &CheckResult, lang: Lang) -> String {
    let what = result.check.text(lang);
    let passed = result.failure.is_none();
    let detail = match (&result.failure, &result.found) {
        (Some(refusal), _) => format!(": {}", refusal.text(lang)),
        (None, Some(found)) => format!(" ({})", shown_name(found)),
        (None, None) => String::new(),
    };
    format!(
        "  {}  {what} [{}]{detail}",
        mark(lang, passed),
        result.check.clause()
    )
}

fn as_json(result: &CheckResult) -> Value {
    json!({
        "check": result.check.id(),
        "clause": result.check.clause(),
        "passed": result.failure.is_none(),
        "found": result.found,
        "reason": result.failure.as_ref().map(ToString::to_string),
    })
}

/// Both marks are equally wide in a terminal.
fn mark(lang: Lang, passed: bool) -> &'static str {
    if passed {
        lang.pick("合", "ok  ")
    } else {
        lang.pick("否", "FAIL")
    }
}

fn set(event: &mut Value, key: &str, value: Value) {
    if let Some(members) = event.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}
