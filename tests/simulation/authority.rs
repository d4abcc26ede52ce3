//! A time-stamping service with its certification authority, on a simulated clock: it issues certificates of ten years, publishes
//! revocation lists, closes, goes down, and loses its key.

use std::sync::{Arc, Mutex};

use archiver::tsa::server::Responder;
use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::{Entropy, SeededEntropy};
use formats::cms::{Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates};
use formats::der::Integer;
use formats::oid;
use formats::tsp::{Accuracy, Failure, TimeStampRequest, TimeStampResponse, TstInfo};
use formats::x509::{Certificate, encode_pem};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use crate::keys::{KeyKind, SimulatedKey};

/// A certification authority and the time-stamping service under it.
#[derive(Debug)]
pub(crate) struct SimulatedAuthority {
    name: &'static str,
    clock: Arc<SimulatedClock>,
    entropy: Arc<SeededEntropy>,
    root: Vec<u8>,
    root_params: CertificateParams,
    root_key: SimulatedKey,
    service: Mutex<Service>,
}

/// The part that changes.
#[derive(Debug)]
struct Service {
    key: Arc<SimulatedKey>,
    certificate: Certificate,
    serial: SerialNumber,
    not_after: OffsetDateTime,
    available: bool,
    /// The authority publishes lists no more.
    closed: bool,
    revoked: Vec<(SerialNumber, OffsetDateTime)>,
    lists: u64,
}

impl SimulatedAuthority {
    /// Opens an authority; its first certificate starts now.
    pub(crate) fn open(
        name: &'static str,
        kind: KeyKind,
        clock: &Arc<SimulatedClock>,
        seed: u64,
    ) -> Arc<Self> {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let now = clock.now();
        // Stronger than what it certifies: it has to last longer.
        let root_key = SimulatedKey::generate(KeyKind::P384, &entropy);
        let mut root_params = params(name, "Root", now, ROOT_YEARS);
        root_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        root_params.serial_number = Some(serial(&entropy));
        let root = root_params.self_signed(&root_key).expect("a root");
        let root = root.der().to_vec();
        let service = Service::issue(name, kind, now, (&root_params, &root_key), &entropy);
        Arc::new(Self {
            name,
            clock: Arc::clone(clock),
            entropy,
            root,
            root_params,
            root_key,
            service: Mutex::new(service),
        })
    }

    /// The name in the configuration.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The root certificate, DER: the trust anchor.
    pub(crate) fn root(&self) -> &[u8] {
        &self.root
    }

    /// Whether a certificate bears this authority's name as its issuer.
    pub(crate) fn issued(&self, certificate: &[u8]) -> bool {
        let root = Certificate::parse(&self.root).expect("own root");
        Certificate::parse(certificate).is_ok_and(|one| one.issuer() == root.subject())
    }

    /// The last moment of a token that it gives now, as far as its certificate and its algorithms go.
    pub(crate) fn token_end(&self) -> OffsetDateTime {
        let service = self.lock();
        service.not_after.min(service.key.end())
    }

    /// Whether it will go on giving tokens, today or later.
    pub(crate) fn is_in_business(&self) -> bool {
        let service = self.lock();
        !service.closed && service.revoked.is_empty()
    }

    /// When the certificate in use ends.
    pub(crate) fn not_after(&self) -> OffsetDateTime {
        self.lock().not_after
    }

    /// Answers from now on, or does not.
    pub(crate) fn set_available(&self, available: bool) {
        self.lock().available = available;
    }

    /// Ends the business: no tokens, no lists.
    pub(crate) fn close(&self) {
        let mut service = self.lock();
        service.available = false;
        service.closed = true;
    }

    /// A new key and certificate of ten years.
    pub(crate) fn renew_certificate(&self, kind: KeyKind) {
        let now = self.clock.now();
        let issuer = (&self.root_params, &self.root_key);
        let mut service = self.lock();
        let fresh = Service::issue(self.name, kind, now, issuer, &self.entropy);
        let (revoked, lists) = (std::mem::take(&mut service.revoked), service.lists);
        *service = Service {
            revoked,
            lists,
            ..fresh
        };
    }

    /// The key is stolen: its certificate is revoked, with a date that may lie in the past.
    pub(crate) fn compromise(&self, since: OffsetDateTime) {
        let mut service = self.lock();
        let serial = service.serial.clone();
        service.revoked.push((serial, since));
        service.available = false;
    }

