//! Authorities with keys of each kind, and the end of those that become too weak.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use archiver::tsa::checks::{AcceptedToken, Demands, Expectation, Trust};
use archiver::tsa::refusal::Refusal;
use formats::cms::{
    AlgorithmIdentifier, Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates,
};
use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::{MessageImprint, TimeStampRequest, TstInfo};
use formats::x509::Certificate;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RsaKeySize, SigningKey,
};
use support::authority::{TIME_STAMPING, granted};
use support::client::{NOW, digest};
use support::tokens::reference_v1;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// An authority with a key of some kind.
struct Authority {
    key: KeyPair,
    certificate: Certificate,
    root: Vec<u8>,
    signature: &'static str,
    digest: DigestAlgorithm,
}

impl Authority {
    fn new(key: KeyPair, signature: &'static str, digest: DigestAlgorithm) -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "Root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        root.not_before = datetime!(2020-01-01 0:00 UTC);
        root.not_after = datetime!(2060-01-01 0:00 UTC);
        let mut own = root.clone();
        own.distinguished_name.push(DnType::CommonName, "Authority");
        own.is_ca = IsCa::ExplicitNoCa;
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], TIME_STAMPING.to_vec());
        usage.set_criticality(true);
        own.custom_extensions.push(usage);
        let issuer = Issuer::from_params(&root, &root_key);
        let certificate = own.signed_by(&key, &issuer).unwrap();
        Self {
            certificate: Certificate::parse(certificate.der()).unwrap(),
            root: root.self_signed(&root_key).unwrap().der().to_vec(),
            key,
            signature,
            digest,
        }
    }

    /// An answer at a time, bound to its certificate by this attribute.
    fn answer(
        &self,
        request: &TimeStampRequest,
        at: OffsetDateTime,
        binding: Attribute,
    ) -> Vec<u8> {
        let info = TstInfo {
            version: 1,
            policy: "1.3.6.1.4.1.32473.9".parse().unwrap(),
            imprint: request.imprint.clone(),
            serial: Integer::from(1u64),
            gen_time: at,
            gen_time_text: String::new(),
            accuracy: None,
            ordering: false,
            nonce: request.nonce.clone(),
            tsa: None,
            extensions: Vec::new(),
        };
        let builder = SignedDataBuilder {
            content_type: oid::TST_INFO,
            content: info.encode().unwrap(),
            identifier: SignerIdentifier::of(&self.certificate),
            digest_algorithm: self.digest,
            signature_algorithm: AlgorithmIdentifier::bare(self.signature.parse().unwrap()),
            signed_attributes: vec![binding],
            certificates: vec![self.certificate.raw().to_vec()],
            revocations: Vec::new(),
        };
        granted(
            &builder
                .build(|message| self.key.sign(message).ok())
                .unwrap(),
        )
    }

    fn binding(&self) -> Attribute {
        let reference = SigningCertificates::encode_v2(&self.certificate, DigestAlgorithm::Sha256);
        Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![reference])
    }

    fn token(&self, at: OffsetDateTime, demands: Demands) -> Result<AcceptedToken, Refusal> {
        self.token_bound(at, demands, self.binding())
    }

    fn token_bound(
        &self,
        at: OffsetDateTime,
        demands: Demands,
        binding: Attribute,
    ) -> Result<AcceptedToken, Refusal> {
        let request = TimeStampRequest {
            version: 1,
            imprint: MessageImprint::of(&digest()),
            policy: None,
            nonce: Some(Integer::from(7u64)),
            certificate_wanted: true,
            extensions: Vec::new(),
        };
        let expectation = Expectation {
            request: &request,
            sent_at: at,
            answered_at: at,
            demands,
            earlier: None,
        };
        let trust = Trust::anchors(vec![self.root.clone()]);
        AcceptedToken::check(
            &self.answer(&request, at, binding),
            &expectation,
            &trust,
            "test",
        )
    }
}

fn rsa(size: RsaKeySize) -> Authority {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
    Authority::new(key, "1.2.840.113549.1.1.11", DigestAlgorithm::Sha256)
}

fn others() -> Vec<(&'static str, Authority)> {
    let of = |kind, signature, digest| {
        Authority::new(KeyPair::generate_for(kind).unwrap(), signature, digest)
    };
    vec![
        (
            "P-256",
            of(
                &rcgen::PKCS_ECDSA_P256_SHA256,
                "1.2.840.10045.4.3.2",
                DigestAlgorithm::Sha256,
            ),
        ),
        (
            "P-384",
            of(
                &rcgen::PKCS_ECDSA_P384_SHA384,
                "1.2.840.10045.4.3.3",
                DigestAlgorithm::Sha384,
            ),
        ),
        (
            "P-521",
            of(
                &rcgen::PKCS_ECDSA_P521_SHA512,
                "1.2.840.10045.4.3.4",
                DigestAlgorithm::Sha512,
            ),
        ),
        (
            "Ed25519",
            of(&rcgen::PKCS_ED25519, "1.3.101.112", DigestAlgorithm::Sha512),
        ),
    ]
}

#[test]
fn keys_of_every_kind_are_accepted() {
    for (name, authority) in others() {
        let token = authority.token(NOW, Demands::default());
        assert_eq!(token.map(|token| token.gen_time()), Ok(NOW), "{name}");
    }
    for size in [RsaKeySize::_2048, RsaKeySize::_3072] {
        rsa(size).token(NOW, Demands::default()).unwrap();
    }
}

#[test]
fn the_older_reference_to_the_certificate_is_read() {
    let (_, authority) = others().remove(0);
    let reference = reference_v1(authority.certificate.raw());
    let binding = Attribute::new(oid::SIGNING_CERTIFICATE, vec![reference]);
    authority
        .token_bound(NOW, Demands::default(), binding)
        .unwrap();
}

#[test]
fn rsa_2048_ends_with_2030() {
    let authority = rsa(RsaKeySize::_2048);
    let last = datetime!(2030-12-31 23:59:59 +9);
    authority.token(last, Demands::default()).unwrap();
    let refused = authority.token(last + Duration::SECOND, Demands::default());
    let Err(Refusal::Algorithm(_)) = &refused else {
        panic!("{refused:?}");
    };
    let text = refused.unwrap_err().to_string();
    assert!(
        text.contains("RSA") && text.contains("2030-12-31 23:59:59 JST")
            || text.contains("2031-01-01"),
        "{text}"
    );
    rsa(RsaKeySize::_3072)
        .token(last + Duration::SECOND, Demands::default())
        .unwrap();
}

#[test]
fn a_token_whose_algorithm_ends_too_soon_is_refused_before_it_does() {
    let authority = rsa(RsaKeySize::_2048);
    let demands = Demands {
        holds_min: Duration::days(366),
        ..Demands::default()
    };
    authority
        .token(datetime!(2029-06-01 0:00 UTC), demands)
        .unwrap();
    let refused = authority.token(datetime!(2030-06-01 0:00 UTC), demands);
    let Err(Refusal::EndsTooSoon {
        because,
        days_min: 366,
        ..
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(because.contains("RSA"), "{because}");
}
