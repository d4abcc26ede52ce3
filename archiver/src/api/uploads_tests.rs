//! Deposits in parts over the API, without a network.

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::Duration;

use super::fixture::Hall;

const TEXT: &[u8] = b"a text with a marker that must stand nowhere in clear";

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

async fn ask(
    hall: &Hall,
    account: &str,
    (method, uri): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    let token = &hall.tokens[account];
    request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = hall
        .ask(request.body(Body::from(body.to_vec())).unwrap())
        .await;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if let Some(code) = body["code"].as_str().filter(|_| status >= 400) {
        let known = super::codes::codes_of(status);
        assert!(known.contains(&code), "{method} {uri}: {status} {code}");
    }
    Answer {
        status,
        headers,
        body,
    }
}

/// The address of an upload that the depositor began.
pub(super) async fn begun(hall: &Hall, more: &str) -> String {
    let uri = format!("/api/v1/uploads?class=general&name=a.txt{more}");
    let length = TEXT.len().to_string();
    let headers = [("upload-length", length.as_str())];
    let answer = ask(hall, "depositor", ("POST", &uri), &headers, b"").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("upload-offset"), "0");
    assert_eq!(answer.header("upload-length"), length);
    answer.header("location").to_owned()
}

async fn send(hall: &Hall, place: &str, offset: usize, bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    let headers = [("upload-offset", offset.as_str())];
    ask(hall, "depositor", ("PATCH", place), &headers, bytes).await
}

#[tokio::test]
async fn parts_become_one_record_and_the_answer_is_the_same_each_time() {
    let hall = Hall::with_everybody().await;
    let digest = hex::encode(Sha256::digest(TEXT));
    let place = begun(&hall, &format!("&counterparty=abc&sha256={digest}")).await;
    let answer = send(&hall, &place, 0, &TEXT[..20]).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("upload-offset"), "20");
    assert_eq!(answer.header("upload-complete"), "?0");
    let answer = send(&hall, &place, 0, TEXT).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (409, &json!("upload-offset"))
    );
    assert_eq!(answer.body["expected-offset"], 20);
    assert_eq!(answer.header("upload-offset"), "20");
    for method in ["HEAD", "GET"] {
        let answer = ask(&hall, "depositor", (method, &place), &[], b"").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("upload-offset"), "20");
        assert_eq!(
            answer.header("upload-expires"),
            "Tue, 02 Apr 2030 09:00:00 GMT"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let done = send(&hall, &place, 20, &TEXT[20..]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.body["was_there"], false);
    assert_eq!(done.body["size"], TEXT.len());
    assert_eq!(done.header("upload-complete"), "?1");
    let again = send(&hall, &place, 20, &TEXT[20..]).await;
    assert_eq!((again.status, &again.body), (200, &done.body));
    let shown = ask(&hall, "depositor", ("GET", &place), &[], b"").await;
    assert_eq!(shown.body["deposited"], done.body);
    assert_eq!(shown.header("upload-complete"), "?1");

    let record = done.body["record"].as_str().unwrap();
    let (_, page) = hall
        .send(
            "GET",
            "/api/v1/records?counterparty=abc",
            &hall.tokens["retriever"],
            None,
        )
        .await;
    assert_eq!(
        (&page["total"], &page["records"][0]["record"]),
        (&json!(1), &json!(record))
    );
    let path = format!("/api/v1/records/{record}/versions/1/objects/0?purpose=x");
    let request = Request::builder().uri(path).header(
        header::AUTHORIZATION,
        format!("Bearer {}", hall.tokens["retriever"]),
    );
    let response = hall.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        TEXT
    );
    // The same in one request is the same deposit.
    let uri = "/api/v1/records?class=general&name=a.txt&counterparty=abc";
    let whole = ask(&hall, "depositor", ("POST", uri), &[], TEXT).await;
    assert_eq!((whole.status, &whole.body["record"]), (200, &json!(record)));
}

