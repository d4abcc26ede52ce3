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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn keeps_the_bytes_of_token_and_content() {
        let bytes = samples::token(b"data");
        let token = TimeStampToken::parse(&bytes).unwrap();
        assert_eq!(token.raw(), bytes);
        assert_eq!(*token.info, samples::tst_info(b"data"));
        assert_eq!(Some(token.info.raw()), token.signed_data.content.as_deref());
    }

    #[test]
    fn other_signed_data_is_no_token() {
        let mut builder = samples::token_builder(b"data");
        builder.content_type = oid::DATA;
        let signed_data = builder.build(|_| Some(vec![1])).unwrap();
        assert_eq!(
            TimeStampToken::parse(signed_data.raw()).unwrap_err().kind(),
            ErrorKind::WrongType
        );
        let mut detached = SignedData::parse(&samples::token(b"data"))
            .unwrap()
            .value()
            .clone();
        detached.content = None;
        assert_eq!(
            TimeStampToken::parse(&detached.encode())
                .unwrap_err()
                .kind(),
            ErrorKind::MissingElement
        );
    }

    #[test]
    fn each_bit_counts() {
        samples::each_bit_counts(&samples::token(b"data"), |bytes| {
            let token = TimeStampToken::parse(bytes).ok()?;
            Some((
                token.signed_data.value().clone(),
                token.info.value().clone(),
            ))
        });
    }

    #[test]
    fn a_damaged_token_does_no_harm() {
        samples::each_damage(&samples::token(b"data"), |damaged| {
            if let Ok(token) = TimeStampToken::parse(damaged) {
                assert_eq!(token.raw(), damaged);
            }
        });
    }
}
