//! Tells what a file is by its content, never by its name.

use formats::access::Bytes;
use formats::asic::{TAIL_BYTES, ends_as_zip};
use formats::der::{Element, Reader, Tag};
use formats::error::FormatError;
use formats::limits::EVIDENCE_BYTES_MAX;
use formats::oid;

use crate::armour::unwrapped;
use crate::finding::Language;

/// What a file is. Recognising says nothing about validity: the shape of the outermost structure decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A ZIP container: an evidence package, or another ASiC container (EN 319 162-1).
    Package,
    /// An evidence record (RFC 4998).
    EvidenceRecord,
    /// A time-stamp token (RFC 3161 §2.4.2).
    TimestampToken,
    /// A time-stamp response (RFC 3161 §2.4.2).
    TimestampResponse,
    /// A time-stamp request (RFC 3161 §2.4.1).
    TimestampRequest,
    /// A CMS signature that is not a time-stamp: CAdES and its relatives (RFC 5652, EN 319 122-1).
    CmsSignature,
    /// Data in an envelope with time-stamps (RFC 5544).
    TimestampedData,
    /// A certificate (RFC 5280).
    Certificate,
    /// A certificate revocation list (RFC 5280).
    RevocationList,
    /// An evidence record in XML (RFC 6283).
    XmlEvidenceRecord,
    /// An XML signature: XAdES and its relatives (EN 319 132-1).
    XmlSignature,
    /// An archival container in XML (BSI TR-03125 XAIP).
    XmlArchivePackage,
    /// A PDF document, which may hold PAdES signatures (EN 319 142-1).
    Pdf,
    /// PEM text.
    Pem,
    /// Nothing that is known here.
    Unknown,
}

impl Kind {
    /// The word in the JSON report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::EvidenceRecord => "evidence-record",
            Self::TimestampToken => "timestamp-token",
            Self::TimestampResponse => "timestamp-response",
            Self::TimestampRequest => "timestamp-request",
            Self::CmsSignature => "cms-signature",
            Self::TimestampedData => "timestamped-data",
            Self::Certificate => "certificate",
            Self::RevocationList => "revocation-list",
            Self::XmlEvidenceRecord => "xml-evidence-record",
            Self::XmlSignature => "xml-signature",
            Self::XmlArchivePackage => "xml-archive-package",
            Self::Pdf => "pdf",
            Self::Pem => "pem",
            Self::Unknown => "unknown",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn label(self, language: Language) -> &'static str {
        let (en, ja) = self.labels();
        match language {
            Language::English => en,
            Language::Japanese => ja,
        }
    }

    const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Package => ("evidence container (ASiC)", "証拠コンテナ (ASiC)"),
            Self::EvidenceRecord => ("evidence record (RFC 4998)", "証拠記録 (RFC 4998)"),
            Self::TimestampToken => (
                "time-stamp token (RFC 3161)",
                "タイムスタンプトークン (RFC 3161)",
            ),
            Self::TimestampResponse => (
                "time-stamp response (RFC 3161)",
                "タイムスタンプ応答 (RFC 3161)",
            ),
            Self::TimestampRequest => (
                "time-stamp request (RFC 3161)",
                "タイムスタンプ要求 (RFC 3161)",
            ),
            Self::CmsSignature => ("CMS signature (CAdES)", "CMS 署名 (CAdES)"),
            Self::TimestampedData => (
                "time-stamped data (RFC 5544)",
                "タイムスタンプ付きデータ (RFC 5544)",
            ),
            Self::Certificate => ("certificate (RFC 5280)", "証明書 (RFC 5280)"),
            Self::RevocationList => ("revocation list (RFC 5280)", "失効リスト (RFC 5280)"),
            Self::XmlEvidenceRecord => {
                ("XML evidence record (RFC 6283)", "XML 証拠記録 (RFC 6283)")
            }
            Self::XmlSignature => ("XML signature (XAdES)", "XML 署名 (XAdES)"),
            Self::XmlArchivePackage => ("XML archive package (XAIP)", "XML 保管パッケージ (XAIP)"),
            Self::Pdf => ("PDF document (PAdES)", "PDF 文書 (PAdES)"),
            Self::Pem => ("PEM text", "PEM テキスト"),
            Self::Unknown => ("unknown", "不明"),
        }
    }
}

