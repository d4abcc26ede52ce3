//! Collects validation material over HTTP.

use std::collections::VecDeque;
use std::sync::Arc;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::digest::DigestAlgorithm;
use formats::ocsp::{BasicOcspResponse, CertificateId, OcspRequest};
use formats::x509::Certificate;
use time::{Duration, OffsetDateTime};

use super::addresses::{Services, services};
use super::cache::Cache;
use super::collected::{Collected, MaterialError, MaterialFailure};
use super::fetch::{Fetcher, MaterialOptions};
use super::revocation::answer_about;
use super::{MaterialSource, answer};

/// Asks the services that certificates name: caIssuers for missing certificates, OCSP for their status, and where that cannot be had, CRLs.
#[derive(Debug)]
pub struct HttpMaterial {
    options: MaterialOptions,
    cache: Cache,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl HttpMaterial {
    /// A source; nothing is sent.
    #[must_use]
    pub fn new(options: MaterialOptions, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let cache = Cache::new(options.cache.clone());
        Self {
            options,
            cache,
            clock,
            entropy,
        }
    }

    async fn run(
        &self,
        given: &[Vec<u8>],
        anchors: &[Vec<u8>],
        moment: OffsetDateTime,
    ) -> Collected {
        let fetcher = match Fetcher::new(&self.options) {
            Ok(fetcher) => fetcher,
            Err(error) => return failed(error),
        };
        let mut work = Work {
            source: self,
            fetcher,
            moment,
            known: parse(given),
            anchors: parse(anchors),
            collected: Collected::default(),
        };
        let whole = self.options.whole_wait_max;
        if tokio::time::timeout(whole, work.run()).await.is_err() {
            let error = MaterialError::TimeOut { waited: whole };
            work.collected.merge(failed(error));
        }
        work.collected
    }
}

impl MaterialSource for HttpMaterial {
    /// The exchanges run on a thread of their own, so that this may be called from inside an asynchronous runtime too.
    fn collect(
        &self,
        certificates: &[Vec<u8>],
        anchors: &[Vec<u8>],
        moment: OffsetDateTime,
    ) -> Collected {
        std::thread::scope(|scope| {
            let exchanges = scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_or_else(
                        |_| failed(MaterialError::Runtime),
                        |runtime| runtime.block_on(self.run(certificates, anchors, moment)),
                    )
            });
            let finished = exchanges.join();
            finished.unwrap_or_else(|_| failed(MaterialError::Runtime))
        })
    }
}

fn failed(error: MaterialError) -> Collected {
    let failure = MaterialFailure {
        certificate: String::new(),
        address: String::new(),
        error,
    };
    Collected {
        failures: vec![failure],
        ..Collected::default()
    }
}

fn parse(list: &[Vec<u8>]) -> Vec<Certificate> {
    let parsed = list.iter().take(CERTIFICATES_MAX);
    parsed
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .collect()
}

/// One collection.
struct Work<'s> {
    source: &'s HttpMaterial,
    fetcher: Fetcher<'s>,
    moment: OffsetDateTime,
    known: Vec<Certificate>,
    anchors: Vec<Certificate>,
    collected: Collected,
}

