//! Sealing and opening of single chunks, and of the manifest.

use std::collections::BTreeSet;
use std::fmt;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::{ArchiveId, VersionId};
use formats::limits::MANIFEST_BYTES_MAX;
use formats::segment::{
    ChunkCodec, ChunkHeader, ContentChunk, FurtherDigests, MANIFEST_OBJECT, RecordVersion,
    SIDE_OBJECTS,
};
use zeroize::Zeroizing;

use super::CHUNK_BYTES;
use super::error::{ChunkFault, ReadError, SealError};
use super::packing::{Packer, Unpacker};
use crate::keys::secret::TAG_BYTES;
use crate::keys::{DataKey, LedgerTicket, StagedKey};

/// Seals the contents and the manifest of one new version, each object once.
///
/// It consumes the key that [`crate::keys::KeyLedger::wrap_new`] made, so that no second sealer can repeat its nonces.
pub struct VersionSealer {
    archive: ArchiveId,
    version: VersionId,
    ticket: LedgerTicket,
    cipher: Aes256Gcm,
    begun: BTreeSet<u32>,
}

/// Opens the contents and the manifest of one version.
pub struct VersionOpener {
    archive: ArchiveId,
    version: VersionId,
    cipher: Aes256Gcm,
}

/// A sealed manifest: the fields of a [`RecordVersion`] that it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedManifest {
    /// How the manifest was packed.
    pub codec: ChunkCodec,
    /// Bytes of the manifest before packing.
    pub plain_bytes: u32,
    /// Ciphertext and tag.
    pub sealed: Vec<u8>,
}

impl VersionSealer {
    /// A sealer for the version that the key is for.
    #[must_use]
    pub fn new(archive: ArchiveId, key: StagedKey) -> Self {
        Self {
            archive,
            version: key.version(),
            ticket: key.ticket(),
            cipher: key.into_key().cipher(),
            begun: BTreeSet::new(),
        }
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> VersionId {
        self.version
    }

    /// What to commit to the key ledger before the version becomes visible.
    pub const fn ticket(&self) -> LedgerTicket {
        self.ticket
    }

    /// Seals the manifest, once. `packer` is the one of a [`super::ContentWriter`].
    pub(super) fn seal_manifest(
        &mut self,
        packer: &mut Packer,
        manifest: &[u8],
    ) -> Result<SealedManifest, SealError> {
        if manifest.len() > MANIFEST_BYTES_MAX {
            return Err(SealError::ManifestTooLong);
        }
        self.begin(MANIFEST_OBJECT)?;
        let (codec, packed) = packer.pack(manifest).map_err(|_| SealError::Packing)?;
        let header = ChunkHeader {
            version: self.version,
            object: MANIFEST_OBJECT,
            chunk: 0,
            codec,
            last: true,
            plain_bytes: u32::try_from(manifest.len()).map_err(|_| SealError::ManifestTooLong)?,
        };
        let chunk = self.seal(header, packed)?;
        Ok(SealedManifest {
            codec,
            plain_bytes: header.plain_bytes,
            sealed: chunk.sealed,
        })
    }

    /// Notes that the object is sealed now; a second time is refused.
    pub(super) fn begin_content(&mut self, object: u32) -> Result<(), SealError> {
        if object >= SIDE_OBJECTS {
            return Err(SealError::ReservedObject);
        }
        self.begin(object)
    }

    /// The same for what stands beside the contents and is no object of the manifest.
    pub(super) fn begin_side_object(&mut self, object: u32) -> Result<(), SealError> {
        if object < SIDE_OBJECTS || object == MANIFEST_OBJECT {
            return Err(SealError::ReservedObject);
        }
        self.begin(object)
    }

    /// Seals one chunk. The caller counts the chunks of an object that it has begun.
    pub(super) fn seal(
        &self,
        header: ChunkHeader,
        packed: &[u8],
    ) -> Result<ContentChunk, SealError> {
        let sealed = encrypt(&self.cipher, self.archive, &header, packed)?;
        Ok(ContentChunk { header, sealed })
    }

    fn begin(&mut self, object: u32) -> Result<(), SealError> {
        if self.begun.insert(object) {
            return Ok(());
        }
        Err(SealError::ObjectBegunTwice { object })
    }
}

impl VersionOpener {
    /// An opener for the version that the key is for.
    #[must_use]
    pub fn new(archive: ArchiveId, version: VersionId, key: &DataKey) -> Self {
        Self {
            archive,
            version,
            cipher: key.cipher(),
        }
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> VersionId {
        self.version
    }

    /// Opens the manifest of a record version.
    ///
    /// # Errors
    /// [`ReadError::Chunk`] when it is of another version or was changed.
    pub(super) fn open_manifest<E>(
        &self,
        record: &RecordVersion,
        unpacker: &mut Unpacker,
    ) -> Result<Zeroizing<Vec<u8>>, ReadError<E>> {
        let header = record.manifest_header();
        let fault = |fault| self.fault(MANIFEST_OBJECT, 0, fault);
        let length = usize::try_from(header.plain_bytes).unwrap_or(usize::MAX);
        if length > MANIFEST_BYTES_MAX {
            return Err(fault(ChunkFault::Length));
        }
        if header.version != self.version {
            return Err(fault(ChunkFault::Misplaced));
        }
        let mut plain = Zeroizing::new(vec![0; length]);
        self.open(&header, &record.manifest_sealed, unpacker, &mut plain)
            .map_err(fault)?;
        Ok(plain)
    }

    /// Opens one chunk into `plain`, which has the length that its header states. The caller has compared the header with the
    /// place that it asked for.
    pub(super) fn open(
        &self,
        header: &ChunkHeader,
        sealed: &[u8],
        unpacker: &mut Unpacker,
        plain: &mut [u8],
    ) -> Result<(), ChunkFault> {
        let (body, tag) = sealed
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(ChunkFault::Length)?;
        match header.codec {
            ChunkCodec::Stored => self.decrypt(header, body, tag, plain),
            ChunkCodec::Zstd => {
                if body.len() > plain.len() {
                    return Err(ChunkFault::Length);
                }
                self.decrypt(header, body, tag, unpacker.packed(body.len()))?;
                if unpacker.unpack(body.len(), plain) {
                    return Ok(());
                }
                Err(ChunkFault::Packing)
            }
        }
    }

    /// The header's place is the one asked for, and its length is possible there.
    pub(super) fn check_place(
        &self,
        header: &ChunkHeader,
        object: u32,
        chunk: u64,
        last: bool,
    ) -> Result<usize, ChunkFault> {
        if header.version != self.version || header.object != object || header.chunk != chunk {
            return Err(ChunkFault::Misplaced);
        }
        if header.last != last {
            return Err(ChunkFault::End);
        }
        let length = usize::try_from(header.plain_bytes).unwrap_or(usize::MAX);
        let empty_is_right = chunk == 0 && last;
        let possible = match length {
            0 => empty_is_right,
            CHUNK_BYTES => true,
            _ => last && length < CHUNK_BYTES,
        };
        possible.then_some(length).ok_or(ChunkFault::Length)
    }

    pub(super) fn fault<E>(&self, object: u32, chunk: u64, fault: ChunkFault) -> ReadError<E> {
        ReadError::Chunk {
            version: self.version,
            object,
            chunk,
            fault,
        }
    }

    fn decrypt(
        &self,
        header: &ChunkHeader,
        body: &[u8],
        tag: &[u8; TAG_BYTES],
        output: &mut [u8],
    ) -> Result<(), ChunkFault> {
        let nonce = header.nonce().map_err(|_| ChunkFault::Length)?;
        let buffer = InOutBuf::new(body, output).map_err(|_| ChunkFault::Length)?;
        self.cipher
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                &header.associated_data(self.archive),
                buffer,
                &Tag::from(*tag),
            )
            .map_err(|_| ChunkFault::Forged)
    }
}

impl VersionOpener {
    /// Seals the digests of all content objects under a function that the manifest does not have.
    ///
    /// The nonce is the same whenever this is done for a version and a function, and so are the digests, as long as the caller has compared
    /// the contents with their manifest.
    ///
    /// # Errors
    /// [`SealError::TooLong`] for more digests than a version has objects.
    pub fn seal_further_digests(
        &self,
        algorithm: DigestAlgorithm,
        digests: &[DigestValue],
    ) -> Result<FurtherDigests, SealError> {
        let plain: Vec<u8> = digests
            .iter()
            .flat_map(DigestValue::as_bytes)
            .copied()
            .collect();
        let length = u32::try_from(plain.len()).map_err(|_| SealError::TooLong)?;
        let header = FurtherDigests::header(self.version, algorithm, length);
        Ok(FurtherDigests {
            version: self.version,
            algorithm,
            sealed: encrypt(&self.cipher, self.archive, &header, &plain)?,
        })
    }

