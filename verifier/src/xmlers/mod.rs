//! Judges evidence records in XML (RFC 6283), the whole sequence with its renewals.
//!
//! The trust is judged as for those in ASN.1; what differs is the mathematics. A renewal covers canonical forms of parts of the record;
//! the digest of the earlier chains stands beside those of the data and not together with each; and of a data object that is XML the
//! canonical form is covered.

mod data;
mod stamp;

use std::collections::HashSet;

use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use formats::xmlers::{InformationKind, XmlArchiveTimeStamp, XmlEvidenceRecord, XmlToken};

use self::data::DataObject;
use self::stamp::Stamp;
use crate::context::Context;
use crate::evidence::sequence::{Answer, Codes, Link, Sequence};
use crate::evidence::{EvidenceReport, Group};
use crate::finding::{Finding, Place, xmlers as codes};
use crate::judgement::Judgement;
use crate::report::{ObjectKind, ObjectReport};
use crate::source::DigestSource;
use crate::timestamp::Standing;
use crate::verdict::SubIndication;

const CODES: Codes = Codes {
    data_missing: codes::XML_EVIDENCE_DATA_MISSING,
    bare_digest: codes::XML_EVIDENCE_BARE_DIGEST,
    order_wrong: codes::XML_EVIDENCE_ORDER_WRONG,
    attributes_unprotected: codes::XML_EVIDENCE_ATTRIBUTES_UNPROTECTED,
};

