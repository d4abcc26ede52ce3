//! The record manifest: what a version of a record is, as canonical JSON.
//!
//! A version of a record is its manifest and its content objects. The manifest holds the digests of the objects, so whoever has
//! proof for the manifest has proof for the objects; and a random salt, so that its own digest, which stands in the hash trees of
//! its neighbours, tells nothing about a document that could be guessed.
//!
//! There is exactly one sequence of bytes for a manifest (RFC 8785). [`Manifest::parse`] refuses any other: unknown members,
//! repeated keys, another order, spacing or number notation.
//!
//! ```json
//! {"archive":"0198…","channel":"cli","class":{"digests":[…],"id":"received-invoice"},"depositor":"keiri-01","facts":{},
//!  "metadata":{"amount":"110000","currency":"JPY","date":"2026-01-31"},
//!  "objects":[{"digests":[{"algorithm":"SHA-256","value":"…"},{"algorithm":"SHA-512","value":"…"}],
//!              "media-type":"application/pdf","name":"invoice.pdf","role":"original","size":48211}],
//!  "received-at":"2026-11-22T03:48:30.123456Z","record":"0198…","salt":"00112233445566778899aabbccddeeff",
//!  "schema":"urn:fumikura:manifest:1","supersedes":null,"version":1}
//! ```
//!
//! An object whose lines can be proven one by one has a member more ([`crate::lines`]):
//!
//! ```json
//! "line-tree":{"block-lines":1024,"lines":2000,"roots":[{"algorithm":"SHA-256","value":"…"},{"algorithm":"SHA-512","value":"…"}]}
//! ```

mod digests;
mod metadata;
mod name;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use time::OffsetDateTime;

pub use self::digests::Digests;
pub use self::metadata::{Amount, Currency, Metadata, RegistrationNumber};
pub use self::name::ObjectName;
pub(crate) use self::name::changes_layout;

use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, RecordId, VersionId};
use crate::limits::{
    CONTENT_BYTES_MAX, FACT_BYTES_MAX, FACTS_MAX, MANIFEST_BYTES_MAX, MANIFEST_OBJECTS_MAX,
    MEDIA_TYPE_BYTES_MAX,
};
use crate::lines::LineTree;
use crate::raw::Raw;

/// The schema id of a manifest.
pub const SCHEMA: &str = "urn:fumikura:manifest:1";

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The archive that holds it.
    pub archive: ArchiveId,
    /// The record.
    pub record: RecordId,
    /// Number of the version, from 1.
    pub version: u32,
    /// The version that this one corrects. Version 1 has none, every later one has.
    pub supersedes: Option<Superseded>,
    /// The class (保管要件) under which it is kept.
    pub class: ClassReference,
    /// What it is searched by.
    pub metadata: Metadata,
    /// The content, at least one object.
    pub objects: Vec<ContentObject>,
    /// Who deposited.
    pub depositor: String,
    /// Through which channel: `cli`, `api`, ….
    pub channel: String,
    /// When the archive received it. What is below a microsecond is not kept.
    pub received_at: OffsetDateTime,
    /// What was found out about the content at intake: scan resolution, format, line count, ….
    pub facts: BTreeMap<String, String>,
    /// Random.
    pub salt: [u8; 16],
}

/// An earlier version, named by the digests of its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// Its number.
    pub version: u32,
    /// Digests of its manifest.
    pub digests: Digests,
}

/// The class of a record, with the digests of the policy text that was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassReference {
    /// Class id: lower-case letters, digits and hyphens.
    pub id: String,
    /// Digests of the class file.
    pub digests: Digests,
}

/// One content object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentObject {
    /// Its name at the depositor.
    pub name: ObjectName,
    /// What it is to the record.
    pub role: Role,
    /// Media type (RFC 6838), as found in the content.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// Digests of the plaintext.
    pub digests: Digests,
    /// The tree over its lines, if each line can be proven alone.
    pub lines: Option<LineTree>,
}

/// What a content object is to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// What was deposited.
    Original,
    /// Made from the original, for reading.
    Rendition,
}

