//! Quarantine: what a scanner found malware in, and its release by two people.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use formats::id::VersionId;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, alert, form_token};
use super::text::{foreign, moment, name};
use super::visitor::{Bare, Member, Visitor};
use crate::access::Right;
use crate::acts::{Desk, HeldRecord, Refusal};
use crate::api::{Problem, blocking, version_id};
use crate::approval::Waiting;

#[derive(Debug, Deserialize)]
struct ReleaseForm {
    form_token: String,
    reason: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/quarantine", get(show))
        .route("/quarantine/{record}/{version}/request", post(request))
        .route("/quarantine/requests/{request}/approve", post(approve))
        .route("/quarantine/requests/{request}/refuse", post(refuse))
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
    let held = blocking(desk, lang, move |desk| desk.read_quarantine(&actor)).await;
    let held = held.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("隔離", "Quarantine");
    let matter = html! {
        h1 { (title) }
        p.lead { (lang.pick(
            "マルウェアが見つかった記録です。変更せずに保管し、二人が解除するまで誰にも渡しません。解除すると、ほかの記録と同じように取り出せます。",
            "Records in which a scanner found malware. They are kept unaltered, and handed to nobody until two people release them; then they are fetched like any other.")) }
        p.no-print { a href="/approvals" { (lang.pick("承認待ちの一覧", "All that waits for approval")) } }
        (alert(problem))
        @if held.is_empty() { p.empty { (lang.pick("隔離している記録はありません。", "Nothing is in quarantine.")) } }
        @for one in &held { (record(visitor, one)) }
    };
    let frame = Frame {
        lang,
        visitor: Some(visitor),
        place: "/quarantine",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

fn record(visitor: &Visitor, held: &HeldRecord) -> Markup {
    let lang = visitor.lang;
    let (record, number) = (
        held.hit.version.record().to_string(),
        held.hit.version.version(),
    );
    let field = format!("reason-{record}-{number}");
    html! {
        section.sheet {
            h2 { a href={ "/records/" (record) "/" (number) } { (foreign(&name(&held.hit))) } }
            dl.facts {
                dt { (lang.pick("見つかったもの", "Found")) } dd { span.tag.bad { (foreign(&held.withheld.threat)) } }
                dt { (lang.pick("隔離した時刻", "Withheld since")) } dd { (moment(held.withheld.since)) }
                dt { (lang.pick("預入者", "Deposited by")) } dd { (foreign(&held.hit.depositor)) }
                dt { (lang.pick("保管要件", "Class")) } dd { bdi { (held.hit.class) } }
            }
            @if let Some(asked) = &held.withheld.request { (waiting(visitor, asked)) }
            @if visitor.may(Right::ManageRecords) {
                form method="post" action={ "/quarantine/" (record) "/" (number) "/request" } {
                    (form_token(visitor))
                    label for=(field) { (lang.pick("解除する理由", "Why it shall be released")) }
                    input id=(field) type="text" name="reason" required maxlength="1000";
                    div.actions { button.plain type="submit" { (lang.pick("解除を申請する", "Ask for its release")) } }
                }
            }
        }
    }
}

fn waiting(visitor: &Visitor, asked: &Waiting<VersionId>) -> Markup {
    let lang = visitor.lang;
    html! {
        p.notice.warn { (lang.pick("解除の申請: ", "Release asked for: ")) (foreign(&asked.reason)) br;
            span.hint { (lang.pick("申請者 ", "by ")) bdi { (asked.requested_by) } ", " (moment(asked.requested_at)) } }
        @if visitor.may(Right::ManageRecords) {
            @if asked.requested_by == visitor.actor.account { p.hint { (lang.pick("ほかの人が承認します。", "Another person approves it.")) } }
            @else {
                form method="post" action={ "/quarantine/requests/" (asked.id) "/approve" } {
                    (form_token(visitor))
                    div.actions { button type="submit" { (lang.pick("承認して解除する", "Approve and release")) } }
                }
            }
            form.actions method="post" action={ "/quarantine/requests/" (asked.id) "/refuse" } {
                (form_token(visitor))
                input type="text" name="reason" required maxlength="1000" aria-label=(lang.pick("却下・取り下げの理由", "Why it is refused or withdrawn")) placeholder=(lang.pick("理由", "reason"));
                button.plain type="submit" { (lang.pick("却下・取り下げ", "Refuse or withdraw")) }
            }
        }
    }
}

async fn request(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version)): Path<(String, String)>,
    Form(form): Form<ReleaseForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    done(&desk, &visitor, move |desk, visitor| {
        let id = version_id(&record, &version).ok_or(Refusal::NotFound)?;
        desk.request_release(&visitor.actor, id, &form.reason)
            .map(drop)
    })
    .await
}

async fn approve(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(request): Path<String>,
    Form(form): Form<Bare>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    done(&desk, &visitor, move |desk, visitor| {
        let request = request.parse().map_err(|_| Refusal::NotFound)?;
        desk.approve_release(&visitor.actor, request).map(drop)
    })
    .await
}

async fn refuse(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(request): Path<String>,
    Form(form): Form<ReleaseForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    done(&desk, &visitor, move |desk, visitor| {
        let request = request.parse().map_err(|_| Refusal::NotFound)?;
        desk.refuse_release(&visitor.actor, request, &form.reason)
    })
    .await
}

/// Does something about a record in quarantine, and shows how things stand then.
async fn done(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    act: impl FnOnce(&Desk, &Visitor) -> Result<(), Refusal> + Send + 'static,
) -> Result<Response, Response> {
    let actor = visitor.clone();
    match blocking(desk, visitor.lang, move |desk| act(desk, &actor)).await {
        Ok(()) => Ok(Redirect::to("/quarantine").into_response()),
        Err(problem) if problem.code == "not-allowed" => Err(visitor.failed(&problem)),
        Err(problem) => page(desk, visitor, Some(&problem)).await,
    }
}
