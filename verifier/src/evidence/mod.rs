//! Judges evidence records (RFC 4998), the whole sequence with its renewals.
//!
//! The mathematics (hash trees, links, tokens) is checked for every archive time-stamp; trust is then judged from the newest
//! inwards. The newest is judged as of the time of the judgement; each earlier one as of the time that the next one states, if
//! that one has passed: then it is proven to have existed at that time (EN 319 102-1 §5.6.2). So an expired certificate, or an
//! algorithm that nobody trusts any more, does no harm where a renewal came in time.

mod any;
mod chain;
mod stamp;
mod tree;

use formats::digest::DigestAlgorithm;
use formats::evidence::EvidenceRecord;
use formats::raw::Raw;
use time::OffsetDateTime;

pub use self::any::{
    any_initial_algorithm, covers_any, verify_any_record, verify_any_record_standing,
};
use self::stamp::{Answer, Stamp};
use crate::context::Context;
use crate::finding::{Code, Finding, Place, evidence as codes};
use crate::judgement::Judgement;
use crate::report::text::civil_time;
use crate::report::{AlgorithmName, ObjectKind, ObjectReport, UsedAlgorithm, UsedObject, UsedRole};
use crate::source::DigestSource;
use crate::timestamp::{
    CERTIFICATE_PATH, Standing, TimestampReport, algorithm_finding, algorithm_name, judge_token,
};
use crate::verdict::SubIndication;

/// How the data objects relate to the group that the record covers (RFC 4998 §4.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Group {
    /// They have to be members; that there are no others is reported but not demanded.
    #[default]
    Members,
    /// They have to be the whole group.
    Whole,
}

/// What was found about one evidence record.
#[derive(Clone, Debug)]
pub struct EvidenceReport {
    /// The judgement.
    pub judgement: Judgement,
    /// Since when the data is proven to exist; only if the judgement has passed.
    pub existence: Option<OffsetDateTime>,
    /// The time that the oldest token states, whatever the trust in it.
    pub stated: Option<OffsetDateTime>,
    /// Per data object, in the order given: whether the first archive time-stamp covers it.
    pub covered: Vec<bool>,
    /// Until when the judgement can hold without a renewal, and what ends then.
    pub holds_until: Option<(OffsetDateTime, String)>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// The record and each of its time-stamps, for the report.
    pub objects: Vec<ObjectReport>,
}

impl EvidenceReport {
    /// Whether `code` is among the findings.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }
}

/// Judges an evidence record over `data`, as of `context.time`.
///
/// Without data the best answer is INDETERMINATE / SIGNED_DATA_NOT_FOUND; what can be computed is computed all the same.
#[must_use]
pub fn verify_record(
    record: &[u8],
    data: &[&dyn DigestSource],
    group: Group,
    context: &Context<'_>,
    place: &Place,
) -> EvidenceReport {
    let standing = Standing {
        judged_at: context.time,
        protected: false,
    };
    verify_record_standing(record, data, group, standing, context, place)
}

