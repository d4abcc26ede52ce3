//! `archiver tsa status`: what is remembered of each authority.

use serde_json::json;

use crate::archive;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{moment, shown_name};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::config::{TsaConfig, TsaKind};
use crate::tsa::client::EMBEDDED_NAME;
use crate::tsa::health::{AuthorityHealth, CircuitState};

pub(super) fn run(session: &Session) -> Result<Exit, Failure> {
    let config = session.config()?;
    session.tell_evaluation(&config);
    let health = archive::health(&config, &session.environment);
    for tsa in &config.tsas {
        let name = match &tsa.kind {
            TsaKind::Embedded => EMBEDDED_NAME,
            TsaKind::Remote { .. } => tsa.name.as_str(),
        };
        tell(session, tsa, name, &health.of(name));
    }
    Ok(Exit::Done)
}

fn tell(session: &Session, tsa: &TsaConfig, name: &str, health: &AuthorityHealth) {
    let (state, until) = match health.state {
        CircuitState::Ready if health.failures > 0 => ("failing", None),
        CircuitState::Ready => ("ready", None),
        CircuitState::Open(until) => ("open", Some(until)),
        CircuitState::Waiting(until) => ("waiting", Some(until)),
    };
    let (failed_at, reason) = health.last_failure.clone().unzip();
    session.output.event(&json!({
        "event": "tsa", "name": name, "priority": tsa.priority, "second": tsa.second,
        "state": state, "until": until.map(rfc3339), "failures": health.failures,
        "last_success": health.last_success.map(rfc3339),
        "last_failure": failed_at.map(rfc3339), "reason": reason,
    }));
    let lang = session.output.lang;
    let until = until.map(moment).unwrap_or_default();
    let said = match state {
        "ready" => lang.pick("使用できます".to_owned(), "ready".to_owned()),
        "failing" => lang.pick(
            format!("{} 回続けて失敗しました", health.failures),
            format!("failed {} times in a row", health.failures),
        ),
        "open" => lang.pick(
            format!("失敗が続いたため {until} まで最後に問い合わせます"),
            format!("failed often, asked last until {until}"),
        ),
        _ => lang.pick(
            format!("局の求めにより {until} まで問い合わせません"),
            format!("not asked before {until}, as it wishes"),
        ),
    };
    let place = if tsa.second {
        lang.pick("、第二のトークン用", ", for second tokens")
    } else {
        ""
    };
    let priority = tsa.priority;
    session.output.say(&lang.pick(
        format!("{}(優先順位 {priority}{place}): {said}", shown_name(name)),
        format!("{} (priority {priority}{place}): {said}", shown_name(name)),
    ));
    if let Some(at) = health.last_success {
        session.output.say(&lang.pick(
            format!("  最後のトークン: {}", moment(at)),
            format!("  last token: {}", moment(at)),
        ));
    }
    if let (Some(at), Some(reason)) = (failed_at, reason) {
        session.output.say(&lang.pick(
            format!("  最後の失敗: {}: {}", moment(at), shown_name(&reason)),
            format!("  last failure: {}: {}", moment(at), shown_name(&reason)),
        ));
    }
}
