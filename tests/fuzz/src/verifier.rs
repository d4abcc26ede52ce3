//! The judgements of `verifier`, each behind one function that takes any bytes.

use formats::digest::DigestAlgorithm;
use formats::xml::Document;
use time::macros::datetime;
use verifier::budget::Budget;
use verifier::context::Context;
use verifier::finding::Language;
use verifier::inspect::inspect;
use verifier::judge::verify;
use verifier::path::{Material, PathOptions, TrustAnchor, validate_path};
use verifier::policy::{Policy, RevocationRule};
use verifier::recognise::{recognise, xml_root};
use verifier::report::document::Depth;
use verifier::report::{self, Report, etsi, html, json, pdf, text};
use verifier::source::{DataBytes, DigestSource, InputFile};

use crate::formats::Target;

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("policy", policy),
    ("crl", crl),
    ("ocsp_answer", ocsp_answer),
    ("path", path),
    ("recognition", recognition),
    ("verification", verification),
    ("pages", pages),
];

/// What the evidence in the corpus covers.
pub const DATA: &[u8] = b"what existed";
/// A root, as trust anchor.
pub const ROOT: &[u8] = include_bytes!("../corpus/certificate/root.der");
/// A certificate of the root.
pub const LEAF: &[u8] = include_bytes!("../corpus/certificate/leaf.der");

/// A policy file, of the own schema or a catalogue.
pub fn policy(bytes: &[u8]) {
    if let Ok(policy) = Policy::parse(bytes) {
        let time = datetime!(2030-01-01 00:00 UTC);
        for digest in DigestAlgorithm::ALL {
            let _judged = policy.judge_digest(*digest, time);
        }
    }
}

/// A CRL that is asked about a certificate.
pub fn crl(bytes: &[u8]) {
    judge_path(LEAF, &[], &[bytes], &[]);
}

/// An OCSP response that is asked about a certificate.
pub fn ocsp_answer(bytes: &[u8]) {
    judge_path(LEAF, &[], &[], &[bytes]);
}

/// A certificate to be judged, which is also its own issuer and that of the leaf.
pub fn path(bytes: &[u8]) {
    judge_path(bytes, &[LEAF], &[], &[]);
    judge_path(LEAF, &[bytes], &[], &[]);
}

fn judge_path(target: &[u8], certificates: &[&[u8]], crls: &[&[u8]], ocsp: &[&[u8]]) {
    let material = Material {
        certificates: certificates.to_vec(),
        crls: crls.to_vec(),
        ocsp_responses: ocsp.to_vec(),
    };
    let mut anchors = vec![root()];
    anchors.extend(
        certificates
            .iter()
            .filter_map(|der| TrustAnchor::from_certificate(der).ok()),
    );
    let options = PathOptions {
        revocation: RevocationRule::Required,
        ..PathOptions::default()
    };
    let time = datetime!(2027-01-01 00:00 UTC);
    let outcome = validate_path(
        target,
        &material,
        &anchors,
        time,
        &options,
        &mut Budget::default(),
    );
    assert_eq!(
        outcome.verified().is_none(),
        !outcome.verdict().conclusion().name().ends_with("PASSED")
    );
}

/// The fixed trust anchor.
fn root() -> TrustAnchor {
    TrustAnchor::from_certificate(ROOT).expect("the corpus holds it")
}

/// What a file is, and what is in it.
pub fn recognition(bytes: &[u8]) {
    let _kind = recognise(bytes);
    let _root = xml_root(bytes);
    let node = inspect("input", bytes);
    let _text = node.to_text();
    let _json = node.to_json();
}

/// The whole: any bytes as evidence, judged over data, as JSON and by ETSI's schema.
pub fn verification(bytes: &[u8]) {
    judged(bytes, |report, _| {
        let _json = json::to_text(report, Language::Japanese);
        let xml = etsi::to_text(report, Language::English);
        if !report.judgement.is_passed() {
            assert!(report.best_signature_time.is_none());
        }
        assert!(xml.ends_with("</ValidationReport>\n"));
        assert!(Document::parse(xml.as_bytes()).is_ok());
    });
}

/// Any bytes as evidence, and the reports for people.
pub fn pages(bytes: &[u8]) {
    judged(bytes, |report, context| {
        // One language an input: a PDF takes most of the time.
        let language = match bytes.len() % 2 {
            0 => Language::Japanese,
            _ => Language::English,
        };
        let document = report::document::Document::of(report, Some(context), language);
        for depth in [Depth::Brief, Depth::Timeline, Depth::Full] {
            let _text = text::write(&document, depth);
            let page = html::write(&document, depth);
            assert!(!page.contains("<script"));
        }
        let pdf = pdf::write(&document, Depth::Full).expect("every report has its pages");
        assert!(pdf.starts_with(b"%PDF-"));
    });
}

fn judged(bytes: &[u8], look: impl FnOnce(&Report, &Context<'_>)) {
    let anchors = [root()];
    let policy = Policy::default();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: datetime!(2027-06-01 00:00 UTC),
        cache: None,
        registry: None,
    };
    let data = DataBytes::new("data", DATA);
    let sources: [&dyn DigestSource; 1] = [&data];
    let report = verify(&[InputFile::new("input", bytes)], &sources, &context);
    look(&report, &context);
}