/// Bytes of an XML document that are searched for its root element: a prolog with comments fits.
const XML_PROLOG_BYTES_MAX: usize = 64 * 1024;

/// Bytes at the beginning within which a PDF says that it is one: what comes before is skipped by every reader (ISO 32000-1, annex H.3.4.1).
const PDF_PREFIX_BYTES_MAX: usize = 1024;

/// Tells what `bytes` are.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Kind {
    if begins_as_zip(bytes) {
        return Kind::Package;
    }
    if bytes.starts_with(PDF) {
        return Kind::Pdf;
    }
    if bytes.first() == Some(&0x30)
        && let Some(kind) = recognise_der(bytes)
    {
        return kind;
    }
    if let Some(kind) = recognise_xml(bytes) {
        return kind;
    }
    if formats::armour::label(bytes).is_some() {
        return Kind::Pem;
    }
    let head = bytes.get(..PDF_PREFIX_BYTES_MAX).unwrap_or(bytes);
    if contains(head, PDF) {
        return Kind::Pdf;
    }
    let tail = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX);
    let tail = bytes.get(bytes.len().saturating_sub(tail)..);
    if ends_as_zip(tail.unwrap_or_default()) {
        // With something in front: programs that extract themselves, and tricks. The container is refused for it.
        return Kind::Package;
    }
    Kind::Unknown
}

/// Tells what stands in `bytes` when evidence as text is taken out of it first, as the judge does.
#[must_use]
pub fn recognise_inside(bytes: &[u8]) -> Kind {
    match unwrapped(bytes) {
        Some(inner) => recognise(&inner),
        None => recognise(bytes),
    }
}

/// Whether a file is a container, from its first bytes and its last: the one kind of evidence that may be larger than memory.
///
/// # Errors
///
/// [`formats::error::ErrorKind::Unreadable`] if the medium does not give the bytes.
pub fn is_container(file: Bytes<'_>) -> Result<bool, FormatError> {
    let head = file.get_up_to(0, 4, "file")?;
    if begins_as_zip(&head) {
        return Ok(true);
    }
    if file.len() <= EVIDENCE_BYTES_MAX {
        // Small enough to be looked at as a whole.
        return Ok(false);
    }
    let tail = file.len().saturating_sub(TAIL_BYTES);
    let tail = file.get_up_to(tail, usize::MAX, "file")?;
    Ok(!head.starts_with(b"%PDF") && ends_as_zip(&tail))
}

/// Whether something that is larger than any evidence may be meant as such, from its first bytes.
#[must_use]
pub fn may_be_evidence(head: &[u8]) -> bool {
    let is_der = head.first() == Some(&0x30);
    is_der || !matches!(recognise(head), Kind::Unknown | Kind::Pdf | Kind::Package)
}

fn begins_as_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

const PDF: &[u8] = b"%PDF-";

/// The namespace of XML signatures, which every document that holds one has to name.
const XML_SIGNATURES: &str = "http://www.w3.org/2000/09/xmldsig#";

fn recognise_xml(bytes: &[u8]) -> Option<Kind> {
    let transcoded = utf_16(bytes);
    let bytes = transcoded.as_ref().map_or(bytes, |text| text.as_bytes());
    let kind = match xml_root(bytes)? {
        "EvidenceRecord" => Kind::XmlEvidenceRecord,
        "Signature" | "XAdESSignatures" | "document-signatures" => Kind::XmlSignature,
        "XAIP" | "LXAIP" | "DXAIP" => Kind::XmlArchivePackage,
        // Invoices (UBL), forms, DigiDoc, and whatever else holds a signature of itself. An ASiC manifest names the namespace too.
        root if root != "ASiCManifest" && contains(bytes, XML_SIGNATURES.as_bytes()) => {
            Kind::XmlSignature
        }
        _ => return None,
    };
    Some(kind)
}

/// A document in UTF-16 as UTF-8: as much of it as tells what it is.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2)? {
        [0xFF, 0xFE] => u16::from_le_bytes,
        [0xFE, 0xFF] => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs
        .iter()
        .skip(1)
        .take(XML_PROLOG_BYTES_MAX)
        .map(|pair| unit(*pair));
    Some(
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or('\u{fffd}'))
            .collect(),
    )
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    match (str::from_utf8(bytes), str::from_utf8(needle)) {
        (Ok(text), Ok(needle)) => text.contains(needle),
        _ => bytes.windows(needle.len()).any(|window| window == needle),
    }
}

