//! The message imprint (RFC 3161 §2.4.2): is the token about this data?

use formats::tsp::TimeStampToken;

use super::{End, EndReason, Judge, Standing, TimestampReport, algorithm_name};
use crate::context::Context;
use crate::finding::{Finding, Place, timestamp as codes};
use crate::judgement::Judgement;
use crate::notes::NONE;
use crate::source::DigestSource;
use crate::verdict::SubIndication;

pub(super) struct ImprintAnswer {
    pub(super) judgement: Judgement,
    pub(super) findings: Vec<Finding>,
    pub(super) ends: Vec<End>,
}

/// Compares the imprint with the data, and judges its digest algorithm.
pub(super) fn judge_imprint(
    report: &TimestampReport,
    data: Option<&dyn DigestSource>,
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> ImprintAnswer {
    let mut judge = Judge::new(context, standing, place);
    if let Some(token) = &report.token {
        check_imprint(&mut judge, token, data);
    }
    ImprintAnswer {
        judgement: judge.notes.judgement,
        findings: judge.notes.findings,
        ends: judge.ends,
    }
}

fn check_imprint(judge: &mut Judge<'_>, token: &TimeStampToken, data: Option<&dyn DigestSource>) {
    let imprint = &token.info.imprint;
    let name = algorithm_name(&imprint.algorithm);
    let Some(data) = data else {
        judge.notes.unknown(
            SubIndication::SignedDataNotFound,
            codes::IMPRINT_NOT_CHECKED,
            NONE,
        );
        return;
    };
    let Some(algorithm) = imprint.algorithm.digest_algorithm() else {
        judge
            .notes
            .unknown(SubIndication::Custom, codes::DIGEST_UNKNOWN, [name]);
        return;
    };
    if imprint.bytes.len() != algorithm.len() {
        judge.notes.broken(
            SubIndication::FormatFailure,
            codes::IMPRINT_LENGTH_WRONG,
            [name],
        );
        return;
    }
    match data.digest(algorithm) {
        None => judge.notes.unknown(
            SubIndication::SignedDataNotFound,
            codes::IMPRINT_DIGEST_UNKNOWN,
            [data.name(), algorithm.name()],
        ),
        Some(digest) if digest.as_bytes() != imprint.bytes => judge.notes.broken(
            SubIndication::HashFailure,
            codes::IMPRINT_MISMATCH,
            [data.name()],
        ),
        Some(_) => {
            if !data.is_data() {
                judge.notes.note(codes::IMPRINT_BARE_DIGEST, [data.name()]);
            }
            let judged = judge
                .context
                .policy
                .judge_digest(algorithm, judge.standing.judged_at);
            judge.check_algorithm(algorithm.name(), EndReason::Imprint(algorithm), judged);
        }
    }
}