/// Judges an evidence record over `data`, where it stands: another proof may cover it.
#[must_use]
pub fn verify_record_standing(
    record: &[u8],
    data: &[&dyn DigestSource],
    group: Group,
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> EvidenceReport {
    let parsed = match EvidenceRecord::parse(record) {
        Ok(parsed) if parsed.version == 1 => parsed,
        Ok(parsed) => return malformed(place, data, &format!("version {}", parsed.version)),
        Err(error) => return malformed(place, data, &error.to_string()),
    };
    let judge = RecordJudge {
        record: &parsed,
        data,
        group,
        standing,
        context,
        place,
    };
    judge.judge()
}

/// Whether the first archive time-stamp of `record` covers `data`; nothing else is judged.
#[must_use]
pub fn covers(record: &[u8], data: &dyn DigestSource) -> bool {
    let Ok(parsed) = EvidenceRecord::parse(record) else {
        return false;
    };
    let stamps = Stamp::all(&parsed, &Place::root());
    let first = stamps.get(..1).unwrap_or_default();
    let mathematics = stamp::check_all(&parsed, first, &[data], Group::Members);
    mathematics.covered.first() == Some(&true)
}

/// The digest algorithm of the first hash tree of `record`.
#[must_use]
pub fn initial_algorithm(record: &[u8]) -> Option<DigestAlgorithm> {
    let parsed = EvidenceRecord::parse(record).ok()?;
    let (_, _, first) = parsed.time_stamps().next()?;
    stamp::tree_algorithm(first)
}

fn malformed(place: &Place, data: &[&dyn DigestSource], why: &str) -> EvidenceReport {
    let judgement = Judgement::broken(SubIndication::FormatFailure);
    let finding = Finding::new(codes::EVIDENCE_RECORD_MALFORMED, place.clone()).with(why);
    let object = ObjectReport::new(ObjectKind::EvidenceRecord, place.clone(), judgement);
    EvidenceReport {
        judgement,
        existence: None,
        stated: None,
        covered: vec![false; data.len()],
        holds_until: None,
        findings: vec![finding],
        objects: vec![object],
    }
}

struct RecordJudge<'a> {
    record: &'a Raw<EvidenceRecord>,
    data: &'a [&'a dyn DigestSource],
    group: Group,
    standing: Standing,
    context: &'a Context<'a>,
    place: &'a Place,
}

/// What the trust in the stamps after it lets be said about a stamp.
struct Proof {
    /// As of when the next inner token is judged.
    token: Standing,
    /// As of when the digest algorithm of the next inner chain is judged: a renewal inside a chain does not renew its trees.
    tree: OffsetDateTime,
}

