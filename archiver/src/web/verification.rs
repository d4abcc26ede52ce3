//! Verification: all records of a period, verified now, with every result listed (施行規則4①).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, alert, form_token};
use super::text::{amount, foreign, moment, name, number};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::Desk;
use crate::acts::verification::{VerdictRow, VerdictTable};
use crate::api::{Problem, SearchParams, attachment, blocking, question};
use crate::cli::lang::Lang;
use crate::cli::query::rfc3339;

/// The fields of the form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PeriodForm {
    form_token: String,
    from: String,
    to: String,
    class: String,
    /// `csv`: as a file.
    output: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/verification", get(show).post(verify))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(form): Query<PeriodForm>,
) -> Result<Response, Response> {
    visitor.wants(Right::Verify)?;
    let classes = titles(&desk, &visitor).await?;
    Ok(page(&visitor, &html! { (head(&visitor, &form, &classes)) }))
}

async fn titles(desk: &Arc<Desk>, visitor: &Visitor) -> Result<Vec<(String, String)>, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let classes = blocking(desk, lang, move |desk| desk.read_classes(&actor)).await;
    let classes = classes.map_err(|problem| visitor.failed(&problem))?;
    let title = |class: &crate::class::RegisteredClass| {
        let title = &class.policy().title;
        (
            class.policy().id.clone(),
            lang.pick(&title.ja, &title.en).clone(),
        )
    };
    Ok(classes.iter().map(title).collect())
}

fn page(visitor: &Visitor, matter: &Markup) -> Response {
    let frame = Frame {
        lang: visitor.lang,
        visitor: Some(visitor),
        place: "/verification",
        title: visitor.lang.pick("検証", "Verification"),
        evaluation: visitor.evaluation,
    };
    frame.page(matter).into_response()
}

fn head(visitor: &Visitor, form: &PeriodForm, classes: &[(String, String)]) -> Markup {
    let lang = visitor.lang;
    html! {
        h1 { (lang.pick("期間を指定した検証", "Verify a period")) }
        p.lead { (lang.pick("取引年月日で期間を選びます。その間のすべての記録について、内容と証拠をその場で検証し、結果を一件ずつ示します。",
            "Choose a period by date. All of its records are verified now, contents and evidence, and every result is listed.")) }
        form.sheet.no-print method="post" action="/verification" {
            (form_token(visitor))
            div.fields {
                div { label for="from" { (lang.pick("取引年月日(から)", "Date from")) } input #from type="date" name="from" value=(form.from) required; }
                div { label for="to" { (lang.pick("取引年月日(まで)", "Date until")) } input #to type="date" name="to" value=(form.to) required; }
                div { label for="class" { (lang.pick("保管要件", "Class")) } select #class name="class" {
                    option value="" { (lang.pick("すべて", "all")) }
                    @for (id, title) in classes { option value=(id) selected[*id == form.class] { (title) } }
                } }
            }
            div.actions {
                button type="submit" name="output" value="page" { (lang.pick("検証する", "Verify")) }
                button.plain type="submit" name="output" value="csv" { (lang.pick("結果を CSV で", "Results as CSV")) }
            }
        }
        p.no-print { a href="/judge" { (lang.pick("証拠パッケージを検証する", "Judge an evidence package")) } }
    }
}

async fn verify(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<PeriodForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let classes = titles(&desk, &visitor).await?;
    let lang = visitor.lang;
    match run(&desk, &visitor, &form).await {
        Ok(table) if form.output == "csv" => Ok(csv(&table, lang)),
        Ok(table) => Ok(page(
            &visitor,
            &html! { (head(&visitor, &form, &classes)) (results(&table, lang)) },
        )),
        Err(problem) => Ok(page(
            &visitor,
            &html! { (alert(Some(&problem))) (head(&visitor, &form, &classes)) },
        )),
    }
}

async fn run(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    form: &PeriodForm,
) -> Result<VerdictTable, Problem> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let params = SearchParams {
        date: Some(format!("{}..{}", form.from, form.to)),
        class: Some(form.class.clone()),
        all_versions: Some(true),
        ..SearchParams::default()
    };
    blocking(desk, lang, move |desk| {
        let question = question(&params, lang)?;
        desk.verify_search(&actor, &question, lang)
    })
    .await
}

