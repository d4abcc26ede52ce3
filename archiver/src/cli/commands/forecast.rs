//! `archiver evidence forecast`: the timetable of the years ahead.

use serde_json::{Value, json};
use time::Duration;

use crate::archive::Access;
use crate::cli::arguments::EvidenceForecast;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, moment, sized};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::evidence::calendar::{Assumptions, Forecast, RenewalOptions, forecast};

use super::renew::{facts, words};

pub(in crate::cli) fn run(
    session: &Session,
    arguments: &EvidenceForecast,
) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let chains = facts(session, &archive, archive.policy())?;
    let options = RenewalOptions::from(&archive.config().renewal);
    let now = archive.environment().clock.now();
    let until = now.saturating_add(Duration::days(i64::from(arguments.years) * 365));
    let assumptions = Assumptions::from_facts(&chains);
    let found = forecast(&chains, archive.policy(), &options, assumptions, now, until);
    events(session, &found);
    timetable(session, &found, archive.policy().name());
    Ok(if found.lost.is_empty() && found.blocked.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn timetable(session: &Session, found: &Forecast, policy: &str) {
    let lang = session.output.lang;
    let say = |text: String| session.output.say(&text);
    let (from, until) = (moment(found.from), moment(found.until));
    say(lang.pick(
        format!("{from} から {until} までの見通し(ポリシー: {policy})"),
        format!("forecast from {from} to {until} (policy: {policy})"),
    ));
    say(lang
        .pick("今の証拠で終わるもの", "what ends of today's evidence")
        .to_owned());
    if found.ends.is_empty() {
        say(lang.pick("  なし", "  nothing").to_owned());
    }
    for group in &found.ends {
        let (records, chains) = (grouped(group.versions), grouped(group.chains));
        let end = words::end(&group.end, lang);
        say(lang.pick(
            format!("  {end}: {chains} 系列、{records} 版"),
            format!("  {end}: {chains} chains, {records} record versions"),
        ));
    }
    say(lang.pick("行うこと", "what will be done").to_owned());
    for step in &found.steps {
        let (at, what) = (moment(step.at), words::action(&step.action.action, lang));
        let records = grouped(step.action.versions);
        let why = words::cause(&step.action.cause, lang);
        say(lang.pick(
            format!("  {at} {what}: {records} 版({why})"),
            format!("  {at} {what}: {records} record versions ({why})"),
        ));
    }
    for lost in &found.lost {
        let (records, end) = (grouped(lost.versions), words::end(&lost.end, lang));
        say(lang.pick(
            format!("失われるもの: {records} 版({end})"),
            format!("lost: {records} record versions ({end})"),
        ));
    }
    for blocked in &found.blocked {
        let why = words::obstacle(&blocked.why, lang);
        say(lang.pick(
            format!("今できないこと: {why}"),
            format!("cannot be done now: {why}"),
        ));
    }
    let (requests, bytes) = (found.requests(), sized(found.bytes()));
    say(lang.pick(
        format!("合計: 時刻認証局への要求 {requests} 回、各データ媒体に約 {bytes}"),
        format!("in all: {requests} requests to an authority, about {bytes} on each data medium"),
    ));
    assumptions(session, found);
}

fn assumptions(session: &Session, found: &Forecast) {
    let lang = session.output.lang;
    let days = found.assumptions.certificates_hold.whole_days();
    session.output.say(&lang.pick(
        format!("前提: 今ある記録だけを数え、今後の記録は同じ更新に加わる。新しいトークンの証明書は {days} 日有効(この保管庫で最も長いもの)で、局は証明書を更新し続ける。署名アルゴリズムは今のまま、終わる前に局が乗り換える。アルゴリズムの期限はポリシーのとおり"),
        format!("assumed: only today's records are counted, later ones join the same renewals; a new token's certificates hold for {days} days, the longest seen in this archive, and authorities keep renewing theirs; signature algorithms stay as they are until an authority moves on before they end; algorithms end as the policy says"),
    ));
}

fn events(session: &Session, found: &Forecast) {
    let mut lines: Vec<Value> = Vec::new();
    for group in &found.ends {
        let more =
            json!({ "event": "forecast-end", "chains": group.chains, "records": group.versions });
        lines.push(words::with(words::end_json(&group.end), more));
    }
    for step in &found.steps {
        let more = json!({ "event": "forecast-step", "at": rfc3339(step.at) });
        lines.push(words::with(words::action_json(&step.action), more));
    }
    for lost in &found.lost {
        lines.push(json!({
            "event": "forecast-lost", "records": lost.versions, "track": lost.track, "end": words::end_json(&lost.end),
        }));
    }
    lines.push(json!({
        "event": "forecast", "from": rfc3339(found.from), "until": rfc3339(found.until),
        "requests": found.requests(), "bytes": found.bytes(), "steps": found.steps.len(),
        "lost": found.lost.len(), "blocked": found.blocked.len(),
        "assumptions": {
            "certificates_hold_days": found.assumptions.certificates_hold.whole_days(),
            "records": "only today's",
        },
    }));
    session.output.events(&lines);
}
