//! One judgement: what is concluded, why, and whether the mathematics holds.
//!
//! A [`Judgement`] can only be made so that its parts agree: nothing is TOTAL-PASSED whose integrity is not INTACT, and
//! whatever is BROKEN is TOTAL-FAILED. Combining keeps the worst, so a part that was not judged can never lift a whole.

use crate::verdict::{Conclusion, Integrity, SubIndication, Verdict};

/// Conclusion, sub-indication (EN 319 102-1 §5.1.3) and integrity of one object or of a whole report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Judgement {
    verdict: Verdict,
    integrity: Integrity,
}

impl Judgement {
    /// Everything holds and is trusted.
    pub const PASSED: Self = Self {
        verdict: Verdict::PASSED,
        integrity: Integrity::Intact,
    };

    /// A kind of evidence that this version names but does not judge.
    pub const NOT_JUDGED: Self = Self {
        verdict: Verdict::because(SubIndication::Custom),
        integrity: Integrity::Unknown,
    };

    /// A digest, signature, link or structure that does not hold: TOTAL-FAILED and BROKEN.
    #[must_use]
    pub const fn broken(reason: SubIndication) -> Self {
        Self {
            verdict: Verdict::failed(reason),
            integrity: Integrity::Broken,
        }
    }

    /// The conclusion that the standard gives for `reason`, while everything that can be computed holds.
    #[must_use]
    pub const fn because(reason: SubIndication) -> Self {
        Self {
            verdict: Verdict::because(reason),
            integrity: Integrity::Intact,
        }
    }

    /// Whether it holds could not be computed: data is missing, or an algorithm is not known here.
    #[must_use]
    pub const fn unknown(reason: SubIndication) -> Self {
        Self {
            verdict: Verdict::indeterminate(reason),
            integrity: Integrity::Unknown,
        }
    }

    /// A verdict on trust, while everything that can be computed holds.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            integrity: Integrity::Intact,
        }
    }

    /// What is concluded.
    #[must_use]
    pub const fn conclusion(&self) -> Conclusion {
        self.verdict.conclusion()
    }

    /// The standard's reason for a conclusion other than TOTAL-PASSED.
    #[must_use]
    pub const fn sub_indication(&self) -> Option<SubIndication> {
        self.verdict.sub_indication()
    }

    /// Whether all signatures, imprints, hash trees and links hold, whatever the trust.
    #[must_use]
    pub const fn integrity(&self) -> Integrity {
        self.integrity
    }

    /// Whether this is TOTAL-PASSED.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.verdict.is_passed()
    }

    /// Both have to hold: the worse conclusion with its reason, and the worse integrity. On a tie the first reason stays.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            verdict: self.verdict.and(other.verdict),
            integrity: self.integrity.and(other.integrity),
        }
    }

    /// Both have to hold, in place.
    pub fn add(&mut self, other: Self) {
        *self = self.and(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> Vec<Judgement> {
        vec![
            Judgement::PASSED,
            Judgement::NOT_JUDGED,
            Judgement::broken(SubIndication::HashFailure),
            Judgement::because(SubIndication::FormatFailure),
            Judgement::because(SubIndication::NoPoe),
            Judgement::unknown(SubIndication::SignedDataNotFound),
        ]
    }

    #[test]
    fn a_whole_is_passed_only_when_every_part_is() {
        for one in every() {
            for other in every() {
                let whole = one.and(other);
                assert_eq!(whole.is_passed(), one.is_passed() && other.is_passed());
                if whole.is_passed() {
                    assert_eq!(whole.integrity(), Integrity::Intact);
                    assert_eq!(whole.sub_indication(), None);
                }
                if whole.integrity() == Integrity::Broken {
                    assert_eq!(whole.conclusion(), Conclusion::TotalFailed);
                }
            }
        }
    }

    #[test]
    fn the_worse_reason_stays() {
        let whole = Judgement::unknown(SubIndication::SignedDataNotFound)
            .and(Judgement::broken(SubIndication::HashFailure));
        assert_eq!(whole.sub_indication(), Some(SubIndication::HashFailure));
        assert_eq!(whole.integrity(), Integrity::Broken);
    }
}
