//! Accounts looked after: those that nobody uses, and the yearly review.

use serde_json::json;
use time::Duration;

use super::fixture::Hall;
use crate::access::account::SuspensionCause;

const RULES: &str = "[accounts]\ndormant_days = 10\ndormant_exempt = [\"depositor\"]\nreview_days = 20\nreview_answer_days = 3000";

#[tokio::test]
async fn accounts_that_nobody_uses_are_suspended_by_the_program_and_the_last_administrator_stays() {
    let mut hall = Hall::with_everybody_and(RULES).await;
    assert!(hall.desk.suspend_unattended().unwrap().is_empty());
    hall.clock.advance(Duration::days(11));
    let sato = hall.again("sato").await;
    let suspended = hall.desk.suspend_unattended().unwrap();
    let expected = [
        "administrator",
        "auditor",
        "inspector",
        "key-custodian",
        "operator",
        "records-manager",
        "retriever",
        "suzuki",
    ];
    let mut names: Vec<&str> = suspended.iter().map(|one| one.account.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, expected, "not who was here, and not the exempt");
    assert!(hall.desk.suspend_unattended().unwrap().is_empty(), "once");

    // Nobody else may read the trail now: the one who is left takes the auditor into use again, who is not dormant at once.
    let why = Some(json!({ "reason": "back from leave" }));
    let path = "/api/v1/people/auditor/suspension";
    let (status, answer) = hall.send("DELETE", path, &sato, why).await;
    assert_eq!(status, 200, "{answer}");
    let auditor = hall.again("auditor").await;
    let path = "/api/v1/audit?act=people.suspend";
    let (_, trail) = hall.send("GET", path, &auditor, None).await;
    let entries = trail["entries"].as_array().unwrap();
    assert_eq!(entries.len(), expected.len());
    for entry in entries {
        assert_eq!(
            (&entry["person"], &entry["outcome"]),
            (&json!("archiver"), &json!("done"))
        );
        assert_eq!(entry["details"]["cause"], "dormant");
    }
    assert!(hall.desk.suspend_unattended().unwrap().is_empty());

    // Half a year without anybody: the one who was here last is still let in.
    hall.clock.advance(Duration::days(60));
    let suspended = hall.desk.suspend_unattended().unwrap();
    let names: Vec<&str> = suspended.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(names, ["auditor"]);
    hall.again("sato").await;
}

#[tokio::test]
async fn what_nobody_confirms_in_time_is_suspended_and_resuming_it_confirms_it() {
    let rules = "[accounts]\ndormant_days = 3650\nreview_days = 20\nreview_answer_days = 5";
    let mut hall = Hall::with_everybody_and(rules).await;
    hall.clock.advance(Duration::days(21));
    for (by, confirmed) in [("suzuki", "sato"), ("sato", "retriever")] {
        let token = hall.again(by).await;
        let form = Some(json!({ "confirmed": [confirmed] }));
        let path = "/api/v1/people/review";
        let (status, answer) = hall.send("POST", path, &token, form).await;
        assert_eq!(status, 200, "{answer}");
    }
    hall.clock.advance(Duration::days(3));
    let suspended = hall.desk.suspend_unattended().unwrap();
    assert!(suspended.is_empty(), "there is still time to answer");
    hall.clock.advance(Duration::days(2));
    let suspended = hall.desk.suspend_unattended().unwrap();
    assert!(
        suspended
            .iter()
            .all(|one| one.cause == SuspensionCause::Review)
    );
    let mut names: Vec<&str> = suspended.iter().map(|one| one.account.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "administrator",
        "auditor",
        "depositor",
        "inspector",
        "key-custodian",
        "operator",
        "records-manager",
        "suzuki",
    ];
    assert_eq!(names, expected, "not those who were confirmed");

    let sato = hall.again("sato").await;
    let why = Some(json!({ "reason": "still with us" }));
    let path = "/api/v1/people/auditor/suspension";
    let (status, answer) = hall.send("DELETE", path, &sato, why).await;
    assert_eq!(status, 200, "{answer}");
    assert!(hall.desk.suspend_unattended().unwrap().is_empty());
    let auditor = hall.again("auditor").await;
    let path = "/api/v1/audit?act=people.suspend";
    let (_, trail) = hall.send("GET", path, &auditor, None).await;
    assert_eq!(trail["entries"][0]["details"]["cause"], "review");
}

