//! The trust in a sequence of archive time-stamps, whatever its syntax: from the newest inwards.
//!
//! The newest is judged as of now; each earlier one as of the time that the next one states, if that one has passed: then it is
//! proven to have existed at that time (EN 319 102-1 §5.6.2).

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;

use super::EvidenceReport;
use crate::context::Context;
use crate::finding::{Code, Finding, Place, evidence as codes};
use crate::judgement::Judgement;
use crate::report::text::civil_time;
use crate::report::{AlgorithmName, ObjectKind, ObjectReport, UsedAlgorithm, UsedObject, UsedRole};
use crate::source::DigestSource;
use crate::timestamp::{
    CERTIFICATE_PATH, Standing, TimestampReport, algorithm_finding, judge_token,
};
use crate::verdict::SubIndication;

/// A judgement on the way, with its findings.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) judgement: Judgement,
    pub(crate) findings: Vec<Finding>,
}

/// What was computed for all archive time-stamps, oldest first.
pub(crate) struct Mathematics {
    pub(crate) answers: Vec<Answer>,
    /// Per data object, whether the first archive time-stamp covers it.
    pub(crate) covered: Vec<bool>,
}

/// One archive time-stamp with its place in the sequence.
pub(crate) struct Link<'a> {
    pub(crate) chain: usize,
    pub(crate) position: usize,
    pub(crate) place: Place,
    /// The bytes of an RFC 3161 token; `None` if it is of a kind that is not judged, which its mathematics has told.
    pub(crate) token: Option<&'a [u8]>,
    /// The digest algorithm of its hash tree.
    pub(crate) algorithm: Option<DigestAlgorithm>,
    /// Whether it carries attributes, which only a later proof protects.
    pub(crate) has_attributes: bool,
}

/// The findings that cite a clause of the syntax.
pub(crate) struct Codes {
    pub(crate) data_missing: Code,
    pub(crate) bare_digest: Code,
    pub(crate) order_wrong: Code,
    pub(crate) attributes_unprotected: Code,
}

/// All archive time-stamps of a record, oldest first.
pub(crate) struct Sequence<'a> {
    /// The bytes of the record.
    pub(crate) record: &'a [u8],
    pub(crate) links: &'a [Link<'a>],
    pub(crate) data: &'a [&'a dyn DigestSource],
    pub(crate) standing: Standing,
    pub(crate) context: &'a Context<'a>,
    pub(crate) place: &'a Place,
    pub(crate) codes: &'a Codes,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            judgement: Judgement::PASSED,
            findings: Vec::new(),
        }
    }
}

impl Answer {
    pub(crate) fn broken(&mut self, reason: SubIndication, finding: Finding) {
        self.judgement.add(Judgement::broken(reason));
        self.findings.push(finding);
    }

    pub(crate) fn because(&mut self, reason: SubIndication, finding: Finding) {
        self.judgement.add(Judgement::because(reason));
        self.findings.push(finding);
    }

    pub(crate) fn unknown(&mut self, reason: SubIndication, finding: Finding) {
        self.judgement.add(Judgement::unknown(reason));
        self.findings.push(finding);
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.judgement.add(other.judgement);
        self.findings.extend(other.findings);
    }
}

impl Link<'_> {
    /// What the stamp is in its record (RFC 4998 §5.1, RFC 6283 §4.1): the word in the report.
    const fn role(&self) -> &'static str {
        match (self.chain, self.position) {
            (0, 0) => "initial",
            (_, 0) => "hash-tree-renewal",
            _ => "time-stamp-renewal",
        }
    }
}

/// What the trust in the stamps after it lets be said about a stamp.
struct Proof {
    /// As of when the next inner token is judged.
    token: Standing,
    /// As of when the digest algorithm of the next inner chain is judged: a renewal inside a chain does not renew its trees.
    tree: OffsetDateTime,
}

