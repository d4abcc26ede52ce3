//! Forms that another site sends: every form of every page, without its token and with somebody else's.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{FORM, MULTIPART, Place, multipart};

/// Everything that a page leads to on this host.
fn links(html: &str) -> impl Iterator<Item = String> {
    let places = html
        .split(" href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    places
        .filter(|path| path.starts_with('/') && !path.starts_with("/assets"))
        .map(|path| {
            path.split('#')
                .next()
                .unwrap_or_default()
                .replace("&amp;", "&")
        })
}

/// Where the forms of a page are sent with POST, and whether with files.
fn targets(html: &str) -> Vec<(String, bool)> {
    let mut targets = Vec::new();
    for form in html.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap_or_default();
        let head = form.split('>').next().unwrap_or_default();
        if !head.contains("method=\"post\"") {
            continue;
        }
        let is_multipart = head.contains("multipart/form-data");
        let named = |part: &str, name: &str| {
            let rest = part.split(name).nth(1)?;
            rest.split('"')
                .next()
                .map(|path| path.replace("&amp;", "&"))
        };
        targets.extend(named(head, " action=\"").map(|path| (path, is_multipart)));
        for button in form.split(" formaction=\"").skip(1) {
            let path = button.split('"').next().unwrap_or_default();
            targets.push((path.replace("&amp;", "&"), is_multipart));
        }
    }
    targets
}

#[test]
fn no_form_of_any_page_does_anything_without_the_token_of_its_own_session() {
    let roles = ["auditor", "inspector", "key-custodian", "records-manager"];
    let place = Place::with("", &roles);
    let version = place.deposit("class=general&name=a.txt&date=2026-10-01", b"a text");
    let asked = serde_json::json!({ "account": "new", "display_name": "New", "kind": "person", "roles": ["retriever"], "reason": "a test" });
    place.api("POST", "/api/v1/people/requests", "suzuki", &asked);
    let foreign = place.form_token("suzuki");
    let mut found: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for name in roles.into_iter().chain(["sato"]) {
        let mut open = vec![
            "/".to_owned(),
            "/search?go=1".to_owned(),
            "/password".to_owned(),
            format!("/records{version}"),
        ];
        let mut seen: BTreeSet<String> = open.iter().cloned().collect();
        while let Some(path) = open.pop() {
            let answer = place.page(name, &path);
            if !answer
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("text/html"))
            {
                continue;
            }
            let html = answer.text();
            for (target, is_multipart) in targets(&html) {
                found.insert(target, (name.to_owned(), is_multipart));
            }
            for link in links(&html) {
                if seen.len() < 300 && seen.insert(link.clone()) {
                    open.push(link);
                }
            }
        }
    }
    // What has no session, or changes nothing but the language, proves itself by where the browser says it comes from: see below.
    for path in ["/language", "/login"] {
        found.remove(path);
    }
    for expected in [
        "/logout",
        "/password",
        "/deposit",
        "/judge",
        "/search/kept",
        "/jobs/stamp",
        "/people/requests",
        "/people/suzuki/close",
    ] {
        assert!(
            found.contains_key(expected),
            "{expected} is not among {:?}",
            found.keys()
        );
    }
    for (path, (name, is_multipart)) in &found {
        for token in [None, Some(""), Some(foreign.as_str())] {
            // Everything else that any of them asks for, so that nothing but the token is wrong.
            let mut fields = vec![
                ("reason", "x"),
                ("purpose", "x"),
                ("old", "x"),
                ("new", "x"),
                ("again", "x"),
                ("code", "1"),
                ("class", "general"),
                ("account", "new2"),
                ("display_name", "x"),
                ("day", "2026-01-05"),
                ("text", "x"),
                ("remark", "x"),
                ("as", "confirmed"),
                ("entries", "1"),
                ("name", "x"),
                ("query", "go=1"),
            ];
            fields.extend(token.map(|token| ("form_token", token)));
            let (kind, body) = if *is_multipart {
                let mut parts: Vec<(&str, Option<&str>, &[u8])> = Vec::new();
                parts.extend(token.map(|token| ("form_token", None, token.as_bytes())));
                parts.push(("class", None, b"general"));
                parts.push(("files", Some("evil.txt"), b"evil"));
                parts.push(("package", Some("evil.asice"), b"evil"));
                (MULTIPART, multipart(&parts))
            } else {
                let pairs: Vec<String> = fields
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                (FORM, pairs.join("&").into_bytes())
            };
            let answer = place.ask("POST", path, &[&place.cookie(name), kind], &body);
            // A form without the field is no form of ours at all.
            let is_refused = answer.status == 403 || (token.is_none() && answer.status == 422);
            assert!(
                is_refused,
                "{name} {path} {token:?}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    let count = place.api("GET", "/api/v1/records", "sato", &serde_json::Value::Null);
    assert_eq!(count["total"], 1, "{count}");
}

#[test]
fn the_api_takes_no_cookie_for_a_change_without_the_token_whatever_the_body_says_it_is() {
    let place = Place::start("");
    let foreign = format!("x-form-token: {}", place.form_token("suzuki"));
    for kind in [
        FORM,
        MULTIPART,
        "content-type: text/plain",
        "content-type: application/json",
    ] {
        for headers in [&[kind][..], &[kind, foreign.as_str()]] {
            let cookie = place.cookie("sato");
            let mut all = vec![cookie.as_str()];
            all.extend(headers);
            for (method, path) in [
                ("POST", "/api/v1/records?class=general&name=a.txt"),
                ("POST", "/api/v1/jobs/stamp"),
                ("DELETE", "/api/v1/session"),
            ] {
                let answer = place.ask(method, path, &all, b"x");
                assert_eq!(
                    answer.status,
                    403,
                    "{method} {path} {headers:?}: {}",
                    answer.text()
                );
            }
        }
    }
    place.serves();
}

#[test]
fn a_browser_that_says_that_another_site_asks_gets_nothing_done_and_logs_nobody_in() {
    let place = Place::start("");
    for site in ["cross-site", "same-site"] {
        let site = format!("sec-fetch-site: {site}");
        for (path, body) in [
            ("/login", "name=sato&password=x&code="),
            ("/language", "lang=ja&back=/"),
            ("/api/v1/session", "{}"),
        ] {
            let answer = place.ask("POST", path, &[FORM, &site], body.as_bytes());
            assert_eq!(answer.status, 403, "{path}: {}", answer.text());
            assert!(answer.header("set-cookie").is_none());
        }
        // Following a link to here is no change.
        assert_eq!(place.ask("GET", "/login", &[&site], b"").status, 200);
    }
    let own = place.ask(
        "POST",
        "/language",
        &[FORM, "sec-fetch-site: same-origin"],
        b"lang=ja&back=/",
    );
    assert_eq!(own.status, 303);
}
