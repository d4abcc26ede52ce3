//! Deposits in parts: the service is killed in the middle, attacked with offsets and ids, and finishes each deposit once.

use std::io::Write;

use super::answer::Answer;
use super::place::{Line, Place, text, until};

const MIB: usize = 1024 * 1024;

/// Bytes that do not compress, with a text in each piece that would be found in clear.
fn content(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut content = Vec::with_capacity(bytes);
    while content.len() < bytes {
        content.extend_from_slice(MARKER);
        for _ in 0..64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            content.extend_from_slice(&state.to_be_bytes());
        }
    }
    content.truncate(bytes);
    content
}

const MARKER: &[u8] = b"a marker that nobody may find in clear on a disk";

fn begin(place: &Place, name: &str, length: usize) -> String {
    let path = format!("/api/v1/uploads?class=general&name={name}&title=Kaiyaku");
    let headers = [&place.bearer("sato"), &format!("upload-length: {length}")];
    let answer = place.ask("POST", &path, &headers.map(String::as_str), b"");
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.header("location").expect("a place").to_owned()
}

fn send(place: &Place, path: &str, offset: usize, bytes: &[u8]) -> Answer {
    let headers = [&place.bearer("sato"), &format!("upload-offset: {offset}")];
    place.ask("PATCH", path, &headers.map(String::as_str), bytes)
}

fn offset(place: &Place, path: &str) -> usize {
    let answer = place.ask("HEAD", path, &[&place.bearer("sato")], b"");
    assert_eq!(answer.status, 200);
    let offset = answer.header("upload-offset").expect("an offset");
    offset.parse().expect("a number")
}

/// A request of which only some bytes of the body are sent.
fn half_sent(place: &Place, path: &str, offset: usize, bytes: &[u8]) -> Line {
    let mut line = place.connect();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: localhost\r\n{}\r\nupload-offset: {offset}\r\ncontent-length: {}\r\n\r\n",
        place.bearer("sato"),
        bytes.len() + 1_000
    );
    line.write_all(head.as_bytes()).expect("a head");
    line.write_all(bytes).expect("half a body");
    line.flush().expect("half a body");
    line
}

fn nothing_is_in_clear(place: &Place) {
    for path in place.files() {
        // Files of the service come and go.
        let bytes = std::fs::read(&path).unwrap_or_default();
        let is_shown = bytes.windows(MARKER.len()).any(|some| some == MARKER);
        assert!(!is_shown, "{}", path.display());
    }
}

