//! Search: conditions, what they find, as a table or as CSV.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::frame::{Frame, alert};
use super::text::{amount, foreign, name, number, query_of};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::{Desk, RecordPage};
use crate::api::{Problem, SearchParams, attachment, blocking, question};
use crate::cli::lang::Lang;
use crate::cli::query::rfc3339;
use crate::store::catalog::Hit;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/search", get(search))
        .route("/search.csv", get(csv))
}

/// The fields of the form.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct SearchForm {
    pub(super) from: String,
    pub(super) to: String,
    no_date: Option<String>,
    low: String,
    high: String,
    no_amount: Option<String>,
    currency: String,
    counterparty: String,
    no_counterparty: Option<String>,
    pub(super) class: String,
    text: String,
    all_versions: Option<String>,
    cursor: String,
    go: Option<String>,
}

impl SearchForm {
    /// The same as the API asks.
    pub(super) fn params(&self) -> SearchParams {
        let range = |low: &str, high: &str, none: bool| match (low.trim(), high.trim(), none) {
            (_, _, true) => Some("none".to_owned()),
            ("", "", false) => None,
            (low, high, false) => Some(format!("{low}..{high}")),
        };
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let counterparty = match self.no_counterparty {
            Some(_) => Some("none".to_owned()),
            None => text(&self.counterparty),
        };
        SearchParams {
            date: range(&self.from, &self.to, self.no_date.is_some()),
            amount: range(&self.low, &self.high, self.no_amount.is_some()),
            currency: text(&self.currency),
            counterparty,
            class: text(&self.class),
            text: text(&self.text),
            all_versions: Some(self.all_versions.is_some()),
            cursor: text(&self.cursor),
            limit: Some(PAGE),
            ..SearchParams::default()
        }
    }

    fn is_asked(&self) -> bool {
        let texts = [
            &self.from,
            &self.to,
            &self.low,
            &self.high,
            &self.counterparty,
            &self.class,
            &self.text,
            &self.currency,
        ];
        self.go.is_some()
            || texts.iter().any(|text| !text.trim().is_empty())
            || self.no_date.is_some()
            || self.no_amount.is_some()
            || self.no_counterparty.is_some()
    }

    /// The conditions as a query of an address, for the next page and for downloads.
    fn address(&self, cursor: Option<&str>) -> String {
        let mut fields: Vec<(&str, &str)> = vec![
            ("from", &self.from),
            ("to", &self.to),
            ("low", &self.low),
            ("high", &self.high),
            ("currency", &self.currency),
            ("counterparty", &self.counterparty),
            ("class", &self.class),
            ("text", &self.text),
        ];
        fields.retain(|(_, value)| !value.is_empty());
        for (key, set) in [
            ("no_date", &self.no_date),
            ("no_amount", &self.no_amount),
            ("no_counterparty", &self.no_counterparty),
            ("all_versions", &self.all_versions),
        ] {
            if set.is_some() {
                fields.push((key, "1"));
            }
        }
        fields.push(("go", "1"));
        if let Some(cursor) = cursor {
            fields.push(("cursor", cursor));
        }
        query_of(&fields)
    }
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
    let matter = html! {
        h1 { (lang.pick("検索", "Search")) }
        (alert(problem.as_ref()))
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
        desk.search(&actor, &question, (params.cursor.as_deref(), PAGE.into()))
    })
    .await
}

fn conditions(form: &SearchForm, classes: &[(String, String)], lang: Lang) -> Markup {
    let none = lang.pick("記載なしの記録", "records without one");
    html! {
        form.sheet.no-print method="get" action="/search" role="search" {
            div.fields {
                div { label for="from" { (lang.pick("取引年月日(から)", "Date from")) } input #from type="date" name="from" value=(form.from);
                    label.inline { input type="checkbox" name="no_date" value="1" checked[form.no_date.is_some()]; (none) } }
                div { label for="to" { (lang.pick("取引年月日(まで)", "Date until")) } input #to type="date" name="to" value=(form.to); }
                div { label for="low" { (lang.pick("金額(以上)", "Amount from")) } input #low type="text" inputmode="decimal" name="low" value=(form.low);
                    label.inline { input type="checkbox" name="no_amount" value="1" checked[form.no_amount.is_some()]; (none) } }
                div { label for="high" { (lang.pick("金額(以下)", "Amount until")) } input #high type="text" inputmode="decimal" name="high" value=(form.high); }
                div { label for="counterparty" { (lang.pick("取引先(一部でも)", "Counterparty, or a part of it")) } input #counterparty type="text" name="counterparty" value=(form.counterparty);
                    label.inline { input type="checkbox" name="no_counterparty" value="1" checked[form.no_counterparty.is_some()]; (none) } }
                div { label for="currency" { (lang.pick("通貨", "Currency")) } input #currency type="text" name="currency" maxlength="3" value=(form.currency); }
                div { label for="class" { (lang.pick("保管要件", "Class")) } select #class name="class" {
                    option value="" { (lang.pick("すべて", "all")) }
                    @for (id, title) in classes { option value=(id) selected[*id == form.class] { (title) } }
                } }
                div { label for="text" { (lang.pick("文字列(ファイル名など)", "Any text, file names too")) } input #text type="text" name="text" value=(form.text); }
            }
            label.inline { input type="checkbox" name="all_versions" value="1" checked[form.all_versions.is_some()]; (lang.pick("古い版も", "older versions, too")) }
            div.actions { button type="submit" name="go" value="1" { (lang.pick("検索", "Search")) } a href="/search" { (lang.pick("条件を消す", "Clear")) } }
        }
    }
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

/// Hits on a page.
const PAGE: u16 = 50;
