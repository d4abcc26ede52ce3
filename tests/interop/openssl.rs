//! OpenSSL accepts our tokens, and we accept those of OpenSSL (RFC 3161).

use std::fs;
use std::path::Path;

use firmware::clock::{Clock, SystemClock};
use formats::asic::AsicReader;
use formats::evidence::EvidenceRecord;
use formats::evidence::hash_tree::root_of;
use formats::package::EVIDENCE_RECORD;
use formats::x509::read_certificates;
use tests::authority::{EmbeddedAuthority, OpenSslAuthority, has_openssl, openssl};
use tests::flips::flip_each;
use tests::http::{Answer, ask, serve};
use tests::random::Random;
use tests::world::{World, put};
use verifier::context::Context;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::{DataBytes, InputFile};

/// The digest algorithms that are asked for in both directions.
const DIGESTS: [&str; 3] = ["-sha256", "-sha384", "-sha512"];

const SEED: u64 = 0x6f70_656e;

#[test]
fn openssl_accepts_what_the_embedded_authority_serves() {
    if !has_openssl("tokens of the embedded authority judged by OpenSSL") {
        return;
    }
    let world = World::new();
    world.file("data.txt", b"what existed");
    world.file("other.txt", b"what did not");
    let anchors = ["tsa", "trust-anchors", "-o", "root.pem"];
    world.archiver(anchors).expect_code(0);
    let authority = EmbeddedAuthority::serve(&world);
    for digest in DIGESTS {
        let query = format!("ts -query -data data.txt {digest} -cert -out q.tsq");
        must(world.path(), &query);
        let request = fs::read(world.at("q.tsq")).expect("a request");
        world.file("r.tsr", &ask(authority.url(), &request));
        must(
            world.path(),
            "ts -verify -queryfile q.tsq -in r.tsr -CAfile root.pem",
        );
        must_not(
            world.path(),
            "ts -verify -data other.txt -in r.tsr -CAfile root.pem",
        );
        expect_verdict(&world, "r.tsr", "data.txt", "root.pem", 0);
        expect_verdict(&world, "r.tsr", "other.txt", "root.pem", 1);
    }
}

#[test]
fn tokens_of_openssl_pass_and_changed_ones_do_not() {
    if !has_openssl("tokens of OpenSSL judged by the verifier") {
        return;
    }
    for key in ["rsa:2048", "rsa:4096", "ec:curve.pem"] {
        let world = World::empty();
        world.file("data.txt", b"what existed");
        world.file("other.txt", b"what did not");
        let authority = OpenSslAuthority::make(world.path(), "Root", key);
        let stranger = OpenSslAuthority::make(&folder(&world, "stranger"), "Stranger", key);
        let stranger = stranger.root().display().to_string();
        let namesake = OpenSslAuthority::make(&folder(&world, "namesake"), "Root", key);
        let namesake = namesake.root().display().to_string();
        for digest in DIGESTS {
            let query = format!("ts -query -data data.txt {digest} -cert -out q.tsq");
            must(world.path(), &query);
            let request = fs::read(world.at("q.tsq")).expect("a request");
            let reply = authority.reply(&request);
            world.file("r.tsr", &reply);
            must(world.path(), "ts -reply -in r.tsr -token_out -out t.tst");
            for file in ["r.tsr", "t.tst"] {
                expect_verdict(&world, file, "data.txt", "root.pem", 0);
                expect_verdict(&world, file, "other.txt", "root.pem", 1);
                expect_verdict(&world, file, "data.txt", &stranger, 2);
                // A root that only has the right name decides nothing: another root may be the right one (EN 319 102-1 §5.2.6).
                expect_verdict(&world, file, "data.txt", &namesake, 2);
            }
        }
        expect_flips_found(&world, key);
    }
}

