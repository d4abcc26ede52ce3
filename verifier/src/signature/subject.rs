//! One signer with what its signature is over.

use formats::cades::{SignatureParts, SignerParts};
use formats::cms::{SignedData, SignerInfo};
use formats::digest::DigestAlgorithm;
use formats::raw::Raw;

use crate::source::DigestSource;

/// One signer with what its signature is over.
pub(super) struct Subject<'a> {
    pub(super) signed_data: &'a Raw<SignedData>,
    pub(super) parts: &'a SignatureParts,
    pub(super) signer: &'a SignerInfo,
    pub(super) cuts: &'a SignerParts,
    /// The content, if the signature holds it; for a countersignature the signature value that it is over.
    pub(super) content: Option<&'a dyn DigestSource>,
    /// The octets of the same content.
    pub(super) octets: Option<&'a [u8]>,
    /// What was given beside the file.
    pub(super) data: &'a [&'a dyn DigestSource],
    /// The position of the signer among those of the file; `None` for a countersignature.
    pub(super) position: Option<usize>,
    /// How many signatures this one stands inside of.
    pub(super) depth: usize,
}

impl<'a> Subject<'a> {
    /// Whether it is over the value of another signature (RFC 5652 §11.4).
    pub(super) const fn is_countersignature(&self) -> bool {
        self.position.is_none()
    }

    /// What the signature is compared with: its content, or the data object that has the signed digest, or the first one.
    pub(super) fn target(&self) -> Option<&'a dyn DigestSource> {
        let first = self.data.first().copied();
        self.content
            .or_else(|| self.data.iter().copied().find(|data| self.signs(*data)))
            .or(first)
    }

    fn signs(&self, data: &dyn DigestSource) -> bool {
        let digest = || {
            let algorithm = self.signer.digest_algorithm.digest_algorithm()?;
            let signed = self.signer.message_digest().ok()??;
            (data.digest(algorithm)?.as_bytes() == signed).then_some(())
        };
        digest().is_some()
    }

    /// Whether the data object with this number is what was signed.
    pub(super) fn covers(&self, number: usize) -> bool {
        let Some(data) = self.data.get(number) else {
            return false;
        };
        match self.content {
            None => self.signs(*data),
            Some(content) => {
                let algorithm = DigestAlgorithm::Sha256;
                let own = content.digest(algorithm);
                own.is_some() && own == data.digest(algorithm)
            }
        }
    }
}
