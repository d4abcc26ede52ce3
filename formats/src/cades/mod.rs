//! CMS Advanced Electronic Signatures: EN 319 122-1, RFC 5126, JIS X 5092.
//!
//! A CAdES signature is a SignedData with more attributes. [`SignatureParts`] holds the exact bytes that archive timestamps cover,
//! [`HashIndex`] and [`archive_time_stamp_input`] compute what such a timestamp is over, [`add_unsigned_attributes`] raises a
//! signature without touching what stands in it. Nothing here verifies.

mod claims;
mod commitment;
mod extend;
mod hash_index;
mod imprint;
mod level;
mod parts;
mod references;
mod values;
mod without;

pub use claims::{mime_type, signing_time};
pub use commitment::{Commitment, SignaturePolicy};
pub use extend::{add_unsigned_attributes, detach};
pub use hash_index::{Coverage, HashIndex, HashIndexVersion};
pub use imprint::{
    archive_time_stamp_input, archive_time_stamp_v1_inputs, archive_time_stamp_v2_input,
    c_time_stamp_input, references_time_stamp_input, time_stamp_inputs_as_stored,
};
pub use level::{Level, level_of};
pub use parts::{SignatureParts, SignerParts};
pub use references::{
    CertificateReference, CrlReference, OcspReference, OtherHash, ResponderId,
    RevocationReferences, encode_certificate_references, parse_certificate_references,
};
pub use values::{RevocationValues, encode_certificate_values, parse_certificate_values};
pub use without::{Kept, to_der, without_attributes};
