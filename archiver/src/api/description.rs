//! The OpenAPI 3.1 description, from the code that answers.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, ContentBuilder, Info, OpenApi, OpenApiBuilder, Ref, Response,
    ResponseBuilder, SecurityRequirement,
};

use crate::acts::Desk;

/// The description of the whole API.
#[must_use]
pub fn description() -> OpenApi {
    let mut description = super::routes().split_for_parts().1;
    for item in description.paths.paths.values_mut() {
        for operation in operations(item) {
            complete(operation);
        }
    }
    description
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
    ];
    methods.into_iter().flatten()
}

/// What every endpoint can answer, whatever it does.
fn complete(operation: &mut Operation) {
    let always = [
        ("429", "too many requests: wait as long as Retry-After says"),
        (
            "503",
            "the archive cannot answer now, or cannot keep its audit trail",
        ),
    ];
    let with_body = [
        ("413", "the body is too large"),
        ("415", "the body is not of the type that is asked for"),
    ];
    let with_body = with_body
        .into_iter()
        .filter(|_| operation.request_body.is_some());
    let answers: Vec<_> = always.into_iter().chain(with_body).collect();
    for (status, text) in answers {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(text).into());
    }
}

fn problem(text: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(text)
        .content("application/problem+json", content)
        .build()
}

pub(super) fn head() -> OpenApi {
    let mut info = Info::new("Fumikura", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A long-term archive of electronic records. Log in at `POST /api/v1/session` and send the token as `Authorization: Bearer TOKEN`, or show the client \
         certificate of a system. Errors are problem details (RFC 9457) with stable codes. Every request is on record in the audit trail."
            .to_owned(),
    );
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components()))
        .security(Some([SecurityRequirement::new("session", [""; 0])]))
        .build()
}

fn components() -> Components {
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    ComponentsBuilder::new()
        .security_scheme("session", bearer)
        .build()
}

/// The description itself tells nothing of any record: whoever writes a client reads it without an account.
pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/api/v1/openapi.json", get(json))
}

async fn json() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| description().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
