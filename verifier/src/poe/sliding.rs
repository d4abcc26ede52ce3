//! Validation time sliding (EN 319 102-1 §5.6.2.2) and what past signature validation asks of it (§5.6.2.4).
//!
//! The control time begins at the present and is moved back on the way down a path: to the revocation of a certificate, to the end of an
//! algorithm. Each certificate further down, and what tells its status, has to be proven to exist by then, and in the end so has the signature: from
//! the control time on they could have been forged.

use time::OffsetDateTime;

use super::PoeSet;
use crate::algorithm::{AlgorithmJudgement, SignatureAlgorithm};
use crate::certificate::Certificate;
use crate::finding::{Code, Finding, Place, poe as codes};
use crate::path::{PathStep, StatusSource};
use crate::policy::Policy;
use crate::report::text::civil_time;
use crate::revocation::Reason;
use crate::verdict::SubIndication;

/// The inputs of one sliding.
pub(crate) struct Sliding<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) proofs: &'a PoeSet,
    /// The time of the judgement: what is not proven to exist since earlier exists since then.
    pub(crate) now: OffsetDateTime,
    /// Whether the path is that of a time-stamp. A revocation that says that no key was compromised does not reach back there
    /// (RFC 3161 §4), and its revocation information may be as old as its signer (ADR 0012).
    pub(crate) of_time_stamp: bool,
}

/// Why a path that holds at a past time cannot be relied on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: SubIndication,
    pub(crate) finding: Finding,
}

/// The time until which the path can be relied on, and why not longer.
struct Control {
    time: OffsetDateTime,
    cause: Option<(SubIndication, String)>,
}

impl Control {
    fn slide(&mut self, to: OffsetDateTime, reason: SubIndication, what: &str) {
        if to < self.time {
            self.time = to;
            self.cause = Some((reason, what.to_owned()));
        }
    }

    /// Something is not proven to exist by the control time.
    fn failure(&self, code: Code, what: &str) -> Failure {
        let (reason, why) = match &self.cause {
            Some((reason, why)) => (*reason, why.as_str()),
            None => (SubIndication::NoPoe, "-"),
        };
        let finding = Finding::new(code, Place::root());
        Failure {
            reason,
            finding: finding.with(what).with(civil_time(self.time)).with(why),
        }
    }
}

