//! The parts that a package is made of: identifiers, check sums, signatures, text and base64.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError, Result};
use formats::xml::{Content as XmlContent, Element};

use super::read::Content;

const DSS: &str = "urn:oasis:names:tc:dss:1.0:core:schema";

/// The bytes of a signature that is not XML.
pub(super) fn signature(held: &Element<'_>) -> Result<Option<Content>> {
    if held.namespace() != DSS || held.name() != "SignatureObject" {
        return Ok(None);
    }
    let forms = parts(held, "SignatureObject")?;
    let [form] = forms.as_slice() else {
        return Ok(None);
    };
    let value = match form.name() {
        "Base64Signature" => Some(*form),
        "Timestamp" => form
            .elements()
            .find(|part| part.name() == "RFC3161TimeStampToken"),
        _ => None,
    };
    match value {
        Some(value) => Ok(Some(Content::Binary(decode(&text(
            &value,
            "SignatureObject",
        )?)?))),
        None => Ok(None),
    }
}

/// A check sum, if its algorithm is known here.
pub(super) fn check_sum(element: &Element<'_>) -> Result<Option<(DigestAlgorithm, String)>> {
    let part = |name: &str| {
        let found = element.elements().find(|part| part.name() == name);
        found.map(|part| text(&part, "checkSum")).transpose()
    };
    let (algorithm, value) = (part("checkSumAlgorithm")?, part("checkSum")?);
    let known = algorithm.and_then(|name| {
        let name = name.trim();
        DigestAlgorithm::from_name(name).or_else(|| DigestAlgorithm::from_xml_uri(name))
    });
    Ok(known.zip(value.map(|value| value.trim().to_ascii_lowercase())))
}

/// Identifiers are unique in a document; which object a pointer means would be open otherwise.
#[derive(Default)]
pub(super) struct Identifiers(BTreeSet<String>);

impl Identifiers {
    pub(super) fn add(&mut self, id: Option<&str>) -> Result<()> {
        match id {
            Some(id) => self.required(Some(id), "identifier").map(|_| ()),
            None => Ok(()),
        }
    }

    /// Nothing stood there before.
    pub(super) fn only(before: Option<&str>, structure: &'static str) -> Result<()> {
        match before {
            Some(_) => Err(error(ErrorKind::DuplicateElement, structure)),
            None => Ok(()),
        }
    }

    pub(super) fn required(&mut self, id: Option<&str>, structure: &'static str) -> Result<String> {
        let id = id.map(str::trim).filter(|id| !id.is_empty());
        let id = id.ok_or(error(ErrorKind::MissingElement, structure))?;
        if !self.0.insert(id.to_owned()) {
            return Err(error(ErrorKind::DuplicateElement, structure));
        }
        Ok(id.to_owned())
    }
}

/// The elements of an element that has no text.
pub(super) fn parts<'d>(
    element: &Element<'d>,
    structure: &'static str,
) -> Result<Vec<Element<'d>>> {
    let mut parts = Vec::new();
    for content in element.contents() {
        match content {
            XmlContent::Element(part) => parts.push(part),
            XmlContent::Text(text) if text.trim_ascii().is_empty() => {}
            XmlContent::Text(_) => return Err(error(ErrorKind::InvalidXml, structure)),
        }
    }
    Ok(parts)
}

/// The characters of an element that has no elements in it.
pub(super) fn text(element: &Element<'_>, structure: &'static str) -> Result<String> {
    let mut text = String::new();
    for content in element.contents() {
        match content {
            XmlContent::Text(part) => text.push_str(part),
            XmlContent::Element(_) => return Err(error(ErrorKind::WrongType, structure)),
        }
    }
    Ok(text)
}

/// `xs:base64Binary`: white space may stand anywhere.
pub(super) fn decode(text: &str) -> Result<Vec<u8>> {
    let mut text = text.to_owned();
    text.retain(|character| !character.is_ascii_whitespace());
    STANDARD
        .decode(text)
        .map_err(|_| error(ErrorKind::InvalidValue, "xs:base64Binary"))
}

pub(super) const fn error(kind: ErrorKind, structure: &'static str) -> FormatError {
    FormatError::new(kind, structure)
}
