//! `ASiCManifest` (EN 319 162-1 §A.4): which members a signature, timestamp or evidence record covers, with their digests.
//!
//! ```xml
//! <ASiCManifest xmlns="http://uri.etsi.org/02918/v1.2.1#">
//!   <SigReference URI="META-INF/evidencerecord.ers"/>
//!   <DataObjectReference URI="manifest.json" MimeType="application/json" Rootfile="false">
//!     <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
//!     <ds:DigestValue>base64</ds:DigestValue>
//!   </DataObjectReference>
//! </ASiCManifest>
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::manifest_reader::Parser;
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::raw::Raw;

/// An `ASiCManifest`, `ASiCArchiveManifest` or `ASiCEvidenceRecordManifest`: they have one schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsicManifest {
    /// The file that proves.
    pub signature: SignatureReference,
    /// What it proves, at least one.
    pub references: Vec<DataObjectReference>,
    /// Whether there is an extension that a program must understand, and none is understood here (§A.4: then the manifest must be refused).
    pub has_critical_extension: bool,
}

/// `SigReference`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureReference {
    /// Name of the member, percent-encoded. See [`AsicReader::resolve`](super::AsicReader::resolve).
    pub uri: String,
    /// Its media type.
    pub mime_type: Option<String>,
}

/// `DataObjectReference`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataObjectReference {
    /// Name of the member, percent-encoded. See [`AsicReader::resolve`](super::AsicReader::resolve).
    pub uri: String,
    /// Its media type.
    pub mime_type: Option<String>,
    /// Whether it is the document that the others belong to.
    pub root_file: Option<bool>,
    /// Identifier of the digest algorithm, as it stands in the manifest.
    pub digest_method: String,
    /// The digest.
    pub digest: Vec<u8>,
}

impl AsicManifest {
    /// Reads a manifest. XML with a document type or entities is refused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidXml`] and [`ErrorKind::InvalidText`] if it is not acceptable XML in UTF-8, [`ErrorKind::WrongType`] if it is
    /// another document, [`ErrorKind::MissingElement`], [`ErrorKind::DuplicateElement`], [`ErrorKind::InvalidValue`] and
    /// [`ErrorKind::LimitExceeded`] for its parts.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        Ok(Raw::new(Parser::parse(bytes)?, bytes.to_vec()))
    }

    /// Writes a manifest: always the same bytes for the same values.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingElement`] without a reference, [`ErrorKind::NotEncodable`] with a critical extension or with a character that
    /// XML cannot hold.
    pub fn encode(&self) -> Result<Vec<u8>> {
        if self.references.is_empty() {
            return Err(FormatError::new(
                ErrorKind::MissingElement,
                DATA_OBJECT_REFERENCE,
            ));
        }
        if self.has_critical_extension {
            return Err(not_encodable());
        }
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
             <asic:ASiCManifest xmlns:asic=\"{ASIC}\" xmlns:ds=\"{XML_DSIG}\">\n"
        );
        xml += &self.signature.to_xml()?;
        for reference in &self.references {
            xml += &reference.to_xml()?;
        }
        xml += "</asic:ASiCManifest>\n";
        Ok(xml.into_bytes())
    }
}

impl SignatureReference {
    fn to_xml(&self) -> Result<String> {
        let uri = escape(&self.uri)?;
        let mime_type = mime_type_attribute(self.mime_type.as_deref())?;
        Ok(format!("  <asic:SigReference URI=\"{uri}\"{mime_type}/>\n"))
    }
}

impl DataObjectReference {
    /// A reference to a member by its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownAlgorithm`] if the algorithm has no identifier in XML.
    pub fn new(name: &str, mime_type: &str, digest: DigestValue) -> Result<Self> {
        let method = digest.algorithm().xml_uri();
        let unknown = FormatError::new(ErrorKind::UnknownAlgorithm, DATA_OBJECT_REFERENCE);
        Ok(Self {
            uri: super::uri::encode(name),
            mime_type: Some(mime_type.to_owned()),
            root_file: None,
            digest_method: method.ok_or(unknown)?.to_owned(),
            digest: digest.as_bytes().to_vec(),
        })
    }

    /// The digest, if its algorithm is known and its length fits.
    #[must_use]
    pub fn digest_value(&self) -> Option<DigestValue> {
        let algorithm = DigestAlgorithm::from_xml_uri(&self.digest_method)?;
        DigestValue::from_bytes(algorithm, &self.digest)
    }

    fn to_xml(&self) -> Result<String> {
        let uri = escape(&self.uri)?;
        let mime_type = mime_type_attribute(self.mime_type.as_deref())?;
        let root_file = match self.root_file {
            None => "",
            Some(true) => " Rootfile=\"true\"",
            Some(false) => " Rootfile=\"false\"",
        };
        let method = escape(&self.digest_method)?;
        let digest = STANDARD.encode(&self.digest);
        Ok(format!(
            "  <asic:DataObjectReference URI=\"{uri}\"{mime_type}{root_file}>\n    \
             <ds:DigestMethod Algorithm=\"{method}\"/>\n    \
             <ds:DigestValue>{digest}</ds:DigestValue>\n  \
             </asic:DataObjectReference>\n"
        ))
    }
}

fn mime_type_attribute(mime_type: Option<&str>) -> Result<String> {
    mime_type.map_or(Ok(String::new()), |text| {
        Ok(format!(" MimeType=\"{}\"", escape(text)?))
    })
}

/// Text of an attribute. Control characters cannot stand in XML 1.0, or change when it is read.
fn escape(text: &str) -> Result<String> {
    if text
        .chars()
        .any(|character| character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}'))
    {
        return Err(not_encodable());
    }
    Ok(quick_xml::escape::escape(text).into_owned())
}

const fn not_encodable() -> FormatError {
    FormatError::new(ErrorKind::NotEncodable, MANIFEST)
}

/// Namespace of the schema of EN 319 162-1.
pub(super) const ASIC: &str = "http://uri.etsi.org/02918/v1.2.1#";
/// Namespace of XML signatures.
pub(super) const XML_DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

pub(super) const MANIFEST: &str = "ASiCManifest";
pub(super) const SIG_REFERENCE: &str = "ASiCManifest.SigReference";
pub(super) const DATA_OBJECT_REFERENCE: &str = "ASiCManifest.DataObjectReference";
