//! `archiver search --server`

use serde_json::{Value, json};

use super::{At, said};
use crate::cli::arguments::Search;
use crate::cli::commands::search::{Row, question};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{counted, grouped};
use crate::remote::{FoundPage, FoundVersion};

pub(super) fn run(at: &At<'_>, arguments: &Search) -> Result<Exit, Failure> {
    let session = at.session;
    // What is wrong with the conditions is told as everywhere, before anything is sent.
    question(session, arguments)?;
    let query = conditions(arguments);
    let client = at.client()?;
    let mut left = arguments.limit.unwrap_or(usize::MAX);
    let (mut count, mut cursor) = (0_u64, None::<String>);
    while left > 0 {
        let mut query = query.clone();
        query.push(("limit", left.min(PAGE_MAX).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: FoundPage = client
            .get(&["records"], &query)
            .map_err(|error| said(session, &error))?;
        for found in page.records.iter().take(left) {
            session.output.event(&found_json(found));
            session.output.say(&row(found).line(session.output.lang));
            count += 1;
        }
        left = left.saturating_sub(page.records.len());
        match page.next {
            Some(next) if !page.records.is_empty() => cursor = Some(next),
            Some(_) | None => break,
        }
    }
    session.output.say(&session.output.lang.pick(
        format!("{} 件", grouped(count)),
        counted(count, "record", "records"),
    ));
    Ok(Exit::Done)
}

/// The conditions as the API takes them.
fn conditions(arguments: &Search) -> Vec<(&'static str, String)> {
    let is_without = |key: &str| arguments.without.iter().any(|one| one == key);
    let value = |key: &'static str, given: &Option<String>| match is_without(key) {
        true => Some((key, "none".to_owned())),
        false => given.clone().map(|text| (key, text)),
    };
    let given = |key: &'static str, text: &Option<String>| text.clone().map(|text| (key, text));
    let amount = arguments.amount.as_ref().map(|text| text.replace(',', ""));
    let mut conditions: Vec<_> = [
        value("date", &arguments.date),
        value("amount", &amount),
        value("counterparty", &arguments.counterparty),
        given("class", &arguments.class),
        given("text", &arguments.text),
    ]
    .into_iter()
    .flatten()
    .collect();
    if arguments.all_versions {
        conditions.push(("all_versions", "true".to_owned()));
    }
    conditions
}

fn row(found: &FoundVersion) -> Row<'_> {
    let value = |key: &str| found.metadata.get(key).cloned();
    Row {
        record: found.record.clone(),
        version: found.version,
        class: &found.class,
        date: value("date"),
        amount: value("amount"),
        currency: value("currency"),
        counterparty: found.metadata.get("counterparty").map(String::as_str),
        name: found.objects.first().map(|object| object.name.clone()),
        is_stamped: found.stamped_at.is_some(),
        is_readable: found.readable,
        destroyed_at: None,
    }
}

/// As `archiver search --json` tells it, without what the service does not tell: batch, accreditation, fixity.
fn found_json(found: &FoundVersion) -> Value {
    let object = |one: &crate::remote::FoundObject| json!({ "name": one.name, "media_type": one.media_type, "size": one.size });
    json!({
        "record": found.record,
        "version": found.version,
        "class": found.class,
        "received_at": found.received_at,
        "metadata": found.metadata,
        "objects": found.objects.iter().map(object).collect::<Vec<_>>(),
        "depositor": found.depositor,
        "stamped": found.stamped_at.is_some(),
        "stamped_at": found.stamped_at,
        "superseded": found.superseded,
        "readable": found.readable,
    })
}

/// The most that the service gives at once.
const PAGE_MAX: usize = 500;
