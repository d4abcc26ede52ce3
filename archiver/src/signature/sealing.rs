//! Seals signatures and receipts into their frames, and opens them.

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Nonce, Tag};
use firmware::entropy::Entropy;
use formats::id::{ArchiveId, ReceiptId, VersionId};
use formats::segment::{Receipt, Signature};

use super::error::SignatureError;
use crate::keys::DataKey;
use crate::keys::secret::TAG_BYTES;

/// Seals a signature under the data key of its version.
pub(super) fn seal_signature(
    archive: ArchiveId,
    key: &DataKey,
    version: VersionId,
    generation: u32,
    signature: &[u8],
    entropy: &dyn Entropy,
) -> Result<Signature, SignatureError> {
    let mut salt = [0; 8];
    entropy.fill(&mut salt)?;
    let context = Signature::associated_data(archive, version, generation);
    Ok(Signature {
        version,
        generation,
        salt,
        sealed: seal(key, Signature::nonce(salt), &context, signature)?,
    })
}

/// Opens a signature.
pub(super) fn open_signature(
    archive: ArchiveId,
    key: &DataKey,
    frame: &Signature,
) -> Result<Vec<u8>, SignatureError> {
    let context = Signature::associated_data(archive, frame.version, frame.generation);
    let opened = open(key, Signature::nonce(frame.salt), &context, &frame.sealed);
    opened.ok_or_else(|| SignatureError::Sealed {
        owner: frame.version.to_string(),
    })
}

/// Seals a receipt under the receipts' key of the archive.
pub(super) fn seal_receipt(
    archive: ArchiveId,
    key: &DataKey,
    (id, generation): (ReceiptId, u32),
    versions: Vec<VersionId>,
    receipt: &[u8],
    entropy: &dyn Entropy,
) -> Result<Receipt, SignatureError> {
    let mut nonce = [0; 12];
    entropy.fill(&mut nonce)?;
    let context = Receipt::associated_data(archive, id, generation, &versions);
    let sealed = seal(key, nonce, &context, receipt)?;
    Ok(Receipt {
        id,
        generation,
        versions,
        nonce,
        sealed,
    })
}

/// Opens a receipt.
pub(super) fn open_receipt(
    archive: ArchiveId,
    key: &DataKey,
    frame: &Receipt,
) -> Result<Vec<u8>, SignatureError> {
    let context = Receipt::associated_data(archive, frame.id, frame.generation, &frame.versions);
    open(key, frame.nonce, &context, &frame.sealed).ok_or_else(|| SignatureError::Sealed {
        owner: frame.id.to_string(),
    })
}

fn seal(
    key: &DataKey,
    nonce: [u8; 12],
    context: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, SignatureError> {
    let mut sealed = plain.to_vec();
    let tag = key
        .cipher()
        .encrypt_inout_detached(&Nonce::from(nonce), context, sealed.as_mut_slice().into())
        .map_err(|_| crate::keys::KeyError::KeyDerivation)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

fn open(key: &DataKey, nonce: [u8; 12], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (body, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    let mut plain = body.to_vec();
    key.cipher()
        .decrypt_inout_detached(
            &Nonce::from(nonce),
            context,
            plain.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(plain)
}
