//! Making all checks of an answer, so that one look tells everything that is wrong with it.

use formats::tsp::{TimeStampResponse, TimeStampToken};
use time::{Duration, OffsetDateTime};
use verifier::timestamp::TimestampReport;

use super::{Check, Expectation, Trust, judged};
use crate::tsa::material::Collected;
use crate::tsa::refusal::Refusal;
use crate::tsa::transport::printable;

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// Why it failed; `None` when it passed.
    pub failure: Option<Refusal>,
    /// What was found, as a short value: a time, an object identifier, a name.
    pub found: Option<String>,
}

/// Everything that was found about an answer. Checks that could not be made because an earlier one failed are left out.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The checks in their order.
    pub results: Vec<CheckResult>,
    /// The token, if it could be read.
    pub token: Option<TimeStampToken>,
    /// When the first of its certificates or algorithms ends.
    pub holds_until: Option<OffsetDateTime>,
    /// What was collected to judge it.
    pub material: Collected,
}

impl Examination {
    /// Why the answer is refused; `None` when every check passed.
    #[must_use]
    pub fn first_failure(&self) -> Option<&Refusal> {
        self.results
            .iter()
            .find_map(|result| result.failure.as_ref())
    }

    fn of_unreadable(results: Vec<CheckResult>) -> Self {
        Self {
            results,
            token: None,
            holds_until: None,
            material: Collected::default(),
        }
    }
}

/// Makes every check that can be made.
#[must_use]
pub fn examine(answer: &[u8], expectation: &Expectation<'_>, trust: &Trust) -> Examination {
    let mut results = Vec::new();
    let Some(token) = readable_token(answer, &mut results) else {
        return Examination::of_unreadable(results);
    };
    compare(&token, expectation, &mut results);
    let comparable = results.iter().all(|result| result.failure.is_none());
    let (report, material) = judge(&token, expectation, trust, comparable);
    if token.signed_data.signers.len() == 1 {
        add_judged(&token, &report, &material, &mut results);
    }
    results.push(remaining(&report, expectation));
    results.sort_by_key(|result| result.check);
    Examination {
        results,
        token: Some(token),
        holds_until: report.holds_until.map(|(until, _)| until),
        material,
    }
}

/// Judges the token by itself; where nothing but material is lacking, that is collected and the token judged again. So no address is
/// asked that a token names whose own signature does not hold.
fn judge(
    token: &TimeStampToken,
    expectation: &Expectation<'_>,
    trust: &Trust,
    worth_collecting: bool,
) -> (TimestampReport, Collected) {
    let moment = expectation.answered_at;
    let judged =
        |material: &Collected| judged::judge(token, expectation.request, trust, material, moment);
    let nothing = Collected::default();
    let report = judged(&nothing);
    let source = trust.material.as_ref();
    let Some(source) = source.filter(|_| worth_collecting && judged::lacks_material(&report))
    else {
        return (report, nothing);
    };
    let carried = token.signed_data.x509_certificates();
    let certificates: Vec<Vec<u8>> = carried
        .map(<[u8]>::to_vec)
        .chain(trust.certificates.iter().cloned())
        .collect();
    let collected = source.collect(&certificates, &trust.anchors, token.info.gen_time);
    (judged(&collected), collected)
}

fn readable_token(answer: &[u8], results: &mut Vec<CheckResult>) -> Option<TimeStampToken> {
    let response = match TimeStampResponse::parse(answer) {
        Ok(response) => response,
        Err(error) => {
            results.push(failed(Check::Response, Refusal::Malformed(error)));
            return None;
        }
    };
    results.push(passed(
        Check::Response,
        Some(format!("{} bytes", answer.len())),
    ));
    if !response.is_granted() || !response.failures.is_empty() {
        let refusal = Refusal::Rejected {
            status: response.status.number(),
            failures: response.failures.clone(),
            text: printable(&response.texts.join("; ")),
        };
        results.push(failed(Check::Status, refusal));
        return None;
    }
    let Some(token) = response.token.as_ref() else {
        results.push(failed(Check::Status, Refusal::NoToken));
        return None;
    };
    results.push(passed(
        Check::Status,
        Some(response.status.name().to_owned()),
    ));
    match TimeStampToken::parse(token) {
        Ok(token) => {
            results.push(passed(Check::Token, None));
            Some(token)
        }
        Err(error) => {
            results.push(failed(Check::Token, Refusal::TokenMalformed(error)));
            None
        }
    }
}

/// The comparisons of the token with the request and our clock.
fn compare(token: &TimeStampToken, expectation: &Expectation<'_>, results: &mut Vec<CheckResult>) {
    let request = expectation.request;
    let info = &token.info;
    let algorithm = info.imprint.digest_algorithm();
    results.push(result(
        Check::DigestAlgorithm,
        (algorithm != request.imprint.digest_algorithm()).then_some(Refusal::DigestAlgorithm),
        algorithm.map(|algorithm| algorithm.name().to_owned()),
    ));
    results.push(result(
        Check::Imprint,
        (info.imprint.bytes != request.imprint.bytes).then_some(Refusal::Imprint),
        None,
    ));
    let nonce = match (&request.nonce, &info.nonce) {
        (Some(_), None) => Some(Refusal::NonceMissing),
        (sent, received) if sent != received => Some(Refusal::NonceMismatch),
        _ => None,
    };
    results.push(result(Check::Nonce, nonce, None));
    let policy = request
        .policy
        .as_ref()
        .is_some_and(|policy| *policy != info.policy)
        .then_some(Refusal::Policy);
    results.push(result(Check::Policy, policy, Some(info.policy.to_string())));
    results.push(clock(token, expectation));
    results.push(accuracy(token, expectation));
    results.push(order(token, expectation));
    let count = token.signed_data.signers.len();
    results.push(result(
        Check::Signers,
        (count != 1).then_some(Refusal::SignerCount { count }),
        None,
    ));
}

