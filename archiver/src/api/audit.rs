//! `/api/v1/audit`: the audit trail.
#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use formats::audit::{AuditEntry, Outcome};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::contents::attachment;
use super::extract::Asked;
use super::problem::Problem;
use crate::acts::{Desk, Refusal};
use crate::audit::AuditFilter;
use crate::cli::lang::Lang;
use crate::cli::query::{self, rfc3339};
use crate::store::catalog::ValueMatch;

/// Which entries.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// From this day in Japan, or time, on.
    pub(crate) from: Option<String>,
    /// Until this day, which is included, or time.
    pub(crate) to: Option<String>,
    /// Of this account.
    pub(crate) person: Option<String>,
    /// Whose code begins so: `record.`, `session.refuse`.
    pub(crate) act: Option<String>,
    /// On this record.
    pub(crate) record: Option<String>,
    /// `done`, `denied` or `failed`.
    pub(crate) outcome: Option<String>,
    /// Where to go on, from `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// At most so many, from 1 to 1000; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u16>,
}

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// Its number, from 1.
    sequence: u64,
    /// When, UTC.
    time: String,
    /// The account; empty where nobody was known.
    person: String,
    /// From where.
    client: String,
    /// What, as a code.
    act: String,
    /// On which record.
    record: Option<String>,
    /// What for.
    purpose: Option<String>,
    /// `done`, `denied` or `failed`.
    outcome: String,
    /// Further facts.
    details: BTreeMap<String, String>,
}

/// Some of the trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrailView {
    /// Newest first.
    entries: Vec<EntryView>,
    /// Where the next page begins; `null` at the end.
    next: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(export))
}

/// Read the audit trail, newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditParams),
    responses((status = 200, body = TrailView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Asked(params): Asked<AuditParams>,
) -> Result<Json<TrailView>, Problem> {
    let lang = caller.lang;
    let limit = usize::from(params.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX));
    let page = blocking(&desk, lang, move |desk| {
        let filter = filter(&params, lang)?;
        desk.read_audit(&caller.actor, &filter, (params.cursor.as_deref(), limit))
    })
    .await?;
    let entries = page.lines.iter().filter_map(|read| read.entry.as_ref());
    Ok(Json(TrailView {
        entries: entries.map(EntryView::of).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// Export the exact lines of the trail, oldest first
///
/// Whether they hang together is checked by `verifier audit`.
#[utoipa::path(get, path = "/api/v1/audit/lines", tag = "audit", params(AuditParams),
    responses((status = 200, body = String, content_type = "application/jsonl"), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn export(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Asked(params): Asked<AuditParams>,
) -> Result<Response, Problem> {
    let lang = caller.lang;
    let bytes = blocking(&desk, lang, move |desk| {
        let filter = filter(&params, lang)?;
        desk.export_audit(&caller.actor, &filter)
    })
    .await?;
    let size = bytes.len() as u64;
    Ok(attachment(
        "application/jsonl",
        "audit.jsonl",
        Some(size),
        Body::from(bytes),
    ))
}

/// The conditions as the trail takes them.
pub(crate) fn filter(params: &AuditParams, lang: Lang) -> Result<AuditFilter, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (from, to) = (given(&params.from), given(&params.to));
    let times = query::times(from.as_deref(), to.as_deref(), lang).map_err(|_| {
        Refusal::invalid(
            "from",
            "日付は 2026-01-31 の形にしてください",
            "give a day as 2026-01-31",
        )
    })?;
    let (from, to) = match times {
        ValueMatch::Between(from, to) => (from, to),
        ValueMatch::Any | ValueMatch::Missing => (None, None),
    };
    let outcome = match given(&params.outcome).as_deref() {
        None => None,
        Some("done") => Some(Outcome::Done),
        Some("denied") => Some(Outcome::Denied),
        Some("failed") => Some(Outcome::Failed),
        Some(_) => {
            return Err(Refusal::invalid(
                "outcome",
                "done、denied、failed のいずれかにしてください",
                "give done, denied or failed",
            ));
        }
    };
    Ok(AuditFilter {
        from,
        // The end of a day is the last microsecond of it; the trail wants the first one that is not meant.
        to: to.map(|to: OffsetDateTime| to.saturating_add(time::Duration::microseconds(1))),
        person: given(&params.person),
        act: given(&params.act),
        record: given(&params.record),
        outcome,
    })
}

impl EntryView {
    fn of(entry: &AuditEntry) -> Self {
        Self {
            sequence: entry.sequence,
            time: rfc3339(entry.time),
            person: entry.person.clone(),
            client: entry.client.clone(),
            act: entry.act.clone(),
            record: entry.record.clone(),
            purpose: entry.purpose.clone(),
            outcome: outcome_code(entry.outcome).to_owned(),
            details: entry.details.clone(),
        }
    }
}

/// How an act ended, as a code.
pub(crate) const fn outcome_code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Denied => "denied",
        Outcome::Failed => "failed",
    }
}

/// Entries on a page, unless asked for otherwise.
const LIMIT: u16 = 100;

/// The most on a page.
const LIMIT_MAX: u16 = 1_000;
