//! The pages without a network: who sees what, and that nothing of what others wrote becomes part of a page.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::contents_tests::sent;
use crate::api::fixture::{HERE, Hall, password_of};
use crate::https::Peer;
use crate::intake::malware::real::{RealClamd, eicar};

fn router(hall: &Hall) -> Router {
    crate::api::guarded(
        super::router(Arc::clone(&hall.desk)).merge(crate::api::router(Arc::clone(&hall.desk))),
    )
}

pub(super) async fn ask(hall: &Hall, mut request: Request<Body>) -> Response<Body> {
    request.extensions_mut().insert(Peer {
        address: (HERE, 40_000).into(),
        certificate: None,
    });
    router(hall).oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A page as somebody sees it, in a language.
pub(super) async fn page(hall: &Hall, name: &str, path: &str, lang: &str) -> (u16, String) {
    let token = hall.tokens.get(name).cloned().unwrap_or_default();
    let cookie = format!("__Host-fumikura={token}; fumikura-lang={lang}");
    let request = Request::builder().uri(path).header(header::COOKIE, cookie);
    let response = ask(hall, request.body(Body::empty()).unwrap()).await;
    (response.status().as_u16(), text(response).await)
}

pub(super) async fn post(
    hall: &Hall,
    name: &str,
    path: &str,
    kind: &str,
    body: Vec<u8>,
) -> (u16, String) {
    let token = &hall.tokens[name];
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header(
            header::COOKIE,
            format!("__Host-fumikura={token}; fumikura-lang=en"),
        )
        .header(header::CONTENT_TYPE, kind);
    let response = ask(hall, request.body(Body::from(body)).unwrap()).await;
    (response.status().as_u16(), text(response).await)
}

pub(super) fn form_token(hall: &Hall, name: &str) -> String {
    let (session, _) = hall.desk.session(&hall.tokens[name], HERE).unwrap();
    session.form_token
}

pub(super) fn multipart(parts: &[(&str, Option<&str>, &str)]) -> (String, Vec<u8>) {
    let mut body = String::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        body.push_str(&format!(
            "--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
        ));
    }
    body.push_str("--edge--\r\n");
    (
        "multipart/form-data; boundary=edge".to_owned(),
        body.into_bytes(),
    )
}

/// What no page may have, whatever it shows.
pub(super) fn check(html: &str, place: &str) {
    for inline in [
        " style=",
        " onclick=",
        " onload=",
        " onerror=",
        "javascript:",
        "<style",
    ] {
        assert!(!html.contains(inline), "{place}: {inline}");
    }
    assert_eq!(html.matches("<script").count(), 1, "{place}");
    assert_eq!(html.matches("<h1").count(), 1, "{place}");
    let mut ids = BTreeSet::new();
    for part in html.split(" id=\"").skip(1) {
        let id = part.split('"').next().unwrap();
        assert!(ids.insert(id.to_owned()), "{place}: {id} twice");
    }
    for tag in html.split('<').filter(|tag| {
        ["input ", "select ", "textarea "]
            .iter()
            .any(|one| tag.starts_with(one))
    }) {
        let tag = tag.split('>').next().unwrap();
        let is_labelled = tag.contains("type=\"hidden\"") || tag.contains("aria-label=") || {
            let id = tag
                .split(" id=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            id.is_some_and(|id| html.contains(&format!("for=\"{id}\"")))
        };
        let is_within_label = tag.contains("type=\"checkbox\"");
        assert!(is_labelled || is_within_label, "{place}: <{tag}>");
    }
}

pub(super) const HOSTILE: &str = "<script>alert(1)</script>\u{202e}'\"&.txt";

