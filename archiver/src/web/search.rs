//! Search: conditions, what they find, as a table or as CSV.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::conditions::{SearchForm, conditions};
use super::frame::{Frame, alert};
use super::text::{amount, foreign, name, number};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::{Desk, RecordPage};
use crate::api::{Problem, attachment, blocking, question};
use crate::cli::lang::Lang;
use crate::cli::query::rfc3339;
use crate::store::catalog::Hit;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/search", get(search))
        .route("/search.csv", get(csv))
}

async fn search(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(form): Query<SearchForm>,
) -> Result<Response, Response> {
    visitor.wants(Right::Search)?;
    let lang = visitor.lang;
    let actor = visitor.actor.clone();
    let classes = blocking(&desk, lang, {
        let actor = actor.clone();
        move |desk| desk.read_classes(&actor)
    })
    .await
    .map_err(|problem| visitor.failed(&problem))?;
    let kept = blocking(&desk, lang, move |desk| desk.kept_searches(&actor)).await;
    let titles: Vec<(String, String)> = classes
        .iter()
        .map(|class| {
            let title = &class.policy().title;
            (
                class.policy().id.clone(),
                lang.pick(&title.ja, &title.en).clone(),
            )
        })
        .collect();
    let (found, problem) = match form.is_asked() {
        false => (None, None),
        true => match ask(&desk, &visitor, &form).await {
            Ok(page) => (Some(page), None),
            Err(problem) => (None, Some(problem)),
        },
    };
    let kept = kept.map_err(|problem| visitor.failed(&problem))?;
    let matter = html! {
        h1 { (lang.pick("検索", "Search")) }
        (alert(problem.as_ref()))
        (super::kept::list(&visitor, &kept))
        (conditions(&form, &titles, lang))
        @if let Some(page) = &found { (table(&visitor, &form, page, &titles)) }
    };
    let frame = Frame {
        lang,
        visitor: Some(&visitor),
        place: "/search",
        title: lang.pick("検索", "Search"),
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

async fn ask(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    form: &SearchForm,
) -> Result<RecordPage, Problem> {
    let (lang, actor, params) = (visitor.lang, visitor.actor.clone(), form.params());
    blocking(desk, lang, move |desk| {
        let question = question(&params, lang)?;
        desk.search(
            &actor,
            &question,
            (params.cursor.as_deref(), super::conditions::PAGE.into()),
        )
    })
    .await
}

fn table(
    visitor: &Visitor,
    form: &SearchForm,
    page: &RecordPage,
    classes: &[(String, String)],
) -> Markup {
    let lang = visitor.lang;
    if page.total == 0 {
        return html! { p.empty role="status" { (lang.pick("条件に合う記録はありません。条件を減らしてみてください。", "Nothing matches. Try fewer conditions.")) } };
    }
    let title_of = |id: &str| {
        let found = classes.iter().find(|(known, _)| known == id);
        found.map_or_else(|| id.to_owned(), |(_, title)| title.clone())
    };
    html! {
        section.sheet {
            div.scroll { table {
                caption role="status" { (lang.pick(format!("{} 件", number(page.total)), format!("{} found", number(page.total)))) }
                thead { tr {
                    th scope="col" { (lang.pick("取引年月日", "Date")) } th.number scope="col" { (lang.pick("金額", "Amount")) }
                    th scope="col" { (lang.pick("取引先", "Counterparty")) } th scope="col" { (lang.pick("ファイル", "File")) }
                    th scope="col" { (lang.pick("保管要件", "Class")) } th scope="col" { (lang.pick("状態", "State")) }
                } }
                tbody { @for hit in &page.hits { (row(hit, &title_of(&hit.class), lang)) } }
            } }
            div.actions {
                @if let Some(next) = &page.next { a.button.plain href={ "/search?" (form.address(Some(next))) } { (lang.pick("次のページ", "Next page")) } }
                @if visitor.may(Right::Retrieve) { a.button.plain href={ "/search.csv?" (form.address(None)) } { (lang.pick("すべてを CSV で", "All as CSV")) } }
            }
            @if visitor.may(Right::Retrieve) { (super::gathered::form(visitor, &form.address(None))) }
            (super::kept::form(visitor, &form.address(None)))
        }
    }
}

fn row(hit: &Hit, class: &str, lang: Lang) -> Markup {
    let record = hit.version.record();
    let place = format!("/records/{record}/{}", hit.version.version());
    html! { tr {
        td { a href=(place) { @match hit.metadata.date { Some(date) => (date), None => (lang.pick("記載なし", "none")) } } }
        td.number { (amount(hit)) }
        td { @if let Some(other) = &hit.metadata.counterparty { (foreign(other)) } }
        td { (foreign(&name(hit))) }
        td { (class) @if hit.version.version() > 1 || hit.superseded { " v" (hit.version.version()) } }
        td { (state(hit, lang)) }
    } }
}

/// How a version stands, in one word.
pub(super) fn state(hit: &Hit, lang: Lang) -> Markup {
    html! {
        @if !hit.readable { span.tag.bad { (lang.pick("廃棄済み又は読めません", "destroyed or unreadable")) } }
        @else if hit.superseded { span.tag { (lang.pick("旧版", "older version")) } }
        @else if let Some(stamp) = hit.stamp { span.tag.good { (lang.pick("証明あり", "proven")) } " " span.hint { (super::text::day(stamp.stamped_at)) } }
        @else { span.tag.warn { (lang.pick("タイムスタンプ待ち", "waits for its timestamp")) } }
    }
}

async fn csv(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(form): Query<SearchForm>,
) -> Result<Response, Response> {
    let (lang, actor, params) = (visitor.lang, visitor.actor.clone(), form.params());
    let hits = blocking(&desk, lang, move |desk| {
        let question = question(&params, lang)?;
        desk.export_search(&actor, &question)
    })
    .await
    .map_err(|problem| visitor.failed(&problem))?;
    let head = lang.pick(
        [
            "記録",
            "版",
            "取引年月日",
            "金額",
            "通貨",
            "取引先",
            "書類番号",
            "保管要件",
            "受領日時",
            "タイムスタンプ",
            "ファイル",
        ],
        [
            "record",
            "version",
            "date",
            "amount",
            "currency",
            "counterparty",
            "document number",
            "class",
            "received",
            "timestamp",
            "file",
        ],
    );
    let mut text = String::from("\u{feff}");
    text.push_str(&line(&head.map(str::to_owned)));
    for hit in &hits {
        text.push_str(&line(&cells(hit)));
    }
    let size = text.len() as u64;
    Ok(attachment(
        "text/csv; charset=utf-8",
        "search.csv",
        Some(size),
        Body::from(text),
    ))
}

fn cells(hit: &Hit) -> [String; 11] {
    let metadata = &hit.metadata;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        hit.version.record().to_string(),
        hit.version.version().to_string(),
        metadata
            .date
            .map(|date| date.to_string())
            .unwrap_or_default(),
        metadata
            .amount
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        metadata
            .currency
            .map(|one| one.to_string())
            .unwrap_or_default(),
        text(&metadata.counterparty),
        text(&metadata.document_number),
        hit.class.clone(),
        rfc3339(hit.received_at),
        hit.stamp
            .map(|stamp| rfc3339(stamp.stamped_at))
            .unwrap_or_default(),
        name(hit),
    ]
}

/// A line of CSV (RFC 4180). A spreadsheet takes what begins with `=`, `+`, `-` or `@` for a formula: a text that does is written behind an apostrophe.
pub(super) fn line(cells: &[String]) -> String {
    let cell = |text: &String| {
        let is_number = text.parse::<f64>().is_ok();
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
        let text = if is_formula {
            format!("'{text}")
        } else {
            text.clone()
        };
        format!("\"{}\"", text.replace('"', "\"\""))
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}
