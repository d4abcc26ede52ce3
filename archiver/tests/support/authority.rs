//! An authority that lies on demand.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use archiver::tsa::key::AuthorityKey;
use firmware::entropy::SeededEntropy;
use formats::cms::{
    AlgorithmIdentifier, Attribute, SignedData, SignedDataBuilder, SignerIdentifier,
    SigningCertificates,
};
use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::{TimeStampRequest, TimeStampResponse, TstInfo};
use formats::x509::Certificate;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// `id-kp-timeStamping` alone.
pub const TIME_STAMPING: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 8];
/// `id-kp-timeStamping` and `id-kp-codeSigning`.
pub const TWO_PURPOSES: &[u8] = &[
    0x30, 0x14, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 8, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 3,
];

/// What is wrong with the certificate.
#[derive(Clone, Copy)]
pub struct CertificateOptions {
    /// Value of the extended key usage, if any.
    pub purposes: Option<&'static [u8]>,
    /// Whether the extended key usage is critical.
    pub critical: bool,
    /// Start of validity, seconds from `now`.
    pub starts: Duration,
    /// End of validity, seconds from `now`.
    pub ends: Duration,
    /// Whether the root issued it, or somebody else under the root's name.
    pub by_root: bool,
}

/// A certificate without fault.
pub const GOOD: CertificateOptions = CertificateOptions {
    purposes: Some(TIME_STAMPING),
    critical: true,
    starts: Duration::days(-1),
    ends: Duration::days(1),
    by_root: true,
};

/// Keys of the test authority; the same in every run.
pub struct Bent {
    root_key: AuthorityKey,
    other_key: AuthorityKey,
    key: AuthorityKey,
    root_params: CertificateParams,
    now: OffsetDateTime,
    /// The root, DER.
    pub root: Vec<u8>,
}

impl Bent {
    /// Makes root and keys.
    pub fn new(now: OffsetDateTime, seed: u64) -> Self {
        let entropy = SeededEntropy::new(seed);
        let root_key = AuthorityKey::generate(&entropy).unwrap();
        let other_key = AuthorityKey::generate(&entropy).unwrap();
        let key = AuthorityKey::generate(&entropy).unwrap();
        let mut root_params = CertificateParams::default();
        root_params
            .distinguished_name
            .push(DnType::CommonName, "Root");
        root_params.not_before = now - Duration::days(1000);
        root_params.not_after = now + Duration::days(1000);
        root_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = root_params.self_signed(&root_key).unwrap().der().to_vec();
        Self {
            root_key,
            other_key,
            key,
            root_params,
            now,
            root,
        }
    }

    /// A certificate for the authority's key.
    pub fn certificate(&self, options: CertificateOptions) -> Certificate {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Authority");
        params.not_before = self.now + options.starts;
        params.not_after = self.now + options.ends;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[7]));
        if let Some(purposes) = options.purposes {
            let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], purposes.to_vec());
            usage.set_criticality(options.critical);
            params.custom_extensions.push(usage);
        }
        let issuer_key = if options.by_root {
            &self.root_key
        } else {
            &self.other_key
        };
        let issuer = Issuer::from_params(&self.root_params, issuer_key);
        Certificate::parse(params.signed_by(&self.key, &issuer).unwrap().der()).unwrap()
    }

    /// The content that an honest authority would sign.
    pub fn info(&self, request: &TimeStampRequest) -> TstInfo {
        TstInfo {
            version: 1,
            policy: request
                .policy
                .clone()
                .unwrap_or_else(|| "1.3.6.1.4.1.32473.9".parse().unwrap()),
            imprint: request.imprint.clone(),
            serial: Integer::from(1u64),
            gen_time: self.now,
            gen_time_text: String::new(),
            accuracy: None,
            ordering: false,
            nonce: request.nonce.clone(),
            tsa: None,
            extensions: Vec::new(),
        }
    }

    /// A builder that `sign` finishes.
    pub fn builder(&self, info: &TstInfo, certificate: &Certificate) -> SignedDataBuilder {
        let binding = SigningCertificates::encode_v2(certificate, DigestAlgorithm::Sha256);
        SignedDataBuilder {
            content_type: oid::TST_INFO,
            content: info.encode().unwrap(),
            identifier: SignerIdentifier::of(certificate),
            digest_algorithm: DigestAlgorithm::Sha256,
            signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
            signed_attributes: vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![binding])],
            certificates: vec![certificate.raw().to_vec()],
            revocations: Vec::new(),
        }
    }

    /// Signs with the authority's key.
    pub fn sign(&self, builder: SignedDataBuilder) -> SignedData {
        let signed = builder
            .build(|message| Some(self.key.sign_message(message)))
            .unwrap();
        signed.into_parts().0
    }

    /// Signs with a key that is not that of the certificate.
    pub fn sign_with_another_key(&self, builder: SignedDataBuilder) -> SignedData {
        let signed = builder
            .build(|message| Some(self.other_key.sign_message(message)))
            .unwrap();
        signed.into_parts().0
    }

    /// A whole answer with everything as it should be but the certificate.
    pub fn answer(&self, request: &TimeStampRequest, options: CertificateOptions) -> Vec<u8> {
        self.answer_info(&self.info(request), options)
    }

    /// A whole answer over some content.
    pub fn answer_info(&self, info: &TstInfo, options: CertificateOptions) -> Vec<u8> {
        let certificate = self.certificate(options);
        granted(&self.sign(self.builder(info, &certificate)))
    }
}

/// A response around a token.
pub fn granted(token: &SignedData) -> Vec<u8> {
    TimeStampResponse::granted(token.encode()).encode()
}
