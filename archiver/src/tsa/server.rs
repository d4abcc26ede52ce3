//! The embedded authority over HTTP (RFC 3161 §3.4): `POST` with `application/timestamp-query`, answered with
//! `application/timestamp-reply`.
//!
//! | request | answer |
//! |---|---|
//! | `POST /` or `POST /tsa` | 200 and a `TimeStampResp`; a refusal is a response with a status, not an HTTP error |
//! | other content type | 415 |
//! | body longer than [`REQUEST_BYTES_MAX`] | 413 |
//! | body that does not arrive in [`BODY_WAIT_MAX`] | 408 |
//! | `GET /` | 200, what this is, in words |
//! | `GET /root.pem` | 200, the trust anchor |

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

/// Whatever turns the bytes of a `TimeStampReq` into the bytes of a `TimeStampResp`.
pub trait Responder: Send + Sync + 'static {
    /// Answers one request. Bad requests get a response with a status, so this cannot fail.
    fn respond(&self, request: &[u8]) -> Vec<u8>;

    /// The trust anchor as PEM text.
    fn root_pem(&self) -> String;
}

/// Serves until `stop` is done; answers that are under way are finished first.
///
/// # Errors
/// The I/O error of the listening socket.
pub async fn serve(
    listener: TcpListener,
    responder: Arc<dyn Responder>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(responder))
        .with_graceful_shutdown(stop)
        .await
}

/// The routes, for callers that serve them themselves.
pub fn router(responder: Arc<dyn Responder>) -> Router {
    Router::new()
        .route("/", get(introduction).post(query))
        .route("/tsa", get(introduction).post(query))
        .route("/root.pem", get(root))
        .with_state(responder)
}

async fn query(
    State(responder): State<Arc<dyn Responder>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !is_media_type(&headers, QUERY_TYPE) {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send a TimeStampReq as application/timestamp-query\n",
        );
    }
    let request = match tokio::time::timeout(BODY_WAIT_MAX, to_bytes(body, REQUEST_BYTES_MAX)).await
    {
        Ok(Ok(request)) => request,
        Ok(Err(_)) => {
            return refuse(
                StatusCode::PAYLOAD_TOO_LARGE,
                "a timestamp request is at most 64 KiB\n",
            );
        }
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "the request did not arrive\n"),
    };
    let answer = tokio::task::spawn_blocking(move || responder.respond(&request)).await;
    match answer {
        Ok(answer) => (
            [
                (header::CONTENT_TYPE, REPLY_TYPE),
                (header::CACHE_CONTROL, "no-store"),
            ],
            answer,
        )
            .into_response(),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "no answer was made\n"),
    }
}

async fn introduction() -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        "Fumikura embedded timestamp authority (RFC 3161). NOT ACCREDITED: for trials and tests only.\n\
         POST a TimeStampReq as application/timestamp-query to this address; the trust anchor is at /root.pem.\n",
    )
        .into_response()
}

async fn root(State(responder): State<Arc<dyn Responder>>) -> Response {
    (
        [(header::CONTENT_TYPE, "application/x-pem-file")],
        responder.root_pem(),
    )
        .into_response()
}

fn refuse(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

/// Media types are compared without parameters and without regard to case (RFC 9110 §8.3.1).
fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
}

/// Media type of a request (RFC 3161 §3.4).
pub const QUERY_TYPE: &str = "application/timestamp-query";
/// Media type of an answer (RFC 3161 §3.4).
pub const REPLY_TYPE: &str = "application/timestamp-reply";
/// A request is some 80 bytes; one with extensions stays far below this.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// How long a client may take to send its request.
pub const BODY_WAIT_MAX: Duration = Duration::from_secs(10);
