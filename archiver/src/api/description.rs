//! The OpenAPI 3.1 description, from the code that answers.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, Info, OpenApi, OpenApiBuilder, SecurityRequirement,
};

use crate::acts::Desk;

/// The description of the whole API.
#[must_use]
pub fn description() -> OpenApi {
    super::routes().split_for_parts().1
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
