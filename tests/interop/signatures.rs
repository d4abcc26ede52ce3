//! CAdES of ours judged by Bouncy Castle and EU DSS at each level, and CAdES of EU DSS judged by our verifier.
//!
//! The signing certificate is the archive's own and comes with a list of revoked certificates, and so do the authority's, so that EU DSS
//! judges by its own default policy from the level B-LT on. Below it nothing of this is in the signature: there, missing revocation data
//! is a warning (`without-revocation`).

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use formats::cms::{SignedData, SignerInfo};
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use formats::tsp::TimeStampToken;
use serde_json::Value;
use tests::peers::{Peers, Question};
use tests::programs;
use tests::world::put;

use crate::decades::{Decades, START};
use crate::evidence::{JUDGES, Judge, Said};

/// A detached signature, what it is over, whom to trust and when it is judged.
#[derive(Debug, Clone)]
struct Signature {
    file: PathBuf,
    content: PathBuf,
    trust: Vec<PathBuf>,
    time: String,
    policy: &'static str,
}

impl Signature {
    fn said_by(&self, judge: Judge, peers: &Peers) -> Said {
        match judge {
            Judge::BouncyCastle => {
                let answer = peers.ask(&self.question("bc-cades"));
                Said {
                    accepted: answer["accepted"] == true,
                    text: answer.to_string(),
                }
            }
            Judge::Dss => {
                let question = self.question("dss-cades").with("policy", self.policy);
                let answer = peers.ask(&question.with("time", &self.time));
                Said {
                    accepted: dss_passes(&answer),
                    text: answer.to_string(),
                }
            }
            Judge::Verifier => {
                let mut command = Command::new(programs::verifier());
                command.arg("verify").arg(&self.file);
                command.arg("--data").arg(&self.content);
                for trust in &self.trust {
                    command.arg("--trust").arg(trust);
                }
                let output = command.args(["--at", &self.time]).output();
                let output = output.expect("verifier starts");
                Said {
                    accepted: output.status.success(),
                    text: String::from_utf8_lossy(&output.stdout).into_owned(),
                }
            }
        }
    }

    fn question(&self, command: &str) -> Question {
        let question = Question::new(command)
            .file("signature", &self.file)
            .file("data", &self.content);
        self.trust
            .iter()
            .fold(question, |question, trust| question.file("trust", trust))
    }
}

/// DSS passes the one signature and each time-stamp in it, with a valid index of hashes where there is one.
pub(crate) fn dss_passes(answer: &Value) -> bool {
    let Some([signature]) = answer["signatures"].as_array().map(Vec::as_slice) else {
        return false;
    };
    let stamps = signature["time_stamps"].as_array().expect("a list");
    signature["indication"] == "TOTAL_PASSED"
        && signature["intact"] == true
        && stamps.iter().all(|stamp| {
            stamp["indication"] == "PASSED"
                && stamp["intact"] == true
                && stamp["hash_index_valid"] != false
        })
}

/// The levels, by our name and by that of EU DSS, and the policy under which DSS judges.
const LEVELS: [(&str, &str, &str); 5] = [
    ("B-B", "CAdES-BASELINE-B", "without-revocation"),
    ("B-T", "CAdES-BASELINE-T", "without-revocation"),
    ("ES-C", "CAdES-C", "without-revocation"),
    ("B-LT", "CAdES-BASELINE-LT", "default"),
    ("B-LTA", "CAdES-BASELINE-LTA", "default"),
];

#[test]
fn all_judges_accept_our_signatures_at_each_level_and_no_tampered_one() {
    let Some(decades) = Decades::begin("our CAdES judged by Bouncy Castle and EU DSS") else {
        return;
    };
    let record = deposit(&decades);
    for (level, name, policy) in LEVELS {
        let good = fetch(&decades, &record, level, policy);
        for judge in JUDGES {
            let said = good.said_by(judge, decades.peers);
            assert!(said.accepted, "{level}: {judge:?}: {}", said.text);
        }
        let question = good.question("dss-cades").with("policy", policy);
        let answer = decades.peers.ask(&question.with("time", &good.time));
        assert_eq!(answer["signatures"][0]["level"], name, "{answer}");
        expect_refused(level, &tampered(&good), decades.peers);
    }
}

#[test]
fn all_judges_accept_signatures_of_dss_at_each_level_and_no_tampered_one() {
    let Some(decades) = Decades::begin("CAdES of EU DSS judged by the verifier") else {
        return;
    };
    let content = decades.world.file("data.txt", b"signed by DSS\n");
    let named = |name: &str| decades.world.at(&format!("dss {name}.p7s"));
    let steps = [
        ("dss-sign", "B", "B", "without-revocation"),
        ("dss-sign", "T", "T", "without-revocation"),
        ("dss-sign", "LT", "LT", "default"),
        ("dss-sign", "LTA", "LTA", "default"),
        ("dss-extend", "LTA", "LTA again", "default"),
    ];
    for (command, level, name, policy) in steps {
        let make = Question::new(command)
            .with("authority", &decades.named("one"))
            .with("level", level)
            .file("data", &content)
            .file("signature", &named(level))
            .file("out", &named(name));
        decades.peers.order(&make);
        let good = Signature {
            file: named(name),
            content: content.clone(),
            trust: vec![decades.world.at("roots.pem")],
            time: START.to_owned(),
            policy,
        };
        for judge in JUDGES {
            let said = good.said_by(judge, decades.peers);
            assert!(said.accepted, "{name}: {judge:?}: {}", said.text);
        }
        expect_refused(name, &tampered(&good), decades.peers);
    }
}

