//! Bouncy Castle and EU DSS accept our tokens, evidence records and packages, and refuse tampered ones.
//!
//! The certificates of the embedded authority name no revocation service, and EU DSS asks for revocation data of every
//! certificate but the root. Where they are judged, that one rule of its policy is a warning (`without-revocation`); without
//! that, DSS says `INDETERMINATE`, which a test shows. Everything else is DSS's own default policy.

use std::path::{Path, PathBuf};

use formats::digest::DigestAlgorithm;
use formats::package::{EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, MANIFEST};
use formats::tsp::{MessageImprint, TimeStampRequest, TimeStampResponse};
use serde_json::Value;
use tests::authority::EmbeddedAuthority;
use tests::http::{Answer, ask};
use tests::peers::{Peers, Question};
use tests::world::{World, put};

use crate::evidence::{Change, Evidence, Judge, Tampered, dss_passes_record, rewrite, tampered};

const EMBEDDED: &str = "without-revocation";
/// The policy of Bouncy Castle's authorities.
pub(crate) const POLICY: &str = "1.3.6.1.4.1.32473.2.1";

#[test]
fn both_accept_our_tokens_and_refuse_tampered_ones() {
    let Some(peers) = Peers::found("our tokens judged by Bouncy Castle and EU DSS") else {
        return;
    };
    let world = World::new();
    let data = world.file("data.txt", b"what existed");
    let other = world.file("other.txt", b"what did not");
    let stranger = stranger(&world, peers);
    let anchors = ["tsa", "trust-anchors", "-o", "root.pem"];
    world.archiver(anchors).expect_code(0);
    let root = world.at("root.pem");
    let authority = EmbeddedAuthority::serve(&world);
    for algorithm in [
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ] {
        let bytes = token(&authority, algorithm, b"what existed");
        let good = world.file("t.tst", &bytes);
        let mut damaged = bytes;
        *damaged.last_mut().expect("a byte") ^= 1;
        let damaged = world.file("damaged.tst", &damaged);
        let judge = |token: &Path, data: &Path, trust: &Path, accepted: bool| {
            let what = |command: &str| {
                Question::new(command)
                    .file("token", token)
                    .file("data", data)
                    .file("trust", trust)
                    .with("policy", EMBEDDED)
            };
            peers.expect(&what("bc-token"), accepted);
            let answer = peers.ask(&what("dss-token"));
            let passed = answer["time_stamps"][0]["indication"] == "PASSED";
            assert_eq!(passed, accepted, "{token:?} {data:?}: {answer}");
        };
        judge(&good, &data, &root, true);
        judge(&good, &other, &root, false);
        judge(&damaged, &data, &root, false);
        judge(&good, &data, &stranger, false);
    }
}

#[test]
fn both_accept_our_evidence_records_and_refuse_tampered_ones() {
    let Some(peers) = Peers::found("our evidence records judged by Bouncy Castle and EU DSS")
    else {
        return;
    };
    let (world, good, other) = two_batches();
    good.expect_accepted("a record as it was handed over", peers);
    other.expect_accepted("a record alone under its token", peers);
    // One member of the group is enough for both; who gets only the document can check it, too.
    for data in &good.data {
        let data = vec![data.clone()];
        let alone = Evidence {
            data,
            ..good.clone()
        };
        alone.expect_accepted("one member of the group", peers);
    }
    let mut cases = tampered(&good, &other);
    cases.push(Tampered {
        what: "trust in somebody else only".to_owned(),
        evidence: Evidence {
            trust: vec![stranger(&world, peers)],
            ..good.clone()
        },
        blind: &[],
    });
    Evidence::expect_refused(&cases, peers);
}

