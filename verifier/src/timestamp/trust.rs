//! The certificate path of a token, as of the time for which the token is proven to exist (EN 319 102-1 §5.6.2.2).

use formats::tsp::TimeStampToken;
use formats::x509::Certificate;
use time::OffsetDateTime;

use super::{CERTIFICATE_PATH, EndReason, Judge, carried};
use crate::finding::{Place, timestamp as codes};
use crate::judgement::Judgement;
use crate::path::{
    AlgorithmRule, Material, PathFailure, PathOptions, PathOutcome, Purpose, VerifiedPath,
    validate_path,
};
use crate::poe::Sliding;
use crate::report::PathUse;
use crate::report::text::civil_time;
use crate::verdict::{SubIndication, Verdict};

impl<'a> Judge<'a> {
    pub(super) fn check_path(&mut self, token: &TimeStampToken, signer: &Certificate) {
        let at = self.notes.place.child("certificate");
        let known = self.proof_of_existence();
        let outcome = self.path_at(token, signer, self.standing.judged_at, known);
        self.path = PathUse::of(&outcome, self.context.anchors);
        let found = outcome.findings().iter().cloned();
        self.notes
            .findings
            .extend(found.map(|finding| finding.within(&at)));
        match outcome {
            PathOutcome::Verified(path) => {
                self.slide(token, &path, &at);
                self.rest_on(&path);
                carried::check(self, token, Some(&path));
            }
            PathOutcome::Refused(failure) => {
                let verdict = self.verdict_of(&failure, token, signer);
                self.notes.judgement.add(Judgement::of(verdict));
            }
        }
    }

    /// Since when what the path rests on exists (EN 319 102-1 §5.6.2.2): what stands in the token exists since it does.
    fn slide(&mut self, token: &TimeStampToken, path: &VerifiedPath, at: &Place) {
        let known = self.proof_of_existence();
        let mut proofs = std::mem::take(&mut self.proofs);
        if let Some(known) = known {
            proofs.add_members(&token.signed_data, known, self.notes.place);
        }
        let sliding = Sliding {
            policy: self.context.policy,
            proofs: &proofs,
            now: self.context.time,
            of_time_stamp: true,
        };
        if let Err(failure) = sliding.judge(path.steps(), known.unwrap_or(self.context.time)) {
            self.notes.judgement.add(Judgement::because(failure.reason));
            self.notes.findings.push(failure.finding.within(at));
        }
        self.proofs = proofs;
    }

    /// A path that has ended or was revoked since, but held when the token was made, leaves the question open: a proof from before
    /// that would answer it (EN 319 102-1 §5.6.2.2).
    fn verdict_of(
        &mut self,
        failure: &PathFailure,
        token: &TimeStampToken,
        signer: &Certificate,
    ) -> Verdict {
        let ended = matches!(
            failure.sub_indication(),
            SubIndication::Expired
                | SubIndication::CertificateChainGeneralFailure
                | SubIndication::Revoked
                | SubIndication::RevokedCaNoPoe
        );
        let made = token.info.gen_time;
        if !ended || made >= self.standing.judged_at {
            return by_standard(failure);
        }
        let known = self.proof_of_existence();
        let mut reason = failure.sub_indication();
        if !is_revocation(reason) {
            match self.path_at(token, signer, made, known) {
                PathOutcome::Verified(_) => return self.ended_since(made),
                PathOutcome::Refused(earlier) if !is_revocation(earlier.sub_indication()) => {
                    return by_standard(&earlier);
                }
                PathOutcome::Refused(earlier) => {
                    let at = self.notes.place.child("certificate");
                    let found = earlier.findings().iter().cloned();
                    self.notes
                        .findings
                        .extend(found.map(|finding| finding.within(&at)));
                    reason = earlier.sub_indication();
                }
            }
        }
        // Had the token been proven to exist when it says that it was made, would the revocation still reach it?
        match self.path_at(token, signer, made, Some(made)) {
            PathOutcome::Verified(_) => {
                let judged = civil_time(self.standing.judged_at);
                self.notes
                    .note(codes::TOKEN_REVOKED_NO_POE, [civil_time(made), judged]);
                Verdict::because(if reason == SubIndication::Revoked {
                    SubIndication::RevokedNoPoe
                } else {
                    SubIndication::RevokedCaNoPoe
                })
            }
            PathOutcome::Refused(earlier) => by_standard(&earlier),
        }
    }

