//! A record of 2026, judged in 2046 from its own bytes: nothing is trusted but the root, and nothing can be asked.
//!
//! Two of its three authorities have expired with their issuers and responders. What was collected while they could be asked stands in their tokens.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, in its helpers too"
)]

#[path = "path/ocsp_response.rs"]
#[allow(dead_code, reason = "the tests of paths use the rest")]
mod ocsp_response;
#[path = "path/support.rs"]
#[allow(dead_code, reason = "the tests of paths use the rest")]
mod support;

use formats::cms::{
    Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates, with_validation_material,
};
use formats::der::Integer;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord};
use formats::oid;
use formats::tsp::{MessageImprint, TstInfo};
use formats::x509::{AlgorithmIdentifier, Certificate};
use ocsp_response::{Answer, Response, Status, responder};
use rcgen::{CrlDistributionPoint, KeyPair, KeyUsagePurpose, SerialNumber, SigningKey as _};
use support::{Issuer, anchor, below, ca, key, params, purposes};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::evidence::{EvidenceReport, Group, verify_record};
use verifier::finding::{Place, path as path_codes, revocation as codes};
use verifier::policy::Policy;
use verifier::source::DataBytes;
use verifier::verdict::SubIndication;

const DOCUMENT: &[u8] = b"a document";
const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;
const JUDGED: OffsetDateTime = datetime!(2046-01-01 0:00 UTC);
const SERIAL: u64 = 77;

/// A certification authority below the root and a time-stamping authority below it, for ten years from a time on.
struct Service {
    ca: Issuer,
    certificate: Vec<u8>,
    key: KeyPair,
    from: OffsetDateTime,
}

fn root() -> Issuer {
    let mut root = ca("Root");
    root.not_after = datetime!(2060-01-01 0:00 UTC);
    Issuer::self_signed(root, key()).unwrap()
}

impl Service {
    fn new(root: &Issuer, from: OffsetDateTime) -> Self {
        let named = vec![CrlDistributionPoint {
            uris: vec!["http://crl.example/".into()],
        }];
        let mut issuer = ca(&format!("CA {}", from.year()));
        let end = from + Duration::days(3652);
        (issuer.not_before, issuer.not_after) = (from, end);
        issuer.serial_number = Some(SerialNumber::from(SERIAL + 1));
        issuer.crl_distribution_points = named.clone();
        let ca = below(root, issuer);
        let mut leaf = params(&format!("TSA {}", from.year()));
        (leaf.not_before, leaf.not_after) = (from, end);
        leaf.serial_number = Some(SerialNumber::from(SERIAL));
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.custom_extensions = vec![purposes(true, &[8])];
        leaf.crl_distribution_points = named;
        let key = key();
        let certificate = leaf.signed_by(&key, &ca).unwrap().der().to_vec();
        Self {
            ca,
            certificate,
            key,
            from,
        }
    }

    /// A token as the service gives it: its own certificate, and nothing else.
    fn token(&self, digest: &DigestValue, time: OffsetDateTime) -> Vec<u8> {
        let certificate = Certificate::parse(&self.certificate).unwrap();
        let info = TstInfo {
            version: 1,
            policy: "2.999.1".parse().unwrap(),
            imprint: MessageImprint::of(digest),
            serial: Integer::from(4711_u64),
            gen_time: time,
            gen_time_text: String::new(),
            accuracy: None,
            ordering: false,
            nonce: None,
            tsa: None,
            extensions: Vec::new(),
        };
        let ess = SigningCertificates::encode_v2(&certificate, ALGORITHM);
        let builder = SignedDataBuilder {
            content_type: oid::TST_INFO,
            content: info.encode().unwrap(),
            identifier: SignerIdentifier::of(&certificate),
            digest_algorithm: ALGORITHM,
            signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
            signed_attributes: vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![ess])],
            certificates: vec![self.certificate.clone()],
            revocations: Vec::new(),
        };
        let signed = builder.build(|bytes| self.key.sign(bytes).ok()).unwrap();
        signed.raw().to_vec()
    }

    /// What its services said at a time: the OCSP responder of the issuer about the authority, a CRL of the root about the issuer.
    fn material(&self, root: &Issuer, at: OffsetDateTime, status: Status) -> (Vec<u8>, Vec<u8>) {
        let responder = responder(&self.ca, |params| {
            (params.not_before, params.not_after) =
                (at - Duration::days(30), at + Duration::days(30));
        });
        let answer = Answer {
            hash: DigestAlgorithm::Sha1,
            issuer: self.ca.der().to_vec(),
            serial: SERIAL,
            status,
            this_update: at,
            next_update: Some(at + Duration::hours(12)),
            archive_cutoff: None,
        };
        let response = Response {
            answers: vec![answer],
            produced_at: at,
            by_key: true,
            certificates: vec![responder.certificate.clone()],
            strange: false,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: at,
            next_update: at + Duration::days(7),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let list = list.signed_by(root).unwrap().der().to_vec();
        (response.signed_by(&responder), list)
    }

    fn merged(&self, root: &Issuer, token: &[u8], at: OffsetDateTime, status: Status) -> Vec<u8> {
        let (response, list) = self.material(root, at, status);
        let issuer = self.ca.der().to_vec();
        with_validation_material(token, &[issuer], &[list], &[response]).unwrap()
    }
}

