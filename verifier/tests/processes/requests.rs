//! Requests beside the tokens that may be the answers to them (RFC 3161 §2.4.2).

use formats::der::Integer;
use formats::tsp::{MessageImprint, TimeStampRequest, TimeStampToken};
use verifier::timestamp::verify_request;

use super::support::authority::TokenOptions;
use super::*;

fn request_of(token: &TimeStampToken) -> TimeStampRequest {
    TimeStampRequest {
        version: 1,
        imprint: token.info.imprint.clone(),
        policy: Some(token.info.policy.clone()),
        nonce: None,
        certificate_wanted: true,
        extensions: Vec::new(),
    }
}

#[test]
fn a_request_is_compared_with_its_answer() {
    let token = clock().token(&ALGORITHM.digest(CONTENT), SIGNED);
    let request = request_of(&TimeStampToken::parse(&token).unwrap());
    let policy = Policy::default();
    let anchors = [clock().anchor()];
    let context = judging(&anchors, &policy, NOW);
    let data = DataBytes::new("contract", CONTENT);
    let judge = |request: &TimeStampRequest| {
        let files = [
            InputFile::new("request.tsq", request.encode()),
            InputFile::new("token.tst", token.as_slice()),
        ];
        verify(&files, &[&data], &context)
    };
    let report = judge(&request);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let mut other = request.clone();
    other.imprint = MessageImprint::of(&ALGORITHM.digest(b"other"));
    assert_eq!(judge(&other).judgement.integrity(), Integrity::Broken);
    for change in [
        |request: &mut TimeStampRequest| request.nonce = Some(Integer::from(7_u64)),
        |request: &mut TimeStampRequest| request.policy = Some("2.999.7".parse().unwrap()),
        |request: &mut TimeStampRequest| request.certificate_wanted = false,
    ] {
        let mut other = request.clone();
        change(&mut other);
        let report = judge(&other);
        assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
        assert_eq!(report.judgement.integrity(), Integrity::Intact);
    }
}

/// Several tokens over one digest: a request asks for one of them.
#[test]
fn a_request_is_compared_with_the_answer_to_it() {
    let digest = ALGORITHM.digest(CONTENT);
    let first = clock().token(&digest, SIGNED);
    let options = TokenOptions {
        policy: "2.999.7",
        nonce: Some(7),
        ..TokenOptions::at(ARCHIVED)
    };
    let second = clock().token_with(&digest, options);
    let request_to = |token: &TimeStampToken| {
        let mut request = request_of(token);
        request.nonce.clone_from(&token.info.nonce);
        request.policy = Some(token.info.policy.clone());
        request
    };
    let tokens = [first, second].map(|token| TimeStampToken::parse(&token).unwrap());
    let answered = |request: &TimeStampRequest, tokens: &[TimeStampToken]| {
        let report = verify_request(&request.encode(), tokens, &Place::root());
        (report.judgement.is_passed(), report.answered_at)
    };
    for token in &tokens {
        let (request, time) = (request_to(token), Some(token.info.gen_time));
        assert_eq!(answered(&request, &tokens), (true, time));
        let mut by_nonce = request.clone();
        by_nonce.policy = None;
        assert_eq!(answered(&by_nonce, &tokens), (true, time));
        let mut other = request.clone();
        other.nonce = Some(Integer::from(8_u64));
        assert_eq!(answered(&other, &tokens), (false, None));
        let mut other = request;
        other.policy = Some("2.999.8".parse().unwrap());
        assert_eq!(answered(&other, &tokens), (false, None));
    }
    for (token, others) in [(&tokens[0], &tokens[1..]), (&tokens[1], &tokens[..1])] {
        assert_eq!(answered(&request_to(token), others), (false, None));
    }
}

#[test]
fn a_request_alone_proves_nothing() {
    let token = clock().token(&ALGORITHM.digest(CONTENT), SIGNED);
    let request = request_of(&TimeStampToken::parse(&token).unwrap());
    let report = verify_request(&request.encode(), &[], &Place::root());
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.findings[0].code(), token_codes::REQUEST_ALONE);
    let report = verify_request(b"0", &[], &Place::root());
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}
