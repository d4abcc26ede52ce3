//! Guessing who has an account: every wrong log-in looks the same and takes the same work.

use serde_json::json;

use super::answer::Answer;
use super::place::{FORM, Place, password_of};

/// An answer without what is of its moment.
fn timeless(mut answer: Answer) -> Answer {
    answer.headers.retain(|(name, _)| name != "date");
    // The id of the request is another one each time, in the header and in the problem.
    let id = answer.header("x-request-id").map(str::to_owned);
    if let Some(id) = id {
        answer.body = answer.text().replace(&id, "").into_bytes();
    }
    answer.headers.retain(|(name, _)| name != "x-request-id");
    answer
}

#[test]
fn an_unknown_account_a_wrong_password_and_a_wrong_code_look_the_same_and_take_the_same_work() {
    let place = Place::start("");
    let right = password_of("suzuki");
    let tries = [
        ("nobody", "wrong", "000000"),
        ("suzuki", "wrong", "000000"),
        ("suzuki", right.as_str(), "00000x"),
    ];
    let mut answers = Vec::new();
    let mut work = Vec::new();
    for (name, password, code) in tries {
        let body = json!({ "name": name, "password": password, "code": code }).to_string();
        // Fewer than lock an account. Time on a clock would tell how busy the machine is.
        work.push(place.work_of(|| {
            for _ in 0..4 {
                let kind = "content-type: application/json";
                let answer = place.ask("POST", "/api/v1/session", &[kind], body.as_bytes());
                assert_eq!(answer.status, 401, "{}", answer.text());
                answers.push(timeless(answer));
            }
        }));
    }
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    let (least, most) = (work.iter().min(), work.iter().max());
    let (least, most) = (least.expect("work"), most.expect("work"));
    assert!(*least > 0 && *most < *least * 2, "{work:?}");
}

#[test]
fn a_locked_account_answers_like_one_that_does_not_exist_and_the_page_does_so_too() {
    let place = Place::start("");
    let page = |name: &str| {
        let body = format!("name={name}&password=wrong&code=");
        let answer = place.ask(
            "POST",
            "/login",
            &[FORM, "accept-language: en"],
            body.as_bytes(),
        );
        let mut answer = timeless(answer);
        assert_eq!(answer.status, 401, "{}", answer.text());
        // What was entered stands in its field again.
        answer.body = answer
            .text()
            .replace(&format!("value=\"{name}\""), "")
            .into_bytes();
        answer.headers.retain(|(name, _)| name != "content-length");
        answer
    };
    for _ in 0..10 {
        page("suzuki");
    }
    // Now the right password lets nobody in either.
    let body = json!({ "name": "suzuki", "password": password_of("suzuki") }).to_string();
    let kind = "content-type: application/json";
    let locked = place.ask("POST", "/api/v1/session", &[kind], body.as_bytes());
    let body = json!({ "name": "nobody", "password": "wrong" }).to_string();
    let unknown = place.ask("POST", "/api/v1/session", &[kind], body.as_bytes());
    assert_eq!(timeless(locked), timeless(unknown));
    assert_eq!(page("suzuki"), page("nobody"));
    place.serves();
}

#[test]
fn cookies_of_a_session_are_only_for_tls_for_this_host_and_out_of_reach_of_scripts() {
    let place = Place::start("");
    let token = place.form_token("sato");
    let password = password_of("sato");
    let body = format!("form_token={token}&old={password}&new={password}1&again={password}1")
        .replace(' ', "+");
    let answer = place.ask(
        "POST",
        "/password",
        &[&place.cookie("sato"), FORM],
        body.as_bytes(),
    );
    let cookie = answer.header("set-cookie").expect("a session of its own");
    assert!(cookie.starts_with("__Host-fumikura="), "{cookie}");
    for flag in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    // The session before is over.
    assert_eq!(place.page("sato", "/").status, 303);
    let language = place.ask("POST", "/language", &[FORM], b"lang=ja&back=//evil.example");
    let cookie = language.header("set-cookie").expect("a language");
    assert!(
        cookie.contains("; Secure") && cookie.contains("; SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(
        language.header("location"),
        Some("/"),
        "it leads nowhere else"
    );
}
