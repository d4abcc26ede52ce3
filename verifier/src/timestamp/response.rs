//! What stands around a token in an answer of an authority (RFC 3161 §2.4.2).

use formats::tsp::{Status, TimeStampResponse};

use crate::finding::{Finding, Place, timestamp as codes};
use crate::judgement::Judgement;
use crate::verdict::SubIndication;

/// What was found about a response, apart from the token in it.
#[derive(Clone, Debug)]
pub struct ResponseReport {
    /// The token, if there is one to judge.
    pub token: Option<Vec<u8>>,
    /// The judgement on the response alone.
    pub judgement: Judgement,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Takes the token out of a response (RFC 3161 §2.4.2). What the response itself says is judged and reported.
#[must_use]
pub fn token_of_response(response: &[u8], place: &Place) -> ResponseReport {
    let report = |token, judgement, finding: Option<Finding>| ResponseReport {
        token,
        judgement,
        findings: finding.into_iter().collect(),
    };
    let found = |code| Finding::new(code, place.clone());
    let parsed = match TimeStampResponse::parse(response) {
        Ok(parsed) => parsed,
        Err(error) => {
            let judgement = Judgement::broken(SubIndication::FormatFailure);
            let finding = found(codes::RESPONSE_MALFORMED).with(error);
            return report(None, judgement, Some(finding));
        }
    };
    let status = parsed.status.name();
    let Some(token) = parsed.token.clone() else {
        let finding = found(codes::RESPONSE_WITHOUT_TOKEN).with(status);
        return report(None, Judgement::NOT_JUDGED, Some(finding));
    };
    let finding = match parsed.status {
        Status::Granted => return report(Some(token), Judgement::PASSED, None),
        Status::GrantedWithMods => found(codes::RESPONSE_GRANTED_WITH_MODIFICATIONS),
        Status::Rejection
        | Status::Waiting
        | Status::RevocationWarning
        | Status::RevocationNotification
        | Status::Other(_) => found(codes::RESPONSE_STATUS_CONTRADICTS).with(status),
    };
    let judgement = Judgement::because(SubIndication::SigConstraintsFailure);
    report(Some(token), judgement, Some(finding))
}