/// The local name of the root element, if `bytes` are XML.
#[must_use]
pub fn xml_root(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let prolog = bytes.get(..XML_PROLOG_BYTES_MAX).unwrap_or(bytes);
    let text = match std::str::from_utf8(prolog) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(prolog.get(..error.valid_up_to())?).ok()?,
    };
    let mut rest = text.trim_start();
    loop {
        rest = rest.strip_prefix('<')?;
        let skip_past = match rest.as_bytes().first()? {
            b'?' => "?>",
            b'!' if rest.starts_with("!--") => "-->",
            b'!' => ">",
            _ => break,
        };
        let (_, after) = rest.split_once(skip_past)?;
        rest = after.trim_start();
    }
    let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
    let name = rest.get(..end)?;
    Some(name.rsplit_once(':').map_or(name, |(_, local)| local))
}

fn recognise_der(bytes: &[u8]) -> Option<Kind> {
    let outer = Reader::new(bytes, "file").ok()?.read().ok()?;
    let mut members = outer.children("file").ok()?;
    let first = members.read().ok()?;
    match first.tag() {
        Tag::OID => recognise_content_info(first, members),
        Tag::INTEGER => recognise_versioned(members),
        Tag::SEQUENCE => recognise_nested(first, members),
        _ => None,
    }
}

fn recognise_content_info(content_type: Element<'_>, mut members: Reader<'_>) -> Option<Kind> {
    let content_type = content_type.oid().ok()?;
    if content_type == oid::SIGNED_DATA {
        let content = members.read().ok()?;
        return Some(if encapsulates_tst_info(&content).unwrap_or(false) {
            Kind::TimestampToken
        } else {
            Kind::CmsSignature
        });
    }
    let is_timestamped_data = content_type.to_string() == "1.2.840.113549.1.9.16.1.31";
    is_timestamped_data.then_some(Kind::TimestampedData)
}

/// Whether `[0] { SignedData }` says that its content is a TSTInfo.
fn encapsulates_tst_info(content: &Element<'_>) -> Option<bool> {
    let signed_data = content.children("ContentInfo").ok()?.read().ok()?;
    let mut members = signed_data.children("SignedData").ok()?;
    members.read().ok()?;
    members.read().ok()?;
    let encapsulated = members.read().ok()?;
    let content_type = encapsulated
        .children("EncapsulatedContentInfo")
        .ok()?
        .read()
        .ok()?;
    Some(content_type.oid().ok()? == oid::TST_INFO)
}

/// A version first: an evidence record or a time-stamp request.
fn recognise_versioned(mut members: Reader<'_>) -> Option<Kind> {
    let second = members.read().ok()?;
    if second.tag() != Tag::SEQUENCE {
        return None;
    }
    let mut inner = second.children("file").ok()?;
    let algorithm = inner.read().ok()?;
    let is_imprint = inner.peek() == Some(Tag::OCTET_STRING);
    if algorithm.tag() != Tag::SEQUENCE {
        return None;
    }
    Some(if is_imprint {
        Kind::TimestampRequest
    } else {
        Kind::EvidenceRecord
    })
}

