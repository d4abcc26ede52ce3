//! Schemas: what a value is, in a few words, and tables of what it consists of.

use maud::{Markup, html};
use serde_json::Value;

use super::{prose, text};
use crate::cli::lang::Lang;

/// The start of a reference to a schema of the description.
const SCHEMAS: &str = "#/components/schemas/";

/// All schemas of the description, each with a table.
pub(super) fn tables(description: &Value, lang: Lang) -> Markup {
    let schemas = description.pointer("/components/schemas");
    let schemas = schemas.and_then(Value::as_object);
    html! {
        @for (name, schema) in schemas.into_iter().flatten() {
            article.sheet {
                h3 id={ "schema-" (name) } { span.id { (name) } }
                p lang="en" { (prose(text(schema, "/description"))) }
                (table(schema, lang))
            }
        }
    }
}

fn table(schema: &Value, lang: Lang) -> Markup {
    let parts = parts(schema);
    let (properties, required) = (properties(&parts), required(&parts));
    html! {
        @for part in &parts {
            @if part.get("properties").is_none() { p { (kind(part, lang)) } }
        }
        @if !properties.is_empty() {
            div.scroll { table {
                thead { tr {
                    th scope="col" { (lang.pick("名前", "Name")) } th scope="col" { (lang.pick("型", "Type")) }
                    th scope="col" { (lang.pick("必須", "Required")) } th scope="col" { (lang.pick("説明", "Meaning")) }
                } }
                tbody { @for (name, property) in &properties { tr {
                    td { code { (name) } }
                    td { (kind(property, lang)) }
                    td { @if required.contains(name) { (lang.pick("はい", "yes")) } @else { "—" } }
                    td lang="en" { (prose(text(property, "/description"))) }
                } } }
            } }
        }
    }
}

/// The parts that make up a schema: those of `allOf`, or itself alone.
pub(super) fn parts(schema: &Value) -> Vec<&Value> {
    match schema.get("allOf").and_then(Value::as_array) {
        Some(parts) => parts.iter().collect(),
        None => vec![schema],
    }
}

/// The properties of an object that consists of these parts, in their order.
pub(super) fn properties<'a>(parts: &[&'a Value]) -> Vec<(&'a str, &'a Value)> {
    let objects = parts
        .iter()
        .filter_map(|part| part.get("properties")?.as_object());
    objects
        .flatten()
        .map(|(name, property)| (name.as_str(), property))
        .collect()
}

/// The names of those that are always there.
pub(super) fn required<'a>(parts: &[&'a Value]) -> Vec<&'a str> {
    let lists = parts
        .iter()
        .filter_map(|part| part.get("required")?.as_array());
    lists.flatten().filter_map(Value::as_str).collect()
}

/// The schema that a reference names, or the schema itself.
pub(super) fn resolved<'a>(schema: &'a Value, description: &'a Value) -> &'a Value {
    let Some(name) = referred(schema) else {
        return schema;
    };
    let schemas = description.pointer("/components/schemas");
    schemas
        .and_then(|schemas| schemas.get(name))
        .unwrap_or(schema)
}

fn referred(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)
}

/// The types that a schema names; none for one that takes anything.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}

/// What a value is, in a few words.
pub(super) fn kind(schema: &Value, lang: Lang) -> Markup {
    if let Some(name) = referred(schema) {
        return html! { a.id href={ "#schema-" (name) } { (name) } };
    }
    let choices = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array());
    if let Some(choices) = choices {
        return between(choices.iter().map(|one| kind(one, lang)), lang);
    }
    let types = types(schema);
    if types.is_empty() {
        return html! { (lang.pick("任意の値", "anything")) };
    }
    html! {
        (between(types.iter().map(|one| simple(one, schema, lang)), lang))
        @if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            ": " @for value in values.iter().filter_map(Value::as_str) { code { (value) } " " }
        }
        @for (ja, en, key) in BOUNDS {
            @if let Some(bound) = schema.get(key) { ", " (lang.pick(*ja, *en)) " " (bound) }
        }
    }
}

/// Bounds of values, in Japanese, in English, and as the description names them.
const BOUNDS: &[(&str, &str, &str)] = &[
    ("最小", "from", "minimum"),
    ("最大", "to", "maximum"),
    ("最短", "length from", "minLength"),
    ("最長", "length to", "maxLength"),
];

fn simple(one: &str, schema: &Value, lang: Lang) -> Markup {
    let format = text(schema, "/format");
    match one {
        "array" => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            html! { (lang.pick("配列: ", "list of ")) (kind(items, lang)) }
        }
        "object" => match schema.get("additionalProperties") {
            Some(values) if values.is_object() => {
                html! { (lang.pick("名前から値への対応: ", "map of names to ")) (kind(values, lang)) }
            }
            _ => html! { (lang.pick("オブジェクト", "object")) },
        },
        one => html! { (type_name(one, lang)) @if !format.is_empty() { " (" (format) ")" } },
    }
}

fn type_name(one: &str, lang: Lang) -> &str {
    match one {
        "string" => lang.pick("文字列", "string"),
        "integer" => lang.pick("整数", "integer"),
        "number" => lang.pick("数", "number"),
        "boolean" => lang.pick("真偽値", "boolean"),
        "null" => "null",
        other => other,
    }
}

fn between(parts: impl Iterator<Item = Markup>, lang: Lang) -> Markup {
    html! {
        @for (number, part) in parts.enumerate() {
            @if number > 0 { (lang.pick(" または ", " or ")) }
            (part)
        }
    }
}