    fn ended_since(&mut self, made: OffsetDateTime) -> Verdict {
        let judged = civil_time(self.standing.judged_at);
        self.notes
            .note(codes::TOKEN_EXPIRED_NO_POE, [civil_time(made), judged]);
        Verdict::because(SubIndication::OutOfBoundsNoPoe)
    }

    /// When a later proof says that the token existed.
    fn proof_of_existence(&self) -> Option<OffsetDateTime> {
        let judged_at = self.standing.judged_at;
        (judged_at < self.context.time).then_some(judged_at)
    }

    fn path_at(
        &mut self,
        token: &TimeStampToken,
        signer: &Certificate,
        time: OffsetDateTime,
        proof_of_existence: Option<OffsetDateTime>,
    ) -> PathOutcome {
        let options = PathOptions {
            purpose: Purpose::TimeStamping,
            revocation: self.context.policy.revocation(),
            algorithms: AlgorithmRule::Enforce(self.context.policy),
            material_time: Some(self.context.time),
            signed_at: Some(token.info.gen_time),
            proof_of_existence,
            cache: self.context.cache,
            ..PathOptions::default()
        };
        validate_path(
            signer.raw(),
            &self.material(token),
            self.context.anchors,
            time,
            &options,
            &mut self.budget,
        )
    }

    fn material<'t>(&self, token: &'t TimeStampToken) -> Material<'t>
    where
        'a: 't,
    {
        let given = self.context.certificates.iter().map(Vec::as_slice);
        let crls = self.context.crls.iter().map(Vec::as_slice);
        Material {
            certificates: token.signed_data.x509_certificates().chain(given).collect(),
            crls: token.signed_data.crls().chain(crls).collect(),
            ocsp_responses: carried::ocsp_responses(token)
                .into_iter()
                .chain(self.context.ocsp_responses.iter().map(Vec::as_slice))
                .collect(),
        }
    }

    fn rest_on(&mut self, path: &VerifiedPath) {
        let (_, end) = path.period();
        let source = first_to_expire(path);
        self.hold_until(
            Some(end),
            CERTIFICATE_PATH,
            EndReason::CertificatePath,
            &source,
        );
        for algorithm in path.algorithms() {
            if let Some(trust) = self.context.policy.signature_trust(*algorithm) {
                let reason = EndReason::Signature(*algorithm);
                let name = algorithm.to_string();
                self.hold_until(trust.until, &name, reason, &trust.source);
            }
        }
    }
}

/// The name of the certificate below the trust anchor that ends the period of the path.
fn first_to_expire(path: &VerifiedPath) -> String {
    let (_, end) = path.period();
    let certificates = path.certificates().iter();
    let mut parsed =
        certificates.filter_map(|der| crate::certificate::Certificate::parse(der).ok());
    parsed
        .find(|certificate| certificate.not_after() == end)
        .map_or_else(String::new, |certificate| certificate.subject().to_string())
}

/// The conclusion that the standard gives for a reason: a chain that breaks a rule is INDETERMINATE (EN 319 102-1 §5.2.6), however sure it is.
const fn by_standard(failure: &PathFailure) -> Verdict {
    Verdict::because(failure.sub_indication())
}

const fn is_revocation(reason: SubIndication) -> bool {
    matches!(
        reason,
        SubIndication::Revoked | SubIndication::RevokedCaNoPoe
    )
}
