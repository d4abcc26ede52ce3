//! What a receipt says.

use formats::error::{ErrorKind, FormatError};
use formats::id::{ArchiveId, ReceiptId};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::record::received::{ReceivedRecord, jst, utc};

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

/// A receipt, with its members in the order of canonical JSON (RFC 8785).
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReceiptJson<'a> {
    archive: String,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    depositor: Option<&'a str>,
    issued_at: String,
    issued_at_jst: String,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    receipt: String,
    records: &'a [ReceivedRecord],
    #[serde(skip_serializing_if = "Option::is_none")]
    retriever: Option<&'a str>,
    schema: &'a str,
}

/// The octets that are signed: canonical JSON (RFC 8785).
pub(super) fn encode(
    facts: &ReceiptFacts<'_>,
    records: &[ReceivedRecord],
) -> Result<Vec<u8>, FormatError> {
    let person = |kind| (facts.kind == kind).then_some(facts.person);
    let receipt = ReceiptJson {
        archive: facts.archive.to_string(),
        channel: facts.channel,
        depositor: person(ReceiptKind::Deposit),
        issued_at: utc(facts.at)?,
        issued_at_jst: jst(facts.at)?,
        kind: facts.kind.name(),
        purpose: facts.purpose,
        receipt: facts.id.to_string(),
        records,
        retriever: person(ReceiptKind::Retrieval),
        schema: SCHEMA,
    };
    serde_json::to_vec(&receipt).map_err(|_| FormatError::new(ErrorKind::NotEncodable, "receipt"))
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
