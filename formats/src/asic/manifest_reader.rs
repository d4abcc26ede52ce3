//! Reading the XML of an `ASiCManifest`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceError, ResolveResult};
use quick_xml::reader::NsReader;

use super::manifest::{
    ASIC, AsicManifest, DATA_OBJECT_REFERENCE, DataObjectReference, MANIFEST, SIG_REFERENCE,
    SignatureReference, XML_DSIG,
};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{
    ASIC_MANIFEST_BYTES_MAX, ASIC_REFERENCES_MAX, XML_ATTRIBUTES_MAX, XML_DEPTH_MAX,
    XML_TEXT_BYTES_MAX,
};

/// Walks the document once. The stack says where it stands.
#[derive(Default)]
pub(super) struct Parser {
    stack: Vec<Element>,
    ended: bool,
    signature: Option<SignatureReference>,
    references: Vec<DataObjectReference>,
    current: Unfinished,
    has_critical_extension: bool,
    offset: usize,
}

/// A `DataObjectReference` whose end has not been read.
#[derive(Default)]
struct Unfinished {
    uri: String,
    mime_type: Option<String>,
    root_file: Option<bool>,
    digest_method: Option<String>,
    digest: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Manifest,
    Signature,
    Reference,
    DigestMethod,
    DigestValue,
    Extensions,
    /// Whatever stands inside of extensions, or of a digest method.
    Foreign,
}

