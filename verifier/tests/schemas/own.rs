//! Reports about evidence made here.

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::finding::{Language, Severity};
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::{Report, UsedRole, etsi, json};
use verifier::source::{DataBytes, DigestSource, InputFile};

use crate::schema::{EtsiSchema, JsonSchema};
use crate::support::authority::{Authority, Profile};
use crate::support::judging;
use crate::support::record::{
    ALGORITHM, RECEIVED, Record, batch, package, renew_time_stamp, renew_tree,
};

const NOW: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

fn judge(files: &[(&str, Vec<u8>)], data: &[&str], anchors: &[TrustAnchor]) -> Report {
    let policy = Policy::default();
    let files: Vec<InputFile<'_>> = files
        .iter()
        .map(|(name, bytes)| InputFile::new(*name, bytes.as_slice()))
        .collect();
    let data: Vec<DataBytes<'_>> = data
        .iter()
        .map(|text| DataBytes::new(*text, text.as_bytes()))
        .collect();
    let sources: Vec<&dyn DigestSource> =
        data.iter().map(|data| data as &dyn DigestSource).collect();
    verify(&files, &sources, &judging(anchors, &policy, NOW))
}

/// A package whose record was renewed in time and in its tree.
fn renewed(record: &Record) -> Vec<u8> {
    let evidence = batch(&[record.group(ALGORITHM)], &authority(), RECEIVED).remove(0);
    let evidence = renew_time_stamp(&evidence, &authority(), datetime!(2026-12-01 00:00 UTC));
    let group = record.group(DigestAlgorithm::Sha512);
    let again = datetime!(2027-01-01 00:00 UTC);
    let evidence = renew_tree(&evidence, &group, false, &authority(), again);
    evidence.encode().unwrap()
}

fn reports() -> Vec<(String, Report)> {
    let record = Record::new(
        1,
        &[("請求書.xml", b"<Invoice/>".as_slice()), ("b.txt", b"b")],
    );
    let evidence = renewed(&record);
    let good = package(&record, &evidence);
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let mut tampered = good.clone();
    let place = good
        .windows(10)
        .position(|bytes| bytes == b"<Invoice/>")
        .unwrap();
    tampered[place + 1] = b'i';
    let token = authority().token(&DigestAlgorithm::Sha256.digest(b"x"), RECEIVED);
    let mut broken = token.clone();
    *broken.last_mut().unwrap() ^= 1;
    let signature = authority().signature(b"[it]", true);
    let mut altered = signature.clone();
    let place = signature.windows(4).position(|bytes| bytes == b"[it]");
    altered[place.unwrap()] ^= 1;
    let unbound = authority().signature(b"x", false);
    let anchors = [authority().anchor()];
    let odd = "a\u{1}\"<&'>\u{fffe}\n請.tst";
    let cases = [
        (
            "good package",
            judge(&[("good.asice", good.clone())], &[], &anchors),
        ),
        (
            "without trust",
            judge(&[("good.asice", good.clone())], &[], &[]),
        ),
        (
            "twice",
            judge(&[("a", good.clone()), ("a", good)], &[], &anchors),
        ),
        (
            "damaged package",
            judge(&[("damaged.asice", damaged)], &[], &anchors),
        ),
        (
            "tampered package",
            judge(&[("tampered.asice", tampered)], &[], &anchors),
        ),
        (
            "token",
            judge(&[("token.tst", token.clone())], &["x"], &anchors),
        ),
        (
            "token of other data",
            judge(&[("token.tst", token.clone())], &["y"], &anchors),
        ),
        (
            "token without data",
            judge(&[(odd, token.clone())], &[], &anchors),
        ),
        (
            "broken token",
            judge(&[("token.tst", broken)], &["x"], &anchors),
        ),
        (
            "two tokens",
            judge(&[("t", token.clone()), ("u", token)], &["x"], &anchors),
        ),
        (
            "record without data",
            judge(&[("record.er", evidence)], &[], &anchors),
        ),
        (
            "signature",
            judge(&[("s.p7s", signature.clone())], &["[it]"], &anchors),
        ),
        (
            "altered signature",
            judge(&[("s.p7s", altered)], &["y"], &anchors),
        ),
        (
            "signature beside other data",
            judge(&[("s.p7s", signature.clone())], &["y"], &anchors),
        ),
        (
            "signature beside what is no evidence",
            judge(
                &[("s.p7s", signature.clone()), ("b", b"?".to_vec())],
                &[],
                &anchors,
            ),
        ),
        (
            "signature twice, without trust",
            judge(
                &[("s", signature.clone()), ("s", signature.clone())],
                &["[it]"],
                &[],
            ),
        ),
        (
            "signature twice, without trust, beside other data",
            judge(&[("s", signature.clone()), ("s", signature)], &["x"], &[]),
        ),
        (
            "unbound signature",
            judge(&[("s.p7s", unbound)], &["x"], &anchors),
        ),
        (
            "unknown",
            judge(
                &[("a.pdf", b"%PDF-1.7".to_vec()), ("b", b"?".to_vec())],
                &[],
                &[],
            ),
        ),
        ("empty", judge(&[("empty", Vec::new())], &["x"], &[])),
        ("nothing", judge(&[], &[], &[])),
    ];
    cases.map(|(name, report)| (name.to_owned(), report)).into()
}

