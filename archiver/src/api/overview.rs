//! What the archive is: classes, media, keys, system.

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
use crate::acts::Desk;
use crate::cli::query::rfc3339;

/// A class, under which records are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClassView {
    /// Its id.
    id: String,
    /// Its title, in the language of the request.
    title: String,
    /// The text of its rules (TOML).
    text: String,
}

/// A medium of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MediumView {
    /// Its id.
    medium: String,
    /// Its short name: role and number.
    name: String,
    /// Whether it has left the archive.
    has_left: bool,
}

/// What the system is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SystemView {
    /// The id of the archive.
    archive: String,
    /// The version of the program.
    version: String,
    /// Record versions.
    versions: u64,
    /// Of these, those without a timestamp.
    unstamped: u64,
    /// Whether keys and data share a device: a trial.
    evaluation: bool,
    /// The service's clock.
    now: String,
}

/// The inventory of keys, as `archiver keys inventory --json` tells it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysView {
    /// Responsible, provider, items, places, events, inspections.
    #[schema(value_type = Object)]
    inventory: serde_json::Value,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(classes))
        .routes(routes!(media))
        .routes(routes!(keys))
        .routes(routes!(system))
}

/// The classes
#[utoipa::path(get, path = "/api/v1/classes", tag = "overview",
    responses((status = 200, body = [ClassView]), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn classes(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<Vec<ClassView>>, Problem> {
    let lang = caller.lang;
    let classes = blocking(&desk, lang, move |desk| desk.read_classes(&caller.actor)).await?;
    let view = classes.iter().map(|class| {
        let title = &class.policy().title;
        ClassView {
            id: class.policy().id.clone(),
            title: lang.pick(&title.ja, &title.en).clone(),
            text: class.text().to_owned(),
        }
    });
    Ok(Json(view.collect()))
}

/// The ledger of media
#[utoipa::path(get, path = "/api/v1/media", tag = "overview",
    responses((status = 200, body = [MediumView]), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn media(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<Vec<MediumView>>, Problem> {
    let media = blocking(&desk, caller.lang, move |desk| {
        desk.read_media(&caller.actor)
    })
    .await?;
    let view = media.iter().map(|entry| MediumView {
        medium: entry.medium.to_string(),
        name: entry.short_name(),
        has_left: matches!(entry.standing, crate::media::Standing::Left(..)),
    });
    Ok(Json(view.collect()))
}

/// The inventory of keys
#[utoipa::path(get, path = "/api/v1/keys", tag = "overview",
    responses((status = 200, body = KeysView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn keys(State(desk): State<Arc<Desk>>, caller: Caller) -> Result<Json<KeysView>, Problem> {
    let inventory = blocking(&desk, caller.lang, move |desk| {
        desk.read_keys(&caller.actor)
    })
    .await?;
    let inventory = serde_json::to_value(&inventory).unwrap_or_default();
    Ok(Json(KeysView { inventory }))
}

/// What the system is and how it stands
#[utoipa::path(get, path = "/api/v1/system", tag = "overview",
    responses((status = 200, body = SystemView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn system(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<SystemView>, Problem> {
    let facts = blocking(&desk, caller.lang, move |desk| {
        desk.read_system(&caller.actor)
    })
    .await?;
    Ok(Json(SystemView {
        archive: facts.archive,
        version: facts.version.to_owned(),
        versions: facts.counts.versions,
        unstamped: facts.counts.unstamped,
        evaluation: facts.evaluation,
        now: rfc3339(facts.now),
    }))
}
