//! Several proofs of the same data are alternatives: one that is complete and has passed is enough (ADR 0015).
//!
//! [`Judgement::of_alternatives`] decides; here stands what the report says of the proofs that were not needed.

use crate::finding::{Code, Finding, Place, Severity, package as codes};
use crate::judgement::Judgement;

/// A proof that was passed over: what was found about it explains, and does not decide.
pub(crate) fn pass_over(judgement: Judgement, place: &Place, findings: &mut Vec<Finding>) {
    set_aside(codes::PROOF_PASSED_OVER, judgement, place, findings);
}

/// The same with another code.
pub(crate) fn set_aside(
    code: Code,
    judgement: Judgement,
    place: &Place,
    findings: &mut Vec<Finding>,
) {
    for finding in findings.iter_mut() {
        if finding.severity() == Severity::Error {
            *finding = finding.clone().with_severity(Severity::Warning);
        }
    }
    let reason = judgement.sub_indication().map_or("-", |sub| sub.name());
    findings.push(
        Finding::new(code, place.clone())
            .with(place)
            .with(judgement.conclusion())
            .with(reason),
    );
}
