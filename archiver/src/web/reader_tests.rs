//! The page about the API beside the description that it is made from.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;

use super::operation::operations;
use crate::api::description_value;
use crate::api::fixture::Hall;
use crate::web::tests::{ask, check, page};

#[tokio::test]
async fn every_operation_and_schema_of_the_description_is_on_the_page() {
    let (hall, _) = Hall::founded();
    let description = description_value();
    for lang in ["ja", "en"] {
        let (status, html) = page(&hall, "", super::PATH, lang).await;
        assert_eq!(status, 200);
        check(&html, super::PATH);
        let operations = operations(description);
        assert!(operations.len() > 30, "{}", operations.len());
        for one in &operations {
            let place = format!("{} {}", one.method, one.path);
            let sheet = html
                .split("<article")
                .find(|part| part.contains(&format!("<h3 id=\"{}\"", one.anchor())));
            let sheet = sheet.unwrap_or_else(|| panic!("{place} is not there"));
            for wanted in [one.method.as_str(), one.path, "curl "] {
                assert!(sheet.contains(wanted), "{place}: {wanted}");
            }
            assert!(!one.summary().is_empty(), "{place} says what it does");
            let roles = one.value[crate::api::ROLES_KEY].as_array().unwrap();
            assert!(!roles.is_empty(), "{place} names who may");
            for role in roles
                .iter()
                .filter_map(Value::as_str)
                .filter(|role| !matches!(*role, "anybody" | "person"))
            {
                assert!(sheet.contains(role), "{place}: {role}");
            }
            for parameter in one.parameters() {
                let name = format!("<code>{}</code>", parameter["name"].as_str().unwrap());
                assert!(sheet.contains(&name), "{place}: {name}");
            }
            for (status, _) in one.answers() {
                assert!(
                    sheet.contains(&format!("<strong>{status}</strong>")),
                    "{place}: {status}"
                );
            }
        }
        for name in description["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
        {
            assert!(
                html.contains(&format!("<h3 id=\"schema-{name}\"")),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn all_links_of_the_page_lead_somewhere() {
    let hall = Hall::with_everybody().await;
    let (status, html) = page(&hall, "auditor", super::PATH, "en").await;
    assert_eq!(status, 200);
    let attributes = |name: &str| -> BTreeSet<String> {
        let start = format!(" {name}=\"");
        let parts = html.split(&start).skip(1);
        parts
            .map(|part| part.split('"').next().unwrap().to_owned())
            .collect()
    };
    let ids = attributes("id");
    let mut pages = 0;
    for link in attributes("href") {
        if let Some(id) = link.strip_prefix('#') {
            assert!(ids.contains(id), "#{id} is not there");
        } else if !link.starts_with("data:") {
            let cookie = format!("__Host-fumikura={}", hall.tokens["auditor"]);
            let request = Request::builder().uri(&link).header(header::COOKIE, cookie);
            let response = ask(&hall, request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), 200, "{link}");
            pages += 1;
        }
    }
    assert!(pages > 5, "{pages}");
}

#[tokio::test]
async fn other_pages_lead_to_it_and_the_description_comes_from_the_same_value() {
    let hall = Hall::with_everybody().await;
    for path in ["/system", "/login"] {
        let (status, html) = page(&hall, "auditor", path, "ja").await;
        assert_eq!(status, 200, "{path}");
        assert!(html.contains("href=\"/api\""), "{path}");
    }
    let (status, sent) = hall.send("GET", "/api/v1/openapi.json", "", None).await;
    assert_eq!((status, &sent), (200, description_value()));
}

#[test]
fn operations_have_names_of_their_own_and_examples_send_what_is_required() {
    let description = description_value();
    let mut names = BTreeSet::new();
    for one in operations(description) {
        assert!(names.insert(one.anchor()), "{} twice", one.anchor());
        let command = super::example::curl(&one, description);
        assert!(
            !command.contains('{') || command.contains("-d '{"),
            "{command}"
        );
        assert_eq!(
            command.contains("authorization:"),
            !one.is_open(),
            "{command}"
        );
        for parameter in one
            .parameters()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
        {
            let name = parameter["name"].as_str().unwrap();
            assert!(command.contains(&format!("{name}=")), "{name}: {command}");
        }
        let Some(("application/json", schema)) = one.bodies().next() else {
            continue;
        };
        let body = command
            .split("-d '")
            .nth(1)
            .unwrap()
            .split("' \\\n")
            .next()
            .unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let schema = super::schema::resolved(schema, description);
        for name in super::schema::required(&super::schema::parts(schema)) {
            assert!(!body[name].is_null(), "{name}: {command}");
        }
    }
}
