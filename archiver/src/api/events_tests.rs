//! Events over the API: found as they happen, answered by somebody else, and told in the journal of their day.

use serde_json::{Value, json};

use super::fixture::Hall;
use crate::audit::NoticeKind;
use crate::service::alarms::{AlarmKind, Condition, Notice, NoticeState};

async fn open(hall: &Hall) -> Vec<Value> {
    let token = &hall.tokens["operator"];
    let (status, shown) = hall.send("GET", "/api/v1/events", token, None).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["whole"], true);
    shown["events"].as_array().unwrap().clone()
}

/// The numbers of the entries with open events of a rule, newest first.
async fn of_rule(hall: &Hall, rule: &str) -> Vec<u64> {
    let open = open(hall).await;
    let of = open.iter().filter(|one| one["rule"] == rule);
    of.map(|one| one["entry"].as_u64().unwrap()).collect()
}

async fn answer(hall: &Hall, by: &str, entries: &[u64], remark: &str) -> (u16, Value) {
    let form = json!({ "entries": entries, "remark": remark });
    let token = &hall.tokens[by];
    hall.send("POST", "/api/v1/events/answers", token, Some(form))
        .await
}

#[tokio::test]
async fn an_act_without_the_right_is_an_event_until_somebody_else_answered() {
    let hall = Hall::with_everybody().await;
    let operator = hall.tokens["operator"].clone();
    let (status, _) = hall.send("GET", "/api/v1/people", &operator, None).await;
    assert_eq!(status, 403);
    let denied = of_rule(&hall, "R5").await;
    let [entry] = denied[..] else {
        panic!("{denied:?}");
    };
    let (status, problem) = answer(&hall, "operator", &[entry], "it was me").await;
    assert_eq!(
        (status, &problem["code"]),
        (403, &json!("second-person-wanted"))
    );
    assert_eq!(
        of_rule(&hall, "R4").await.len(),
        1,
        "to try is an event too"
    );
    for (entries, remark) in [
        (vec![entry], " "),
        (vec![], "x"),
        (vec![entry, 999_999], "x"),
    ] {
        let (status, problem) = answer(&hall, "administrator", &entries, remark).await;
        assert_eq!(status, 422, "{problem}");
    }
    let (status, done) = answer(&hall, "administrator", &[entry], "a wrong click").await;
    assert_eq!(status, 200, "{done}");
    assert!(of_rule(&hall, "R5").await.is_empty());
    let (status, _) = answer(&hall, "administrator", &[entry], "again").await;
    assert_eq!(status, 422, "somebody answered already");
    let token = &hall.tokens["auditor"];
    let (_, journal) = hall
        .send("GET", "/api/v1/journal/2030-04-01", token, None)
        .await;
    let errors = journal["errors"].as_array().unwrap();
    let answered = errors
        .iter()
        .filter(|one| one["text_en"].as_str().unwrap().contains("a wrong click"));
    assert_eq!(answered.count(), 1, "{errors:?}");
}

#[tokio::test]
async fn new_accounts_and_changed_rights_are_told_apart() {
    let mut hall = Hall::with_everybody().await;
    let accounts = of_rule(&hall, "R6").await.len();
    assert!(
        accounts >= 8,
        "each account was asked for and approved: {accounts}"
    );
    assert!(of_rule(&hall, "R7").await.is_empty());
    hall.join("ono", json!(["depositor"]), json!({})).await;
    assert_eq!(of_rule(&hall, "R6").await.len(), accounts + 2);
    let change = json!({
        "account": "ono", "display_name": "ono", "kind": "person", "roles": ["retriever"], "reason": "moved",
    });
    let (sato, suzuki) = (&hall.tokens["sato"], &hall.tokens["suzuki"]);
    let (status, asked) = hall
        .send("POST", "/api/v1/people/requests", sato, Some(change))
        .await;
    assert_eq!(status, 201, "{asked}");
    let request = asked["request"].as_str().unwrap();
    let path = format!("/api/v1/people/requests/{request}/approval");
    assert_eq!(hall.send("POST", &path, suzuki, None).await.0, 200);
    assert_eq!(of_rule(&hall, "R7").await.len(), 1);
    let day = "/api/v1/journal/2030-04-01";
    let (_, journal) = hall.send("GET", day, &hall.tokens["auditor"], None).await;
    let settings = journal["settings"].to_string();
    assert!(
        settings.contains("roles=retriever, roles-before=depositor"),
        "{settings}"
    );
}

