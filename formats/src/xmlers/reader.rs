//! From the document to the record, by the schema of RFC 6283 §8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ERS_NAMESPACE;
use super::record::{
    CanonicalizationMethod, CryptographicInformation, InformationKind, XmlArchiveTimeStamp,
    XmlArchiveTimeStampChain, XmlEvidenceRecord, XmlHashSequence, XmlToken,
};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{
    ATTRIBUTES_MAX, CMS_CERTIFICATES_MAX, EVIDENCE_CHAINS_MAX, EVIDENCE_HASHES_MAX,
    EVIDENCE_PARTIAL_TREES_MAX, EVIDENCE_TIME_STAMPS_MAX, XML_NAMESPACES_MAX,
};
use crate::xml::{Canonicalization, CanonicalizationKind, Content, Document, Element};

const EXCLUSIVE_NAMESPACE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Reads a record.
pub(super) fn read(document: Document) -> Result<XmlEvidenceRecord> {
    let root = document
        .root()
        .ok_or(error(ErrorKind::MissingElement, RECORD))?;
    if !is(&root, RECORD) {
        return Err(error(ErrorKind::WrongType, RECORD));
    }
    check_version(&root)?;
    let mut parts = Parts::of(&root, RECORD)?;
    let encryption = match parts.optional("EncryptionInformation") {
        Some(element) => Some(encryption_type(&element)?),
        None => None,
    };
    let supporting_information = match parts.optional("SupportingInformationList") {
        Some(list) => supporting_information(&list)?,
        None => Vec::new(),
    };
    let sequence = parts.required(SEQUENCE)?;
    parts.finish()?;
    let chains = Parts::of(&sequence, SEQUENCE)?.all(CHAIN, EVIDENCE_CHAINS_MAX)?;
    let chains = chains.iter().map(chain).collect::<Result<Vec<_>>>()?;
    check_order(chains.iter().map(|chain| chain.order), CHAIN)?;
    let sequence = sequence.id();
    Ok(XmlEvidenceRecord {
        encryption,
        supporting_information,
        chains,
        document,
        sequence,
    })
}

/// `1.0`, as two integers whose leading zeros do not count (RFC 6283 §6).
fn check_version(root: &Element<'_>) -> Result<()> {
    let text = attribute(root, "Version", RECORD)?;
    let (major, minor) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let number = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => Some("0".to_owned()),
        digits if !part.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.to_owned())
        }
        _ => None,
    };
    match (number(major).as_deref(), number(minor).as_deref()) {
        (Some("1"), Some("0")) => Ok(()),
        (Some(_), Some(_)) => Err(error(ErrorKind::UnsupportedVersion, RECORD)),
        _ => Err(error(ErrorKind::InvalidValue, RECORD)),
    }
}

fn encryption_type(element: &Element<'_>) -> Result<String> {
    const NAME: &str = "EncryptionInformation";
    let mut parts = Parts::of(element, NAME)?;
    let kind = text(&parts.required("EncryptionInformationType")?, NAME)?;
    parts.required("EncryptionInformationValue")?;
    parts.finish()?;
    Ok(kind.trim().to_owned())
}

fn supporting_information(list: &Element<'_>) -> Result<Vec<String>> {
    const NAME: &str = "SupportingInformationList";
    let parts = Parts::of(list, NAME)?.all("SupportingInformation", ATTRIBUTES_MAX)?;
    parts
        .iter()
        .map(|part| Ok(attribute(part, "Type", NAME)?.to_owned()))
        .collect()
}

fn chain(element: &Element<'_>) -> Result<XmlArchiveTimeStampChain> {
    let order = order(element, CHAIN)?;
    let mut parts = Parts::of(element, CHAIN)?;
    let digest = parts.required("DigestMethod")?;
    let digest_method = attribute(&digest, "Algorithm", "DigestMethod")?.to_owned();
    let canonicalization = canonicalization(&parts.required("CanonicalizationMethod")?)?;
    let stamps = parts.all(TIME_STAMP, EVIDENCE_TIME_STAMPS_MAX)?;
    let time_stamps = stamps.iter().map(stamp).collect::<Result<Vec<_>>>()?;
    check_order(time_stamps.iter().map(|stamp| stamp.order), TIME_STAMP)?;
    Ok(XmlArchiveTimeStampChain {
        order,
        digest_method,
        canonicalization,
        time_stamps,
        element: element.id(),
    })
}

