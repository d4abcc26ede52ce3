//! Limits that no other test meets: as many as allowed are read, one more is refused (`formats/src/limits.rs`).
#![allow(clippy::unwrap_used, reason = "test code: a panic is the report")]

use formats::cades::{HashIndex, HashIndexVersion, parse_certificate_values};
use formats::cms::SignedData;
use formats::der::{Tag, Writer, to_der_lengths};
use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use formats::limits::{
    ATS_HASHES_MAX, CADES_REFERENCES_MAX, CMS_SIGNERS_MAX, DER_ELEMENTS_MAX, DIGEST_ALGORITHMS_MAX,
    OCSP_ANSWERS_MAX, TSP_EXTENSIONS_MAX, XML_NODES_MAX,
};
use formats::ocsp::BasicOcspResponse;
use formats::oid;
use formats::tsp::TimeStampRequest;
use formats::xml::Document;

/// `limit` are read and one more is not, for this reason.
fn expect_limit<T>(limit: usize, read: impl Fn(usize) -> Result<T, FormatError>) {
    let at = read(limit).map(|_| ());
    assert_eq!(at, Ok(()), "as many as allowed");
    let above = read(limit + 1).map(|_| ()).unwrap_err();
    assert_eq!(above.kind(), ErrorKind::LimitExceeded);
}

fn digest_algorithm(w: &mut Writer) {
    w.sequence(|w| {
        w.oid(&DigestAlgorithm::Sha256.oid());
    });
}

/// A SignedData without content.
fn signed_data(digests: usize, signers: usize) -> Vec<u8> {
    let signer = Writer::single(Tag::SEQUENCE, |w| {
        w.primitive(Tag::INTEGER, &[1]);
        w.sequence(|w| {
            w.sequence(|_| {});
            w.primitive(Tag::INTEGER, &[1]);
        });
        digest_algorithm(w);
        digest_algorithm(w);
        w.octet_string(&[]);
    });
    Writer::single(Tag::SEQUENCE, |w| {
        w.oid(&oid::SIGNED_DATA);
        w.constructed(Tag::context(0), |w| {
            w.sequence(|w| {
                w.primitive(Tag::INTEGER, &[1]);
                w.constructed(Tag::SET, |w| (0..digests).for_each(|_| digest_algorithm(w)));
                w.sequence(|w| {
                    w.oid(&oid::DATA);
                });
                w.constructed(Tag::SET, |w| {
                    w.raw(&signer.repeat(signers));
                });
            });
        });
    })
}

#[test]
fn signed_data_has_so_many_digests_and_signers() {
    expect_limit(DIGEST_ALGORITHMS_MAX, |count| {
        SignedData::parse(&signed_data(count, 0))
    });
    expect_limit(CMS_SIGNERS_MAX, |count| {
        SignedData::parse(&signed_data(1, count))
    });
}

#[test]
fn attributes_hold_so_many_values_and_hashes() {
    expect_limit(CADES_REFERENCES_MAX, |count| {
        let values = Writer::single(Tag::SEQUENCE, |w| {
            w.raw(&[0x30, 0x00].repeat(count));
        });
        parse_certificate_values(&values)
    });
    expect_limit(ATS_HASHES_MAX, |count| {
        let index = Writer::single(Tag::SEQUENCE, |w| {
            digest_algorithm(w);
            for count in [count, 0, 0] {
                w.sequence(|w| {
                    w.raw(&[0x04, 0x01, 0x00].repeat(count));
                });
            }
        });
        HashIndex::parse(&index, HashIndexVersion::V3)
    });
}

#[test]
fn a_request_has_so_many_extensions() {
    expect_limit(TSP_EXTENSIONS_MAX, |count| {
        let request = Writer::single(Tag::SEQUENCE, |w| {
            w.primitive(Tag::INTEGER, &[1]);
            w.sequence(|w| {
                digest_algorithm(w);
                w.octet_string(&[0; 32]);
            });
            w.constructed(Tag::context(0), |w| {
                for number in 0..count {
                    w.sequence(|w| {
                        let last = u8::try_from(number).unwrap();
                        w.primitive(Tag::OID, &[0x2a, 0x03, last]);
                        w.octet_string(&[]);
                    });
                }
            });
        });
        TimeStampRequest::parse(&request)
    });
}

#[test]
fn a_response_has_so_many_answers() {
    const TIME: &[u8] = b"20261122034830Z";
    expect_limit(OCSP_ANSWERS_MAX, |count| {
        let answer = Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                digest_algorithm(w);
                w.octet_string(&[0; 32]).octet_string(&[0; 32]);
                w.primitive(Tag::INTEGER, &[1]);
            });
            w.raw(&[0x80, 0x00]);
            w.primitive(Tag::GENERALIZED_TIME, TIME);
        });
        let response = Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.constructed(Tag::context(2), |w| {
                    w.octet_string(&[0; 20]);
                });
                w.primitive(Tag::GENERALIZED_TIME, TIME);
                w.sequence(|w| {
                    w.raw(&answer.repeat(count));
                });
            });
            digest_algorithm(w);
            w.primitive(Tag::BIT_STRING, &[0]);
        });
        BasicOcspResponse::parse(&response).map(|_| ())
    });
}

#[test]
fn documents_have_so_many_parts() {
    expect_limit(XML_NODES_MAX - 1, |count| {
        let text = ["<r>", &"<a/>".repeat(count), "</r>"].concat();
        Document::parse(text.as_bytes())
    });
    expect_limit(DER_ELEMENTS_MAX - 1, |count| {
        let bytes = [&[0x30, 0x80][..], &[0x05, 0x00].repeat(count), &[0, 0]].concat();
        to_der_lengths(&bytes)
    });
}
