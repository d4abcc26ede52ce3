//! Signatures that the archive keeps: over a record's manifest, and over what it received.

use super::codec::{Reader, Writer};
use super::content::{TAG_BYTES, read_version};
use super::frame::{EncodedFrame, FrameType};
use super::leaves::write_version;
use crate::error::{ErrorKind, FormatError, Result};
use crate::id::{ArchiveId, ReceiptId, VersionId};

/// The first four bytes of the nonce under which a signature is sealed: no content object has this number.
pub const SIGNATURE_OBJECT: u32 = 0xFFFF_FFFD;

/// Most versions of one receipt. Their identifiers take 1.3 MB.
pub const RECEIPT_VERSIONS_MAX: usize = 65_536;

/// A CAdES signature over the manifest of a version, sealed under the version's data key. Raising the signature to a higher level makes a
/// new generation; the newest one counts.
///
/// ```text
/// body = record id 16 | version u32 | generation u32 | salt 8 | ciphertext and tag, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The version.
    pub version: VersionId,
    /// Number of the signature's state, from 0.
    pub generation: u32,
    /// Random. An attempt that was not committed may be repeated under the same generation with other bytes, and a nonce must never
    /// seal two plaintexts.
    pub salt: [u8; 8],
    /// Ciphertext and tag of the CMS structure, DER.
    pub sealed: Vec<u8>,
}

/// A receipt for deposited versions: a CAdES signature of the archive, sealed under the catalog key, as events are.
///
/// ```text
/// body = receipt id 16 | generation u32 | count varint × (record id 16 | version u32) | nonce 12 | ciphertext and tag, to the end
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The receipt.
    pub id: ReceiptId,
    /// Number of the signature's state, from 0; the newest one counts.
    pub generation: u32,
    /// The versions that it names; from 1 to [`RECEIPT_VERSIONS_MAX`].
    pub versions: Vec<VersionId>,
    /// The nonce of the seal, random.
    pub nonce: [u8; 12],
    /// Ciphertext and tag of the CMS structure, DER.
    pub sealed: Vec<u8>,
}

impl Signature {
    /// The nonce of the seal: [`SIGNATURE_OBJECT`] and the salt.
    #[must_use]
    pub const fn nonce(salt: [u8; 8]) -> [u8; 12] {
        let [o0, o1, o2, o3] = SIGNATURE_OBJECT.to_be_bytes();
        let [s0, s1, s2, s3, s4, s5, s6, s7] = salt;
        [o0, o1, o2, o3, s0, s1, s2, s3, s4, s5, s6, s7]
    }

    /// The associated data of the seal: archive id, record id, version u32, generation u32.
    #[must_use]
    pub fn associated_data(archive: ArchiveId, version: VersionId, generation: u32) -> Vec<u8> {
        let mut writer = Writer::with_capacity(40);
        writer.raw(archive.as_bytes());
        write_version(&mut writer, version);
        writer.u32(generation);
        writer.finish()
    }

    pub(super) fn encode(self) -> Result<EncodedFrame> {
        if self.sealed.len() <= TAG_BYTES {
            return Err(FormatError::new(ErrorKind::NotEncodable, SIGNATURE));
        }
        let mut writer = EncodedFrame::writer(32);
        write_version(&mut writer, self.version);
        writer.u32(self.generation);
        writer.raw(&self.salt);
        EncodedFrame::new(FrameType::Signature, writer, self.sealed)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(SIGNATURE, body);
        let version = read_version(&mut reader)?;
        let generation = reader.u32()?;
        let salt = reader.array()?;
        let sealed = read_sealed(&mut reader)?;
        Ok(Self {
            version,
            generation,
            salt,
            sealed,
        })
    }
}

impl Receipt {
    /// The associated data of the seal: archive id, and then the fields before the nonce as they stand in the frame.
    #[must_use]
    pub fn associated_data(
        archive: ArchiveId,
        id: ReceiptId,
        generation: u32,
        versions: &[VersionId],
    ) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.raw(archive.as_bytes());
        write_clear(&mut writer, id, generation, versions);
        writer.finish()
    }

    pub(super) fn encode(self) -> Result<EncodedFrame> {
        let fits = !self.versions.is_empty()
            && self.versions.len() <= RECEIPT_VERSIONS_MAX
            && self.sealed.len() > TAG_BYTES;
        if !fits {
            return Err(FormatError::new(ErrorKind::NotEncodable, RECEIPT));
        }
        let mut writer = EncodedFrame::writer(64);
        write_clear(&mut writer, self.id, self.generation, &self.versions);
        writer.raw(&self.nonce);
        EncodedFrame::new(FrameType::Receipt, writer, self.sealed)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(RECEIPT, body);
        let id = ReceiptId::from_bytes(reader.array()?);
        let generation = reader.u32()?;
        let count = reader.count(RECEIPT_VERSIONS_MAX)?;
        if count == 0 {
            return Err(reader.error(ErrorKind::MissingElement));
        }
        let versions = (0..count).map(|_| read_version(&mut reader));
        let versions = versions.collect::<Result<_>>()?;
        let nonce = reader.array()?;
        let sealed = read_sealed(&mut reader)?;
        Ok(Self {
            id,
            generation,
            versions,
            nonce,
            sealed,
        })
    }
}

fn write_clear(writer: &mut Writer, id: ReceiptId, generation: u32, versions: &[VersionId]) {
    writer.raw(id.as_bytes());
    writer.u32(generation);
    writer.varint(u64::try_from(versions.len()).unwrap_or(u64::MAX));
    for version in versions {
        write_version(writer, *version);
    }
}

/// Ciphertext of at least one byte, and the tag.
fn read_sealed(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let sealed = reader.remainder();
    if sealed.len() <= TAG_BYTES {
        return Err(reader.error(ErrorKind::Truncated));
    }
    Ok(sealed.to_vec())
}

const SIGNATURE: &str = "Signature";
const RECEIPT: &str = "Receipt";