#[test]
fn dss_misses_nothing_but_revocation_data_of_the_embedded_authority() {
    let Some(peers) = Peers::found("evidence judged by EU DSS with its own policy") else {
        return;
    };
    let (_world, mut good, _) = two_batches();
    good.policy = "default";
    let said = good.said_by(Judge::Dss, peers);
    assert!(!said.accepted, "{}", said.text);
    let answer: Value = serde_json::from_str(&said.text).expect("JSON");
    let stamp = &answer["records"][0]["time_stamps"][0];
    assert_eq!(stamp["indication"], "INDETERMINATE");
    let errors = stamp["errors"].as_array().expect("a list");
    let errors: Vec<_> = errors.iter().filter_map(Value::as_str).collect();
    let expected = [
        "The certificate validation is not conclusive!",
        "No revocation data found for the certificate!",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn dss_accepts_our_packages_and_refuses_tampered_ones() {
    let Some(peers) = Peers::found("our packages judged by EU DSS") else {
        return;
    };
    let (world, _, other) = two_batches();
    let package = world.at("one.asice");
    let answer = judge_package(peers, &world, &package);
    assert!(dss_passes_record(&answer, 2), "{answer}");
    let foreign = std::fs::read(&other.record).expect("a record");
    let flip = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    let changes: [(&str, Change<'_>); 6] = [
        ("the document changed", &|name, bytes| match name {
            name if name.starts_with("documents/") => Some(flip(bytes)),
            _ => Some(bytes),
        }),
        ("the record's manifest changed", &|name, bytes| match name {
            MANIFEST => Some(flip(bytes)),
            _ => Some(bytes),
        }),
        (
            "a digest in the container's manifest changed",
            &|name, bytes| match name {
                EVIDENCE_RECORD_MANIFEST => Some(other_digest(&bytes)),
                _ => Some(bytes),
            },
        ),
        ("the document taken out", &|name, bytes| {
            (!name.starts_with("documents/")).then_some(bytes)
        }),
        (
            "the record of another document put in",
            &|name, bytes| match name {
                EVIDENCE_RECORD => Some(foreign.clone()),
                _ => Some(bytes),
            },
        ),
        ("the evidence record changed", &|name, bytes| match name {
            EVIDENCE_RECORD => Some(flip(bytes)),
            _ => Some(bytes),
        }),
    ];
    let untouched = world.at("untouched.asice");
    rewrite(&package, &untouched, &|_, bytes| Some(bytes));
    assert!(dss_passes_record(
        &judge_package(peers, &world, &untouched),
        2
    ));
    for (what, change) in changes {
        let tampered = world.at("tampered.asice");
        rewrite(&package, &tampered, change);
        let answer = judge_package(peers, &world, &tampered);
        assert!(!dss_passes_record(&answer, 2), "{what}: {answer}");
        let verify = ["verify", "tampered.asice", "--trust", "a.pem"];
        assert_ne!(world.verifier(verify).code, 0, "{what}");
    }
}

#[test]
fn what_an_authority_with_revocation_lists_stamped_passes_the_own_policy_of_dss() {
    let Some(peers) = Peers::found("an archive whose authority is Bouncy Castle") else {
        return;
    };
    let world = World::new();
    let authority = format!("authority of {}", world.path().display());
    let make = Question::new("authority")
        .with("name", &authority)
        .with("from", "2020-01-01T00:00:00Z")
        .with("to", "2050-01-01T00:00:00Z")
        .with("list", "in-tokens");
    peers.order(&make.file("root", &world.at("root.pem")));
    let url = serve(peers, &world, &authority);
    crate::name_authority(&world, &url, "root.pem", POLICY);
    for name in ["a.txt", "b.txt", "c.txt"] {
        world.file(&format!("in/{name}"), name.as_bytes());
    }
    crate::hand_over(&world, "b.txt");
    world.archiver(["verify"]).expect_code(0);
    let root = world.at("root.pem");
    let good = Evidence::unpack(&world.at("e.asice"), &world.at("unpacked"), &root);
    good.expect_accepted("stamped by Bouncy Castle", peers);
    let question = Question::new("dss-asic")
        .file("file", &world.at("e.asice"))
        .file("trust", &root);
    let answer = peers.ask(&question);
    assert!(dss_passes_record(&answer, 2), "{answer}");
}

/// An authority of Bouncy Castle behind HTTP.
fn serve(peers: &'static Peers, world: &World, authority: &str) -> String {
    let (request, answer) = (world.at("request.tsq"), world.at("answer.tsr"));
    let reply = Question::new("reply")
        .with("authority", authority)
        .file("request", &request)
        .file("out", &answer);
    tests::http::serve(move |bytes| {
        put(&request, &bytes);
        peers.order(&reply);
        Answer::reply(std::fs::read(&answer).expect("an answer"))
    })
}

/// The first digest value of a container's manifest, made another one.
fn other_digest(manifest: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(manifest).expect("XML");
    let at = text.find("<ds:DigestValue>").expect("a digest") + "<ds:DigestValue>".len();
    let mut bytes = manifest.to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    bytes
}

fn judge_package(peers: &Peers, world: &World, package: &Path) -> Value {
    let question = Question::new("dss-asic")
        .file("file", package)
        .file("trust", &world.at("a.pem"))
        .with("policy", EMBEDDED);
    peers.ask(&question)
}

/// An archive with five records under one token, of which one is handed over, and another one alone under the next.
fn two_batches() -> (World, Evidence, Evidence) {
    let world = World::new();
    for number in 0..5 {
        let text = format!("document {number}\n").repeat(40);
        world.file(&format!("in/{number}.txt"), text.as_bytes());
    }
    crate::hand_over_as(&world, "in", "3.txt", "one.asice");
    world.file("later/other.txt", b"another document\n");
    crate::hand_over_as(&world, "later", "other.txt", "two.asice");
    let unpack = |package: &str, folder: &str| {
        let trust = world.at("a.pem");
        let unpacked = Evidence::unpack(&world.at(package), &world.at(folder), &trust);
        Evidence {
            policy: EMBEDDED,
            ..unpacked
        }
    };
    let (one, two) = (unpack("one.asice", "one"), unpack("two.asice", "two"));
    (world, one, two)
}

/// The root of an authority that has nothing to do with the archive.
fn stranger(world: &World, peers: &Peers) -> PathBuf {
    let root = world.at("stranger.pem");
    let make = Question::new("authority")
        .with("name", "stranger")
        .with("from", "2020-01-01T00:00:00Z")
        .with("to", "2050-01-01T00:00:00Z");
    peers.order(&make.file("root", &root));
    root
}

fn token(authority: &EmbeddedAuthority, algorithm: DigestAlgorithm, data: &[u8]) -> Vec<u8> {
    let request = TimeStampRequest {
        version: 1,
        imprint: MessageImprint::of(&algorithm.digest(data)),
        policy: None,
        nonce: None,
        certificate_wanted: true,
        extensions: Vec::new(),
    };
    let answer = ask(authority.url(), &request.encode());
    let answer = TimeStampResponse::parse(&answer).expect("an answer");
    answer.token.clone().expect("a token")
}
