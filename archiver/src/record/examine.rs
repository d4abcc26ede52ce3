//! What can be told about a source before its content is stored: names, form, and what the document says about itself.

use std::collections::BTreeMap;
use std::io::Read;

use formats::error::ErrorKind;
use formats::limits::NAME_BYTES_MAX;
use formats::manifest::{Metadata, ObjectName};

use super::deposit::DepositRequest;
use super::outcome::DepositWarning;
use crate::class::PreservationClass;
use crate::intake::media_type::{self, MediaType};
use crate::intake::ubl::{UblDocument, UblError};
use crate::intake::{IntakeError, SourceName, metadata};

/// What is known of a source before its content is stored.
pub(super) struct Examined {
    pub(super) name: SourceName,
    pub(super) object_name: ObjectName,
    pub(super) head: Vec<u8>,
    /// The size, unless it is a stream whose end lies behind the head.
    pub(super) size: Option<u64>,
    pub(super) media_type: MediaType,
    pub(super) metadata: Metadata,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) warnings: Vec<DepositWarning>,
}

impl Examined {
    /// Looks at the head of a content.
    pub(super) fn new(
        name: SourceName,
        head: Vec<u8>,
        size: Option<u64>,
        request: &DepositRequest,
    ) -> Result<Self, IntakeError> {
        let object_name = match ObjectName::from_bytes(name.as_bytes()) {
            Ok(object_name) => object_name,
            Err(error) if error.kind() == ErrorKind::LimitExceeded => {
                let bytes_max = NAME_BYTES_MAX;
                return Err(IntakeError::NameTooLong { name, bytes_max });
            }
            Err(_) => return Err(IntakeError::BadName { name }),
        };
        let sniffed = head.get(..head.len().min(media_type::HEAD_BYTES));
        let mut media_type = MediaType::detect(sniffed.unwrap_or_default());
        let facts = std::mem::take(&mut media_type.facts);
        let warnings = if head.is_empty() {
            vec![DepositWarning::Empty]
        } else {
            Vec::new()
        };
        Ok(Self {
            name,
            object_name,
            head,
            size,
            media_type,
            metadata: request.given.clone(),
            facts,
            warnings,
        })
    }

    /// Whether the head is all of the content.
    pub(super) fn is_whole(&self) -> bool {
        self.size
            .is_some_and(|size| u64::try_from(self.head.len()) == Ok(size))
    }

    /// Adds what the document says about itself, and warns about search keys that are still missing. `content` is read from
    /// its beginning, and only where it can be an invoice.
    pub(super) fn read_document(&mut self, class: &PreservationClass, content: &mut dyn Read) {
        if self.media_type.is_xml && names_ubl(&self.head) {
            match UblDocument::read(content) {
                Ok(document) => self.take_document(class, &document),
                Err(error) => {
                    let why = error.name().to_owned();
                    self.facts.insert("metadata-unread".to_owned(), why);
                    if error != UblError::NotUbl {
                        self.warnings.push(DepositWarning::MetadataUnread(error));
                    }
                }
            }
        }
        let missing: Vec<_> = class
            .search_keys
            .iter()
            .copied()
            .filter(|key| !metadata::has(&self.metadata, *key))
            .collect();
        if !missing.is_empty() {
            self.warnings.push(DepositWarning::KeysMissing(missing));
        }
    }

    fn take_document(&mut self, class: &PreservationClass, document: &UblDocument) {
        let given = self.metadata.clone();
        self.metadata = metadata::merge(given.clone(), document.metadata(class.counterparty));
        let is_given = |key: &str| metadata::keys(&given).any(|other| other == key);
        let taken: Vec<&str> = metadata::keys(&self.metadata)
            .filter(|key| !is_given(key))
            .collect();
        let facts = &mut self.facts;
        facts.insert("metadata-from-document".to_owned(), taken.join(" "));
        facts.insert("document".to_owned(), format!("UBL {}", document.kind));
        if let Some(customization) = &document.customization {
            facts.insert("customization".to_owned(), customization.clone());
        }
    }
}

/// Whether a UBL namespace is declared near the beginning.
fn names_ubl(head: &[u8]) -> bool {
    let contains = |namespace: &[u8]| {
        head.windows(namespace.len())
            .any(|window| window == namespace)
    };
    contains(b"ubl:schema:xsd:Invoice-2") || contains(b"ubl:schema:xsd:CreditNote-2")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::request;
    use super::*;

    fn examined(content: &str, arguments: &[&str]) -> Examined {
        let request = request("received-invoice", arguments);
        let name = SourceName::from_bytes(*b"x");
        let mut examined = Examined::new(name, content.into(), Some(1), &request).unwrap();
        examined.read_document(request.class.policy(), &mut content.as_bytes());
        examined
    }

    const INVOICE: &str = "<Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\" \
        xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" \
        xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">\
        <cbc:IssueDate>2026-01-31</cbc:IssueDate><cac:LegalMonetaryTotal>\
        <cbc:PayableAmount currencyID=\"EUR\">5</cbc:PayableAmount></cac:LegalMonetaryTotal></Invoice>";

    #[test]
    fn facts_name_exactly_what_the_document_gave() {
        let all = examined(INVOICE, &[]);
        assert_eq!(all.facts["metadata-from-document"], "date amount currency");
        let some = examined(INVOICE, &["amount=7"]);
        assert_eq!(some.facts["metadata-from-document"], "date");
        assert_eq!(some.metadata.currency, None);
    }

    #[test]
    fn other_xml_is_not_read_and_draws_no_warning() {
        let page = examined(
            "<?xml version=\"1.0\"?><!DOCTYPE a []><a><b></a>",
            &["date=2026-01-31"],
        );
        assert!(page.facts.is_empty());
        assert_eq!(page.warnings.len(), 1, "{:?}", page.warnings);
        assert!(matches!(page.warnings[0], DepositWarning::KeysMissing(_)));
    }

    #[test]
    fn an_invoice_with_a_document_type_is_not_believed() {
        let hostile = examined(&format!("<!DOCTYPE Invoice []>{INVOICE}"), &[]);
        assert!(!hostile.media_type.is_xml || hostile.metadata.date.is_none());
        let hostile = examined(
            &format!("<?xml version=\"1.0\"?><!DOCTYPE Invoice []>{INVOICE}"),
            &[],
        );
        assert_eq!(
            hostile.warnings[0],
            DepositWarning::MetadataUnread(UblError::DocumentType)
        );
    }
}
