//! The seeds of the fuzzer, made here: run with `FUMIKURA_WRITE_CORPUS=1` after a format has changed.

use ::formats::asic::AsicReader;
use ::formats::der::{Tag, Writer};
use ::formats::digest::DigestAlgorithm;
use ::formats::package::{EVIDENCE_RECORD_MANIFEST, MANIFEST};
use time::macros::datetime;

use crate::corpus::root;
use crate::support::authority::{Authority, Profile};
use crate::support::log::{log_record, proof};
use crate::support::record::{ALGORITHM, RECEIVED, Record, batch, package, renew_time_stamp};
use crate::verifier::DATA;

fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let authority = Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    });
    let token = authority.token(&DigestAlgorithm::Sha256.digest(DATA), RECEIVED);
    let response = Writer::single(Tag::SEQUENCE, |w| {
        w.sequence(|w| {
            w.primitive(Tag::INTEGER, &[0]);
        });
        w.raw(&token);
    });
    let request = Writer::single(Tag::SEQUENCE, |w| {
        w.primitive(Tag::INTEGER, &[1]);
        w.sequence(|w| {
            w.sequence(|w| {
                w.oid(&DigestAlgorithm::Sha256.oid());
            });
            w.octet_string(&[0; 32]);
        });
    });
    let record = Record::new(1, &[("a.txt", DATA)]);
    let evidence = batch(&[record.group(ALGORITHM)], &authority, RECEIVED).remove(0);
    let evidence = renew_time_stamp(&evidence, &authority, datetime!(2026-12-01 00:00 UTC));
    let evidence = evidence.encode().unwrap();
    let container = package(&record, &evidence);
    let reader = AsicReader::open(&container).unwrap();
    let member = |name: &str| reader.entry(name).unwrap().read().unwrap().into_owned();
    let signature = authority.signature(DATA, true);
    let lines = log_record(2, b"one\ntwo\nthree\n");
    vec![
        ("certificate", "root.der", authority.root().to_vec()),
        ("certificate", "leaf.der", authority.certificate().to_vec()),
        ("path", "root.der", authority.root().to_vec()),
        ("path", "leaf.der", authority.certificate().to_vec()),
        ("crl", "good.der", authority.crl(RECEIVED, None)),
        ("tsp_token", "good.der", token.clone()),
        ("der", "good.der", token.clone()),
        ("cms", "token.der", token.clone()),
        ("cms", "signature.der", signature.clone()),
        ("tsp_response", "good.der", response.clone()),
        ("tsp_request", "good.der", request),
        ("evidence_record", "renewed.der", evidence.clone()),
        ("asic_container", "package.asice", container.clone()),
        (
            "asic_manifest",
            "record.xml",
            member(EVIDENCE_RECORD_MANIFEST),
        ),
        ("xml", "manifest.xml", member(EVIDENCE_RECORD_MANIFEST)),
        ("manifest", "record.json", member(MANIFEST)),
        (
            "line_proof",
            "lines.json",
            proof(&lines, 1, 2).encode().unwrap(),
        ),
        ("recognition", "package.asice", container.clone()),
        ("recognition", "token.der", token.clone()),
        ("verification", "package.asice", container),
        ("verification", "record.der", evidence),
        ("verification", "token.der", token),
        ("verification", "response.der", response),
        ("verification", "signature.der", signature),
    ]
}

#[test]
fn seeds_are_those_that_are_made_today() {
    for (target, name, bytes) in seeds() {
        let path = root().join("corpus").join(target).join(name);
        if std::env::var_os("FUMIKURA_WRITE_CORPUS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(path.is_file(), "{}", path.display());
    }
}