/// The method and its one known parameter, the list of prefixes of the exclusive form.
fn canonicalization(element: &Element<'_>) -> Result<CanonicalizationMethod> {
    const NAME: &str = "CanonicalizationMethod";
    let uri = attribute(element, "Algorithm", NAME)?.trim().to_owned();
    let mut method = Canonicalization::from_uri(&uri);
    for parameter in element.elements() {
        let is_list = parameter.namespace() == EXCLUSIVE_NAMESPACE
            && parameter.name() == "InclusiveNamespaces";
        match &mut method {
            Some(method) if is_list && method.kind == CanonicalizationKind::Exclusive10 => {
                let list = parameter.attribute("PrefixList").unwrap_or_default();
                for prefix in list.split_ascii_whitespace() {
                    if method.inclusive_prefixes.len() >= XML_NAMESPACES_MAX {
                        return Err(error(ErrorKind::LimitExceeded, NAME));
                    }
                    let prefix = if prefix == "#default" { "" } else { prefix };
                    method.inclusive_prefixes.push(prefix.to_owned());
                }
            }
            // A parameter that is not known here changes the meaning in a way that is not known.
            _ => method = None,
        }
    }
    Ok(CanonicalizationMethod { uri, method })
}

fn stamp(element: &Element<'_>) -> Result<XmlArchiveTimeStamp> {
    let order = order(element, TIME_STAMP)?;
    let mut parts = Parts::of(element, TIME_STAMP)?;
    let hash_tree = match parts.optional(TREE) {
        Some(tree) => Some(hash_tree(&tree)?),
        None => None,
    };
    let time_stamp = parts.required("TimeStamp")?;
    let attributes = match parts.optional("Attributes") {
        Some(list) => Parts::of(&list, "Attributes")?
            .all("Attribute", ATTRIBUTES_MAX)?
            .len(),
        None => 0,
    };
    parts.finish()?;
    let mut parts = Parts::of(&time_stamp, "TimeStamp")?;
    let token = token(&parts.required(TOKEN)?)?;
    let information = match parts.optional(INFORMATION) {
        Some(list) => information(&list)?,
        None => Vec::new(),
    };
    parts.finish()?;
    Ok(XmlArchiveTimeStamp {
        order,
        hash_tree,
        token,
        information,
        attributes,
        time_stamp: time_stamp.id(),
    })
}

fn hash_tree(element: &Element<'_>) -> Result<Vec<XmlHashSequence>> {
    let lists = Parts::of(element, TREE)?.all("Sequence", EVIDENCE_PARTIAL_TREES_MAX)?;
    let mut count = 0_usize;
    let mut tree = Vec::with_capacity(lists.len());
    for list in lists {
        let left = EVIDENCE_HASHES_MAX.saturating_sub(count);
        let values = Parts::of(&list, TREE)?.all("DigestValue", left)?;
        count = count.saturating_add(values.len());
        let values = values
            .iter()
            .map(|value| decode(&text(value, "DigestValue")?, "DigestValue"))
            .collect::<Result<Vec<_>>>()?;
        let order = order(&list, TREE)?;
        tree.push(XmlHashSequence { order, values });
    }
    check_order(tree.iter().map(|list| list.order), TREE)?;
    Ok(tree)
}

fn token(element: &Element<'_>) -> Result<XmlToken> {
    match attribute(element, "Type", TOKEN)?.trim() {
        "RFC3161" => Ok(XmlToken::Rfc3161(decode(&text(element, TOKEN)?, TOKEN)?)),
        other => Ok(XmlToken::Other(other.to_owned())),
    }
}

fn information(list: &Element<'_>) -> Result<Vec<CryptographicInformation>> {
    let parts = Parts::of(list, INFORMATION)?;
    let parts = parts.all("CryptographicInformation", CMS_CERTIFICATES_MAX)?;
    let mut orders = Vec::with_capacity(parts.len());
    let mut information = Vec::with_capacity(parts.len());
    for part in &parts {
        orders.push(order(part, INFORMATION)?);
        let kind = match attribute(part, "Type", INFORMATION)?.trim() {
            "CERT" => InformationKind::Certificate,
            "CRL" => InformationKind::Crl,
            "OCSP" => InformationKind::Ocsp,
            "SCVP" => InformationKind::Scvp,
            _ => InformationKind::Other,
        };
        let bytes = if kind == InformationKind::Other {
            Vec::new()
        } else {
            decode(&text(part, INFORMATION)?, INFORMATION)?
        };
        information.push(CryptographicInformation { kind, bytes });
    }
    check_order(orders.into_iter(), INFORMATION)?;
    Ok(information)
}

