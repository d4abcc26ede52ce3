//! Evidence records of either syntax: ASN.1 (RFC 4998) or XML (RFC 6283). What the bytes are, they say themselves.

use formats::digest::DigestAlgorithm;

use super::{EvidenceReport, Group, covers, initial_algorithm, verify_record_standing};
use crate::context::Context;
use crate::finding::Place;
use crate::recognise::{Kind, recognise};
use crate::source::DigestSource;
use crate::timestamp::Standing;
use crate::xmlers;

/// Judges an evidence record of either syntax over `data`, as of `context.time`.
///
/// Bytes that are no XML are read as ASN.1, and refused as such if they are none.
#[must_use]
pub fn verify_any_record(
    record: &[u8],
    data: &[&dyn DigestSource],
    group: Group,
    context: &Context<'_>,
    place: &Place,
) -> EvidenceReport {
    let standing = Standing {
        judged_at: context.time,
        protected: false,
    };
    verify_any_record_standing(record, data, group, standing, context, place)
}

/// Judges an evidence record of either syntax over `data`, where it stands: another proof may cover it.
#[must_use]
pub fn verify_any_record_standing(
    record: &[u8],
    data: &[&dyn DigestSource],
    group: Group,
    standing: Standing,
    context: &Context<'_>,
    place: &Place,
) -> EvidenceReport {
    if is_xml(record) {
        return xmlers::verify_xml_record(record, data, group, standing, context, place);
    }
    verify_record_standing(record, data, group, standing, context, place)
}

/// Whether the first archive time-stamp of a record of either syntax covers `data`; nothing else is judged.
#[must_use]
pub fn covers_any(record: &[u8], data: &dyn DigestSource) -> bool {
    if is_xml(record) {
        return xmlers::covers(record, data);
    }
    covers(record, data)
}

/// The digest algorithm of the first hash tree of a record of either syntax.
#[must_use]
pub fn any_initial_algorithm(record: &[u8]) -> Option<DigestAlgorithm> {
    if is_xml(record) {
        return xmlers::initial_algorithm(record);
    }
    initial_algorithm(record)
}

fn is_xml(record: &[u8]) -> bool {
    recognise(record) == Kind::XmlEvidenceRecord
}
