//! `/api/v1/events`: alarms that stand, and the events that are to be reported until somebody answered for them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::extract::Sent;
use super::forms::{Done, moment};
use super::problem::Problem;
use crate::acts::Desk;
use crate::audit::Notice;
use crate::cli::query::rfc3339;
use crate::service::alarms::StandingAlarm;

/// What somebody must know.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsView {
    /// Alarms that stand, by kind and subject.
    alarms: Vec<AlarmView>,
    /// Events without an answer, newest first.
    events: Vec<EventView>,
    /// So many older ones are not listed.
    left_out: u64,
    /// Whether the trail was read up to its end.
    whole: bool,
}

/// An alarm that stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlarmView {
    /// Its kind, as in the metrics.
    alarm: String,
    /// What it is about, to tell it from others of its kind.
    subject: String,
    /// Since when, RFC 3339, UTC.
    since: String,
    /// In Japanese.
    text_ja: String,
    /// In English.
    text_en: String,
}

/// An event that is to be reported.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Which of the seven events of the standard, `R1` to `R7`; `null` for others.
    rule: Option<String>,
    /// Its kind: `refused-in-a-row`, `failed-log-ins`, `lock-out`, `large-transfer`, `violation`, `denied`, `account-change`, `rights-change`, `alarm`,
    /// `system-error`, `broken`, `clock-back`.
    kind: String,
    /// The number of the entry of the trail that shows it.
    entry: u64,
    /// When, RFC 3339, UTC; `null`: the line cannot be read.
    time: Option<String>,
    /// Who, or the account that somebody tried to enter.
    person: String,
    /// From where.
    client: String,
    /// What, as a code.
    act: String,
    /// Of which account, which alarm, why it was refused.
    about: String,
}

/// An answer for events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerForm {
    /// The numbers of their entries, at most 20.
    #[schema(min_items = 1, max_items = 20)]
    entries: Vec<u64>,
    /// What was found, and what was done.
    #[schema(min_length = 1, max_length = 500)]
    remark: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(answer))
}

/// Alarms that stand, and events without an answer
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    responses((status = 200, body = EventsView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read(State(desk): State<Arc<Desk>>, caller: Caller) -> Result<Json<EventsView>, Problem> {
    let (open, standing) = blocking(&desk, caller.lang, move |desk| {
        let open = desk.read_events(&caller.actor)?;
        Ok((open, desk.job_status(&caller.actor)?.standing))
    })
    .await?;
    Ok(Json(EventsView {
        alarms: standing.iter().map(AlarmView::of).collect(),
        events: open.iter().map(EventView::of).collect(),
        left_out: open.left_out,
        whole: open.is_whole,
    }))
}

/// Answer for events
///
/// What was found and what was done is written into the trail and the operation journal, and closes the events. Nobody answers for what they did themselves.
#[utoipa::path(post, path = "/api/v1/events/answers", tag = "events", request_body = AnswerForm,
    responses((status = 200, body = Done), (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn answer(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Sent(form): Sent<AnswerForm>,
) -> Result<Json<Done>, Problem> {
    blocking(&desk, caller.lang, move |desk| {
        desk.answer_events(&caller.actor, &form.entries, &form.remark)
    })
    .await?;
    Ok(Json(Done::YES))
}

impl AlarmView {
    fn of(alarm: &StandingAlarm) -> Self {
        Self {
            alarm: alarm.kind.name().to_owned(),
            subject: alarm.subject.clone(),
            since: rfc3339(alarm.since),
            text_ja: alarm.ja.clone(),
            text_en: alarm.en.clone(),
        }
    }
}

impl EventView {
    fn of(notice: &Notice) -> Self {
        Self {
            rule: notice.kind.rule().map(str::to_owned),
            kind: notice.kind.name().to_owned(),
            entry: notice.sequence,
            time: moment(notice.time),
            person: notice.person.clone(),
            client: notice.client.clone(),
            act: notice.act.clone(),
            about: notice.about.clone(),
        }
    }
}
