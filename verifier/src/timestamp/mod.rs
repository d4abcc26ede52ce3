//! Judges time-stamp tokens (RFC 3161 §2.4.2, RFC 5816) after EN 319 102-1 §5.4 and §5.6.
//!
//! What is computed (imprint, message digest, signature, the signed reference to the certificate) decides integrity, whatever
//! the trust; form, certificate path and algorithms decide the verdict beside it.

mod carried;
mod end;
mod imprint;
mod request;
mod response;
mod signer;
mod trust;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::oid::Oid;
use formats::tsp::TimeStampToken;
use formats::x509::{AlgorithmIdentifier, Certificate};
use time::{Duration, OffsetDateTime};

pub use self::end::{End, EndReason};
use self::imprint::judge_imprint;
pub use self::request::{RequestReport, verify_request};
pub use self::response::{ResponseReport, token_of_response};
pub(crate) use self::signer::named_certificates;
use crate::algorithm::{AlgorithmJudgement, SignatureAlgorithm, Trust};
use crate::budget::Budget;
use crate::bulk::cache;
use crate::context::Context;
use crate::finding::{Code, Finding, Language, Place, crypto as crypto_codes, timestamp as codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::poe::PoeSet;
use crate::report::text::civil_time;
use crate::report::{
    AlgorithmName, ObjectKind, ObjectReport, PathUse, UsedAlgorithm, UsedObject, UsedRole,
    ValidationProcess,
};
use crate::source::DigestSource;
use crate::verdict::{Integrity, SubIndication};

/// What ends first where it is no algorithm but the certificates: said in its own words in each language.
pub(crate) const CERTIFICATE_PATH: &str = "";

/// How far a token may lie in the future before it contradicts the time of the judgement: two clocks that are set by NTP
/// differ by less than a second, unattended ones by some minutes.
pub const CLOCK_DIFFERENCE_MAX: Duration = Duration::minutes(5);

/// What was found about one token.
#[derive(Clone, Debug)]
pub struct TimestampReport {
    /// The judgement.
    pub judgement: Judgement,
    /// The token, if it could be read.
    pub token: Option<TimeStampToken>,
    /// The certificate that it was made with, if it was found.
    pub signer: Option<Certificate>,
    /// Until when the judgement can hold: the first end of a certificate or an algorithm that it rests on, and its name.
    pub holds_until: Option<(OffsetDateTime, String)>,
    /// Everything that it rests on and that has a known end, the earliest first: what a renewal calendar is made of.
    pub ends: Vec<End>,
    /// What was noticed. Without a finding of severity error the token has passed.
    pub findings: Vec<Finding>,
    /// The same for the report.
    pub object: ObjectReport,
}

impl TimestampReport {
    /// The time that the token states, if it could be read. It is proven only if the judgement has passed.
    #[must_use]
    pub fn time(&self) -> Option<OffsetDateTime> {
        self.token.as_ref().map(|token| token.info.gen_time)
    }

    /// Whether `code` is among the findings.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }
}

/// Where a token stands in its evidence.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// As of when it is judged: the time of the judgement, or that of a later proof that covers it (EN 319 102-1 §5.6.2).
    pub judged_at: OffsetDateTime,
    /// Whether a later proof, which has passed, covers every byte of it.
    pub protected: bool,
}

/// Judges a token alone, as of `context.time`, with the data that it should cover.
///
/// Without `data` the imprint cannot be compared: the best answer is INDETERMINATE / SIGNED_DATA_NOT_FOUND.
#[must_use]
pub fn verify_token(
    token: &[u8],
    data: Option<&dyn DigestSource>,
    context: &Context<'_>,
    place: &Place,
) -> TimestampReport {
    let standing = Standing {
        judged_at: context.time,
        protected: false,
    };
    verify_token_standing(token, data, standing, context, place)
}