#[tokio::test]
async fn every_page_is_whole_in_both_languages_and_shows_what_others_wrote_as_text() {
    let hall = Hall::with_everybody().await;
    let token = form_token(&hall, "depositor");
    let (kind, body) = multipart(&[
        ("form_token", None, &token),
        ("class", None, "general"),
        ("counterparty", None, HOSTILE),
        ("amount", None, "-1200"),
        ("currency", None, "JPY"),
        ("date", None, "2030-03-31"),
        ("files", Some("plain.txt"), "a text"),
        ("files", Some("bill\u{202e}fdp.txt"), "another"),
    ]);
    let (status, html) = post(&hall, "depositor", "/deposit", &kind, body).await;
    assert_eq!(status, 200, "{html}");
    check(&html, "/deposit");
    assert!(html.contains("2 taken in."), "{html}");
    let ids: Vec<String> = html
        .split("/records/")
        .skip(1)
        .filter_map(|rest| rest.split('/').next())
        .map(str::to_owned)
        .collect();
    let [record, second] = ids.as_slice() else {
        panic!("{html}");
    };

    for (name, path) in [
        ("", "/login"),
        ("administrator", "/"),
        ("retriever", "/"),
        ("depositor", "/deposit"),
        ("retriever", "/search"),
        ("retriever", "/search?go=1"),
        ("retriever", "/search?from=wrong"),
        ("inspector", "/verification"),
        ("sato", "/people"),
        ("operator", "/jobs"),
        ("operator", "/events"),
        ("auditor", "/events"),
        ("administrator", "/journal"),
        ("auditor", "/journal?day=2030-03-31"),
        ("operator", "/media"),
        ("auditor", "/keys"),
        ("key-custodian", "/system"),
        ("records-manager", "/forecast"),
        ("auditor", "/quarantine"),
        ("sato", "/approvals"),
        ("records-manager", "/approvals"),
        ("auditor", "/audit"),
        ("auditor", "/audit?act=record.deposit"),
        ("retriever", &format!("/records/{record}")),
        ("inspector", &format!("/records/{second}")),
        ("auditor", &format!("/records/{record}/1")),
    ] {
        for (lang, word) in [("ja", "lang=\"ja\""), ("en", "lang=\"en\"")] {
            let (status, html) = page(&hall, name, path, lang).await;
            assert_eq!(status, 200, "{name} {path}");
            check(&html, path);
            assert!(html.contains(word), "{path}");
            assert!(
                !html.contains("<script>alert") && !html.contains('\u{202e}'),
                "{path}"
            );
        }
    }
    let (_, html) = page(&hall, "retriever", "/search?go=1", "en").await;
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{html}"
    );
    assert!(html.contains("-1,200 JPY"), "{html}");
}

#[tokio::test]
async fn the_navigation_leads_where_one_may_go_and_other_places_say_why_not() {
    let hall = Hall::with_everybody().await;
    for (name, seen, hidden) in [
        ("depositor", "/deposit", "/search"),
        ("inspector", "/verification", "/deposit"),
        ("administrator", "/people", "/audit"),
        ("auditor", "/audit", "/deposit"),
        ("records-manager", "/quarantine", "/people"),
        ("auditor", "/quarantine", "/deposit"),
        ("depositor", "/deposit", "/quarantine"),
    ] {
        let (_, html) = page(&hall, name, "/", "en").await;
        let leads = |path: &str| html.contains(&format!("<a href=\"{path}\""));
        assert!(leads(seen) && !leads(hidden), "{name}");
        let (status, html) = page(&hall, name, &format!("{hidden}?go=1"), "en").await;
        let is_refused = status == 403 || html.contains("your roles do not allow this");
        assert!(is_refused, "{name} {hidden}: {status}");
    }
    for path in ["/", "/search", "/people", "/records/x", "/audit"] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = ask(&hall, request).await;
        assert_eq!(response.status(), 303, "{path}");
        assert_eq!(response.headers()[header::LOCATION], "/login", "{path}");
    }
}

