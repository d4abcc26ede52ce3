//! The page of the yearly review, and its list.

use time::Duration;

use super::tests::{check, form_token, page, post};
use crate::api::fixture::Hall;

#[tokio::test]
async fn overdue_accounts_stand_at_home_are_decided_on_their_page_and_leave_as_a_list() {
    let mut hall = Hall::with_everybody_and("[accounts]\nreview_days = 20").await;
    let (_, html) = page(&hall, "sato", "/", "en").await;
    assert!(!html.contains("Review of accounts"));
    hall.clock.advance(Duration::days(21));
    for name in ["sato", "auditor"] {
        let token = hall.again(name).await;
        hall.tokens.insert(name, token);
    }
    let (_, html) = page(&hall, "sato", "/", "en").await;
    assert!(
        html.contains("Accounts to be confirmed again, overdue: 9"),
        "{html}"
    );
    for (name, lang) in [("sato", "ja"), ("sato", "en"), ("auditor", "ja")] {
        let (status, html) = page(&hall, name, "/people/review", lang).await;
        assert_eq!(status, 200);
        check(&html, "/people/review");
        assert_eq!(html.contains("name=\"decision.suzuki\""), name == "sato");
        assert!(
            !html.contains("name=\"decision.sato\""),
            "not about oneself"
        );
    }

    let form = "application/x-www-form-urlencoded";
    let token = form_token(&hall, "sato");
    let fields = "decision.suzuki=keep&decision.operator=suspend&remark.operator=%3D1%2B1&decision.inspector=";
    let forged = format!("form_token=x&{fields}").into_bytes();
    let (status, _) = post(&hall, "sato", "/people/review", form, forged).await;
    assert_eq!(status, 403);
    let own = form_token(&hall, "auditor");
    let denied = format!("form_token={own}&{fields}").into_bytes();
    let (status, _) = post(&hall, "auditor", "/people/review", form, denied).await;
    assert_eq!(status, 403);
    let silent = format!("form_token={token}&decision.operator=close").into_bytes();
    let (status, html) = post(&hall, "sato", "/people/review", form, silent).await;
    assert!(status == 200 && html.contains("give a reason"), "{html}");
    let right = format!("form_token={token}&{fields}").into_bytes();
    let (status, html) = post(&hall, "sato", "/people/review", form, right).await;
    assert_eq!(status, 303, "{html}");

    let (status, csv) = page(&hall, "auditor", "/people/review.csv", "en").await;
    assert_eq!(status, 200);
    let lines: Vec<&str> = csv.trim_start_matches('\u{feff}').lines().collect();
    assert!(
        lines[0].starts_with("\"account\",\"name\",\"kind\",\"roles\""),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 11, "ten accounts and a head");
    let line = |name: &str| {
        let begin = format!("\"{name}\",");
        let found = lines.iter().find(|line| line.starts_with(&begin));
        (*found.unwrap()).to_owned()
    };
    assert!(
        line("suzuki").ends_with("\"sato\",\"keep\",\"\",\"\""),
        "{}",
        line("suzuki")
    );
    // What somebody wrote is no formula of a spreadsheet.
    assert!(
        line("operator").ends_with("\"sato\",\"suspend\",\"'=1+1\",\"\""),
        "{}",
        line("operator")
    );
    assert!(
        line("inspector").ends_with("\"\",\"yes\""),
        "{}",
        line("inspector")
    );
    let (_, csv) = page(&hall, "auditor", "/people/review.csv", "ja").await;
    assert!(csv.starts_with("\u{feff}\"アカウント\",\"氏名\""), "{csv}");
}
