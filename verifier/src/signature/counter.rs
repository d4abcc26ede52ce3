//! Countersignatures (RFC 5652 §11.4, EN 319 122-1 §5.2.7): signatures over the value of another signature, in its unsigned attributes.
//!
//! Each is judged as a signature of its own, with what has been proven of the attribute that it stands in.

use formats::cades::SignerParts;
use formats::cms::SignerInfo;
use formats::oid;
use time::OffsetDateTime;

use super::signer::{Circumstances, Limits, SignerAnswer, judge_signer};
use super::subject::Subject;
use crate::finding::{Finding, Place, signature as codes};
use crate::judgement::Judgement;
use crate::poe::PoeSet;
use crate::report::{ObjectKind, ObjectReport};
use crate::source::DataBytes;
use crate::timestamp::Standing;
use crate::verdict::SubIndication;

/// Countersignatures of countersignatures that are judged. The deepest in the collected files has 1.
pub const COUNTERSIGNATURE_DEPTH_MAX: usize = 4;

/// Judges every countersignature on a signature.
pub(super) fn judge(
    subject: &Subject<'_>,
    proofs: &PoeSet,
    circumstances: &Circumstances<'_>,
    place: &Place,
    limits: &mut Limits,
) -> Vec<SignerAnswer> {
    let attributes = subject.cuts.unsigned_attributes.iter();
    let values: Vec<&Vec<u8>> = attributes
        .filter(|attribute| attribute.oid == oid::COUNTERSIGNATURE)
        .flat_map(|attribute| &attribute.values)
        .collect();
    let mut answers = Vec::with_capacity(values.len());
    for (number, value) in values.into_iter().enumerate() {
        let place = place.item("countersignature", number);
        let too_deep = subject.depth >= COUNTERSIGNATURE_DEPTH_MAX;
        if too_deep || !limits.take_signer() {
            answers.push(left_out(&place));
            break;
        }
        answers.push(judge_one(
            subject,
            value,
            proofs,
            circumstances,
            &place,
            limits,
        ));
    }
    answers
}

fn left_out(place: &Place) -> SignerAnswer {
    let finding = Finding::new(codes::SIGNATURE_TOO_MANY, place.clone());
    SignerAnswer::without_object(
        Judgement::unknown(SubIndication::Custom),
        finding.with(super::SIGNERS_JUDGED_MAX),
    )
}

fn judge_one(
    outer: &Subject<'_>,
    value: &[u8],
    proofs: &PoeSet,
    circumstances: &Circumstances<'_>,
    place: &Place,
    limits: &mut Limits,
) -> SignerAnswer {
    let parsed =
        SignerInfo::parse(value).and_then(|signer| Ok((signer, SignerParts::parse(value)?)));
    let (signer, cuts) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let judgement = Judgement::broken(SubIndication::FormatFailure);
            let finding = Finding::new(codes::SIGNATURE_MALFORMED, place.clone()).with(error);
            let mut answer = SignerAnswer::without_object(judgement, finding);
            answer.objects.push(ObjectReport::new(
                ObjectKind::Signature,
                place.clone(),
                judgement,
            ));
            return answer;
        }
    };
    let octets = outer.cuts.signature.as_slice();
    let content = DataBytes::new("signature value", octets);
    let subject = Subject {
        signed_data: outer.signed_data,
        parts: outer.parts,
        signer: &signer,
        cuts: &cuts,
        content: Some(&content),
        octets: Some(octets),
        data: &[],
        position: None,
        depth: outer.depth.saturating_add(1),
    };
    // A proof of the octets of the signature alone says nothing about the time-stamps beside them.
    let since: Option<OffsetDateTime> = proofs.since(value);
    let now = circumstances.context.time;
    let standing = since.filter(|since| *since < now).map_or(
        Standing {
            judged_at: now,
            protected: false,
        },
        |judged_at| Standing {
            judged_at,
            protected: true,
        },
    );
    let circumstances = Circumstances {
        standing,
        context: circumstances.context,
        bytes: circumstances.bytes,
    };
    let mut answer = judge_signer(&subject, &circumstances, proofs, place, limits);
    if let Some(object) = answer.objects.first_mut() {
        object.set("countersigns", "signature value");
    }
    answer
}
