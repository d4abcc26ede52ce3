//! Kept searches, and the order of what is found.

use serde_json::{Value, json};

use super::fixture::Hall;
use super::tests::deposited;

#[tokio::test]
async fn the_latest_deposit_comes_first_where_that_is_asked_for_page_by_page() {
    let hall = Hall::with_everybody().await;
    let token = &hall.tokens["retriever"];
    for text in ["one", "two", "three"] {
        let (status, answer) = deposited(&hall, "a.txt", text, "").await;
        assert_eq!(status, 201, "{answer}");
    }
    let mut found: Vec<Value> = Vec::new();
    for order in ["oldest", "newest"] {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/records?order={order}&limit=1{cursor}");
            let (status, page) = hall.send("GET", &path, token, None).await;
            assert_eq!((status, &page["total"]), (200, &json!(3)), "{page}");
            records.push(page["records"][0]["record"].clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        found.push(Value::Array(records));
    }
    let mut turned = found[0].as_array().unwrap().clone();
    turned.reverse();
    assert_eq!(found[1], Value::Array(turned));
    let (status, _) = hall
        .send("GET", "/api/v1/records?order=best", token, None)
        .await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_search_is_kept_for_its_account_alone_until_it_is_dropped() {
    let hall = Hall::with_everybody().await;
    let (token, other) = (&hall.tokens["retriever"], &hall.tokens["auditor"]);
    let path = "/api/v1/searches/%E6%9C%AA%E6%89%95%E3%81%84";
    let conditions = json!({ "date": "2026-01-01..", "counterparty": "文蔵", "order": "newest" });
    let form = Some(json!({ "conditions": conditions }));
    for _ in 0..2 {
        let (status, answer) = hall.send("PUT", path, token, form.clone()).await;
        assert_eq!(status, 200, "{answer}");
    }
    let (_, kept) = hall.send("GET", "/api/v1/searches", token, None).await;
    let expected = json!({ "searches": [{ "name": "未払い", "conditions": conditions }] });
    assert_eq!(kept, expected);
    let (_, kept) = hall.send("GET", "/api/v1/searches", other, None).await;
    assert_eq!(kept["searches"], json!([]));
    assert_eq!(hall.send("DELETE", path, other, None).await.0, 404);

    for bad in [
        json!({ "date": "yesterday" }),
        json!({ "cursor": "x" }),
        json!({ "unstamped": "maybe" }),
        json!({ "order": "best" }),
    ] {
        let form = Some(json!({ "conditions": bad }));
        let (status, answer) = hall.send("PUT", path, token, form).await;
        assert_eq!(status, 422, "{bad}: {answer}");
    }
    let long = format!("/api/v1/searches/{}", "x".repeat(101));
    let (status, _) = hall.send("PUT", &long, token, form.clone()).await;
    assert_eq!(status, 422);

    assert_eq!(hall.send("DELETE", path, token, None).await.0, 200);
    assert_eq!(hall.send("DELETE", path, token, None).await.0, 404);
    let (_, kept) = hall.send("GET", "/api/v1/searches", token, None).await;
    assert_eq!(kept["searches"], json!([]));
    let (_, trail) = hall
        .send("GET", "/api/v1/audit?act=search.drop", other, None)
        .await;
    assert_eq!(trail["entries"][0]["details"]["name"], "未払い");
}
