//! Verifying, over the API.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::contents::version_id;
use super::extract::{Asked, At};
use super::forms::moment;
use super::problem::Problem;
use super::records::{SearchParams, question};
use crate::acts::verification::{VerdictRow, VerdictTable};
use crate::acts::{Desk, Refusal};
use crate::cli::query::rfc3339;

/// All of a verification.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableView {
    /// When it was made.
    verified_at: String,
    /// How many versions.
    versions: u64,
    /// Passed.
    passed: u64,
    /// Intact and waiting for a timestamp.
    unstamped: u64,
    /// Damaged, or evidence that fails.
    failed: u64,
    /// One for each version.
    verdicts: Vec<VerdictView>,
}

/// What was found about one version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerdictView {
    /// The record.
    record: String,
    /// The version.
    version: u32,
    /// `passed`, `unstamped`, `not-passed`, `unreadable` or `no-evidence`.
    result: String,
    /// Whether it, or its evidence, is not what it was.
    is_integrity_failure: bool,
    /// Since when it is proven to exist.
    existence: Option<String>,
    /// Why, where it did not pass.
    text: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(verify_version))
        .routes(routes!(verify_search))
}

/// Verify one version now
#[utoipa::path(post, path = "/api/v1/records/{record}/versions/{version}/verification", tag = "evidence",
    params(("record" = String, Path, description = "id of the record"), ("version" = String, Path, description = "number of the version")),
    responses((status = 200, body = TableView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn verify_version(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At((record, version)): At<(String, String)>,
) -> Result<Json<TableView>, Problem> {
    let lang = caller.lang;
    let id = version_id(&record, &version).ok_or_else(|| Problem::of(&Refusal::NotFound, lang))?;
    let table = blocking(&desk, lang, move |desk| {
        desk.verify_version(&caller.actor, id, lang)
    })
    .await?;
    Ok(Json(TableView::of(&table)))
}

/// Verify all that a search finds
///
/// Any period inside a taxation period, with all results listed.
#[utoipa::path(post, path = "/api/v1/verification", tag = "evidence", params(SearchParams),
    responses((status = 200, body = TableView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn verify_search(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Asked(params): Asked<SearchParams>,
) -> Result<Json<TableView>, Problem> {
    let lang = caller.lang;
    let question = question(&params, lang).map_err(|refusal| Problem::of(&refusal, lang))?;
    let table = blocking(&desk, lang, move |desk| {
        desk.verify_search(&caller.actor, &question, lang)
    })
    .await?;
    Ok(Json(TableView::of(&table)))
}

impl TableView {
    fn of(table: &VerdictTable) -> Self {
        Self {
            verified_at: rfc3339(table.verified_at),
            versions: table.summary.versions,
            passed: table.summary.passed,
            unstamped: table.summary.unstamped,
            failed: table.summary.failed,
            verdicts: table.rows.iter().map(VerdictView::of).collect(),
        }
    }
}

impl VerdictView {
    fn of(row: &VerdictRow) -> Self {
        Self {
            record: row.hit.version.record().to_string(),
            version: row.hit.version.version(),
            result: row.result.to_owned(),
            is_integrity_failure: row.is_integrity_failure,
            existence: moment(row.existence),
            text: row.text.clone(),
        }
    }
}
