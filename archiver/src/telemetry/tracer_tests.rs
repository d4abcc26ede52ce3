//! Spans of real requests, as a collector gets them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::routing::post;
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::otlp::{SpanKind, SpanOver};
use super::{Observer, Tracer, TracerParts, Within, observed, spanned, traceparent, within};
use crate::api::fixture::{HERE, Hall, NOW};
use crate::https::Peer;
use crate::service::log::Log;

/// What a collector was given, and what it answers.
#[derive(Debug, Clone, Default)]
struct Taken {
    spans: Arc<Mutex<Vec<Value>>>,
    status: Arc<Mutex<u16>>,
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<Value>>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        let line = serde_json::from_str(line).unwrap();
        self.0.lock().unwrap().push(line);
    }
}

async fn take(State(taken): State<Taken>, body: Bytes) -> StatusCode {
    let status = StatusCode::from_u16(*taken.status.lock().unwrap()).unwrap();
    if status.is_success() {
        let request: Value = serde_json::from_slice(&body).unwrap();
        let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
            .as_array()
            .unwrap()
            .clone();
        taken.spans.lock().unwrap().extend(spans);
    }
    status
}

/// A collector on a port of its own, and a tracer that knows it.
async fn collector() -> (Taken, Lines, Arc<Tracer>) {
    let taken = Taken::default();
    *taken.status.lock().unwrap() = 200;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(taken.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let lines = Lines::default();
    let tracer = tracer_at(&endpoint, &lines).unwrap();
    (taken, lines, Arc::new(tracer))
}

fn tracer_at(endpoint: &str, lines: &Lines) -> Result<Tracer, String> {
    Tracer::start(TracerParts {
        endpoint,
        tls_roots: &[],
        archive: "the-archive".to_owned(),
        clock: Arc::new(SimulatedClock::new(NOW)),
        entropy: Arc::new(SeededEntropy::new(9)),
        log: Box::new(lines.clone()),
        runtime: tokio::runtime::Handle::current(),
    })
}

async fn finish(tracer: &Arc<Tracer>) {
    let tracer = Arc::clone(tracer);
    tokio::task::spawn_blocking(move || tracer.finish())
        .await
        .unwrap();
}

/// A deposit whose caller has a trace of its own, and keeps it or not.
fn traced_deposit(hall: &Hall, sampled: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method("POST")
        .uri(format!(
            "/api/v1/records?class=general&name=hush-{sampled}.txt"
        ))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", hall.tokens["depositor"]),
        )
        .header(
            "traceparent",
            format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{sampled}"),
        )
        .body(Body::from("a text"))
        .unwrap();
    request.extensions_mut().insert(Peer {
        address: (HERE, 40_000).into(),
        certificate: None,
    });
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_is_a_trace_from_the_caller_down_to_the_commit() {
    let hall = Hall::with_everybody().await;
    let (taken, _, tracer) = collector().await;
    let observer = Arc::new(Observer {
        clock: hall.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(7)),
        log: None,
        tracer: Some(Arc::clone(&tracer)),
    });
    let router = observed(
        crate::api::guarded(crate::api::router(Arc::clone(&hall.desk))),
        observer,
    );
    for sampled in ["01", "00"] {
        let request = traced_deposit(&hall, sampled);
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 201);
        drop(
            http_body_util::BodyExt::collect(response.into_body())
                .await
                .unwrap(),
        );
    }
    finish(&tracer).await;
    let spans = taken.spans.lock().unwrap().clone();
    let named = |name: &str| {
        let mut found = spans.iter().filter(|span| span["name"] == name);
        found.next().unwrap_or_else(|| panic!("{name}: {spans:?}"))
    };
    let (request, deposit, commit) = (
        named("POST /api/v1/records"),
        named("deposit"),
        named("commit"),
    );
    assert_eq!(request["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(
        (&request["kind"], &request["flags"]),
        (&json!(2), &json!(0x301))
    );
    assert_eq!(deposit["parentSpanId"], request["spanId"]);
    assert_eq!(commit["parentSpanId"], deposit["spanId"]);
    assert_eq!(commit["flags"], 0x101);
    for span in &spans {
        assert_eq!(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(!span.to_string().contains("hush"), "{span}");
    }
    let attributes = request["attributes"].as_array().unwrap();
    let status = attributes
        .iter()
        .find(|one| one["key"] == "http.response.status_code")
        .unwrap();
    assert_eq!(status["value"], json!({ "intValue": "201" }));
    let requests = spans.iter().filter(|span| span["kind"] == 2).count();
    assert_eq!(
        requests, 1,
        "a trace that its caller does not keep is not kept here"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_of_the_service_begins_its_own_trace_and_tells_it_to_whom_it_asks() {
    let (taken, _, tracer) = collector().await;
    assert_eq!(traceparent(), None);
    assert_eq!(spanned("nobody wants to know", traceparent), None);
    let told = within(Some(Within::nothing(Arc::clone(&tracer))), || {
        assert_eq!(traceparent(), None);
        spanned("stamp", || {
            spanned("stamp batch", || traceparent().unwrap())
        })
    });
    finish(&tracer).await;
    let spans = taken.spans.lock().unwrap().clone();
    let [batch, stamp] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!(
        (&batch["name"], &stamp["name"]),
        (&json!("stamp batch"), &json!("stamp"))
    );
    assert_eq!(batch["parentSpanId"], stamp["spanId"]);
    assert!(stamp["parentSpanId"].is_null());
    let text = |key: &str| batch[key].as_str().unwrap().to_owned();
    assert_eq!(
        told,
        format!("00-{}-{}-01", text("traceId"), text("spanId"))
    );
    assert_eq!(traceparent(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_takes_nothing_loses_spans_that_are_counted_and_delays_nothing() {
    let (taken, lines, tracer) = collector().await;
    let span = || SpanOver {
        trace: [1; 16],
        span: [2; 8],
        above: None,
        is_above_remote: false,
        kind: SpanKind::Internal,
        name: "many".to_owned(),
        began_at: NOW,
        ended_at: NOW,
        attributes: Vec::new(),
        has_failed: false,
    };
    *taken.status.lock().unwrap() = 503;
    tracer.take(span());
    finish(&tracer).await;
    *taken.status.lock().unwrap() = 200;
    tracer.take(span());
    finish(&tracer).await;
    let told = lines.0.lock().unwrap().clone();
    let events: Vec<_> = told
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        ["traces-failed", "traces-taken-again", "spans-lost"]
    );
    assert_eq!(told[2]["spans"], 1);
    assert_eq!(taken.spans.lock().unwrap().len(), 1);

    // Nobody answers here: the thread waits for its time to run out, and whoever has spans does not.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let stuck = tracer_at(&endpoint, &lines).unwrap();
    let began = std::time::Instant::now();
    for _ in 0..20_000 {
        stuck.take(span());
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(stuck.lost() > 10_000, "{}", stuck.lost());
}