impl Sequence<'_> {
    /// Puts together what was found about the `frame` around the sequence, what was computed, and the trust.
    pub(crate) fn judge(&self, frame: Answer, mathematics: Mathematics) -> EvidenceReport {
        let mut answer = frame;
        let mut proof = Proof {
            token: self.standing,
            tree: self.standing.judged_at,
        };
        let mut reports = Vec::with_capacity(self.links.len());
        for (link, computed) in self.links.iter().zip(mathematics.answers).rev() {
            let report = self.judge_link(link, computed, &mut proof);
            answer.judgement.add(report.judgement);
            reports.push(report);
        }
        reports.reverse();
        answer.absorb(self.judge_data());
        answer.absorb(self.judge_order(&reports));
        self.report(answer, reports, mathematics.covered)
    }

    fn judge_link(&self, link: &Link<'_>, computed: Answer, proof: &mut Proof) -> TimestampReport {
        let standing = proof.token;
        let mut report = match link.token {
            Some(bytes) => judge_token(bytes, standing, self.context, &link.place),
            None => not_judged(&link.place),
        };
        report.judgement.add(computed.judgement);
        report.findings.extend(computed.findings);
        if link.has_attributes && !standing.protected {
            let reason = Judgement::because(SubIndication::SigConstraintsFailure);
            report.judgement.add(reason);
            let code = self.codes.attributes_unprotected;
            report.findings.push(Finding::new(code, link.place.clone()));
        }
        self.judge_algorithm(link, proof.tree, &mut report);
        report.object.judgement = report.judgement;
        report.object = report.object.with("role", link.role());
        if let Some((until, what)) = &report.holds_until {
            report.object.set("holds-until", civil_time(*until));
            report.object.set("holds-until-because-of", what.clone());
        }
        if let (true, Some(time)) = (report.judgement.is_passed(), report.time()) {
            proof.token = Standing {
                judged_at: time,
                protected: true,
            };
            if link.position == 0 {
                proof.tree = time;
            }
        } else {
            proof.token.protected = false;
        }
        report
    }

    /// The digest algorithm of a chain has to hold until the next chain took over (RFC 4998 §5.3, RFC 6283 §4.3, step 2).
    fn judge_algorithm(
        &self,
        link: &Link<'_>,
        proven: OffsetDateTime,
        report: &mut TimestampReport,
    ) {
        let Some(algorithm) = link.algorithm else {
            return;
        };
        let judged = self.context.policy.judge_digest(algorithm, proven);
        let used = UsedAlgorithm::new(AlgorithmName::Digest(algorithm), &judged);
        report.object.algorithms.push(used);
        match algorithm_finding(algorithm.name(), judged, proven, &link.place) {
            Ok(trust) => {
                let earlier = |end: &OffsetDateTime| {
                    let until = report.holds_until.as_ref();
                    until.is_none_or(|(until, _)| end < until)
                };
                if let Some(end) = trust.until.filter(earlier) {
                    report.holds_until = Some((end, algorithm.name().to_owned()));
                }
            }
            Err(finding) => {
                let reason = SubIndication::CryptoConstraintsFailureNoPoe;
                report.judgement.add(Judgement::because(reason));
                report.findings.push(finding);
            }
        }
    }

    /// What is said about the data as a whole, beside each stamp's own answer.
    fn judge_data(&self) -> Answer {
        let mut answer = Answer::default();
        if self.data.is_empty() {
            let finding = Finding::new(self.codes.data_missing, self.place.clone());
            answer.unknown(SubIndication::SignedDataNotFound, finding);
        }
        for data in self.data {
            if !data.is_data() {
                let finding =
                    Finding::new(self.codes.bare_digest, self.place.clone()).with(data.name());
                answer.findings.push(finding);
            }
        }
        answer
    }

    /// No time-stamp states an earlier time than the one before it.
    fn judge_order(&self, reports: &[TimestampReport]) -> Answer {
        let mut answer = Answer::default();
        let times: Vec<(&Place, OffsetDateTime)> = self
            .links
            .iter()
            .zip(reports)
            .filter_map(|(link, report)| Some((&link.place, report.time()?)))
            .collect();
        for pair in times.windows(2) {
            if let [(_, earlier), (place, later)] = pair
                && later < earlier
            {
                let finding = Finding::new(self.codes.order_wrong, (*place).clone())
                    .with(civil_time(*later))
                    .with(civil_time(*earlier));
                answer.because(SubIndication::TimestampOrderFailure, finding);
            }
        }
        answer
    }

    fn report(
        &self,
        answer: Answer,
        reports: Vec<TimestampReport>,
        covered: Vec<bool>,
    ) -> EvidenceReport {
        let judgement = answer.judgement;
        let stated = reports.first().and_then(TimestampReport::time);
        let holds_until = reports.last().and_then(|report| report.holds_until.clone());
        let existence = stated.filter(|_| judgement.is_passed());
        let mut object =
            ObjectReport::new(ObjectKind::EvidenceRecord, self.place.clone(), judgement);
        object.time = existence;
        object.add_used(UsedObject::new(UsedRole::EvidenceRecord, self.record));
        object.judged_at = Some(self.standing.judged_at);
        object.covers = self
            .data
            .iter()
            .zip(&covered)
            .filter(|(_, covered)| **covered)
            .map(|(data, _)| data.name().to_owned())
            .collect();
        let chains = self.links.iter().filter(|link| link.position == 0).count();
        object = object
            .with("chains", chains.to_string())
            .with("time-stamps", reports.len().to_string());
        let mut findings = answer.findings;
        let mut objects = vec![object];
        for report in reports {
            findings.extend(report.findings);
            objects.push(report.object);
        }
        if let (true, Some((until, what))) = (judgement.is_passed(), &holds_until) {
            let code = if what == CERTIFICATE_PATH {
                codes::EVIDENCE_PATH_UNTIL
            } else {
                codes::EVIDENCE_TRUSTED_UNTIL
            };
            findings.push(
                Finding::new(code, self.place.clone())
                    .with(civil_time(*until))
                    .with(what),
            );
        }
        EvidenceReport {
            judgement,
            existence,
            stated,
            covered,
            holds_until,
            findings,
            objects,
        }
    }
}

fn not_judged(place: &Place) -> TimestampReport {
    let judgement = Judgement::NOT_JUDGED;
    TimestampReport {
        judgement,
        token: None,
        signer: None,
        holds_until: None,
        ends: Vec::new(),
        findings: Vec::new(),
        object: ObjectReport::new(ObjectKind::NotJudged, place.clone(), judgement),
    }
}
