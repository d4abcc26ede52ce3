//! Around every request: its id, its bytes, its time, its line.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::Response;
use firmware::clock::Clock;
use firmware::entropy::Entropy;
use time::OffsetDateTime;

use super::counted::Counted;
use super::line::{self, Line};
use super::otlp::SpanKind;
use super::span::{OF_REQUEST, Span, Within};
use super::trace_id::TraceParent;
use super::tracer::Tracer;
use super::writer::LogWriter;
use super::{Asker, RequestId};
use crate::https::Peer;

/// What looks at requests.
#[derive(Debug)]
pub struct Observer {
    /// When they came.
    pub clock: Arc<dyn Clock>,
    /// What their ids are made from.
    pub entropy: Arc<dyn Entropy>,
    /// Where their lines go; `None`: there are none.
    pub log: Option<LogWriter>,
    /// Who is told how long they took; `None`: nobody.
    pub tracer: Option<Arc<Tracer>>,
}

/// Puts an observer around everything that a router answers.
pub fn observed(router: Router, observer: Arc<Observer>) -> Router {
    router.layer(middleware::from_fn_with_state(observer, observe))
}

async fn observe(
    State(observer): State<Arc<Observer>>,
    mut request: Request,
    next: Next,
) -> Response {
    let at = observer.clock.now();
    let (id, asker) = (observer.id(at), Asker::default());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(asker.clone());
    let parent = TraceParent::of(request.headers());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|route| route.as_str().to_owned());
    let span = observer.span(parent, &request, route.as_deref());
    let inside = span.as_ref().map(Span::inside);
    let named = parent.as_ref().map(TraceParent::trace_text);
    let mut line = Line {
        observer,
        id,
        at,
        began: Instant::now(),
        trace: span.as_ref().map(Span::trace_text).or(named),
        method: request.method().clone(),
        route,
        address: address(&request),
        asker,
        status: None,
        bytes_in: Arc::default(),
        bytes_out: Arc::default(),
        is_whole: false,
        span,
    };
    let bytes_in = Arc::clone(&line.bytes_in);
    let request = request.map(|body| Body::new(Counted::new(body, bytes_in, ())));
    let mut response = OF_REQUEST.scope(inside, next.run(request)).await;
    line.status = Some(response.status().as_u16());
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let bytes_out: Arc<AtomicU64> = Arc::clone(&line.bytes_out);
    response.map(|body| Body::new(Counted::new(body, bytes_out, line)))
}

fn address(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>();
    peer.map(|peer| peer.address.ip())
}

impl Observer {
    fn span(
        &self,
        parent: Option<TraceParent>,
        request: &Request,
        route: Option<&str>,
    ) -> Option<Span> {
        let tracer = Arc::clone(self.tracer.as_ref()?);
        let method = line::method(request.method());
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
        let mut span = Span::begin(Within::caller(tracer, parent), name, SpanKind::Server);
        span.tell("http.request.method", method);
        if let Some(route) = route {
            span.tell("http.route", route);
        }
        Some(span)
    }

    fn id(&self, at: OffsetDateTime) -> RequestId {
        let milliseconds = at.unix_timestamp_nanos() / 1_000_000;
        let mut random = [0; 10];
        // Where there is no randomness nothing else works either: the id is then the time alone.
        let _filled = self.entropy.fill(&mut random);
        let milliseconds = u64::try_from(milliseconds).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &random);
        RequestId(id.into_uuid())
    }
}

/// The header of the answer that names its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
