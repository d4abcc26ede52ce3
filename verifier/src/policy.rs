//! The verification policy: JSON data, with a default built in. `policy/README.md` describes it, `policy/schema.json` is its schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use formats::digest::DigestAlgorithm;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::algorithm::{AlgorithmJudgement, SignatureAlgorithm, SignatureFamily, Trust};

/// The schema that [`Policy::parse`] reads.
pub const SCHEMA: &str = "urn:fumikura:verification-policy:1";

/// Most bytes of a policy file. The default has 6 kB.
pub const POLICY_BYTES_MAX: usize = 1024 * 1024;

const DEFAULT: &str = include_str!("../policy/default.json");

/// When a certificate needs revocation information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationRule {
    /// A certificate that names a CRL or OCSP service needs it; one that names none passes with a finding. What is at hand is always used.
    #[default]
    IfNamed,
    /// Every certificate below the trust anchor needs it.
    Required,
    /// It is not looked at, and the report says so.
    Off,
}

/// Which algorithms are trusted until when, and what is demanded of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: String,
    revocation: RevocationRule,
    digests: BTreeMap<DigestAlgorithm, Trust>,
    /// By family, then by the least key size of the row.
    signatures: BTreeMap<SignatureFamily, BTreeMap<u32, Trust>>,
}

/// Why a policy file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is longer than [`POLICY_BYTES_MAX`]. It is hardly a policy.
    TooLong,
    /// The file is not JSON of the schema; line and column of the place. Compare it with `policy/schema.json`.
    Malformed {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// The member `schema` is not [`SCHEMA`]. Use a program that knows it.
    UnknownSchema,
    /// A row of `digests` (counted from 0) names an algorithm that this program does not know, or stands twice.
    DigestRow(usize),
    /// A row of `signatures` (counted from 0) names an algorithm that this program does not know, or stands twice.
    SignatureRow(usize),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the policy is longer than {POLICY_BYTES_MAX} bytes"),
            Self::Malformed { line, column } => {
                write!(
                    f,
                    "the policy does not follow its schema (line {line}, column {column})"
                )
            }
            Self::UnknownSchema => write!(f, "the policy's schema is not {SCHEMA}"),
            Self::DigestRow(row) => {
                write!(
                    f,
                    "digests[{row}] names an unknown algorithm or stands twice"
                )
            }
            Self::SignatureRow(row) => {
                write!(
                    f,
                    "signatures[{row}] names an unknown algorithm or stands twice"
                )
            }
        }
    }
}

impl std::error::Error for PolicyError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    name: String,
    revocation: RevocationRule,
    digests: Vec<DigestRow>,
    signatures: Vec<SignatureRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestRow {
    algorithm: String,
    #[serde(deserialize_with = "end")]
    trusted_until: Option<OffsetDateTime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureRow {
    algorithm: String,
    key_bits_min: u32,
    #[serde(deserialize_with = "end")]
    trusted_until: Option<OffsetDateTime>,
    source: String,
}

/// An end of trust must be written, also where it is `null`: forgetting it must not mean "for ever".
fn end<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| OffsetDateTime::parse(&text, &Rfc3339))
        .transpose()
        .map_err(serde::de::Error::custom)
}

impl Default for Policy {
    /// The policy that is built in.
    fn default() -> Self {
        // A test parses the built-in text. A policy that trusts nothing is the safe answer to the impossible.
        Self::parse(DEFAULT.as_bytes()).unwrap_or(Self {
            name: String::new(),
            revocation: RevocationRule::Required,
            digests: BTreeMap::new(),
            signatures: BTreeMap::new(),
        })
    }
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if the file is not a policy, or not one of this schema.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong);
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| PolicyError::Malformed {
            line: error.line(),
            column: error.column(),
        })?;
        if file.schema != SCHEMA {
            return Err(PolicyError::UnknownSchema);
        }
        Ok(Self {
            name: file.name,
            revocation: file.revocation,
            digests: digests(file.digests)?,
            signatures: signatures(file.signatures)?,
        })
    }

    /// The text of the policy that is built in.
    #[must_use]
    pub const fn default_text() -> &'static str {
        DEFAULT
    }

    /// The name, for reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When a certificate needs revocation information.
    #[must_use]
    pub const fn revocation(&self) -> RevocationRule {
        self.revocation
    }

    /// Until when a digest algorithm is trusted; `None` if the policy does not list it.
    #[must_use]
    pub fn digest_trust(&self, digest: DigestAlgorithm) -> Option<&Trust> {
        self.digests.get(&digest)
    }

    /// Until when a signature is trusted: the earlier end of its own row and that of its digest; `None` if one of them is not listed.
    #[must_use]
    pub fn signature_trust(&self, signature: SignatureAlgorithm) -> Option<&Trust> {
        let rows = self.signatures.get(&signature.family)?;
        let (_, own) = rows.range(..=signature.key_bits).next_back()?;
        match signature.digest {
            None => Some(own),
            Some(digest) => Some(own.earlier(self.digests.get(&digest)?)),
        }
    }

    /// Judges a digest algorithm at the time for which the existence of what it protects is proven.
    #[must_use]
    pub fn judge_digest(
        &self,
        digest: DigestAlgorithm,
        time: OffsetDateTime,
    ) -> AlgorithmJudgement {
        AlgorithmJudgement::of(self.digest_trust(digest), time)
    }

    /// Judges a signature at the time for which its existence is proven.
    #[must_use]
    pub fn judge_signature(
        &self,
        signature: SignatureAlgorithm,
        time: OffsetDateTime,
    ) -> AlgorithmJudgement {
        AlgorithmJudgement::of(self.signature_trust(signature), time)
    }
}

