//! The two files that pages load, from this host and no other.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest, Sha256};

const CSS: &str = include_str!("assets/app.css");
const JS: &str = include_str!("assets/app.js");

/// Their addresses change with their contents, so that a browser never shows a new page with an old sheet.
pub(super) static CSS_PATH: LazyLock<String> = LazyLock::new(|| place("app.css", CSS));
pub(super) static JS_PATH: LazyLock<String> = LazyLock::new(|| place("app.js", JS));

fn place(name: &str, text: &str) -> String {
    let digest = hex::encode(Sha256::digest(text));
    let short: String = digest.chars().take(12).collect();
    format!("/assets/{name}?{short}")
}

pub(super) fn routes() -> Router {
    Router::new()
        .route(
            "/assets/app.css",
            get(async || file("text/css; charset=utf-8", CSS)),
        )
        .route(
            "/assets/app.js",
            get(async || file("text/javascript; charset=utf-8", JS)),
        )
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, text)
}