#[tokio::test]
async fn what_is_wrong_is_told_at_the_beginning() {
    let hall = Hall::with_everybody().await;
    let sha = "0".repeat(63);
    for (query, length, status, code) in [
        ("class=nothing&name=a", "5", 422, "invalid-value"),
        ("class=general&name=..", "5", 422, "invalid-value"),
        ("class=general&name=a&amount=much", "5", 422, "metadata"),
        ("class=general&name=a", "100001", 413, "too-large"),
        ("class=general&name=a", "-1", 422, "invalid-value"),
        ("class=general&name=a", "+1", 422, "invalid-value"),
        (
            "class=general&name=a",
            "99999999999999999999",
            422,
            "invalid-value",
        ),
        (
            &format!("class=general&name=a&sha256={sha}"),
            "5",
            422,
            "invalid-value",
        ),
        ("name=a", "5", 422, "unreadable-request"),
    ] {
        let uri = format!("/api/v1/uploads?{query}");
        let headers = [("upload-length", length)];
        let answer = ask(&hall, "depositor", ("POST", &uri), &headers, b"").await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (status, &json!(code)),
            "{query} {length}"
        );
    }
    let uri = "/api/v1/uploads?class=general&name=a";
    let answer = ask(&hall, "depositor", ("POST", uri), &[], b"").await;
    assert_eq!(
        (answer.status, &answer.body["field"]),
        (422, &json!("upload-length"))
    );
    let place = begun(&hall, "").await;
    for headers in [
        &[][..],
        &[("upload-offset", "x")],
        &[("upload-offset", "0"), ("upload-complete", "yes")],
    ] {
        let answer = ask(&hall, "depositor", ("PATCH", &place), headers, b"x").await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (422, &json!("invalid-value"))
        );
    }
    let longer = [TEXT, b"!"].concat();
    let answer = send(&hall, &place, 0, &longer).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (422, &json!("upload-length"))
    );
    let headers = [("upload-offset", "0"), ("upload-complete", "?1")];
    let answer = ask(&hall, "depositor", ("PATCH", &place), &headers, b"x").await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (422, &json!("upload-length"))
    );
}

#[tokio::test]
async fn another_content_than_announced_is_not_deposited_and_the_upload_is_over() {
    let hall = Hall::with_everybody().await;
    let place = begun(&hall, &format!("&sha256={}", "0".repeat(64))).await;
    let answer = send(&hall, &place, 0, TEXT).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (422, &json!("upload-digest"))
    );
    let answer = ask(&hall, "depositor", ("GET", &place), &[], b"").await;
    assert_eq!(answer.status, 404);
    let retriever = &hall.tokens["retriever"];
    let (_, page) = hall.send("GET", "/api/v1/records", retriever, None).await;
    assert_eq!(page["total"], 0);
}

#[tokio::test]
async fn uploads_are_their_accounts_alone_and_end_when_they_are_given_up_or_over() {
    let mut hall = Hall::with_everybody().await;
    let other = hall.join("homu", json!(["depositor"]), json!({})).await;
    hall.tokens.insert("homu", other);
    let place = begun(&hall, "").await;
    send(&hall, &place, 0, &TEXT[..5]).await;
    for method in ["GET", "PATCH", "DELETE"] {
        let headers = [("upload-offset", "5")];
        let answer = ask(&hall, "homu", (method, &place), &headers, b"x").await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (404, &json!("not-found")),
            "{method}"
        );
        for way in ["..%2f..%2fkeys", "x", "%2e%2e"] {
            let uri = format!("/api/v1/uploads/{way}");
            let answer = ask(&hall, "depositor", (method, &uri), &headers, b"x").await;
            assert_eq!(answer.status, 404, "{method} {way}");
        }
    }
    let answer = ask(&hall, "depositor", ("DELETE", &place), &[], b"").await;
    assert_eq!(answer.status, 204);
    let answer = send(&hall, &place, 5, &TEXT[5..]).await;
    assert_eq!(answer.status, 404);

    begun(&hall, "").await;
    hall.clock.advance(Duration::hours(25));
    assert_eq!(hall.desk.expire_uploads().unwrap(), 1);
    assert_eq!(hall.desk.expire_uploads().unwrap(), 0);
    let auditor = hall.again("auditor").await;
    let (_, page) = hall.send("GET", "/api/v1/audit", &auditor, None).await;
    let text = page.to_string();
    for (act, count) in [
        ("upload.begin", 2),
        ("upload.abandon", 2),
        ("\"expired\"", 1),
    ] {
        assert!(text.matches(act).count() >= count, "{act}: {text}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_off_leaves_what_came_and_nothing_in_clear() {
    let hall = Hall::with_everybody().await;
    let place = begun(&hall, "").await;
    let (sender, pieces) = super::pieces();
    sender.try_send(Ok(TEXT[..30].to_vec().into())).unwrap();
    sender
        .try_send(Err(std::io::ErrorKind::ConnectionReset.into()))
        .unwrap();
    let request = Request::builder()
        .method("PATCH")
        .uri(&place)
        .header("upload-offset", "0")
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", hall.tokens["depositor"]),
        );
    let response = hall.ask(request.body(Body::new(pieces)).unwrap()).await;
    assert_eq!(response.status(), 400);
    let answer = ask(&hall, "depositor", ("HEAD", &place), &[], b"").await;
    assert_eq!(answer.header("upload-offset"), "30");
    let mut folders = vec![hall.bench.place.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let wanted = b"with a marker";
            assert!(
                !bytes.windows(wanted.len()).any(|some| some == wanted),
                "{path:?}"
            );
        }
    }
    assert!(files > 5);
    let answer = send(&hall, &place, 30, &TEXT[30..]).await;
    assert_eq!(answer.status, 200);
}
