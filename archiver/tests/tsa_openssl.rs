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

use archiver::tsa::client::Timestamper;
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority, POLICY};
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

#[test]
fn answers_of_openssl_are_accepted() {
    if !present("answers_of_openssl_are_accepted") {
        return;
    }
    for key in ["rsa:2048", "ec:p256.pem"] {
        let directory = tempfile::tempdir().unwrap();
        must(directory.path(), "ecparam -name prime256v1 -out p256.pem");
        let authority = Authority::make(directory.path(), key);
        let root = read_certificates(&authority.root_pem()).unwrap()[0]
            .raw()
            .to_vec();
        let address =
            start(move |request, stream| send_reply(stream, &authority.reply(&request.body)));
        for algorithm in [
            DigestAlgorithm::Sha256,
            DigestAlgorithm::Sha384,
            DigestAlgorithm::Sha512,
        ] {
            let client = client(
                &format!("http://{address}"),
                root.clone(),
                SystemClock.now(),
            );
            let token = client.timestamp(&algorithm.digest(b"a root")).unwrap();
            assert!(token.bytes().len() > 500);
        }
    }
}
