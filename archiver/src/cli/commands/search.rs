//! `archiver search`

use serde_json::{Map, Value, json};

use crate::archive::{Accreditations, Archive};
use crate::cli::arguments::Search;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
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

/// What stands on the line of a hit.
pub(super) struct Row<'a> {
    pub(super) record: String,
    pub(super) version: u32,
    pub(super) class: &'a str,
    pub(super) date: Option<String>,
    pub(super) amount: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) counterparty: Option<&'a str>,
    /// The name of its first object.
    pub(super) name: Option<String>,
    pub(super) is_stamped: bool,
    pub(super) is_readable: bool,
    /// When its key was destroyed.
    pub(super) destroyed_at: Option<OffsetDateTime>,
}

impl Row<'_> {
    /// One hit on one line: id, day, amount, counterparty, name, state. What was destroyed has an id, and the day of its end.
    pub(super) fn line(&self, lang: Lang) -> String {
        let date = self.date.as_deref().unwrap_or("-");
        let amount = self.amount.as_ref().map_or_else(
            || "-".to_owned(),
            |amount| {
                let currency = self.currency.as_ref();
                let currency = currency.map(|c| format!(" {c}")).unwrap_or_default();
                format!("{}{currency}", grouped_amount(amount))
            },
        );
        let party = self.counterparty.unwrap_or("-");
        let name = self.name.as_deref().map(shown_name).unwrap_or_default();
        let state = match (
            self.destroyed_at.map(day),
            self.is_stamped,
            self.is_readable,
        ) {
            (Some(day), ..) => lang.pick(format!("廃棄済み {day}"), format!("destroyed {day}")),
            (None, _, false) => lang.pick("鍵なし", "no key").to_owned(),
            (None, true, true) => format!("{}, {}", self.class, lang.pick("証明済", "stamped")),
            (None, false, true) => format!("{}, {}", self.class, lang.pick("待機中", "waiting")),
        };
        let version = match self.version {
            0 | 1 => String::new(),
            version => format!("/{version}"),
        };
        format!(
            "{}{version}  {date:<10}  {amount:>16}  {}  {name}  [{state}]",
            self.record,
            shown_name(party),
        )
    }
}

/// The line of a hit of this archive.
pub(super) fn line(session: &Session, hit: &Hit, destroyed_at: Option<OffsetDateTime>) -> String {
    let metadata = &hit.metadata;
    let row = Row {
        record: hit.version.record().to_string(),
        version: hit.version.version(),
        class: &hit.class,
        date: metadata.date.map(|date| date.to_string()),
        amount: metadata.amount.as_ref().map(ToString::to_string),
        currency: metadata.currency.as_ref().map(ToString::to_string),
        counterparty: metadata.counterparty.as_deref(),
        name: hit.objects.first().map(|object| object.name.to_string()),
        is_stamped: hit.stamp.is_some(),
        is_readable: hit.readable,
        destroyed_at,
    };
    row.line(session.output.lang)
}
