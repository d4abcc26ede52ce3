//! An authority that lies on demand.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use archiver::tsa::key::AuthorityKey;
use firmware::entropy::SeededEntropy;
use formats::cms::{
    AlgorithmIdentifier, Attribute, SignedData, SignedDataBuilder, SignerIdentifier,
    SigningCertificates,
};
use formats::der::{Integer, Tag, Writer};
use formats::digest::DigestAlgorithm;
use formats::oid;
use formats::tsp::{TimeStampRequest, TimeStampResponse, TstInfo};
use formats::x509::Certificate;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CustomExtension, DnType, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
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
    /// Where it says that its CRL is to be had.
    pub crl: Option<&'static str>,
    /// Where it says that OCSP is answered.
    pub ocsp: Option<&'static str>,
}

/// What is wrong with a CRL.
#[derive(Clone, Copy)]
pub struct CrlOptions {
    /// The serial number that it lists.
    pub revoked: Option<u8>,
    /// When it was issued, from `now`.
    pub starts: Duration,
    /// When the next one is due, from `now`.
    pub ends: Duration,
    /// Whether the root signed it.
    pub by_root: bool,
    /// The name of another issuer.
    pub issuer: Option<&'static str>,
}

/// A CRL without fault that lists nothing.
pub const GOOD_CRL: CrlOptions = CrlOptions {
    revoked: None,
    starts: Duration::hours(-1),
    ends: Duration::days(1),
    by_root: true,
    issuer: None,
};

/// The serial number of the authority's certificate.
pub const SERIAL: u8 = 7;

/// A certificate without fault.
pub const GOOD: CertificateOptions = CertificateOptions {
    purposes: Some(TIME_STAMPING),
    critical: true,
    starts: Duration::days(-1),
    ends: Duration::days(1),
    by_root: true,
    crl: None,
    ocsp: None,
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
        root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
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
        params.serial_number = Some(SerialNumber::from_slice(&[SERIAL]));
        if let Some(purposes) = options.purposes {
            let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], purposes.to_vec());
            usage.set_criticality(options.critical);
            params.custom_extensions.push(usage);
        }
        if let Some(address) = options.crl {
            params.crl_distribution_points = vec![CrlDistributionPoint {
                uris: vec![address.to_owned()],
            }];
        }
        if let Some(address) = options.ocsp {
            let access = authority_information(address);
            let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(&oid, access));
        }
        let issuer_key = if options.by_root {
            &self.root_key
        } else {
            &self.other_key
        };
        let issuer = Issuer::from_params(&self.root_params, issuer_key);
        Certificate::parse(params.signed_by(&self.key, &issuer).unwrap().der()).unwrap()
    }

    /// A CRL of the root, or of somebody else under the root's name.
    pub fn crl(&self, crl: &CrlOptions) -> Vec<u8> {
        let revoked = crl.revoked.map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[serial]),
            revocation_time: self.now - Duration::hours(2),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: self.now + crl.starts,
            next_update: self.now + crl.ends,
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let mut named = self.root_params.clone();
        if let Some(name) = crl.issuer {
            named.distinguished_name.push(DnType::CommonName, name);
        }
        let key = if crl.by_root {
            &self.root_key
        } else {
            &self.other_key
        };
        let issuer = Issuer::from_params(&named, key);
        params.signed_by(&issuer).unwrap().der().to_vec()
    }

    /// Signs something with the root's key, or with another one.
    pub fn sign_as_root(&self, message: &[u8], by_root: bool) -> Vec<u8> {
        let key = if by_root {
            &self.root_key
        } else {
            &self.other_key
        };
        key.sign_message(message)
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

/// `AuthorityInfoAccessSyntax` with one OCSP address (RFC 5280 §4.2.2.1).
fn authority_information(address: &str) -> Vec<u8> {
    let method: oid::Oid = "1.3.6.1.5.5.7.48.1".parse().unwrap();
    Writer::single(Tag::SEQUENCE, |w| {
        w.sequence(|w| {
            w.oid(&method);
            w.primitive(Tag::context(6), address.as_bytes());
        });
    })
}
