//! A time-stamping authority for tests: certificates and tokens with keys that are the same in every run.

use formats::cms::{
    Attribute, RevocationInfo, SignedDataBuilder, SignerIdentifier, SigningCertificates,
};
use formats::der::{Integer, Reader, Tag, Writer};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::oid;
use formats::tsp::{Accuracy, MessageImprint, TstInfo};
use formats::x509::{AlgorithmIdentifier, Certificate};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension,
    DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;
use verifier::path::TrustAnchor;

/// A key pair that follows from one number.
struct Key {
    signing: SigningKey,
    point: Vec<u8>,
}

impl Key {
    fn new(seed: u8) -> Self {
        let signing = SigningKey::from_slice(&[seed; 32]).unwrap();
        let point = signing.verifying_key().to_sec1_point(false);
        Self {
            point: point.as_bytes().to_vec(),
            signing,
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.signing.sign(message);
        signature.as_bytes().to_vec()
    }
}

impl rcgen::PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Self::sign(self, message))
    }
}

/// What a test may want to be wrong about an authority.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// Distinguishes authorities: keys and names follow from it.
    pub(crate) seed: u8,
    /// First moment of the authority's certificate.
    pub(crate) from: OffsetDateTime,
    /// Last moment of the authority's certificate.
    pub(crate) to: OffsetDateTime,
    /// Whether the extended key usage is critical and timeStamping alone.
    pub(crate) for_time_stamps: bool,
}

/// An authority with a root of its own.
pub(crate) struct Authority {
    key: Key,
    root_key: Key,
    root_params: CertificateParams,
    root: Vec<u8>,
    certificate: Certificate,
}

/// When and why the authority's certificate was revoked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revoked {
    /// When.
    pub(crate) at: OffsetDateTime,
    /// Why; `None` if the list does not say.
    pub(crate) reason: Option<RevocationReason>,
}

/// What a test may want to be wrong about a token.
#[derive(Clone, Debug)]
pub(crate) struct TokenOptions {
    /// The time that it states.
    pub(crate) time: OffsetDateTime,
    /// Whether it carries the authority's certificate.
    pub(crate) with_certificate: bool,
    /// More certificates to carry.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// Revocation information to carry.
    pub(crate) revocations: Vec<RevocationInfo>,
    /// Whether it signs which certificate it was made with.
    pub(crate) with_reference: bool,
    /// The policy that it states.
    pub(crate) policy: &'static str,
    /// The nonce that it repeats.
    pub(crate) nonce: Option<u64>,
}

impl TokenOptions {
    /// A good token.
    pub(crate) fn at(time: OffsetDateTime) -> Self {
        Self {
            time,
            with_certificate: true,
            certificates: Vec::new(),
            revocations: Vec::new(),
            with_reference: true,
            policy: "2.999.1",
            nonce: None,
        }
    }
}

impl Authority {
    /// An authority after a profile.
    pub(crate) fn new(profile: Profile) -> Self {
        let root_key = Key::new(profile.seed);
        let key = Key::new(profile.seed.wrapping_add(100));
        let mut root_params = params("Test Root", profile.seed, &profile);
        root_params.not_before = profile.from - time::Duration::days(3650);
        root_params.not_after = profile.to + time::Duration::days(3650);
        root_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = root_params.self_signed(&root_key).unwrap().der().to_vec();
        let mut leaf = params("Test TSA", profile.seed, &profile);
        leaf.serial_number = Some(SerialNumber::from_slice(&[profile.seed, 2]));
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.custom_extensions = vec![usage(profile.for_time_stamps)];
        let issuer = Issuer::from_params(&root_params, &root_key);
        let certificate = leaf.signed_by(&key, &issuer).unwrap();
        drop(issuer);
        Self {
            key,
            root_key,
            root_params,
            root,
            certificate: Certificate::parse(certificate.der()).unwrap(),
        }
    }

    /// The root, as a trust anchor.
    pub(crate) fn anchor(&self) -> TrustAnchor {
        TrustAnchor::from_certificate(&self.root).unwrap()
    }

