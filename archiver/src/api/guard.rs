//! What every answer carries and every request is held to, whatever is asked.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::caller::language;
use super::problem::Problem;
use crate::telemetry::RequestId;

/// Puts the guards around a router.
pub(crate) fn guarded(router: Router) -> Router {
    router
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn(held_to))
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

/// What no request may be, whatever it asks.
async fn held_to(request: Request, next: Next) -> Response {
    let lang = language(request.headers());
    let is_coded = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_coded {
        // Nothing is unpacked on the way in: what is deposited are the bytes that were sent, and a small body stays small.
        let title = lang.pick(
            "圧縮した本文(Content-Encoding)は受け取りません。圧縮せずに送ってください",
            "bodies with a Content-Encoding are not taken in: send it as it is",
        );
        let mut answer = Problem::new(415, "content-encoding", title.to_owned()).into_response();
        let identity = HeaderValue::from_static("identity");
        answer
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, identity);
        return answer;
    }
    if !request.method().is_safe() && is_from_elsewhere(request.headers()) {
        return Problem::of(&crate::acts::Refusal::FormToken, lang).into_response();
    }
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut answer = next.run(request).await;
    if is_chunked {
        // Beside a Content-Length it was perhaps another length for somebody on the way: what follows on this connection is nobody's request (RFC 9112 §6.1).
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
    answer
}

/// Whether a browser says that a page of another origin made it ask (Fetch Metadata). The log-in has no session yet whose token its form could carry.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
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
