//! Requests over the real router, and what of them is in the log.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use firmware::entropy::SeededEntropy;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{LogTarget, LogWriter, Observer, observed};
use crate::api::fixture::{HERE, Hall, password_of};
use crate::https::Peer;
use crate::service::log::Log;

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

struct Watched {
    router: Router,
    observer: Arc<Observer>,
    lines: Lines,
}

impl Watched {
    fn over(hall: &Hall) -> Self {
        let lines = Lines::default();
        let target = LogTarget::Lines(Box::new(lines.clone()));
        let log = LogWriter::start(target, hall.clock.clone()).unwrap();
        let observer = Arc::new(Observer {
            clock: hall.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            log: Some(log),
            tracer: None,
        });
        let pages = crate::web::router(Arc::clone(&hall.desk));
        let api = crate::api::router(Arc::clone(&hall.desk));
        let router = crate::api::guarded(api.merge(pages));
        Self {
            router: observed(router, Arc::clone(&observer)),
            observer,
            lines,
        }
    }

    async fn ask(&self, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(Peer {
            address: (HERE, 40_000).into(),
            certificate: None,
        });
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// What is in the log; what was asked so far is over.
    fn log(&self) -> Vec<Value> {
        self.observer.log.as_ref().unwrap().finish();
        let lines = std::mem::take(&mut *self.lines.0.lock().unwrap());
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

async fn whole(response: Response<Body>) -> Vec<u8> {
    response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec()
}

fn get(path: &str, token: &str) -> Request<Body> {
    let request = Request::builder()
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_line_tells_who_asked_what_for_how_long_and_how_much_and_the_answer_names_its_line() {
    let hall = Hall::with_everybody().await;
    let watched = Watched::over(&hall);
    let request = Request::builder()
        .method("POST")
        .uri("/api/v1/records?class=general&name=a.txt")
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", hall.tokens["depositor"]),
        )
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(Body::from("twelve bytes"))
        .unwrap();
    let response = watched.ask(request).await;
    assert_eq!(response.status(), 201);
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = whole(response).await;
    let log = watched.log();
    let [line] = log.as_slice() else {
        panic!("{log:?}")
    };
    let mut line = line.clone();
    assert!(line["ms"].as_f64().unwrap() > 0.0, "{line}");
    line["ms"] = json!(0);
    let expected = json!({
        "time": "2030-04-01T09:08:00Z", "level": "info", "event": "request", "request": id, "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "method": "POST", "route": "/api/v1/records", "status": 201, "whole": true, "bytes_in": 12, "bytes_out": body.len(), "ms": 0,
        "account": "depositor", "address": "192.0.2.7",
    });
    line["time"] = expected["time"].clone();
    assert_eq!(line, expected);
}

#[tokio::test]
async fn a_problem_names_its_request_and_so_does_every_answer() {
    let hall = Hall::with_everybody().await;
    let watched = Watched::over(&hall);
    let mut ids = std::collections::BTreeSet::new();
    for (path, status) in [
        ("/api/v1/records", 401),
        ("/nowhere", 404),
        ("/login", 200),
        ("/api/v1/openapi.json", 200),
        ("/deposit", 303),
    ] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = watched.ask(request).await;
        assert_eq!(response.status(), status, "{path}");
        let id = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(ids.insert(id.clone()), "{path}: {id} again");
        let length = response.headers().get(header::CONTENT_LENGTH).cloned();
        let body = whole(response).await;
        assert!(
            length.is_none_or(|length| length == body.len().to_string().as_str()),
            "{path}"
        );
        if status >= 400 {
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["instance"], format!("urn:uuid:{id}"), "{path}");
        }
    }
    let log = watched.log();
    let told = log
        .iter()
        .map(|line| line["request"].as_str().unwrap().to_owned());
    assert_eq!(told.collect::<std::collections::BTreeSet<_>>(), ids);
}

/// What of the requests must be in no log.
const SECRETS: [&str; 11] = [
    "hush-password",
    "hush-code",
    "hush-name",
    "hush-search",
    "hush-cookie",
    "hush-agent",
    "hush-state",
    "hush-path",
    "HUSH-METHOD",
    "hush-body",
    "hush-person",
];

/// Requests that carry secrets wherever they can, and the route of each.
fn telling_requests(
    (password, code): (&str, &str),
    (retriever, administrator): (&str, &str),
) -> Vec<(Request<Body>, &'static str)> {
    let form = json!({ "name": "retriever", "password": password, "code": code });
    let wrong = json!({ "name": "hush-name", "password": "hush-password", "code": "hush-code" });
    let post = |path: &str, body: String| {
        Request::builder()
            .method("POST")
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap()
    };
    let mut cookie = Request::builder()
        .uri("/search?counterparty=hush-search&lang=ja")
        .header(
            header::COOKIE,
            format!("__Host-fumikura={retriever}; other=hush-cookie"),
        );
    cookie = cookie
        .header(header::USER_AGENT, "hush-agent")
        .header("tracestate", "hush-state=1")
        .header("traceparent", "hush-state");
    let mut suspend = post(
        "/api/v1/people/hush-person/suspension",
        json!({ "reason": "hush-body" }).to_string(),
    );
    suspend.headers_mut().insert(
        header::AUTHORIZATION,
        format!("Bearer {administrator}").parse().unwrap(),
    );
    let other = Request::builder()
        .method("HUSH-METHOD")
        .uri("/")
        .body(Body::empty())
        .unwrap();
    vec![
        (post("/api/v1/session", form.to_string()), "/api/v1/session"),
        (
            post("/api/v1/session", wrong.to_string()),
            "/api/v1/session",
        ),
        (
            get(
                "/api/v1/records?counterparty=hush-search&text=hush-search",
                retriever,
            ),
            "/api/v1/records",
        ),
        (
            get(
                "/api/v1/records?counterparty=hush-search&date=hush-search",
                retriever,
            ),
            "/api/v1/records",
        ),
        (get("/hush-path?token=hush-search", "hush-cookie"), ""),
        (cookie.body(Body::empty()).unwrap(), "/search"),
        (suspend, "/api/v1/people/{account}/suspension"),
        (other, "/"),
    ]
}

#[tokio::test]
async fn nothing_that_was_sent_or_found_is_in_the_log() {
    let mut hall = Hall::with_everybody().await;
    let watched = Watched::over(&hall);
    hall.join("hush-person", json!(["depositor"]), json!({}))
        .await;
    let administrator = hall.tokens["sato"].clone();
    let retriever = hall.tokens["retriever"].clone();
    let password = password_of("retriever");
    // A code is taken once.
    hall.clock.advance(time::Duration::seconds(60));
    let code = hall.code("retriever");
    let requests = telling_requests((&password, &code), (&retriever, &administrator));
    let count = requests.len();
    let mut routes = Vec::new();
    for (request, route) in requests {
        drop(whole(watched.ask(request).await).await);
        routes.push(route);
    }
    let log = watched.log();
    assert_eq!(log.len(), count);
    for (line, route) in log.iter().zip(routes) {
        assert_eq!(line["route"].as_str().unwrap_or_default(), route, "{line}");
        let text = line.to_string();
        for secret in
            SECRETS
                .into_iter()
                .chain([retriever.as_str(), &administrator, &password, &code])
        {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    assert_eq!(
        (&log[0]["status"], &log[1]["status"]),
        (&json!(200), &json!(401))
    );
    assert_eq!(
        (&log[2]["account"], &log[6]["account"]),
        (&json!("retriever"), &json!("sato"))
    );
    assert_eq!(log[7]["method"], "other");
}

#[tokio::test]
async fn an_answer_that_is_not_taken_to_its_end_is_said_to_be_in_part() {
    let hall = Hall::with_everybody().await;
    let watched = Watched::over(&hall);
    drop(watched.ask(get("/api/v1/openapi.json", "")).await);
    let log = watched.log();
    assert_eq!(
        (&log[0]["status"], &log[0]["whole"], &log[0]["bytes_out"]),
        (&json!(200), &json!(false), &json!(0))
    );
}

#[test]
fn a_log_that_was_moved_away_goes_on_in_a_new_file_and_what_is_lost_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let clock = Arc::new(firmware::clock::SimulatedClock::new(
        crate::api::fixture::NOW,
    ));
    let log = LogWriter::start(LogTarget::File(path.clone()), clock).unwrap();
    log.write("{\"number\":1}".to_owned());
    log.finish();
    let moved = folder.path().join("requests.jsonl.1");
    std::fs::hard_link(&path, &moved).unwrap();
    std::fs::remove_file(&path).unwrap();
    log.lost.fetch_add(3, std::sync::atomic::Ordering::Relaxed);
    log.write("{\"number\":2}".to_owned());
    log.finish();
    let read = |path: &std::path::Path| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    assert_eq!(read(&moved), [json!({ "number": 1 })]);
    let lines = read(&path);
    assert_eq!(lines[0], json!({ "number": 2 }));
    assert_eq!(
        (&lines[1]["event"], &lines[1]["lines"]),
        (&json!("request-lines-lost"), &json!(3))
    );
}
