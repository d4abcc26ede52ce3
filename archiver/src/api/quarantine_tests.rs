//! Quarantine over the API, with a real clamd: what it finds is withheld until two people released it.

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::api::fixture::Hall;
use crate::intake::malware::real::{RealClamd, eicar};

async fn deposit(hall: &Hall, name: &str, content: Vec<u8>) -> (u16, Value) {
    let token = &hall.tokens["depositor"];
    let request = Request::builder()
        .method("POST")
        .uri(format!("/api/v1/records?class=general&name={name}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(content));
    let response = hall.ask(request.unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// The content of a record, or the code of the problem.
async fn fetched(hall: &Hall, record: &str) -> Result<Vec<u8>, (u16, Value)> {
    let token = &hall.tokens["retriever"];
    let path = format!("/api/v1/records/{record}/versions/1/objects/0?purpose=test");
    let request = Request::builder()
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty());
    let response = hall.ask(request.unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    if status == 200 {
        return Ok(bytes.to_vec());
    }
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    Err((status, problem["code"].clone()))
}

async fn held(hall: &Hall) -> Vec<Value> {
    let token = &hall.tokens["records-manager"];
    let (status, shown) = hall.send("GET", "/api/v1/quarantine", token, None).await;
    assert_eq!(status, 200, "{shown}");
    shown["records"].as_array().unwrap().clone()
}

/// Refused, a request waits no more; another one may be asked for, which is listed.
async fn refused_and_asked_again(
    hall: &Hall,
    (record, asked): (&str, &Value),
    (ono, manager): (&str, &str),
) -> Value {
    let request = |asked: &Value| asked["request"].as_str().unwrap().to_owned();
    let why = |reason: &str| Some(json!({ "reason": reason }));
    let refusal = format!("/api/v1/quarantine/{}/refusal", request(asked));
    let (status, _) = hall.send("POST", &refusal, manager, why("not sure")).await;
    assert_eq!(status, 200);
    let approval = format!("/api/v1/quarantine/{}/approval", request(asked));
    let (status, _) = hall.send("POST", &approval, manager, None).await;
    assert_eq!(status, 404);
    assert_eq!(held(hall).await[0]["request"], Value::Null);
    let release = format!("/api/v1/records/{record}/versions/1/release");
    let (_, asked) = hall.send("POST", &release, ono, why("old")).await;
    let (_, list) = hall.send("GET", "/api/v1/approvals", manager, None).await;
    assert_eq!(
        (&list["waiting"][0]["kind"], &list["waiting"][0]["request"]),
        (&json!("release"), &asked["request"])
    );
    asked
}

#[tokio::test]
async fn what_the_scanner_finds_is_withheld_until_two_people_released_it() {
    let Some(clamd) = RealClamd::start() else {
        return;
    };
    let mut hall = Hall::with_everybody_and(&clamd.configured()).await;
    let ono = hall
        .join("ono", json!(["records-manager"]), json!({}))
        .await;
    let (status, clean) = deposit(&hall, "clean.txt", b"an invoice".to_vec()).await;
    assert_eq!((status, &clean["threat"]), (201, &Value::Null));
    let clean = clean["record"].as_str().unwrap();
    assert_eq!(fetched(&hall, clean).await.unwrap(), b"an invoice");

    let (status, bad) = deposit(&hall, "bad.com", eicar()).await;
    assert_eq!(status, 201, "{bad}");
    let threat = bad["threat"].as_str().unwrap();
    assert!(threat.starts_with("Fumikura.Test"), "{threat}");
    let (status, again) = deposit(&hall, "bad.com", eicar()).await;
    assert_eq!((status, &again["threat"]), (200, &bad["threat"]));
    let record = bad["record"].as_str().unwrap();
    let withheld = Err((403, json!("quarantined")));
    assert_eq!(fetched(&hall, record).await, withheld);
    let list = held(&hall).await;
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(list[0]["version"]["record"], bad["record"]);
    assert_eq!(list[0]["request"], Value::Null);

    let manager = hall.tokens["records-manager"].clone();
    let release = |record: &str| format!("/api/v1/records/{record}/versions/1/release");
    let why = |reason: &str| Some(json!({ "reason": reason }));
    let (status, _) = hall.send("POST", &release(record), &ono, why("  ")).await;
    assert_eq!(status, 422, "a reason is wanted");
    let (status, _) = hall.send("POST", &release(clean), &ono, why("x")).await;
    assert_eq!(status, 422, "what is in no quarantine is not released");
    let (status, asked) = hall.send("POST", &release(record), &ono, why("old")).await;
    assert_eq!(status, 201, "{asked}");
    let approval = |asked: &Value| {
        let request = asked["request"].as_str().unwrap();
        format!("/api/v1/quarantine/{request}/approval")
    };
    let (status, problem) = hall.send("POST", &approval(&asked), &ono, None).await;
    let alone = (403, json!("second-person-wanted"));
    assert_eq!((status, problem["code"].clone()), alone);
    assert_eq!(fetched(&hall, record).await, withheld);
    let asked = refused_and_asked_again(&hall, (record, &asked), (&ono, &manager)).await;
    // A later request takes the place of the one before.
    let (_, later) = hall
        .send("POST", &release(record), &ono, why("a test"))
        .await;
    let (status, _) = hall.send("POST", &approval(&asked), &manager, None).await;
    assert_eq!(status, 404);
    assert_eq!(held(&hall).await[0]["request"]["reason"], "a test");
    let (status, done) = hall.send("POST", &approval(&later), &manager, None).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(fetched(&hall, record).await.unwrap(), eicar());
    assert!(held(&hall).await.is_empty());

    let path = "/api/v1/audit?act=quarantine.release";
    let auditor = &hall.tokens["auditor"];
    let (_, trail) = hall.send("GET", path, auditor, None).await;
    let newest = &trail["entries"][0];
    assert_eq!(
        (&newest["person"], &newest["outcome"]),
        (&json!("records-manager"), &json!("done"))
    );
    assert_eq!(newest["details"]["requested-by"], "ono");
    assert_eq!(newest["details"]["reason"], "a test");
}

#[tokio::test]
async fn a_scope_hides_what_is_withheld_in_other_classes() {
    let Some(clamd) = RealClamd::start() else {
        return;
    };
    let mut hall = Hall::with_everybody_and(&clamd.configured()).await;
    let scope = json!({ "classes": ["received-invoice"] });
    let narrow = hall.join("ono", json!(["records-manager"]), scope).await;
    let (_, bad) = deposit(&hall, "bad.com", eicar()).await;
    let record = bad["record"].as_str().unwrap();
    let (_, shown) = hall.send("GET", "/api/v1/quarantine", &narrow, None).await;
    assert_eq!(shown["records"], json!([]));
    let path = format!("/api/v1/records/{record}/versions/1/release");
    let why = json!({ "reason": "x" });
    let (status, _) = hall.send("POST", &path, &narrow, Some(why)).await;
    assert_eq!(status, 404);
}
