//! What an invoice says about itself: UBL 2.1 `Invoice` and `CreditNote`, which JP PINT is written in.
//!
//! Read are, with the JP PINT business terms: IBT-001 number, IBT-002 issue date, IBT-115 amount due for payment and its
//! currency, IBT-027/028 seller, IBT-044/045 buyer, IBT-031 the seller's registration number. A document inside an
//! envelope (SBDH) is found too. No document type declaration, no entity but the five of XML, bounded depth and size.

use std::io::{self, Read};

use formats::manifest::{Amount, Currency, RegistrationNumber};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use time::Date;

use super::date;
use super::metadata::{self, Metadata};
use super::text_window::TextWindow;
use crate::class::Counterparty;

/// What was found in a UBL document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UblDocument {
    /// `Invoice` or `CreditNote`.
    pub kind: &'static str,
    /// The specification that the document claims to follow (IBT-024).
    pub customization: Option<String>,
    issue_date: Option<Date>,
    number: Option<String>,
    amount: Option<Amount>,
    currency: Option<Currency>,
    supplier: Party,
    customer: Party,
}

/// A party of an invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Party {
    registered_name: Option<String>,
    trading_name: Option<String>,
    registration_number: Option<RegistrationNumber>,
}

/// Why nothing was read out of a document. The document is deposited all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UblError {
    /// Not well-formed, or not UTF-8.
    Malformed,
    /// No UBL invoice or credit note in it.
    NotUbl,
    /// It has a document type declaration, which UBL documents have not and which can hide what a document says.
    DocumentType,
    /// Deeper or larger than an invoice's header can be.
    TooLarge,
    /// Reading failed; the deposit itself will meet the same failure.
    Unreadable,
}

impl UblError {
    /// A word for the record's facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotUbl => "not-ubl",
            Self::DocumentType => "document-type-declaration",
            Self::TooLarge => "too-large",
            Self::Unreadable => "unreadable",
        }
    }
}

impl UblDocument {
    /// Reads the header of a UBL document; stops at its first line item.
    ///
    /// # Errors
    /// See [`UblError`].
    pub fn read(source: impl Read) -> Result<Self, UblError> {
        let mut reader = NsReader::from_reader(TextWindow::new(source));
        reader
            .resolver_mut()
            .set_max_namespace_bindings(NAMESPACES_MAX);
        let mut header = Header::default();
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let (namespace, event) = match reader.read_resolved_event_into(&mut buffer) {
                Ok(resolved) => resolved,
                Err(error) => return Err(read_error(&error)),
            };
            let step = match event {
                Event::Start(start) => header.enter(&namespace, &start)?,
                Event::End(_) => header.leave(),
                Event::Text(text) => header.text(&text.xml10_content()),
                Event::CData(text) => header.text(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = reference
                        .resolve_char_ref()
                        .map_err(|_| UblError::Malformed)?;
                    match resolved.or_else(|| predefined(&reference.xml10_content())) {
                        Some(character) => header.text(character.encode_utf8(&mut [0; 4])),
                        None => return Err(UblError::Malformed),
                    }
                }
                Event::DocType(_) => return Err(UblError::DocumentType),
                Event::Eof => Step::End,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Step::Go,
            };
            if matches!(step, Step::End) {
                return header.finish();
            }
        }
    }

    /// The search metadata; which party is the counterparty depends on who received the document.
    #[must_use]
    pub fn metadata(&self, counterparty: Counterparty) -> Metadata {
        let supplier = self.supplier.name();
        let customer = self.customer.name();
        let other_side = match counterparty {
            Counterparty::Supplier => &supplier,
            Counterparty::Customer => &customer,
        };
        Metadata {
            date: self.issue_date,
            amount: self.amount.clone(),
            currency: self.currency,
            counterparty: other_side.clone(),
            document_number: self.number.clone(),
            registration_number: self.supplier.registration_number.clone(),
            supplier,
            customer,
            ..Metadata::default()
        }
    }

    fn set(&mut self, field: Field, text: &str) {
        match field {
            Field::Customization => self.customization = metadata::line(text),
            Field::Number => self.number = metadata::line(text),
            Field::IssueDate => self.issue_date = date::parse(text),
            Field::Amount => self.amount = metadata::amount_value(text),
            Field::SupplierName => self.supplier.registered_name = metadata::line(text),
            Field::SupplierTradingName => self.supplier.trading_name = metadata::line(text),
            Field::SupplierTaxNumber => set_number(&mut self.supplier, text),
            Field::CustomerName => self.customer.registered_name = metadata::line(text),
            Field::CustomerTradingName => self.customer.trading_name = metadata::line(text),
            Field::CustomerTaxNumber => set_number(&mut self.customer, text),
        }
    }
}

impl Party {
    fn name(&self) -> Option<String> {
        self.registered_name
            .clone()
            .or_else(|| self.trading_name.clone())
    }
}

/// A party may state several tax numbers; the registration number is the one that has its form.
fn set_number(party: &mut Party, text: &str) {
    if party.registration_number.is_none() {
        // One of the published JP PINT examples has a stray `>` before the number.
        let text = text.trim().trim_start_matches('>');
        party.registration_number = metadata::registration_number(text);
    }
}

