//! An example of each operation, for curl.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::schema::{parts, properties, required, resolved, types};
use super::text;
use crate::web::text::query_of;

/// The command that asks an operation. What stands in capitals is to be replaced.
pub(super) fn curl(operation: &Operation<'_>, description: &Value) -> String {
    let mut words = Vec::new();
    let body = operation.bodies().next();
    let is_usual = match body {
        None => operation.method == "GET",
        Some(_) => false,
    };
    if !is_usual {
        words.push(format!("-X {}", operation.method));
    }
    if !operation.is_open() {
        words.push("-H \"authorization: Bearer $TOKEN\"".to_owned());
    }
    match body {
        None => {}
        Some(("application/json", schema)) => {
            let body = sample(schema, description, "", DEPTH_MAX);
            words.push("-H 'content-type: application/json'".to_owned());
            words.push(format!("-d {}", quoted(&body.to_string())));
        }
        Some((media, _)) => {
            words.push(format!("-H 'content-type: {media}'"));
            words.push("-T FILE".to_owned());
        }
    }
    if gives_a_file(operation) {
        words.push("-OJ".to_owned());
    }
    words.push(quoted(&format!(
        "{HOST}{}",
        address(operation, description)
    )));
    format!("curl {}", words.join(" \\\n  "))
}

/// Whether what comes is for a file and not for the screen.
fn gives_a_file(operation: &Operation<'_>) -> bool {
    let fine = operation
        .answers()
        .filter(|(status, _)| status.starts_with('2'));
    let mut media = fine
        .filter_map(|(_, answer)| answer.get("content")?.as_object())
        .flatten();
    media.any(|(media, _)| !media.starts_with("application/json") && !media.starts_with("text/"))
}

/// The path with its parts, and what must be in its query.
fn address(operation: &Operation<'_>, description: &Value) -> String {
    let mut path = operation.path.to_owned();
    let mut query = Vec::new();
    for parameter in operation.parameters() {
        let name = text(parameter, "/name");
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        let example = parameter.get("example").cloned();
        let value = example.unwrap_or_else(|| sample(schema, description, name, DEPTH_MAX));
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let is_required = parameter.get("required").and_then(Value::as_bool) == Some(true);
        match text(parameter, "/in") {
            "path" => path = path.replace(&format!("{{{name}}}"), &value),
            "query" if is_required => query.push((name, value)),
            _ => {}
        }
    }
    match query.is_empty() {
        true => path,
        false => {
            let fields: Vec<_> = query
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            format!("{path}?{}", query_of(&fields))
        }
    }
}

/// A value that a schema takes: what must be there, and no more.
fn sample(schema: &Value, description: &Value, name: &str, depth: u8) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    let first = ["oneOf", "anyOf", "enum"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array()?.first());
    if schema.get("enum").is_some() {
        return first.cloned().unwrap_or_default();
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    if let Some(first) = first {
        return sample(first, description, name, depth);
    }
    let schema = resolved(schema, description);
    let parts = parts(schema);
    let (properties, required) = (properties(&parts), required(&parts));
    match types(schema).first().copied() {
        Some("string") => json!(placeholder(name)),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            json!([sample(items, description, name, depth)])
        }
        Some("object") | None if !properties.is_empty() => {
            let wanted = properties
                .iter()
                .filter(|(name, _)| required.contains(name));
            let fields = wanted.map(|(name, property)| {
                let value = sample(property, description, name, depth);
                ((*name).to_owned(), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Some("object") => json!({}),
        _ => Value::Null,
    }
}

fn placeholder(name: &str) -> String {
    match name {
        "" => "TEXT".to_owned(),
        name => name.to_uppercase(),
    }
}

/// Text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Where the archive is in the examples.
const HOST: &str = "https://archive.example:8443";

/// How deep an example is: schemas may name each other.
const DEPTH_MAX: u8 = 8;