/// No judge accepts any of these, save those that are known not to notice.
fn expect_refused(level: &str, tampered: &[(&str, Signature)], peers: &Peers) {
    for (what, tampered) in tampered {
        for judge in JUDGES {
            let said = tampered.said_by(judge, peers);
            let blind = judge == Judge::BouncyCastle && BLIND.contains(what);
            assert_eq!(
                said.accepted, blind,
                "{level}, {what}: {judge:?}: {}",
                said.text
            );
        }
    }
}

/// Bouncy Castle reads archive time-stamps as tokens only: what they cover is not its concern.
const BLIND: [&str; 1] = ["index of hashes"];

/// Deposits and stamps a document; gives its record.
fn deposit(decades: &Decades) -> String {
    decades.world.file("in/a.txt", b"to be signed\n");
    decades.ask_only("one");
    decades.run(START, &["deposit", "in", "--class", "general"]);
    decades.run(START, &["stamp"]);
    let hits = decades.run(START, &["search", "--text", "a.txt"]);
    hits[0]["record"].as_str().expect("a record id").to_owned()
}

/// A new signature of the archive at a level.
fn fetch(decades: &Decades, record: &str, level: &str, policy: &'static str) -> Signature {
    let world = &decades.world;
    let (file, content) = (format!("{level}.p7s"), format!("{level}.xml"));
    let make = ["signature", record, "-o", &file, "--content", &content];
    decades.run(START, &[make.as_slice(), &["--level", level]].concat());
    decades.run(
        START,
        &["keys", "signing", "trust-anchor", "-o", "signing.pem"],
    );
    Signature {
        file: world.at(&file),
        content: world.at(&content),
        trust: vec![world.at("signing.pem"), world.at("roots.pem")],
        time: START.to_owned(),
        policy,
    }
}

/// The signature with one byte changed: of the content, the signature value, the imprint of each time-stamp, and of what an archive
/// time-stamp covers beside.
fn tampered(good: &Signature) -> Vec<(&'static str, Signature)> {
    let bytes = fs::read(&good.file).expect("a signature");
    let parsed = SignedData::parse(&bytes).expect("a signature");
    let signer = &parsed.signers[0];
    let mut parts = vec![("signature value", signer.signature.clone())];
    for token in tokens(signer, &oid::SIGNATURE_TIME_STAMP) {
        parts.push((
            "imprint of the signature time-stamp",
            token.info.imprint.bytes.clone(),
        ));
    }
    for token in tokens(signer, &oid::ARCHIVE_TIME_STAMP_V3) {
        parts.push((
            "imprint of the archive time-stamp",
            token.info.imprint.bytes.clone(),
        ));
        parts.push(("index of hashes", indexed(&bytes, &parsed)));
    }
    let mut cases: Vec<_> = parts
        .into_iter()
        .map(|(what, part)| {
            let file = good.file.with_extension(format!("{what}.p7s"));
            put(&file, &flipped(&bytes, &part));
            (
                what,
                Signature {
                    file,
                    ..good.clone()
                },
            )
        })
        .collect();
    let content = good.content.with_extension("tampered.xml");
    let mut changed = fs::read(&good.content).expect("the content");
    *changed.last_mut().expect("a byte") ^= 1;
    put(&content, &changed);
    cases.push((
        "content",
        Signature {
            content,
            ..good.clone()
        },
    ));
    cases
}

/// The digest of a certificate as an index of hashes has it: each maker has its own algorithm.
fn indexed(bytes: &[u8], signature: &SignedData) -> Vec<u8> {
    let certificate = signature.x509_certificates().last();
    let certificate = certificate.expect("a certificate");
    let mut digests = [
        DigestAlgorithm::Sha512,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha256,
    ]
    .map(|algorithm| algorithm.digest(certificate).as_bytes().to_vec())
    .into_iter();
    let there = |digest: &Vec<u8>| bytes.windows(digest.len()).any(|part| part == digest);
    digests.find(there).expect("a digest of the certificate")
}

fn tokens(signer: &SignerInfo, oid: &Oid) -> Vec<TimeStampToken> {
    let values = signer.unsigned(oid).flat_map(|attribute| &attribute.values);
    values
        .map(|value| TimeStampToken::parse(value).expect("a token"))
        .collect()
}

/// The bytes with one bit of a part flipped, where it stands last.
fn flipped(bytes: &[u8], part: &[u8]) -> Vec<u8> {
    let mut places = bytes.windows(part.len());
    let at = places
        .rposition(|place| place == part)
        .expect("the part is there");
    let mut bytes = bytes.to_vec();
    bytes[at + part.len() / 2] ^= 1;
    bytes
}
