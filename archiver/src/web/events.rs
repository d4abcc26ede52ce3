//! Alarms that stand, and the events that are to be reported until somebody answered for them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::frame::{Frame, alert, form_token};
use super::text::{foreign, moment, number};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::{ANSWERED_MAX, Desk, REMARK_CHARACTERS_MAX, Refusal};
use crate::api::{Problem, blocking};
use crate::audit::{Act, Notice, OpenEvents};
use crate::cli::lang::Lang;
use crate::service::alarms::StandingAlarm;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/events", get(show).post(answer))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    page(&desk, &visitor, None).await
}

async fn page(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    problem: Option<&Problem>,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let read = blocking(desk, lang, move |desk| {
        let open = desk.read_events(&actor)?;
        Ok((open, desk.job_status(&actor)?.standing))
    })
    .await;
    let (open, standing) = read.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("警報と事象", "Alarms and events");
    let matter = html! {
        h1 { (title) }
        p.lead { (lang.pick(
            "警報は、原因がなくなるまで続きます。事象は、当事者でない人が確かめて書き留めるまで、ここに残ります。どちらも監査証跡と運用日誌に残ります。",
            "Alarms last until their cause is gone. Events stay here until somebody whom they are not about looked into them and wrote down what was found. Both stand in the audit trail and in the operation journal.")) }
        (alert(problem))
        (alarms(&standing, lang))
        (events(visitor, &open))
    };
    let frame = Frame {
        lang,
        visitor: Some(visitor),
        place: "/events",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

fn alarms(standing: &[StandingAlarm], lang: Lang) -> Markup {
    html! {
        section.sheet {
            h2 { (lang.pick("続いている警報", "Alarms that stand")) }
            @if standing.is_empty() { p.empty { (lang.pick("警報はありません。", "There is no alarm.")) } }
            @for alarm in standing {
                p.notice.bad { (foreign(lang.pick(&alarm.ja, &alarm.en))) br; span.hint { (lang.pick("発生: ", "since ")) (moment(alarm.since)) } }
            }
        }
    }
}

fn events(visitor: &Visitor, open: &OpenEvents) -> Markup {
    let lang = visitor.lang;
    let may_answer = visitor.may(Right::AnswerEvents) && !open.is_empty();
    let count = u64::try_from(open.len()).unwrap_or(u64::MAX);
    html! {
        section.sheet {
            h2 { (lang.pick("対応を待つ事象", "Events that wait for an answer")) " (" (number(count)) ")" }
            @if !open.is_whole { p.notice.warn { (lang.pick("監査証跡を読んでいます。すべてはまだ表示されていません。", "The audit trail is being read: not all are shown yet.")) } }
            @if open.left_out > 0 {
                p.notice.warn { (lang.pick("これより古い未対応の事象: ", "Older ones without an answer: ")) (number(open.left_out)) (lang.pick("。月次の分析に載っています。", ". They stand in the analysis of their month.")) }
            }
            @if open.is_empty() && open.is_whole { p.empty { (lang.pick("対応を待つ事象はありません。", "Nothing waits for an answer.")) } }
            form method="post" action="/events" {
                (form_token(visitor))
                @if !open.is_empty() { (table(visitor, open, may_answer)) }
                @if may_answer {
                    label for="remark" { (lang.pick("確かめたことと、したこと", "What was found, and what was done")) }
                    textarea #remark name="remark" rows="3" maxlength=(REMARK_CHARACTERS_MAX) {}
                    div.actions { button type="submit" { (lang.pick("選んだ事象に対応を書き留める", "Write it down for the chosen events")) } }
                    p.hint { (lang.pick("一度に 20 件まで選べます。自分がしたことには、ほかの人が書きます。", "Up to 20 at a time. For what you did yourself, somebody else writes it.")) }
                }
            }
        }
    }
}

fn table(visitor: &Visitor, open: &OpenEvents, may_answer: bool) -> Markup {
    let lang = visitor.lang;
    html! {
        div.scroll { table {
            thead { tr {
                @if may_answer { th scope="col" { (lang.pick("選択", "Choose")) } }
                th scope="col" { (lang.pick("事象", "Event")) } th scope="col" { (lang.pick("時刻", "When")) } th scope="col" { (lang.pick("誰が", "Who")) }
                th scope="col" { (lang.pick("何を", "What")) } th.number scope="col" { (lang.pick("証跡の行", "Entry")) }
            } }
            tbody { @for notice in open.iter().take(SHOWN_MAX) { (row(visitor, notice, may_answer)) } }
        } }
        @if open.iter().count() > SHOWN_MAX { p.hint { (lang.pick("新しいものから 200 件を表示しています。", "The newest 200 are shown.")) } }
    }
}

fn row(visitor: &Visitor, notice: &Notice, may_answer: bool) -> Markup {
    let lang = visitor.lang;
    let act = Act::from_code(&notice.act).map_or(notice.act.as_str(), |act| act.title(lang));
    let is_own = notice.person == visitor.actor.account;
    let label = lang.pick(
        format!("第{}行を選ぶ", notice.sequence),
        format!("choose entry {}", notice.sequence),
    );
    html! { tr {
        @if may_answer { td { @if !is_own { input type="checkbox" name="entries" value=(notice.sequence) aria-label=(label); } } }
        td { span.tag.warn { @if let Some(rule) = notice.kind.rule() { (rule) " " } (notice.kind.title(lang)) } }
        td { @if let Some(time) = notice.time { (moment(time)) } @else { "—" } }
        td { @if notice.person.is_empty() { "—" } @else { bdi { (notice.person) } } br; span.hint { (notice.client) } }
        td { (foreign(act)) @if !notice.about.is_empty() { br; span.hint { (foreign(&notice.about)) } } }
        td.number { (number(notice.sequence)) }
    } }
}

/// Entries come as one field each, so the form is read as pairs.
async fn answer(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Response> {
    let field = |key: &str| {
        let found = fields.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    visitor.check(&field("form_token"))?;
    let chosen = fields.iter().filter(|(name, _)| name == "entries");
    let entries: Result<Vec<u64>, _> = chosen
        .take(ANSWERED_MAX + 1)
        .map(|(_, value)| value.parse::<u64>())
        .collect();
    let (actor, remark) = (visitor.actor.clone(), field("remark"));
    let answered = blocking(&desk, visitor.lang, move |desk| {
        let entries = entries.map_err(|_| Refusal::NotFound)?;
        desk.answer_events(&actor, &entries, &remark)
    });
    match answered.await {
        Ok(()) => Ok(Redirect::to("/events").into_response()),
        Err(problem) if problem.status == 422 || problem.code == "second-person-wanted" => {
            page(&desk, &visitor, Some(&problem)).await
        }
        Err(problem) => Err(visitor.failed(&problem)),
    }
}

/// Events on the page; the others come when these are answered.
const SHOWN_MAX: usize = 200;
