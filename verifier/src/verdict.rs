//! Conclusions and their reasons, by the names of ETSI EN 319 102-1 §4.2 and §5.1.3.

use std::fmt;

/// The overall answer (EN 319 102-1 §5.1.3, table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conclusion {
    /// Every check held.
    TotalPassed,
    /// What was given does not suffice to say yes or no.
    Indeterminate,
    /// A check failed in a way that nothing can repair.
    TotalFailed,
}

impl Conclusion {
    /// The name in the standard, for example `TOTAL-PASSED`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TotalPassed => "TOTAL-PASSED",
            Self::Indeterminate => "INDETERMINATE",
            Self::TotalFailed => "TOTAL-FAILED",
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Do all signatures, imprints, hash trees and links hold, whatever the trust in them?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integrity {
    /// All of them hold.
    Intact,
    /// At least one does not hold.
    Broken,
    /// At least one could not be computed, and none is known to be broken.
    Unknown,
}

impl Integrity {
    /// The name in reports, for example `INTACT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intact => "INTACT",
            Self::Broken => "BROKEN",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Integrity of a whole of two parts: broken before unknown before intact.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Broken, _) | (_, Self::Broken) => Self::Broken,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Intact, Self::Intact) => Self::Intact,
        }
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! sub_indications {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $conclusion:ident;)+) => {
        /// The reason of a conclusion other than `TOTAL-PASSED` (EN 319 102-1 §5.1.3, tables 5 and 6).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SubIndication {
            $($(#[$doc])* $variant,)+
        }

        impl SubIndication {
            /// Every reason, in the order of the standard.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the standard, for example `HASH_FAILURE`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The conclusion that the standard gives together with this reason.
            #[must_use]
            pub const fn conclusion(self) -> Conclusion {
                match self {
                    $(Self::$variant => Conclusion::$conclusion,)+
                }
            }
        }
    };
}

sub_indications! {
    /// The structure does not conform to its standard and cannot be processed.
    FormatFailure = "FORMAT_FAILURE", TotalFailed;
    /// A digest that was signed is not the digest of the data.
    HashFailure = "HASH_FAILURE", TotalFailed;
    /// A signature value does not verify under the key of its signer.
    SigCryptoFailure = "SIG_CRYPTO_FAILURE", TotalFailed;
    /// The signing certificate was revoked before the proven time of the signature.
    Revoked = "REVOKED", TotalFailed;
    /// The proven time of the signature lies after the end of the signing certificate.
    Expired = "EXPIRED", TotalFailed;
    /// The proven time of the signature lies before the start of the signing certificate.
    NotYetValid = "NOT_YET_VALID", TotalFailed;
    /// The signature does not fulfil a constraint of the policy.
    SigConstraintsFailure = "SIG_CONSTRAINTS_FAILURE", Indeterminate;
    /// The certificate chain does not fulfil a constraint of the policy or of RFC 5280.
    ChainConstraintsFailure = "CHAIN_CONSTRAINTS_FAILURE", Indeterminate;
    /// The certificate chain could not be validated for another reason.
    CertificateChainGeneralFailure = "CERTIFICATE_CHAIN_GENERAL_FAILURE", Indeterminate;
    /// An algorithm or key size was no longer trusted at a time that is not before its end.
    CryptoConstraintsFailure = "CRYPTO_CONSTRAINTS_FAILURE", Indeterminate;
    /// The validation policy could not be processed.
    PolicyProcessingError = "POLICY_PROCESSING_ERROR", Indeterminate;
    /// The signature policy that the signature names is not at hand.
    SignaturePolicyNotAvailable = "SIGNATURE_POLICY_NOT_AVAILABLE", Indeterminate;
    /// Time-stamps, signing time and certificates contradict each other in their order.
    TimestampOrderFailure = "TIMESTAMP_ORDER_FAILURE", Indeterminate;
    /// The certificate of the signer is not at hand.
    NoSigningCertificateFound = "NO_SIGNING_CERTIFICATE_FOUND", Indeterminate;
    /// No chain from the certificate to a trust anchor was found.
    NoCertificateChainFound = "NO_CERTIFICATE_CHAIN_FOUND", Indeterminate;
    /// No chain was found that holds at the proven time.
    NoCertificateChainFoundNoPoe = "NO_CERTIFICATE_CHAIN_FOUND_NO_POE", Indeterminate;
    /// The signing certificate is revoked, and nothing proves that the signature is older.
    RevokedNoPoe = "REVOKED_NO_POE", Indeterminate;
    /// A certificate authority of the chain is revoked, and nothing proves that the signature is older.
    RevokedCaNoPoe = "REVOKED_CA_NO_POE", Indeterminate;
    /// The signing certificate is out of its period, is known not to be revoked, and nothing proves that the signature is older.
    OutOfBoundsNotRevoked = "OUT_OF_BOUNDS_NOT_REVOKED", Indeterminate;
    /// The signing certificate is out of its period, and nothing proves that the signature is older.
    OutOfBoundsNoPoe = "OUT_OF_BOUNDS_NO_POE", Indeterminate;
    /// The certificate of the revocation information is out of its period, and nothing proves that the information is older.
    RevocationOutOfBoundsNoPoe = "REVOCATION_OUT_OF_BOUNDS_NO_POE", Indeterminate;
    /// An algorithm or key size is no longer trusted, and nothing proves that the object is older than that.
    CryptoConstraintsFailureNoPoe = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", Indeterminate;
    /// A proof of existence that is needed is missing.
    NoPoe = "NO_POE", Indeterminate;
    /// Revocation information is missing or too old; with more of it the answer may change.
    TryLater = "TRY_LATER", Indeterminate;
    /// The signed data are not at hand.
    SignedDataNotFound = "SIGNED_DATA_NOT_FOUND", Indeterminate;
    /// A reason that the standard has no name for; the findings say which.
    Custom = "CUSTOM", Indeterminate;
}

