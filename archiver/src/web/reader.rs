//! The API's description as a page for people. It is made from the description itself, so it can tell nothing else.

mod example;
mod operation;
mod schema;

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;

use self::operation::{Operation, operations};
use super::frame::Frame;
use super::visitor::Visitor;
use crate::access::session::Standing;
use crate::acts::Desk;
use crate::api::{description_value, language};
use crate::cli::lang::Lang;

/// Where the page is.
pub(super) const PATH: &str = "/api";

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route(PATH, get(reader))
}

/// Like the description itself it tells nothing of any record: whoever writes a client reads it without an account.
async fn reader(State(desk): State<Arc<Desk>>, mut parts: Parts) -> Response {
    let lang = language(&parts.headers);
    let visitor = Visitor::from_request_parts(&mut parts, &desk).await.ok();
    let visitor = visitor.filter(|visitor| visitor.session.standing == Standing::Full);
    let frame = Frame {
        lang,
        visitor: visitor.as_ref(),
        place: PATH,
        title: lang.pick("API の仕様", "Description of the API"),
        evaluation: desk.archive().notice().is_some(),
    };
    frame
        .page(&matter(description_value(), lang))
        .into_response()
}

/// The whole matter of the page.
fn matter(description: &Value, lang: Lang) -> Markup {
    let operations = operations(description);
    let tags = tags(&operations);
    html! {
        h1 { (lang.pick("API の仕様", "Description of the API")) }
        p.lead { (lang.pick(
            "プログラムから文蔵を使うための仕様です。このページは OpenAPI の記述そのものから作られています。説明文は英語です。",
            "How programs use this archive. The page is made from the OpenAPI description itself.")) }
        section.sheet lang="en" {
            p { (prose(text(description, "/info/description"))) }
            p { a href="/api/v1/openapi.json" { "openapi.json" } " · OpenAPI " (text(description, "/openapi")) " · " (text(description, "/info/title")) " " (text(description, "/info/version")) }
        }
        (contents(&operations, &tags, lang))
        @for tag in &tags {
            section {
                h2 id={ "tag-" (tag) } { (tag_name(tag, lang)) }
                @for one in operations.iter().filter(|one| one.tag == *tag) { (one.sheet(description, lang)) }
            }
        }
        section {
            h2 #schemas { (lang.pick("データの形", "Schemas")) }
            (schema::tables(description, lang))
        }
    }
}

/// All operations in a list, each with a way to it.
fn contents(operations: &[Operation<'_>], tags: &[&str], lang: Lang) -> Markup {
    html! {
        nav.sheet aria-label=(lang.pick("操作の一覧", "List of operations")) {
            h2 { (lang.pick("操作の一覧", "Operations")) }
            div.operations {
                @for tag in tags {
                    div {
                        h3 { a href={ "#tag-" (tag) } { (tag_name(tag, lang)) } }
                        ul { @for one in operations.iter().filter(|one| one.tag == *tag) {
                            li lang="en" { a href={ "#" (one.anchor()) } { (one.summary()) } " " span.id { (one.method) " " (one.path) } }
                        } }
                    }
                }
                div { h3 { a href="#schemas" { (lang.pick("データの形", "Schemas")) } } }
            }
        }
    }
}

/// The tags in the order in which they come first.
fn tags<'a>(operations: &[Operation<'a>]) -> Vec<&'a str> {
    let mut tags = Vec::new();
    for one in operations {
        if !tags.contains(&one.tag) {
            tags.push(one.tag);
        }
    }
    tags
}

fn tag_name(tag: &str, lang: Lang) -> String {
    let ja = match tag {
        "audit" => "監査証跡",
        "events" => "警報と事象",
        "evidence" => "証拠",
        "jobs" => "ジョブ",
        "journal" => "運用日誌",
        "overview" => "状況",
        "people" => "アカウント",
        "approvals" => "承認待ち",
        "searches" => "保存した検索",
        "quarantine" => "隔離",
        "records" => "記録",
        "session" => "セッション",
        "uploads" => "分割送信",
        other => other,
    };
    lang.pick(format!("{ja}({tag})"), tag.to_owned())
}

/// The text at a place of the description; nothing where there is none.
fn text<'a>(value: &'a Value, place: &str) -> &'a str {
    value
        .pointer(place)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Text as the description has it: what stands between backticks is code.
fn prose(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
