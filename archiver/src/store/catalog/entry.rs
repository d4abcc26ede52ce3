//! What the index knows about a version and about a batch.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, Result};
use formats::evidence::hash_tree::group_hash;
use formats::id::{BatchId, VersionId};
use formats::manifest::{Manifest, Metadata, ObjectName, Role};
use formats::raw::Raw;
use formats::segment::{ArchiveTimeStamp, FrameAddress, Reader, TimeStampKind, Writer};
use time::{Date, OffsetDateTime};

/// A version as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Record and version.
    pub version: VersionId,
    /// Its [`formats::segment::RecordVersion`] frame.
    pub address: FrameAddress,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// Id of its class.
    pub class: String,
    /// Its search keys.
    pub metadata: Metadata,
    /// Its content objects.
    pub objects: Vec<ObjectEntry>,
    /// Who deposited it.
    pub depositor: String,
    /// The archive time-stamp that covers it.
    pub stamp: Option<Stamp>,
    /// Whether the record has a newer version.
    pub superseded: bool,
    /// Whether its manifest could be opened. If not, everything but `version`, `address` and `stamp` is empty.
    pub readable: bool,
}

/// A content object as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEntry {
    /// Name at the depositor.
    pub name: ObjectName,
    /// What it is to the record.
    pub role: Role,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
}

/// The place of a version in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The batch.
    pub batch: BatchId,
    /// Index of the leaf in the batch.
    pub leaf: u64,
    /// The time that the batch's token states.
    pub stamped_at: OffsetDateTime,
}

/// A version that no archive time-stamp covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unstamped {
    /// The version.
    pub version: VersionId,
    /// Its [`formats::segment::RecordVersion`] frame.
    pub address: FrameAddress,
    /// Since when it waits.
    pub received_at: OffsetDateTime,
    /// Its leaf under SHA-256: the group hash (RFC 4998 §4.2) of its manifest and contents. `None` when its manifest could not be opened.
    pub leaf: Option<DigestValue>,
}

/// A batch as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEntry {
    /// The batch.
    pub batch: BatchId,
    /// Its [`formats::segment::ArchiveTimeStamp`] frame.
    pub address: FrameAddress,
    /// First or renewal.
    pub kind: TimeStampKind,
    /// Which of the authorities' evidence it belongs to.
    pub track: u8,
    /// The batch whose tree it stamps: this one, or the one of track 0.
    pub tree: BatchId,
    /// Digest algorithm of the tree.
    pub algorithm: DigestAlgorithm,
    /// Number of leaves.
    pub leaf_count: u64,
    /// The time that the token states.
    pub stamped_at: OffsetDateTime,
    /// Name of the TSA.
    pub tsa: String,
}

impl Hit {
    /// What a manifest says about its version.
    pub(super) fn of_manifest(
        version: VersionId,
        address: FrameAddress,
        manifest: &Manifest,
    ) -> Self {
        let objects = manifest.objects.iter().map(|object| ObjectEntry {
            name: object.name.clone(),
            role: object.role,
            media_type: object.media_type.clone(),
            size: object.size,
        });
        Self {
            version,
            address,
            received_at: manifest.received_at,
            class: manifest.class.id.clone(),
            metadata: manifest.metadata.clone(),
            objects: objects.collect(),
            depositor: manifest.depositor.clone(),
            stamp: None,
            superseded: false,
            readable: true,
        }
    }

    /// A version whose manifest could not be opened.
    pub(super) fn unreadable(version: VersionId, address: FrameAddress) -> Self {
        Self {
            version,
            address,
            received_at: OffsetDateTime::UNIX_EPOCH,
            class: String::new(),
            metadata: Metadata::default(),
            objects: Vec::new(),
            depositor: String::new(),
            stamp: None,
            superseded: false,
            readable: false,
        }
    }

    /// The value in the index: the version with its leaf. `version`, `stamp` and `superseded` stand elsewhere.
    pub(super) fn encode(&self, leaf: Option<&DigestValue>) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256);
        write_address(&mut writer, self.address);
        writer.time(self.received_at);
        writer.sized(leaf.map_or(&[], DigestValue::as_bytes));
        writer.u8(u8::from(self.readable));
        writer.sized(self.class.as_bytes());
        writer.sized(self.depositor.as_bytes());
        write_metadata(&mut writer, &self.metadata);
        writer.varint(self.objects.len() as u64);
        for object in &self.objects {
            writer.sized(object.name.as_bytes());
            writer.u8(u8::from(object.role == Role::Rendition));
            writer.sized(object.media_type.as_bytes());
            writer.varint(object.size);
        }
        writer.finish()
    }

    pub(super) fn decode(version: VersionId, value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("index entry", value);
        let mut hit = Self::unreadable(version, read_address(&mut reader)?);
        hit.received_at = reader.time()?;
        reader.sized(TEXT_BYTES_MAX)?;
        hit.readable = reader.u8()? == 1;
        hit.class = read_text(&mut reader)?;
        hit.depositor = read_text(&mut reader)?;
        hit.metadata = read_metadata(&mut reader)?;
        let count = reader.count(value.len())?;
        for _ in 0..count {
            let name = ObjectName::from_bytes(reader.sized(TEXT_BYTES_MAX)?)?;
            let role = match reader.u8()? {
                0 => Role::Original,
                _ => Role::Rendition,
            };
            let media_type = read_text(&mut reader)?;
            let size = reader.varint()?;
            hit.objects.push(ObjectEntry {
                name,
                role,
                media_type,
                size,
            });
        }
        reader.finish()?;
        Ok(hit)
    }
}

