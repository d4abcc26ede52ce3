//! `/api/v1/quarantine`: what a scanner found malware in, and its release by two people.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use formats::id::VersionId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::contents::version_id;
use super::extract::{At, Sent};
use super::forms::{Done, VersionView};
use super::people::{ReasonForm, RequestedView};
use super::problem::Problem;
use crate::acts::{Desk, HeldRecord, Refusal};
use crate::approval::Waiting;
use crate::cli::query::rfc3339;

/// A record in quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldView {
    /// The version.
    version: VersionView,
    /// The scanner's name of what it found.
    threat: String,
    /// Since when it is withheld, RFC 3339, UTC.
    since: String,
    /// The request for its release, where somebody asked.
    request: Option<ReleaseView>,
}

/// A request for a release.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseView {
    /// Its id.
    request: String,
    /// Who asked.
    requested_by: String,
    /// When, RFC 3339, UTC.
    requested_at: String,
    /// Why.
    reason: String,
}

/// What is in quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineView {
    /// In the order in which they came into it.
    records: Vec<HeldView>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(request))
        .routes(routes!(approve))
        .routes(routes!(refuse))
}

/// What is in quarantine
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "quarantine",
    responses((status = 200, body = QuarantineView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<QuarantineView>, Problem> {
    let held = blocking(&desk, caller.lang, move |desk| {
        desk.read_quarantine(&caller.actor)
    })
    .await?;
    let records = held.iter().map(HeldView::of).collect();
    Ok(Json(QuarantineView { records }))
}

/// Ask for the release of a record
///
/// Another person approves it. A later request takes the place of an earlier one.
#[utoipa::path(post, path = "/api/v1/records/{record}/versions/{version}/release", tag = "quarantine",
    params(("record" = String, Path, description = "id of the record"), ("version" = String, Path, description = "number of the version")),
    request_body = ReasonForm,
    responses((status = 201, body = RequestedView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn request(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At((record, version)): At<(String, String)>,
    Sent(form): Sent<ReasonForm>,
) -> Result<(StatusCode, Json<RequestedView>), Problem> {
    let lang = caller.lang;
    let id = version_id(&record, &version).ok_or_else(|| Problem::of(&Refusal::NotFound, lang))?;
    let request = blocking(&desk, lang, move |desk| {
        desk.request_release(&caller.actor, id, &form.reason)
    })
    .await?;
    let request = request.to_string();
    Ok((StatusCode::CREATED, Json(RequestedView { request })))
}

/// Approve the release that another person asked for
#[utoipa::path(post, path = "/api/v1/quarantine/{request}/approval", tag = "quarantine", params(("request" = String, Path, description = "id of the request")),
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn approve(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(request): At<String>,
) -> Result<Json<Done>, Problem> {
    let lang = caller.lang;
    blocking(&desk, lang, move |desk| {
        let request = request.parse().map_err(|_| Refusal::NotFound)?;
        desk.approve_release(&caller.actor, request)
    })
    .await?;
    Ok(Json(Done::YES))
}

/// Refuse the release that was asked for, or withdraw it
#[utoipa::path(post, path = "/api/v1/quarantine/{request}/refusal", tag = "quarantine", params(("request" = String, Path, description = "id of the request")),
    request_body = ReasonForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn refuse(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(request): At<String>,
    Sent(form): Sent<ReasonForm>,
) -> Result<Json<Done>, Problem> {
    let lang = caller.lang;
    blocking(&desk, lang, move |desk| {
        let request = request.parse().map_err(|_| Refusal::NotFound)?;
        desk.refuse_release(&caller.actor, request, &form.reason)
    })
    .await?;
    Ok(Json(Done::YES))
}

impl HeldView {
    fn of(held: &HeldRecord) -> Self {
        Self {
            version: VersionView::of(&held.hit),
            threat: held.withheld.threat.clone(),
            since: rfc3339(held.withheld.since),
            request: held.withheld.request.as_ref().map(ReleaseView::of),
        }
    }
}

impl ReleaseView {
    fn of(request: &Waiting<VersionId>) -> Self {
        Self {
            request: request.id.to_string(),
            requested_by: request.requested_by.clone(),
            requested_at: rfc3339(request.requested_at),
            reason: request.reason.clone(),
        }
    }
}

#[cfg(test)]
#[path = "quarantine_tests.rs"]
mod tests;
