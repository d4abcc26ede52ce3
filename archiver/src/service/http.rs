//! What the service tells over HTTP: nothing of any record, so that a monitor needs no rights.
//!
//! | address | answer |
//! |---|---|
//! | `GET /healthz` | 200: the process runs |
//! | `GET /readyz` | 200: the archive was visited lately; 503 and why not |
//! | `GET /metrics` | 200: numbers in the text format of Prometheus |

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use firmware::clock::Clock;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;

use super::metrics::{self, Status};

/// What the handlers look at.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The state, as the scheduler leaves it.
    pub status: Arc<Mutex<Status>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// For how long after a visit the service counts as ready.
    pub ready_for: Duration,
}

/// Serves until `stop` is done; answers that are under way are finished first.
///
/// # Errors
/// The I/O error of the listening socket.
pub async fn serve(
    listener: TcpListener,
    shown: Shown,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(shown))
        .with_graceful_shutdown(stop)
        .await
}

fn router(shown: Shown) -> Router {
    let numbers = Router::new().route("/metrics", get(numbers));
    numbers.with_state(shown.clone()).merge(health(shown))
}

/// Whether the service lives and is ready: what is told to everybody.
pub fn health(shown: Shown) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .with_state(shown)
}

async fn ready(State(shown): State<Shown>) -> Response {
    match obstacle(&shown.now(), shown.clock.now(), shown.ready_for) {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn numbers(State(shown): State<Shown>) -> Response {
    let text = metrics::to_text(&shown.now(), shown.clock.now());
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
        .into_response()
}

impl Shown {
    fn now(&self) -> Status {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Why the service is not ready.
fn obstacle(status: &Status, now: OffsetDateTime, ready_for: Duration) -> Option<String> {
    if let Some(filling) = &status.index_filling {
        return Some(format!(
            "the index is being made: {} of about {} versions",
            filling.versions, filling.versions_expected
        ));
    }
    match (status.visited_at, &status.unreachable) {
        (_, Some(why)) => Some(why.clone()),
        (None, None) => Some("the archive was not visited yet".to_owned()),
        (Some(at), None) if now - at > ready_for => Some(format!(
            "the archive was last visited {} minutes ago",
            (now - at).whole_minutes()
        )),
        (Some(_), None) => None,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::service::work::IndexFilling;

    #[test]
    fn ready_means_that_the_archive_was_visited_lately() {
        let now = datetime!(2030-01-01 12:00 UTC);
        let ready_for = Duration::minutes(15);
        let visited = |minutes: i64| Status {
            visited_at: Some(now - Duration::minutes(minutes)),
            ..Status::default()
        };
        let filling = Status {
            index_filling: Some(IndexFilling {
                versions: 7,
                versions_expected: 9,
            }),
            ..visited(0)
        };
        let why = obstacle(&filling, now, ready_for);
        assert!(why.is_some_and(|why| why.contains("7 of about 9")));
        let unreachable = Status {
            unreachable: Some("in use".to_owned()),
            ..visited(1)
        };
        for (status, ready) in [
            (Status::default(), false),
            (visited(15), true),
            (visited(16), false),
            (unreachable, false),
        ] {
            assert_eq!(obstacle(&status, now, ready_for).is_none(), ready);
        }
    }
}
