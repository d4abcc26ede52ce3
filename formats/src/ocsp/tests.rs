use super::*;
use crate::der::Integer;
use crate::samples;
use ::time::macros::datetime;
use rasn_ocsp::BasicOcspResponse as Theirs;

/// What goes into a sample.
struct Sample {
    status: Vec<u8>,
    responder: Vec<u8>,
    extensions: Vec<u8>,
    certificates: Vec<Vec<u8>>,
}

fn sample() -> Sample {
    let name = samples::certificate(1).subject().to_vec();
    Sample {
        status: vec![0x80, 0x00],
        responder: Writer::single(Tag::context(1), |w| {
            w.raw(&name);
        }),
        extensions: Vec::new(),
        certificates: vec![samples::certificate(9).raw().to_vec()],
    }
}

fn time(w: &mut Writer, text: &str) {
    w.primitive(Tag::GENERALIZED_TIME, text.as_bytes());
}

impl Sample {
    fn encode(&self) -> Vec<u8> {
        let certificate = samples::certificate(200);
        let id = crate::ocsp::CertificateId::new(
            DigestAlgorithm::Sha1,
            certificate.issuer(),
            certificate.spki(),
            Integer::from(200),
        );
        let id = id.unwrap();
        Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.raw(&self.responder);
                time(w, "20261122034830Z");
                w.sequence(|w| {
                    w.sequence(|w| {
                        id.write(w);
                        w.raw(&self.status);
                        time(w, "20261122034800Z");
                        w.constructed(Tag::context(0), |w| time(w, "20261129034800Z"));
                        w.raw(&self.extensions);
                    });
                });
            });
            AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256).write(w);
            w.primitive(Tag::BIT_STRING, &[0, 7, 7]);
            if !self.certificates.is_empty() {
                w.constructed(Tag::context(0), |w| {
                    w.sequence(|w| {
                        w.raw(&self.certificates.concat());
                    });
                });
            }
        })
    }
}

#[test]
fn a_response_is_read_with_its_exact_bytes() {
    let bytes = sample().encode();
    let read = BasicOcspResponse::parse(&bytes).unwrap();
    assert_eq!(read.raw, bytes);
    assert_eq!(read.produced_at, datetime!(2026-11-22 03:48:30 UTC));
    assert_eq!(read.signature, [7, 7]);
    assert_eq!(read.certificates, [samples::certificate(9).raw()]);
    let [answer] = read.answers.as_slice() else {
        panic!("one answer");
    };
    assert_eq!(answer.next_update, Some(datetime!(2026-11-29 03:48:00 UTC)));
    let certificate = samples::certificate(1);
    assert_eq!(
        read.responder
            .names(certificate.subject(), certificate.spki()),
        Ok(true)
    );
    assert_eq!(
        read.responder.names(b"other", certificate.spki()),
        Ok(false)
    );
    let theirs: Theirs = rasn::der::decode(&bytes).unwrap();
    assert_eq!(
        rasn::der::encode(&theirs.tbs_response_data).unwrap(),
        read.signed
    );
    let wrapped = envelope(0, Some(&bytes));
    assert_eq!(
        OcspResponse::parse(&wrapped).unwrap().basic,
        Some(bytes.as_slice())
    );
    assert_eq!(BasicOcspResponse::parse_either(&wrapped).unwrap(), read);
    assert_eq!(BasicOcspResponse::parse_either(&bytes).unwrap(), read);
}

#[test]
fn status_and_reason_are_told_apart() {
    use crate::ocsp::CertificateStatus;
    let status = |status: &[u8]| {
        let bytes = Sample {
            status: status.to_vec(),
            ..sample()
        }
        .encode();
        BasicOcspResponse::parse(&bytes).map(|read| read.answers[0].status)
    };
    assert_eq!(status(&[0x82, 0x00]), Ok(CertificateStatus::Unknown));
    let revoked = |reason: Option<u8>| {
        Writer::single(Tag::context(1), |w| {
            time(w, "20260101000000Z");
            if let Some(reason) = reason {
                w.constructed(Tag::context(0), |w| {
                    w.primitive(Tag::ENUMERATED, &[reason]);
                });
            }
        })
    };
    let at = datetime!(2026-01-01 00:00 UTC);
    for reason in [None, Some(1), Some(6)] {
        let expected = CertificateStatus::Revoked {
            time: at,
            reason: reason.map(u32::from),
        };
        assert_eq!(status(&revoked(reason)), Ok(expected));
    }
    for bad in [
        &[0x80, 0x01, 0x00][..],
        &[0xa0, 0x00],
        &[0xa1, 0x00],
        &[0x83, 0x00],
        &[0x81, 0x00],
    ] {
        assert!(status(bad).is_err(), "{bad:x?}");
    }
}

