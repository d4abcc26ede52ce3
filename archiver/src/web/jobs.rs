//! Jobs: what waits, what runs by itself, and what may be done now.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::html;

use super::frame::{Frame, form_token};
use super::text::{moment, number};
use super::visitor::{Bare, Member};
use crate::access::Right;
use crate::acts::{Desk, JobOrder};
use crate::api::blocking;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/jobs", get(show))
        .route("/jobs/stamp", post(stamp))
        .route("/jobs/renew", post(renew))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let status = blocking(&desk, lang, move |desk| desk.job_status(&actor)).await;
    let status = status.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("ジョブ", "Jobs");
    let order = |path: &str, text: &str| {
        html! {
            form method="post" action=(path) { (form_token(&visitor)) button.plain type="submit" { (text) } }
        }
    };
    let matter = html! {
        h1 { (title) }
        p.lead { (lang.pick("タイムスタンプの付与と証拠の更新は、サービスが自動で行います。", "Stamping and renewing are done by the service by itself.")) }
        div.columns {
            section.sheet { h2 { (lang.pick("タイムスタンプ", "Stamping")) } dl.facts {
                dt { (lang.pick("待っている記録", "Waiting")) } dd { (number(status.unstamped)) }
                dt { (lang.pick("起動後に付与", "Stamped since the start")) } dd { (number(status.stamped)) }
                @for (name, failures) in &status.authorities {
                    dt { bdi { (name) } } dd { @if *failures == 0 { span.tag.good { (lang.pick("正常", "works")) } } @else { span.tag.bad { (lang.pick("連続失敗 ", "failures in a row: ")) (failures) } } }
                }
            }
            @if visitor.may(Right::RunJobs) { div.actions { (order("/jobs/stamp", lang.pick("今すぐ付与", "Stamp now"))) } } }
            section.sheet { h2 { (lang.pick("証拠の更新", "Renewal of evidence")) } dl.facts {
                dt { (lang.pick("期限が来たもの", "Due")) } dd { (number(status.renewals_due)) }
                dt { (lang.pick("次の更新", "Next due")) } dd { @match status.renewal_next { Some(next) => { (moment(next)) } None => { "—" } } }
                dt { (lang.pick("証拠を失った記録", "Records whose proof has ended")) } dd { (number(status.lost)) }
                dt { (lang.pick("起動後に更新した鎖", "Chains renewed since the start")) } dd { (number(status.renewed)) }
            }
            @if visitor.may(Right::RunJobs) { div.actions { (order("/jobs/renew", lang.pick("今すぐ計画して更新", "Plan and renew now"))) } } }
        }
        @if let Some(at) = status.visited_at { p.hint { (lang.pick("最後に確認した時刻: ", "Last looked at ")) (moment(at)) } }
    };
    let frame = Frame {
        lang,
        visitor: Some(&visitor),
        place: "/jobs",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

async fn stamp(
    state: State<Arc<Desk>>,
    member: Member,
    form: Form<Bare>,
) -> Result<Response, Response> {
    order(state, member, form, JobOrder::Stamp).await
}

async fn renew(
    state: State<Arc<Desk>>,
    member: Member,
    form: Form<Bare>,
) -> Result<Response, Response> {
    order(state, member, form, JobOrder::Renew).await
}

async fn order(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<Bare>,
    order: JobOrder,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let actor = visitor.actor.clone();
    let ordered = blocking(&desk, visitor.lang, move |desk| {
        desk.order_job(&actor, order)
    })
    .await;
    ordered.map_err(|problem| visitor.failed(&problem))?;
    Ok(Redirect::to("/jobs").into_response())
}
