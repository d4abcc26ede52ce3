//! How what waits is sealed: AES-256-GCM with random nonces, each piece bound to its upload and its place.
//!
//! A file that waits:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `FUMIUPL1` |
//! | 2 × 64 | two slots for the mark, written in turn: 52 bytes sealed under the content key, 12 of zeros |
//! | 4 | length of the head, big-endian |
//! | … | the head, sealed under the subkey `uploads` of the catalog key: content key (32 bytes) ‖ facts (JSON) |
//! | … | frames: bytes of plaintext (4, big-endian) ‖ nonce ‖ ciphertext ‖ tag |
//!
//! The nonces are random and not counted: a tail that was cut is written anew with other bytes.

use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::UploadError;
use super::facts::{UploadFacts, UploadId};
use crate::keys::DataKey;
use crate::keys::secret::{KEY_BYTES, NONCE_BYTES, TAG_BYTES, ValueKey};

/// The archive's key for heads and answers.
#[derive(Debug)]
pub(super) struct HeadKey {
    archive: ArchiveId,
    key: ValueKey,
}

/// The key of one upload's bytes.
#[derive(Debug, Clone)]
pub(super) struct ContentKey {
    id: UploadId,
    key: Arc<ValueKey>,
}

/// Up to where the bytes of an upload were synchronised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Bytes of content.
    pub(super) offset: u64,
    /// Bytes of the file.
    pub(super) end: u64,
    /// When.
    pub(super) at: OffsetDateTime,
}

impl HeadKey {
    pub(super) fn new(archive: ArchiveId, catalog_key: &DataKey) -> Self {
        let key = catalog_key.subkey("uploads").value_key();
        Self { archive, key }
    }

    /// A head for a new upload, and the key that stands in it.
    pub(super) fn seal_head(
        &self,
        entropy: &dyn Entropy,
        id: UploadId,
        facts: &UploadFacts,
    ) -> Result<(Vec<u8>, ContentKey), UploadError> {
        let mut plain = Zeroizing::new(vec![0; KEY_BYTES]);
        let filled = entropy.fill(&mut plain);
        filled.map_err(|error| UploadError::Keys(error.into()))?;
        let key = content_key(id, &plain).ok_or(UploadError::Damaged)?;
        serde_json::to_writer(&mut *plain, facts).map_err(std::io::Error::from)?;
        Ok((self.seal(entropy, id, HEAD, &plain)?, key))
    }

    /// The facts of an upload and its key; `None` where the head was changed or is another archive's.
    pub(super) fn open_head(
        &self,
        id: UploadId,
        sealed: &[u8],
    ) -> Option<(UploadFacts, ContentKey)> {
        let plain = self.open(id, HEAD, sealed)?;
        let (key, facts) = plain.split_at_checked(KEY_BYTES)?;
        Some((serde_json::from_slice(facts).ok()?, content_key(id, key)?))
    }

    pub(super) fn seal(
        &self,
        entropy: &dyn Entropy,
        id: UploadId,
        what: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, UploadError> {
        Ok(self.key.seal(entropy, &self.context(id, what), plain)?)
    }

    pub(super) fn open(
        &self,
        id: UploadId,
        what: &str,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.key.open(&self.context(id, what), sealed)
    }

    fn context(&self, id: UploadId, what: &str) -> Vec<u8> {
        let archive = self.archive.as_bytes().as_slice();
        [CONTEXT, archive, id.as_bytes(), what.as_bytes()].concat()
    }
}

impl ContentKey {
    /// One frame: the bytes of content from `offset` on.
    pub(super) fn seal_frame(
        &self,
        entropy: &dyn Entropy,
        offset: u64,
        plain: &[u8],
    ) -> Result<Vec<u8>, UploadError> {
        let length = u32::try_from(plain.len()).map_err(|_| UploadError::Damaged)?;
        let sealed = self
            .key
            .seal(entropy, &self.frame_context(offset, length), plain)?;
        Ok([length.to_be_bytes().as_slice(), &sealed].concat())
    }

    /// The content of a frame without its length; `None` where it is not what was written there.
    pub(super) fn open_frame(
        &self,
        offset: u64,
        length: u32,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.key.open(&self.frame_context(offset, length), sealed)
    }

    pub(super) fn seal_mark(
        &self,
        entropy: &dyn Entropy,
        slot: u8,
        mark: Mark,
    ) -> Result<Vec<u8>, UploadError> {
        let at = mark.at.unix_timestamp().to_be_bytes();
        let plain = [mark.offset.to_be_bytes(), mark.end.to_be_bytes(), at].concat();
        Ok(self.key.seal(entropy, &self.mark_context(slot), &plain)?)
    }

    /// The mark of a slot; `None` where none was written, or not all of it.
    pub(super) fn open_mark(&self, slot: u8, sealed: &[u8]) -> Option<Mark> {
        let plain = self.key.open(&self.mark_context(slot), sealed)?;
        let (offset, rest) = plain.split_first_chunk()?;
        let (end, at) = rest.split_first_chunk()?;
        let at = i64::from_be_bytes(*at.first_chunk()?);
        Some(Mark {
            offset: u64::from_be_bytes(*offset),
            end: u64::from_be_bytes(*end),
            at: OffsetDateTime::from_unix_timestamp(at).ok()?,
        })
    }

    fn frame_context(&self, offset: u64, length: u32) -> Vec<u8> {
        let (offset, length) = (offset.to_be_bytes(), length.to_be_bytes());
        [CONTEXT, self.id.as_bytes(), b"frame", &offset, &length].concat()
    }

    fn mark_context(&self, slot: u8) -> Vec<u8> {
        [CONTEXT, self.id.as_bytes(), b"mark", &[slot]].concat()
    }
}

fn content_key(id: UploadId, bytes: &[u8]) -> Option<ContentKey> {
    let bytes: &[u8; KEY_BYTES] = bytes.try_into().ok()?;
    let key = Arc::new(DataKey::from_bytes(bytes).value_key());
    Some(ContentKey { id, key })
}

const CONTEXT: &[u8] = b"fumikura upload 1\0";
const HEAD: &str = "head";

/// What stands in the context of an answer.
pub(super) const DONE: &str = "done";

/// Bytes that sealing adds.
pub(super) const SEAL_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// Bytes of a sealed mark.
pub(super) const MARK_BYTES: usize = 24 + SEAL_BYTES;
