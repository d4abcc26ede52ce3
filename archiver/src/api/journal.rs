//! `/api/v1/journal`: the operation journal of a day, with notes and signatures.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::extract::{At, Sent};
use super::forms::{Done, moment};
use super::problem::Problem;
use crate::acts::{Desk, ShownJournal, asked_day};
use crate::cli::query::rfc3339;
use crate::journal::{JournalLine, SessionSpan, Signature, Signed, WorkCount, day_text};

/// The operation journal of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalView {
    /// The day in Japan.
    day: String,
    /// The record that it became when it was closed; `null` before.
    record: Option<String>,
    /// SHA-256 of its text, hexadecimal.
    sha256: Option<String>,
    /// Item 1: who was logged in when.
    sessions: Vec<SessionSpanView>,
    /// Item 2: what was changed of settings, accounts, media and keys.
    settings: Vec<LineView>,
    /// Item 3: which logs were put away.
    logs: Vec<LineView>,
    /// Item 4: which backups were made.
    backups: Vec<LineView>,
    /// Item 5: what failed or was to be reported, and what was done about it.
    errors: Vec<LineView>,
    /// How often what was done.
    work: Vec<WorkView>,
    /// What people noted, also after it was closed.
    notes: Vec<LineView>,
    /// Who signed it.
    signatures: Vec<SignatureView>,
}

/// Somebody was logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionSpanView {
    /// Who.
    person: String,
    /// From where.
    client: String,
    /// Since when; `null`: since a day before.
    begun: Option<String>,
    /// Until when; `null`: there was no log-out on this day.
    ended: Option<String>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// When, RFC 3339, UTC.
    time: String,
    /// Who; empty: the service.
    by: String,
    /// In Japanese.
    text_ja: String,
    /// In English.
    text_en: String,
}

/// How often something was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkView {
    /// The act as a code.
    act: String,
    /// Done.
    done: u64,
    /// Not allowed.
    denied: u64,
    /// Failed.
    failed: u64,
}

/// A signature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignatureView {
    /// Who.
    by: String,
    /// When, RFC 3339, UTC.
    time: String,
    /// `confirmed` by an administrator, `inspected` by an auditor.
    #[serde(rename = "as")]
    signature: String,
    /// What was found.
    remark: String,
}

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteForm {
    /// What is to be written down.
    #[schema(min_length = 1, max_length = 500)]
    text: String,
}

/// A signature under a closed journal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureForm {
    /// What was found; may be left out.
    #[serde(default)]
    #[schema(max_length = 500)]
    remark: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(note))
        .routes(routes!(confirm))
        .routes(routes!(inspect))
}

/// The operation journal of a day
///
/// Of today, as far as it goes.
#[utoipa::path(get, path = "/api/v1/journal/{day}", tag = "journal",
    params(("day" = String, Path, description = "the day in Japan, as 2026-01-31")),
    responses((status = 200, body = JournalView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(day): At<String>,
) -> Result<Json<JournalView>, Problem> {
    let shown = blocking(&desk, caller.lang, move |desk| {
        desk.read_journal(&caller.actor, Some(asked_day(&day)?))
    })
    .await?;
    Ok(Json(JournalView::of(&shown)))
}

/// Write into the journal of a day; after it was closed, beside it
#[utoipa::path(post, path = "/api/v1/journal/{day}/notes", tag = "journal", request_body = NoteForm,
    params(("day" = String, Path, description = "the day in Japan, as 2026-01-31")),
    responses((status = 200, body = Done), (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn note(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(day): At<String>,
    Sent(form): Sent<NoteForm>,
) -> Result<Json<Done>, Problem> {
    blocking(&desk, caller.lang, move |desk| {
        desk.note_journal(&caller.actor, asked_day(&day)?, &form.text)
    })
    .await?;
    Ok(Json(Done::YES))
}

/// Confirm the closed journal of a day, as an administrator
#[utoipa::path(post, path = "/api/v1/journal/{day}/confirmation", tag = "journal", request_body = SignatureForm,
    params(("day" = String, Path, description = "the day in Japan, as 2026-01-31")),
    responses((status = 200, body = Done), (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn confirm(
    state: State<Arc<Desk>>,
    caller: Caller,
    day: At<String>,
    form: Sent<SignatureForm>,
) -> Result<Json<Done>, Problem> {
    sign(state, caller, day, form, Signature::Confirmed).await
}

/// Say that the closed journal of a day was inspected, as an auditor
#[utoipa::path(post, path = "/api/v1/journal/{day}/inspection", tag = "journal", request_body = SignatureForm,
    params(("day" = String, Path, description = "the day in Japan, as 2026-01-31")),
    responses((status = 200, body = Done), (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn inspect(
    state: State<Arc<Desk>>,
    caller: Caller,
    day: At<String>,
    form: Sent<SignatureForm>,
) -> Result<Json<Done>, Problem> {
    sign(state, caller, day, form, Signature::Inspected).await
}

async fn sign(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(day): At<String>,
    Sent(form): Sent<SignatureForm>,
    signature: Signature,
) -> Result<Json<Done>, Problem> {
    blocking(&desk, caller.lang, move |desk| {
        desk.sign_journal(&caller.actor, asked_day(&day)?, signature, &form.remark)
    })
    .await?;
    Ok(Json(Done::YES))
}

impl JournalView {
    fn of(shown: &ShownJournal) -> Self {
        let (journal, standing) = (&shown.journal, &shown.standing);
        let closed = standing.closed.as_ref().map(|(_, closed)| closed);
        let lines = |lines: &[JournalLine]| lines.iter().map(LineView::of).collect();
        Self {
            day: day_text(journal.day),
            record: closed.map(|closed| closed.version.to_string()),
            sha256: closed.map(|closed| closed.sha256.clone()),
            sessions: journal.sessions.iter().map(SessionSpanView::of).collect(),
            settings: lines(&journal.settings),
            logs: lines(&journal.logs),
            backups: lines(&journal.backups),
            errors: lines(&journal.errors),
            work: journal.work.iter().map(WorkView::of).collect(),
            notes: lines(&standing.notes),
            signatures: standing.signed.iter().map(SignatureView::of).collect(),
        }
    }
}

impl SessionSpanView {
    fn of(span: &SessionSpan) -> Self {
        Self {
            person: span.person.clone(),
            client: span.client.clone(),
            begun: moment(span.begun),
            ended: moment(span.ended),
        }
    }
}

impl LineView {
    fn of(line: &JournalLine) -> Self {
        Self {
            time: rfc3339(line.time),
            by: line.by.clone(),
            text_ja: line.ja.clone(),
            text_en: line.en.clone(),
        }
    }
}

impl WorkView {
    fn of(work: &WorkCount) -> Self {
        Self {
            act: work.act.clone(),
            done: work.done,
            denied: work.denied,
            failed: work.failed,
        }
    }
}

impl SignatureView {
    fn of(signed: &Signed) -> Self {
        let signature = match signed.signature {
            Signature::Confirmed => "confirmed",
            Signature::Inspected => "inspected",
        };
        Self {
            by: signed.by.clone(),
            time: rfc3339(signed.time),
            signature: signature.to_owned(),
            remark: signed.remark.clone(),
        }
    }
}