#[test]
fn an_archive_stamps_with_an_openssl_authority() {
    if !has_openssl("an archive whose authority is OpenSSL") {
        return;
    }
    let world = World::new();
    world.file("in/a.txt", b"a");
    let authority = OpenSslAuthority::make(&folder(&world, "authority"), "Root", "rsa:3072");
    let url = serve(move |request| Answer::reply(authority.reply(&request)));
    crate::name_authority(&world, &url, "authority/root.pem", "1.3.6.1.4.1.32473.7");
    crate::hand_over(&world, "a.txt");
    world.archiver(["verify"]).expect_code(0);
    let verify = ["verify", "e.asice", "--trust", "authority/root.pem"];
    world.verifier(verify).expect_code(0);
    openssl_accepts_the_package(&world, "authority/root.pem");
}

#[test]
fn openssl_accepts_the_token_in_an_evidence_package() {
    if !has_openssl("tokens in evidence packages judged by OpenSSL") {
        return;
    }
    openssl_accepts_the_package(&crate::handover(), "a.pem");
}

/// Takes the token and the root of its hash tree out of `e.asice` and gives them to OpenSSL.
fn openssl_accepts_the_package(world: &World, trust: &str) {
    let package = fs::read(world.at("e.asice")).expect("a package");
    let reader = AsicReader::open(&package).expect("a container");
    let record = reader.entry(EVIDENCE_RECORD).expect("an evidence record");
    let record = EvidenceRecord::parse(&record.read().expect("content")).expect("a record");
    let (_, _, stamp) = record.time_stamps().next().expect("a timestamp");
    world.file("t.tst", &stamp.time_stamp);
    let imprint = &stamp.token().expect("a token").info.imprint;
    let algorithm = imprint.algorithm.digest_algorithm().expect("an algorithm");
    let digest = match stamp.reduced_hash_tree.as_deref() {
        Some(tree) => root_of(algorithm, tree).expect("a root").to_hex(),
        None => hex::encode(&imprint.bytes),
    };
    let verify =
        |digest: &str| format!("ts -verify -digest {digest} -in t.tst -token_in -CAfile {trust}");
    must(world.path(), &verify(&digest));
    let other = "55".repeat(algorithm.len());
    must_not(world.path(), &verify(&other));
}

/// One bit of each byte of `t.tst`, flipped alone: the verifier never passes it.
fn expect_flips_found(world: &World, key: &str) {
    let token = fs::read(world.at("t.tst")).expect("a token");
    let root = fs::read(world.at("root.pem")).expect("a root");
    let root = read_certificates(&root).expect("a certificate");
    let anchors = [TrustAnchor::from_certificate(root[0].raw()).expect("a trust anchor")];
    let policy = Policy::default();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: SystemClock.now(),
        cache: None,
        registry: None,
    };
    let mut random = Random::new(SEED);
    let bits = (0..token.len()).map(|byte| byte * 8 + usize::try_from(random.below(8)).unwrap());
    let bits: Vec<usize> = bits.collect();
    flip_each(
        &format!("token of OpenSSL, {key}"),
        &token,
        &bits,
        |bytes| {
            let data = DataBytes::new("data.txt", b"what existed".as_slice());
            verify(&[InputFile::new("t.tst", bytes)], &[&data], &context)
        },
    );
}

fn expect_verdict(world: &World, token: &str, data: &str, trust: &str, code: i32) {
    let run = world.verifier(["verify", token, "--data", data, "--trust", trust]);
    assert_eq!(run.code, code, "{token} {data} {trust}: {}", run.stdout);
}

fn folder(world: &World, name: &str) -> std::path::PathBuf {
    put(&world.at(name).join("readme"), b"");
    world.at(name)
}

fn must(folder: &Path, arguments: &str) {
    let (done, said) = openssl(folder, arguments);
    assert!(done, "openssl {arguments}: {said}");
}

fn must_not(folder: &Path, arguments: &str) {
    let (done, said) = openssl(folder, arguments);
    assert!(!done, "openssl {arguments}: {said}");
}