#[tokio::test]
async fn a_form_without_its_token_does_nothing() {
    let hall = Hall::with_everybody().await;
    let token = form_token(&hall, "depositor");
    let before = [
        ("class", None, "general"),
        ("files", Some("a.txt"), "content"),
        ("form_token", None, token.as_str()),
    ];
    let (kind, body) = multipart(&before);
    let (status, _) = post(&hall, "depositor", "/deposit", &kind, body).await;
    assert_eq!(status, 403, "a token behind the files is too late");
    let form = "application/x-www-form-urlencoded";
    for (name, path, body) in [
        ("operator", "/jobs/stamp", "form_token=wrong"),
        ("sato", "/people/operator/suspend", "form_token=&reason=x"),
        ("operator", "/logout", "form_token=x"),
    ] {
        let (status, _) = post(&hall, name, path, form, body.into()).await;
        assert_eq!(status, 403, "{path}");
    }
    assert!(hall.orders.try_recv().is_err());
    let (_, html) = page(&hall, "retriever", "/search?go=1", "en").await;
    assert!(html.contains("Nothing matches"), "nothing was deposited");
    let right = format!("form_token={}", form_token(&hall, "operator"));
    let (status, _) = post(&hall, "operator", "/jobs/stamp", form, right.into()).await;
    assert_eq!(status, 303);
    assert!(hall.orders.try_recv().is_ok());
}

#[tokio::test]
async fn what_is_in_quarantine_is_released_on_its_page_by_two_people() {
    let Some(clamd) = RealClamd::start() else {
        return;
    };
    let mut hall = Hall::with_everybody_and(&clamd.configured()).await;
    let roles = serde_json::json!(["records-manager"]);
    let token = hall.join("ono", roles, serde_json::json!({})).await;
    hall.tokens.insert("ono", token);
    let eicar = String::from_utf8(eicar()).unwrap();
    let token = form_token(&hall, "depositor");
    let (kind, body) = multipart(&[
        ("form_token", None, &token),
        ("class", None, "general"),
        ("files", Some("bad<b>.com"), &eicar),
    ]);
    let (status, html) = post(&hall, "depositor", "/deposit", &kind, body).await;
    assert!(
        status == 200 && html.contains("kept in quarantine"),
        "{html}"
    );

    let (status, bytes) = sent(&hall, "retriever", "/search.zip?go=1", "an audit").await;
    assert_eq!(status, 200);
    let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<_> = zip.file_names().map(Result::unwrap).collect();
    assert_eq!(names, ["quarantined.txt", "index.csv"]);

    let form = "application/x-www-form-urlencoded";
    let action = |html: &str, end: &str| {
        let mut forms = html.split("action=\"/quarantine/").skip(1);
        let path = forms.find_map(|rest| rest.split('"').next().filter(|one| one.ends_with(end)));
        path.map(|path| format!("/quarantine/{path}"))
    };
    let (_, html) = page(&hall, "auditor", "/quarantine", "en").await;
    assert!(html.contains("bad&lt;b&gt;.com") && action(&html, "/request").is_none());
    let (_, html) = page(&hall, "ono", "/quarantine", "en").await;
    let asking = action(&html, "/request").unwrap();
    let body = format!("form_token={}&reason=a+test", form_token(&hall, "ono"));
    let (status, _) = post(
        &hall,
        "ono",
        &asking,
        form,
        b"form_token=x&reason=x".to_vec(),
    )
    .await;
    assert_eq!(status, 403);
    let (status, _) = post(&hall, "ono", &asking, form, body.into()).await;
    assert_eq!(status, 303);

    let (_, html) = page(&hall, "ono", "/quarantine", "en").await;
    assert!(html.contains("Another person approves it.") && action(&html, "/approve").is_none());
    for lang in ["ja", "en"] {
        let (_, html) = page(&hall, "records-manager", "/quarantine", lang).await;
        check(&html, "/quarantine");
    }
    let (_, html) = page(&hall, "records-manager", "/quarantine", "en").await;
    let approving = action(&html, "/approve").unwrap();
    let own = format!("form_token={}", form_token(&hall, "ono"));
    let (status, html) = post(&hall, "ono", &approving, form, own.into()).await;
    assert!(
        status == 200 && html.contains("another person must do it"),
        "{html}"
    );
    let other = format!("form_token={}", form_token(&hall, "records-manager"));
    let (status, _) = post(&hall, "records-manager", &approving, form, other.into()).await;
    assert_eq!(status, 303);
    let (_, html) = page(&hall, "records-manager", "/quarantine", "en").await;
    assert!(html.contains("Nothing is in quarantine."), "{html}");
}