impl RecordJudge<'_> {
    fn judge(&self) -> EvidenceReport {
        let mut answer = self.judge_frame();
        let stamps = Stamp::all(self.record, self.place);
        let mathematics = stamp::check_all(self.record, &stamps, self.data, self.group);
        let covered = mathematics.covered;
        let mut proof = Proof {
            token: self.standing,
            tree: self.standing.judged_at,
        };
        let mut reports = Vec::with_capacity(stamps.len());
        for (stamp, computed) in stamps.iter().zip(mathematics.answers).rev() {
            let report = self.judge_stamp(stamp, computed, &mut proof);
            answer.judgement.add(report.judgement);
            reports.push(report);
        }
        answer.absorb(self.judge_data(&stamps));
        let newest = reports
            .first()
            .and_then(|report| report.holds_until.clone());
        reports.reverse();
        let stated = reports.first().and_then(TimestampReport::time);
        self.report(answer, reports, covered, stated, newest)
    }

    /// What stands around the sequence (RFC 4998 §3.1). No time-stamp covers it.
    fn judge_frame(&self) -> Answer {
        let mut answer = Answer::default();
        let used: Vec<DigestAlgorithm> = self
            .record
            .time_stamps()
            .filter_map(|(_, _, stamp)| stamp::tree_algorithm(stamp))
            .collect();
        let declared = &self.record.digest_algorithms;
        for algorithm in &used {
            let declares = |other: &_| stamp::plain_digest(other) == Some(*algorithm);
            if !declared.iter().any(declares) {
                let finding = Finding::new(codes::EVIDENCE_DIGEST_NOT_DECLARED, self.place.clone())
                    .with(algorithm.name());
                answer.because(SubIndication::SigConstraintsFailure, finding);
                break;
            }
        }
        for algorithm in declared {
            if !stamp::plain_digest(algorithm).is_some_and(|known| used.contains(&known)) {
                let finding = Finding::new(codes::EVIDENCE_DIGEST_UNUSED, self.place.clone())
                    .with(algorithm_name(algorithm));
                answer.findings.push(finding);
            }
        }
        if !self.record.crypto_infos.is_empty() {
            let finding = Finding::new(codes::EVIDENCE_CRYPTO_INFOS, self.place.clone())
                .with(self.record.crypto_infos.len());
            answer.findings.push(finding);
        }
        if self.record.encryption_info.is_some() {
            let finding = Finding::new(codes::EVIDENCE_RECORD_ENCRYPTED, self.place.clone());
            answer.unknown(SubIndication::Custom, finding);
        }
        answer
    }

    fn judge_stamp(
        &self,
        stamp: &Stamp<'_>,
        computed: Answer,
        proof: &mut Proof,
    ) -> TimestampReport {
        let standing = proof.token;
        let bytes = &stamp.archive_time_stamp.time_stamp;
        let mut report = judge_token(bytes, standing, self.context, &stamp.place);
        report.judgement.add(computed.judgement);
        report.findings.extend(computed.findings);
        if !stamp.archive_time_stamp.attributes.is_empty() && !standing.protected {
            let reason = Judgement::because(SubIndication::SigConstraintsFailure);
            report.judgement.add(reason);
            let code = codes::EVIDENCE_ATTRIBUTES_UNPROTECTED;
            report
                .findings
                .push(Finding::new(code, stamp.place.clone()));
        }
        self.judge_algorithm(stamp, proof.tree, &mut report);
        report.object.judgement = report.judgement;
        report.object = report.object.with("role", stamp.role());
        if let Some((until, what)) = &report.holds_until {
            report.object.set("holds-until", civil_time(*until));
            report.object.set("holds-until-because-of", what.clone());
        }
        if let (true, Some(time)) = (report.judgement.is_passed(), report.time()) {
            proof.token = Standing {
                judged_at: time,
                protected: true,
            };
            if stamp.position == 0 {
                proof.tree = time;
            }
        } else {
            proof.token.protected = false;
        }
        report
    }

    /// The digest algorithm of a chain has to hold until the next chain took over (RFC 4998 §5.3, step 2).
    fn judge_algorithm(
        &self,
        stamp: &Stamp<'_>,
        proven: OffsetDateTime,
        report: &mut TimestampReport,
    ) {
        let Some(algorithm) = stamp::tree_algorithm(stamp.archive_time_stamp) else {
            return;
        };
        let judged = self.context.policy.judge_digest(algorithm, proven);
        let used = UsedAlgorithm::new(AlgorithmName::Digest(algorithm), &judged);
        report.object.algorithms.push(used);
        match algorithm_finding(algorithm.name(), judged, proven, &stamp.place) {
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
    fn judge_data(&self, stamps: &[Stamp<'_>]) -> Answer {
        let mut answer = Answer::default();
        if self.data.is_empty() {
            let finding = Finding::new(codes::EVIDENCE_DATA_MISSING, self.place.clone());
            answer.unknown(SubIndication::SignedDataNotFound, finding);
        }
        for data in self.data {
            if !data.is_data() {
                let finding =
                    Finding::new(codes::EVIDENCE_BARE_DIGEST, self.place.clone()).with(data.name());
                answer.findings.push(finding);
            }
        }
        let times: Vec<(&Place, OffsetDateTime)> = stamps
            .iter()
            .filter_map(|stamp| Some((&stamp.place, stamp.token.as_ref()?.info.gen_time)))
            .collect();
        for pair in times.windows(2) {
            if let [(_, earlier), (place, later)] = pair
                && later < earlier
            {
                let finding = Finding::new(codes::EVIDENCE_ORDER_WRONG, (*place).clone())
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
        stated: Option<OffsetDateTime>,
        holds_until: Option<(OffsetDateTime, String)>,
    ) -> EvidenceReport {
        let judgement = answer.judgement;
        let existence = stated.filter(|_| judgement.is_passed());
        let mut object =
            ObjectReport::new(ObjectKind::EvidenceRecord, self.place.clone(), judgement);
        object.time = existence;
        object.add_used(UsedObject::new(UsedRole::EvidenceRecord, self.record.raw()));
        object.judged_at = Some(self.standing.judged_at);
        object.covers = self
            .data
            .iter()
            .zip(&covered)
            .filter(|(_, covered)| **covered)
            .map(|(data, _)| data.name().to_owned())
            .collect();
        object = object
            .with("chains", self.record.sequence.len().to_string())
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
