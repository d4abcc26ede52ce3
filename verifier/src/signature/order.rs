//! The order of the time-stamps in a signature (EN 319 102-1 §5.5.4, §5.6.2).

use super::stamps::{Kind, Stamp};
use super::subject::Subject;
use crate::finding::signature as codes;
use crate::notes::Notes;
use crate::report::text::civil_time;
use crate::timestamp::CLOCK_DIFFERENCE_MAX;
use crate::verdict::SubIndication;

/// Every order that has to hold. The signer's own claim is not proven; it is compared where a proof says otherwise.
pub(super) fn check(notes: &mut Notes<'_>, subject: &Subject<'_>, stamps: &[Stamp<'_>]) {
    check_covered(notes, stamps);
    check_content(notes, stamps);
    check_claim(notes, subject, stamps);
}

/// A content-time-stamp is signed, so it is older than every proof of the signature.
fn check_content(notes: &mut Notes<'_>, stamps: &[Stamp<'_>]) {
    let times = |wanted: fn(Kind) -> bool| {
        let some = stamps.iter().filter(move |stamp| wanted(stamp.kind));
        some.filter_map(Stamp::time)
    };
    let newest = times(|kind| kind == Kind::Content).max();
    let oldest = times(Kind::proves_signature).min();
    if let (Some(content), Some(signature)) = (newest, oldest)
        && signature < content
    {
        notes.because(
            SubIndication::TimestampOrderFailure,
            codes::SIGNATURE_CONTENT_STAMP_LATE,
            [civil_time(content), civil_time(signature)],
        );
    }
}

fn check_claim(notes: &mut Notes<'_>, subject: &Subject<'_>, stamps: &[Stamp<'_>]) {
    let Ok(Some(claimed)) = subject.signer.signing_time() else {
        return;
    };
    let proofs = stamps.iter().filter(|stamp| stamp.kind.proves_signature());
    let oldest = proofs.filter_map(Stamp::time).min();
    let latest = oldest.and_then(|oldest| oldest.checked_add(CLOCK_DIFFERENCE_MAX));
    if let (Some(oldest), Some(latest)) = (oldest, latest)
        && latest < claimed
    {
        let times = [civil_time(claimed), civil_time(oldest)];
        notes.note(codes::SIGNING_TIME_AFTER_PROOF, times);
    }
}

/// A time-stamp cannot cover one that is younger than itself.
fn check_covered(notes: &mut Notes<'_>, stamps: &[Stamp<'_>]) {
    for stamp in stamps {
        for other in stamps {
            let covers = other
                .attribute
                .is_some_and(|number| stamp.covers.get(number) == Some(&true));
            if let (true, Some(time), Some(later)) = (covers, stamp.time(), other.time())
                && time < later
            {
                notes.because(
                    SubIndication::TimestampOrderFailure,
                    codes::SIGNATURE_STAMP_ORDER,
                    [civil_time(time), civil_time(later)],
                );
                return;
            }
        }
    }
}
