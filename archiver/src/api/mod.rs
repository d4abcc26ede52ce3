//! The JSON API below `/api/v1`: requests to acts, and their results to answers.
//!
//! A path stands in the router and in the OpenAPI description or in neither. Who asks is found out in `caller`, what may be asked is decided in
//! [`crate::acts`]. Errors are problem details (RFC 9457) with stable codes.

mod approvals;
mod audit;
mod blocking;
mod body;
mod caller;
mod codes;
mod conditional;
mod contents;
mod deposits;
mod description;
mod endpoints;
mod events;
mod extract;
mod forms;
mod guard;
mod jobs;
mod journal;
mod overview;
mod people;
mod problem;
mod quarantine;
mod records;
mod review;
mod searches;
mod session;
mod uploads;
mod verification;

#[cfg(test)]
mod approvals_tests;
#[cfg(test)]
mod conditional_tests;
#[cfg(test)]
mod events_tests;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod people_tests;
#[cfg(test)]
mod review_tests;
#[cfg(test)]
mod searches_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod uploads_tests;

pub(crate) use audit::{AuditParams, filter as audit_filter};
pub(crate) use blocking::blocking;
pub(crate) use body::{download, pieces};
pub(crate) use caller::{COOKIE, Caller, client as client_of, cookie_for, cookie_gone, language};
pub(crate) use contents::{attachment, inline, package, send, version_id};
pub(crate) use deposits::{file_name, metadata, take};
pub use description::description;
pub(crate) use description::{CODES_KEY, ROLES_KEY, value as description_value};
pub(crate) use guard::guarded;
pub use problem::Problem;
pub(crate) use records::{NEWEST, NONE, OLDEST, SearchParams, question};

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use utoipa_axum::router::OpenApiRouter;

use crate::acts::Desk;

/// The router of the API, below `/api/v1`, over a desk.
pub fn router(desk: Arc<Desk>) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .merge(description::routes())
        .layer(middleware::from_fn(conditional::conditional))
        .with_state(desk)
}

fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::with_openapi(description::head())
        .merge(session::routes())
        .merge(records::routes())
        .merge(deposits::routes())
        .merge(uploads::routes())
        .merge(contents::routes())
        .merge(verification::routes())
        .merge(jobs::routes())
        .merge(events::routes())
        .merge(journal::routes())
        .merge(people::routes())
        .merge(review::routes())
        .merge(searches::routes())
        .merge(quarantine::routes())
        .merge(approvals::routes())
        .merge(overview::routes())
        .merge(audit::routes())
}
