//! The trust in a signer as of the earliest proof of the signature (EN 319 102-1 §5.3, §5.5.4, §5.6.2).

use time::OffsetDateTime;

use super::basic::Basic;
use super::stamps::Stamps;
use crate::budget::Budget;
use crate::context::Context;
use crate::finding::signature as codes;
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::path::{
    AlgorithmRule, Material, PathFailure, PathOptions, PathOutcome, Purpose, VerifiedPath,
    validate_path,
};
use crate::poe::{PoeSet, Sliding};
use crate::report::text::civil_time;
use crate::report::{AlgorithmName, PathUse, UsedAlgorithm};
use crate::timestamp::algorithm_finding;
use crate::verdict::{SubIndication, Verdict};

/// Judges path and algorithms at the time for which the signature is proven, or at that of the judgement where nothing proves it.
pub(super) fn judge(
    notes: &mut Notes<'_>,
    basic: &Basic,
    stamps: &Stamps,
    proofs: &PoeSet,
    context: &Context<'_>,
) -> PathUse {
    let proven = stamps.proven;
    let at = proven.unwrap_or(context.time).min(context.time);
    let algorithms = check_algorithms(notes, basic, at, context);
    let trust = Trust {
        basic,
        proven,
        context,
    };
    let outcome = trust.path_at(at);
    let mut used = PathUse::of(&outcome, context.anchors);
    used.algorithms = algorithms;
    let place = notes.place.child("certificate");
    let found = outcome.findings().iter().cloned();
    notes
        .findings
        .extend(found.map(|finding| finding.within(&place)));
    match outcome {
        PathOutcome::Verified(path) => {
            let sliding = Sliding {
                policy: context.policy,
                proofs,
                now: context.time,
                of_time_stamp: false,
            };
            let Err(failure) = sliding.judge(path.steps(), at) else {
                return used;
            };
            notes.judgement.add(Judgement::because(failure.reason));
            notes.findings.push(failure.finding.within(&place));
        }
        PathOutcome::Refused(failure) => {
            let verdict = trust.verdict_of(notes, &failure, stamps.made_after);
            notes.judgement.add(Judgement::of(verdict));
        }
    }
    notes.note(codes::SIGNER_NOT_TRUSTED, [civil_time(at)]);
    used
}

/// The path of one signer, asked for several times.
struct Trust<'a> {
    basic: &'a Basic,
    proven: Option<OffsetDateTime>,
    context: &'a Context<'a>,
}

impl Trust<'_> {
    fn path_at(&self, time: OffsetDateTime) -> PathOutcome {
        let context = self.context;
        let options = PathOptions {
            purpose: Purpose::Any,
            revocation: context.policy.revocation(),
            algorithms: AlgorithmRule::Enforce(context.policy),
            material_time: Some(context.time),
            // It was signed by then at the latest (ADR 0012: information since then is enough).
            signed_at: self.proven,
            proof_of_existence: self.proven,
            cache: context.cache,
            ..PathOptions::default()
        };
        let material = Material {
            certificates: context.certificates.iter().map(Vec::as_slice).collect(),
            crls: context.crls.iter().map(Vec::as_slice).collect(),
            ocsp_responses: context.ocsp_responses.iter().map(Vec::as_slice).collect(),
        };
        validate_path(
            self.basic.certificate.raw(),
            &material,
            context.anchors,
            time,
            &options,
            &mut Budget::default(),
        )
    }

    /// What a path that does not hold at the proven time means.
    ///
    /// A time-stamp over the signature only says that it is not younger; an end or a revocation before that leaves the question open
    /// (EN 319 102-1 §5.5.4). A content-time-stamp says that it is not older: then the signature was certainly made too late (§5.3.4).
    fn verdict_of(
        &self,
        notes: &mut Notes<'_>,
        failure: &PathFailure,
        made_after: Option<OffsetDateTime>,
    ) -> Verdict {
        let reason = failure.sub_indication();
        if !matches!(reason, SubIndication::Expired | SubIndication::Revoked) {
            // A chain that breaks a rule is INDETERMINATE (§5.2.6), however sure it is.
            return Verdict::because(reason);
        }
        if let Some(after) = made_after.filter(|after| *after < self.context.time)
            && let PathOutcome::Refused(earlier) = self.path_at(after)
            && earlier.sub_indication() == reason
        {
            notes.note(codes::SIGNED_TOO_LATE, [civil_time(after)]);
            return Verdict::because(reason);
        }
        if reason == SubIndication::Revoked {
            return Verdict::because(SubIndication::RevokedNoPoe);
        }
        Verdict::because(if self.is_known_not_revoked() {
            SubIndication::OutOfBoundsNotRevoked
        } else {
            SubIndication::OutOfBoundsNoPoe
        })
    }

    /// Whether revocation information says that the certificate was not revoked until its end.
    fn is_known_not_revoked(&self) -> bool {
        let Ok(certificate) = self.basic.certificate.x509() else {
            return false;
        };
        let end = certificate.validity().not_after.to_datetime();
        let outcome = self.path_at(end);
        let steps = outcome.verified().map(VerifiedPath::steps);
        let signer = steps.and_then(<[_]>::last);
        signer.is_some_and(|step| step.sources.iter().any(|source| source.is_current))
    }
}

/// The digests and the signature have to be trusted at the time for which the signature is proven.
fn check_algorithms(
    notes: &mut Notes<'_>,
    basic: &Basic,
    at: OffsetDateTime,
    context: &Context<'_>,
) -> Vec<UsedAlgorithm> {
    let mut judged = Vec::new();
    let mut used = Vec::new();
    if let Some(digest) = basic.digest {
        let answer = context.policy.judge_digest(digest, at);
        used.push(UsedAlgorithm::new(AlgorithmName::Digest(digest), &answer));
        judged.push((digest.name().to_owned(), answer));
    }
    if let Some(algorithm) = basic.algorithm {
        let answer = context.policy.judge_signature(algorithm, at);
        let name = AlgorithmName::Signature(algorithm);
        used.push(UsedAlgorithm::new(name, &answer));
        judged.push((algorithm.to_string(), answer));
    }
    for (name, answer) in judged {
        if let Err(finding) = algorithm_finding(&name, answer, at, notes.place) {
            let reason = SubIndication::CryptoConstraintsFailureNoPoe;
            notes.judgement.add(Judgement::because(reason));
            notes.findings.push(finding);
        }
    }
    used
}
