//! Extensions, as requests, tokens and certificates carry them.

use crate::der::{Element, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::limits::TSP_EXTENSIONS_MAX;
use crate::oid::Oid;

/// One extension (RFC 5280 §4.1).
///
/// ```text
/// Extension  ::=  SEQUENCE  {
///      extnID      OBJECT IDENTIFIER,
///      critical    BOOLEAN DEFAULT FALSE,
///      extnValue   OCTET STRING  }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Extension {
    /// What it is.
    pub oid: Oid,
    /// Whether a program that does not know it must refuse.
    pub critical: bool,
    /// The octets inside the OCTET STRING.
    pub value: Vec<u8>,
}

impl Extension {
    /// Reads `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`, or an IMPLICIT tag for it. RFC 5280 §4.2: each at most once.
    pub(crate) fn list_from_element(
        element: &Element<'_>,
        structure: &'static str,
    ) -> Result<Vec<Self>> {
        let elements = element.children(structure)?.all(TSP_EXTENSIONS_MAX)?;
        if elements.is_empty() {
            return Err(element.error(ErrorKind::InvalidValue));
        }
        let mut extensions: Vec<Self> = Vec::with_capacity(elements.len());
        for element in elements {
            let extension = Self::from_element(&element)?;
            if extensions.iter().any(|other| other.oid == extension.oid) {
                return Err(element.error(ErrorKind::DuplicateElement));
            }
            extensions.push(extension);
        }
        Ok(extensions)
    }

    fn from_element(element: &Element<'_>) -> Result<Self> {
        if element.tag() != Tag::SEQUENCE {
            return Err(element.error(ErrorKind::UnexpectedTag));
        }
        let mut reader = element.children("Extension")?;
        let oid = reader.expect(Tag::OID)?.oid()?;
        let critical = match reader.optional(Tag::BOOLEAN)? {
            Some(element) => element.boolean()?,
            None => false,
        };
        let value = reader.expect(Tag::OCTET_STRING)?.octets()?.into_owned();
        reader.finish()?;
        Ok(Self {
            oid,
            critical,
            value,
        })
    }

    /// Writes DER.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.oid(&self.oid);
            if self.critical {
                w.boolean(true);
            }
            w.octet_string(&self.value);
        });
    }
}
