//! The audit trail as a table.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use formats::audit::{AuditEntry, Outcome};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, alert};
use super::text::{foreign, moment, query_of};
use super::visitor::{Member, Visitor};
use crate::acts::Desk;
use crate::api::{AuditParams, Problem, attachment, audit_filter, blocking};
use crate::audit::{Act, Page};
use crate::cli::lang::Lang;

/// The fields of the form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct TrailForm {
    from: String,
    to: String,
    person: String,
    act: String,
    record: String,
    outcome: String,
    cursor: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/audit", get(show))
        .route("/audit.jsonl", get(export))
}

impl TrailForm {
    fn params(&self) -> AuditParams {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        AuditParams {
            from: given(&self.from),
            to: given(&self.to),
            person: given(&self.person),
            act: given(&self.act),
            record: given(&self.record),
            outcome: given(&self.outcome),
            cursor: given(&self.cursor),
            limit: None,
        }
    }

    fn address(&self, cursor: Option<&str>) -> String {
        let mut fields = vec![
            ("from", self.from.as_str()),
            ("to", &self.to),
            ("person", &self.person),
            ("act", &self.act),
            ("record", &self.record),
            ("outcome", &self.outcome),
        ];
        fields.retain(|(_, value)| !value.is_empty());
        if let Some(cursor) = cursor {
            fields.push(("cursor", cursor));
        }
        query_of(&fields)
    }
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(form): Query<TrailForm>,
) -> Result<Response, Response> {
    let lang = visitor.lang;
    let found = ask(&desk, &visitor, &form).await;
    if let Err(problem) = &found
        && problem.code == "not-allowed"
    {
        return Err(visitor.failed(problem));
    }
    let title = lang.pick("監査証跡", "Audit trail");
    let matter = html! {
        h1 { (title) }
        (alert(found.as_ref().err()))
        (conditions(&form, lang))
        @if let Ok(page) = &found { (table(&form, page, lang)) }
    };
    let frame = Frame {
        lang,
        visitor: Some(&visitor),
        place: "/audit",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

async fn ask(desk: &Arc<Desk>, visitor: &Visitor, form: &TrailForm) -> Result<Page, Problem> {
    let (lang, actor, params) = (visitor.lang, visitor.actor.clone(), form.params());
    blocking(desk, lang, move |desk| {
        let filter = audit_filter(&params, lang)?;
        desk.read_audit(&actor, &filter, (params.cursor.as_deref(), ENTRIES))
    })
    .await
}

fn conditions(form: &TrailForm, lang: Lang) -> Markup {
    let outcomes = [
        ("", lang.pick("すべて", "all")),
        ("done", lang.pick("実行", "done")),
        ("denied", lang.pick("拒否", "denied")),
        ("failed", lang.pick("失敗", "failed")),
    ];
    html! {
        form.sheet.no-print method="get" action="/audit" {
            div.fields {
                div { label for="from" { (lang.pick("日(から)", "Day from")) } input #from type="date" name="from" value=(form.from); }
                div { label for="to" { (lang.pick("日(まで)", "Day until")) } input #to type="date" name="to" value=(form.to); }
                div { label for="person" { (lang.pick("アカウント", "Account")) } input #person type="text" name="person" value=(form.person); }
                div { label for="act" { (lang.pick("操作", "Act")) } select #act name="act" {
                    option value="" { (lang.pick("すべて", "all")) }
                    @for act in Act::ALL { option value=(act.code()) selected[act.code() == form.act] { (act.title(lang)) } }
                } }
                div { label for="outcome" { (lang.pick("結果", "Outcome")) } select #outcome name="outcome" {
                    @for (code, text) in outcomes { option value=(code) selected[code == form.outcome] { (text) } }
                } }
                div { label for="record" { (lang.pick("記録番号", "Record")) } input #record type="text" name="record" value=(form.record); }
            }
            div.actions { button type="submit" { (lang.pick("表示", "Show")) } a.button.plain href={ "/audit.jsonl?" (form.address(None)) } { (lang.pick("そのまま書き出す(検証用)", "Export the lines, to be verified")) } }
        }
    }
}

fn table(form: &TrailForm, page: &Page, lang: Lang) -> Markup {
    html! {
        section.sheet {
            @if page.lines.is_empty() && page.next.is_none() { p.empty { (lang.pick("該当する操作はありません。", "Nothing was done that matches.")) } }
            div.scroll { table {
                thead { tr {
                    th.number scope="col" { (lang.pick("番号", "No.")) } th scope="col" { (lang.pick("時刻", "When")) } th scope="col" { (lang.pick("誰が", "Who")) }
                    th scope="col" { (lang.pick("何を", "What")) } th scope="col" { (lang.pick("対象・目的", "On what, what for")) } th scope="col" { (lang.pick("結果", "Outcome")) }
                } }
                tbody { @for read in &page.lines { @match &read.entry {
                    Some(entry) => { (row(entry, lang)) }
                    None => { tr { td.number { (read.sequence) } td colspan="5" { span.tag.bad { (lang.pick("読めない行です。書き出して検証してください", "This line cannot be read: export and verify")) } } } }
                } } }
            } }
            @if let Some(next) = &page.next { div.actions { a.button.plain href={ "/audit?" (form.address(Some(&next.to_string()))) } { (lang.pick("さらに古いもの", "Older ones")) } } }
        }
    }
}

fn row(entry: &AuditEntry, lang: Lang) -> Markup {
    let act = Act::from_code(&entry.act).map_or(entry.act.as_str(), |act| act.title(lang));
    let (class, outcome) = match entry.outcome {
        Outcome::Done => ("tag", lang.pick("実行", "done")),
        Outcome::Denied => ("tag bad", lang.pick("拒否", "denied")),
        Outcome::Failed => ("tag warn", lang.pick("失敗", "failed")),
    };
    html! { tr {
        td.number { (entry.sequence) } td { (moment(entry.time)) }
        td { @if entry.person.is_empty() { "—" } @else { bdi { (entry.person) } } br; span.hint { (entry.client) } }
        td { (act) }
        td {
            @if let Some(record) = &entry.record { span.id { (record) } br; }
            @if let Some(purpose) = &entry.purpose { (foreign(purpose)) br; }
            @for (key, value) in &entry.details { span.hint { (key) ": " (foreign(value)) } br; }
        }
        td { span class=(class) { (outcome) } }
    } }
}

async fn export(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(form): Query<TrailForm>,
) -> Result<Response, Response> {
    let (lang, actor, params) = (visitor.lang, visitor.actor.clone(), form.params());
    let bytes = blocking(&desk, lang, move |desk| {
        let filter = audit_filter(&params, lang)?;
        desk.export_audit(&actor, &filter)
    });
    let bytes = bytes.await.map_err(|problem| visitor.failed(&problem))?;
    let size = bytes.len() as u64;
    Ok(attachment(
        "application/jsonl",
        "audit.jsonl",
        Some(size),
        Body::from(bytes),
    ))
}

/// Entries on a page.
const ENTRIES: usize = 100;
