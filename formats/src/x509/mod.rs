//! X.509 (RFC 5280): the parts that every evidence structure shares, and certificates as exact bytes.

mod algorithm;
mod certificate;
mod extension;
mod pem;

pub use algorithm::AlgorithmIdentifier;
pub use certificate::Certificate;
pub use extension::Extension;
pub(crate) use extension::Extensions;
pub use pem::{encode_pem, read_certificates, read_crls};