impl fmt::Display for SubIndication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A conclusion with its reason. A passed verdict has no reason, every other has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verdict {
    conclusion: Conclusion,
    sub_indication: Option<SubIndication>,
}

impl Verdict {
    /// Every check held.
    pub const PASSED: Self = Self {
        conclusion: Conclusion::TotalPassed,
        sub_indication: None,
    };

    /// The conclusion that the standard gives for `reason`.
    #[must_use]
    pub const fn because(reason: SubIndication) -> Self {
        Self {
            conclusion: reason.conclusion(),
            sub_indication: Some(reason),
        }
    }

    /// `TOTAL-FAILED` for `reason`, also where the standard leaves it open: the caller knows that nothing can repair it.
    #[must_use]
    pub const fn failed(reason: SubIndication) -> Self {
        Self {
            conclusion: Conclusion::TotalFailed,
            sub_indication: Some(reason),
        }
    }

    /// `INDETERMINATE` for `reason`, also where the standard says failed: the caller knows that more material could repair it.
    #[must_use]
    pub const fn indeterminate(reason: SubIndication) -> Self {
        Self {
            conclusion: Conclusion::Indeterminate,
            sub_indication: Some(reason),
        }
    }

    /// The conclusion.
    #[must_use]
    pub const fn conclusion(self) -> Conclusion {
        self.conclusion
    }

    /// The reason, `None` if passed.
    #[must_use]
    pub const fn sub_indication(self) -> Option<SubIndication> {
        self.sub_indication
    }

    /// Is it `TOTAL-PASSED`?
    #[must_use]
    pub fn is_passed(self) -> bool {
        self.conclusion == Conclusion::TotalPassed
    }

    /// The verdict of a whole of two parts: failed before indeterminate before passed; of equal ones the first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.conclusion > self.conclusion {
            other
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = SubIndication::ALL.iter().map(|sub| sub.name()).collect();
        assert_eq!(names.len(), SubIndication::ALL.len());
    }

    #[test]
    fn no_reason_belongs_to_passed() {
        for sub in SubIndication::ALL {
            assert_ne!(sub.conclusion(), Conclusion::TotalPassed, "{sub}");
            assert!(!Verdict::because(*sub).is_passed());
        }
    }

    #[test]
    fn the_worse_verdict_wins() {
        let failed = Verdict::because(SubIndication::HashFailure);
        let open = Verdict::because(SubIndication::TryLater);
        assert_eq!(Verdict::PASSED.and(open).and(failed), failed);
        assert_eq!(failed.and(open).and(Verdict::PASSED), failed);
        assert_eq!(
            open.and(Verdict::because(SubIndication::NoPoe)),
            open,
            "the first of equal ones stays"
        );
        assert!(Verdict::PASSED.and(Verdict::PASSED).is_passed());
    }

    #[test]
    fn broken_wins_over_unknown() {
        assert_eq!(Integrity::Unknown.and(Integrity::Broken), Integrity::Broken);
        assert_eq!(
            Integrity::Intact.and(Integrity::Unknown),
            Integrity::Unknown
        );
        assert_eq!(Integrity::Intact.and(Integrity::Intact), Integrity::Intact);
    }
}
