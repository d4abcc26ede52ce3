//! Cryptographic Message Syntax, SignedData (RFC 5652), as far as time-stamps and signatures need it.
//!
//! Everything that is hashed or verified is kept as received: the content octets, the signed attributes, each certificate and
//! each CRL. Nothing here verifies.

mod attributes;
mod builder;
mod ess;
mod material;
mod protection;
mod revocation;
mod signed_data;
mod signer_info;

pub use crate::x509::AlgorithmIdentifier;
pub use attributes::{Attribute, SignedAttributes};
pub use builder::{PreparedSignedData, SignedDataBuilder};
pub use ess::{EssCertId, IssuerSerial, SigningCertificates};
pub use material::with_validation_material;
pub use protection::AlgorithmProtection;
pub use revocation::{OcspForm, RevocationInfo};
pub use signed_data::{CertificateChoice, SignedData};
pub use signer_info::{SignerIdentifier, SignerInfo};