#[test]
fn reports_about_own_evidence_follow_both_schemas() {
    let schema = JsonSchema::read();
    let mut documents = Vec::new();
    for (name, report) in reports() {
        for language in [Language::Japanese, Language::English] {
            schema.expect_valid(&name, &json::to_value(&report, language));
            let document = etsi::to_text(&report, language);
            assert_eq!(
                document,
                etsi::to_text(&report, language),
                "{name}: always the same"
            );
            documents.push((name.clone(), document));
        }
    }
    if let Some(schema) = EtsiSchema::found() {
        schema.expect_valid(&documents);
        let (_, good) = &documents[0];
        for (from, to) in [
            ("<MainIndication>", "<Indication>"),
            ("<POETime>", "<POETime>yesterday"),
            (
                "<SignatureValidationReport>",
                "<SignatureValidationReport><X/>",
            ),
            (" id=\"T-", " id=\"0-"),
        ] {
            assert!(good.contains(from), "{from}");
            assert!(!schema.is_valid(&good.replacen(from, to, 1)), "{to}");
        }
    }
}

#[test]
fn records_and_tokens_are_validation_objects_with_proof_and_report() {
    let reports = reports();
    let of = |name: &str| {
        let (_, report) = reports.iter().find(|(own, _)| own == name).unwrap();
        etsi::to_text(report, Language::English)
    };
    let good = of("good package");
    assert!(good.contains("urn:cef:dss:mainindication:noSignatureFound"));
    assert!(good.contains("urn:etsi:019102:validationObject:evidencerecord"));
    assert_eq!(
        good.matches("urn:etsi:019102:validationObject:timestamp")
            .count(),
        3
    );
    assert_eq!(
        good.matches("<POEProvisioning>").count(),
        4,
        "three tokens and the record"
    );
    assert!(
        good.contains("<POETime>2026-12-01T00:00:00Z</POETime>"),
        "the first token, by the second"
    );
    assert!(
        !good.contains("mainindication:failed") && !good.contains("mainindication:indeterminate")
    );
    for name in [
        "without trust",
        "tampered package",
        "broken token",
        "token of other data",
    ] {
        let text = of(name);
        assert!(!text.contains("total-passed"), "{name}");
        assert!(
            text.contains("mainindication:failed") || text.contains("mainindication:indeterminate"),
            "{name}"
        );
    }
    for name in ["broken token", "token of other data"] {
        assert!(
            !of(name).contains("<POEProvisioning>"),
            "{name}: it proves nothing"
        );
    }
}