fn clock(token: &TimeStampToken, expectation: &Expectation<'_>) -> CheckResult {
    let gen_time = token.info.gen_time;
    let slack = expectation
        .demands
        .clock_tolerance
        .saturating_add(stated(token).unwrap_or_default().min(ACCURACY_BELIEVED_MAX));
    let earliest = expectation.sent_at.saturating_sub(slack);
    let latest = expectation.answered_at.saturating_add(slack);
    let failure = (gen_time < earliest || gen_time > latest).then_some(Refusal::ClockDisagrees {
        gen_time,
        now: expectation.answered_at,
    });
    let difference = gen_time - expectation.answered_at;
    let found = format!("{:+.3} s", difference.as_seconds_f64());
    result(Check::Clock, failure, Some(found))
}

fn accuracy(token: &TimeStampToken, expectation: &Expectation<'_>) -> CheckResult {
    let demands = &expectation.demands;
    let stated = stated(token);
    let failure = match (stated, demands.accuracy_max) {
        (Some(stated), Some(limit)) if stated > limit => {
            Some(Refusal::Inaccurate { stated, limit })
        }
        (None, _) if !demands.accuracy_may_miss => Some(Refusal::AccuracyMissing),
        _ => None,
    };
    let found = stated.map_or_else(
        || "-".to_owned(),
        |stated| format!("{} s", stated.as_seconds_f64()),
    );
    result(Check::Accuracy, failure, Some(found))
}

/// A time before that of the last token, by more than both may be off, says that the authority's clock was set back or that the token is old.
fn order(token: &TimeStampToken, expectation: &Expectation<'_>) -> CheckResult {
    let gen_time = token.info.gen_time;
    let failure = expectation.earlier.and_then(|earlier| {
        let slack = if token.info.ordering {
            Duration::ZERO
        } else {
            let own = stated(token).unwrap_or(Duration::SECOND);
            own.min(ACCURACY_BELIEVED_MAX)
                .saturating_add(earlier.accuracy.min(ACCURACY_BELIEVED_MAX))
        };
        let latest = gen_time.saturating_add(slack);
        (latest < earlier.gen_time).then_some(Refusal::OutOfOrder {
            gen_time,
            earlier: earlier.gen_time,
        })
    });
    result(Check::Order, failure, None)
}

/// The checks that the verifier makes.
fn add_judged(
    token: &TimeStampToken,
    report: &TimestampReport,
    material: &Collected,
    results: &mut Vec<CheckResult>,
) {
    let signer = report.signer.as_ref();
    let carried = token.signed_data.x509_certificates().next().is_some();
    let certificate = judged::refusal_for(Check::Certificate, report)
        .or((!carried).then_some(Refusal::CertificateMissing));
    let without_certificate = certificate.is_some();
    results.push(result(
        Check::Certificate,
        certificate,
        signer.map(|signer| printable(&signer.subject_text())),
    ));
    if without_certificate {
        return;
    }
    for check in [
        Check::Signature,
        Check::Binding,
        Check::Algorithm,
        Check::Usage,
        Check::Validity,
        Check::Path,
        Check::Revocation,
    ] {
        let failure = match judged::refusal_for(check, report) {
            Some(Refusal::RevocationUnknown { .. }) => Some(Refusal::RevocationUnknown {
                tried: material.failures.clone(),
                left_out: judged::left_out(report),
            }),
            other => other,
        };
        results.push(result(check, failure, None));
    }
    let other = judged::other_refusal(report);
    results.push(result(Check::Verification, other, None));
}

fn remaining(report: &TimestampReport, expectation: &Expectation<'_>) -> CheckResult {
    let demanded = expectation.demands.holds_min;
    let Some((until, because)) = &report.holds_until else {
        return passed(Check::Remaining, None);
    };
    let enough = expectation.answered_at.saturating_add(demanded);
    let failure = (*until < enough).then(|| Refusal::EndsTooSoon {
        until: *until,
        because: because.clone(),
        days_min: demanded.whole_days(),
    });
    result(Check::Remaining, failure, Some(until.date().to_string()))
}

fn stated(token: &TimeStampToken) -> Option<Duration> {
    token.info.accuracy.map(|accuracy| accuracy.duration())
}

const fn result(check: Check, failure: Option<Refusal>, found: Option<String>) -> CheckResult {
    CheckResult {
        check,
        failure,
        found,
    }
}

const fn passed(check: Check, found: Option<String>) -> CheckResult {
    result(check, None, found)
}

const fn failed(check: Check, refusal: Refusal) -> CheckResult {
    result(check, Some(refusal), None)
}

/// An authority that is less sure of its time than this is not believed to be so exact by our clock check.
const ACCURACY_BELIEVED_MAX: Duration = Duration::minutes(1);
