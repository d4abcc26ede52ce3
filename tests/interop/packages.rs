//! A package with everything in it: two independent evidence records and a CAdES signature of the archive over the same document.

use std::path::Path;

use formats::package::{SECOND_EVIDENCE_RECORD, SIGNATURE, SIGNATURE_MANIFEST};
use serde_json::Value;
use tests::peers::Question;

use crate::decades::{Decades, START};
use crate::evidence::{Change, dss_passes_record, rewrite};
use crate::signatures::dss_passes;

/// When the package is handed over: the authorities asked then, and how many archive time-stamps its signature has afterwards.
const YEARS: [(&str, &str, &str, usize); 4] = [
    (START, "one", "beside", 0),
    // The grace period for revocations is over: the validation material and the first archive time-stamp come in.
    ("2027-06-01T00:00:00Z", "one", "beside", 1),
    ("2035-09-01T00:00:00Z", "two", "beside", 2),
    ("2045-09-01T00:00:00Z", "three", "aside", 3),
];

#[test]
fn dss_accepts_two_records_and_a_signature_in_one_package_over_decades() {
    let Some(decades) = Decades::begin("packages with a signature judged by EU DSS") else {
        return;
    };
    let world = &decades.world;
    world.file("in/lease.txt", b"the contract\n");
    decades.ask_both("one", "beside");
    let deposit = ["deposit", "in/lease.txt", "--class", "contract"];
    let meta = [
        "--meta",
        "date=2027-02-01",
        "--meta",
        "title=Lease",
        "--meta",
        "counterparty=Somebody",
    ];
    decades.run(START, &[deposit.as_slice(), &meta].concat());
    decades.run(START, &["stamp"]);
    let anchor = ["keys", "signing", "trust-anchor", "-o", "signing.pem"];
    decades.run(START, &anchor);
    for (time, first, second, archive_time_stamps) in YEARS {
        decades.ask_both(first, second);
        if time != START {
            decades.run(time, &["renew"]);
        }
        let hits = decades.run(time, &["search", "--text", "lease"]);
        let record = hits[0]["record"].as_str().expect("a record id");
        decades.run(time, &["evidence", record, "-o", "lease.asice"]);
        // Revocation data of the signer is in the signature from the level ES-X Long on.
        let policy = match archive_time_stamps {
            0 => "without-revocation",
            _ => "default",
        };
        let good = world.at("lease.asice");
        let answer = expect_judged(&decades, &good, (time, policy), true);
        let records = answer["records"].as_array().map(Vec::len);
        assert_eq!(records, Some(2), "{answer}");
        let stamps = answer["signatures"][0]["time_stamps"].as_array();
        let found = stamps.expect("a list").iter();
        let found = found.filter(|stamp| stamp["type"] == "ARCHIVE_TIMESTAMP");
        assert_eq!(found.count(), archive_time_stamps, "{answer}");
        for (what, change) in CHANGES {
            let tampered = world.at(&format!("{what} of {time}.asice"));
            rewrite(&good, &tampered, change);
            expect_judged(&decades, &tampered, (time, policy), false);
        }
    }
}

/// One byte changed, in each of the members that prove something or are proven.
const CHANGES: [(&str, Change<'static>); 4] = [
    ("document", &|name, bytes| {
        Some(flipped_if(name.starts_with("documents/"), bytes))
    }),
    ("signature", &|name, bytes| {
        Some(if name == SIGNATURE {
            with_another_digest(bytes)
        } else {
            bytes
        })
    }),
    ("manifest of the signature", &|name, bytes| {
        Some(flipped_if(name == SIGNATURE_MANIFEST, bytes))
    }),
    ("second evidence record", &|name, bytes| {
        Some(flipped_if(name == SECOND_EVIDENCE_RECORD, bytes))
    }),
];

fn flipped_if(wanted: bool, mut bytes: Vec<u8>) -> Vec<u8> {
    if wanted {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    bytes
}

/// A CMS whose first message-digest attribute (RFC 5652 §11.2) has another value. A byte in the middle could be one that nobody signed.
fn with_another_digest(mut bytes: Vec<u8>) -> Vec<u8> {
    let attribute = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04,
    ];
    let at = bytes
        .windows(attribute.len())
        .position(|window| window == attribute)
        .expect("a message digest");
    // SET and OCTET STRING have two octets of header each.
    bytes[at + attribute.len() + 4] ^= 1;
    bytes
}

/// Judges a package by EU DSS and by the verifier. Gives what DSS said.
fn expect_judged(
    decades: &Decades,
    package: &Path,
    (time, policy): (&str, &str),
    accepted: bool,
) -> Value {
    let [roots, signing] = ["roots.pem", "signing.pem"].map(|name| decades.world.at(name));
    let question = Question::new("dss-asic")
        .file("file", package)
        .file("trust", &roots)
        .file("trust", &signing)
        .with("time", time)
        .with("policy", policy);
    let answer = decades.peers.ask(&question);
    let passed = dss_passes(&answer) && dss_passes_record(&answer, 2);
    assert_eq!(passed, accepted, "{}: {answer}", package.display());
    let name = package.to_str().expect("a path");
    let trust = ["--trust", "roots.pem", "--trust", "signing.pem"];
    let verify = ["verify", name, "--at", time];
    let run = decades.world.verifier([verify, trust].concat());
    assert_eq!(run.code == 0, accepted, "{name}: {}", run.stdout);
    answer
}
