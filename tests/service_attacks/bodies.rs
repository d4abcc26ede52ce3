//! Bodies that are larger than they may be: refused, and never gathered in memory.

use std::io::{Read, Write};

use super::answer::Answer;
use super::place::{FORM, MULTIPART, Place, multipart, rest};

const LIMITS: &str = "upload_bytes_max = 1048576";
const MEBIBYTE: usize = 1024 * 1024;

/// Sends a head and then pieces of a body for as long as the service takes them, at most `pieces` of a mebibyte; the answer.
fn pour(place: &Place, head: &str, pieces: usize, frame: impl Fn(&[u8]) -> Vec<u8>) -> Answer {
    let mut line = place.connect();
    line.write_all(head.as_bytes()).expect("a head");
    let piece = frame(&vec![b'x'; MEBIBYTE]);
    for _ in 0..pieces {
        if line.write_all(&piece).and_then(|()| line.flush()).is_err() {
            break;
        }
    }
    // Where the rest was not read, the connection may be gone before the answer was.
    let mut bytes = Vec::new();
    drop(line.read_to_end(&mut bytes));
    let answer = Answer::all(&bytes).into_iter().next();
    answer.unwrap_or(Answer {
        status: 0,
        headers: Vec::new(),
        body: Vec::new(),
    })
}

#[test]
fn a_body_that_says_how_large_it_is_is_refused_before_it_is_sent() {
    let place = Place::start(LIMITS);
    let bearer = place.bearer("sato");
    let mut line = place.connect();
    let head = format!(
        "POST /api/v1/records?class=general&name=a.txt HTTP/1.1\r\nhost: localhost\r\n{bearer}\r\ncontent-length: 8000000000\r\n\r\n"
    );
    line.write_all(head.as_bytes()).expect("a head");
    let answers = Answer::all(&rest(&mut line));
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].status, 413, "{}", answers[0].text());
    assert_eq!(answers[0].json()["code"], "too-large");
}

#[test]
fn a_body_that_never_ends_is_cut_off_at_the_limit_and_takes_no_memory() {
    let place = Place::start(LIMITS);
    let chunk = |bytes: &[u8]| {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        chunk
    };
    let (bearer, cookie) = (place.bearer("sato"), place.cookie("sato"));
    let json = "content-type: application/json";
    let doors = [
        (
            "/api/v1/records?class=general&name=a.txt",
            bearer.as_str(),
            "x-none: 1",
            "",
        ),
        ("/api/v1/session", "x-none: 2", json, ""),
        ("/login", "x-none: 3", FORM, "name="),
        ("/jobs/stamp", &cookie, FORM, "form_token="),
        // Fields and files of forms with files.
        (
            "/judge",
            &cookie,
            MULTIPART,
            "--edge\r\ncontent-disposition: form-data; name=\"form_token\"\r\n\r\n",
        ),
        (
            "/deposit",
            &cookie,
            MULTIPART,
            "--edge\r\ncontent-disposition: form-data; name=\"class\"\r\n\r\n",
        ),
        (
            "/deposit/read",
            &cookie,
            MULTIPART,
            "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n",
        ),
    ];
    for (path, who, kind, begin) in doors {
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\n{who}\r\n{kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        if !begin.is_empty() {
            head.push_str(&format!("{:x}\r\n{begin}\r\n", begin.len()));
        }
        let taken = place.memory_of(|| {
            let answer = pour(&place, &head, 128, chunk);
            assert!(
                matches!(answer.status, 0 | 400..500),
                "{path}: {}",
                answer.status
            );
        });
        assert!(taken < 48 * MEBIBYTE as u64, "{path} took {taken} bytes");
        place.serves();
    }
}

#[test]
fn a_file_over_the_limit_is_refused_by_name_and_the_others_of_the_form_are_taken_in() {
    let place = Place::start(LIMITS);
    let token = place.form_token("sato");
    let large = vec![b'x'; 2 * MEBIBYTE];
    let body = multipart(&[
        ("form_token", None, token.as_bytes()),
        ("class", None, b"general"),
        ("files", Some("small.txt"), b"a small one"),
        ("files", Some("large.txt"), &large),
    ]);
    let answer = place.ask(
        "POST",
        "/deposit",
        &[&place.cookie("sato"), MULTIPART],
        &body,
    );
    let html = answer.text();
    assert!(
        answer.status == 200 && html.contains("1 of 2 taken in"),
        "{html}"
    );
    assert!(
        html.contains("too large: 1048576 bytes are the most"),
        "{html}"
    );
}