/// Judges an evidence record in XML over `data`, where it stands.
pub(crate) fn verify_xml_record(
    record: &[u8],
    data: &[&dyn DigestSource],
    group: Group,
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> EvidenceReport {
    let bytes = record;
    let record = match XmlEvidenceRecord::parse(bytes) {
        Ok(record) => record,
        Err(error) => return unreadable(place, data, error),
    };
    let material = Material::collect(&record, context);
    let context = match &material.carried {
        Some(carried) => carried.extend(context),
        None => *context,
    };
    let stamps = Stamp::all(&record, place);
    let objects = data::read(&record, data);
    let mathematics = stamp::check_all(&record, &stamps, &objects, group);
    let links: Vec<Link<'_>> = stamps
        .iter()
        .map(|stamp| Link {
            chain: stamp.chain,
            position: stamp.position,
            place: stamp.place.clone(),
            token: rfc3161(stamp.archive_time_stamp),
            algorithm: stamp.content.algorithm(),
            has_attributes: stamp.archive_time_stamp.attributes > 0,
        })
        .collect();
    let sequence = Sequence {
        record: bytes,
        links: &links,
        data,
        standing,
        context: &context,
        place,
        codes: &CODES,
    };
    sequence.judge(judge_frame(&record, &material, place), mathematics)
}

/// Whether the first archive time-stamp of `record` covers `data`; nothing else is judged.
pub(crate) fn covers(record: &[u8], data: &dyn DigestSource) -> bool {
    let Ok(record) = XmlEvidenceRecord::parse(record) else {
        return false;
    };
    let stamps = Stamp::all(&record, &Place::root());
    let first = stamps.get(..1).unwrap_or_default();
    let objects: Vec<DataObject<'_>> = data::read(&record, &[data]);
    let mathematics = stamp::check_all(&record, first, &objects, Group::Members);
    mathematics.covered.first() == Some(&true)
}

/// The digest algorithm of the first chain.
pub(crate) fn initial_algorithm(record: &[u8]) -> Option<DigestAlgorithm> {
    let record = XmlEvidenceRecord::parse(record).ok()?;
    record.chains.first()?.algorithm()
}

fn rfc3161(stamp: &XmlArchiveTimeStamp) -> Option<&[u8]> {
    match &stamp.token {
        XmlToken::Rfc3161(bytes) => Some(bytes),
        XmlToken::Other(_) => None,
    }
}

/// What is too large was not looked at; anything else that cannot be read is malformed.
fn unreadable(place: &Place, data: &[&dyn DigestSource], error: FormatError) -> EvidenceReport {
    let (judgement, code) = if error.kind() == ErrorKind::LimitExceeded {
        let judgement = Judgement::unknown(SubIndication::Custom);
        (judgement, codes::XML_EVIDENCE_TOO_LARGE)
    } else {
        let judgement = Judgement::broken(SubIndication::FormatFailure);
        (judgement, codes::XML_EVIDENCE_MALFORMED)
    };
    EvidenceReport {
        judgement,
        existence: None,
        stated: None,
        covered: vec![false; data.len()],
        holds_until: None,
        findings: vec![Finding::new(code, place.clone()).with(error)],
        objects: vec![ObjectReport::new(
            ObjectKind::EvidenceRecord,
            place.clone(),
            judgement,
        )],
    }
}

/// What stands around the sequence (RFC 6283 §2.1). No time-stamp covers it.
fn judge_frame(record: &XmlEvidenceRecord, material: &Material, place: &Place) -> Answer {
    let mut answer = Answer::default();
    if record.encryption.is_some() {
        let finding = Finding::new(codes::XML_EVIDENCE_ENCRYPTED, place.clone());
        answer.unknown(SubIndication::Custom, finding);
    }
    let supporting = record.supporting_information.len();
    if supporting > 0 {
        let code = codes::XML_EVIDENCE_SUPPORTING_INFORMATION;
        answer
            .findings
            .push(Finding::new(code, place.clone()).with(supporting));
    }
    if material.not_used > 0 {
        let code = codes::XML_EVIDENCE_INFORMATION_NOT_USED;
        answer
            .findings
            .push(Finding::new(code, place.clone()).with(material.not_used));
    }
    if has_gaps(record) {
        let finding = Finding::new(codes::XML_EVIDENCE_ORDER_GAPS, place.clone());
        answer.findings.push(finding);
    }
    answer
}

/// Whether some numbers are left out where elements state their order. That they ascend was checked when they were read.
fn has_gaps(record: &XmlEvidenceRecord) -> bool {
    let counts = |orders: &mut dyn Iterator<Item = u32>| orders.zip(1..).all(|(a, b)| a == b);
    let chains = counts(&mut record.chains.iter().map(|chain| chain.order));
    let stamps = record
        .chains
        .iter()
        .all(|chain| counts(&mut chain.time_stamps.iter().map(|stamp| stamp.order)));
    let lists = record.time_stamps().all(|(_, _, stamp)| {
        let lists = stamp.hash_tree.iter().flatten();
        counts(&mut lists.map(|list| list.order))
    });
    !(chains && stamps && lists)
}

/// What the record carries beside its tokens (RFC 6283 §3.1.3).
struct Material {
    /// Together with what the caller gave; `None` if the record carries nothing that is used.
    carried: Option<Carried>,
    not_used: usize,
}

/// Certificates and revocation information. None of it is trusted.
#[derive(Default)]
struct Carried {
    certificates: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
    ocsp_responses: Vec<Vec<u8>>,
}

impl Material {
    fn collect(record: &XmlEvidenceRecord, context: &Context<'_>) -> Self {
        let mut carried = Carried::default();
        let mut not_used = 0_usize;
        for (_, _, stamp) in record.time_stamps() {
            for information in &stamp.information {
                let list = match information.kind {
                    InformationKind::Certificate => &mut carried.certificates,
                    InformationKind::Crl => &mut carried.crls,
                    InformationKind::Ocsp => &mut carried.ocsp_responses,
                    InformationKind::Scvp | InformationKind::Other => {
                        not_used = not_used.saturating_add(1);
                        continue;
                    }
                };
                list.push(information.bytes.clone());
            }
        }
        let Carried {
            certificates,
            crls,
            ocsp_responses,
        } = &carried;
        let is_empty = certificates.is_empty() && crls.is_empty() && ocsp_responses.is_empty();
        Self {
            carried: (!is_empty).then(|| carried.with_those_of(context)),
            not_used,
        }
    }
}

impl Carried {
    fn with_those_of(mut self, context: &Context<'_>) -> Self {
        for (list, given) in [
            (&mut self.certificates, context.certificates),
            (&mut self.crls, context.crls),
            (&mut self.ocsp_responses, context.ocsp_responses),
        ] {
            list.extend_from_slice(given);
            let mut seen = HashSet::new();
            list.retain(|bytes| seen.insert(bytes.clone()));
        }
        self
    }

    fn extend<'c>(&'c self, context: &Context<'c>) -> Context<'c> {
        Context {
            certificates: &self.certificates,
            crls: &self.crls,
            ocsp_responses: &self.ocsp_responses,
            ..*context
        }
    }
}