/// Judges a token with the data that it should cover, where it stands.
#[must_use]
pub fn verify_token_standing(
    token: &[u8],
    data: Option<&dyn DigestSource>,
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> TimestampReport {
    let embedding = Embedding::default();
    verify_embedded_token(token, data, embedding, standing, context, place)
}

/// What is known of a token that stands inside a signature.
#[derive(Default)]
pub(crate) struct Embedding<'a> {
    /// An unsigned attribute of the token that is covered by its imprint (EN 319 122-1 §5.5.2).
    pub(crate) covered_attribute: Option<Oid>,
    /// What newer proofs have proven to exist.
    pub(crate) proofs: Option<&'a PoeSet>,
}

/// The same for a token inside a signature.
pub(crate) fn verify_embedded_token(
    token: &[u8],
    data: Option<&dyn DigestSource>,
    embedding: Embedding<'_>,
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> TimestampReport {
    let proofs = embedding.proofs.filter(|proofs| !proofs.is_empty());
    let mut report = if embedding.covered_attribute.is_none() && proofs.is_none() {
        judge_token(token, standing, context, place)
    } else {
        let mut judge = Judge::new(context, standing, place);
        judge.covered_attribute = embedding.covered_attribute;
        judge.proofs = proofs.cloned().unwrap_or_default();
        judge_with(judge, token)
    };
    let imprint = judge_imprint(&report, data, standing, context, place);
    report.judgement.add(imprint.judgement);
    report.findings.extend(imprint.findings);
    report.ends.extend(imprint.ends);
    report.ends.sort();
    if let (Some(data), true) = (data, report.token.is_some()) {
        report.object.covers.push(data.name().to_owned());
    }
    report.object.judgement = report.judgement;
    report
}

/// Judges everything about a token but its imprint, which the caller compares.
pub(crate) fn judge_token(
    bytes: &[u8],
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> TimestampReport {
    cache::judge_token(bytes, standing, context, place, |place| {
        judge_with(Judge::new(context, standing, place), bytes)
    })
}

fn judge_with(mut judge: Judge<'_>, bytes: &[u8]) -> TimestampReport {
    let token = match TimeStampToken::parse(bytes) {
        Ok(token) => token,
        Err(error) => {
            judge.notes.broken(
                SubIndication::FormatFailure,
                codes::TOKEN_MALFORMED,
                [error],
            );
            let mut report = judge.into_report(None, None);
            let unread = UsedObject::new(UsedRole::TimestampToken, bytes);
            report.object.add_used(unread);
            return report;
        }
    };
    let signer = signer::check(&mut judge, &token);
    judge.check_info(&token);
    if let Some(signer) = &signer {
        judge.check_period(&token, signer);
        judge.check_path(&token, signer);
    }
    judge.into_report(Some(token), signer)
}

/// Collects judgement and findings on the way through one token.
struct Judge<'a> {
    context: &'a Context<'a>,
    standing: Standing,
    notes: Notes<'a>,
    budget: Budget,
    holds_until: Option<(OffsetDateTime, String)>,
    ends: Vec<End>,
    signature_algorithm: Option<SignatureAlgorithm>,
    /// For the report: what the judgement used.
    path: PathUse,
    algorithms: Vec<UsedAlgorithm>,
    /// An unsigned attribute that the imprint covers.
    covered_attribute: Option<Oid>,
    /// What newer proofs have proven to exist.
    proofs: PoeSet,
}

impl<'a> Judge<'a> {
    fn new(context: &'a Context<'a>, standing: Standing, place: &'a Place) -> Self {
        Self {
            context,
            standing,
            notes: Notes::new(place),
            budget: Budget::default(),
            holds_until: None,
            ends: Vec::new(),
            signature_algorithm: None,
            path: PathUse::default(),
            algorithms: Vec::new(),
            covered_attribute: None,
            proofs: PoeSet::default(),
        }
    }

    fn hold_until(
        &mut self,
        end: Option<OffsetDateTime>,
        what: &str,
        reason: EndReason,
        source: &str,
    ) {
        let Some(end) = end else { return };
        self.ends.push(End {
            at: end,
            reason,
            source: source.to_owned(),
        });
        if self
            .holds_until
            .as_ref()
            .is_none_or(|(until, _)| end < *until)
        {
            self.holds_until = Some((end, what.to_owned()));
        }
    }

    /// An algorithm has to be trusted at the time for which existence is proven (EN 319 102-1 §5.2.8).
    fn check_algorithm(&mut self, name: &str, reason: EndReason, judged: AlgorithmJudgement) {
        let proven = self.standing.judged_at;
        let used = match reason {
            EndReason::Digest(algorithm) | EndReason::Imprint(algorithm) => {
                Some(AlgorithmName::Digest(algorithm))
            }
            EndReason::Signature(algorithm) => Some(AlgorithmName::Signature(algorithm)),
            EndReason::CertificatePath => None,
        };
        let used = used.map(|name| UsedAlgorithm::new(name, &judged));
        self.algorithms.extend(used);
        match algorithm_finding(name, judged, proven, self.notes.place) {
            Ok(trust) => self.hold_until(trust.until, name, reason, &trust.source),
            Err(finding) => {
                self.notes.judgement.add(Judgement::because(
                    SubIndication::CryptoConstraintsFailureNoPoe,
                ));
                self.notes.findings.push(finding);
            }
        }
    }

    fn check_info(&mut self, token: &TimeStampToken) {
        for extension in &token.info.extensions {
            if extension.critical {
                self.notes.because(
                    SubIndication::SigConstraintsFailure,
                    codes::TOKEN_EXTENSION_CRITICAL,
                    [&extension.oid],
                );
            }
        }
        let now = self.context.time;
        let latest = now.checked_add(CLOCK_DIFFERENCE_MAX).unwrap_or(now);
        let time = token.info.gen_time;
        if time > latest {
            self.notes.because(
                SubIndication::TimestampOrderFailure,
                codes::TOKEN_TIME_IN_FUTURE,
                [civil_time(time), civil_time(now)],
            );
        }
    }

    /// A certificate cannot have signed outside of its period, by the token's own word.
    fn check_period(&mut self, token: &TimeStampToken, signer: &Certificate) {
        let Ok(certificate) = signer.x509() else {
            return;
        };
        let time = token.info.gen_time;
        let validity = certificate.validity();
        // The attribute signingTime is optional in a token; one that contradicts the certificate makes the token worthless.
        let signers = token.signed_data.signers.iter();
        for claimed in signers.filter_map(|signer| signer.signing_time().ok()?) {
            if claimed < validity.not_before.to_datetime()
                || claimed > validity.not_after.to_datetime()
            {
                let reason = SubIndication::SigConstraintsFailure;
                self.notes
                    .because(reason, codes::TOKEN_SIGNED_OUTSIDE, [civil_time(claimed)]);
            }
        }
        let reason = if time < validity.not_before.to_datetime() {
            SubIndication::NotYetValid
        } else if time > validity.not_after.to_datetime() {
            SubIndication::Expired
        } else {
            return;
        };
        self.notes
            .because(reason, codes::TOKEN_BEFORE_CERTIFICATE, [civil_time(time)]);
    }

    fn into_report(
        mut self,
        token: Option<TimeStampToken>,
        signer: Option<Certificate>,
    ) -> TimestampReport {
        if let (Some(token), Some(signer)) = (&token, &signer) {
            let accuracy = token.info.accuracy.map_or_else(
                || "-".to_owned(),
                |accuracy| format!("{} s", accuracy.duration().as_seconds_f64()),
            );
            let stated = civil_time(token.info.gen_time);
            self.notes
                .note(codes::TOKEN_READ, [stated, accuracy, signer.subject_text()]);
        }
        let mut object = self.object(token.as_ref(), signer.as_ref());
        if let Some(token) = &token {
            object.add_used(UsedObject::new(UsedRole::TimestampToken, token.raw()));
            let imprint = &token.info.imprint;
            let digest = imprint.algorithm.digest_algorithm();
            if let Some(digest) =
                digest.and_then(|algorithm| DigestValue::from_bytes(algorithm, &imprint.bytes))
            {
                object.add_used(UsedObject::of_digest(UsedRole::SignedData, digest));
            }
        }
        object.add_path(std::mem::take(&mut self.path));
        if let (Some(signer), None) = (&signer, object.used_as(UsedRole::SigningCertificate)) {
            object.add_used(UsedObject::new(UsedRole::SigningCertificate, signer.raw()));
        }
        object.algorithms.append(&mut self.algorithms);
        if let (Some(registry), Some(token)) = (self.context.registry, &token) {
            let intact = self.notes.judgement.integrity() == Integrity::Intact;
            let found = registry.judge_token(token, intact);
            object.set("statutory", found.answer().name());
            object.set("statutory-because", found.text(Language::English));
            self.notes
                .findings
                .push(found.finding(self.notes.place.clone()));
        }
        self.ends.sort();
        self.ends.dedup();
        TimestampReport {
            judgement: self.notes.judgement,
            token,
            signer,
            holds_until: self.holds_until,
            ends: self.ends,
            findings: self.notes.findings,
            object,
        }
    }

    fn object(&self, token: Option<&TimeStampToken>, signer: Option<&Certificate>) -> ObjectReport {
        let mut object = ObjectReport::new(
            ObjectKind::Timestamp,
            self.notes.place.clone(),
            self.notes.judgement,
        );
        object.judged_at = Some(self.standing.judged_at);
        object.process = Some(ValidationProcess::Timestamp);
        let Some(token) = token else { return object };
        let info = &token.info;
        object.time = Some(info.gen_time);
        object = object
            .with("serial", info.serial.to_string())
            .with("policy", info.policy.to_string())
            .with("digest-algorithm", algorithm_name(&info.imprint.algorithm))
            .with("imprint", hex::encode(&info.imprint.bytes));
        if let Some(accuracy) = info.accuracy {
            let seconds = accuracy.duration().as_seconds_f64();
            object = object.with("accuracy-seconds", seconds.to_string());
        }
        if let Some(algorithm) = self.signature_algorithm {
            object = object.with("signature-algorithm", algorithm.to_string());
        }
        if let Some(signer) = signer {
            object = object
                .with("signer", signer.subject_text())
                .with("issuer", signer.issuer_text());
        }
        if let Some((until, what)) = &self.holds_until {
            object = object
                .with("holds-until", civil_time(*until))
                .with("holds-until-because-of", what.clone());
        }
        object
    }
}

/// The trust that holds at `proven`, or the finding that says why none does.
pub(crate) fn algorithm_finding(
    name: &str,
    judged: AlgorithmJudgement,
    proven: OffsetDateTime,
    place: &Place,
) -> Result<Trust, Finding> {
    match judged {
        AlgorithmJudgement::Trusted(trust) => Ok(trust),
        AlgorithmJudgement::Ended(trust) => Err(Finding::new(
            crypto_codes::ALGORITHM_NOT_TRUSTED,
            place.clone(),
        )
        .with(name)
        .with(trust.until.map(civil_time).unwrap_or_default())
        .with(civil_time(proven))
        .with(trust.source)),
        AlgorithmJudgement::NotListed => {
            Err(Finding::new(crypto_codes::ALGORITHM_NOT_LISTED, place.clone()).with(name))
        }
    }
}

/// The name of a digest algorithm, or its object identifier.
pub(crate) fn algorithm_name(algorithm: &AlgorithmIdentifier) -> String {
    DigestAlgorithm::from_oid(&algorithm.oid).map_or_else(
        || algorithm.oid.to_string(),
        |known| known.name().to_owned(),
    )
}
