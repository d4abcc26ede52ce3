//! What can go wrong with the embedded authority.

use std::fmt;

use firmware::entropy::EntropyError;

/// A failure of the embedded timestamp authority itself. Answers to bad requests are not errors: they are responses
/// with a status (RFC 3161 §2.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The random source gives no usable key material. Repair the random source of the machine.
    Entropy,
    /// The stored private key is not a P-256 key in PKCS #8. Restore the `tsa` folder of the key medium from its copy.
    Key,
    /// A certificate could not be made or read. Restore the `tsa` folder of the key medium from its copy.
    Certificate,
    /// A response could not be encoded.
    Encoding,
}

impl fmt::Display for EmbeddedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Entropy => "the random source gives no usable key material",
            Self::Key => "the embedded TSA's private key is damaged: restore the tsa folder of the key medium from its copy",
            Self::Certificate => {
                "the embedded TSA's certificate is damaged: restore the tsa folder of the key medium from its copy"
            }
            Self::Encoding => "the embedded TSA could not encode its answer",
        })
    }
}

impl std::error::Error for EmbeddedError {}

impl From<EntropyError> for EmbeddedError {
    fn from(_: EntropyError) -> Self {
        Self::Entropy
    }
}
