//! Forged and genuine ID tokens, signed here: what proves who somebody is, and what does not.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::config::SecretPlace;

const NOW: OffsetDateTime = datetime!(2030-04-01 09:00:30.5 UTC);
const BEGUN: OffsetDateTime = datetime!(2030-04-01 09:00:00.7 UTC);
const NONCE: &str = "the-nonce-of-this-log-in";

fn config() -> OpenidConfig {
    OpenidConfig {
        issuer: "https://id.example".to_owned(),
        client_id: "fumikura".to_owned(),
        client_secret: SecretPlace::Credential("openid".to_owned()),
        public_url: "https://archive.example".to_owned(),
        label: "Example".to_owned(),
        scopes: Vec::new(),
        account_claim: "sub".to_owned(),
        acr: Vec::new(),
        amr: Vec::new(),
        tls_roots: None,
        clock_skew_seconds: 0,
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// The key set of a provider that signs with these keys: key id and seed.
fn keys(of: &[(&str, u8)]) -> CoreJsonWebKeySet {
    let keys = of.iter().map(|(id, seed)| {
        let point = key(*seed).verifying_key().to_sec1_point(false);
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
            "x": part(point.x().unwrap()), "y": part(point.y().unwrap()),
        })
    });
    let keys: Vec<_> = keys.collect();
    serde_json::from_value(json!({ "keys": keys })).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "fumikura", "sub": "u-1001", "nonce": NONCE,
        "iat": NOW.unix_timestamp(), "exp": NOW.unix_timestamp() + 300,
        "acr": "phr", "amr": ["pwd", "mfa"], "preferred_username": "hanako",
    })
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(head: &Value, claims: &Value, seed: u8) -> String {
    let text = format!("{}.{}", encoded(head), encoded(claims));
    let signature: Signature = key(seed).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn token(claims: &Value) -> String {
    signed(&json!({ "alg": "ES256", "kid": "a" }), claims, 1)
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut claims = claims();
    for (name, value) in changes {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        } else {
            claims[*name] = value.clone();
        }
    }
    claims
}

fn judged(token: &str, config: &OpenidConfig, now: OffsetDateTime) -> Result<String, TokenFault> {
    let expected = Expected {
        config,
        nonce: NONCE,
        begun_at: BEGUN,
    };
    judge(token, &keys(&[("a", 1), ("b", 2)]), expected, now)
}

#[test]
fn a_genuine_token_names_the_person_by_the_configured_claim() {
    let mut config = config();
    assert_eq!(judged(&token(&claims()), &config, NOW), Ok("u-1001".into()));
    config.account_claim = "preferred_username".to_owned();
    assert_eq!(judged(&token(&claims()), &config, NOW), Ok("hanako".into()));
    let (iat, aud) = (json!(BEGUN.unix_timestamp()), json!(["fumikura"]));
    let earliest = token(&with(&[
        ("iat", iat),
        ("aud", aud),
        ("azp", "fumikura".into()),
    ]));
    assert_eq!(judged(&earliest, &config, NOW), Ok("hanako".into()));
}

#[test]
fn a_token_that_was_made_for_something_else_proves_nothing() {
    let (early, late) = (BEGUN.unix_timestamp() - 1, NOW.unix_timestamp() + 1);
    for (name, value, fault) in [
        ("nonce", json!("another"), TokenFault::Nonce),
        ("nonce", Value::Null, TokenFault::Nonce),
        ("aud", json!("somebody"), TokenFault::Audience),
        ("aud", json!(["fumikura", "somebody"]), TokenFault::Audience),
        ("aud", json!([]), TokenFault::Audience),
        ("azp", json!("somebody"), TokenFault::Audience),
        ("iss", json!("https://id.example/"), TokenFault::Issuer),
        ("iss", json!("https://evil.example"), TokenFault::Issuer),
        ("exp", json!(NOW.unix_timestamp()), TokenFault::Expired),
        ("exp", Value::Null, TokenFault::Malformed),
        ("iat", json!(early), TokenFault::Untimely),
        ("iat", json!(late), TokenFault::Untimely),
        ("nbf", json!(late), TokenFault::Untimely),
        ("nbf", json!("now"), TokenFault::Untimely),
    ] {
        let token = token(&with(&[(name, value.clone())]));
        let found = judged(&token, &config(), NOW);
        assert_eq!(found, Err(fault), "{name} {value}");
    }
}

