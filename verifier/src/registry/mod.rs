//! The registry of accredited authorities: whether a token counts as statutory (法定), and why not.
//!
//! Japan's tax rules ask for a timestamp of a time-stamping service that the minister has accredited
//! (総務大臣が認定する時刻認証業務に係るタイムスタンプ). That is no property of the token's bytes: it depends on who ran which
//! certificate during which accreditation. So it stands in a file that people keep, with its sources; ADR 0013.
//!
//! The verdict here is about the accreditation alone. Whether the token is valid is judged apart.

mod file;
mod signer;
mod verdict;

use formats::digest::DigestAlgorithm;
use formats::oid::Oid;
use formats::tsp::TimeStampToken;
use time::{Date, OffsetDateTime, Time, UtcOffset};

pub use file::{REGISTRY_BYTES_MAX, REGISTRY_VERSION, RegistryError};
pub use signer::signer_certificate;
pub use verdict::{Accreditation, Statutory, StatutoryAnswer, Unstatutory};

/// Accredited services and the schemes that accredit them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registry {
    schemes: Vec<Scheme>,
    services: Vec<Service>,
}

/// A scheme of accreditation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// The name that services refer to.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The days on which the law takes its tokens.
    pub recognised: Days,
    /// Where that is written.
    pub source: String,
}

/// A service during one accreditation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name of the service.
    pub name: String,
    /// Who runs it.
    pub operator: String,
    /// The scheme that accredits it.
    pub scheme: String,
    /// The days of the accreditation.
    pub accredited: Days,
    /// SHA-256 digests of the certificates (DER) under the accreditation.
    pub certificates: Vec<[u8; 32]>,
    /// The policies under the accreditation; empty where it names none.
    pub policies: Vec<Oid>,
    /// Where the accreditation is published.
    pub source: String,
}

/// Days in Japan, the first and the last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub from: Date,
    /// The last day; `None` while there is no end.
    pub to: Option<Date>,
}

/// Whether a token counts as statutory, with the registry if there is one.
#[must_use]
pub fn judge(token: &[u8], registry: Option<&Registry>) -> Statutory {
    let Some(registry) = registry else {
        return Statutory::No(Unstatutory::NoRegistry);
    };
    TimeStampToken::parse(token).map_or(Statutory::No(Unstatutory::Unreadable), |token| {
        registry.judge(&token)
    })
}

impl Registry {
    /// The services.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Whether a token counts as statutory: its certificate and policy belong to a service that was accredited at its time, under a
    /// scheme that the law took at its time.
    #[must_use]
    pub fn judge(&self, token: &TimeStampToken) -> Statutory {
        let Some(certificate) = certificate_digest(token) else {
            return Statutory::No(Unstatutory::NoCertificate);
        };
        let mut reason = Unstatutory::NotRegistered;
        let services = self.services.iter();
        for service in services.filter(|service| service.certificates.contains(&certificate)) {
            match self.judge_under(service, token) {
                Ok(accreditation) => return Statutory::Yes(accreditation),
                Err(why) => reason = why,
            }
        }
        Statutory::No(reason)
    }

    /// The same for a token whose signature was checked: one that does not hold under its certificate may have been made by anybody.
    #[must_use]
    pub fn judge_token(&self, token: &TimeStampToken, intact: bool) -> Statutory {
        if intact {
            self.judge(token)
        } else {
            Statutory::No(Unstatutory::NotIntact)
        }
    }

    fn judge_under(
        &self,
        service: &Service,
        token: &TimeStampToken,
    ) -> Result<Accreditation, Unstatutory> {
        let time = token.info.gen_time;
        let name = || service.name.clone();
        if time < start_of(service.accredited.from) {
            return Err(Unstatutory::BeforeAccreditation {
                service: name(),
                from: service.accredited.from,
            });
        }
        if let Some(to) = service.accredited.to
            && !service.accredited.contains(time)
        {
            return Err(Unstatutory::AfterAccreditation {
                service: name(),
                to,
            });
        }
        let policies = &service.policies;
        if !policies.is_empty() && !policies.contains(&token.info.policy) {
            return Err(Unstatutory::PolicyNotAccredited {
                service: name(),
                policy: token.info.policy.to_string(),
            });
        }
        let scheme = self.schemes.iter().find(|one| one.id == service.scheme);
        match scheme.filter(|scheme| scheme.recognised.contains(time)) {
            Some(scheme) => Ok(Accreditation {
                service: name(),
                operator: service.operator.clone(),
                scheme: scheme.name.clone(),
            }),
            None => Err(Unstatutory::SchemeNotRecognised {
                service: name(),
                scheme: scheme.map_or_else(|| service.scheme.clone(), |one| one.name.clone()),
            }),
        }
    }
}

impl Days {
    /// Whether a moment lies on one of the days, by the clock of Japan.
    #[must_use]
    pub fn contains(&self, time: OffsetDateTime) -> bool {
        let ended = |to: Date| to.next_day().is_some_and(|next| time >= start_of(next));
        time >= start_of(self.from) && !self.to.is_some_and(ended)
    }
}

/// Midnight in Japan.
fn start_of(day: Date) -> OffsetDateTime {
    day.with_time(Time::MIDNIGHT).assume_offset(JAPAN)
}

/// The digest of the certificate that the token was made with: of the one that it carries, or as the token names it.
fn certificate_digest(token: &TimeStampToken) -> Option<[u8; 32]> {
    if let Some(certificate) = signer_certificate(token) {
        let digest = certificate.digest(DigestAlgorithm::Sha256);
        return digest.as_bytes().try_into().ok();
    }
    let [signer] = token.signed_data.signers.as_slice() else {
        return None;
    };
    let references = signer.signing_certificates().ok()?;
    let named = references.v2.as_ref()?.first()?;
    let sha256 = named.algorithm.digest_algorithm() == Some(DigestAlgorithm::Sha256);
    named.hash.as_slice().try_into().ok().filter(|_| sha256)
}

/// Japan has had no other offset since 1951.
const JAPAN: UtcOffset = match UtcOffset::from_hms(9, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};
