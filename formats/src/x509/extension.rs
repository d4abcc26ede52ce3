//! Extensions, as requests, tokens and certificates carry them.

use crate::der::typed::{Flag, FromElement, decode, rasn_type, read_list};
use crate::der::{Element, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::limits::TSP_EXTENSIONS_MAX;
use crate::oid::Oid;
use rasn::{AsnType, Decode, Decoder as _};

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

/// `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`. RFC 5280 §4.2: each at most once.
#[derive(Debug)]
pub(crate) struct Extensions(pub(crate) Vec<Extension>);

impl Extension {
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

#[derive(AsnType, Decode)]
struct Members {
    extn_id: Oid,
    #[rasn(default)]
    critical: Flag,
    extn_value: rasn::types::OctetString,
}

impl FromElement for Extension {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: Members = decode(element, "Extension")?;
        Ok(Self {
            oid: members.extn_id,
            critical: members.critical.0,
            value: members.extn_value.to_vec(),
        })
    }
}

impl FromElement for Extensions {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let list: Vec<Extension> = read_list(element, "Extensions", TSP_EXTENSIONS_MAX)?;
        if list.is_empty() {
            return Err(element.error(ErrorKind::InvalidValue));
        }
        let mut known = std::collections::BTreeSet::new();
        if list.iter().all(|extension| known.insert(&extension.oid)) {
            return Ok(Self(list));
        }
        Err(element.error(ErrorKind::DuplicateElement))
    }
}

rasn_type!(Extensions);