    /// The revocation list of this moment. `None`: it is published no more.
    pub(crate) fn revocation_list(&self) -> Option<Vec<u8>> {
        let now = self.clock.now();
        let mut service = self.lock();
        if service.closed {
            return None;
        }
        service.lists += 1;
        let revoked = service
            .revoked
            .iter()
            .map(|(serial, since)| RevokedCertParams {
                serial_number: serial.clone(),
                revocation_time: *since,
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            });
        let list = CertificateRevocationListParams {
            this_update: whole(now),
            next_update: whole(now) + LIST_VALIDITY,
            crl_number: SerialNumber::from(service.lists),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.root_params, &self.root_key);
        Some(list.signed_by(&issuer).expect("a list").der().to_vec())
    }

    fn token(&self, service: &Service, request: &TimeStampRequest) -> Option<Vec<u8>> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random).ok()?;
        let now = self.clock.now();
        let info = TstInfo {
            version: 1,
            policy: POLICY.parse().ok()?,
            imprint: request.imprint.clone(),
            serial: Integer::from_unsigned(&random),
            gen_time: now.replace_millisecond(now.millisecond()).ok()?,
            gen_time_text: String::new(),
            accuracy: Some(Accuracy {
                seconds: Some(1),
                ..Accuracy::default()
            }),
            ordering: false,
            nonce: request.nonce.clone(),
            tsa: None,
            extensions: Vec::new(),
        };
        let digest = service.key.digest();
        let binding = SigningCertificates::encode_v2(&service.certificate, digest);
        let builder = SignedDataBuilder {
            content_type: oid::TST_INFO,
            content: info.encode().ok()?,
            identifier: SignerIdentifier::of(&service.certificate),
            digest_algorithm: digest,
            signature_algorithm: service.key.signature_algorithm(),
            signed_attributes: vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![binding])],
            certificates: vec![service.certificate.raw().to_vec()],
            revocations: Vec::new(),
        };
        let token = builder
            .build(|message| Some(service.key.sign_message(message)))
            .ok()?;
        Some(token.raw().to_vec())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Service> {
        self.service.lock().expect("no panic while it is held")
    }
}

impl Responder for SimulatedAuthority {
    fn respond(&self, request: &[u8]) -> Vec<u8> {
        let service = self.lock();
        let refuse = |failure, why| TimeStampResponse::rejected(failure, why).encode();
        if !service.available || self.clock.now() > service.not_after {
            return refuse(Failure::TimeNotAvailable, "out of service");
        }
        let Ok(request) = TimeStampRequest::parse(request) else {
            return refuse(Failure::BadDataFormat, "not a request");
        };
        match self.token(&service, &request) {
            Some(token) => TimeStampResponse::granted(token).encode(),
            None => refuse(Failure::SystemFailure, "no token"),
        }
    }

    fn root_pem(&self) -> String {
        encode_pem("CERTIFICATE", &self.root)
    }
}

impl Service {
    fn issue(
        name: &str,
        kind: KeyKind,
        now: OffsetDateTime,
        (root_params, root_key): (&CertificateParams, &SimulatedKey),
        entropy: &SeededEntropy,
    ) -> Self {
        let key = SimulatedKey::generate(kind, entropy);
        let mut params = params(name, "TSA", now, SERVICE_YEARS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.custom_extensions = vec![time_stamping_only()];
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec![list_address(name)],
        }];
        let serial = serial(entropy);
        params.serial_number = Some(serial.clone());
        let issuer = Issuer::from_params(root_params, root_key);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        Self {
            key: Arc::new(key),
            certificate: Certificate::parse(certificate.der()).expect("a certificate"),
            serial,
            not_after: params.not_after,
            available: true,
            closed: false,
            revoked: Vec::new(),
            lists: 0,
        }
    }
}

/// Where the list of an authority would stand.
pub(crate) fn list_address(name: &str) -> String {
    format!("http://{name}.example/list.crl")
}

fn params(name: &str, role: &str, now: OffsetDateTime, years: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, format!("Simulated {name}"));
    subject.push(DnType::CommonName, format!("{role} {}", now.year()));
    params.distinguished_name = subject;
    params.not_before = whole(now) - Duration::hours(1);
    params.not_after = whole(now) + Duration::days(365 * years);
    params
}

fn serial(entropy: &SeededEntropy) -> SerialNumber {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes).expect("seeded");
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn whole(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).expect("zero is in range")
}

/// `id-kp-timeStamping` alone and critical (RFC 3161 §2.3).
fn time_stamping_only() -> CustomExtension {
    let usage = [
        0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08,
    ];
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], usage.to_vec());
    extension.set_criticality(true);
    extension
}

const POLICY: &str = "1.3.6.1.4.1.32473.1.7";
const ROOT_YEARS: i64 = 40;
const SERVICE_YEARS: i64 = 10;
const LIST_VALIDITY: Duration = Duration::days(7);
