//! What the archive signs of a record: an `ASiCManifest` that names the record manifest and every content object by digest.
//!
//! The signature inside an evidence package must be over such a manifest (EN 319 162-1 §4.4.3.2), so this is what is signed from the beginning: the package then
//! holds the very signature that was made at the deposit, and any program that knows ASiC-E judges it. The signed bytes are kept with the signature.

use formats::digest::DigestAlgorithm;
use formats::error::FormatError;
use formats::manifest::Manifest;
use formats::package;
use formats::raw::Raw;

/// The media type of what is signed.
pub const MEDIA_TYPE: &str = "text/xml";

/// The octets to be signed for a version.
///
/// # Errors
/// [`FormatError`] when the manifest holds no digest under the algorithm.
pub fn of_version(
    manifest: &Raw<Manifest>,
    algorithm: DigestAlgorithm,
) -> Result<Vec<u8>, FormatError> {
    package::signature_manifest(manifest, algorithm)?.encode()
}
