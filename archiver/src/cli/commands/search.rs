//! `archiver search`

use serde_json::{Map, Value, json};

use crate::archive::{Accreditations, Archive};
use crate::cli::arguments::Search;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{counted, day, grouped, grouped_amount, shown_name};
use crate::cli::query;
use crate::cli::reading::Patience;
use crate::cli::session::Session;
use crate::scrub::proofs::Proofs;
use crate::store::catalog::{Hit, Query, ValueMatch};
use crate::store::scrub::{ScrubMedia, rfc3339};
use formats::segment::Frame;
use time::OffsetDateTime;

pub(in crate::cli) fn run(session: &Session, arguments: &Search) -> Result<Exit, Failure> {
    let question = question(session, arguments)?;
    let patience = if arguments.wait {
        Patience::ENDLESS
    } else {
        Patience::SEARCH
    };
    let archive = session.open_reading(patience)?;
    answer(session, &archive, &question)
}

/// Tells what is found, as far as the index is.
pub(in crate::cli) fn answer(
    session: &Session,
    archive: &Archive,
    question: &Query,
) -> Result<Exit, Failure> {
    let (hits, filling) = archive.catalog().search_known(question)?;
    let known = match filling {
        // What proves them is known when all was read.
        Some(_) => None,
        None => {
            let media = ScrubMedia::of_store(archive.store())?.media();
            let proofs = Proofs::of(archive.catalog(), &media)?;
            Some((Accreditations::of(archive)?, proofs))
        }
    };
    for hit in &hits {
        let destroyed_at = match hit.readable {
            true => None,
            false => archive.keys().ledger().destroyed_at(hit.version),
        };
        if session.output.json {
            let mut value = query::hit_json(hit);
            if let Some(members) = value.as_object_mut() {
                let at = destroyed_at.map(rfc3339);
                members.insert("destroyed_at".to_owned(), at.into());
                match &known {
                    Some((accreditations, proofs)) => {
                        add_proofs(archive, accreditations, proofs, hit, members)?;
                    }
                    None => {
                        members.insert("complete".to_owned(), false.into());
                    }
                }
            }
            session.output.event(&value);
        }
        session.output.say(&line(session, hit, destroyed_at));
    }
    let count = hits.len() as u64;
    let lang = session.output.lang;
    session.output.say(&lang.pick(
        format!("{} 件", grouped(count)),
        counted(count, "record", "records"),
    ));
    let Some(filling) = filling else {
        return Ok(Exit::Done);
    };
    session.output.event(&json!({
        "event": "index-filling", "complete": false, "versions": filling.versions, "versions_expected": filling.versions_expected,
    }));
    session.tell_incomplete(filling);
    Ok(Exit::Partial)
}

fn add_proofs(
    archive: &Archive,
    accreditations: &Accreditations<'_>,
    proofs: &Proofs,
    hit: &Hit,
    members: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let accreditation = accreditations.version(hit.version)?;
    let accreditation = accreditation.map(|found| found.to_json());
    members.insert("accreditation".to_owned(), accreditation.into());
    let proven = match archive.store().read(hit.address) {
        Ok(Frame::RecordVersion(frame)) => proofs.version(&frame, hit.address),
        Ok(_) | Err(_) => None,
    };
    members.insert("proven_at".to_owned(), proven.map(rfc3339).into());
    let content = proofs.deep(hit.address).map(rfc3339);
    members.insert("content_proven_at".to_owned(), content.into());
    Ok(())
}

pub(super) fn question(session: &Session, arguments: &Search) -> Result<Query, Failure> {
    let lang = session.output.lang;
    let mut question = Query {
        counterparty: arguments.counterparty.clone(),
        class: arguments.class.clone(),
        text: arguments.text.clone(),
        all_versions: arguments.all_versions,
        hits_max: arguments.limit,
        ..Query::default()
    };
    if let Some(text) = &arguments.date {
        question.date = query::dates(text, lang)?;
    }
    if let Some(text) = &arguments.amount {
        question.amount = query::amounts(text, lang)?;
    }
    for key in &arguments.without {
        match key.as_str() {
            "date" => question.date = ValueMatch::Missing,
            "amount" => question.amount = ValueMatch::Missing,
            "counterparty" => question.counterparty = Some(String::new()),
            other => {
                return Err(Failure::said(
                    Exit::Usage,
                    lang,
                    format!("--no {other}: date、amount、counterparty のどれかを指定してください"),
                    format!("--no {other}: give date, amount or counterparty"),
                ));
            }
        }
    }
    Ok(question)
}

/// One hit on one line: id, day, amount, counterparty, name, state. What was destroyed has an id, and the day of its end.
pub(super) fn line(session: &Session, hit: &Hit, destroyed_at: Option<OffsetDateTime>) -> String {
    let lang = session.output.lang;
    let metadata = &hit.metadata;
    let date = metadata
        .date
        .map_or_else(|| "-".to_owned(), |d| d.to_string());
    let amount = metadata.amount.as_ref().map_or_else(
        || "-".to_owned(),
        |a| {
            let currency = metadata
                .currency
                .as_ref()
                .map(|c| format!(" {c}"))
                .unwrap_or_default();
            format!("{}{currency}", grouped_amount(&a.to_string()))
        },
    );
    let party = metadata.counterparty.as_deref().unwrap_or("-");
    let name = hit
        .objects
        .first()
        .map(|o| shown_name(&o.name.to_string()))
        .unwrap_or_default();
    let state = match (destroyed_at.map(day), hit.stamp, hit.readable) {
        (Some(day), ..) => lang.pick(format!("廃棄済み {day}"), format!("destroyed {day}")),
        (None, _, false) => lang.pick("鍵なし", "no key").to_owned(),
        (None, Some(_), true) => format!("{}, {}", hit.class, lang.pick("証明済", "stamped")),
        (None, None, true) => format!("{}, {}", hit.class, lang.pick("待機中", "waiting")),
    };
    let version = if hit.version.version() > 1 {
        format!("/{}", hit.version.version())
    } else {
        String::new()
    };
    format!(
        "{}{version}  {date:<10}  {amount:>16}  {}  {name}  [{state}]",
        hit.version.record(),
        shown_name(party),
    )
}