/// A value as a form sends it.
fn percent(value: &str) -> String {
    let field = super::text::query_of(&[("x", value)]);
    field.strip_prefix("x=").unwrap().to_owned()
}

/// A form as a browser sends it.
fn send(path: &str, cookie: String, body: String) -> Request<Body> {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(Body::from(body)).unwrap()
}

/// A page with a cookie.
async fn seen(hall: &Hall, path: &str, cookie: &str) -> Response<Body> {
    let request = Request::builder().uri(path).header(header::COOKIE, cookie);
    ask(hall, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_log_in_leads_over_password_and_authenticator_to_home() {
    let (hall, first) = Hall::founded();
    let enter = |password: &str| format!("name=sato&password={}&code=", percent(password));
    let wrong = ask(&hall, send("/login", String::new(), enter("wrong"))).await;
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers().get(header::SET_COOKIE).is_none());

    let mut response = ask(&hall, send("/login", String::new(), enter(&first["sato"]))).await;
    let mut places = Vec::new();
    let mut cookies = BTreeSet::new();
    for _ in 0..3 {
        let set = response.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .to_owned();
        for word in [
            "__Host-fumikura=",
            "Secure",
            "HttpOnly",
            "SameSite=Strict",
            "Path=/",
        ] {
            assert!(set.contains(word), "{set}");
        }
        let cookie = set.split(';').next().unwrap().to_owned();
        assert!(
            cookies.insert(cookie.clone()),
            "each step has a session of its own"
        );
        let place = response.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned();
        places.push(place.clone());
        let token = cookie.strip_prefix("__Host-fumikura=").unwrap().to_owned();
        let (session, _) = hall.desk.session(&token, HERE).unwrap();
        let (path, body) = match place.as_str() {
            "/password" => {
                let (old, new) = (percent(&first["sato"]), percent(&password_of("sato")));
                (
                    "/password",
                    format!(
                        "form_token={}&old={old}&new={new}&again={new}",
                        session.form_token
                    ),
                )
            }
            "/authenticator" => {
                // Before that is done, every other page leads here.
                let elsewhere = seen(&hall, "/people", &cookie).await;
                assert_eq!(elsewhere.headers()[header::LOCATION], "/authenticator");
                let html = text(seen(&hall, "/authenticator", &cookie).await).await;
                check(&html, "/authenticator");
                assert!(html.contains("<svg class=\"code\""));
                let code = hall.desk.code_of("sato").unwrap();
                (
                    "/authenticator",
                    format!("form_token={}&code={code}", session.form_token),
                )
            }
            _ => break,
        };
        response = ask(&hall, send(path, cookie, body)).await;
    }
    assert_eq!(places, ["/password", "/authenticator", "/"]);
}

#[tokio::test]
async fn a_field_that_is_a_book_and_a_form_of_endless_parts_are_refused() {
    let hall = Hall::with_everybody().await;
    let token = form_token(&hall, "depositor");
    let book = "x".repeat(20_000);
    let fields = [
        ("form_token", None, token.as_str()),
        ("class", None, book.as_str()),
    ];
    let (kind, body) = multipart(&fields);
    let (status, _) = post(&hall, "depositor", "/deposit", &kind, body).await;
    assert_eq!(status, 400);
    let (kind, body) = multipart(&[
        ("form_token", None, token.as_str()),
        ("class", None, "general"),
    ]);
    let (status, _) = post(&hall, "retriever", "/deposit", &kind, body).await;
    assert_eq!(status, 403, "before anything is read");
}
