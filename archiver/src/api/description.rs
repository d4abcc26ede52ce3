//! The OpenAPI 3.1 description, from the code that answers.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, ContentBuilder, Header, Info, OpenApi, OpenApiBuilder, Ref,
    RefOr, Response, ResponseBuilder, SecurityRequirement,
};

use super::codes::codes_of;
use super::conditional;
use super::endpoints::may_ask;
use crate::acts::Desk;

/// The description of the whole API.
#[must_use]
pub fn description() -> OpenApi {
    let mut description = super::routes().split_for_parts().1;
    for (path, item) in &mut description.paths.paths {
        for (method, operation) in operations(item) {
            complete(operation);
            conditional::describe(operation, method, path);
            tell(operation, method, path);
        }
    }
    description
}

/// The same as JSON, made once.
pub(crate) fn value() -> &'static Value {
    static VALUE: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(description()).unwrap_or_default());
    &VALUE
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let methods = [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ];
    methods
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// What the attributes of a handler do not say: a name that no other operation has, who may, and the codes of its problems.
fn tell(operation: &mut Operation, method: &str, path: &str) {
    let tag = operation.tags.iter().flatten().next();
    let function = operation.operation_id.as_deref().unwrap_or(method);
    let name = tag.map(|tag| format!("{tag}_{function}"));
    operation.operation_id = name.or_else(|| operation.operation_id.take());
    let roles = Extensions::from_iter([(ROLES_KEY, json!(may_ask(method, path)))]);
    operation.extensions = Some(roles);
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let mut id = Header::default();
        id.description = Some("the id of the request, as in the log of the service".to_owned());
        response.headers.insert("X-Request-Id".to_owned(), id);
        if response.content.contains_key(PROBLEM_TYPE) {
            let codes = codes_of(status.parse().unwrap_or_default());
            response.extensions = Some(Extensions::from_iter([(CODES_KEY, json!(codes))]));
        }
    }
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

pub(super) fn problem(text: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(text)
        .content(PROBLEM_TYPE, content)
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
    static TEXT: LazyLock<String> = LazyLock::new(|| value().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// The extension of an operation that names who may ask it.
pub(crate) const ROLES_KEY: &str = "x-fumikura-roles";

/// The extension of an answer that names the codes that its problem can have.
pub(crate) const CODES_KEY: &str = "x-fumikura-codes";

const PROBLEM_TYPE: &str = "application/problem+json";
