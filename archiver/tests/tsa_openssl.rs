//! The embedded authority and OpenSSL understand each other (RFC 3161).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use archiver::tsa::checks::AcceptedToken;
use archiver::tsa::client::Timestamper;
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority, POLICY};
use archiver::tsa::refusal::{Refusal, TsaError};
use firmware::clock::{Clock, SystemClock};
use firmware::entropy::SeededEntropy;
use formats::digest::DigestAlgorithm;
use formats::x509::{encode_pem, read_certificates};
use support::client::client;
use support::openssl::{Authority, must, present, put, run};
use support::{send_reply, start};

/// `openssl ts -verify` judges certificates by the machine's clock, so this authority lives by it too.
fn authority() -> EmbeddedAuthority {
    let entropy = Arc::new(SeededEntropy::new(3));
    let clock = Arc::new(SystemClock);
    let material = AuthorityMaterial::make("test", clock.now(), entropy.as_ref()).unwrap();
    EmbeddedAuthority::new(material, clock, entropy).unwrap()
}

fn prepare(directory: &Path, authority: &EmbeddedAuthority) {
    let root = encode_pem("CERTIFICATE", authority.root());
    put(&directory.join("root.pem"), root.as_bytes());
    let certificate = encode_pem("CERTIFICATE", authority.certificate());
    put(&directory.join("tsa.pem"), certificate.as_bytes());
    put(&directory.join("data"), b"received 2026-11-22");
}

#[test]
fn openssl_accepts_every_token_of_the_embedded_authority() {
    if !present("openssl_accepts_every_token_of_the_embedded_authority") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let authority = authority();
    prepare(directory, &authority);
    for digest in [
        "sha256",
        "sha384",
        "sha512",
        "sha512-256",
        "sha3-256",
        "sha3-384",
        "sha3-512",
    ] {
        for (nonce, certificate, policy) in [
            ("", " -cert", ""),
            (" -no_nonce", " -cert", ""),
            ("", "", ""),
            (" -no_nonce", "", " -tspolicy 1.3.6.1.4.1.32473.1.1"),
        ] {
            let query =
                format!("ts -query -data data -{digest}{nonce}{certificate}{policy} -out q.tsq");
            must(directory, &query);
            let request = std::fs::read(directory.join("q.tsq")).unwrap();
            put(&directory.join("r.tsr"), &authority.respond(&request));
            let untrusted = if certificate.is_empty() {
                " -untrusted tsa.pem"
            } else {
                ""
            };
            let common = format!("-in r.tsr -CAfile root.pem{untrusted}");
            must(directory, &format!("ts -verify -queryfile q.tsq {common}"));
            must(directory, &format!("ts -verify -data data {common}"));
        }
    }
}

#[test]
fn openssl_reads_the_fields_of_a_token_and_sees_a_forged_one() {
    if !present("openssl_reads_the_fields_of_a_token_and_sees_a_forged_one") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let authority = authority();
    prepare(directory, &authority);
    must(directory, "ts -query -data data -sha256 -cert -out q.tsq");
    let request = std::fs::read(directory.join("q.tsq")).unwrap();
    let mut response = authority.respond(&request);
    put(&directory.join("r.tsr"), &response);
    let text = run(directory, "ts -reply -in r.tsr -text").stdout;
    let text = String::from_utf8(text).unwrap();
    for expected in [
        "Status: Granted.",
        &format!("Policy OID: {POLICY}"),
        "Hash Algorithm: sha256",
        "Accuracy: 0x01 seconds",
        "Nonce: 0x",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(response.len() < 1700, "{} bytes", response.len());
    let last = response.len() - 1;
    response[last] ^= 1;
    put(&directory.join("r.tsr"), &response);
    let verdict = run(
        directory,
        "ts -verify -queryfile q.tsq -in r.tsr -CAfile root.pem",
    );
    assert!(!verdict.status.success());
}

#[test]
fn openssl_reads_why_a_request_was_refused() {
    if !present("openssl_reads_why_a_request_was_refused") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let authority = authority();
    prepare(directory, &authority);
    for (query, reason) in [
        ("-sha1", "unrecognized or unsupported algorithm identifier"),
        (
            "-sha256 -tspolicy 1.2.3",
            "the requested TSA policy is not supported by the TSA",
        ),
    ] {
        must(
            directory,
            &format!("ts -query -data data {query} -out q.tsq"),
        );
        let request = std::fs::read(directory.join("q.tsq")).unwrap();
        put(&directory.join("r.tsr"), &authority.respond(&request));
        let text = String::from_utf8(run(directory, "ts -reply -in r.tsr -text").stdout).unwrap();
        assert!(
            text.contains("Status: Rejected.") && text.contains(reason),
            "{text}"
        );
    }
}

/// What the client says to an authority made with OpenSSL that signs with this key and digest; `None` where OpenSSL cannot.
fn outcome(key: &str, digest: &'static str) -> Option<Result<AcceptedToken, TsaError>> {
    let directory = tempfile::tempdir().unwrap();
    for (name, curve) in [
        ("p256", "prime256v1"),
        ("p384", "secp384r1"),
        ("p521", "secp521r1"),
    ] {
        must(
            directory.path(),
            &format!("ecparam -name {curve} -out {name}.pem"),
        );
    }
    let authority = Authority::make(directory.path(), key);
    let root = read_certificates(&authority.root_pem()).unwrap()[0]
        .raw()
        .to_vec();
    let able = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&able);
    let address = start(
        move |request, stream| match authority.reply_by(&request.body, digest) {
            Some(reply) => send_reply(stream, &reply),
            None => told.store(false, Ordering::SeqCst),
        },
    );
    let client = client(&format!("http://{address}"), root, SystemClock.now());
    let outcome = client.timestamp(&DigestAlgorithm::Sha256.digest(b"a root"));
    able.load(Ordering::SeqCst).then_some(outcome)
}

#[test]
fn answers_of_openssl_are_accepted() {
    if !present("answers_of_openssl_are_accepted") {
        return;
    }
    for (key, digest) in [
        ("rsa:2048", "sha256"),
        ("rsa:3072", "sha512"),
        ("ec:p256.pem", "sha256"),
        ("ec:p384.pem", "sha384"),
        ("ec:p521.pem", "sha512"),
        ("ed25519", "sha512"),
    ] {
        match outcome(key, digest) {
            Some(outcome) => assert!(outcome.unwrap().bytes().len() > 500, "{key}"),
            None => println!("left out: {key} (this openssl ts does not sign with it)"),
        }
    }
}

#[test]
fn weak_answers_of_openssl_are_refused() {
    if !present("weak_answers_of_openssl_are_refused") {
        return;
    }
    for (key, digest, name) in [
        ("rsa:1024", "sha256", "RSA"),
        ("rsa:2048", "sha1", "SHA-1"),
        ("rsa:2048", "md5", "MD5"),
    ] {
        let Some(outcome) = outcome(key, digest) else {
            println!("left out: {key} with {digest} (this openssl ts does not sign so)");
            continue;
        };
        let Err(TsaError::Refused(refusal @ Refusal::Algorithm(_))) = outcome else {
            panic!("{key} {digest}: {outcome:?}");
        };
        println!("{key} {digest}: {refusal}");
        assert!(refusal.to_string().contains(name), "{refusal}");
    }
}