/// A SEQUENCE first: a response, or a signed structure of X.509.
fn recognise_nested(first: Element<'_>, mut members: Reader<'_>) -> Option<Kind> {
    let third_is_signature = {
        let mut ahead = members.clone();
        let second = ahead.read().ok();
        second.is_some() && ahead.peek() == Some(Tag::BIT_STRING)
    };
    let mut inner = first.children("file").ok()?;
    let inner_first = inner.read().ok()?;
    if third_is_signature {
        // `Validity` is a SEQUENCE; a list has a time, or the list of entries, at that place (RFC 5280 §4.1, §5.1).
        let fourth = inner
            .all(16)
            .ok()
            .and_then(|rest| rest.get(2).map(Element::tag));
        let certificate = inner_first.tag() == Tag::context(0) || fourth == Some(Tag::SEQUENCE);
        return Some(if certificate {
            Kind::Certificate
        } else {
            Kind::RevocationList
        });
    }
    if inner_first.tag() != Tag::INTEGER {
        return None;
    }
    match members.is_empty() {
        true => Some(Kind::TimestampResponse),
        false => (members.read().ok()?.tag() == Tag::SEQUENCE).then_some(Kind::TimestampResponse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_and_text_go_by_their_first_bytes() {
        assert_eq!(recognise(b"PK\x03\x04rest"), Kind::Package);
        assert_eq!(recognise(b"%PDF-1.7"), Kind::Pdf);
        assert_eq!(recognise(b"-----BEGIN CERTIFICATE-----"), Kind::Pem);
        assert_eq!(recognise(b""), Kind::Unknown);
        assert_eq!(recognise(b"hello"), Kind::Unknown);
    }

    #[test]
    fn what_stands_in_front_hides_nothing() {
        assert_eq!(recognise(b"\r\n\0junk%PDF-1.4"), Kind::Pdf);
        let far = [vec![b' '; 2000], b"%PDF-1.4".to_vec()].concat();
        assert_eq!(recognise(&far), Kind::Unknown);
        let end = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
        assert_eq!(recognise(&end), Kind::Package);
        let prefixed = [b"#!/bin/sh\n".as_slice(), &end].concat();
        assert_eq!(recognise(&prefixed), Kind::Package);
        assert_eq!(
            recognise(&[prefixed, b"more".to_vec()].concat()),
            Kind::Unknown
        );
        let text = "  \n-----BEGIN CMS-----\nMAMC";
        assert_eq!(recognise(text.as_bytes()), Kind::Pem);
    }

    #[test]
    fn signatures_inside_of_other_xml_are_found() {
        let signed =
            |root: &str| format!("<{root}><ds:Signature xmlns:ds='{XML_SIGNATURES}'/></{root}>");
        for root in ["Invoice", "cbc:Invoice", "SignedDoc"] {
            assert_eq!(
                recognise(signed(root).as_bytes()),
                Kind::XmlSignature,
                "{root}"
            );
        }
        assert_eq!(
            recognise(signed("a:ASiCManifest").as_bytes()),
            Kind::Unknown
        );
        assert_eq!(recognise(b"<Invoice/>"), Kind::Unknown);
        assert_eq!(recognise(b"<x:XAIP xmlns:x='y'>"), Kind::XmlArchivePackage);
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let text = "\u{feff}<?xml version='1.0' encoding='UTF-16'?><Signature/>";
            let wide: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
            assert_eq!(recognise(&wide), Kind::XmlSignature);
        }
    }

    #[test]
    fn xml_goes_by_its_root() {
        let record =
            b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <a> -->\n<er:EvidenceRecord xmlns:er='x'>";
        assert_eq!(recognise(record), Kind::XmlEvidenceRecord);
        assert_eq!(recognise(b"<Signature/>"), Kind::XmlSignature);
        assert_eq!(recognise(b"<html>"), Kind::Unknown);
        assert_eq!(recognise(b"<"), Kind::Unknown);
        assert_eq!(recognise(b"<!-- never ends"), Kind::Unknown);
    }

    #[test]
    fn der_goes_by_its_shape() {
        // SEQUENCE { INTEGER 1, SEQUENCE { SEQUENCE { OID }, OCTET STRING } }
        let request = [
            0x30, 0x0e, 2, 1, 1, 0x30, 9, 0x30, 4, 6, 2, 0x2a, 3, 4, 1, 0xff,
        ];
        assert_eq!(recognise(&request), Kind::TimestampRequest);
        // SEQUENCE { INTEGER 1, SEQUENCE { SEQUENCE { OID } }, SEQUENCE {} }
        let record = [
            0x30, 0x0d, 2, 1, 1, 0x30, 6, 0x30, 4, 6, 2, 0x2a, 3, 0x30, 0,
        ];
        assert_eq!(recognise(&record), Kind::EvidenceRecord);
        // SEQUENCE { SEQUENCE { INTEGER 2 } }
        assert_eq!(
            recognise(&[0x30, 5, 0x30, 3, 2, 1, 2]),
            Kind::TimestampResponse
        );
    }

    #[test]
    fn broken_der_is_unknown() {
        for bytes in [
            &[0x30][..],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x03, 2, 1],
            &[0x30, 0x00],
            &[0x30, 0x02, 0x05, 0x00],
        ] {
            assert_eq!(recognise(bytes), Kind::Unknown);
        }
    }
}
