//! What a receipt says of a record, taken from its manifest while that is at hand: no record is read again for it.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::id::VersionId;
use formats::manifest::Manifest;
use formats::raw::Raw;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::offset;

/// A record, as a receipt lists it. Its members are in the order of canonical JSON (RFC 8785), like those below: an ordinary serializer writes
/// the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReceivedRecord {
    channel: String,
    class: String,
    depositor: String,
    manifest: [DigestText; 2],
    objects: Vec<ReceivedObject>,
    received_at: String,
    received_at_jst: String,
    record: String,
    version: u32,
    /// The version that it is.
    #[serde(skip)]
    pub id: VersionId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReceivedObject {
    digests: Vec<DigestText>,
    media_type: String,
    name: String,
    size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct DigestText {
    algorithm: &'static str,
    value: String,
}

impl ReceivedRecord {
    /// What a receipt says of the record with this manifest.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTime`], [`ErrorKind::InvalidValue`] for a manifest without a version.
    pub fn of(manifest: &Raw<Manifest>) -> Result<Self, FormatError> {
        let objects = manifest.objects.iter().map(|object| ReceivedObject {
            digests: object.digests.values().iter().map(text_of).collect(),
            media_type: object.media_type.clone(),
            name: object.name.as_str().to_owned(),
            size: object.size,
        });
        let nameless = FormatError::new(ErrorKind::InvalidValue, STRUCTURE);
        Ok(Self {
            channel: manifest.channel.clone(),
            class: manifest.class.id.clone(),
            depositor: manifest.depositor.clone(),
            manifest: ALGORITHMS.map(|algorithm| text_of(&algorithm.digest(manifest.raw()))),
            objects: objects.collect(),
            received_at: utc(manifest.received_at)?,
            received_at_jst: jst(manifest.received_at)?,
            record: manifest.record.to_string(),
            version: manifest.version,
            id: manifest.id().ok_or(nameless)?,
        })
    }
}

/// A time in UTC, RFC 3339.
///
/// # Errors
/// [`ErrorKind::InvalidTime`].
pub fn utc(at: OffsetDateTime) -> Result<String, FormatError> {
    text(at.to_offset(offset!(UTC)))
}

/// A time in Japan, RFC 3339.
///
/// # Errors
/// [`ErrorKind::InvalidTime`].
pub fn jst(at: OffsetDateTime) -> Result<String, FormatError> {
    text(at.to_offset(offset!(+9)))
}

fn text(at: OffsetDateTime) -> Result<String, FormatError> {
    at.format(&Rfc3339)
        .map_err(|_| FormatError::new(ErrorKind::InvalidTime, STRUCTURE))
}

fn text_of(value: &DigestValue) -> DigestText {
    DigestText {
        algorithm: value.algorithm().name(),
        value: value.to_hex(),
    }
}

/// The two digests of every object, and so of the manifest.
const ALGORITHMS: [DigestAlgorithm; 2] = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];

const STRUCTURE: &str = "receipt";