fn digests(rows: Vec<DigestRow>) -> Result<BTreeMap<DigestAlgorithm, Trust>, PolicyError> {
    let mut digests = BTreeMap::new();
    for (number, row) in rows.into_iter().enumerate() {
        let error = PolicyError::DigestRow(number);
        let digest = DigestAlgorithm::from_name(&row.algorithm).ok_or(error)?;
        let trust = Trust {
            until: row.trusted_until,
            source: row.source,
        };
        if digests.insert(digest, trust).is_some() {
            return Err(error);
        }
    }
    Ok(digests)
}

fn signatures(
    rows: Vec<SignatureRow>,
) -> Result<BTreeMap<SignatureFamily, BTreeMap<u32, Trust>>, PolicyError> {
    let mut signatures: BTreeMap<SignatureFamily, BTreeMap<u32, Trust>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (number, row) in rows.into_iter().enumerate() {
        let error = PolicyError::SignatureRow(number);
        let family = SignatureFamily::from_name(&row.algorithm).ok_or(error)?;
        if !seen.insert((family, row.key_bits_min)) {
            return Err(error);
        }
        let trust = Trust {
            until: row.trusted_until,
            source: row.source,
        };
        signatures
            .entry(family)
            .or_default()
            .insert(row.key_bits_min, trust);
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn signature(
        family: SignatureFamily,
        key_bits: u32,
        digest: Option<DigestAlgorithm>,
    ) -> SignatureAlgorithm {
        SignatureAlgorithm {
            family,
            key_bits,
            digest,
        }
    }

    #[test]
    fn the_built_in_policy_lists_everything() {
        let policy = Policy::parse(DEFAULT.as_bytes()).unwrap();
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.revocation(), RevocationRule::IfNamed);
        for digest in DigestAlgorithm::ALL {
            assert!(policy.digest_trust(*digest).is_some(), "{}", digest.name());
        }
        for family in SignatureFamily::ALL {
            let largest = signature(*family, 16_384, None);
            assert!(policy.signature_trust(largest).is_some(), "{family:?}");
        }
    }

    #[test]
    fn rsa_2048_ends_with_2030_in_japan() {
        let policy = Policy::default();
        let rsa = signature(
            SignatureFamily::RsaPkcs1,
            2048,
            Some(DigestAlgorithm::Sha256),
        );
        assert!(
            policy
                .judge_signature(rsa, datetime!(2030-12-31 23:59:59 +9))
                .is_trusted()
        );
        assert!(
            !policy
                .judge_signature(rsa, datetime!(2031-01-01 0:00:00 +9))
                .is_trusted()
        );
    }

    #[test]
    fn the_digest_bounds_the_signature() {
        let policy = Policy::default();
        let time = datetime!(2015-01-01 0:00 UTC);
        let strong = signature(SignatureFamily::Ecdsa, 521, Some(DigestAlgorithm::Sha512));
        let weak = signature(SignatureFamily::Ecdsa, 521, Some(DigestAlgorithm::Sha1));
        assert!(policy.judge_signature(strong, time).is_trusted());
        assert!(matches!(
            policy.judge_signature(weak, time),
            AlgorithmJudgement::Ended(_)
        ));
    }

    #[test]
    fn a_key_below_every_row_is_not_trusted() {
        let policy = Policy::default();
        let tiny = signature(
            SignatureFamily::RsaPkcs1,
            512,
            Some(DigestAlgorithm::Sha512),
        );
        assert_eq!(
            policy.judge_signature(tiny, datetime!(1999-01-01 0:00 UTC)),
            AlgorithmJudgement::NotListed
        );
    }

    #[test]
    fn malformed_policies_are_refused() {
        let good = DEFAULT;
        for (bad, why) in [
            (String::new(), "empty"),
            (good.replace("policy:1", "policy:2"), "schema"),
            (good.replace("\"if-named\"", "\"sometimes\""), "revocation"),
            (
                good.replace("\"revocation\"", "\"revokation\""),
                "unknown member",
            ),
            (good.replace("\"MD5\"", "\"MD6\""), "unknown digest"),
            (good.replace("\"MD5\"", "\"SHA-1\""), "digest twice"),
            (good.replace("\"DSA\"", "\"ECDSA2\""), "unknown family"),
            (good.replace("2004-08-01T00:00:00Z", "2004-08-01"), "date"),
            (good.replace(", \"trusted_until\": null", ""), "no end"),
            (
                good.replace("\"key_bits_min\": 786", "\"key_bits_min\": 1024"),
                "row twice",
            ),
            (
                good.replace("\"key_bits_min\": 786", "\"key_bits_min\": -1"),
                "negative",
            ),
            (" ".repeat(POLICY_BYTES_MAX + 1), "too long"),
        ] {
            assert!(Policy::parse(bad.as_bytes()).is_err(), "{why}");
        }
    }
}
