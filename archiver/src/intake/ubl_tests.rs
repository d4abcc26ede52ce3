//! Tests of reading UBL documents.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

const NAMESPACES: &str = concat!(
    "xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\" ",
    "xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" ",
    "xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\"",
);

fn invoice(body: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Invoice {NAMESPACES}>{body}</Invoice>")
}

fn read(xml: &str) -> Result<Metadata, UblError> {
    UblDocument::read(xml.as_bytes()).map(|document| document.metadata(Counterparty::Supplier))
}

fn shown(field: Option<impl ToString>) -> String {
    field.map(|value| value.to_string()).unwrap_or_default()
}

#[test]
fn header_fields_are_read_with_entities_and_cdata() {
    let xml = invoice(
        "<cbc:ID>A&amp;B-&#x31;</cbc:ID><cbc:IssueDate> 2026-01-31 </cbc:IssueDate>\
         <cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name><![CDATA[株式会社<文蔵>]]></cbc:Name>\
         </cac:PartyName></cac:Party></cac:AccountingSupplierParty>\
         <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID=\"JPY\">110000</cbc:PayableAmount></cac:LegalMonetaryTotal>",
    );
    let metadata = read(&xml).unwrap();
    assert_eq!(metadata.document_number.as_deref(), Some("A&B-1"));
    assert_eq!(shown(metadata.date), "2026-01-31");
    assert_eq!(metadata.counterparty.as_deref(), Some("株式会社<文蔵>"));
    assert_eq!(shown(metadata.amount), "110000");
    assert_eq!(metadata.currency, Some(Currency::JPY));
}

#[test]
fn the_customer_is_the_counterparty_of_an_issued_invoice() {
    let party = |side: &str, name: &str| {
        format!(
            "<cac:Accounting{side}Party><cac:Party><cac:PartyLegalEntity>\
             <cbc:RegistrationName>{name}</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:Accounting{side}Party>"
        )
    };
    let xml = invoice(&(party("Supplier", "売手") + &party("Customer", "買手")));
    let document = UblDocument::read(xml.as_bytes()).unwrap();
    let name = |side| document.metadata(side).counterparty;
    assert_eq!(name(Counterparty::Supplier).as_deref(), Some("売手"));
    assert_eq!(name(Counterparty::Customer).as_deref(), Some("買手"));
}

#[test]
fn fields_of_line_items_and_references_are_not_taken() {
    let xml = invoice(
        "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>old</cbc:ID>\
         <cbc:IssueDate>2020-01-01</cbc:IssueDate></cac:InvoiceDocumentReference></cac:BillingReference>\
         <cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine><cbc:ID>late</cbc:ID>",
    );
    assert_eq!(read(&xml), Ok(Metadata::default()));
}

#[test]
fn foreign_namespaces_are_not_taken() {
    let xml = invoice("<x:ID xmlns:x=\"urn:other\">1</x:ID><ID>2</ID>");
    assert_eq!(read(&xml), Ok(Metadata::default()));
    assert_eq!(read("<Invoice><ID>1</ID></Invoice>"), Err(UblError::NotUbl));
}

#[test]
fn an_enveloped_invoice_is_found() {
    let inner = invoice("<cbc:ID>7</cbc:ID>");
    let inner = inner.split_once('\n').unwrap().1;
    let xml = format!("<StandardBusinessDocument><Header/>{inner}</StandardBusinessDocument>");
    assert_eq!(read(&xml).unwrap().document_number.as_deref(), Some("7"));
}

#[test]
fn values_without_the_right_form_are_left_out() {
    let xml = invoice(
        "<cbc:IssueDate>yesterday</cbc:IssueDate><cac:LegalMonetaryTotal>\
         <cbc:PayableAmount currencyID=\"JPY\">much</cbc:PayableAmount></cac:LegalMonetaryTotal>",
    );
    assert_eq!(read(&xml), Ok(Metadata::default()));
}

#[test]
fn a_large_attachment_does_not_hide_the_rest() {
    let attachment = "QUJD".repeat(1_000_000);
    let xml = invoice(&format!(
        "<cac:AdditionalDocumentReference><cac:Attachment><cbc:EmbeddedDocumentBinaryObject>{attachment}\
         </cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>\
         <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID=\"JPY\">5</cbc:PayableAmount></cac:LegalMonetaryTotal>"
    ));
    assert_eq!(shown(read(&xml).unwrap().amount), "5");
}

#[test]
fn hostile_documents_are_refused() {
    let billion_laughs = format!(
        "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><Invoice {NAMESPACES}><cbc:ID xmlns:cbc=\"x\">&a;</cbc:ID></Invoice>"
    );
    assert_eq!(read(&billion_laughs), Err(UblError::DocumentType));
    assert_eq!(
        read(&invoice("<cbc:ID>&unknown;</cbc:ID>")),
        Err(UblError::Malformed)
    );
    assert_eq!(read(&"<a>".repeat(DEPTH_MAX + 1)), Err(UblError::TooLarge));
    assert_eq!(
        read(&invoice(&"<a></a>".repeat(1_000_000))),
        Err(UblError::TooLarge)
    );
}

#[test]
fn broken_documents_are_refused() {
    assert_eq!(
        read(&invoice("<cbc:ID>1</cbc:Wrong>")),
        Err(UblError::Malformed)
    );
    assert_eq!(read("plain text"), Err(UblError::NotUbl));
    assert_eq!(read(""), Err(UblError::NotUbl));
    let latin = invoice("<cbc:ID>\u{e9}</cbc:ID>").replace('\u{e9}', "?");
    let mut bytes = latin.into_bytes();
    let place = bytes.iter().rposition(|byte| *byte == b'?').unwrap();
    bytes[place] = 0xe9;
    assert_eq!(UblDocument::read(&bytes[..]), Err(UblError::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_end_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _unused = UblDocument::read(&bytes[..]);
        let mut wrapped = invoice("").into_bytes();
        wrapped.truncate(wrapped.len() - "</Invoice>".len());
        wrapped.extend(bytes);
        let _unused = UblDocument::read(&wrapped[..]);
    }
}

/// Every published JP PINT example gives date, amount, currency, number and both parties.
#[test]
fn jp_pint_examples_are_read() {
    let corpus = std::env::var_os("FUMIKURA_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(corpus.join("jp-pint")) else {
        println!("left out: no JP PINT corpus (set FUMIKURA_CORPUS)");
        return;
    };
    let mut with_number = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let file = std::fs::File::open(&path).unwrap();
        let document = UblDocument::read(file).unwrap();
        let metadata = document.metadata(Counterparty::Supplier);
        assert_eq!(document.kind, "Invoice", "{path:?}");
        assert!(document.customization.is_some(), "{path:?}");
        assert!(shown(metadata.date).starts_with("2023-1"));
        assert!(
            ["JPY", "EUR"].contains(&shown(metadata.currency).as_str()),
            "{path:?}"
        );
        assert!(metadata.amount.is_some() && metadata.document_number.is_some());
        assert!(metadata.supplier.is_some(), "{path:?}");
        assert!(metadata.customer.is_some(), "{path:?}");
        assert_eq!(metadata.counterparty, metadata.supplier);
        if let Some(number) = metadata.registration_number {
            assert!(number.as_str().starts_with('T'), "{path:?}");
            with_number += 1;
        }
    }
    assert!(with_number > 0);
}