#[test]
fn extensions_are_read_or_noted() {
    let with = |oid: &Oid, critical: bool, value: &[u8]| {
        let extension = Extension {
            oid: oid.clone(),
            critical,
            value: value.to_vec(),
        };
        let extensions = Writer::single(Tag::context(1), |w| {
            w.sequence(|w| extension.write(w));
        });
        let bytes = Sample {
            extensions,
            ..sample()
        }
        .encode();
        BasicOcspResponse::parse(&bytes).map(|read| read.answers[0].clone())
    };
    let mut cutoff = Writer::new();
    time(&mut cutoff, "20160101000000Z");
    let answer = with(&oid::OCSP_ARCHIVE_CUTOFF, false, &cutoff.into_bytes()).unwrap();
    assert_eq!(answer.archive_cutoff, Some(datetime!(2016-01-01 00:00 UTC)));
    assert!(with(&oid::OCSP_ARCHIVE_CUTOFF, false, &[0x05, 0x00]).is_err());
    let empty = Sample {
        extensions: vec![0xa1, 0x02, 0x30, 0x00],
        ..sample()
    };
    assert!(BasicOcspResponse::parse(&empty.encode()).is_ok());
    let answer = with(&oid::DATA, true, &[0x05, 0x00]).unwrap();
    assert_eq!(answer.unknown_critical, Some(oid::DATA));
    assert_eq!(
        with(&oid::DATA, false, &[0x05, 0x00])
            .unwrap()
            .unknown_critical,
        None
    );
}

#[test]
fn a_status_without_answer_is_told() {
    for (number, status) in [
        (1, "malformedRequest"),
        (3, "tryLater"),
        (6, "unauthorized"),
        (4, "undefined status"),
    ] {
        let bytes = envelope(number, None);
        assert_eq!(OcspResponse::parse(&bytes).unwrap().status.name(), status);
        let error = BasicOcspResponse::parse_either(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingElement);
    }
    let basic = sample().encode();
    assert!(OcspResponse::parse(&envelope(0, None)).is_err());
    assert!(OcspResponse::parse(&envelope(3, Some(&basic))).is_err());
}

#[test]
fn an_unsigned_bit_more_or_less_is_refused() {
    let bytes = sample().encode();
    let end = bytes.len();
    let mut long = vec![0x30, 0x83, 0x00];
    long.extend(&bytes[2..]);
    assert!(
        BasicOcspResponse::parse(&long).is_err(),
        "a length that is not the shortest"
    );
    assert!(BasicOcspResponse::parse(&[&bytes[..], &[0]].concat()).is_err());
    assert!(BasicOcspResponse::parse(&bytes[..end - 1]).is_err());
    let mut indefinite = vec![0x30, 0x80];
    indefinite.extend(&bytes[4..]);
    indefinite.extend([0, 0]);
    assert!(BasicOcspResponse::parse(&indefinite).is_err());
}

#[test]
fn one_answer_or_certificate_too_many_is_refused() {
    let certificate = samples::certificate(9).raw().to_vec();
    let with = |count| {
        Sample {
            certificates: vec![certificate.clone(); count],
            ..sample()
        }
        .encode()
    };
    assert!(BasicOcspResponse::parse(&with(OCSP_CERTIFICATES_MAX)).is_ok());
    let error = BasicOcspResponse::parse(&with(OCSP_CERTIFICATES_MAX + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let wrong = Sample {
        certificates: vec![vec![0x04, 0x00]],
        ..sample()
    }
    .encode();
    assert!(BasicOcspResponse::parse(&wrong).is_err());
}

#[test]
fn damaged_responses_do_no_harm() {
    samples::each_damage(&envelope(0, Some(&sample().encode())), |damaged| {
        let _read = BasicOcspResponse::parse_either(damaged);
    });
}
