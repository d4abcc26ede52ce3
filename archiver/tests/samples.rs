//! The samples that ship with the program: every one is listed, can be deposited as it is listed, and is right in itself.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use archiver::class::ClassRegistry;
use archiver::intake::metadata::{self, Metadata};
use archiver::intake::ubl::UblDocument;
use archiver::intake::{MediaType, media_type};
use serde::Deserialize;
use time::macros::date;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    schema: String,
    sample: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    file: String,
    class: String,
    meta: Vec<String>,
}

impl Sample {
    fn given(&self) -> Metadata {
        metadata::from_arguments(self.meta.iter().map(String::as_str)).unwrap()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn index() -> Index {
    toml::from_str(&std::fs::read_to_string(folder().join("index.toml")).unwrap()).unwrap()
}

fn content(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap()
}

#[test]
fn every_file_is_listed() {
    let index = index();
    assert_eq!(index.schema, "urn:fumikura:samples:1");
    let listed: BTreeSet<_> = index
        .sample
        .iter()
        .map(|sample| sample.file.clone())
        .collect();
    let entries = std::fs::read_dir(folder()).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut present: BTreeSet<_> = files
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    assert!(present.remove("README.md") && present.remove("index.toml"));
    assert_eq!(listed, present);
}

/// Each has the search keys that its class wants, from the document or from the index.
#[test]
fn every_sample_can_be_found_by_the_keys_of_its_class() {
    let registry = ClassRegistry::built_in().unwrap();
    for sample in index().sample {
        let class = registry.class(&sample.class).unwrap().policy();
        let document = UblDocument::read(content(&sample.file).as_slice())
            .map(|document| document.metadata(class.counterparty));
        let metadata = metadata::merge(sample.given(), document.unwrap_or_default());
        for key in &class.search_keys {
            assert!(metadata::has(&metadata, *key), "{} {key:?}", sample.file);
        }
        if let Some(number) = metadata.registration_number {
            assert!(number.checks(), "{} {number}", sample.file);
        }
    }
}

#[test]
fn media_types_are_recognised() {
    for (file, name) in [
        ("invoice-jp-pint.xml", "xml"),
        ("receipt.pdf", "application/pdf"),
        ("contract.pdf", "application/pdf"),
        ("receipt-scan.jpg", "image/jpeg"),
        ("system.log", "text/"),
    ] {
        let content = content(file);
        let head = &content[..content.len().min(media_type::HEAD_BYTES)];
        let found = MediaType::detect(head).name;
        assert!(found.contains(name), "{file}: {found}");
    }
}

#[test]
fn the_invoice_tells_what_it_is_searched_by() {
    let registry = ClassRegistry::built_in().unwrap();
    let class = registry.class("received-invoice").unwrap().policy();
    let document = UblDocument::read(content("invoice-jp-pint.xml").as_slice()).unwrap();
    let metadata = document.metadata(class.counterparty);
    assert_eq!(metadata.date, Some(date!(2026 - 10 - 31)));
    assert_eq!(metadata.amount.unwrap().as_str(), "100512");
    assert_eq!(metadata.currency.unwrap().as_str(), "JPY");
    assert_eq!(
        metadata.counterparty.as_deref(),
        Some("株式会社架空事務器商会")
    );
    assert_eq!(metadata.customer.as_deref(), Some("見本製作所株式会社"));
    assert_eq!(metadata.document_number.as_deref(), Some("KJ-2026-1031"));
}

/// Values of an element, in the order of the document.
fn values(xml: &str, element: &str) -> Vec<u64> {
    let start = format!("<cbc:{element} ");
    let starts = xml.match_indices(&start).map(|(at, _)| &xml[at..]);
    starts
        .map(|rest| {
            rest[rest.find('>').unwrap() + 1..rest.find("</").unwrap()]
                .parse()
                .unwrap()
        })
        .collect()
}

#[test]
fn the_totals_of_the_invoice_add_up() {
    let xml = String::from_utf8(content("invoice-jp-pint.xml")).unwrap();
    let (nets, prices, quantities) = (
        values(&xml, "LineExtensionAmount"),
        values(&xml, "PriceAmount"),
        values(&xml, "InvoicedQuantity"),
    );
    let (total, lines) = nets.split_first().unwrap();
    assert_eq!(*total, lines.iter().sum::<u64>());
    let products: Vec<_> = prices
        .iter()
        .zip(&quantities)
        .map(|(price, quantity)| price * quantity)
        .collect();
    assert_eq!(lines, products);
    let (taxable, taxes) = (values(&xml, "TaxableAmount"), values(&xml, "TaxAmount"));
    assert_eq!(taxable.iter().sum::<u64>(), *total);
    assert_eq!(
        taxes,
        [taxes[1] + taxes[2], taxable[0] / 10, taxable[1] * 8 / 100]
    );
    assert_eq!(values(&xml, "TaxInclusiveAmount"), [total + taxes[0]]);
    assert_eq!(values(&xml, "PayableAmount"), [total + taxes[0]]);
}

#[test]
fn the_log_has_two_thousand_lines_of_one_day() {
    let log = String::from_utf8(content("system.log")).unwrap();
    assert_eq!(log.lines().count(), 2000);
    let times: Vec<_> = log
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert!(times.is_sorted() && times.iter().all(|time| time.starts_with("2026-11-20T")));
    assert!(
        log.lines()
            .all(|line| line.starts_with('<') && line.contains(">1 "))
    );
}

#[test]
fn the_scan_has_the_resolution_that_the_rules_ask() {
    let scan = content("receipt-scan.jpg");
    // JFIF: unit "per inch", 200 by 200.
    assert_eq!(scan[6..18], *b"JFIF\0\x01\x01\x01\0\xC8\0\xC8");
    assert!(scan.len() < 400_000);
}
