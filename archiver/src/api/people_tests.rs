//! Accounts over the API: who sees what, who decides, who is let in.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use super::fixture::{Hall, password_of};
use super::tests::deposited;

#[tokio::test]
async fn nobody_approves_what_he_asked_for_and_a_suspended_account_is_out_at_once() {
    let mut hall = Hall::with_everybody().await;
    let sato = hall.tokens["sato"].clone();
    let form = json!({
        "account": "tanaka", "display_name": "T", "kind": "person", "roles": ["retriever"], "reason": "new",
    });
    let (_, asked) = hall
        .send("POST", "/api/v1/people/requests", &sato, Some(form.clone()))
        .await;
    let path = format!(
        "/api/v1/people/requests/{}/approval",
        asked["request"].as_str().unwrap()
    );
    let (status, problem) = hall.send("POST", &path, &sato, None).await;
    assert_eq!(
        (status, &problem["code"]),
        (403, &json!("second-person-wanted"))
    );
    let (status, _) = hall
        .send("POST", "/api/v1/people/requests", &sato, Some(form))
        .await;
    assert_eq!(status, 409, "one request at a time");

    let token = hall
        .join("kobayashi", json!(["retriever"]), json!({}))
        .await;
    let reason = Some(json!({ "reason": "left" }));
    let (status, _) = hall.send("GET", "/api/v1/records", &token, None).await;
    assert_eq!(status, 200);
    let path = "/api/v1/people/kobayashi/suspension";
    let (status, _) = hall.send("POST", path, &sato, reason.clone()).await;
    assert_eq!(status, 200);
    let (status, _) = hall.send("GET", "/api/v1/records", &token, None).await;
    assert_eq!(status, 401);
    let entered = json!({ "name": "kobayashi", "password": password_of("kobayashi") });
    let (status, _) = hall
        .send("POST", "/api/v1/session", "", Some(entered))
        .await;
    assert_eq!(status, 401);
    // The two who decide on accounts stay; nobody closes himself.
    for (name, status) in [("administrator", 200), ("suzuki", 422), ("sato", 403)] {
        let path = format!("/api/v1/people/{name}/closing");
        let (found, answer) = hall.send("POST", &path, &sato, reason.clone()).await;
        assert_eq!(found, status, "{name}: {answer}");
    }
    let form = json!({
        "account": "administrator", "display_name": "T", "kind": "person", "roles": ["retriever"], "reason": "new",
    });
    let (status, _) = hall
        .send("POST", "/api/v1/people/requests", &sato, Some(form))
        .await;
    assert_eq!(status, 409, "a name is never used twice");
}

#[tokio::test]
async fn wrong_log_ins_are_all_alike_and_lock_the_account() {
    let (mut hall, first) = Hall::founded();
    let token = hall.settle("sato", &first["sato"]).await;
    let right = password_of("sato");
    let mut answers = Vec::new();
    for (name, password) in [
        ("sato", "wrong"),
        ("nobody", "wrong"),
        ("suzuki", right.as_str()),
    ] {
        let entered = json!({ "name": name, "password": password });
        answers.push(
            hall.send("POST", "/api/v1/session", "", Some(entered))
                .await,
        );
    }
    assert!(answers.iter().all(|one| one == &answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 401);

    let enter = |code: Option<String>| json!({ "name": "sato", "password": right, "code": code });
    let (status, problem) = hall
        .send("POST", "/api/v1/session", "", Some(enter(None)))
        .await;
    assert_eq!((status, &problem["code"]), (401, &json!("code-wanted")));
    // The code that confirmed the authenticator was used; the next one is not.
    let used = Some(hall.code("sato"));
    let (status, _) = hall
        .send("POST", "/api/v1/session", "", Some(enter(used)))
        .await;
    assert_eq!(status, 401);
    hall.clock.advance(time::Duration::seconds(30));
    let fresh = Some(hall.code("sato"));
    let (status, session) = hall
        .send("POST", "/api/v1/session", "", Some(enter(fresh)))
        .await;
    assert_eq!((status, &session["standing"]), (200, &json!("full")));
    assert_eq!(session["other_sessions"], 1);

    for _ in 0..10 {
        let entered = json!({ "name": "sato", "password": "wrong" });
        hall.send("POST", "/api/v1/session", "", Some(entered))
            .await;
    }
    hall.clock.advance(time::Duration::seconds(60));
    let code = Some(hall.code("sato"));
    let (status, problem) = hall
        .send("POST", "/api/v1/session", "", Some(enter(code)))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (401, &json!("login-wrong")),
        "locked"
    );
    hall.clock.advance(time::Duration::minutes(31));
    let code = Some(hall.code("sato"));
    let (status, _) = hall
        .send("POST", "/api/v1/session", "", Some(enter(code)))
        .await;
    assert_eq!(status, 200, "for a while only");
    let (status, _) = hall.send("GET", "/api/v1/session", &token, None).await;
    assert_eq!(status, 401, "a session without requests is over");
}

