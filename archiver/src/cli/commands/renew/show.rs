//! A renewal plan for people and for machines.

use serde_json::{Value, json};

use crate::archive::Archive;
use crate::cli::output::{grouped, moment, sized};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::evidence::calendar::{Blocked, Lost, PlannedAction, RenewalPlan};

use super::words;

/// Shows a plan.
pub(super) fn plan(session: &Session, archive: &Archive, plan: &RenewalPlan) {
    let lang = session.output.lang;
    let media = archive.config().data.len() as u64;
    events(session, archive, plan);
    let say = |text: String| session.output.say(&text);
    say(lang.pick(
        format!(
            "更新計画 {} 現在(ポリシー: {})",
            moment(plan.made_at),
            archive.policy().name()
        ),
        format!(
            "renewal plan as of {} (policy: {})",
            moment(plan.made_at),
            archive.policy().name()
        ),
    ));
    if plan.due.is_empty() {
        say(lang
            .pick("今行うことはありません", "nothing is due")
            .to_owned());
    } else {
        let (requests, bytes) = (plan.requests(), sized(plan.bytes()));
        say(lang.pick(
            format!(
                "今行うこと: 時刻認証局への要求 {requests} 回、各データ媒体に約 {bytes}({media} 媒体)"
            ),
            format!(
                "due now: {requests} requests to an authority, about {bytes} on each of {media} data media"
            ),
        ));
        rows(session, &plan.due);
    }
    if !plan.later.is_empty() {
        say(lang.pick("今後", "later").to_owned());
        rows(session, &plan.later);
    }
    for lost in &plan.lost {
        say(lost_text(lost, session));
    }
    if plan.unproven() > 0 {
        let records = grouped(plan.unproven());
        say(lang.pick(
            format!("{records} 版には有効な証明が一つも残っていません。新しい最初のトークンは自動では取りません(その時点以降の存在しか証明しないため)。原因を確かめ、必要なら取り出して改めて受け入れてください"),
            format!("{records} record versions have no proof left. No new first token is made for them by itself, since it would prove only that they exist from then on: find out why, and where it is wanted retrieve and deposit them anew"),
        ));
    }
    for blocked in &plan.blocked {
        say(blocked_text(blocked, session));
    }
    if !plan.due.is_empty() {
        say(lang
            .pick(
                "archiver renew で実行します。保存期間を過ぎたもの、保全中のものも区別せず更新します",
                "'archiver renew' does it. Records beyond their retention or under hold are renewed like all others",
            )
            .to_owned());
    }
}

/// The actions, one line each and one for the reason.
pub(super) fn rows(session: &Session, actions: &[PlannedAction]) {
    let lang = session.output.lang;
    for planned in actions {
        let what = words::action(&planned.action, lang);
        let chains = grouped(planned.action.heads().len() as u64);
        let records = grouped(planned.versions);
        let (due, latest) = (
            moment(planned.due),
            words::moment_or_none(planned.latest, lang),
        );
        let why = words::cause(&planned.cause, lang);
        session.output.say(&lang.pick(
            format!("  {due} から、期限 {latest}\n    {what}: {chains} 系列、{records} 版"),
            format!("  from {due}, at the latest {latest}\n    {what}: {chains} chains, {records} record versions"),
        ));
        session
            .output
            .say(&lang.pick(format!("    理由: {why}"), format!("    because: {why}")));
    }
}

/// What is lost, in a line.
pub(super) fn lost_text(lost: &Lost, session: &Session) -> String {
    let lang = session.output.lang;
    let (records, why) = (grouped(lost.versions), words::end(&lost.end, lang));
    let (head, track) = (lost.head, lost.track);
    lang.pick(
        format!(
            "失効: {records} 版の証明が終わりました(系列 {head}、トラック {track})。更新では戻りません: {why}"
        ),
        format!(
            "lost: the proof of {records} record versions has ended (chain {head}, track {track}); no renewal brings it back: {why}"
        ),
    )
}

fn blocked_text(blocked: &Blocked, session: &Session) -> String {
    let lang = session.output.lang;
    let records = grouped(blocked.versions);
    let end = blocked
        .end
        .as_ref()
        .map(|end| words::end(end, lang))
        .unwrap_or_default();
    let why = words::obstacle(&blocked.why, lang);
    lang.pick(
        format!("できないこと: {records} 版。{end}。{why}"),
        format!("cannot be done: {records} record versions; {end}; {why}"),
    )
}

fn events(session: &Session, archive: &Archive, plan: &RenewalPlan) {
    let mut lines: Vec<Value> = Vec::new();
    for (event, actions) in [("renewal-due", &plan.due), ("renewal-later", &plan.later)] {
        for planned in actions {
            let event = json!({ "event": event });
            lines.push(words::with(words::action_json(planned), event));
        }
    }
    for lost in &plan.lost {
        lines.push(json!({
            "event": "renewal-lost", "chain": lost.head.to_string(), "track": lost.track,
            "records": lost.versions, "unproven": lost.unproven, "end": words::end_json(&lost.end),
        }));
    }
    for blocked in &plan.blocked {
        lines.push(json!({
            "event": "renewal-blocked", "chains": blocked.heads.len(), "track": blocked.track,
            "records": blocked.versions, "end": blocked.end.as_ref().map(words::end_json),
            "why": words::obstacle(&blocked.why, session.output.lang),
        }));
    }
    lines.push(json!({
        "event": "renewal-plan", "made_at": rfc3339(plan.made_at), "policy": archive.policy().name(),
        "due": plan.due.len(), "later": plan.later.len(), "lost": plan.lost.len(), "unproven": plan.unproven(), "blocked": plan.blocked.len(),
        "requests": plan.requests(), "bytes": plan.bytes(), "media": archive.config().data.len(),
        "next_due": plan.next_due().map(rfc3339),
    }));
    session.output.events(&lines);
}