/// The elements of an element whose type has no text, taken in the order of the schema.
struct Parts<'d> {
    left: std::iter::Peekable<std::vec::IntoIter<Element<'d>>>,
    structure: &'static str,
}

impl<'d> Parts<'d> {
    fn of(element: &Element<'d>, structure: &'static str) -> Result<Self> {
        let mut parts = Vec::new();
        for content in element.contents() {
            match content {
                Content::Element(part) => parts.push(part),
                Content::Text(text) if text.trim_ascii().is_empty() => {}
                Content::Text(_) => return Err(error(ErrorKind::InvalidXml, structure)),
            }
        }
        Ok(Self {
            left: parts.into_iter().peekable(),
            structure,
        })
    }

    fn optional(&mut self, name: &str) -> Option<Element<'d>> {
        self.left.next_if(|next| is(next, name))
    }

    fn required(&mut self, name: &str) -> Result<Element<'d>> {
        self.optional(name).ok_or(error(
            match self.left.peek() {
                Some(_) => ErrorKind::WrongType,
                None => ErrorKind::MissingElement,
            },
            self.structure,
        ))
    }

    /// The rest, of one name, at least one.
    fn all(mut self, name: &str, most: usize) -> Result<Vec<Element<'d>>> {
        let mut found = vec![self.required(name)?];
        while let Some(next) = self.optional(name) {
            found.push(next);
        }
        if found.len() > most {
            return Err(error(ErrorKind::LimitExceeded, self.structure));
        }
        self.finish()?;
        Ok(found)
    }

    fn finish(mut self) -> Result<()> {
        match self.left.next() {
            None => Ok(()),
            Some(_) => Err(error(ErrorKind::WrongType, self.structure)),
        }
    }
}

fn is(element: &Element<'_>, name: &str) -> bool {
    element.namespace() == ERS_NAMESPACE && element.name() == name
}

fn attribute<'d>(element: &Element<'d>, name: &str, structure: &'static str) -> Result<&'d str> {
    element
        .attribute(name)
        .ok_or(error(ErrorKind::MissingElement, structure))
}

/// A positive number (`OrderType`).
fn order(element: &Element<'_>, structure: &'static str) -> Result<u32> {
    let text = attribute(element, "Order", structure)?.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits
        .parse::<u32>()
        .ok()
        .filter(|value| number && *value >= 1 && i32::try_from(*value).is_ok());
    value.ok_or(error(ErrorKind::InvalidValue, structure))
}

/// The order of the elements is the order that they state, and no two state the same (RFC 6283 §2.1).
fn check_order(orders: impl Iterator<Item = u32>, structure: &'static str) -> Result<()> {
    let mut last = 0;
    for order in orders {
        if order <= last {
            return Err(error(ErrorKind::InvalidValue, structure));
        }
        last = order;
    }
    Ok(())
}

/// The characters of an element that has no elements in it.
fn text(element: &Element<'_>, structure: &'static str) -> Result<String> {
    let mut text = String::new();
    for content in element.contents() {
        match content {
            Content::Text(part) => text.push_str(part),
            Content::Element(_) => return Err(error(ErrorKind::WrongType, structure)),
        }
    }
    Ok(text)
}

/// `xs:base64Binary`: white space may stand anywhere. An empty value is none here.
fn decode(text: &str, structure: &'static str) -> Result<Vec<u8>> {
    let mut text = text.to_owned();
    text.retain(|character| !character.is_ascii_whitespace());
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| error(ErrorKind::InvalidValue, structure))?;
    if bytes.is_empty() {
        return Err(error(ErrorKind::InvalidValue, structure));
    }
    Ok(bytes)
}

const fn error(kind: ErrorKind, structure: &'static str) -> FormatError {
    FormatError::new(kind, structure)
}

const RECORD: &str = "EvidenceRecord";
const SEQUENCE: &str = "ArchiveTimeStampSequence";
const CHAIN: &str = "ArchiveTimeStampChain";
const TIME_STAMP: &str = "ArchiveTimeStamp";
const TREE: &str = "HashTree";
const TOKEN: &str = "TimeStampToken";
const INFORMATION: &str = "CryptographicInformationList";
