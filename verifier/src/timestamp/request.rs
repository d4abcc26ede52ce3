//! Time-stamp requests (RFC 3161 §2.4.1): what one asks for, and whether a token is the answer to it (§2.4.2).

use formats::tsp::{TimeStampRequest, TimeStampToken};
use time::OffsetDateTime;

use super::algorithm_name;
use crate::finding::{Place, timestamp as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::{ObjectKind, ObjectReport};
use crate::verdict::SubIndication;

/// What was found about a request.
#[derive(Clone, Debug)]
pub struct RequestReport {
    /// The judgement: a request proves nothing by itself.
    pub judgement: Judgement,
    /// Whether a token was there to compare it with.
    pub is_answered: bool,
    /// The time that its answer states, if the answer is one.
    pub answered_at: Option<OffsetDateTime>,
    /// What was noticed.
    pub findings: Vec<crate::finding::Finding>,
    /// The same for the report.
    pub object: ObjectReport,
}

/// Compares a request with the tokens that were given beside it: the one over the same digest, or else the first.
///
/// Alone it is INDETERMINATE. A token over another digest is no answer to it: BROKEN.
#[must_use]
pub fn verify_request(request: &[u8], tokens: &[TimeStampToken], place: &Place) -> RequestReport {
    let mut notes = Notes::new(place);
    let mut object = ObjectReport::new(ObjectKind::Request, place.clone(), Judgement::PASSED);
    let parsed = match TimeStampRequest::parse(request) {
        Ok(parsed) => parsed,
        Err(error) => {
            notes.broken(
                SubIndication::FormatFailure,
                codes::REQUEST_MALFORMED,
                [error],
            );
            return report(notes, None, object);
        }
    };
    describe(&parsed, &mut object);
    let same = |token: &&TimeStampToken| token.info.imprint == parsed.imprint;
    // Of several answers over the same digest, that to this request.
    let answers = |token: &&TimeStampToken| {
        let policy = parsed.policy.as_ref();
        same(token)
            && token.info.nonce == parsed.nonce
            && policy.is_none_or(|policy| *policy == token.info.policy)
    };
    let found = tokens.iter().find(answers);
    let found = found.or_else(|| tokens.iter().find(same));
    let Some(token) = found.or(tokens.first()) else {
        let asked = algorithm_name(&parsed.imprint.algorithm);
        let digest = hex::encode(&parsed.imprint.bytes);
        notes.add(Judgement::NOT_JUDGED, codes::REQUEST_ALONE, [asked, digest]);
        return report(notes, None, object);
    };
    compare(&mut notes, &parsed, token);
    if notes.judgement.is_passed() {
        notes.note(codes::REQUEST_ANSWERED, NONE);
    }
    report(notes, Some(token), object)
}

fn report(
    notes: Notes<'_>,
    answer: Option<&TimeStampToken>,
    mut object: ObjectReport,
) -> RequestReport {
    object.judgement = notes.judgement;
    RequestReport {
        judgement: notes.judgement,
        is_answered: answer.is_some(),
        answered_at: answer
            .filter(|_| notes.judgement.is_passed())
            .map(|token| token.info.gen_time),
        findings: notes.findings,
        object,
    }
}

fn describe(request: &TimeStampRequest, object: &mut ObjectReport) {
    object.set(
        "digest-algorithm",
        algorithm_name(&request.imprint.algorithm),
    );
    object.set("imprint", hex::encode(&request.imprint.bytes));
    if let Some(policy) = &request.policy {
        object.set("policy", policy.to_string());
    }
    if let Some(nonce) = &request.nonce {
        object.set("nonce", nonce.to_string());
    }
    let wanted = if request.certificate_wanted {
        "true"
    } else {
        "false"
    };
    object.set("certificate-wanted", wanted);
}

/// What a requester has to check (§2.4.2).
fn compare(notes: &mut Notes<'_>, request: &TimeStampRequest, token: &TimeStampToken) {
    let info = &token.info;
    let (asked, given) = (&request.imprint, &info.imprint);
    if asked.algorithm.oid != given.algorithm.oid || asked.bytes != given.bytes {
        let details = [hex::encode(&given.bytes), hex::encode(&asked.bytes)];
        notes.broken(
            SubIndication::HashFailure,
            codes::REQUEST_IMPRINT_DIFFERS,
            details,
        );
    }
    let constraint = SubIndication::SigConstraintsFailure;
    if let Some(nonce) = &request.nonce
        && info.nonce.as_ref() != Some(nonce)
    {
        let given = info
            .nonce
            .as_ref()
            .map_or_else(|| "-".to_owned(), ToString::to_string);
        let details = [given, nonce.to_string()];
        notes.because(constraint, codes::REQUEST_NONCE_DIFFERS, details);
    }
    if let Some(policy) = request
        .policy
        .as_ref()
        .filter(|policy| **policy != info.policy)
    {
        let details = [info.policy.to_string(), policy.to_string()];
        notes.because(constraint, codes::REQUEST_POLICY_DIFFERS, details);
    }
    let carries = !token.signed_data.certificates.is_empty();
    if carries != request.certificate_wanted {
        let code = if carries {
            codes::REQUEST_CERTIFICATE_UNWANTED
        } else {
            codes::REQUEST_CERTIFICATE_MISSING
        };
        notes.because(constraint, code, NONE);
    }
}
