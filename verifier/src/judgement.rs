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
    /// Whether nothing is held against it but that trust has ended or is missing. The first reason alone does not tell.
    only_trust: bool,
}

impl Judgement {
    /// Everything holds and is trusted.
    pub const PASSED: Self = Self {
        verdict: Verdict::PASSED,
        integrity: Integrity::Intact,
        only_trust: true,
    };

    /// A kind of evidence that this version names but does not judge.
    pub const NOT_JUDGED: Self = Self {
        verdict: Verdict::because(SubIndication::Custom),
        integrity: Integrity::Unknown,
        only_trust: false,
    };

    /// A digest, signature, link or structure that does not hold: TOTAL-FAILED and BROKEN.
    #[must_use]
    pub const fn broken(reason: SubIndication) -> Self {
        Self {
            verdict: Verdict::failed(reason),
            integrity: Integrity::Broken,
            only_trust: false,
        }
    }

    /// The conclusion that the standard gives for `reason`, while everything that can be computed holds.
    #[must_use]
    pub const fn because(reason: SubIndication) -> Self {
        Self {
            verdict: Verdict::because(reason),
            integrity: Integrity::Intact,
            only_trust: is_of_trust(reason),
        }
    }

    /// Whether it holds could not be computed: data is missing, or an algorithm is not known here.
    #[must_use]
    pub const fn unknown(reason: SubIndication) -> Self {
        Self {
            verdict: Verdict::indeterminate(reason),
            integrity: Integrity::Unknown,
            only_trust: false,
        }
    }

    /// A verdict on trust, while everything that can be computed holds.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            integrity: Integrity::Intact,
            only_trust: match verdict.sub_indication() {
                None => true,
                Some(reason) => is_of_trust(reason),
            },
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
            only_trust: self.only_trust && other.only_trust,
        }
    }

    /// Both have to hold, in place.
    pub fn add(&mut self, other: Self) {
        *self = self.and(other);
    }

    /// Whether another proof of the same data may take the place of this one, which has not passed.
    ///
    /// A proof ages: its certificates end or are revoked, its algorithms are no longer trusted, its authority is not among those that
    /// the reader trusts. None of that speaks against the data. What is broken, malformed or could not be computed does, or may: it is
    /// never passed over (ADR 0015).
    #[must_use]
    pub fn can_be_passed_over(&self) -> bool {
        !self.is_passed() && self.integrity == Integrity::Intact && self.only_trust
    }

    /// The judgement on data that several proofs cover, each of them completely: one that has passed is enough, as long as nothing is
    /// wrong with the others but the trust in them. `None` without any proof.
    ///
    /// If none has passed, the answer is the least bad one: it says what is missing to the proof that is nearest.
    #[must_use]
    pub fn of_alternatives(proofs: &[Self]) -> Option<Self> {
        let (open, binding): (Vec<Self>, Vec<Self>) =
            proofs.iter().partition(|proof| proof.can_be_passed_over());
        let binding = binding.into_iter().reduce(Self::and);
        if binding.is_some_and(|binding| binding.is_passed()) {
            return binding;
        }
        let nearest = open.into_iter().reduce(|best, other| {
            if other.conclusion() < best.conclusion() {
                other
            } else {
                best
            }
        });
        match (binding, nearest) {
            (Some(binding), Some(nearest)) => Some(binding.and(nearest)),
            (one, other) => one.or(other),
        }
    }
}

/// Whether a reason is about the trust in who made a proof, and not about the proof.
const fn is_of_trust(reason: SubIndication) -> bool {
    matches!(
        reason,
        SubIndication::NoCertificateChainFound
            | SubIndication::NoCertificateChainFoundNoPoe
            | SubIndication::ChainConstraintsFailure
            | SubIndication::Expired
            | SubIndication::NotYetValid
            | SubIndication::Revoked
            | SubIndication::RevokedNoPoe
            | SubIndication::RevokedCaNoPoe
            | SubIndication::OutOfBoundsNotRevoked
            | SubIndication::OutOfBoundsNoPoe
            | SubIndication::RevocationOutOfBoundsNoPoe
            | SubIndication::CryptoConstraintsFailure
            | SubIndication::CryptoConstraintsFailureNoPoe
            | SubIndication::NoPoe
            | SubIndication::TryLater
    )
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
            Judgement::because(SubIndication::SigConstraintsFailure),
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
    fn one_passed_proof_is_enough_and_nothing_broken_is_passed_over() {
        let passed = Judgement::PASSED;
        for one in every() {
            let (here, there) = ([one, passed], [passed, one]);
            for proofs in [here, there] {
                let whole = Judgement::of_alternatives(&proofs).unwrap();
                let expected = one.is_passed() || one.can_be_passed_over();
                assert_eq!(whole.is_passed(), expected, "{one:?}");
                assert_eq!(
                    whole.integrity() == Integrity::Broken,
                    one.integrity() == Integrity::Broken
                );
            }
            assert_eq!(Judgement::of_alternatives(&[one]), Some(one));
            if one.integrity() != Integrity::Intact {
                assert!(!one.can_be_passed_over());
            }
        }
        assert_eq!(Judgement::of_alternatives(&[]), None);
    }

    #[test]
    fn a_reason_of_trust_hides_no_other_one() {
        let unknown_root = Judgement::because(SubIndication::NoCertificateChainFound);
        let malformed = Judgement::because(SubIndication::SigConstraintsFailure);
        let both = unknown_root.and(malformed);
        assert_eq!(both.sub_indication(), unknown_root.sub_indication());
        assert!(unknown_root.can_be_passed_over() && !both.can_be_passed_over());
        let whole = Judgement::of_alternatives(&[both, Judgement::PASSED]);
        assert!(whole.is_some_and(|whole| !whole.is_passed()));
    }

    #[test]
    fn without_a_passed_proof_the_nearest_one_answers() {
        let revoked = Judgement::because(SubIndication::Revoked);
        let unknown_root = Judgement::because(SubIndication::NoCertificateChainFound);
        for proofs in [[revoked, unknown_root], [unknown_root, revoked]] {
            assert_eq!(Judgement::of_alternatives(&proofs), Some(unknown_root));
        }
        let broken = Judgement::broken(SubIndication::HashFailure);
        let whole = Judgement::of_alternatives(&[unknown_root, broken]);
        assert_eq!(
            whole.map(|whole| whole.integrity()),
            Some(Integrity::Broken)
        );
    }

    #[test]
    fn the_worse_reason_stays() {
        let whole = Judgement::unknown(SubIndication::SignedDataNotFound)
            .and(Judgement::broken(SubIndication::HashFailure));
        assert_eq!(whole.sub_indication(), Some(SubIndication::HashFailure));
        assert_eq!(whole.integrity(), Integrity::Broken);
    }
}
