//! `--online`: fetches what a path still lacks from the services that its certificates name. The only part of the program that connects to anybody.
//!
//! Nothing is sent but the names of certificates (OCSP requests); nothing that comes is trusted: the library judges all of it. The library says
//! what could be fetched ([`verifier::revocation::services`]) and never fetches.

mod evidence;
mod fetch;
mod public;

use std::collections::BTreeSet;
use std::time::Instant;

use clap::Args;
use formats::cms::{OcspForm, SignedData};
use formats::x509::{read_certificates, read_crls};
use verifier::path::report::Fetched;
use verifier::revocation::{Service, ServiceKind};

use super::judgement_time;
use fetch::{ALL_BYTES_MAX, EXCHANGES_MAX, Fetcher, WHOLE_WAIT_MAX};

/// The options of going online.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OnlineArgs {
    /// Fetch certificates of issuers, CRLs and OCSP responses that are not at hand, over plain http, from the addresses that the certificates name. Without
    /// this, nothing connects to anybody.
    #[arg(long)]
    pub(crate) online: bool,

    /// Also connect to private and local addresses. Evidence of strangers could otherwise make this machine ask inside of its own network.
    #[arg(long, requires = "online")]
    online_private: bool,
}

/// What was fetched, and from where.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Certificates, DER.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// CRLs, DER.
    pub(crate) crls: Vec<Vec<u8>>,
    /// OCSP responses, DER.
    pub(crate) ocsp_responses: Vec<Vec<u8>>,
    /// Every exchange, for the report.
    pub(crate) fetched: Vec<Fetched>,
}

/// One run online.
#[derive(Debug)]
pub(crate) struct Online {
    fetcher: Fetcher,
    started: Instant,
    asked: BTreeSet<(String, Vec<u8>)>,
    /// Bytes that may still be fetched.
    bytes_left: u64,
    gathered: Gathered,
}

impl Online {
    /// A run by these options; `None` if they do not ask for one.
    pub(crate) fn by(arguments: OnlineArgs) -> Option<Self> {
        arguments.online.then(|| Self {
            fetcher: Fetcher::new(arguments.online_private),
            started: Instant::now(),
            asked: BTreeSet::new(),
            bytes_left: ALL_BYTES_MAX,
            gathered: Gathered::default(),
        })
    }

    /// What was fetched so far.
    pub(crate) const fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    /// Fetches from these services, each once in a run. Was there anything new?
    pub(crate) fn fetch(&mut self, services: &[Service]) -> bool {
        let mut new = false;
        for service in services {
            let request = match &service.kind {
                ServiceKind::Ocsp { request } => request.clone(),
                ServiceKind::Issuer | ServiceKind::Crl => Vec::new(),
            };
            if self.asked.len() == EXCHANGES_MAX
                || self.started.elapsed() > WHOLE_WAIT_MAX
                || !self.asked.insert((service.address.clone(), request))
            {
                continue;
            }
            let answer = self.fetcher.fetch(service, self.bytes_left);
            if let Ok(body) = &answer {
                let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
                self.bytes_left = self.bytes_left.saturating_sub(length);
            }
            let result = answer.and_then(|body| {
                self.gathered.take(&service.kind, &body)?;
                Ok(body.len())
            });
            new |= result.is_ok();
            self.gathered.fetched.push(Fetched {
                address: service.address.clone(),
                certificate: service.certificate.clone(),
                at: judgement_time(None),
                result,
            });
        }
        new
    }
}

impl Gathered {
    /// Takes the body of an answer apart, as far as its kind goes.
    fn take(&mut self, kind: &ServiceKind, body: &[u8]) -> Result<(), String> {
        match kind {
            ServiceKind::Crl => {
                let lists = read_crls(body).map_err(|error| error.to_string())?;
                self.crls.extend(lists);
            }
            ServiceKind::Ocsp { .. } => {
                OcspForm::of(body).map_err(|error| error.to_string())?;
                self.ocsp_responses.push(body.to_vec());
            }
            // DER, PEM, or a CMS with certificates only (RFC 5280 §4.2.2.1).
            ServiceKind::Issuer => match SignedData::parse(body) {
                Ok(bag) => self
                    .certificates
                    .extend(bag.x509_certificates().map(<[u8]>::to_vec)),
                Err(_) => {
                    let list = read_certificates(body).map_err(|error| error.to_string())?;
                    self.certificates
                        .extend(list.iter().map(|one| one.raw().to_vec()));
                }
            },
        }
        Ok(())
    }
}