#[tokio::test]
async fn an_alarm_is_an_event_and_what_failed_wrongly_by_people_is_none() {
    let hall = Hall::with_everybody().await;
    let before = open(&hall).await.len();
    let (status, _) = hall
        .send(
            "GET",
            "/api/v1/records/nonsense",
            &hall.tokens["retriever"],
            None,
        )
        .await;
    assert_eq!(status, 404);
    assert_eq!(open(&hall).await.len(), before);
    let notice = |state| Notice {
        condition: Condition {
            kind: AlarmKind::MediumOutOfService,
            subject: "data 2".to_owned(),
            en: "medium data 2 gets nothing new".to_owned(),
            ja: "媒体 data 2 に書けません".to_owned(),
        },
        state,
        since: super::fixture::NOW,
        at: super::fixture::NOW,
    };
    let _earlier = hall.desk.take_news();
    for state in [
        NoticeState::Raised,
        NoticeState::Standing,
        NoticeState::Solved,
    ] {
        hall.desk.told_alarm(&notice(state)).unwrap();
    }
    hall.desk.follow_trail().unwrap();
    let (news, _) = hall.desk.take_news();
    let kinds: Vec<NoticeKind> = news.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [NoticeKind::Alarm]);
    let open = open(&hall).await;
    assert_eq!(open.len(), before + 1);
    assert_eq!(open[0]["kind"], "alarm");
    let about = open[0]["about"].as_str().unwrap();
    assert!(about.contains("data 2 gets nothing new"), "{about}");
}

#[tokio::test]
async fn a_journal_is_written_into_by_those_who_may_and_for_no_day_to_come() {
    let hall = Hall::with_everybody().await;
    let day = "/api/v1/journal/2030-04-01";
    let note = |text: &str| Some(json!({ "text": text }));
    let path = format!("{day}/notes");
    for (by, text, expected) in [
        ("operator", "the fan of disk B was changed", 200),
        ("operator", "  ", 422),
        ("auditor", "x", 403),
    ] {
        let (status, told) = hall.send("POST", &path, &hall.tokens[by], note(text)).await;
        assert_eq!(status, expected, "{told}");
    }
    for (path, expected) in [
        ("/api/v1/journal/2030-04-02/notes", 422),
        ("/api/v1/journal/april/notes", 422),
    ] {
        let (status, told) = hall
            .send("POST", path, &hall.tokens["operator"], note("x"))
            .await;
        assert_eq!(status, expected, "{told}");
    }
}

#[tokio::test]
async fn a_closed_journal_is_signed_by_those_who_may_and_added_to_beside_it() {
    let mut hall = Hall::with_everybody().await;
    let day = "/api/v1/journal/2030-04-01";
    let path = format!("{day}/notes");
    let note = |text: &str| Some(json!({ "text": text }));
    let confirm = format!("{day}/confirmation");
    let inspect = format!("{day}/inspection");
    let remark = || Some(json!({ "remark": "seen" }));
    let (status, problem) = hall
        .send("POST", &confirm, &hall.tokens["administrator"], remark())
        .await;
    assert_eq!(status, 422, "not closed yet: {problem}");

    hall.clock.advance(time::Duration::days(1));
    assert_eq!(hall.desk.close_days().unwrap(), 1);
    assert_eq!(
        hall.desk.close_journals().unwrap(),
        1,
        "the trail had not begun in the month before"
    );
    let administrator = hall.again("administrator").await;
    let auditor = hall.again("auditor").await;
    let operator = hall.again("operator").await;
    assert_eq!(
        hall.send("POST", &confirm, &operator, remark()).await.0,
        403
    );
    assert_eq!(
        hall.send("POST", &inspect, &administrator, remark())
            .await
            .0,
        403
    );
    assert_eq!(
        hall.send("POST", &confirm, &administrator, remark())
            .await
            .0,
        200
    );
    assert_eq!(hall.send("POST", &inspect, &auditor, remark()).await.0, 200);
    let (status, _) = hall.send("POST", &confirm, &administrator, remark()).await;
    assert_eq!(status, 422, "once");
    let (status, told) = hall
        .send("POST", &path, &operator, note("it was disk A"))
        .await;
    assert_eq!(status, 200, "{told}");
    let (_, journal) = hall.send("GET", day, &auditor, None).await;
    let signed: Vec<&Value> = journal["signatures"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&signed[0]["as"], &signed[0]["by"]),
        (&json!("confirmed"), &json!("administrator"))
    );
    assert_eq!(
        (&signed[1]["as"], &signed[1]["by"]),
        (&json!("inspected"), &json!("auditor"))
    );
    assert_eq!(journal["notes"].as_array().unwrap().len(), 1);
    assert!(journal["record"].is_string() && journal["sha256"].is_string());

    // Journals are records that nobody else adds to, and that show only to those who may read them.
    let retriever = hall.again("retriever").await;
    let records = "/api/v1/records?class=operation-journal";
    assert_eq!(
        hall.send("GET", records, &retriever, None).await.1["total"],
        0
    );
    assert_eq!(
        hall.send("GET", records, &auditor, None).await.1["total"],
        1
    );
}
