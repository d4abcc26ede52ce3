//! What the time-stamps in a signature prove to exist.

use formats::cms::RevocationInfo;
use time::OffsetDateTime;

use super::stamps::{Kind, Stamp};
use super::subject::Subject;
use crate::context::Context;
use crate::poe::{PoeSet, Referable};

/// What a time-stamp that has passed proves (EN 319 102-1 §5.6.2.3).
pub(super) fn add_proofs(
    subject: &Subject<'_>,
    stamp: &Stamp<'_>,
    time: OffsetDateTime,
    context: &Context<'_>,
    proofs: &mut PoeSet,
) {
    let by = &stamp.place;
    if stamp.kind.proves_signature() {
        proofs.add(&subject.cuts.signature, time, by);
    }
    let material = Referable {
        certificates: context.certificates,
        crls: context.crls,
        ocsp_responses: context.ocsp_responses,
        policy: context.policy,
        now: context.time,
    };
    let references = matches!(stamp.kind, Kind::CadesC | Kind::References);
    for (number, attribute) in subject.cuts.unsigned_attributes.iter().enumerate() {
        let covered = stamp.covers.get(number) == Some(&true);
        if covered {
            proofs.add_attribute(attribute, time, by);
        }
        if covered || references {
            proofs.add_referenced(attribute, &material, time, by);
        }
    }
    match stamp.kind {
        Kind::ArchiveV1 | Kind::ArchiveV2 => {
            // The first one is not always over the certificates beside the signer; what it is over in the other reading is the same set.
            if stamp.kind == Kind::ArchiveV2 {
                proofs.add_members(subject.signed_data, time, by);
            }
        }
        Kind::ArchiveV3 => add_indexed(subject, stamp, time, proofs),
        Kind::Content | Kind::Signature | Kind::CadesC | Kind::References => {}
    }
}

/// The certificates and revocation information that a hash index names.
fn add_indexed(
    subject: &Subject<'_>,
    stamp: &Stamp<'_>,
    time: OffsetDateTime,
    proofs: &mut PoeSet,
) {
    let Ok(Some(index)) = stamp.index() else {
        return;
    };
    let Ok(coverage) = index.coverage(subject.parts, subject.cuts) else {
        return;
    };
    let certificates = subject
        .parts
        .certificates
        .iter()
        .zip(&coverage.certificates);
    for (bytes, _) in certificates.filter(|(_, covered)| **covered) {
        proofs.add(bytes, time, &stamp.place);
    }
    let information = subject
        .signed_data
        .revocations
        .iter()
        .zip(&coverage.revocations);
    for (information, _) in information.filter(|(_, covered)| **covered) {
        match information {
            RevocationInfo::Crl(bytes) => proofs.add(bytes, time, &stamp.place),
            RevocationInfo::Ocsp { bytes, .. } => proofs.add_ocsp(bytes, time, &stamp.place),
            RevocationInfo::Other { .. } => {}
        }
    }
}
