//! Conditions over the real router.

use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::endpoints::ENDPOINTS;
use super::fixture::Hall;
use super::tests::deposited;
use super::uploads_tests::begun;

async fn get(hall: &Hall, path: &str, role: &str, known: Option<&str>) -> Response<Body> {
    let token = hall.tokens.get(role).cloned().unwrap_or_default();
    let mut request = Request::builder()
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    if let Some(known) = known {
        request = request.header(header::IF_NONE_MATCH, known);
    }
    hall.ask(request.body(Body::empty()).unwrap()).await
}

async fn body(response: Response<Body>) -> Vec<u8> {
    response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec()
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again_and_what_is_new_is() {
    let hall = Hall::with_everybody().await;
    let (_, first) = deposited(&hall, "a.txt", "first", "").await;
    let record = first["record"].as_str().unwrap();
    let upload = begun(&hall, "").await;
    let upload = upload.rsplit('/').next().unwrap();
    let description = super::description_value();
    let mut asked = 0;
    for (method, path, roles) in ENDPOINTS {
        let takes = &description["paths"][*path]["get"]["responses"]["304"];
        if *method != "GET" || takes.is_null() || path.ends_with("/system") {
            continue;
        }
        let role = roles
            .split(' ')
            .next()
            .unwrap()
            .replace("person", "auditor");
        let path = path
            .replace("{record}", record)
            .replace("{version}", "1")
            .replace("{object}", "0")
            .replace("{upload}", upload)
            .replace("{day}", "2030-03-31");
        let path = match path.ends_with("/objects/0") {
            true => format!("{path}?purpose=test"),
            false => path,
        };
        // Reading the audit trail is on record in it.
        let is_trail = path.starts_with("/api/v1/audit");
        let response = get(&hall, &path, &role, None).await;
        assert_eq!(response.status(), 200, "{path}");
        let tag = response.headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(!body(response).await.is_empty(), "{path}");
        for (known, status) in [
            (tag.as_str(), 304),
            (&format!("\"other\", W/{tag}"), 304),
            ("*", 304),
            ("\"other\"", 200),
            ("nonsense", 200),
        ] {
            let response = get(&hall, &path, &role, Some(known)).await;
            if is_trail && known != "*" {
                continue;
            }
            assert_eq!(response.status(), status, "{path}: {known}");
            if status == 304 {
                if known != "*" {
                    assert_eq!(response.headers()[header::ETAG], tag.as_str(), "{path}");
                }
                assert!(body(response).await.is_empty(), "{path}");
            }
        }
        asked += 1;
    }
    assert!(asked >= 10, "{asked}");
    let before = get(&hall, "/api/v1/records", "retriever", None)
        .await
        .headers()[header::ETAG]
        .clone();
    deposited(&hall, "b.txt", "second", "").await;
    let after = get(&hall, "/api/v1/records", "retriever", before.to_str().ok()).await;
    assert_eq!(after.status(), 200, "there is another record");
    assert_ne!(after.headers()[header::ETAG], before);
    let refused = get(&hall, "/api/v1/records", "depositor", Some("*")).await;
    assert_eq!(refused.status(), 403, "a condition opens nothing");
    assert!(!refused.headers().contains_key(header::ETAG));
}

async fn change(
    hall: &Hall,
    method: &str,
    path: &str,
    seen: Option<&str>,
    form: Value,
) -> (u16, Value) {
    let token = &hall.tokens["sato"];
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(seen) = seen {
        request = request.header(header::IF_MATCH, seen);
    }
    let response = hall
        .ask(request.body(Body::from(form.to_string())).unwrap())
        .await;
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(&body(response).await).unwrap_or_default(),
    )
}

/// The version of an account, in quotes.
async fn version(hall: &Hall, name: &str) -> String {
    let (_, people) = hall
        .send("GET", "/api/v1/people", &hall.tokens["sato"], None)
        .await;
    let accounts = people["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|one| one["name"] == name).unwrap();
    format!("\"{}\"", account["version"].as_str().unwrap())
}

#[tokio::test]
async fn an_account_that_changed_meanwhile_is_not_changed_again_unseen() {
    let hall = Hall::with_everybody().await;
    let reason = || json!({ "reason": "test" });
    let path = "/api/v1/people/retriever/suspension";
    let seen = version(&hall, "retriever").await;
    assert_eq!(seen, version(&hall, "retriever").await);
    assert_ne!(seen, version(&hall, "depositor").await);
    for other in ["\"other\"", "nonsense"] {
        let (status, problem) = change(&hall, "POST", path, Some(other), reason()).await;
        assert_eq!(
            (status, &problem["code"]),
            (412, &json!("changed")),
            "{other}"
        );
    }
    assert_eq!(seen, version(&hall, "retriever").await, "nothing was done");
    let (status, answer) = change(&hall, "POST", path, Some(&seen), reason()).await;
    assert_eq!(status, 200, "{answer}");
    let suspended = version(&hall, "retriever").await;
    assert_ne!(suspended, seen);
    // Whoever saw it before it was suspended does nothing to it any more.
    let form = json!({ "account": "retriever", "display_name": "R", "kind": "person", "roles": ["retriever"], "reason": "test" });
    let stale = [
        ("POST", "/api/v1/people/retriever/closing", reason()),
        ("POST", "/api/v1/people/retriever/reset", reason()),
        ("DELETE", path, reason()),
        ("POST", "/api/v1/people/requests", form.clone()),
    ];
    for (method, path, form) in stale {
        let (status, problem) = change(&hall, method, path, Some(&seen), form).await;
        assert_eq!(
            (status, &problem["code"]),
            (412, &json!("changed")),
            "{method} {path}"
        );
    }
    let (status, _) = change(
        &hall,
        "POST",
        "/api/v1/people/nobody/suspension",
        Some("*"),
        reason(),
    )
    .await;
    assert_eq!(status, 412, "there is no such account");
    let (status, answer) = change(&hall, "DELETE", path, Some(&suspended), reason()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(version(&hall, "retriever").await, seen, "it is as it was");
    let (status, answer) =
        change(&hall, "POST", "/api/v1/people/requests", Some(&seen), form).await;
    assert_eq!(status, 201, "{answer}");
}
