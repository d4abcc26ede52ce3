//! The API without a network: who may ask what, and what is answered.

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::endpoints::{ENDPOINTS, OF_THE_SESSION};
use super::fixture::Hall;
use crate::access::Role;

fn filled(method: &str, path: &str, record: &str) -> String {
    let with_query = match path {
        "/api/v1/records/{record}/versions/{version}/objects/{object}"
        | "/api/v1/records/{record}/versions/{version}/evidence" => format!("{path}?purpose=test"),
        "/api/v1/records" | "/api/v1/uploads" if method == "POST" => {
            format!("{path}?class=general&name=b.txt")
        }
        _ => path.to_owned(),
    };
    with_query
        .replace("{record}", record)
        .replace("{version}", "1")
        .replace("{object}", "0")
        .replace("{request}", "01935e7a-1111-7222-8333-444455556666")
        .replace("{upload}", "00112233445566778899aabbccddeeff")
        .replace("{day}", "2030-03-31")
        .replace("{account}", "nobody")
}

fn body_for(path: &str) -> Option<Value> {
    let reason = json!({ "reason": "test" });
    if path.ends_with("/requests") {
        Some(
            json!({ "account": "0", "display_name": "x", "kind": "person", "roles": [], "reason": "" }),
        )
    } else if path.ends_with("/answers") {
        Some(json!({ "entries": [1], "remark": "test" }))
    } else if path.ends_with("/notes") {
        Some(json!({ "text": "test" }))
    } else if path.ends_with("/confirmation") || path.ends_with("/inspection") {
        Some(json!({ "remark": "test" }))
    } else if path.contains("/searches/") {
        Some(json!({ "conditions": {} }))
    } else if path.ends_with("/review") {
        Some(json!({ "confirmed": ["nobody"] }))
    } else {
        let wants = ["refusal", "suspension", "closing", "reset", "release"];
        wants
            .iter()
            .any(|end| path.ends_with(end))
            .then_some(reason)
    }
}