#[test]
fn a_token_tells_what_its_judgement_used() {
    let reports = reports();
    let (_, report) = reports.iter().find(|(name, _)| name == "token").unwrap();
    let token = report
        .objects
        .iter()
        .find(|object| object.place.as_str() == "token.tst")
        .unwrap();
    for role in [
        UsedRole::TimestampToken,
        UsedRole::SignedData,
        UsedRole::SigningCertificate,
        UsedRole::TrustAnchor,
    ] {
        assert!(token.used_as(role).is_some(), "{role:?}");
    }
    assert_eq!(token.algorithms.len(), 2, "digest and signature");
    assert!(token.algorithms.iter().all(|algorithm| algorithm.trusted));
    assert!(token.revoked.is_empty());
}

#[test]
fn a_signature_has_a_report_of_its_own() {
    let reports = reports();
    let of = |name: &str| {
        let (_, report) = reports.iter().find(|(own, _)| own == name).unwrap();
        etsi::to_text(report, Language::English)
    };
    let good = of("signature");
    for part in [
        "<SignatureIdentifier id=\"S-",
        "<ds:SignatureValue>",
        "<SignersDocument>",
        "<SignerInformation>",
        "<MessageDigest Signed=\"true\">",
        "<SigningCertificate Signed=\"true\">",
        "urn:etsi:019102:validationprocess:Basic",
        "<SecureAlgorithm>true</SecureAlgorithm>",
    ] {
        assert!(good.contains(part), "{part} in {good}");
    }
    assert!(!good.contains("noSignatureFound"));
    for (name, indication, reason) in [
        ("altered signature", "total-failed", "HASH_FAILURE"),
        (
            "signature twice, without trust",
            "indeterminate",
            "NO_CERTIFICATE_CHAIN_FOUND",
        ),
        (
            "unbound signature",
            "indeterminate",
            "SIG_CONSTRAINTS_FAILURE",
        ),
    ] {
        let text = of(name);
        let indication = format!("urn:etsi:019102:mainindication:{indication}<");
        let reason = format!("urn:etsi:019102:subindication:{reason}<");
        assert!(
            text.contains(&indication) && text.contains(&reason),
            "{name}: {text}"
        );
        assert!(!text.contains("total-passed"), "{name}");
    }
}

/// Some readers look at nothing but the reports of signatures: the worst of them is what the exit code says.
#[test]
fn the_reports_of_signatures_agree_with_the_exit_code() {
    let status = "<SignatureValidationStatus><MainIndication>";
    for (name, report) in reports() {
        let text = etsi::to_text(&report, Language::English);
        let (signatures, _) = text
            .split_once("<SignatureValidationObjects>")
            .unwrap_or((&text, ""));
        let flat: String = signatures.split('\n').map(str::trim).collect();
        let mut said: Vec<&str> = flat
            .split(status)
            .skip(1)
            .map(|rest| rest.split('<').next().unwrap())
            .map(|urn| urn.rsplit(':').next().unwrap())
            .collect();
        said.sort_by_key(|word| {
            ["total-passed", "indeterminate", "total-failed"]
                .iter()
                .position(|known| known == word)
        });
        let worst = said.pop().unwrap();
        if worst != "noSignatureFound" {
            assert_eq!(
                worst,
                report.judgement.conclusion().name().to_lowercase(),
                "{name}"
            );
        }
    }
}

#[test]
fn a_signature_is_not_over_data_that_stands_beside_it() {
    for (name, report) in reports() {
        let (indication, reason) = match name.as_str() {
            "signature beside other data" => ("total-failed", "HASH_FAILURE"),
            "signature twice, without trust, beside other data" => ("total-failed", "HASH_FAILURE"),
            "signature beside what is no evidence" => ("indeterminate", "CUSTOM"),
            _ => continue,
        };
        let text = etsi::to_text(&report, Language::English);
        for part in [
            format!("urn:etsi:019102:mainindication:{indication}<"),
            format!("urn:etsi:019102:subindication:{reason}<"),
        ] {
            assert!(text.contains(&part), "{name}: {part} in {text}");
        }
        assert!(!text.contains("total-passed"), "{name}");
        let error = report
            .findings
            .iter()
            .find(|finding| finding.severity() == Severity::Error);
        let told = format!("{}: ", error.unwrap().code().id());
        let (signatures, _) = text.split_once("<SignatureValidationObjects>").unwrap();
        assert!(signatures.contains(&told), "{name}: {told} in {signatures}");
    }
}