impl Sliding<'_> {
    /// Whether a signature that is proven to exist since `signed` can rely on a path, told from the trust anchor downwards.
    pub(crate) fn judge(&self, steps: &[PathStep], signed: OffsetDateTime) -> Result<(), Failure> {
        let mut control = Control {
            time: self.now,
            cause: None,
        };
        let last = steps.len().saturating_sub(1);
        for (position, step) in steps.iter().enumerate() {
            self.take(step, position == last, &mut control)?;
        }
        if signed > control.time {
            return Err(control.failure(codes::POE_SIGNATURE_TOO_LATE, "-"));
        }
        Ok(())
    }

    fn since(&self, object: &[u8]) -> OffsetDateTime {
        self.proofs
            .since(object)
            .map_or(self.now, |time| time.min(self.now))
    }

    /// One certificate, from the trust anchor downwards.
    fn take(&self, step: &PathStep, is_target: bool, control: &mut Control) -> Result<(), Failure> {
        let title = Certificate::parse(&step.certificate)
            .map(|certificate| certificate.title())
            .unwrap_or_default();
        let exists = self.since(&step.certificate);
        if exists > control.time {
            return Err(control.failure(codes::POE_CERTIFICATE_TOO_LATE, &title));
        }
        let mut algorithms: Vec<SignatureAlgorithm> = Vec::new();
        if let Some(algorithm) = step.algorithm {
            self.check_algorithms(&[algorithm], exists, &title)?;
            algorithms.push(algorithm);
        }
        if let Some(source) = self.source_of(step, is_target, &title, control)? {
            algorithms.extend(&source.algorithms);
        }
        if let Some((revoked, reason)) = self.revocation_of(step) {
            let sub = if is_target {
                SubIndication::RevokedNoPoe
            } else {
                SubIndication::RevokedCaNoPoe
            };
            control.slide(revoked, sub, &format!("{title}: {}", reason.name()));
        }
        for algorithm in algorithms {
            let trust = self.policy.signature_trust(algorithm);
            if let Some(until) = trust.and_then(|trust| trust.until) {
                let reason = SubIndication::CryptoConstraintsFailureNoPoe;
                control.slide(until, reason, &algorithm.to_string());
            }
        }
        Ok(())
    }

    /// The newest information that says that the certificate was not revoked at the time in question and that can be relied on; `None` where
    /// nothing has to say so.
    fn source_of<'s>(
        &self,
        step: &'s PathStep,
        is_target: bool,
        title: &str,
        control: &Control,
    ) -> Result<Option<&'s StatusSource>, Failure> {
        let mut sources: Vec<&StatusSource> = step
            .sources
            .iter()
            .filter(|source| source.is_current)
            .collect();
        if sources.is_empty() {
            return Ok(None);
        }
        sources.sort_by_key(|source| std::cmp::Reverse(source.issued));
        sources.retain(|source| {
            source.issued <= control.time && self.since(&source.bytes) <= control.time
        });
        if sources.is_empty() {
            return Err(control.failure(codes::POE_STATUS_TOO_LATE, title));
        }
        if is_target && !self.of_time_stamp {
            self.keep_timely(&mut sources, title)?;
        }
        let mut worst = None;
        for source in sources {
            match self.check_algorithms(&source.algorithms, self.since(&source.bytes), title) {
                Ok(()) => return Ok(Some(source)),
                Err(failure) => worst = Some(failure),
            }
        }
        worst.map_or(Ok(None), Err)
    }

    /// §5.6.2.4, step 1: information about the signer counts if it is proven to exist since before the end of who signed it.
    fn keep_timely(&self, sources: &mut Vec<&StatusSource>, title: &str) -> Result<(), Failure> {
        let until = sources
            .iter()
            .filter_map(|source| source.signer_until)
            .max();
        sources.retain(|source| {
            let ends = source.signer_until;
            ends.is_none_or(|until| self.since(&source.bytes) <= until)
        });
        match until {
            Some(until) if sources.is_empty() => Err(Failure {
                reason: SubIndication::RevocationOutOfBoundsNoPoe,
                finding: Finding::new(codes::POE_STATUS_SIGNER_ENDED, Place::root())
                    .with(title)
                    .with(civil_time(until)),
            }),
            _ => Ok(()),
        }
    }

    /// The earliest revocation that reaches the certificate. It counts whoever says so and since when.
    fn revocation_of(&self, step: &PathStep) -> Option<(OffsetDateTime, Reason)> {
        let released = step
            .sources
            .iter()
            .filter(|source| source.revoked.is_none());
        let released = released.map(|source| source.issued).max();
        let revoked = step.sources.iter().filter_map(|source| {
            let (time, reason) = source.revoked?;
            let is_hold = matches!(reason, Reason::CertificateHold | Reason::RemoveFromCrl);
            let ended = is_hold && released.is_some_and(|at| at > source.issued);
            let harmless = self.of_time_stamp && is_harmless(reason);
            (!ended && !harmless).then_some((time, reason))
        });
        revoked.min_by_key(|(time, _)| *time)
    }

    /// §5.6.2.4, step 4: what uses an algorithm has to be proven to exist while that was trusted.
    fn check_algorithms(
        &self,
        algorithms: &[SignatureAlgorithm],
        exists: OffsetDateTime,
        title: &str,
    ) -> Result<(), Failure> {
        for algorithm in algorithms {
            let until = match self.policy.judge_signature(*algorithm, exists) {
                AlgorithmJudgement::Trusted(_) => continue,
                AlgorithmJudgement::Ended(trust) => trust.until.map(civil_time),
                AlgorithmJudgement::NotListed => None,
            };
            return Err(Failure {
                reason: SubIndication::CryptoConstraintsFailureNoPoe,
                finding: Finding::new(codes::POE_ALGORITHM_ENDED, Place::root())
                    .with(title)
                    .with(algorithm)
                    .with(until.unwrap_or_else(|| "-".to_owned()))
                    .with(civil_time(exists)),
            });
        }
        Ok(())
    }
}

/// Whether a reason says that no key was compromised (RFC 3161 §4).
const fn is_harmless(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AffiliationChanged | Reason::Superseded | Reason::CessationOfOperation
    )
}

#[cfg(test)]
mod tests;
