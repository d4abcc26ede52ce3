//! What takes two people, over the API: one list, one rule.

use serde_json::{Value, json};
use time::Duration;

use super::fixture::Hall;

const LIST: &str = "/api/v1/approvals";

async fn ask(hall: &Hall, token: &str, account: &str) -> (u16, String) {
    let form = json!({
        "account": account, "display_name": "T", "kind": "person", "roles": ["retriever"], "reason": "new",
    });
    let path = "/api/v1/people/requests";
    let (status, asked) = hall.send("POST", path, token, Some(form)).await;
    let request = asked["request"].as_str().unwrap_or_default();
    (status, request.to_owned())
}

async fn approve(hall: &Hall, token: &str, request: &str) -> (u16, Value) {
    let path = format!("/api/v1/people/requests/{request}/approval");
    hall.send("POST", &path, token, None).await
}

#[tokio::test]
async fn all_that_waits_is_in_one_list_which_says_who_may_approve_it_and_until_when() {
    let hall = Hall::with_everybody_and("[accounts]\napproval_days = 5").await;
    let (sato, suzuki) = (&hall.tokens["sato"], &hall.tokens["suzuki"]);
    let (status, request) = ask(&hall, sato, "tanaka").await;
    assert_eq!(status, 201);
    for (name, may_approve) in [("suzuki", true), ("sato", false), ("auditor", false)] {
        let (_, list) = hall.send("GET", LIST, &hall.tokens[name], None).await;
        let one = &list["waiting"][0];
        assert_eq!(one["request"], request.as_str(), "{name}: {list}");
        assert_eq!(
            (&one["kind"], &one["about"]),
            (&json!("account"), &json!("tanaka"))
        );
        assert_eq!(one["may_approve"], may_approve, "{name}");
        assert!(
            one["expires_at"]
                .as_str()
                .unwrap()
                .starts_with("2030-04-06T"),
            "{one}"
        );
    }
    let (_, list) = hall
        .send("GET", LIST, &hall.tokens["records-manager"], None)
        .await;
    assert_eq!(list["waiting"], json!([]), "accounts are not theirs");

    // Whoever asked takes it back.
    let path = format!("/api/v1/people/requests/{request}/refusal");
    let why = Some(json!({ "reason": "a mistake" }));
    let (status, _) = hall.send("POST", &path, sato, why).await;
    assert_eq!(status, 200);
    assert_eq!(approve(&hall, suzuki, &request).await.0, 404);
    let path = "/api/v1/audit?act=people.refuse";
    let (_, trail) = hall.send("GET", path, &hall.tokens["auditor"], None).await;
    assert_eq!(trail["entries"][0]["details"]["ending"], "withdrawn");
}

#[tokio::test]
async fn nothing_is_approved_whose_asker_could_not_ask_any_more_or_that_waited_too_long() {
    let mut hall = Hall::with_everybody_and("[accounts]\napproval_days = 5").await;
    let sato = hall.tokens["sato"].clone();
    let (_, request) = ask(&hall, &hall.tokens["administrator"], "tanaka").await;
    let why = Some(json!({ "reason": "left" }));
    let path = "/api/v1/people/administrator/suspension";
    let (status, _) = hall.send("POST", path, &sato, why).await;
    assert_eq!(status, 200);
    let (status, problem) = approve(&hall, &hall.tokens["suzuki"], &request).await;
    assert_eq!(status, 409, "{problem}");

    hall.clock.advance(Duration::days(5));
    let (sato, suzuki) = (hall.again("sato").await, hall.again("suzuki").await);
    let (_, list) = hall.send("GET", LIST, &suzuki, None).await;
    assert_eq!(list["waiting"], json!([]), "it is over");
    let (status, later) = ask(&hall, &sato, "tanaka").await;
    assert_eq!(status, 201, "and is asked for anew");
    hall.clock.advance(Duration::days(5));
    let suzuki = hall.again("suzuki").await;
    let (status, problem) = approve(&hall, &suzuki, &later).await;
    assert_eq!(status, 409, "{problem}");
}
