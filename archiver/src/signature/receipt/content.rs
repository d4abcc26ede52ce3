//! What a receipt says.

use formats::id::{ArchiveId, ReceiptId};
use formats::manifest::Manifest;
use formats::raw::Raw;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::offset;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};

/// The schema of receipts.
pub const SCHEMA: &str = "urn:fumikura:receipt:1";

/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptKind {
    /// The archive took records in.
    Deposit,
    /// The archive gave records out.
    Retrieval,
}

/// What a receipt says beside its records.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptFacts<'a> {
    /// For a deposit or a retrieval.
    pub kind: ReceiptKind,
    /// The archive.
    pub archive: ArchiveId,
    /// The receipt.
    pub id: ReceiptId,
    /// When it was issued.
    pub at: OffsetDateTime,
    /// Who deposited or fetched.
    pub person: &'a str,
    /// Through which channel: `cli`, `api`.
    pub channel: &'a str,
    /// For what purpose, where that was said.
    pub purpose: Option<&'a str>,
}

impl ReceiptKind {
    /// The word that stands in the receipt.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Retrieval => "retrieval",
        }
    }
}

/// One record, as a receipt lists it.
pub(super) fn record(manifest: &Raw<Manifest>) -> Result<Value, FormatError> {
    let objects: Vec<Value> = manifest
        .objects
        .iter()
        .map(|object| {
            json!({
                "name": object.name.as_str(),
                "media-type": object.media_type,
                "size": object.size,
                "digests": digests(object.digests.values()),
            })
        })
        .collect();
    let of_manifest = ALGORITHMS.map(|algorithm| algorithm.digest(manifest.raw()));
    Ok(json!({
        "record": manifest.record.to_string(),
        "version": manifest.version,
        "class": manifest.class.id,
        "received-at": utc(manifest.received_at)?,
        "received-at-jst": jst(manifest.received_at)?,
        "depositor": manifest.depositor,
        "channel": manifest.channel,
        "manifest": digests(&of_manifest),
        "objects": objects,
    }))
}

/// The octets that are signed: canonical JSON (RFC 8785).
pub(super) fn encode(
    facts: &ReceiptFacts<'_>,
    records: Vec<Value>,
) -> Result<Vec<u8>, FormatError> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("schema", SCHEMA.into());
    put("kind", facts.kind.name().into());
    put("archive", facts.archive.to_string().into());
    put("receipt", facts.id.to_string().into());
    put("issued-at", utc(facts.at)?.into());
    put("issued-at-jst", jst(facts.at)?.into());
    let person = match facts.kind {
        ReceiptKind::Deposit => "depositor",
        ReceiptKind::Retrieval => "retriever",
    };
    put(person, facts.person.into());
    put("channel", facts.channel.into());
    if let Some(purpose) = facts.purpose {
        put("purpose", purpose.into());
    }
    put("records", records.into());
    serde_json_canonicalizer::to_vec(&members)
        .map_err(|_| FormatError::new(ErrorKind::NotEncodable, "receipt"))
}

/// What a receipt is for, by its signed octets; `None` if they are no receipt.
#[must_use]
pub fn kind_of(content: &[u8]) -> Option<ReceiptKind> {
    let value: Value = serde_json::from_slice(content).ok()?;
    if value.get("schema")?.as_str()? != SCHEMA {
        return None;
    }
    match value.get("kind")?.as_str()? {
        "deposit" => Some(ReceiptKind::Deposit),
        "retrieval" => Some(ReceiptKind::Retrieval),
        _ => None,
    }
}

fn digests(values: &[DigestValue]) -> Value {
    let members = values
        .iter()
        .map(|value| json!({ "algorithm": value.algorithm().name(), "value": value.to_hex() }));
    members.collect()
}

fn utc(at: OffsetDateTime) -> Result<String, FormatError> {
    text(at.to_offset(offset!(UTC)))
}

fn jst(at: OffsetDateTime) -> Result<String, FormatError> {
    text(at.to_offset(offset!(+9)))
}

fn text(at: OffsetDateTime) -> Result<String, FormatError> {
    at.format(&Rfc3339)
        .map_err(|_| FormatError::new(ErrorKind::InvalidTime, "receipt"))
}

/// The two digests of every object, and so of the manifest.
const ALGORITHMS: [DigestAlgorithm; 2] = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];