fn fetched(place: &Place, record: &str) -> Vec<u8> {
    let path = format!("/api/v1/records/{record}/versions/1/objects/0?purpose=test");
    let answer = place.ask("GET", &path, &[&place.bearer("sato")], b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.body
}

#[test]
fn a_service_that_is_killed_in_the_middle_of_an_upload_goes_on_with_it_and_deposits_it_once() {
    let mut place = Place::start("");
    let content = content(3 * MIB);
    let path = begin(&place, "large.bin", content.len());
    assert_eq!(send(&place, &path, 0, &content[..MIB / 2]).status, 204);
    // In the middle of a part: what came of it before the kill counts, as far as it reached a file.
    let line = half_sent(&place, &path, MIB / 2, &content[MIB / 2..2 * MIB]);
    until("some of it came", || offset(&place, &path) > MIB / 2);
    nothing_is_in_clear(&place);
    place.kill_and_serve();
    drop(line);
    place.log_in_again("sato");
    let known = offset(&place, &path);
    assert!((MIB / 2 + 1..=2 * MIB).contains(&known), "{known}");

    // The last part, and nobody hears the answer: the service is killed once more.
    let done = send(&place, &path, known, &content[known..]);
    assert_eq!(done.status, 200, "{}", done.text());
    let record = text(&done.json()["record"]);
    assert_eq!(fetched(&place, &record), content);
    place.kill_and_serve();
    place.log_in_again("sato");
    let again = send(&place, &path, known, &content[known..]);
    assert_eq!((again.status, again.json()), (200, done.json()));
    let shown = place.ask("GET", &path, &[&place.bearer("sato")], b"");
    assert_eq!(shown.json()["deposited"], done.json());
    let page = place.ask("GET", "/api/v1/records", &[&place.bearer("sato")], b"");
    assert_eq!(page.json()["total"], 1);
    assert_eq!(fetched(&place, &record), content);
    nothing_is_in_clear(&place);
}

/// The files in which uploads wait, or in which their answers stand.
fn waiting(place: &Place, ending: &str) -> Vec<std::path::PathBuf> {
    let files = place.files().into_iter();
    files
        .filter(|path| path.extension().is_some_and(|one| one == ending))
        .collect()
}

#[test]
fn a_kill_between_the_deposit_and_its_answer_makes_no_second_record() {
    let mut place = Place::start("");
    let content = content(MIB);
    let path = begin(&place, "large.bin", content.len());
    let known = content.len() - 1;
    assert_eq!(send(&place, &path, 0, &content[..known]).status, 204);
    let files = waiting(&place, "upload");
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    let before = std::fs::read(file).expect("what waits");
    let done = send(&place, &path, known, &content[known..]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(
        waiting(&place, "upload").len(),
        0,
        "the answer is in its place"
    );

    // As the disk would be, had the service been killed after the record was durable and before its answer was kept.
    for answer in waiting(&place, "done") {
        std::fs::remove_file(answer).expect("an answer");
    }
    std::fs::write(file, before).expect("what waited");
    place.kill_and_serve();
    place.log_in_again("sato");
    assert_eq!(offset(&place, &path), known);
    let again = send(&place, &path, known, &content[known..]);
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(again.json()["record"], done.json()["record"]);
    assert_eq!(again.json()["was_there"], true);
    let page = place.ask("GET", "/api/v1/records", &[&place.bearer("sato")], b"");
    assert_eq!(page.json()["total"], 1);
}

#[test]
fn a_connection_that_is_lost_leaves_what_came_and_a_later_one_takes_its_place() {
    let place = Place::start("");
    let content = content(3 * MIB);
    let path = begin(&place, "a.bin", content.len());
    let mut line = half_sent(&place, &path, 0, &content[..MIB + 5]);
    until("some of it came", || offset(&place, &path) > 0);
    // The old connection is still open: it may not write behind the new one.
    let known = offset(&place, &path);
    let answer = send(&place, &path, known, &content[known..2 * MIB]);
    assert_eq!(answer.status, 204, "{}", answer.text());
    drop(line.write_all(&content[..500]));
    drop(line);
    assert_eq!(offset(&place, &path), 2 * MIB);
    let done = send(&place, &path, 2 * MIB, &content[2 * MIB..]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(fetched(&place, &text(&done.json()["record"])), content);
}

#[test]
fn offsets_lengths_and_ids_that_lie_lead_nowhere() {
    let place = Place::start("upload_bytes_max = 1048576");
    let path = begin(&place, "a.bin", 100);
    for offset in [
        "1",
        "99",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "0x0",
        "",
    ] {
        let headers = [place.bearer("sato"), format!("upload-offset: {offset}")];
        let headers = [headers[0].as_str(), headers[1].as_str()];
        let answer = place.ask("PATCH", &path, &headers, b"x");
        assert!(
            answer.status == 409 || answer.status == 422,
            "{offset}: {}",
            answer.text()
        );
    }
    assert_eq!(send(&place, &path, 0, &[b'x'; 101]).status, 422);
    let headers = [place.bearer("sato"), "upload-length: 1048577".to_owned()];
    let headers = [headers[0].as_str(), headers[1].as_str()];
    let more = "/api/v1/uploads?class=general&name=b.bin";
    assert_eq!(place.ask("POST", more, &headers, b"").status, 413);
    for id in [
        "..",
        "%2e%2e",
        "..%2f..%2fkeys%2fkek.json",
        "%00",
        "a".repeat(32).as_str(),
    ] {
        let path = format!("/api/v1/uploads/{id}");
        for method in ["GET", "PATCH", "DELETE"] {
            let headers = [place.bearer("sato"), "upload-offset: 0".to_owned()];
            let headers = [headers[0].as_str(), headers[1].as_str()];
            let answer = place.ask(method, &path, &headers, b"");
            assert!(
                matches!(answer.status, 404 | 405 | 400),
                "{method} {id}: {}",
                answer.status
            );
        }
    }
    assert_eq!(offset(&place, &path), 0);
    place.serves();
}
