//! `/api/v1/searches`: searches that an account keeps under a name.

#![allow(unused_qualifications, reason = "code that utoipa makes")]

use std::collections::BTreeMap;
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
use super::forms::Done;
use super::problem::Problem;
use super::records::{SearchParams, question};
use crate::acts::{Desk, KeptSearch, Refusal};

/// The searches that the caller keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchesView {
    /// By name.
    searches: Vec<SearchView>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchView {
    /// What it is called.
    name: String,
    /// The parameters of `GET /api/v1/records`, by name.
    conditions: BTreeMap<String, String>,
}

/// A search to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchForm {
    /// The parameters of `GET /api/v1/records`, by name, without `cursor` and `limit`; `unstamped` and `all_versions` are `true` or `false`.
    conditions: BTreeMap<String, String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(keep, forget))
}

/// The searches that the caller keeps
#[utoipa::path(get, path = "/api/v1/searches", tag = "searches",
    responses((status = 200, body = SearchesView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<SearchesView>, Problem> {
    let kept = blocking(&desk, caller.lang, move |desk| {
        desk.kept_searches(&caller.actor)
    })
    .await?;
    let searches = kept.into_iter().map(|one| SearchView {
        name: one.name,
        conditions: one.conditions,
    });
    Ok(Json(SearchesView {
        searches: searches.collect(),
    }))
}

/// Keep a search, in place of the one of that name
#[utoipa::path(put, path = "/api/v1/searches/{name}", tag = "searches", params(("name" = String, Path, description = "what it is called, 1 to 100 characters")),
    request_body = SearchForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn keep(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(name): At<String>,
    Sent(form): Sent<SearchForm>,
) -> Result<Json<Done>, Problem> {
    let lang = caller.lang;
    blocking(&desk, lang, move |desk| {
        let params = SearchParams::of_conditions(&form.conditions).ok_or_else(unknown)?;
        // What could not be asked is not kept.
        question(&params, lang)?;
        let conditions = params.conditions();
        desk.keep_search(&caller.actor, KeptSearch { name, conditions })
    })
    .await?;
    Ok(Json(Done::YES))
}

/// Keep a search no longer
#[utoipa::path(delete, path = "/api/v1/searches/{name}", tag = "searches", params(("name" = String, Path, description = "what it is called")),
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn forget(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(name): At<String>,
) -> Result<Json<Done>, Problem> {
    blocking(&desk, caller.lang, move |desk| {
        desk.drop_search(&caller.actor, &name)
    })
    .await?;
    Ok(Json(Done::YES))
}

fn unknown() -> Refusal {
    Refusal::invalid(
        "conditions",
        "検索条件の名前か値が正しくありません",
        "this is no condition of a search",
    )
}
