//! The algorithm policy: JSON data, with a default built in. One policy serves verification and renewal (ADR 0010).
//!
//! `policy/README.md` describes it, `policy/schema.json` is its schema. A catalogue of ETSI TS 119 322 is read as a policy, too.

mod catalogue;
mod change;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use formats::digest::DigestAlgorithm;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use change::{AlgorithmSet, UnknownAlgorithm};

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

impl RevocationRule {
    /// The word in policies and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IfNamed => "if-named",
            Self::Required => "required",
            Self::Off => "off",
        }
    }
}

/// Which algorithms are trusted until when, and what is demanded of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: String,
    revocation: RevocationRule,
    digests: BTreeMap<DigestAlgorithm, Row>,
    /// By family, then by the least key size of the row.
    signatures: BTreeMap<SignatureFamily, BTreeMap<u32, Row>>,
}

/// Both ends of an algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// Until when it counts as proof in what exists.
    trust: Trust,
    /// Until when it may be chosen for what is made new; never later than `trust`.
    new: Trust,
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
    /// A row of `digests` (counted from 0) names an algorithm that this program does not know, stands twice, or has a `new_until`
    /// after its `trusted_until`.
    DigestRow(usize),
    /// A row of `signatures` (counted from 0): as [`PolicyError::DigestRow`].
    SignatureRow(usize),
    /// An entry of an ETSI TS 119 322 catalogue (counted from 0) has no evaluation, or an end or a key size that cannot be read.
    CatalogueEntry(usize),
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
                    "digests[{row}] names an unknown algorithm, stands twice, or has a new_until after its trusted_until"
                )
            }
            Self::SignatureRow(row) => {
                write!(
                    f,
                    "signatures[{row}] names an unknown algorithm, stands twice, or has a new_until after its trusted_until"
                )
            }
            Self::CatalogueEntry(entry) => {
                write!(
                    f,
                    "Algorithm[{entry}] of the catalogue has no evaluation, or an end or a key size that cannot be read"
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
    #[serde(default, deserialize_with = "own_end")]
    new_until: Option<OffsetDateTime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureRow {
    algorithm: String,
    key_bits_min: u32,
    #[serde(deserialize_with = "end")]
    trusted_until: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "own_end")]
    new_until: Option<OffsetDateTime>,
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

/// An end that may be left out, but is a time where it is written.
fn own_end<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
    Ok(Some(time))
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
    /// Reads a policy file: one of this program's schema, or a catalogue of ETSI TS 119 322 in JSON.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if the file is not a policy, or not one of this schema.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong);
        }
        let malformed = |error: serde_json::Error| PolicyError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        if let Some(catalogue) = catalogue::recognise(bytes) {
            return catalogue::read(catalogue.map_err(malformed)?);
        }
        let file: File = serde_json::from_slice(bytes).map_err(malformed)?;
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
        self.digests.get(&digest).map(|row| &row.trust)
    }

    /// Until when a digest algorithm may be chosen for new protection; `None` if the policy does not list it.
    #[must_use]
    pub fn new_digest_trust(&self, digest: DigestAlgorithm) -> Option<&Trust> {
        self.digests.get(&digest).map(|row| &row.new)
    }

    /// Until when a signature is trusted: the earlier end of its own row and that of its digest; `None` if one of them is not listed.
    #[must_use]
    pub fn signature_trust(&self, signature: SignatureAlgorithm) -> Option<&Trust> {
        let rows = self.signatures.get(&signature.family)?;
        let (_, own) = rows.range(..=signature.key_bits).next_back()?;
        match signature.digest {
            None => Some(&own.trust),
            Some(digest) => Some(own.trust.earlier(self.digest_trust(digest)?)),
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

    /// The policy by which something that is made now is accepted: trust in each algorithm ends where new protection by it ends.
    #[must_use]
    pub fn for_new_protection(&self) -> Self {
        let renewed = |row: &Row| Row {
            trust: row.new.clone(),
            new: row.new.clone(),
        };
        Self {
            name: self.name.clone(),
            revocation: self.revocation,
            digests: self
                .digests
                .iter()
                .map(|(d, row)| (*d, renewed(row)))
                .collect(),
            signatures: self
                .signatures
                .iter()
                .map(|(family, rows)| {
                    let rows = rows.iter().map(|(bits, row)| (*bits, renewed(row)));
                    (*family, rows.collect())
                })
                .collect(),
        }
    }
}

impl Row {
    /// `None` where new protection would outlive the trust in it.
    fn new(
        trusted_until: Option<OffsetDateTime>,
        new_until: Option<OffsetDateTime>,
        source: String,
    ) -> Option<Self> {
        let trust = Trust {
            until: trusted_until,
            source,
        };
        let new = Trust {
            until: new_until.or(trusted_until),
            source: trust.source.clone(),
        };
        let consistent = match (trust.until, new.until) {
            (Some(trusted), Some(new)) => new <= trusted,
            (None, _) => true,
            (Some(_), None) => false,
        };
        consistent.then_some(Self { trust, new })
    }
}

fn digests(rows: Vec<DigestRow>) -> Result<BTreeMap<DigestAlgorithm, Row>, PolicyError> {
    let mut digests = BTreeMap::new();
    for (number, row) in rows.into_iter().enumerate() {
        let error = PolicyError::DigestRow(number);
        let digest = DigestAlgorithm::from_name(&row.algorithm).ok_or(error)?;
        let row = Row::new(row.trusted_until, row.new_until, row.source).ok_or(error)?;
        if digests.insert(digest, row).is_some() {
            return Err(error);
        }
    }
    Ok(digests)
}

fn signatures(
    rows: Vec<SignatureRow>,
) -> Result<BTreeMap<SignatureFamily, BTreeMap<u32, Row>>, PolicyError> {
    let mut signatures: BTreeMap<SignatureFamily, BTreeMap<u32, Row>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (number, row) in rows.into_iter().enumerate() {
        let error = PolicyError::SignatureRow(number);
        let family = SignatureFamily::from_name(&row.algorithm).ok_or(error)?;
        if !seen.insert((family, row.key_bits_min)) {
            return Err(error);
        }
        let (key_bits_min, row) = (
            row.key_bits_min,
            Row::new(row.trusted_until, row.new_until, row.source).ok_or(error)?,
        );
        signatures
            .entry(family)
            .or_default()
            .insert(key_bits_min, row);
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests;
