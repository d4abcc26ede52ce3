//! Whom the provider names is let in as an account, or not at all; the audit trail tells both.

use serde_json::json;

use crate::access::session::Standing;
use crate::acts::Refusal;
use crate::api::fixture::{HERE, Hall};
use crate::openid::{OpenidError, StateFault};

/// Somebody with an account that is registered for a subject.
async fn hall() -> Hall {
    let (mut hall, first) = Hall::founded();
    for name in ["sato", "suzuki"] {
        let token = hall.settle(name, &first[name]).await;
        hall.tokens.insert(name, token);
    }
    let auditor = hall.join("kansa", json!(["auditor"]), json!({})).await;
    hall.tokens.insert("auditor", auditor);
    hall.join(
        "hanako",
        json!(["retriever"]),
        json!({ "openid": "u-1001" }),
    )
    .await;
    hall
}

fn enter(hall: &Hall, openid: &str) -> Result<super::LoggedIn, Refusal> {
    hall.desk.log_in_by_openid(Ok(openid.to_owned()), HERE)
}

/// The latest entry of the trail about log-ins.
async fn latest(hall: &Hall, act: &str) -> serde_json::Value {
    let path = format!("/api/v1/audit?act={act}");
    let (status, page) = hall.send("GET", &path, &hall.tokens["auditor"], None).await;
    assert_eq!(status, 200, "{page}");
    let entries = page["entries"].as_array().unwrap();
    let newest = entries.iter().max_by_key(|one| one["sequence"].as_u64());
    newest.unwrap().clone()
}

#[tokio::test]
async fn whom_the_provider_names_is_let_in_with_all_that_the_account_may_do() {
    let hall = hall().await;
    let before = enter(&hall, "u-1001").unwrap().session;
    assert_eq!(
        (before.account.as_str(), before.standing),
        ("hanako", Standing::Full)
    );
    hall.clock.advance(time::Duration::seconds(60));
    let session = enter(&hall, "u-1001").unwrap().session;
    assert_eq!(session.last_login, Some(before.began_at));
    let entry = latest(&hall, "session.begin").await;
    assert_eq!(entry["person"], "hanako", "{entry}");
    assert_eq!(entry["details"]["by"], "openid", "{entry}");
}

#[tokio::test]
async fn a_stranger_and_an_account_out_of_use_are_refused_alike_and_recorded() {
    let hall = hall().await;
    let stranger = enter(&hall, "u-9").unwrap_err();
    assert_eq!(stranger.code(), "openid-account");
    let entry = latest(&hall, "session.refuse").await;
    assert_eq!(entry["details"]["reason"], "unknown", "{entry}");
    assert_eq!(entry["details"]["openid"], "u-9", "{entry}");

    let path = "/api/v1/people/hanako/suspension";
    let reason = json!({ "reason": "on leave" });
    let sato = &hall.tokens["sato"];
    let (status, _) = hall.send("POST", path, sato, Some(reason.clone())).await;
    assert_eq!(status, 200);
    let suspended = enter(&hall, "u-1001").unwrap_err();
    assert_eq!(suspended.code(), stranger.code());
    let entry = latest(&hall, "session.refuse").await;
    assert_eq!(entry["details"]["reason"], "not-active", "{entry}");
    let (status, _) = hall.send("DELETE", path, sato, Some(reason)).await;
    assert_eq!(status, 200);
    enter(&hall, "u-1001").unwrap();
}

#[tokio::test]
async fn an_account_that_wrong_passwords_locked_is_locked_for_the_provider_too() {
    let hall = hall().await;
    for _ in 0..10 {
        let wrong = crate::acts::LogIn {
            name: "hanako",
            password: "wrong",
            code: None,
            client: HERE,
        };
        hall.desk.log_in(wrong).unwrap_err();
    }
    enter(&hall, "u-1001").unwrap_err();
    let entry = latest(&hall, "session.refuse").await;
    assert_eq!(entry["details"]["reason"], "locked", "{entry}");
    hall.clock.advance(time::Duration::minutes(31));
    enter(&hall, "u-1001").unwrap();
}

#[tokio::test]
async fn what_the_provider_could_not_prove_is_recorded_with_its_reason() {
    let hall = hall().await;
    let error = OpenidError::State(StateFault::Elsewhere);
    let refused = hall.desk.log_in_by_openid(Err(error), HERE).unwrap_err();
    assert_eq!(refused.status(), 401);
    let entry = latest(&hall, "session.refuse").await;
    let reason = &entry["details"]["reason"];
    assert_eq!(reason, "openid-state-elsewhere", "{entry}");
}

#[tokio::test]
async fn a_subject_is_asked_for_by_one_and_approved_by_another_and_is_one_accounts() {
    let hall = hall().await;
    let sato = &hall.tokens["sato"];
    let form = |account: &str, kind: &str, openid: &str| {
        json!({ "account": account, "display_name": "x", "kind": kind, "roles": ["retriever"],
            "reason": "new", "openid": openid, "certificates": if kind == "system" { json!(["0".repeat(64)]) } else { json!([]) } })
    };
    let path = "/api/v1/people/requests";
    for (account, kind, openid, status) in [
        ("jiro", "person", "u-1001", 409),
        ("kikan", "system", "u-2000", 422),
        ("jiro", "person", " u-2000", 422),
        ("jiro", "person", "", 422),
        ("jiro", "person", "u-2000", 201),
        ("saburo", "person", "u-2000", 409),
        ("hanako", "person", "u-3000", 201),
    ] {
        let form = form(account, kind, openid);
        let (found, answer) = hall.send("POST", path, sato, Some(form)).await;
        assert_eq!(found, status, "{account} {openid}: {answer}");
    }
    // Nothing of it counts before another person approves.
    enter(&hall, "u-3000").unwrap_err();
    enter(&hall, "u-2000").unwrap_err();
    let suzuki = &hall.tokens["suzuki"];
    let (_, people) = hall.send("GET", "/api/v1/people", suzuki, None).await;
    let waits = people["pending"].as_array().unwrap();
    let change = waits.iter().find(|one| one["account"] == "hanako").unwrap();
    assert_eq!(change["openid"], "u-3000", "the second person sees it");
    let approval = format!("{path}/{}/approval", change["request"].as_str().unwrap());
    let (status, _) = hall.send("POST", &approval, suzuki, None).await;
    assert_eq!(status, 200);
    assert_eq!(enter(&hall, "u-3000").unwrap().session.account, "hanako");
    enter(&hall, "u-1001").unwrap_err();
}
