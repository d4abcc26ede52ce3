//! Services that are broken, each in its own way: what is told, and that nothing of it is taken.

use std::time::Duration;

use archiver::tsa::material::{MaterialError, MaterialOptions};

use crate::support::openssl::present;
use crate::world::*;

fn one_error(world: &World, options: MaterialOptions) -> MaterialError {
    let collected = world.collect(&source(options), now());
    let failures = collected.failures;
    let [failure] = failures.as_slice() else {
        panic!("{failures:?}");
    };
    assert!(failure.address.starts_with(&world.address) || failure.address.is_empty());
    failure.error.clone()
}

/// A name for each kind of error, without what varies.
fn kind(error: &MaterialError) -> String {
    let text = format!("{error:?}");
    text.split([' ', '{', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// What a distribution point may answer instead of its list, and what is told then.
fn broken_lists(world: &World) -> Vec<(&'static str, Route, &'static str)> {
    let good = world.crl("ca", "-crldays 7");
    let mut tampered = good.clone();
    // The last byte of the signature: what stands at another place depends on how long the signature happens to be.
    let position = tampered.len() - 1;
    tampered[position] ^= 1;
    vec![
        ("not there", Route::Status("404 Not Found"), "HttpStatus"),
        (
            "broken server",
            Route::Status("500 Internal Server Error"),
            "HttpStatus",
        ),
        (
            "asks for a password",
            Route::Status("401 Unauthorized"),
            "HttpStatus",
        ),
        (
            "garbage",
            Route::Body(b"<html>moved</html>".to_vec()),
            "Malformed",
        ),
        ("empty", Route::Body(Vec::new()), "Malformed"),
        (
            "a certificate",
            Route::Body(world.certificate("ca.pem")),
            "Malformed",
        ),
        (
            "truncated",
            Route::Body(good[..good.len() - 1].to_vec()),
            "Malformed",
        ),
        (
            "one byte more",
            Route::Body([&good[..], &[0]].concat()),
            "Malformed",
        ),
        ("broken off", Route::Cut(good[..20].to_vec()), "Interrupted"),
        ("tampered", Route::Body(tampered), "Signature"),
    ]
}

/// Lists that are whole and of no use, and places where there is none.
fn useless_lists(world: &World) -> Vec<(&'static str, Route, &'static str)> {
    let here = |path: &str| format!("{}{path}", world.address);
    vec![
        (
            "redirect loop",
            Route::Redirect(here("/ca.crl")),
            "Redirection",
        ),
        (
            "redirect to nowhere",
            Route::Redirect("http://".to_owned()),
            "Redirection",
        ),
        (
            "redirect to another scheme",
            Route::Redirect("ftp://127.0.0.1/ca.crl".to_owned()),
            "Redirection",
        ),
        (
            "redirect to https",
            Route::Redirect("https://127.0.0.1/ca.crl".to_owned()),
            "Redirection",
        ),
        (
            "stale",
            Route::Body(world.crl(
                "ca",
                "-crl_lastupdate 20260101000000Z -crl_nextupdate 20260201000000Z",
            )),
            "Stale",
        ),
        (
            "of another authority",
            Route::Body(world.crl("root", "-crldays 7")),
            "WrongIssuer",
        ),
    ]
}

#[test]
fn broken_list_services_are_told() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Crl);
    let rows = [broken_lists(&world), useless_lists(&world)].concat();
    assert!(rows.len() >= 16);
    for (name, route, expected) in rows {
        world.route("/ca.crl", route);
        let error = one_error(&world, MaterialOptions::default());
        assert_eq!(kind(&error), expected, "{name}: {error:?}");
        assert!(error.to_string().len() > 20, "{name}: {error}");
    }
}

#[test]
fn a_list_may_be_as_long_as_allowed_and_one_redirection_away() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Crl);
    let good = world.crl("ca", "-crldays 7");
    let limit = good.len() - 1;
    world.route("/ca.crl", Route::Body(good.clone()));
    let options = MaterialOptions {
        crl_bytes_max: limit,
        ..MaterialOptions::default()
    };
    // The list of the root is too long then, too.
    let collected = world.collect(&source(options), now());
    assert!(collected.crls.is_empty());
    let errors: Vec<_> = collected
        .failures
        .into_iter()
        .map(|failure| failure.error)
        .collect();
    assert!(
        errors.contains(&MaterialError::TooLong { limit }),
        "{errors:?}"
    );
    world.route("/redirected.crl", Route::Body(good));
    world.route(
        "/ca.crl",
        Route::Redirect(format!("{}/redirected.crl", world.address)),
    );
    assert_eq!(world.collect(&world.source(), now()).failures, []);
}

