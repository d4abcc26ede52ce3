//! Evidence that stands as text, in PEM or base64: common in mails, databases and the output of OpenSSL.

use crate::recognise::{Kind, recognise};

/// The evidence inside of a text, if it is a kind that is judged. What is no text, or something else, stays as it is.
pub(crate) fn unwrapped(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() == Some(&0x30) {
        return None;
    }
    let inner = formats::armour::decode(text)?;
    match recognise(&inner) {
        Kind::EvidenceRecord
        | Kind::TimestampToken
        | Kind::TimestampResponse
        | Kind::TimestampRequest
        | Kind::CmsSignature
        | Kind::TimestampedData => Some(inner),
        Kind::Package
        | Kind::Certificate
        | Kind::RevocationList
        | Kind::XmlEvidenceRecord
        | Kind::XmlSignature
        | Kind::XmlArchivePackage
        | Kind::Pdf
        | Kind::Pem
        | Kind::Unknown => None,
    }
}