impl Work<'_> {
    async fn run(&mut self) {
        let mut queue: VecDeque<Certificate> = self.known.iter().cloned().collect();
        let mut done: Vec<Vec<u8>> = Vec::new();
        while let Some(certificate) = queue.pop_front() {
            let is_anchor = self.anchors.iter().any(|anchor| {
                anchor.subject() == certificate.subject() && anchor.spki() == certificate.spki()
            });
            if is_anchor
                || certificate.subject() == certificate.issuer()
                || done.len() >= CERTIFICATES_MAX
                || done.iter().any(|other| other == certificate.raw())
            {
                continue;
            }
            done.push(certificate.raw().to_vec());
            let services = services(&certificate);
            if self.issuer_of(&certificate).is_none() {
                queue.extend(self.fetch_issuers(&certificate, &services).await);
            }
            let Some(issuer) = self.issuer_of(&certificate) else {
                continue;
            };
            if services.name_revocation() && !services.no_check {
                let responder = self.ask_revocation(&certificate, &issuer, &services).await;
                queue.extend(responder);
            }
        }
    }

    /// The certificate of the issuer, if it is at hand; the name alone may be that of another key.
    fn issuer_of(&self, certificate: &Certificate) -> Option<Certificate> {
        let at_hand = self.anchors.iter().chain(&self.known);
        at_hand
            .filter(|issuer| issuer.subject() == certificate.issuer())
            .find(|issuer| is_signed_by(certificate, issuer))
            .cloned()
    }

    /// Asks for the issuer's certificates; gives those that are new.
    async fn fetch_issuers(
        &mut self,
        certificate: &Certificate,
        services: &Services,
    ) -> Vec<Certificate> {
        for address in &services.issuers {
            match self.issuers_at(address).await {
                Ok(found) => {
                    let new: Vec<Certificate> = found
                        .into_iter()
                        .filter(|new| !self.known.iter().any(|known| known.raw() == new.raw()))
                        .collect();
                    for new in &new {
                        self.known.push(new.clone());
                        self.collected.certificates.push(new.raw().to_vec());
                    }
                    if self.issuer_of(certificate).is_some() {
                        return new;
                    }
                    self.fail(certificate, address, MaterialError::WrongIssuer);
                }
                Err(error) => self.fail(certificate, address, error),
            }
        }
        Vec::new()
    }

    async fn issuers_at(&self, address: &str) -> Result<Vec<Certificate>, MaterialError> {
        let now = self.source.clock.now();
        let cache = &self.source.cache;
        // Certificates do not change; they are asked for again now and then, in case the service corrects a mistake.
        if let Some(body) = cache.get(address, now) {
            return answer::certificates(&body);
        }
        let limit = self.source.options.certificates_bytes_max;
        let body = self.fetcher.get(address, limit).await?;
        let found = answer::certificates(&body)?;
        let until = now.saturating_add(CERTIFICATES_KEPT);
        cache.put(address, &body, until);
        Ok(found)
    }

    /// Asks for the status by OCSP, and where that gives none, for CRLs; gives the responder, whose own status may have to be asked.
    async fn ask_revocation(
        &mut self,
        certificate: &Certificate,
        issuer: &Certificate,
        services: &Services,
    ) -> Option<Certificate> {
        for address in &services.ocsp {
            match self.ask_ocsp(address, certificate, issuer).await {
                Ok((response, responder)) => {
                    push_new(&mut self.collected.ocsp_responses, response);
                    return Some(responder);
                }
                Err(error) => self.fail(certificate, address, error),
            }
        }
        for address in &services.crls {
            match self.fetch_crl(address, issuer).await {
                Ok(list) => {
                    push_new(&mut self.collected.crls, list);
                    return None;
                }
                Err(error) => self.fail(certificate, address, error),
            }
        }
        if services.ocsp.is_empty() && services.crls.is_empty() {
            self.fail(certificate, "", MaterialError::NoAddress);
        }
        None
    }

    async fn ask_ocsp(
        &self,
        address: &str,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<(Vec<u8>, Certificate), MaterialError> {
        let now = self.source.clock.now();
        let serial = certificate.serial().clone();
        let (name, spki) = (certificate.issuer(), issuer.spki());
        // The one digest that every responder knows; RFC 6960 §4.3 names it for this use.
        let id = CertificateId::new(DigestAlgorithm::Sha1, name, spki, serial)
            .map_err(answer::malformed)?;
        let key = format!("{address} {}", hex::encode(certificate.raw()));
        let mut nonce = [0_u8; NONCE_BYTES];
        if let Some(body) = self.source.cache.get(&key, now)
            && issued(&body, certificate, issuer).is_some_and(|issued| issued >= self.moment)
            && let Ok(signer) =
                answer::ocsp(&body, certificate, issuer, &kept_nonce(&body), self.moment)
        {
            return Ok((body, signer));
        }
        let filled = self.source.entropy.fill(&mut nonce);
        filled.map_err(|_| MaterialError::Runtime)?;
        let request = OcspRequest {
            certificates: vec![id],
            nonce: Some(nonce.to_vec()),
        };
        let body = self.fetcher.ask(address, &request.encode()).await?;
        let signer = answer::ocsp(&body, certificate, issuer, &nonce, self.moment)?;
        // Long enough for all tokens of a refresh, and too short to stand in for one years later.
        let until = now.saturating_add(ANSWERS_KEPT);
        self.source.cache.put(&key, &body, until);
        Ok((body, signer))
    }

    async fn fetch_crl(
        &self,
        address: &str,
        issuer: &Certificate,
    ) -> Result<Vec<u8>, MaterialError> {
        let now = self.source.clock.now();
        let cached = self.source.cache.crl(address, now);
        if let Some(Ok(list)) = cached.map(|body| answer::crl(&body, issuer, self.moment)) {
            return Ok(list);
        }
        let limit = self.source.options.crl_bytes_max;
        let body = self.fetcher.get(address, limit).await?;
        let list = answer::crl(&body, issuer, self.moment)?;
        self.source.cache.put_crl(address, &list, now);
        Ok(list)
    }

    fn fail(&mut self, certificate: &Certificate, address: &str, error: MaterialError) {
        self.collected.failures.push(MaterialFailure {
            certificate: certificate.subject_text(),
            address: address.to_owned(),
            error,
        });
    }
}

fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let algorithm = certificate.signature_algorithm();
    let check = verifier::crypto::verify_signature(
        issuer.spki(),
        &algorithm.oid,
        algorithm.parameters.as_deref(),
        None,
        certificate.tbs(),
        certificate.signature(),
    );
    !matches!(check, verifier::crypto::SignatureCheck::Invalid)
}

/// The nonce in a response that was accepted before.
fn kept_nonce(body: &[u8]) -> Vec<u8> {
    let read = BasicOcspResponse::parse_either(body);
    read.ok().and_then(|read| read.nonce).unwrap_or_default()
}

/// When the answer about a certificate was right.
fn issued(body: &[u8], certificate: &Certificate, issuer: &Certificate) -> Option<OffsetDateTime> {
    let read = BasicOcspResponse::parse_either(body).ok()?;
    answer_about(&read, certificate, issuer).map(|answer| answer.this_update)
}

fn push_new(list: &mut Vec<Vec<u8>>, item: Vec<u8>) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Certificates that are asked about for one token. Chains have two to five, and their responders.
const CERTIFICATES_MAX: usize = 32;

/// RFC 9654 §2.1: 32 octets.
const NONCE_BYTES: usize = 32;

/// How long OCSP responses are kept, for tokens that are older than they.
const ANSWERS_KEPT: Duration = Duration::HOUR;

/// How long certificates of issuers are kept.
const CERTIFICATES_KEPT: Duration = Duration::DAY;