/// Three services, ten years apart; each token but the newest is renewed by the next service shortly before its own ends.
///
/// `collect` puts material into the token of a service (counted from 0), given when it was made and when it was renewed.
fn record(
    services: &[Service],
    collect: impl Fn(usize, &Service, Vec<u8>, OffsetDateTime, Option<OffsetDateTime>) -> Vec<u8>,
) -> EvidenceRecord {
    let mut stamps = Vec::new();
    let mut digest = ALGORITHM.digest(DOCUMENT);
    for (number, service) in services.iter().enumerate() {
        let made = service.from + Duration::days(100);
        let renewed = services
            .get(number + 1)
            .map(|next| next.from + Duration::days(100));
        let token = collect(number, service, service.token(&digest, made), made, renewed);
        digest = ALGORITHM.digest(&token);
        let stamp = ArchiveTimeStamp {
            digest_algorithm: Some(AlgorithmIdentifier::of_digest(ALGORITHM)),
            attributes: Vec::new(),
            reduced_hash_tree: None,
            time_stamp: token,
        };
        stamps.push(stamp.into_raw().unwrap());
    }
    EvidenceRecord::new(vec![ArchiveTimeStampChain::new(stamps).unwrap()]).unwrap()
}

fn services(root: &Issuer) -> Vec<Service> {
    [
        datetime!(2026-01-01 0:00 UTC),
        datetime!(2035-06-01 0:00 UTC),
        datetime!(2045-01-01 0:00 UTC),
    ]
    .map(|from| Service::new(root, from))
    .into()
}

fn judge(root: &Issuer, record: &EvidenceRecord) -> EvidenceReport {
    let policy = include_str!("data/permissive-policy.json");
    let policy = policy.replace(r#""revocation": "off""#, r#""revocation": "if-named""#);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let anchors = anchor(root);
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: JUDGED,
        cache: None,
        registry: None,
    };
    let bytes = record.encode().unwrap();
    let data = DataBytes::new("document", DOCUMENT);
    verify_record(&bytes, &[&data], Group::Whole, &context, &Place::root())
}

/// Shortly after the token was made, or shortly before it is renewed.
fn refreshed(made: OffsetDateTime, renewed: Option<OffsetDateTime>) -> OffsetDateTime {
    renewed.map_or(made + Duration::hours(1), |renewed| {
        renewed - Duration::hours(6)
    })
}

#[test]
fn a_record_passes_in_2046_with_the_root_alone() {
    let root = root();
    let services = services(&root);
    let record = record(&services, |_, service, token, made, renewed| {
        service.merged(&root, &token, refreshed(made, renewed), Status::Good)
    });
    let report = judge(&root, &record);
    assert!(report.judgement.is_passed(), "{:#?}", report.findings);
    assert_eq!(
        report.existence,
        Some(services[0].from + Duration::days(100))
    );
    // The newest one rests on what was said a year ago, and the report says so.
    assert!(report.has(codes::REVOCATION_KNOWN_UNTIL));
    assert!(report.has(codes::REVOCATION_CHECKED_OCSP));
}

#[test]
fn without_the_material_of_one_token_nothing_can_be_told() {
    let root = root();
    for without in 0..3 {
        let record = record(&services(&root), |number, service, token, made, renewed| {
            if number == without {
                let issuer = vec![service.ca.der().to_vec()];
                return with_validation_material(&token, &issuer, &[], &[]).unwrap();
            }
            service.merged(&root, &token, refreshed(made, renewed), Status::Good)
        });
        let report = judge(&root, &record);
        assert!(!report.judgement.is_passed(), "{without}");
        assert_eq!(
            report.judgement.sub_indication(),
            Some(SubIndication::TryLater)
        );
        assert!(report.has(codes::REVOCATION_UNKNOWN));
    }
}

#[test]
fn material_from_before_a_token_is_not_enough_for_it_later() {
    let root = root();
    let record = record(&services(&root), |_, service, token, made, _| {
        service.merged(&root, &token, made - Duration::hours(1), Status::Good)
    });
    let report = judge(&root, &record);
    assert!(!report.judgement.is_passed());
    assert!(report.has(codes::REVOCATION_UNKNOWN));
}

#[test]
fn a_revocation_in_the_material_counts_twenty_years_later() {
    let root = root();
    let record = record(&services(&root), |number, service, token, made, renewed| {
        let at = refreshed(made, renewed);
        let status = if number == 0 {
            Status::Revoked(made + Duration::days(1), Some(1))
        } else {
            Status::Good
        };
        service.merged(&root, &token, at, status)
    });
    let report = judge(&root, &record);
    assert!(!report.judgement.is_passed());
    assert!(report.has(path_codes::CERTIFICATE_REVOKED));
}
