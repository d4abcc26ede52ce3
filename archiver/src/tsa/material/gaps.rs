//! What a token's validation material still lacks.

use formats::cms::RevocationInfo;
use formats::ocsp::BasicOcspResponse;
use formats::tsp::TimeStampToken;
use formats::x509::Certificate;
use time::OffsetDateTime;

use super::addresses::services;
use super::collected::Collected;
use super::revocation::CrlHead;
use crate::tsa::checks::signer_certificate;

/// A certificate of a token for which no final revocation information is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The subject of the certificate.
    pub certificate: String,
    /// What is at hand.
    pub kind: GapKind,
    /// Whether something better can be expected by now.
    pub worth_asking: bool,
}

/// What is at hand about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapKind {
    /// Nothing.
    Missing,
    /// Information from before the token's time.
    Provisional {
        /// When it was issued.
        issued: OffsetDateTime,
        /// When a newer one was due.
        next_update: Option<OffsetDateTime>,
    },
    /// The issuer's certificate is not at hand, so that the path cannot be followed.
    IssuerMissing,
}

/// The certificates on the path of a token that name a revocation service, and about which nothing is at hand that was issued after the token's time.
/// `material` is what was collected for it besides what it carries. Empty: the token needs nothing more. A token that cannot be read has no gaps.
///
/// This looks at names and times alone and judges nothing: it says when to ask again, not what to believe.
#[must_use]
pub fn missing_or_provisional(
    token: &[u8],
    material: &Collected,
    anchors: &[Vec<u8>],
    now: OffsetDateTime,
) -> Vec<Gap> {
    let Ok(token) = TimeStampToken::parse(token) else {
        return Vec::new();
    };
    let Some(signer) = signer_certificate(&token) else {
        return Vec::new();
    };
    // Answers state whole seconds: one of the same second may be later.
    let made = token.info.gen_time.truncate_to_second();
    let at_hand = AtHand::of(&token, material);
    let carried = token.signed_data.x509_certificates();
    let collected = material.certificates.iter().map(Vec::as_slice);
    let anchors = parse(anchors.iter().map(Vec::as_slice));
    let known = parse(carried.chain(collected));
    let mut gaps = Vec::new();
    let mut certificate = signer;
    for _ in 0..PATH_MAX {
        let is_anchor = anchors.iter().any(|anchor| {
            anchor.subject() == certificate.subject() && anchor.spki() == certificate.spki()
        });
        if is_anchor || certificate.subject() == certificate.issuer() {
            break;
        }
        let named = services(&certificate);
        if named.name_revocation() && !named.no_check {
            gaps.extend(at_hand.gap(&certificate, made, now));
        }
        let issuer = anchors
            .iter()
            .chain(&known)
            .find(|issuer| issuer.subject() == certificate.issuer());
        let Some(issuer) = issuer else {
            gaps.push(Gap {
                certificate: certificate.subject_text(),
                kind: GapKind::IssuerMissing,
                worth_asking: !named.issuers.is_empty(),
            });
            break;
        };
        certificate = issuer.clone();
    }
    gaps
}

fn parse<'a>(list: impl Iterator<Item = &'a [u8]>) -> Vec<Certificate> {
    list.filter_map(|bytes| Certificate::parse(bytes).ok())
        .collect()
}

type Window = (OffsetDateTime, Option<OffsetDateTime>);

/// When what is at hand was issued, and for whom.
struct AtHand {
    /// By the exact bytes of the issuer's Name.
    crls: Vec<(Vec<u8>, Window)>,
    /// By the content octets of the serial number; the issuer is named by digests alone, and two equal numbers on one path are not likely.
    answers: Vec<(Vec<u8>, Window)>,
}

impl AtHand {
    fn of(token: &TimeStampToken, material: &Collected) -> Self {
        let mut at_hand = Self {
            crls: Vec::new(),
            answers: Vec::new(),
        };
        for info in &token.signed_data.revocations {
            match info {
                RevocationInfo::Crl(bytes) => at_hand.add_crl(bytes),
                RevocationInfo::Ocsp { bytes, .. } => at_hand.add_ocsp(bytes),
                RevocationInfo::Other { .. } => {}
            }
        }
        material
            .crls
            .iter()
            .for_each(|bytes| at_hand.add_crl(bytes));
        let responses = material.ocsp_responses.iter();
        responses.for_each(|bytes| at_hand.add_ocsp(bytes));
        at_hand
    }

    fn add_crl(&mut self, bytes: &[u8]) {
        if let Ok(head) = CrlHead::read(bytes) {
            let window = (head.this_update, head.next_update);
            self.crls.push((head.issuer.to_vec(), window));
        }
    }

    fn add_ocsp(&mut self, bytes: &[u8]) {
        if let Ok(response) = BasicOcspResponse::parse_either(bytes) {
            for answer in response.answers {
                let serial = answer.certificate.serial.as_bytes().to_vec();
                self.answers
                    .push((serial, (answer.this_update, answer.next_update)));
            }
        }
    }

    fn gap(
        &self,
        certificate: &Certificate,
        made: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Option<Gap> {
        let crls = self.crls.iter();
        let crls = crls.filter(|(issuer, _)| issuer == certificate.issuer());
        let serial = certificate.serial().as_bytes();
        let answers = self.answers.iter().filter(|(number, _)| number == serial);
        let newest = crls
            .chain(answers)
            .map(|(_, window)| *window)
            .max_by_key(|(issued, _)| *issued);
        let (kind, worth_asking) = match newest {
            None => (GapKind::Missing, true),
            Some((issued, _)) if issued >= made => return None,
            Some((issued, next_update)) => (
                GapKind::Provisional {
                    issued,
                    next_update,
                },
                next_update.is_none_or(|next| next <= now),
            ),
        };
        Some(Gap {
            certificate: certificate.subject_text(),
            kind,
            worth_asking,
        })
    }
}

/// Certificates on one path.
const PATH_MAX: usize = 16;