#[test]
fn a_signature_counts_by_a_key_of_the_provider_and_of_no_secret() {
    let claims = claims();
    let head = json!({ "alg": "ES256", "kid": "a" });
    let genuine = token(&claims);
    let (text, signature) = genuine.rsplit_once('.').unwrap();
    let none = format!(
        "{}.{}.",
        encoded(&json!({ "alg": "none" })),
        encoded(&claims)
    );
    let other = encoded(&with(&[("sub", "u-0".into())]));
    let moved = format!("{}.{other}.{signature}", encoded(&head));
    let shared = format!(
        "{}.{}.{signature}",
        encoded(&json!({ "alg": "HS256" })),
        encoded(&claims)
    );
    for (token, fault) in [
        (none, TokenFault::Signature),
        (moved, TokenFault::Signature),
        (shared, TokenFault::Signature),
        (format!("{text}."), TokenFault::Signature),
        (signed(&head, &claims, 3), TokenFault::Signature),
        (
            signed(&json!({ "alg": "ES256", "kid": "c" }), &claims, 3),
            TokenFault::UnknownKey,
        ),
        (
            signed(&json!({ "alg": "RS256", "kid": "a" }), &claims, 1),
            TokenFault::UnknownKey,
        ),
        (text.to_owned(), TokenFault::Malformed),
        (String::new(), TokenFault::Malformed),
        ("..".to_owned(), TokenFault::Malformed),
    ] {
        assert_eq!(judged(&token, &config(), NOW), Err(fault), "{token}");
    }
    let rotated = signed(&json!({ "alg": "ES256", "kid": "b" }), &claims, 2);
    assert_eq!(judged(&rotated, &config(), NOW), Ok("u-1001".into()));
}

#[test]
fn clocks_may_differ_by_the_skew_and_no_more() {
    let mut config = config();
    config.clock_skew_seconds = 10;
    let genuine = token(&claims());
    let end = datetime!(2030-04-01 09:05:30 UTC);
    for (now, is_good) in [
        (end + Duration::seconds(9), true),
        (end + Duration::seconds(10), false),
        (NOW - Duration::seconds(10), true),
        (NOW - Duration::seconds(11), false),
    ] {
        assert_eq!(judged(&genuine, &config, now).is_ok(), is_good, "{now}");
    }
}

#[test]
fn how_somebody_was_authenticated_must_be_enough() {
    let mut config = config();
    config.acr = vec!["phrh".to_owned(), "phr".to_owned()];
    config.amr = vec!["mfa".to_owned()];
    let found = judged(&token(&claims()), &config, NOW);
    assert_eq!(found, Ok("u-1001".into()));
    for (name, value) in [
        ("acr", json!("0")),
        ("acr", Value::Null),
        ("amr", json!(["pwd"])),
        ("amr", json!([])),
        ("amr", Value::Null),
    ] {
        let token = token(&with(&[(name, value)]));
        let found = judged(&token, &config, NOW);
        assert_eq!(found, Err(TokenFault::Authentication), "{name}");
    }
}

#[test]
fn a_claim_that_names_nobody_lets_nobody_in() {
    let mut config = config();
    for (claim, changes) in [
        ("upn", vec![]),
        ("upn", vec![("upn", json!(7))]),
        ("upn", vec![("upn", json!(" "))]),
        ("email", vec![("email", json!("a@example.jp"))]),
    ] {
        config.account_claim = claim.to_owned();
        let fault = TokenFault::NoAccount {
            claim: claim.to_owned(),
        };
        let token = token(&with(&changes));
        assert_eq!(judged(&token, &config, NOW), Err(fault), "{changes:?}");
    }
    let mail = [
        ("email", json!("a@example.jp")),
        ("email_verified", json!(true)),
    ];
    let found = judged(&token(&with(&mail)), &config, NOW);
    assert_eq!(found, Ok("a@example.jp".into()));
}