    /// Opens what [`VersionOpener::seal_further_digests`] made: the digests, in the order of the manifest.
    ///
    /// # Errors
    /// [`ChunkFault`] when they are of another version or were changed.
    pub fn open_further_digests(
        &self,
        frame: &FurtherDigests,
    ) -> Result<Vec<DigestValue>, ChunkFault> {
        if frame.version != self.version {
            return Err(ChunkFault::Misplaced);
        }
        let (body, tag) = frame
            .sealed
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(ChunkFault::Length)?;
        let mut plain = vec![0; body.len()];
        let header = FurtherDigests::header(frame.version, frame.algorithm, frame.plain_bytes());
        self.decrypt(&header, body, tag, &mut plain)?;
        plain
            .chunks(frame.algorithm.len())
            .map(|digest| DigestValue::from_bytes(frame.algorithm, digest))
            .collect::<Option<_>>()
            .ok_or(ChunkFault::Length)
    }
}

fn encrypt(
    cipher: &Aes256Gcm,
    archive: ArchiveId,
    header: &ChunkHeader,
    packed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let nonce = header.nonce().map_err(|_| SealError::TooLong)?;
    let mut sealed = vec![0; packed.len() + TAG_BYTES];
    let (body, tag) = sealed.split_at_mut(packed.len());
    let body = InOutBuf::new(packed, body).map_err(|_| SealError::TooLong)?;
    let computed = cipher
        .encrypt_inout_detached(&Nonce::from(nonce), &header.associated_data(archive), body)
        .map_err(|_| SealError::TooLong)?;
    tag.copy_from_slice(&computed);
    Ok(sealed)
}

impl fmt::Debug for VersionSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VersionSealer")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VersionOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VersionOpener")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
