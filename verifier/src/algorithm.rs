//! What a signature was made with, and until when that is trusted.
//!
//! This module holds facts and the lookup; the dates are data of the [policy](crate::policy).

use std::fmt;

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;

/// A family of signature algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureFamily {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1,
    /// RSASSA-PSS (RFC 8017 §8.1).
    RsaPss,
    /// ECDSA (FIPS 186-5, RFC 5480, RFC 5639).
    Ecdsa,
    /// DSA (FIPS 186-4).
    Dsa,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// Ed448 (RFC 8032).
    Ed448,
    /// ML-DSA-44 (FIPS 204), of security category 2.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204), of security category 3.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204), of security category 5.
    MlDsa87,
    /// SLH-DSA (FIPS 205), all parameter sets.
    SlhDsa,
}

impl SignatureFamily {
    /// Every family.
    pub const ALL: &'static [Self] = &[
        Self::RsaPkcs1,
        Self::RsaPss,
        Self::Ecdsa,
        Self::Dsa,
        Self::Ed25519,
        Self::Ed448,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::SlhDsa,
    ];

    /// The name in policies and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1 => "RSASSA-PKCS1-v1_5",
            Self::RsaPss => "RSASSA-PSS",
            Self::Ecdsa => "ECDSA",
            Self::Dsa => "DSA",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
            Self::SlhDsa => "SLH-DSA",
        }
    }

    /// The family of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|family| family.name() == name)
    }
}

/// Family, key size and digest of one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureAlgorithm {
    /// The family.
    pub family: SignatureFamily,
    /// Bits of the RSA modulus, the DSA prime, or the order of the curve; for ML-DSA and SLH-DSA those of the symmetric key that is as hard to find.
    pub key_bits: u32,
    /// The digest of the message; `None` where the family fixes it (EdDSA, ML-DSA, SLH-DSA).
    pub digest: Option<DigestAlgorithm>,
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bits)", self.family.name(), self.key_bits)?;
        match self.digest {
            Some(digest) => write!(f, " with {}", digest.name()),
            None => Ok(()),
        }
    }
}

/// Until when something is trusted, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The last moment of trust; `None` if no end is known.
    pub until: Option<OffsetDateTime>,
    /// The publication that says so.
    pub source: String,
}

impl Trust {
    /// Is it trusted at `time`?
    #[must_use]
    pub fn holds_at(&self, time: OffsetDateTime) -> bool {
        self.until.is_none_or(|until| time <= until)
    }

    /// The one that ends earlier; of equal ones `self`.
    #[must_use]
    pub fn earlier<'a>(&'a self, other: &'a Self) -> &'a Self {
        match (self.until, other.until) {
            (None, Some(_)) => other,
            (Some(a), Some(b)) if b < a => other,
            _ => self,
        }
    }
}

/// What a policy says about an algorithm at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlgorithmJudgement {
    /// Trusted at that time.
    Trusted(Trust),
    /// Trusted only earlier.
    Ended(Trust),
    /// The policy has no row for it: not trusted.
    NotListed,
}

impl AlgorithmJudgement {
    /// Is it trusted?
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusted(_))
    }

    pub(crate) fn of(trust: Option<&Trust>, time: OffsetDateTime) -> Self {
        match trust {
            None => Self::NotListed,
            Some(trust) if trust.holds_at(time) => Self::Trusted(trust.clone()),
            Some(trust) => Self::Ended(trust.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn trust(until: Option<OffsetDateTime>) -> Trust {
        Trust {
            until,
            source: String::new(),
        }
    }

    #[test]
    fn trust_ends_after_its_last_moment() {
        let end = datetime!(2030-12-31 14:59:59 UTC);
        let some = trust(Some(end));
        assert!(some.holds_at(end));
        assert!(!some.holds_at(end + time::Duration::SECOND));
        assert!(trust(None).holds_at(datetime!(9999-12-31 23:59:59 UTC)));
    }

    #[test]
    fn the_earlier_end_counts() {
        let (early, late, never) = (
            trust(Some(datetime!(2012-08-01 0:00 UTC))),
            trust(Some(datetime!(2050-01-01 0:00 UTC))),
            trust(None),
        );
        assert_eq!(never.earlier(&late), &late);
        assert_eq!(late.earlier(&never), &late);
        assert_eq!(early.earlier(&late), &early);
        assert_eq!(late.earlier(&early), &early);
        assert_eq!(never.earlier(&never), &never);
    }

    #[test]
    fn names_go_there_and_back() {
        for family in SignatureFamily::ALL {
            assert_eq!(SignatureFamily::from_name(family.name()), Some(*family));
        }
        assert_eq!(SignatureFamily::from_name("rsassa-pss"), None);
        assert_eq!(SignatureFamily::from_name(""), None);
    }
}