impl Manifest {
    /// Record and version number.
    #[must_use]
    pub const fn id(&self) -> Option<VersionId> {
        VersionId::new(self.record, self.version)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    ///
    /// If a value is outside of what [`Manifest::parse`] accepts; the place names the member.
    pub fn encode(&self) -> Result<Vec<u8>> {
        self.check()?;
        let bytes = wire::encode(self)?;
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, place::MANIFEST));
        }
        Ok(bytes)
    }

    /// Reads canonical bytes, and keeps them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidJson`] or [`ErrorKind::Truncated`] if they are not JSON with exactly the members of a manifest,
    /// [`ErrorKind::NotCanonical`] if they are not the canonical form of their value,
    /// [`ErrorKind::UnsupportedVersion`] or [`ErrorKind::WrongType`] for another schema, and what the members' own rules say.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, place::MANIFEST));
        }
        let manifest = wire::decode(bytes)?;
        manifest.check()?;
        if wire::encode(&manifest)? != bytes {
            return Err(FormatError::new(ErrorKind::NotCanonical, place::MANIFEST));
        }
        Ok(Raw::new(manifest, bytes.to_vec()))
    }

    /// The data object group of this version (RFC 4998 §4.2): the digests of the manifest and of each content object, in the order
    /// of the manifest. A leaf of a hash tree is the hash of this group.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownAlgorithm`] if an object has no digest under `algorithm`: then its content must be read.
    pub fn group(manifest: &Raw<Self>, algorithm: DigestAlgorithm) -> Result<Vec<DigestValue>> {
        let missing = FormatError::new(ErrorKind::UnknownAlgorithm, place::DIGESTS);
        std::iter::once(Ok(algorithm.digest(manifest.raw())))
            .chain(
                manifest
                    .objects
                    .iter()
                    .map(|object| object.digests.under(algorithm).ok_or(missing)),
            )
            .collect()
    }

    fn check(&self) -> Result<()> {
        let fail = |kind, structure| Err(FormatError::new(kind, structure));
        let superseded = self
            .supersedes
            .as_ref()
            .map_or(0, |superseded| superseded.version);
        if self.version == 0 {
            return fail(ErrorKind::InvalidValue, place::VERSION);
        }
        if superseded >= self.version
            || (superseded == 0) != (self.version == 1)
            || (superseded == 0) != self.supersedes.is_none()
        {
            return fail(ErrorKind::InvalidValue, place::SUPERSEDES);
        }
        metadata::check_key(&self.class.id, place::CLASS)?;
        metadata::check_key(&self.channel, place::CHANNEL)?;
        metadata::check_line(&self.depositor, place::DEPOSITOR)?;
        self.metadata.check()?;
        if self.objects.is_empty() {
            return fail(ErrorKind::MissingElement, place::OBJECTS);
        }
        if self.objects.len() > MANIFEST_OBJECTS_MAX {
            return fail(ErrorKind::LimitExceeded, place::OBJECTS);
        }
        self.objects.iter().try_for_each(ContentObject::check)?;
        let mut names: Vec<_> = self
            .objects
            .iter()
            .map(|object| object.name.as_bytes())
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != self.objects.len() {
            return fail(ErrorKind::DuplicateElement, place::NAME);
        }
        self.check_facts()
    }

    fn check_facts(&self) -> Result<()> {
        if self.facts.len() > FACTS_MAX
            || self
                .facts
                .values()
                .any(|value| value.len() > FACT_BYTES_MAX)
        {
            return Err(FormatError::new(ErrorKind::LimitExceeded, place::FACTS));
        }
        self.facts
            .keys()
            .try_for_each(|key| metadata::check_key(key, place::FACTS))
    }
}

impl ContentObject {
    fn check(&self) -> Result<()> {
        if self.size > CONTENT_BYTES_MAX {
            return Err(FormatError::new(ErrorKind::LimitExceeded, place::SIZE));
        }
        if let Some(lines) = &self.lines {
            lines.check(self.size)?;
        }
        check_media_type(&self.media_type)
    }
}

/// `type/subtype` and perhaps parameters, in printable ASCII.
fn check_media_type(text: &str) -> Result<()> {
    if text.len() > MEDIA_TYPE_BYTES_MAX {
        return Err(FormatError::new(
            ErrorKind::LimitExceeded,
            place::MEDIA_TYPE,
        ));
    }
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = text.split_once(';').map_or(text, |(essence, _)| essence);
    let well_formed = essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if well_formed
        && text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        Ok(())
    } else {
        Err(FormatError::new(ErrorKind::InvalidText, place::MEDIA_TYPE))
    }
}

/// Names of the members, for errors.
mod place {
    pub(super) const MANIFEST: &str = "manifest";
    pub(super) const SCHEMA: &str = "manifest.schema";
    pub(super) const VERSION: &str = "manifest.version";
    pub(super) const SUPERSEDES: &str = "manifest.supersedes";
    pub(super) const CLASS: &str = "manifest.class.id";
    pub(super) const DIGESTS: &str = "manifest digests";
    pub(super) const DATE: &str = "manifest.metadata.date";
    pub(super) const AMOUNT: &str = "manifest.metadata.amount";
    pub(super) const CURRENCY: &str = "manifest.metadata.currency";
    pub(super) const COUNTERPARTY: &str = "manifest.metadata.counterparty";
    pub(super) const TITLE: &str = "manifest.metadata.title";
    pub(super) const DOCUMENT_NUMBER: &str = "manifest.metadata.document-number";
    pub(super) const REGISTRATION_NUMBER: &str = "manifest.metadata.registration-number";
    pub(super) const SUPPLIER: &str = "manifest.metadata.supplier";
    pub(super) const CUSTOMER: &str = "manifest.metadata.customer";
    pub(super) const ADDITIONAL: &str = "manifest.metadata.additional";
    pub(super) const OBJECTS: &str = "manifest.objects";
    pub(super) const NAME: &str = "manifest.objects.name";
    pub(super) const MEDIA_TYPE: &str = "manifest.objects.media-type";
    pub(super) const SIZE: &str = "manifest.objects.size";
    pub(super) const BLOCK_LINES: &str = "manifest.objects.line-tree.block-lines";
    pub(super) const DEPOSITOR: &str = "manifest.depositor";
    pub(super) const CHANNEL: &str = "manifest.channel";
    pub(super) const FACTS: &str = "manifest.facts";
    pub(super) const SALT: &str = "manifest.salt";
}
