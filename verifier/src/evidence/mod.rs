//! Judges evidence records (RFC 4998), the whole sequence with its renewals.
//!
//! The mathematics (hash trees, links, tokens) is checked for every archive time-stamp; trust is then judged from the newest
//! inwards. The newest is judged as of the time of the judgement; each earlier one as of the time that the next one states, if
//! that one has passed: then it is proven to have existed at that time (EN 319 102-1 §5.6.2). So an expired certificate, or an
//! algorithm that nobody trusts any more, does no harm where a renewal came in time.

mod any;
mod chain;
pub(crate) mod sequence;
mod stamp;
pub(crate) mod tree;

use formats::digest::DigestAlgorithm;
use formats::evidence::EvidenceRecord;
use formats::raw::Raw;
use time::OffsetDateTime;

pub use self::any::{
    any_initial_algorithm, covers_any, verify_any_record, verify_any_record_standing,
};
use self::sequence::{Answer, Codes, Link, Sequence};
use self::stamp::Stamp;
use crate::context::Context;
use crate::finding::{Code, Finding, Place, evidence as codes};
use crate::judgement::Judgement;
use crate::report::{ObjectKind, ObjectReport};
use crate::source::DigestSource;
use crate::timestamp::{Standing, algorithm_name};
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

const CODES: Codes = Codes {
    data_missing: codes::EVIDENCE_DATA_MISSING,
    bare_digest: codes::EVIDENCE_BARE_DIGEST,
    order_wrong: codes::EVIDENCE_ORDER_WRONG,
    attributes_unprotected: codes::EVIDENCE_ATTRIBUTES_UNPROTECTED,
};

impl RecordJudge<'_> {
    fn judge(&self) -> EvidenceReport {
        let stamps = Stamp::all(self.record, self.place);
        let mathematics = stamp::check_all(self.record, &stamps, self.data, self.group);
        let links: Vec<Link<'_>> = stamps
            .iter()
            .map(|stamp| Link {
                chain: stamp.chain,
                position: stamp.position,
                place: stamp.place.clone(),
                token: Some(&stamp.archive_time_stamp.time_stamp),
                algorithm: stamp::tree_algorithm(stamp.archive_time_stamp),
                has_attributes: !stamp.archive_time_stamp.attributes.is_empty(),
            })
            .collect();
        let sequence = Sequence {
            record: self.record.raw(),
            links: &links,
            data: self.data,
            standing: self.standing,
            context: self.context,
            place: self.place,
            codes: &CODES,
        };
        sequence.judge(self.judge_frame(), mathematics)
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
}