#[tokio::test]
async fn what_is_asked_for_an_account_must_make_sense() {
    let hall = Hall::with_everybody().await;
    let sato = &hall.tokens["sato"];
    for (field, value) in [
        ("display_name", json!(" ")),
        ("display_name", json!("a\u{1b}[2J")),
        ("display_name", json!("x".repeat(201))),
        ("reason", json!("x".repeat(1_001))),
        ("classes", json!(["no-such-class"])),
        ("certificates", json!(["../etc"])),
        ("roles", json!(["king"])),
        ("kind", json!("robot")),
    ] {
        let mut form = json!({
            "account": "tanaka", "display_name": "T", "kind": "person", "roles": ["retriever"], "reason": "new",
        });
        form[field] = value;
        let (status, problem) = hall
            .send("POST", "/api/v1/people/requests", sato, Some(form))
            .await;
        assert_eq!(
            (status, &problem["field"]),
            (422, &json!(field)),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn an_account_sees_the_classes_and_matters_of_its_scope_and_nothing_else() {
    let mut hall = Hall::with_everybody().await;
    let scope = json!({ "classes": ["general"], "matters": ["m-1"] });
    let narrow = hall.join("narrow", json!(["retriever"]), scope).await;
    let (_, inside) = deposited(&hall, "in.txt", "inside", "&matter=m-1").await;
    let (_, outside) = deposited(&hall, "out.txt", "outside", "&matter=m-2").await;
    let (_, page) = hall.send("GET", "/api/v1/records", &narrow, None).await;
    assert_eq!(
        (&page["total"], &page["records"][0]["record"]),
        (&json!(1), &inside["record"])
    );
    for (record, status) in [(&inside, 200), (&outside, 404)] {
        let record = record["record"].as_str().unwrap();
        for path in [
            format!("/api/v1/records/{record}"),
            format!("/api/v1/records/{record}/versions/1"),
            format!("/api/v1/records/{record}/versions/1/objects/0?purpose=x"),
        ] {
            let (found, _) = hall.send("GET", &path, &narrow, None).await;
            assert_eq!(found, status, "{path}");
        }
        let path = format!("/api/v1/records/{record}/versions/1/verification");
        let (found, _) = hall.send("POST", &path, &narrow, None).await;
        assert_eq!(found, status, "{path}");
    }
    let (_, table) = hall
        .send("POST", "/api/v1/verification", &narrow, None)
        .await;
    assert_eq!(table["versions"], 1);
    let (_, classes) = hall.send("GET", "/api/v1/classes", &narrow, None).await;
    assert_eq!(classes.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_closed_days_of_the_trail_are_for_auditors_and_nobody_adds_to_them() {
    let hall = Hall::with_everybody().await;
    hall.clock.advance(time::Duration::days(1));
    assert_eq!(hall.desk.close_days().unwrap(), 1);
    let mut hall = hall;
    for (role, total) in [
        ("auditor", 1),
        ("retriever", 0),
        ("inspector", 0),
        ("records-manager", 0),
    ] {
        let token = hall.again(role).await;
        let (_, page) = hall
            .send("GET", "/api/v1/records?class=audit-trail", &token, None)
            .await;
        assert_eq!(page["total"], total, "{role}");
        let (_, page) = hall.send("GET", "/api/v1/records", &token, None).await;
        assert_eq!(page["total"], total, "{role}");
    }
    let token = hall.again("auditor").await;
    let (_, page) = hall.send("GET", "/api/v1/records", &token, None).await;
    let record = page["records"][0]["record"].as_str().unwrap().to_owned();
    let token = hall.again("retriever").await;
    for path in [
        format!("/api/v1/records/{record}"),
        format!("/api/v1/records/{record}/versions/1/objects/0?purpose=x"),
    ] {
        assert_eq!(hall.send("GET", &path, &token, None).await.0, 404, "{path}");
    }
    let token = hall.again("depositor").await;
    let request = Request::builder()
        .method("POST")
        .uri("/api/v1/records?class=audit-trail&name=audit-2030-04-01.jsonl")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from("forged\n"));
    assert_eq!(hall.ask(request.unwrap()).await.status(), 403);
}