pub(super) async fn deposited(
    hall: &Hall,
    name: &str,
    text: &'static str,
    query: &str,
) -> (u16, Value) {
    let token = &hall.tokens["depositor"];
    let uri = format!("/api/v1/records?class=general&name={name}{query}");
    let request = Request::builder()
        .method("POST")
        .uri(uri)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(text));
    let response = hall.ask(request.unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn every_endpoint_answers_each_role_as_the_table_says_and_nobody_without_a_session() {
    let hall = Hall::with_everybody().await;
    let (status, first) = deposited(&hall, "a.txt", "first", "").await;
    assert_eq!(status, 201, "{first}");
    let record = first["record"].as_str().unwrap();

    let description = serde_json::to_value(super::description()).unwrap();
    let mut described = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut listed: Vec<(String, String)> = ENDPOINTS
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .chain(OF_THE_SESSION.iter().copied())
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    described.sort();
    listed.sort();
    assert_eq!(described, listed, "each endpoint stands in the table");

    for (method, path, allowed) in ENDPOINTS {
        let uri = filled(method, path, record);
        for token in ["", "wrong"] {
            let (status, problem) = hall.send(method, &uri, token, body_for(path)).await;
            assert_eq!(status, 401, "{method} {path}");
            assert_eq!(problem["code"], "login-wanted", "{method} {path}");
        }
        for role in Role::ALL {
            let token = &hall.tokens[role.code()];
            let (status, answer) = hall.send(method, &uri, token, body_for(path)).await;
            let may = *allowed == "person" || allowed.split(' ').any(|one| one == role.code());
            let is_denied = status == 403 && answer["code"] == "not-allowed";
            // A depositor's own receipt aside: who may not is told so before anything else, and who may is answered on the matter.
            assert_eq!(
                is_denied,
                !may,
                "{method} {path} as {}: {status} {answer}",
                role.code()
            );
            assert!(status < 500, "{method} {path} as {}: {answer}", role.code());
        }
    }
}

#[tokio::test]
async fn a_file_goes_in_once_and_comes_back_whole_or_in_part() {
    let hall = Hall::with_everybody().await;
    let query =
        "&date=2030-03-31&amount=110000&currency=JPY&counterparty=%EF%BC%A1%EF%BC%A2%EF%BC%A3";
    let (status, first) = deposited(&hall, "a.txt", "the first text", query).await;
    assert_eq!(
        (status, &first["was_there"]),
        (201, &json!(false)),
        "{first}"
    );
    let (status, again) = deposited(&hall, "a.txt", "the first text", query).await;
    assert_eq!((status, &again["was_there"]), (200, &json!(true)));
    assert_eq!(first["record"], again["record"]);

    let retriever = &hall.tokens["retriever"];
    for (question, total) in [
        ("date=2030-03-01..2030-03-31&counterparty=abc", 1),
        ("amount=110000..&currency=jpy", 1),
        ("amount=..109999", 0),
        ("counterparty=none", 0),
        ("text=a.txt&class=general", 1),
        ("matter=none", 0),
    ] {
        let path = format!("/api/v1/records?{question}");
        let (status, page) = hall.send("GET", &path, retriever, None).await;
        assert_eq!((status, &page["total"]), (200, &json!(total)), "{question}");
    }
    for question in [
        "date=yesterday",
        "amount=much",
        "cursor=x",
        "limit=many",
        "unknown=1",
    ] {
        let path = format!("/api/v1/records?{question}");
        let (status, problem) = hall.send("GET", &path, retriever, None).await;
        assert_eq!(status, 422, "{question}: {problem}");
    }

    let record = first["record"].as_str().unwrap();
    let path = format!("/api/v1/records/{record}/versions/1/objects/0");
    let (status, problem) = hall.send("GET", &path, retriever, None).await;
    assert_eq!((status, &problem["field"]), (422, &json!("purpose")));
    for (range, status, expected) in [
        (None, 200, Some("the first text")),
        (Some("bytes=4-8"), 206, Some("first")),
        (Some("bytes=-4"), 206, Some("text")),
        (Some("bytes=4-"), 206, Some("first text")),
        (Some("bytes=0-3,5-6"), 200, Some("the first text")),
        (Some("bytes=99-"), 416, None),
    ] {
        let mut request = Request::builder()
            .uri(format!("{path}?purpose=case%2017"))
            .header(header::AUTHORIZATION, format!("Bearer {retriever}"));
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let response = hall.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{range:?}");
        if let Some(expected) = expected {
            let length = response.headers()[header::CONTENT_LENGTH].clone();
            assert_eq!(length, expected.len().to_string().as_str());
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(bytes, expected.as_bytes(), "{range:?}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_deposit_is_told_and_nothing_goes_in() {
    let hall = Hall::with_everybody().await;
    let token = &hall.tokens["depositor"];
    let long = "x".repeat(100_001);
    for (query, body, status, code) in [
        ("class=nothing&name=a", "x", 422, "invalid-value"),
        ("name=a", "x", 422, "unreadable-request"),
        ("class=general&name=..", "x", 422, "invalid-value"),
        ("class=general&name=a%00b", "x", 422, "invalid-value"),
        ("class=general&name=a&amount=much", "x", 422, "metadata"),
        ("class=general&name=a&date=2030-02-30", "x", 422, "metadata"),
        ("class=general&name=a", long.as_str(), 413, "too-large"),
    ] {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/api/v1/records?{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_LENGTH, body.len())
            .body(Body::from(body.to_owned()));
        let response = hall.ask(request.unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{query}");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(problem["code"], code, "{query}: {problem}");
    }
    // Without a length, and longer than it may be; and one that ends before its end.
    let pieces = |ends: bool| {
        let some = (0..30).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 5_000]));
        let cut = (!ends).then(|| Err(std::io::ErrorKind::ConnectionReset.into()));
        let all: Vec<_> = some.take(if ends { 30 } else { 3 }).chain(cut).collect();
        Body::new(Pieces(all.into_iter()))
    };
    for (ends, status) in [(true, 413), (false, 400)] {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/records?class=general&name=long")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(pieces(ends));
        let response = hall.ask(request.unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{ends}");
    }
    let retriever = &hall.tokens["retriever"];
    let (_, page) = hall
        .send("GET", "/api/v1/records?all_versions=true", retriever, None)
        .await;
    assert_eq!(page["total"], 0);
}

/// A body of unknown length, in pieces.
struct Pieces(std::vec::IntoIter<std::io::Result<Vec<u8>>>);

impl hyper::body::Body for Pieces {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<std::io::Result<hyper::body::Frame<Self::Data>>>> {
        let next = self.0.next();
        std::task::Poll::Ready(
            next.map(|piece| piece.map(|data| hyper::body::Frame::data(data.into()))),
        )
    }
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let hall = Hall::with_everybody().await;
    let token = &hall.tokens["operator"];
    let ask = |form_token: Option<&str>, kind: Option<&str>| {
        let mut request = Request::builder()
            .method("POST")
            .uri("/api/v1/jobs/stamp")
            .header(header::COOKIE, format!("__Host-fumikura={token}"));
        if let Some(form_token) = form_token {
            request = request.header("x-form-token", form_token);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Body::empty()).unwrap()
    };
    for (form_token, kind) in [
        (None, None),
        (Some("wrong"), None),
        (None, Some("application/x-www-form-urlencoded")),
        (None, Some("multipart/form-data; boundary=x")),
    ] {
        let response = hall.ask(ask(form_token, kind)).await;
        assert_eq!(response.status(), 403, "{form_token:?} {kind:?}");
    }
    assert!(hall.orders.try_recv().is_err());
    let (session, _) = hall.desk.session(token, super::fixture::HERE).unwrap();
    let response = hall.ask(ask(Some(&session.form_token), None)).await;
    assert_eq!(response.status(), 202);
    assert!(hall.orders.try_recv().is_ok());
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_doing_more_than_was_meant() {
    let hall = Hall::with_everybody().await;
    for (path, status) in [
        ("/api/v1/openapi.json", 200),
        ("/nowhere", 404),
        ("/api/v1/records", 401),
    ] {
        let response = hall
            .ask(Request::builder().uri(path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
    }
    let name = "a\"; filename=\"x.html\r\nset-cookie: a=b";
    let text = super::contents::disposition(name);
    assert!(!text.contains('\r') && !text.contains('\n'));
    assert_eq!(text.matches('"').count(), 2, "{text}");
}

#[tokio::test]
async fn a_key_of_idempotency_belongs_to_what_was_taken_in_with_it() {
    let hall = Hall::with_everybody().await;
    let token = &hall.tokens["depositor"];
    for (query, status) in [
        ("class=nothing&name=a.txt", 422),
        ("class=general&name=a.txt", 201),
        ("class=general&name=a.txt", 200),
        ("class=general&name=b.txt", 422),
    ] {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/api/v1/records?{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("idempotency-key", "k-1")
            .body(Body::from("content"));
        assert_eq!(
            hall.ask(request.unwrap()).await.status().as_u16(),
            status,
            "{query}"
        );
    }
}
