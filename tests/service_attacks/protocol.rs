//! Requests that two readers could read in two ways, and methods that nobody needs.

use super::place::Place;

#[test]
fn methods_that_nobody_needs_are_refused_and_echo_nothing() {
    let place = Place::start("");
    for method in ["TRACE", "TRACK", "DEBUG", "PROPFIND", "PATCH", "FOO"] {
        for path in ["/", "/login", "/api/v1/records", "/assets/none"] {
            let headers = [&place.cookie("sato"), "x-secret: do-not-echo"];
            let answer = place.ask(method, path, &headers, b"");
            assert!(
                matches!(answer.status, 403..=405),
                "{method} {path}: {}",
                answer.status
            );
            assert!(!answer.text().contains("do-not-echo"), "{method} {path}");
        }
    }
    let connect = place.exchange(
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    );
    assert!(
        connect.iter().all(|one| (400..500).contains(&one.status)),
        "{connect:?}"
    );
    place.serves();
}

/// The second request of a smuggler: answered, it would have a status of its own.
const HIDDEN: &str = "GET /login HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn a_body_whose_length_is_said_in_two_ways_hides_no_request() {
    let place = Place::start("head_seconds = 2\npause_seconds = 2");
    let length = HIDDEN.len() + 5;
    for (what, head, body) in [
        (
            "chunked behind a length",
            format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
            "0\r\n\r\n",
        ),
        (
            "a length behind chunked",
            format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
            "0\r\n\r\n",
        ),
        (
            "two lengths",
            format!("content-length: 0\r\ncontent-length: {length}\r\n"),
            "",
        ),
        (
            "a list of lengths",
            format!("content-length: 0, {length}\r\n"),
            "",
        ),
        (
            "a length with a sign",
            "content-length: +0\r\n".to_owned(),
            "",
        ),
        (
            "chunked, but not last",
            "transfer-encoding: chunked, identity\r\n".to_owned(),
            "0\r\n\r\n",
        ),
        (
            "a coding that nobody knows",
            "transfer-encoding: xchunked\r\n".to_owned(),
            "0\r\n\r\n",
        ),
        (
            "a space before the colon",
            "transfer-encoding : chunked\r\n".to_owned(),
            "0\r\n\r\n",
        ),
        (
            "a folded line",
            "transfer-encoding:\r\n chunked\r\n".to_owned(),
            "0\r\n\r\n",
        ),
        (
            "a vertical tab",
            "transfer-encoding: \x0bchunked\r\n".to_owned(),
            "0\r\n\r\n",
        ),
    ] {
        let request = format!(
            "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{head}\r\n{body}{HIDDEN}"
        );
        let answers = place.exchange(request.as_bytes());
        assert!(
            answers.iter().all(|one| one.status != 200),
            "{what}: {answers:?}"
        );
        assert!(answers.len() <= 1, "{what}: {answers:?}");
    }
    place.serves();
}

#[test]
fn broken_heads_and_endless_ones_are_refused() {
    let place = Place::start("head_seconds = 2");
    let long = "x".repeat(64 * 1024);
    let many: String = (0..300)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect();
    for request in [
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-long: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
        "GET / HTTP/9.9\r\nhost: localhost\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
        "\x16\x03\x01\x02\r\n\r\n".to_owned(),
    ] {
        let answers = place.exchange(request.as_bytes());
        let is_refused = answers.iter().all(|one| (400..600).contains(&one.status));
        assert!(is_refused && answers.len() <= 1, "{answers:?}");
    }
    place.serves();
}

#[test]
fn every_answer_carries_what_keeps_browsers_from_more() {
    let place = Place::start("");
    for path in ["/", "/login", "/none", "/api/v1/records", "/api/v1/none"] {
        let answer = place.page("sato", path);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(
            answer.header("strict-transport-security").is_some(),
            "{path}"
        );
    }
}
