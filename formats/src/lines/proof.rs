//! The proof for a range of lines, as canonical JSON.

use serde::{Deserialize, Serialize};

use super::{LINE_SALT_BYTES, LineSalt};
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{RecordId, VersionId};
use crate::limits::{
    LINE_PROOF_BYTES_MAX, LINE_PROOF_HASHES_MAX, LINE_PROOF_LINES_MAX, LINES_MAX,
    MANIFEST_DIGESTS_MAX, MANIFEST_OBJECTS_MAX,
};

/// The schema id of a line proof.
pub const SCHEMA: &str = "urn:fumikura:line-proof:1";

/// The JSON schema of a line proof.
pub const SCHEMA_TEXT: &str = include_str!("../../line-proof.schema.json");

/// What leads from some lines of a content object to the roots in its manifest.
///
/// There is one sequence of bytes for a proof (RFC 8785); [`LineProof::parse`] refuses any other.
///
/// ```json
/// {"first":1200,"last":1203,"object":0,"proofs":[{"algorithm":"SHA-256","hashes":["…"]},{"algorithm":"SHA-512","hashes":["…"]}],
///  "record":"0198…","salts":["00112233445566778899aabbccddeeff","…"],"schema":"urn:fumikura:line-proof:1","version":1}
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProof {
    /// Record and version.
    pub version: VersionId,
    /// Number of the content object in the manifest, from 0.
    pub object: u32,
    /// Number of the first line shown, from 1.
    pub first: u64,
    /// The salt of each line shown.
    pub salts: Vec<LineSalt>,
    /// The hashes beside the lines shown, for each function.
    pub proofs: Vec<RangeHashes>,
}

/// The nodes that [`super::range_siblings`] names, under one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeHashes {
    /// The function.
    pub algorithm: DigestAlgorithm,
    /// The nodes.
    pub hashes: Vec<DigestValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofJson {
    schema: String,
    record: RecordId,
    version: u32,
    object: u32,
    first: u64,
    last: u64,
    salts: Vec<String>,
    proofs: Vec<HashesJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HashesJson {
    algorithm: String,
    hashes: Vec<String>,
}

impl LineProof {
    /// Number of the last line shown; `None` for a range that no content can have.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        let count = u64::try_from(self.salts.len()).ok()?;
        self.first.checked_add(count)?.checked_sub(1)
    }

    /// The hashes under one function.
    #[must_use]
    pub fn under(&self, algorithm: DigestAlgorithm) -> Option<&[DigestValue]> {
        let mut proofs = self.proofs.iter();
        let proof = proofs.find(|proof| proof.algorithm == algorithm)?;
        Some(&proof.hashes)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    ///
    /// What [`LineProof::parse`] would refuse.
    pub fn encode(&self) -> Result<Vec<u8>> {
        self.check()?;
        let json = ProofJson {
            schema: SCHEMA.to_owned(),
            record: self.version.record(),
            version: self.version.version(),
            object: self.object,
            first: self.first,
            last: self.last().ok_or(fail(ErrorKind::InvalidValue))?,
            salts: self.salts.iter().map(hex::encode).collect(),
            proofs: self.proofs.iter().map(RangeHashes::to_json).collect(),
        };
        let bytes =
            serde_json_canonicalizer::to_vec(&json).map_err(|_| fail(ErrorKind::NotEncodable))?;
        if bytes.len() > LINE_PROOF_BYTES_MAX {
            return Err(fail(ErrorKind::LimitExceeded));
        }
        Ok(bytes)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidJson`], [`ErrorKind::NotCanonical`], [`ErrorKind::LimitExceeded`], [`ErrorKind::UnsupportedVersion`] for another
    /// schema, [`ErrorKind::InvalidValue`] for a range or a text that cannot be, [`ErrorKind::Inconsistent`] where the numbers of lines and
    /// salts differ, [`ErrorKind::UnknownAlgorithm`], [`ErrorKind::WrongDigestLength`], [`ErrorKind::DuplicateElement`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > LINE_PROOF_BYTES_MAX {
            return Err(fail(ErrorKind::LimitExceeded));
        }
        let json: ProofJson =
            serde_json::from_slice(bytes).map_err(|_| fail(ErrorKind::InvalidJson))?;
        if json.schema != SCHEMA {
            return Err(fail(ErrorKind::UnsupportedVersion));
        }
        let version = VersionId::new(json.record, json.version);
        let proof = Self {
            version: version.ok_or(fail(ErrorKind::InvalidValue))?,
            object: json.object,
            first: json.first,
            salts: json.salts.iter().map(salt).collect::<Result<_>>()?,
            proofs: json
                .proofs
                .iter()
                .map(RangeHashes::of)
                .collect::<Result<_>>()?,
        };
        proof.check()?;
        if proof.last() != Some(json.last) {
            return Err(fail(ErrorKind::Inconsistent));
        }
        if proof.encode()? != bytes {
            return Err(fail(ErrorKind::NotCanonical));
        }
        Ok(proof)
    }

    fn check(&self) -> Result<()> {
        let object = usize::try_from(self.object).unwrap_or(usize::MAX);
        if self.first == 0 || self.salts.is_empty() {
            return Err(fail(ErrorKind::InvalidValue));
        }
        if self.salts.len() > LINE_PROOF_LINES_MAX
            || self.last().is_none_or(|last| last > LINES_MAX)
            || object >= MANIFEST_OBJECTS_MAX
            || self.proofs.len() > MANIFEST_DIGESTS_MAX
        {
            return Err(fail(ErrorKind::LimitExceeded));
        }
        let mut algorithms = Vec::with_capacity(self.proofs.len());
        for proof in &self.proofs {
            if proof.hashes.len() > LINE_PROOF_HASHES_MAX {
                return Err(fail(ErrorKind::LimitExceeded));
            }
            if algorithms.contains(&proof.algorithm) {
                return Err(fail(ErrorKind::DuplicateElement));
            }
            algorithms.push(proof.algorithm);
        }
        Ok(())
    }
}

impl RangeHashes {
    fn to_json(&self) -> HashesJson {
        HashesJson {
            algorithm: self.algorithm.name().to_owned(),
            hashes: self.hashes.iter().map(DigestValue::to_hex).collect(),
        }
    }

    fn of(json: &HashesJson) -> Result<Self> {
        let algorithm =
            DigestAlgorithm::from_name(&json.algorithm).ok_or(fail(ErrorKind::UnknownAlgorithm))?;
        let hash = |text: &String| {
            let bytes = hex::decode(text).map_err(|_| fail(ErrorKind::InvalidValue))?;
            DigestValue::from_bytes(algorithm, &bytes).ok_or(fail(ErrorKind::WrongDigestLength))
        };
        let hashes = json.hashes.iter().map(hash).collect::<Result<_>>()?;
        Ok(Self { algorithm, hashes })
    }
}

fn salt(text: &String) -> Result<LineSalt> {
    let mut salt = [0; LINE_SALT_BYTES];
    hex::decode_to_slice(text, &mut salt).map_err(|_| fail(ErrorKind::InvalidValue))?;
    Ok(salt)
}

const fn fail(kind: ErrorKind) -> FormatError {
    FormatError::new(kind, "line proof")
}
