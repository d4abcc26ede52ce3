//! What every answer carries and every request is held to, whatever is asked.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use super::caller::language;
use super::problem::Problem;
use crate::telemetry::RequestId;

/// Puts the guards around a router.
pub(crate) fn guarded(router: Router) -> Router {
    router
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn(headers))
}

async fn nothing(request: Request) -> Problem {
    let lang = language(request.headers());
    Problem::of(&crate::acts::Refusal::NotFound, lang)
}

async fn not_so(request: Request) -> Problem {
    let lang = language(request.headers());
    let title = lang.pick("この方法では操作できません", "not with this method");
    Problem::new(405, "method-not-allowed", title.to_owned())
}

/// The headers that keep browsers from doing more than was meant. Nothing of the archive is kept by a browser or on the way.
async fn headers(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response = Problem::told_of(response, id);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A content shown by the browser's viewer has a stricter one.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(POLICY));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Nothing but our own files, no script in a page, no page of ours in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'";
