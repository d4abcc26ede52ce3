//! The main job and its bad inputs, through the programs, as their users meet them.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and moves and writes files that are not the archive's"
)]

mod backup_custodians;
mod bad_input;
mod bad_tsa;
mod bulk;
mod custody;
mod destroying;
mod disk_full;
mod export;
mod intake;
mod intake_damage;
mod keys;
mod lines;
mod losing;
mod main_job;
mod material;
mod media;
mod offline;
mod rebuild;
mod renewal;
mod scrub;
mod service;
mod token;
mod token_rotation;

use serde_json::Value;

/// The lines of an event stream that are of one kind.
fn events<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == kind).collect()
}

/// A small UBL invoice, made for these tests.
fn invoice(number: &str, date: &str, amount: &str, supplier: &str) -> Vec<u8> {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:CustomizationID>urn:peppol:pint:billing-1@jp-1</cbc:CustomizationID>
 <cbc:ID>{number}</cbc:ID>
 <cbc:IssueDate>{date}</cbc:IssueDate>
 <cbc:DocumentCurrencyCode>JPY</cbc:DocumentCurrencyCode>
 <cac:AccountingSupplierParty><cac:Party>
  <cac:PartyTaxScheme><cbc:CompanyID>T1234567890123</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>{supplier}</cbc:RegistrationName></cac:PartyLegalEntity>
 </cac:Party></cac:AccountingSupplierParty>
 <cac:AccountingCustomerParty><cac:Party>
  <cac:PartyLegalEntity><cbc:RegistrationName>株式会社受取</cbc:RegistrationName></cac:PartyLegalEntity>
 </cac:Party></cac:AccountingCustomerParty>
 <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="JPY">{amount}</cbc:PayableAmount></cac:LegalMonetaryTotal>
</Invoice>
"#
    )
    .into_bytes()
}
