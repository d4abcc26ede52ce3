//! Online Certificate Status Protocol (RFC 6960): request, response, and what names a certificate in both.
//!
//! A response is read without copying, and what was signed in it are the received bytes. The frame that nobody signs has to be DER
//! to the bit, so that a changed bit in it does not pass unnoticed. Nothing here verifies.

mod certificate_id;
mod request;
mod response;
mod single;

pub use certificate_id::CertificateId;
pub use request::OcspRequest;
pub use response::{BasicOcspResponse, OcspResponse, ResponderId, ResponseStatus};
pub use single::{CertificateStatus, SingleResponse};
