//! The trust in a signer as of the earliest proof of the signature (EN 319 102-1 §5.3, §5.5.4, §5.6.2).

use time::OffsetDateTime;

use super::basic::Basic;
use crate::budget::Budget;
use crate::context::Context;
use crate::finding::signature as codes;
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::path::{AlgorithmRule, Material, PathOptions, PathOutcome, Purpose, validate_path};
use crate::report::text::civil_time;
use crate::report::{AlgorithmName, PathUse, UsedAlgorithm};
use crate::timestamp::algorithm_finding;
use crate::verdict::{SubIndication, Verdict};

/// Judges path and algorithms at `proven`, or at the time of the judgement where nothing proves the signature.
pub(super) fn judge(
    notes: &mut Notes<'_>,
    basic: &Basic,
    proven: Option<OffsetDateTime>,
    context: &Context<'_>,
) -> PathUse {
    let at = proven.unwrap_or(context.time).min(context.time);
    let algorithms = check_algorithms(notes, basic, at, context);
    let options = PathOptions {
        purpose: Purpose::Any,
        revocation: context.policy.revocation(),
        algorithms: AlgorithmRule::Enforce(context.policy),
        material_time: Some(context.time),
        // It was signed by then at the latest (ADR 0012: information since then is enough).
        signed_at: proven,
        proof_of_existence: proven,
        cache: context.cache,
        ..PathOptions::default()
    };
    let material = Material {
        certificates: context.certificates.iter().map(Vec::as_slice).collect(),
        crls: context.crls.iter().map(Vec::as_slice).collect(),
        ocsp_responses: context.ocsp_responses.iter().map(Vec::as_slice).collect(),
    };
    let outcome = validate_path(
        basic.certificate.raw(),
        &material,
        context.anchors,
        at,
        &options,
        &mut Budget::default(),
    );
    let mut used = PathUse::of(&outcome, context.anchors);
    used.algorithms = algorithms;
    let place = notes.place.child("certificate");
    let found = outcome.findings().iter().cloned();
    notes
        .findings
        .extend(found.map(|finding| finding.within(&place)));
    if let PathOutcome::Refused(failure) = outcome {
        // A proof from before the end of the certificate, or from before its revocation, would answer these.
        let reason = failure.sub_indication();
        let verdict = if reason == SubIndication::Expired {
            Verdict::because(SubIndication::OutOfBoundsNoPoe)
        } else if reason == SubIndication::Revoked {
            Verdict::because(SubIndication::RevokedNoPoe)
        } else {
            failure.verdict()
        };
        notes.judgement.add(Judgement::of(verdict));
        notes.note(codes::SIGNER_NOT_TRUSTED, [civil_time(at)]);
    }
    used
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
