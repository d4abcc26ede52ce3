//! What the archive's signature in a package is over.

use super::writer::references_of;
use super::{SIGNATURE, document_members};
use crate::asic::{AsicManifest, SignatureReference, uri};
use crate::digest::DigestAlgorithm;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::raw::Raw;

/// The `ASiCManifest` over a record manifest and all content objects: what the archive signs of a record.
///
/// A function of the record manifest alone: the same bytes are made before the signature, and for the package.
///
/// # Errors
///
/// [`crate::error::ErrorKind::UnknownAlgorithm`] if the manifest has no digests under `algorithm`.
pub fn signature_manifest(
    manifest: &Raw<Manifest>,
    algorithm: DigestAlgorithm,
) -> Result<AsicManifest> {
    Ok(AsicManifest {
        signature: SignatureReference {
            uri: uri::encode(SIGNATURE),
            mime_type: Some(SIGNATURE_MEDIA_TYPE.to_owned()),
        },
        references: references_of(manifest, &document_members(manifest), algorithm)?,
        has_critical_extension: false,
    })
}

/// Media type of a detached CMS signature (RFC 8551 §3.5.3.3).
const SIGNATURE_MEDIA_TYPE: &str = "application/pkcs7-signature";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::sample;
    use crate::package::MANIFEST;

    #[test]
    fn the_signed_bytes_are_the_same_for_ever() {
        let manifest = Manifest::parse(&sample().encode().unwrap()).unwrap();
        let covered = signature_manifest(&manifest, DigestAlgorithm::Sha256).unwrap();
        assert_eq!(covered.references.len(), manifest.objects.len() + 1);
        assert_eq!(covered.references[0].uri, MANIFEST);
        let bytes = covered.encode().unwrap();
        assert_eq!(AsicManifest::parse(&bytes).unwrap().value(), &covered);
        let again = signature_manifest(&manifest, DigestAlgorithm::Sha256).unwrap();
        assert_eq!(again.encode().unwrap(), bytes);
        let other = signature_manifest(&manifest, DigestAlgorithm::Sha512).unwrap();
        assert_ne!(other.encode().unwrap(), bytes);
    }

    #[test]
    fn an_algorithm_without_digests_is_refused() {
        let manifest = Manifest::parse(&sample().encode().unwrap()).unwrap();
        assert!(signature_manifest(&manifest, DigestAlgorithm::Sha3_256).is_err());
        assert!(signature_manifest(&manifest, DigestAlgorithm::Sha1).is_err());
    }
}
