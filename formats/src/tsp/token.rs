//! A SignedData whose content is a TSTInfo.

use super::tst_info::TstInfo;
use crate::cms::SignedData;
use crate::error::{ErrorKind, FormatError, Result};
use crate::oid;
use crate::raw::Raw;

/// A time-stamp token (RFC 3161 §2.4.2).
///
/// ```text
/// TimeStampToken ::= ContentInfo
///   -- contentType is id-signedData, content is SignedData, eContentType is id-ct-TSTInfo
/// ```
///
/// How many signers it has, and whether anything in it is true, is for the verifier to judge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeStampToken {
    /// The SignedData, with the exact bytes of the ContentInfo.
    pub signed_data: Raw<SignedData>,
    /// The content, with the exact bytes that are signed.
    pub info: Raw<TstInfo>,
}

impl TimeStampToken {
    /// Reads one token and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if it is a SignedData over something else, [`ErrorKind::MissingElement`] if it has no content, and every
    /// other [`ErrorKind`] of malformed input.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let signed_data = SignedData::parse(bytes)?;
        if signed_data.content_type != oid::TST_INFO {
            return Err(FormatError::new(ErrorKind::WrongType, STRUCTURE));
        }
        let content = signed_data
            .content
            .as_deref()
            .ok_or(FormatError::new(ErrorKind::MissingElement, STRUCTURE))?;
        let info = TstInfo::parse(content)?;
        Ok(Self { signed_data, info })
    }

    /// The exact bytes of the token.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.signed_data.raw()
    }
}

const STRUCTURE: &str = "TimeStampToken";
