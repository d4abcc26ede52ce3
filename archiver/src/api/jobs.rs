//! Work of the service: ordered, and how it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::forms::{Done, moment};
use super::problem::Problem;
use crate::acts::{Desk, JobOrder};

/// How the work of the service stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobsView {
    /// Versions that wait for a timestamp.
    unstamped: u64,
    /// Since when the first of them does.
    unstamped_since: Option<String>,
    /// Versions stamped since the start.
    stamped: u64,
    /// Chains renewed since the start.
    renewed: u64,
    /// Renewals that are due and not done.
    renewals_due: u64,
    /// When the next one will be due.
    renewal_next: Option<String>,
    /// Versions whose proof has ended.
    lost: u64,
    /// When the scheduler looked last.
    visited_at: Option<String>,
    /// Alarms that stand, by kind.
    alarms: std::collections::BTreeMap<String, u64>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(stamp))
        .routes(routes!(renew))
}

/// How the work of the service stands
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs",
    responses((status = 200, body = JobsView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read(State(desk): State<Arc<Desk>>, caller: Caller) -> Result<Json<JobsView>, Problem> {
    let status = blocking(&desk, caller.lang, move |desk| {
        desk.job_status(&caller.actor)
    })
    .await?;
    let alarms = status.alarms.iter().filter(|(_, count)| *count > 0);
    Ok(Json(JobsView {
        unstamped: status.unstamped,
        unstamped_since: moment(status.unstamped_since),
        stamped: status.stamped,
        renewed: status.renewed,
        renewals_due: status.renewals_due,
        renewal_next: moment(status.renewal_next),
        lost: status.lost,
        visited_at: moment(status.visited_at),
        alarms: alarms
            .map(|(kind, count)| (kind.name().to_owned(), *count))
            .collect(),
    }))
}

/// Stamp what waits, now
#[utoipa::path(post, path = "/api/v1/jobs/stamp", tag = "jobs",
    responses((status = 202, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn stamp(
    state: State<Arc<Desk>>,
    caller: Caller,
) -> Result<(StatusCode, Json<Done>), Problem> {
    order(state, caller, JobOrder::Stamp).await
}

/// Plan renewals and carry out what is due, now
#[utoipa::path(post, path = "/api/v1/jobs/renew", tag = "jobs",
    responses((status = 202, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn renew(
    state: State<Arc<Desk>>,
    caller: Caller,
) -> Result<(StatusCode, Json<Done>), Problem> {
    order(state, caller, JobOrder::Renew).await
}

async fn order(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    order: JobOrder,
) -> Result<(StatusCode, Json<Done>), Problem> {
    blocking(&desk, caller.lang, move |desk| {
        desk.order_job(&caller.actor, order)
    })
    .await?;
    Ok((StatusCode::ACCEPTED, Json(Done::YES)))
}
