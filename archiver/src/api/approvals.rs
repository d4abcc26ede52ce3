//! `/api/v1/approvals`: everything that waits for a second person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::problem::Problem;
use crate::acts::{Awaited, AwaitedAct, Desk};
use crate::cli::query::rfc3339;

/// What waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalsView {
    /// Oldest first.
    waiting: Vec<WaitingView>,
}

/// One request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// Its id.
    request: String,
    /// `account`: approve it at `/api/v1/people/requests/{request}/approval`. `release`: at `/api/v1/quarantine/{request}/approval`.
    kind: String,
    /// The account, or record and version with a slash between them.
    about: String,
    /// Why.
    reason: String,
    /// Who asked.
    requested_by: String,
    /// When, RFC 3339, UTC.
    requested_at: String,
    /// Until when it may be approved.
    expires_at: String,
    /// Whether the caller may approve it.
    may_approve: bool,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(read))
}

/// What waits for a second person
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals",
    responses((status = 200, body = ApprovalsView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<ApprovalsView>, Problem> {
    let awaited = blocking(&desk, caller.lang, move |desk| {
        desk.read_approvals(&caller.actor)
    })
    .await?;
    let waiting = awaited.iter().map(WaitingView::of).collect();
    Ok(Json(ApprovalsView { waiting }))
}

impl WaitingView {
    fn of(one: &AwaitedAct) -> Self {
        let waiting = &one.waiting;
        let (kind, about) = match &waiting.what {
            Awaited::Account(change) => ("account", change.account.clone()),
            Awaited::Release(version) => (
                "release",
                format!("{}/{}", version.record(), version.version()),
            ),
        };
        Self {
            request: waiting.id.to_string(),
            kind: kind.to_owned(),
            about,
            reason: waiting.reason.clone(),
            requested_by: waiting.requested_by.clone(),
            requested_at: rfc3339(waiting.requested_at),
            expires_at: rfc3339(one.expires_at),
            may_approve: one.may_approve,
        }
    }
}
