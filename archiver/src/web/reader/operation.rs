//! One operation: who may, what it takes, what it answers.

use axum::http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use super::example::curl;
use super::schema::kind;
use super::{prose, text};
use crate::access::Role;
use crate::api::{CODES_KEY, ROLES_KEY};
use crate::cli::lang::Lang;

/// One operation of the description.
pub(super) struct Operation<'a> {
    /// In capitals.
    pub(super) method: String,
    /// As a template.
    pub(super) path: &'a str,
    pub(super) tag: &'a str,
    pub(super) value: &'a Value,
}

/// All operations, by path.
pub(super) fn operations(description: &Value) -> Vec<Operation<'_>> {
    let paths = description.get("paths").and_then(Value::as_object);
    let mut operations = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, value) in item.as_object().into_iter().flatten() {
            operations.push(Operation {
                method: method.to_uppercase(),
                path,
                tag: text(value, "/tags/0"),
                value,
            });
        }
    }
    operations
}

impl<'a> Operation<'a> {
    /// The id of its sheet.
    pub(super) fn anchor(&self) -> &'a str {
        text(self.value, "/operationId")
    }

    pub(super) fn summary(&self) -> &'a str {
        text(self.value, "/summary")
    }

    /// Whether it is asked without a session.
    pub(super) fn is_open(&self) -> bool {
        let security = self.value.get("security").and_then(Value::as_array);
        security.is_some_and(|any| {
            any.iter()
                .any(|one| one.as_object().is_none_or(|one| one.is_empty()))
        })
    }

    /// Its parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'a Value> {
        list(self.value, "parameters")
    }

    /// The types of body that it takes, each with its schema.
    pub(super) fn bodies(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        contents(self.value.get("requestBody"))
    }

    /// The answers, by status.
    pub(super) fn answers(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let answers = self.value.get("responses").and_then(Value::as_object);
        answers
            .into_iter()
            .flatten()
            .map(|(status, answer)| (status.as_str(), answer))
    }

    /// All of it.
    pub(super) fn sheet(&self, description: &Value, lang: Lang) -> Markup {
        let more = text(self.value, "/description");
        html! {
            article.sheet.operation {
                h3 id=(self.anchor()) { span.tag { (self.method) } " " span.id { (self.path) } }
                p lang="en" { strong { (prose(self.summary())) } @if !more.is_empty() { br; (prose(more)) } }
                (self.who(lang))
                (self.takes(lang))
                (self.gives(lang))
                h4 { (lang.pick("例", "Example")) }
                pre.text tabindex="0" { (curl(self, description)) }
            }
        }
    }

    fn who(&self, lang: Lang) -> Markup {
        let roles: Vec<_> = list(self.value, ROLES_KEY)
            .filter_map(Value::as_str)
            .collect();
        html! {
            p {
                (lang.pick("できる人: ", "Who may: "))
                @for role in &roles { span.tag { (role_name(role, lang)) } " " }
                @if self.is_open() { (lang.pick("(ログイン不要)", "(no session wanted)")) }
            }
        }
    }

    fn takes(&self, lang: Lang) -> Markup {
        let (parameters, bodies): (Vec<_>, Vec<_>) =
            (self.parameters().collect(), self.bodies().collect());
        html! {
            @if !parameters.is_empty() {
                h4 { (lang.pick("パラメータ", "Parameters")) }
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (lang.pick("名前", "Name")) } th scope="col" { (lang.pick("場所", "Where")) } th scope="col" { (lang.pick("型", "Type")) }
                        th scope="col" { (lang.pick("必須", "Required")) } th scope="col" { (lang.pick("説明", "Meaning")) }
                    } }
                    tbody { @for one in &parameters { (parameter(one, lang)) } }
                } }
            }
            @if !bodies.is_empty() {
                h4 { (lang.pick("本文", "Body")) }
                ul { @for (media, schema) in &bodies { li { code { (media) } ": " (kind(schema, lang)) } } }
            }
        }
    }

    fn gives(&self, lang: Lang) -> Markup {
        html! {
            h4 { (lang.pick("応答", "Answers")) }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (lang.pick("状態", "Status")) } th scope="col" { (lang.pick("意味", "Meaning")) } th scope="col" { (lang.pick("本文", "Body")) }
                    th scope="col" { (lang.pick("ヘッダー", "Headers")) } th scope="col" { (lang.pick("エラーコード", "Error codes")) }
                } }
                tbody { @for (status, answer) in self.answers() { tr {
                    td { strong { (status) } }
                    td lang="en" { (meaning(status, answer)) }
                    td { @for (media, schema) in contents(Some(answer)) { div { code { (media) } ": " (kind(schema, lang)) } } }
                    td { @for name in answer.get("headers").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) { code { (name) } " " } }
                    td { @for code in list(answer, CODES_KEY).filter_map(Value::as_str) { code { (code) } " " } }
                } } }
            } }
        }
    }
}

fn parameter(one: &Value, lang: Lang) -> Markup {
    let is_required = one.get("required").and_then(Value::as_bool) == Some(true);
    let place = match text(one, "/in") {
        "path" => lang.pick("パス", "path"),
        "query" => lang.pick("クエリ", "query"),
        "header" => lang.pick("ヘッダー", "header"),
        other => other,
    };
    html! { tr {
        td { code { (text(one, "/name")) } }
        td { (place) }
        td { @if let Some(schema) = one.get("schema") { (kind(schema, lang)) } }
        td { @if is_required { (lang.pick("はい", "yes")) } @else { "—" } }
        td lang="en" { (prose(text(one, "/description"))) }
    } }
}

/// What the description says of an answer, or else what its status is called (RFC 9110 §15).
fn meaning(status: &str, answer: &Value) -> Markup {
    let told = text(answer, "/description");
    let name = status.parse::<StatusCode>().ok();
    let name = name.as_ref().and_then(StatusCode::canonical_reason);
    match told {
        "" => prose(name.unwrap_or_default()),
        told => prose(told),
    }
}

fn contents(holder: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let contents = holder.and_then(|holder| holder.get("content")?.as_object());
    contents.into_iter().flatten().map(|(media, content)| {
        let schema = content.get("schema").unwrap_or(&Value::Null);
        (media.as_str(), schema)
    })
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn role_name(code: &str, lang: Lang) -> String {
    match (code, Role::from_code(code)) {
        (_, Some(role)) => format!("{} ({code})", role.title(lang)),
        ("anybody", None) => lang.pick("誰でも", "anybody").to_owned(),
        ("person", None) => lang
            .pick("ログインした人", "everybody who is logged in")
            .to_owned(),
        (code, None) => code.to_owned(),
    }
}
