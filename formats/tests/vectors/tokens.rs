//! Requests, responses and tokens (RFC 3161).

use formats::cms::SignedData;
use formats::error::ErrorKind;
use formats::evidence::EvidenceRecord;
use formats::tsp::{Status, TimeStampRequest, TimeStampResponse, TimeStampToken, TstInfo};
use formats::x509;

use crate::files::{Vector, is_record, vectors};

#[test]
fn tokens_requests_and_responses_are_read() {
    for vector in vectors("tst") {
        let Vector { name, bytes, .. } = &vector;
        match kind_of(name) {
            Kind::Token => {
                let token = TimeStampToken::parse(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(token.raw(), bytes, "{name}");
                check_token(name, &token);
            }
            Kind::NotAToken(expected) => {
                let error = TimeStampToken::parse(bytes).unwrap_err();
                assert_eq!(error.kind(), expected, "{name}");
                SignedData::parse(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
            Kind::Response => {
                let response = TimeStampResponse::parse(bytes).unwrap();
                assert_eq!(response.raw(), bytes, "{name}");
                assert_eq!(&response.encode(), bytes, "{name}");
                assert_eq!(response.is_granted(), name != "rejection.tsq", "{name}");
                if let Some(token) = &response.token {
                    check_token(name, &TimeStampToken::parse(token).unwrap());
                } else {
                    assert_eq!(response.status, Status::Rejection);
                }
            }
            Kind::Request => {
                let request = TimeStampRequest::parse(bytes).unwrap();
                assert_eq!(request.raw(), bytes, "{name}");
                assert_eq!(&request.encode(), bytes, "{name}");
            }
            Kind::Pem => {
                assert!(
                    !x509::read_certificates(bytes).unwrap().is_empty(),
                    "{name}"
                );
            }
            Kind::Malformed => assert!(TimeStampResponse::parse(bytes).is_err(), "{name}"),
            Kind::Data => assert!(TimeStampToken::parse(bytes).is_err(), "{name}"),
        }
    }
}

#[test]
fn digests_of_content_are_those_that_signers_signed() {
    let mut holds = 0;
    for vector in vectors("ers").iter().filter(|v| is_record(v)) {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for (_, _, time_stamp) in record.time_stamps() {
            let token = time_stamp.token().unwrap();
            let signer = &token.signed_data.signers[0];
            let algorithm = signer.digest_algorithm.digest_algorithm().unwrap();
            let digest = algorithm.digest(token.info.raw());
            let attribute = signer.message_digest().unwrap().unwrap();
            assert_eq!(digest.as_bytes(), attribute, "{}", vector.name);
            assert_eq!(signer.content_type(), Ok(Some(formats::oid::TST_INFO)));
            let ids = signer.signing_certificates().unwrap();
            for id in ids.signer_ids() {
                let mut bag = token.signed_data.x509_certificates();
                assert!(
                    bag.any(|certificate| id.matches(certificate) == Some(true)),
                    "{}: the signer's certificate",
                    vector.name
                );
            }
            holds += 1;
        }
    }
    eprintln!("{holds} tokens in evidence records");
}

fn check_token(name: &str, token: &TimeStampToken) {
    assert!(!token.info.gen_time_text.is_empty(), "{name}");
    let again = TstInfo::parse(&token.info.encode().unwrap()).unwrap();
    assert_eq!(again.gen_time, token.info.gen_time, "{name}");
    assert_eq!(again.serial, token.info.serial, "{name}");
    assert_eq!(again.imprint, token.info.imprint, "{name}");
    for signer in &token.signed_data.signers {
        assert_eq!(
            signer.signing_certificates().is_err(),
            BROKEN_SIGNING_CERTIFICATES.contains(&name),
            "{name}"
        );
    }
}

enum Kind {
    Token,
    NotAToken(ErrorKind),
    Response,
    Request,
    Pem,
    Malformed,
    Data,
}

fn kind_of(name: &str) -> Kind {
    match name {
        "TimeStampTokenWithInvalidTSTInfo.p7s" => Kind::NotAToken(ErrorKind::UnexpectedTag),
        "TimeStampTokenWithInvalideContentType.p7s"
        | "cms__Sha1SignedData.p7s"
        | "cms__SignedDataWithoutSignedAttributes.p7s"
        | "cms__TimeStampTokenWithInvalidContentType.p7s" => Kind::NotAToken(ErrorKind::WrongType),
        "malformed.tsq" => Kind::Malformed,
        "granted.tsq" | "rejection.tsq" | "tsp_response.der" => Kind::Response,
        "d-trust.tsr" | "BIN_ER.ers.0.0.tsr" => Kind::Token,
        "GlobalSignRootCA.crt" => Kind::Pem,
        "FileDaFirmare.txt.tsd.der" => Kind::Data,
        _ if name.ends_with(".tsr") => Kind::Response,
        _ if name.ends_with(".p7s") || name.ends_with(".tst") => Kind::Token,
        _ if name.ends_with("request.der") => Kind::Request,
        _ if name.ends_with(".pem") => Kind::Pem,
        _ => Kind::Data,
    }
}

/// Tokens whose signingCertificateV2 attribute was cut off or emptied.
const BROKEN_SIGNING_CERTIFICATES: [&str; 2] = [
    "TimeStampTokenWithInvalidSigningCertificateV2.p7s",
    "TimeStampTokenWithSigningCertificateV2NoCert.p7s",
];