impl Unstamped {
    /// The start of the value in the index ([`Hit::encode`]).
    pub(super) fn decode(version: VersionId, value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("index entry", value);
        let address = read_address(&mut reader)?;
        let received_at = reader.time()?;
        let leaf = match reader.sized(TEXT_BYTES_MAX)? {
            [] => None,
            bytes => Some(
                DigestValue::from_bytes(DigestAlgorithm::Sha256, bytes)
                    .ok_or_else(|| reader.error(ErrorKind::WrongDigestLength))?,
            ),
        };
        Ok(Self {
            version,
            address,
            received_at,
            leaf,
        })
    }
}

/// The leaf of a version: the hash of its data object group.
pub(super) fn leaf_of(manifest: &Raw<Manifest>) -> Option<DigestValue> {
    let group = Manifest::group(manifest, DigestAlgorithm::Sha256).ok()?;
    group_hash(DigestAlgorithm::Sha256, &group)
}

impl Stamp {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(32);
        writer.raw(self.batch.as_bytes());
        writer.u64(self.leaf);
        writer.time(self.stamped_at);
        writer.finish()
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("index entry", value);
        let stamp = Self {
            batch: BatchId::from_bytes(reader.array()?),
            leaf: reader.u64()?,
            stamped_at: reader.time()?,
        };
        reader.finish()?;
        Ok(stamp)
    }
}

impl BatchEntry {
    pub(super) fn new(address: FrameAddress, frame: &ArchiveTimeStamp) -> Self {
        Self {
            batch: frame.batch,
            address,
            kind: frame.kind,
            track: frame.track,
            tree: frame.tree,
            algorithm: frame.algorithm,
            leaf_count: frame.leaf_count,
            stamped_at: frame.stamped_at,
            tsa: frame.tsa.clone(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(96);
        writer.raw(self.batch.as_bytes());
        write_address(&mut writer, self.address);
        writer.u8(self.kind.code());
        writer.u8(self.track);
        writer.raw(self.tree.as_bytes());
        writer.algorithm(self.algorithm);
        writer.u64(self.leaf_count);
        writer.time(self.stamped_at);
        writer.sized(self.tsa.as_bytes());
        writer.finish()
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self> {
        let mut reader = Reader::new("index entry", value);
        let entry = Self {
            batch: BatchId::from_bytes(reader.array()?),
            address: read_address(&mut reader)?,
            kind: TimeStampKind::from_code(reader.u8()?)
                .ok_or_else(|| reader.error(ErrorKind::InvalidValue))?,
            track: reader.u8()?,
            tree: BatchId::from_bytes(reader.array()?),
            algorithm: reader.algorithm()?,
            leaf_count: reader.u64()?,
            stamped_at: reader.time()?,
            tsa: read_text(&mut reader)?,
        };
        reader.finish()?;
        Ok(entry)
    }
}

pub(super) fn write_address(writer: &mut Writer, address: FrameAddress) {
    writer.u32(address.segment);
    writer.u64(address.offset);
}

pub(super) fn read_address(reader: &mut Reader<'_>) -> Result<FrameAddress> {
    Ok(FrameAddress::new(reader.u32()?, reader.u64()?))
}

fn write_metadata(writer: &mut Writer, metadata: &Metadata) {
    let date = metadata.date.map(|date| date.to_julian_day().to_string());
    let texts = [
        date.as_deref(),
        metadata.amount.as_ref().map(|amount| amount.as_str()),
        metadata.currency.as_ref().map(|currency| currency.as_str()),
        metadata.counterparty.as_deref(),
        metadata.title.as_deref(),
        metadata.document_number.as_deref(),
        metadata
            .registration_number
            .as_ref()
            .map(|number| number.as_str()),
        metadata.supplier.as_deref(),
        metadata.customer.as_deref(),
    ];
    for text in texts {
        writer.u8(u8::from(text.is_some()));
        if let Some(text) = text {
            writer.sized(text.as_bytes());
        }
    }
    writer.varint(metadata.additional.len() as u64);
    for (key, value) in &metadata.additional {
        writer.sized(key.as_bytes());
        writer.sized(value.as_bytes());
    }
}

fn read_metadata(reader: &mut Reader<'_>) -> Result<Metadata> {
    let day: Option<i32> = read_parsed(reader)?;
    let date = day.map(Date::from_julian_day).transpose();
    let mut metadata = Metadata {
        date: date.map_err(|_| reader.error(ErrorKind::InvalidTime))?,
        amount: read_parsed(reader)?,
        currency: read_parsed(reader)?,
        counterparty: read_parsed(reader)?,
        title: read_parsed(reader)?,
        document_number: read_parsed(reader)?,
        registration_number: read_parsed(reader)?,
        supplier: read_parsed(reader)?,
        customer: read_parsed(reader)?,
        ..Metadata::default()
    };
    let count = reader.count(TEXT_BYTES_MAX)?;
    for _ in 0..count {
        let key = read_text(reader)?;
        let value = read_text(reader)?;
        metadata.additional.insert(key, value);
    }
    Ok(metadata)
}

fn read_parsed<T: std::str::FromStr>(reader: &mut Reader<'_>) -> Result<Option<T>> {
    if reader.u8()? == 0 {
        return Ok(None);
    }
    let value = read_text(reader)?.parse();
    value
        .map(Some)
        .map_err(|_| reader.error(ErrorKind::InvalidText))
}

fn read_text(reader: &mut Reader<'_>) -> Result<String> {
    let bytes = reader.sized(TEXT_BYTES_MAX)?;
    let text = std::str::from_utf8(bytes).map_err(|_| reader.error(ErrorKind::InvalidText))?;
    Ok(text.to_owned())
}

/// Most bytes of a text in an entry: the manifest allows less.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