#[test]
fn a_service_that_never_answers_is_left_in_time() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Crl);
    world.route("/ca.crl", Route::Silence);
    let waited = Duration::from_millis(300);
    let options = MaterialOptions {
        exchange_wait_max: waited,
        ..MaterialOptions::default()
    };
    assert_eq!(
        one_error(&world, options),
        MaterialError::TimeOut { waited }
    );
    let options = MaterialOptions {
        whole_wait_max: waited,
        ..MaterialOptions::default()
    };
    assert_eq!(
        one_error(&world, options),
        MaterialError::TimeOut { waited }
    );
}

#[test]
fn broken_responders_are_told() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Both);
    // No list to fall back to.
    world.route("/ca.crl", Route::Status("404 Not Found"));
    let before = world.collect(&world.source(), now());
    let replayed = before.ocsp_responses[0].clone();
    let mut tampered = replayed.clone();
    let position = tampered.len() - 40;
    tampered[position] ^= 1;
    let rows: Vec<(&str, Route, &str)> = vec![
        (
            "an answer to another request",
            Route::Body(replayed.clone()),
            "NonceMismatch",
        ),
        (
            "try later",
            Route::Body(vec![0x30, 0x03, 0x0a, 0x01, 0x03]),
            "Responder",
        ),
        (
            "unauthorized",
            Route::Body(vec![0x30, 0x03, 0x0a, 0x01, 0x06]),
            "Responder",
        ),
        ("garbage", Route::Body(b"no".to_vec()), "Malformed"),
        (
            "truncated",
            Route::Body(replayed[..100].to_vec()),
            "Malformed",
        ),
        (
            "broken server",
            Route::Status("500 Internal Server Error"),
            "HttpStatus",
        ),
        (
            "too large",
            Route::Body(vec![0x30; 64 * 1024 + 1]),
            "TooLong",
        ),
        ("broken off", Route::Cut(vec![0x30]), "Interrupted"),
        (
            "redirect loop",
            Route::Redirect(format!("{}/ocsp", world.address)),
            "Redirection",
        ),
    ];
    for (name, route, expected) in rows {
        world.route("/ocsp", route);
        let collected = world.collect(&world.source(), now());
        assert!(collected.ocsp_responses.is_empty(), "{name}");
        let errors: Vec<String> = collected
            .failures
            .iter()
            .map(|failure| kind(&failure.error))
            .collect();
        assert_eq!(errors, [expected, "HttpStatus"], "{name}");
    }
}

#[test]
fn broken_addresses_of_issuers_are_told() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Both);
    let rows: Vec<(&str, Route, &str)> = vec![
        ("not there", Route::Status("404 Not Found"), "HttpStatus"),
        ("garbage", Route::Body(b"garbage".to_vec()), "Malformed"),
        (
            "another certificate",
            Route::Body(world.certificate("responder.pem")),
            "WrongIssuer",
        ),
    ];
    for (name, route, expected) in rows {
        world.route("/ca.p7c", route);
        let error = one_error(&world, MaterialOptions::default());
        assert_eq!(kind(&error), expected, "{name}: {error:?}");
    }
    // As a bare certificate it is as good.
    world.route("/ca.p7c", Route::Body(world.certificate("ca.pem")));
    let collected = world.collect(&world.source(), now());
    assert_eq!(collected.failures, []);
    assert_eq!(collected.certificates.len(), 1);
}
