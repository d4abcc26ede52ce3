//! Makes OCSP responses, right ones and wrong ones.

use crate::support::*;
use formats::der::{Integer, Tag, Writer, format_generalized_time};
use formats::digest::DigestAlgorithm;
use formats::ocsp::CertificateId;
use formats::oid;
use formats::x509::{AlgorithmIdentifier, Certificate};
use rcgen::{KeyPair, SigningKey as _};
use time::OffsetDateTime;

/// What a response says. Every member may be wrong.
pub(crate) struct Response {
    pub(crate) answers: Vec<Answer>,
    pub(crate) produced_at: OffsetDateTime,
    /// Named by the digest of its key instead of by name.
    pub(crate) by_key: bool,
    pub(crate) certificates: Vec<Vec<u8>>,
    /// A critical extension that nobody knows.
    pub(crate) strange: bool,
}

/// What a response says about one certificate.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) hash: DigestAlgorithm,
    pub(crate) issuer: Vec<u8>,
    pub(crate) serial: u64,
    pub(crate) status: Status,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) archive_cutoff: Option<OffsetDateTime>,
}

#[derive(Clone, Copy)]
pub(crate) enum Status {
    Good,
    Revoked(OffsetDateTime, Option<u8>),
    Unknown,
}

/// Who signs: certificate and key.
pub(crate) struct Responder {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: KeyPair,
}

fn moment(w: &mut Writer, time: OffsetDateTime) {
    let text = format_generalized_time(time).unwrap();
    w.primitive(Tag::GENERALIZED_TIME, text.as_bytes());
}

impl Answer {
    fn write(&self, w: &mut Writer) {
        let issuer = Certificate::parse(&self.issuer).unwrap();
        let serial = Integer::from(self.serial);
        let id = CertificateId::new(self.hash, issuer.subject(), issuer.spki(), serial).unwrap();
        w.sequence(|w| {
            w.sequence(|w| {
                id.hash_algorithm.write(w);
                w.octet_string(&id.issuer_name_hash)
                    .octet_string(&id.issuer_key_hash)
                    .integer(&id.serial);
            });
            match self.status {
                Status::Good => drop(w.primitive(Tag::context(0), &[])),
                Status::Unknown => drop(w.primitive(Tag::context(2), &[])),
                Status::Revoked(time, reason) => {
                    w.constructed(Tag::context(1), |w| {
                        moment(w, time);
                        if let Some(reason) = reason {
                            w.constructed(Tag::context(0), |w| {
                                w.primitive(Tag::ENUMERATED, &[reason]);
                            });
                        }
                    });
                }
            }
            moment(w, self.this_update);
            if let Some(next) = self.next_update {
                w.constructed(Tag::context(0), |w| moment(w, next));
            }
            if let Some(cutoff) = self.archive_cutoff {
                let mut value = Writer::new();
                moment(&mut value, cutoff);
                w.constructed(Tag::context(1), |w| {
                    let value = value.into_bytes();
                    w.sequence(|w| extension(w, &oid::OCSP_ARCHIVE_CUTOFF, false, &value));
                });
            }
        });
    }
}

fn extension(w: &mut Writer, oid: &oid::Oid, critical: bool, value: &[u8]) {
    w.sequence(|w| {
        w.oid(oid);
        if critical {
            w.boolean(true);
        }
        w.octet_string(value);
    });
}

impl Response {
    /// The BasicOCSPResponse, named after and signed by the responder.
    pub(crate) fn signed_by(&self, responder: &Responder) -> Vec<u8> {
        self.signed_with(responder, &responder.key)
    }

    /// The BasicOCSPResponse, named after the responder and signed with any key.
    pub(crate) fn signed_with(&self, responder: &Responder, key: &KeyPair) -> Vec<u8> {
        let certificate = Certificate::parse(&responder.certificate).unwrap();
        let data = Writer::single(Tag::SEQUENCE, |w| {
            if self.by_key {
                let spki = certificate.x509().unwrap();
                let bits = spki.public_key().subject_public_key.data.to_vec();
                w.constructed(Tag::context(2), |w| {
                    w.octet_string(DigestAlgorithm::Sha1.digest(&bits).as_bytes());
                });
            } else {
                w.constructed(Tag::context(1), |w| {
                    w.raw(certificate.subject());
                });
            }
            moment(w, self.produced_at);
            w.sequence(|w| self.answers.iter().for_each(|answer| answer.write(w)));
            if self.strange {
                w.constructed(Tag::context(1), |w| {
                    w.sequence(|w| extension(w, &oid::DATA, true, &[5, 0]));
                });
            }
        });
        let signature = key.sign(&data).unwrap();
        Writer::single(Tag::SEQUENCE, |w| {
            w.raw(&data);
            AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256).write(w);
            w.primitive(Tag::BIT_STRING, &[&[0], &signature[..]].concat());
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

/// A responder's certificate below `issuer`, after a change to the usual one, which is designated, exempt from checks and valid.
pub(crate) fn responder(
    issuer: &Issuer,
    change: impl FnOnce(&mut rcgen::CertificateParams),
) -> Responder {
    let mut params = params("Responder");
    let no_check =
        rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0]);
    params.custom_extensions = vec![purposes(false, &[9]), no_check];
    change(&mut params);
    let key = key();
    let certificate = params.signed_by(&key, issuer).unwrap().der().to_vec();
    Responder { certificate, key }
}

/// `OCSPResponse` with a status and no answer.
pub(crate) fn status_only(status: u8) -> Vec<u8> {
    vec![0x30, 0x03, 0x0a, 0x01, status]
}