#[tokio::test]
async fn nobody_can_be_named_like_the_program() {
    let hall = Hall::with_everybody().await;
    let form = json!({
        "account": "archiver", "display_name": "T", "kind": "person", "roles": ["retriever"], "reason": "new",
    });
    let path = "/api/v1/people/requests";
    let (status, _) = hall
        .send("POST", path, &hall.tokens["sato"], Some(form))
        .await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_review_confirms_suspends_and_closes_and_says_so_in_the_list_and_the_trail() {
    let mut hall = Hall::with_everybody_and(RULES).await;
    hall.clock.advance(Duration::days(21));
    let sato = hall.again("sato").await;
    let path = "/api/v1/people/review";
    let (status, list) = hall.send("GET", path, &sato, None).await;
    assert_eq!(
        (status, &list["due"], &list["review_days"]),
        (200, &json!(10), &json!(20))
    );

    for (decisions, status) in [
        (json!({ "sato": { "decision": "keep" } }), 403),
        (json!({ "operator": { "decision": "close" } }), 422),
        (json!({ "operator": { "decision": "forget" } }), 422),
        (
            json!({ "operator": { "decision": "keep", "remark": "x".repeat(1_001) } }),
            422,
        ),
        (json!({ "nobody": { "decision": "keep" } }), 404),
        (
            json!({ "suzuki": { "decision": "suspend", "remark": "x" }, "administrator": { "decision": "close", "remark": "x" } }),
            422,
        ),
    ] {
        let form = Some(json!({ "decisions": decisions }));
        let (found, answer) = hall.send("POST", path, &sato, form).await;
        assert_eq!(found, status, "{decisions}: {answer}");
    }
    let (_, list) = hall.send("GET", path, &sato, None).await;
    assert_eq!(list["due"], 10, "nothing of it counts");

    let form = json!({
        "confirmed": ["retriever", "auditor"],
        "decisions": {
            "depositor": { "decision": "suspend", "remark": "=on leave" },
            "operator": { "decision": "close", "remark": "left" },
        },
    });
    let (status, answer) = hall.send("POST", path, &sato, Some(form)).await;
    assert_eq!(status, 200, "{answer}");
    let (_, list) = hall.send("GET", path, &sato, None).await;
    assert_eq!(list["due"], 6);
    let row = |name: &str| {
        let rows = list["accounts"].as_array().unwrap();
        let found = rows.iter().find(|row| row["account"]["name"] == name);
        found.unwrap().clone()
    };
    assert_eq!(row("depositor")["account"]["state"], "suspended");
    assert_eq!(row("operator")["account"]["state"], "closed");
    let kept = row("retriever");
    assert_eq!(
        (&kept["decision"], &kept["decided_by"], &kept["is_due"]),
        (&json!("keep"), &json!("sato"), &json!(false))
    );

    let auditor = hall.again("auditor").await;
    let path = "/api/v1/audit?act=people.review";
    let (_, trail) = hall.send("GET", path, &auditor, None).await;
    let newest = &trail["entries"][0];
    assert_eq!(
        (&newest["person"], &newest["outcome"]),
        (&json!("sato"), &json!("done"))
    );
    let details = &newest["details"];
    assert_eq!(
        (&details["keep"], &details["suspend"], &details["close"]),
        (
            &json!("auditor retriever"),
            &json!("depositor"),
            &json!("operator")
        )
    );
}
