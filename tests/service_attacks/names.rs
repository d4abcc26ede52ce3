//! Names that are ways, headers or commands: they name one file, and nothing else.

use std::io::Cursor;

use super::place::{FORM, MULTIPART, Place, multipart, text};

/// As sent, and as kept.
const NAMES: &[(&str, &str)] = &[
    ("../../../etc/passwd", "passwd"),
    ("..\\..\\windows\\system.ini", "system.ini"),
    ("/etc/shadow", "shadow"),
    ("a/../../b.txt", "b.txt"),
    ("C:\\x\\y.txt", "y.txt"),
];

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_name_that_is_a_way_is_kept_as_its_last_part_and_leads_nowhere_when_it_is_fetched() {
    let place = Place::start("");
    for (number, (sent, kept)) in NAMES.iter().enumerate() {
        let query = format!("class=general&name={}", percent(sent));
        let version = place.deposit(&query, format!("content {number}").as_bytes());
        let (record, number) = version[1..].split_once('/').expect("a version");
        let path = format!("/api/v1/records/{record}/versions/{number}/objects/0?purpose=test");
        let answer = place.ask("GET", &path, &[&place.bearer("sato")], b"");
        let expected = format!("attachment; filename=\"{kept}\"; filename*=UTF-8''{kept}");
        assert_eq!(
            answer.header("content-disposition"),
            Some(expected.as_str()),
            "{sent}"
        );
    }
    for refused in ["..", ".", "", "/", "a/..", "a\0b", &"x".repeat(256)] {
        let path = format!("/api/v1/records?class=general&name={}", percent(refused));
        let answer = place.ask("POST", &path, &[&place.bearer("sato")], b"x");
        assert_eq!(answer.status, 422, "{refused:?}: {}", answer.text());
    }
    // The same names in a form with files, and what comes of all of them in one container.
    let token = place.form_token("sato");
    let mut parts: Vec<(&str, Option<&str>, &[u8])> = vec![
        ("form_token", None, token.as_bytes()),
        ("class", None, b"general"),
    ];
    let contents: Vec<String> = NAMES
        .iter()
        .map(|(sent, _)| format!("form {sent}"))
        .collect();
    for ((sent, _), content) in NAMES.iter().zip(&contents) {
        parts.push(("files", Some(sent), content.as_bytes()));
    }
    let answer = place.ask(
        "POST",
        "/deposit",
        &[&place.cookie("sato"), MULTIPART],
        &multipart(&parts),
    );
    assert!(answer.text().contains("5 taken in"), "{}", answer.text());
    let body = format!("form_token={token}&purpose=test");
    let zip = place.ask(
        "POST",
        "/search.zip?go=1",
        &[&place.cookie("sato"), FORM],
        body.as_bytes(),
    );
    assert_eq!(zip.status, 200, "{}", zip.text());
    let zip = zip::ZipArchive::new(Cursor::new(zip.body)).expect("a container");
    assert_eq!(zip.len(), 11, "ten contents and their table");
    for name in zip.file_names().map(|name| name.expect("a name")) {
        let is_plain = !name.starts_with('/') && !name.contains("..") && !name.contains('\\');
        assert!(is_plain && !name.contains(':'), "{name}");
    }
}

#[test]
fn a_name_with_line_ends_becomes_no_header_and_one_with_markup_no_element() {
    let place = Place::start("");
    for name in [
        "a\r\nSet-Cookie: evil=1\r\n\r\n<script>alert(1)</script>.txt",
        "a\nX-Evil: 1.txt",
        "\"; filename=\"evil.exe",
        "<img src=x onerror=alert(1)>.txt",
    ] {
        let query = format!("class=general&name={}", percent(name));
        let path = format!("/api/v1/records?{query}");
        let answer = place.ask("POST", &path, &[&place.bearer("sato")], name.as_bytes());
        if answer.status == 422 {
            continue;
        }
        let told = answer.json();
        let record = text(&told["record"]);
        let path = format!("/api/v1/records/{record}/versions/1/objects/0?purpose=test");
        let fetched = place.ask("GET", &path, &[&place.bearer("sato")], b"");
        assert_eq!(fetched.status, 200);
        assert_eq!(
            fetched.body,
            name.as_bytes(),
            "one head, and then the content"
        );
        for evil in ["set-cookie", "x-evil"] {
            assert!(fetched.header(evil).is_none(), "{:?}", fetched.headers);
        }
        let place_of = fetched.header("content-disposition").expect("a name");
        assert_eq!(place_of.matches('"').count(), 2, "{place_of}");
        let html = place.page("sato", &format!("/records/{record}")).text();
        assert!(
            !html.contains("<script>alert") && !html.contains("<img"),
            "{html}"
        );
    }
}

#[test]
fn paths_of_requests_lead_to_no_file() {
    let place = Place::start("");
    for path in [
        "/assets/../fumikura.toml",
        "/assets/..%2f..%2ffumikura.toml",
        "/../../etc/passwd",
        "/records/..%2f..%2fkeys",
        "/api/v1/records/..%2f..%2fkeys/versions/1/objects/0?purpose=x",
        "/api/v1/records/%00/versions/1/objects/0?purpose=x",
        "//etc/passwd",
        "/assets/app.css/../../passphrase.txt",
    ] {
        let answer = place.page("sato", path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(
            !answer.text().contains("root:") && !answer.text().contains("[[data"),
            "{path}"
        );
    }
    // A purpose and a language are kept or sent back: neither becomes a header.
    let answer = place.ask(
        "POST",
        "/language",
        &[FORM],
        b"lang=ja%0d%0aX-Evil:1&back=/%0d%0aX-Evil:1",
    );
    assert!(answer.header("x-evil").is_none() && answer.header("location") == Some("/"));
}