/// The fields read, each at one place of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Customization,
    Number,
    IssueDate,
    Amount,
    SupplierName,
    SupplierTradingName,
    SupplierTaxNumber,
    CustomerName,
    CustomerTradingName,
    CustomerTaxNumber,
}

impl Field {
    fn at(path: &[String]) -> Option<Self> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["CustomizationID"] => Some(Self::Customization),
            ["ID"] => Some(Self::Number),
            ["IssueDate"] => Some(Self::IssueDate),
            ["LegalMonetaryTotal", "PayableAmount"] => Some(Self::Amount),
            ["AccountingSupplierParty", "Party", place @ ..] => match place {
                ["PartyLegalEntity", "RegistrationName"] => Some(Self::SupplierName),
                ["PartyName", "Name"] => Some(Self::SupplierTradingName),
                ["PartyTaxScheme", "CompanyID"] => Some(Self::SupplierTaxNumber),
                _ => None,
            },
            ["AccountingCustomerParty", "Party", place @ ..] => match place {
                ["PartyLegalEntity", "RegistrationName"] => Some(Self::CustomerName),
                ["PartyName", "Name"] => Some(Self::CustomerTradingName),
                ["PartyTaxScheme", "CompanyID"] => Some(Self::CustomerTaxNumber),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether to read on.
enum Step {
    Go,
    End,
}

/// Where the reading stands.
#[derive(Debug, Default)]
struct Header {
    document: Option<UblDocument>,
    /// Elements outside the document: an envelope.
    outside: usize,
    /// Names below the document element; empty names stand for elements of foreign namespaces.
    path: Vec<String>,
    field: Option<Field>,
    text: String,
}

impl Header {
    fn enter(
        &mut self,
        namespace: &ResolveResult<'_>,
        start: &BytesStart<'_>,
    ) -> Result<Step, UblError> {
        let local = start.local_name();
        let local: &str = local.as_ref();
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.as_ref(),
            ResolveResult::Unbound | ResolveResult::Unknown(_) => "",
        };
        if self.outside + self.path.len() >= DEPTH_MAX {
            return Err(UblError::TooLarge);
        }
        let Some(document) = &mut self.document else {
            match DOCUMENTS
                .iter()
                .find(|(uri, name)| *uri == namespace && *name == local)
            {
                Some((_, kind)) => {
                    self.document = Some(UblDocument {
                        kind,
                        ..UblDocument::default()
                    });
                }
                None => self.outside += 1,
            }
            return Ok(Step::Go);
        };
        if namespace == AGGREGATE && matches!(local, "InvoiceLine" | "CreditNoteLine") {
            return Ok(Step::End);
        }
        let is_ubl = matches!(namespace, AGGREGATE | BASIC);
        self.path.push(if is_ubl {
            local.to_owned()
        } else {
            String::new()
        });
        self.field = Field::at(&self.path);
        self.text.clear();
        if self.field == Some(Field::Amount) {
            document.currency = currency_of(start);
        }
        Ok(Step::Go)
    }

    fn leave(&mut self) -> Step {
        let Some(document) = &mut self.document else {
            self.outside = self.outside.saturating_sub(1);
            return Step::Go;
        };
        if let Some(field) = self.field.take() {
            document.set(field, &self.text);
        }
        if self.path.pop().is_none() {
            return Step::End;
        }
        Step::Go
    }

    fn text(&mut self, text: &str) -> Step {
        if self.field.is_some() && self.text.len() + text.len() <= FIELD_BYTES_MAX {
            self.text.push_str(text);
        } else {
            // Too long to be any field: forget the field rather than keep half of it.
            self.field = None;
        }
        Step::Go
    }

    fn finish(self) -> Result<UblDocument, UblError> {
        let mut document = self.document.ok_or(UblError::NotUbl)?;
        if document.amount.is_none() {
            document.currency = None;
        }
        Ok(document)
    }
}

fn currency_of(start: &BytesStart<'_>) -> Option<Currency> {
    let attribute = start.try_get_attribute("currencyID").ok()??;
    metadata::currency(&attribute.value)
}

fn predefined(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn read_error(error: &quick_xml::Error) -> UblError {
    match error {
        quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            UblError::TooLarge
        }
        quick_xml::Error::Io(_) => UblError::Unreadable,
        quick_xml::Error::Syntax(_)
        | quick_xml::Error::IllFormed(_)
        | quick_xml::Error::InvalidAttr(_)
        | quick_xml::Error::Encoding(_)
        | quick_xml::Error::Escape(_)
        | quick_xml::Error::Namespace(_) => UblError::Malformed,
    }
}

/// The documents, by namespace and name.
pub(crate) const DOCUMENTS: [(&str, &str); 2] = [
    (
        "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
        "Invoice",
    ),
    (
        "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
        "CreditNote",
    ),
];

/// The namespace of elements that hold others.
pub(crate) const AGGREGATE: &str =
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";

/// The namespace of elements that hold a value.
pub(crate) const BASIC: &str =
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

/// UBL headers are six elements deep; an envelope adds two.
const DEPTH_MAX: usize = 64;

/// The longest field is one line of text.
const FIELD_BYTES_MAX: usize = 4096;

/// The published examples declare ten namespaces.
const NAMESPACES_MAX: usize = 256;

#[cfg(test)]
#[path = "ubl_tests.rs"]
mod tests;