impl Parser {
    pub(super) fn parse(bytes: &[u8]) -> Result<AsicManifest> {
        let mut parser = Self::default();
        if bytes.len() > ASIC_MANIFEST_BYTES_MAX {
            return Err(parser.error(ErrorKind::LimitExceeded, MANIFEST));
        }
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let text = str::from_utf8(bytes).map_err(|error| {
            FormatError::new(ErrorKind::InvalidText, MANIFEST).at(error.valid_up_to())
        })?;
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            parser.offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let (namespace, event) = reader
                .read_resolved_event()
                .map_err(|error| parser.xml_error(&error))?;
            let namespace = match namespace {
                ResolveResult::Bound(namespace) => namespace.into_inner(),
                ResolveResult::Unbound | ResolveResult::Unknown(_) => "",
            };
            match event {
                Event::Start(start) => parser.start(namespace, &start)?,
                Event::End(_) => parser.end()?,
                Event::Text(text) => parser.text(&text.xml_content(XmlVersion::Explicit1_0))?,
                Event::CData(text) => parser.text(&text.xml_content(XmlVersion::Explicit1_0))?,
                Event::GeneralRef(reference) => parser.reference(&reference)?,
                Event::Decl(declaration) => parser.declaration(&declaration)?,
                Event::Comment(_) | Event::PI(_) => {}
                Event::Empty(_) | Event::DocType(_) => {
                    return Err(parser.error(ErrorKind::InvalidXml, MANIFEST));
                }
                Event::Eof => return parser.finish(),
            }
        }
    }

    fn start(&mut self, namespace: &str, start: &BytesStart<'_>) -> Result<()> {
        if self.stack.len() >= XML_DEPTH_MAX {
            return Err(self.error(ErrorKind::LimitExceeded, MANIFEST));
        }
        // Counted before anything looks at them: checking attributes for duplicates takes quadratic time.
        if start
            .attributes()
            .with_checks(false)
            .take(XML_ATTRIBUTES_MAX.saturating_add(1))
            .count()
            > XML_ATTRIBUTES_MAX
        {
            return Err(self.error(ErrorKind::LimitExceeded, MANIFEST));
        }
        if start.attributes().any(|attribute| attribute.is_err()) {
            return Err(self.error(ErrorKind::InvalidXml, MANIFEST));
        }
        let name = start.local_name();
        let element = match (self.stack.last(), namespace, name.as_ref()) {
            (None, ASIC, "ASiCManifest") if !self.ended => Element::Manifest,
            (Some(Element::Manifest), ASIC, "SigReference") => Element::Signature,
            (Some(Element::Manifest), ASIC, "DataObjectReference") => Element::Reference,
            (Some(Element::Manifest), ASIC, "ASiCManifestExtensions")
            | (Some(Element::Reference), ASIC, "DataObjectReferenceExtensions") => {
                Element::Extensions
            }
            (Some(Element::Reference), XML_DSIG, "DigestMethod") => Element::DigestMethod,
            (Some(Element::Reference), XML_DSIG, "DigestValue") => Element::DigestValue,
            (Some(Element::Extensions | Element::Foreign | Element::DigestMethod), _, _) => {
                Element::Foreign
            }
            _ => return Err(self.error(ErrorKind::WrongType, MANIFEST)),
        };
        self.open(element, start)?;
        self.stack.push(element);
        Ok(())
    }

    fn open(&mut self, element: Element, start: &BytesStart<'_>) -> Result<()> {
        match element {
            Element::Signature => {
                let reference = SignatureReference {
                    uri: self.required(start, "URI", SIG_REFERENCE)?,
                    mime_type: self.attribute(start, "MimeType")?,
                };
                if self.signature.replace(reference).is_some() {
                    return Err(self.error(ErrorKind::DuplicateElement, SIG_REFERENCE));
                }
            }
            Element::Reference => {
                if self.references.len() >= ASIC_REFERENCES_MAX {
                    return Err(self.error(ErrorKind::LimitExceeded, DATA_OBJECT_REFERENCE));
                }
                self.current = Unfinished {
                    uri: self.required(start, "URI", DATA_OBJECT_REFERENCE)?,
                    mime_type: self.attribute(start, "MimeType")?,
                    root_file: self.boolean(start, "Rootfile")?,
                    ..Unfinished::default()
                };
            }
            Element::DigestMethod => {
                let method = self.required(start, "Algorithm", DATA_OBJECT_REFERENCE)?;
                if self.current.digest_method.replace(method).is_some() {
                    return Err(self.error(ErrorKind::DuplicateElement, DATA_OBJECT_REFERENCE));
                }
            }
            Element::DigestValue => {
                if self.current.digest.replace(String::new()).is_some() {
                    return Err(self.error(ErrorKind::DuplicateElement, DATA_OBJECT_REFERENCE));
                }
            }
            Element::Foreign => {
                self.has_critical_extension |= self.boolean(start, "Critical")? == Some(true);
            }
            Element::Manifest | Element::Extensions => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match self.stack.pop() {
            Some(Element::Reference) => {
                let reference = self.finish_reference()?;
                self.references.push(reference);
            }
            Some(Element::Manifest) => self.ended = true,
            _ => {}
        }
        Ok(())
    }

    fn finish_reference(&mut self) -> Result<DataObjectReference> {
        let current = std::mem::take(&mut self.current);
        let missing = self.error(ErrorKind::MissingElement, DATA_OBJECT_REFERENCE);
        let invalid = self.error(ErrorKind::InvalidValue, DATA_OBJECT_REFERENCE);
        let mut text = current.digest.ok_or(missing)?;
        text.retain(|character| !character.is_ascii_whitespace());
        Ok(DataObjectReference {
            uri: current.uri,
            mime_type: current.mime_type,
            root_file: current.root_file,
            digest_method: current.digest_method.ok_or(missing)?,
            digest: BASE64.decode(text).map_err(|_| invalid)?,
        })
    }

    /// Text counts in a digest, and is ignored in extensions. Elsewhere only white space may stand.
    fn text(&mut self, text: &str) -> Result<()> {
        match self.stack.last() {
            Some(Element::DigestValue) => {
                let too_long = self.error(ErrorKind::LimitExceeded, DATA_OBJECT_REFERENCE);
                let digest = self.current.digest.get_or_insert_default();
                if digest.len().saturating_add(text.len()) > XML_TEXT_BYTES_MAX {
                    return Err(too_long);
                }
                digest.push_str(text);
                Ok(())
            }
            Some(Element::Foreign | Element::Extensions | Element::DigestMethod) => Ok(()),
            _ if text.trim_ascii().is_empty() => Ok(()),
            _ => Err(self.error(ErrorKind::InvalidXml, MANIFEST)),
        }
    }

    /// `&#10;` or `&amp;`: nothing else is defined without a document type.
    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<()> {
        let invalid = self.error(ErrorKind::InvalidXml, MANIFEST);
        match reference.resolve_char_ref() {
            Ok(Some(character)) => self.text(character.encode_utf8(&mut [0; 4])),
            Ok(None) => {
                let text =
                    quick_xml::escape::resolve_predefined_entity(reference).ok_or(invalid)?;
                self.text(text)
            }
            Err(_) => Err(invalid),
        }
    }

    /// Only what has been read: XML 1.0 in UTF-8.
    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<()> {
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(name))
                if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") =>
            {
                Ok(())
            }
            Some(_) => Err(self.error(ErrorKind::InvalidText, MANIFEST)),
        }
    }

    fn attribute(&self, start: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
        let invalid = self.error(ErrorKind::InvalidXml, MANIFEST);
        let Some(attribute) = start.try_get_attribute(name).map_err(|_| invalid)? else {
            return Ok(None);
        };
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|_| invalid)?;
        if value.len() > XML_TEXT_BYTES_MAX {
            return Err(self.error(ErrorKind::LimitExceeded, MANIFEST));
        }
        Ok(Some(value.into_owned()))
    }

    fn required(
        &self,
        start: &BytesStart<'_>,
        name: &str,
        structure: &'static str,
    ) -> Result<String> {
        self.attribute(start, name)?
            .ok_or(self.error(ErrorKind::MissingElement, structure))
    }

    /// `xsd:boolean`.
    fn boolean(&self, start: &BytesStart<'_>, name: &str) -> Result<Option<bool>> {
        match self.attribute(start, name)?.as_deref().map(str::trim_ascii) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(self.error(ErrorKind::InvalidValue, MANIFEST)),
        }
    }

    fn finish(self) -> Result<AsicManifest> {
        if !self.ended {
            let kind = if self.stack.is_empty() {
                ErrorKind::WrongType
            } else {
                ErrorKind::Truncated
            };
            return Err(self.error(kind, MANIFEST));
        }
        if self.references.is_empty() {
            return Err(self.error(ErrorKind::MissingElement, DATA_OBJECT_REFERENCE));
        }
        let missing = self.error(ErrorKind::MissingElement, SIG_REFERENCE);
        Ok(AsicManifest {
            signature: self.signature.ok_or(missing)?,
            references: self.references,
            has_critical_extension: self.has_critical_extension,
        })
    }

    const fn error(&self, kind: ErrorKind, structure: &'static str) -> FormatError {
        FormatError::new(kind, structure).at(self.offset)
    }

    fn xml_error(&self, error: &quick_xml::Error) -> FormatError {
        let limit = matches!(
            error,
            quick_xml::Error::Namespace(
                NamespaceError::TooManyBindings(_) | NamespaceError::TooDeeplyNested(_)
            )
        );
        let kind = if limit {
            ErrorKind::LimitExceeded
        } else {
            ErrorKind::InvalidXml
        };
        self.error(kind, MANIFEST)
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Base64 with or without padding: both occur.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