fn results(table: &VerdictTable, lang: Lang) -> Markup {
    let sum = &table.summary;
    let is_good = sum.passed + sum.unstamped == sum.versions;
    let class = if is_good { "notice good" } else { "notice bad" };
    html! {
        section.sheet {
            p class=(class) role="status" {
                strong { (lang.pick(
                    format!("{} 件を検証: 合格 {}、タイムスタンプ待ち {}、不合格 {}", number(sum.versions), number(sum.passed), number(sum.unstamped), number(sum.versions - sum.passed - sum.unstamped)),
                    format!("{} verified: {} passed, {} wait for a timestamp, {} did not pass", number(sum.versions), number(sum.passed), number(sum.unstamped), number(sum.versions - sum.passed - sum.unstamped)))) }
                br; (lang.pick("検証した時刻: ", "Verified at ")) (moment(table.verified_at))
            }
            div.scroll { table {
                thead { tr { th scope="col" { (lang.pick("取引年月日", "Date")) } th.number scope="col" { (lang.pick("金額", "Amount")) } th scope="col" { (lang.pick("取引先", "Counterparty")) }
                    th scope="col" { (lang.pick("ファイル", "File")) } th scope="col" { (lang.pick("結果", "Result")) } th scope="col" { (lang.pick("存在の証明", "Proven since")) } } }
                tbody { @for row in &table.rows { tr {
                    td { a href={ "/records/" (row.hit.version.record()) "/" (row.hit.version.version()) } { @match row.hit.metadata.date { Some(date) => (date), None => "—" } } }
                    td.number { (amount(&row.hit)) }
                    td { @if let Some(other) = &row.hit.metadata.counterparty { (foreign(other)) } }
                    td { (foreign(&name(&row.hit))) }
                    td { (tag(row, lang)) @if !row.text.is_empty() { br; span.hint { (row.text) } } }
                    td { @if let Some(since) = row.existence { (moment(since)) } }
                } } }
            } }
        }
    }
}

fn tag(row: &VerdictRow, lang: Lang) -> Markup {
    let (class, text) = match row.result {
        "passed" => ("tag good", lang.pick("合格", "passed")),
        "unstamped" => (
            "tag warn",
            lang.pick("タイムスタンプ待ち", "waits for its timestamp"),
        ),
        _ if row.is_integrity_failure => ("tag bad", lang.pick("改変・損傷", "broken")),
        _ => ("tag bad", lang.pick("検証できません", "not verified")),
    };
    html! { span class=(class) { (text) } }
}

fn csv(table: &VerdictTable, lang: Lang) -> Response {
    let head = lang.pick(
        [
            "記録",
            "版",
            "取引年月日",
            "ファイル",
            "結果",
            "存在の証明",
            "理由",
        ],
        [
            "record",
            "version",
            "date",
            "file",
            "result",
            "proven since",
            "reason",
        ],
    );
    let mut text = String::from("\u{feff}");
    text.push_str(&super::search::line(&head.map(str::to_owned)));
    for row in &table.rows {
        text.push_str(&super::search::line(&[
            row.hit.version.record().to_string(),
            row.hit.version.version().to_string(),
            row.hit
                .metadata
                .date
                .map(|date| date.to_string())
                .unwrap_or_default(),
            name(&row.hit),
            row.result.to_owned(),
            row.existence.map(rfc3339).unwrap_or_default(),
            row.text.clone(),
        ]));
    }
    let size = text.len() as u64;
    attachment(
        "text/csv; charset=utf-8",
        "verification.csv",
        Some(size),
        Body::from(text),
    )
}
