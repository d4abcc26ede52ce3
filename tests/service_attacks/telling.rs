//! Guesses are told outside, once, whatever happens to the service and to whoever is to be told.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::http::{Answer, serve};

use super::place::{Place, until};

/// Whoever is told: whether it is there, what it refused while it was not, and what it took.
#[derive(Default)]
struct Receiver {
    is_up: bool,
    refused: usize,
    taken: Vec<Value>,
}

fn receiver() -> (Arc<Mutex<Receiver>>, String) {
    let receiver = Arc::new(Mutex::new(Receiver::default()));
    let told = Arc::clone(&receiver);
    let url = serve(move |body| {
        let mut told = told.lock().expect("the receiver");
        let (status, body) = if told.is_up {
            let message = serde_json::from_slice(&body).expect("JSON");
            told.taken.push(message);
            ("200 OK", "")
        } else {
            told.refused += 1;
            ("503 Service Unavailable", "later")
        };
        Answer {
            status,
            content_type: "text/plain",
            body: body.as_bytes().to_vec(),
        }
    });
    (receiver, url)
}

/// Five wrong log-ins in a row.
fn guess(place: &Place, name: &str) {
    for _ in 0..5 {
        let body = json!({ "name": name, "password": "wrong" }).to_string();
        let kind = "content-type: application/json";
        let answer = place.ask("POST", "/api/v1/session", &[kind], body.as_bytes());
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
}

/// The entries and kinds of all events that were taken.
fn events(receiver: &Mutex<Receiver>) -> Vec<(u64, String)> {
    let told = receiver.lock().expect("the receiver");
    let events = told.taken.iter().flat_map(|message| {
        assert_eq!(message["schema"], "urn:fumikura:events:1", "{message}");
        message["events"].as_array().expect("events").clone()
    });
    let pairs = events.map(|event| {
        let kind = event["kind"].as_str().expect("a kind").to_owned();
        (event["entry"].as_u64().expect("an entry"), kind)
    });
    pairs.collect()
}

#[test]
fn what_was_not_delivered_when_the_service_was_killed_is_told_by_the_next_one_and_only_once() {
    let (receiver, url) = receiver();
    let mut place = Place::start(&format!("\n[alarms]\nwebhook = \"{url}\""));
    guess(&place, "nobody");
    until("it was tried to tell", || {
        receiver.lock().expect("the receiver").refused > 0
    });
    place.kill_and_serve();
    receiver.lock().expect("the receiver").is_up = true;
    until("it is told", || events(&receiver).len() == 2);
    let first = events(&receiver);
    let kinds: Vec<&str> = first.iter().map(|(_, kind)| kind.as_str()).collect();
    assert_eq!(kinds, ["refused-in-a-row", "failed-log-ins"]);
    let entry = first[0].0;
    until("it is remembered as told", || place.told() >= entry);

    // The next service tells what is new, and nothing of what was told.
    place.kill_and_serve();
    guess(&place, "somebody");
    until("the new guesses are told", || events(&receiver).len() >= 4);
    let all = events(&receiver);
    assert_eq!(all[..2], first[..]);
    assert!(all[2..].iter().all(|(later, _)| *later > entry), "{all:?}");
    assert_eq!(all.len(), 4, "{all:?}");
}

#[test]
fn a_place_in_the_trail_that_another_archive_left_behind_silences_nothing() {
    let (receiver, url) = receiver();
    receiver.lock().expect("the receiver").is_up = true;
    let mut place = Place::start(&format!("\n[alarms]\nwebhook = \"{url}\""));
    place.remember_told(
        r#"{"archive":"01935e7a-1111-7222-8333-444455556666","told":18446744073709551615}"#,
    );
    place.kill_and_serve();
    guess(&place, "nobody");
    until("it is told", || events(&receiver).len() == 2);
}