    /// The root, DER.
    pub(crate) fn root(&self) -> &[u8] {
        &self.root
    }

    /// A CRL of the root, from its first moment to a day later.
    pub(crate) fn crl(&self, issued: OffsetDateTime, revoked: Option<Revoked>) -> Vec<u8> {
        self.crl_until(issued, issued + time::Duration::days(1), revoked)
    }

    /// A CRL of the root, with the time when the next one is due.
    pub(crate) fn crl_until(
        &self,
        issued: OffsetDateTime,
        next: OffsetDateTime,
        revoked: Option<Revoked>,
    ) -> Vec<u8> {
        let issuer = Issuer::from_params(&self.root_params, &self.root_key);
        let revoked = revoked.map(|revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(self.certificate.serial().as_bytes()),
            revocation_time: revoked.at,
            reason_code: revoked.reason,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: issued,
            next_update: next,
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().collect(),
            key_identifier_method: KeyIdMethod::PreSpecified(vec![1; 20]),
        };
        params.signed_by(&issuer).unwrap().der().to_vec()
    }

    /// The authority's own certificate, DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        self.certificate.raw()
    }

    /// A good token over a digest.
    pub(crate) fn token(&self, digest: &DigestValue, time: OffsetDateTime) -> Vec<u8> {
        self.token_with(digest, TokenOptions::at(time))
    }

    /// The same root, certified by the root of another authority: an authority between it and the certificates.
    pub(crate) fn root_under(&self, upper: &Self) -> Vec<u8> {
        let issuer = Issuer::from_params(&upper.root_params, &upper.root_key);
        let mut params = self.root_params.clone();
        params.serial_number = Some(SerialNumber::from_slice(&[77, 1]));
        let certificate = params.signed_by(&self.root_key, &issuer).unwrap();
        certificate.der().to_vec()
    }

    /// A CRL of the root about another certificate of it.
    pub(crate) fn crl_of(
        &self,
        serial: &[u8],
        issued: OffsetDateTime,
        revoked: OffsetDateTime,
    ) -> Vec<u8> {
        let issuer = Issuer::from_params(&self.root_params, &self.root_key);
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: revoked,
            reason_code: Some(RevocationReason::CaCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: issued,
            next_update: issued + time::Duration::days(1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::PreSpecified(vec![1; 20]),
        };
        params.signed_by(&issuer).unwrap().der().to_vec()
    }

    /// The root, as a trust anchor that may have authorities below it.
    pub(crate) fn anchor_above(&self) -> TrustAnchor {
        let mut params = self.root_params.clone();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&self.root_key).unwrap();
        TrustAnchor::from_certificate(root.der()).unwrap()
    }

    /// A root of the same name with another key.
    pub(crate) fn impostor(&self) -> TrustAnchor {
        let key = Key::new(99);
        let root = self.root_params.self_signed(&key).unwrap();
        TrustAnchor::from_certificate(root.der()).unwrap()
    }

    /// A CAdES signature (B-B) by the authority's key, with its content inside.
    pub(crate) fn signature(&self, content: &[u8], with_reference: bool) -> Vec<u8> {
        self.signature_with(content, with_reference, &[])
    }

    /// The same with more signed attributes.
    pub(crate) fn signature_with(
        &self,
        content: &[u8],
        with_reference: bool,
        more: &[Attribute],
    ) -> Vec<u8> {
        let builder = self.signature_builder(content, with_reference, more);
        let signature = builder.build(|bytes| Some(self.key.sign(bytes))).unwrap();
        signature.raw().to_vec()
    }

    /// The same with its signed attributes in the wrong order, and over them as they stand or over their DER encoding.
    pub(crate) fn signature_unsorted(&self, content: &[u8], as_stored: bool) -> Vec<u8> {
        self.unsorted(self.signature_builder(content, true, &[]), as_stored)
    }

    /// Such a token.
    pub(crate) fn token_unsorted(
        &self,
        digest: &DigestValue,
        time: OffsetDateTime,
        as_stored: bool,
    ) -> Vec<u8> {
        self.unsorted(
            self.token_builder(digest, TokenOptions::at(time)),
            as_stored,
        )
    }

    fn unsorted(&self, builder: SignedDataBuilder, as_stored: bool) -> Vec<u8> {
        let prepared = builder.prepare();
        let bytes = prepared.signed_bytes().to_vec();
        let set = Reader::single(&bytes, Tag::SET, "SET").unwrap();
        let attributes = set.children("SET").unwrap().all(16).unwrap();
        let stored: Vec<&[u8]> = attributes.iter().rev().map(|one| one.raw()).collect();
        let stored = stored.concat();
        let reversed = Writer::single(Tag::SET, |w| {
            w.raw(&stored);
        });
        let signed = if as_stored { &reversed } else { &bytes };
        let signature = prepared.finish(self.key.sign(signed)).unwrap();
        let mut raw = signature.raw().to_vec();
        let mut windows = raw.windows(stored.len());
        let at = windows.position(|window| window == set.content()).unwrap();
        raw[at..at + stored.len()].copy_from_slice(&stored);
        raw
    }

    fn signature_builder(
        &self,
        content: &[u8],
        with_reference: bool,
        more: &[Attribute],
    ) -> SignedDataBuilder {
        let reference = SigningCertificates::encode_v2(&self.certificate, DigestAlgorithm::Sha256);
        let reference = Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![reference]);
        SignedDataBuilder {
            content_type: oid::DATA,
            content: content.to_vec(),
            identifier: SignerIdentifier::of(&self.certificate),
            digest_algorithm: DigestAlgorithm::Sha256,
            signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
            signed_attributes: with_reference
                .then_some(reference)
                .into_iter()
                .chain(more.iter().cloned())
                .collect(),
            certificates: vec![self.certificate().to_vec()],
            revocations: Vec::new(),
        }
    }

    /// A token over a digest.
    pub(crate) fn token_with(&self, digest: &DigestValue, options: TokenOptions) -> Vec<u8> {
        let builder = self.token_builder(digest, options);
        let token = builder.build(|bytes| Some(self.key.sign(bytes))).unwrap();
        token.raw().to_vec()
    }

    fn token_builder(&self, digest: &DigestValue, options: TokenOptions) -> SignedDataBuilder {
        let info = TstInfo {
            version: 1,
            policy: options.policy.parse().unwrap(),
            imprint: MessageImprint::of(digest),
            serial: Integer::from(4711_u64),
            gen_time: options.time,
            gen_time_text: String::new(),
            accuracy: Some(Accuracy {
                seconds: Some(1),
                millis: None,
                micros: None,
            }),
            ordering: false,
            nonce: options.nonce.map(Integer::from),
            tsa: None,
            extensions: Vec::new(),
        };
        let reference = SigningCertificates::encode_v2(&self.certificate, DigestAlgorithm::Sha256);
        let reference = Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![reference]);
        let own = options
            .with_certificate
            .then(|| self.certificate().to_vec());
        SignedDataBuilder {
            content_type: oid::TST_INFO,
            content: info.encode().unwrap(),
            identifier: SignerIdentifier::of(&self.certificate),
            digest_algorithm: DigestAlgorithm::Sha256,
            signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
            signed_attributes: options
                .with_reference
                .then_some(reference)
                .into_iter()
                .collect(),
            certificates: own.into_iter().chain(options.certificates).collect(),
            revocations: options.revocations,
        }
    }
}

fn params(role: &str, seed: u8, profile: &Profile) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("{role} {seed}"));
    params.distinguished_name = name;
    params.not_before = profile.from;
    params.not_after = profile.to;
    params.serial_number = Some(SerialNumber::from_slice(&[seed, 1]));
    params
}

fn usage(for_time_stamps: bool) -> CustomExtension {
    let last = if for_time_stamps { 0x08 } else { 0x04 };
    let mut extension = CustomExtension::from_oid_content(
        &[2, 5, 29, 37],
        vec![
            0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last,
        ],
    );
    extension.set_criticality(true);
    extension
}
