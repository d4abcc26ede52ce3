//! Invoices as they come, and what is none.

use super::*;

/// A small invoice.
pub(crate) fn small() -> String {
    let (root, aggregate, basic) = (DOCUMENTS[0].0, AGGREGATE, BASIC);
    format!(
        r#"<?xml version="1.0"?><Invoice xmlns="{root}" xmlns:a="{aggregate}" xmlns:b="{basic}">
        <b:ID>A-7</b:ID><b:IssueDate>2026-04-01</b:IssueDate><b:Note>一回目 &amp; 二回目</b:Note>
        <a:AccountingSupplierParty><a:Party><a:PartyName><b:Name>青空</b:Name></a:PartyName>
          <a:PostalAddress><b:CityName>新宿区</b:CityName><b:PostalZone>1600044</b:PostalZone></a:PostalAddress>
          <a:PartyLegalEntity><b:RegistrationName>株式会社<!-- x -->青空</b:RegistrationName></a:PartyLegalEntity></a:Party></a:AccountingSupplierParty>
        <a:TaxTotal><b:TaxAmount currencyID="JPY">100</b:TaxAmount></a:TaxTotal>
        <a:LegalMonetaryTotal><b:TaxExclusiveAmount currencyID="JPY">1000</b:TaxExclusiveAmount>
          <b:TaxInclusiveAmount currencyID="JPY">1100</b:TaxInclusiveAmount><b:PayableAmount currencyID="JPY">1100</b:PayableAmount></a:LegalMonetaryTotal>
        <a:InvoiceLine><b:ID>1</b:ID><b:InvoicedQuantity unitCode="H87">2</b:InvoicedQuantity>
          <b:LineExtensionAmount currencyID="JPY">1000</b:LineExtensionAmount>
          <a:Item><b:Name>紙</b:Name><a:ClassifiedTaxCategory><b:ID>S</b:ID><b:Percent>10</b:Percent></a:ClassifiedTaxCategory></a:Item>
          <a:Price><b:PriceAmount currencyID="JPY">500</b:PriceAmount></a:Price></a:InvoiceLine>
        </Invoice>"#
    )
}

fn yen(amount: &str) -> Money {
    Money {
        amount: amount.to_owned(),
        currency: "JPY".to_owned(),
    }
}

#[test]
fn an_invoice_is_read_as_it_states_itself() {
    let invoice = Invoice::read(&small()).unwrap();
    assert_eq!(
        invoice.facts,
        [
            (Fact::Number, "A-7".to_owned()),
            (Fact::IssueDate, "2026-04-01".to_owned())
        ]
    );
    assert_eq!(invoice.seller.name, "株式会社青空");
    assert_eq!(invoice.seller.trading_name.as_deref(), Some("青空"));
    assert_eq!(invoice.seller.address, ["1600044", "新宿区"]);
    assert_eq!(invoice.buyer, Party::default());
    assert_eq!(invoice.notes, ["一回目 & 二回目"]);
    let totals = [
        (Total::WithoutTax, yen("1000")),
        (Total::Tax, yen("100")),
        (Total::WithTax, yen("1100")),
        (Total::Due, yen("1100")),
    ];
    assert_eq!(invoice.totals, totals);
    let line = &invoice.lines[0];
    assert_eq!(
        (
            line.quantity.as_str(),
            line.unit.as_str(),
            line.tax.as_str()
        ),
        ("2", "H87", "S 10%")
    );
    assert_eq!(
        (&line.price, &line.amount),
        (&Some(yen("500")), &Some(yen("1000")))
    );
}

#[test]
fn an_invoice_in_an_envelope_is_found() {
    let xml = small().replace("<?xml version=\"1.0\"?>", "");
    let wrapped = format!("<Envelope xmlns=\"urn:other\"><Header/>{xml}</Envelope>");
    assert_eq!(Invoice::read(&wrapped), Invoice::read(&small()));
}

#[test]
fn what_is_no_invoice_is_none() {
    let xml = small();
    for bad in [
        String::new(),
        "text".to_owned(),
        "<a/>".to_owned(),
        xml.replace("Invoice-2", "Invoice-3"),
        xml.replace("</Invoice>", ""),
        xml.replace(
            "<Invoice ",
            "<!DOCTYPE Invoice [<!ENTITY a \"b\">]><Invoice ",
        ),
    ] {
        assert_eq!(Invoice::read(&bad), None, "{bad}");
    }
}

#[test]
fn elements_of_other_namespaces_say_nothing() {
    let xml = small().replace("<b:ID>A-7</b:ID>", "<ID xmlns=\"urn:other\">B-8</ID>");
    let invoice = Invoice::read(&xml).unwrap();
    assert_eq!(invoice.facts, [(Fact::IssueDate, "2026-04-01".to_owned())]);
}

#[test]
fn a_document_of_endless_elements_is_not_read() {
    let lines = "<x/>".repeat(NODES_MAX as usize);
    let xml = small().replace("</Invoice>", &format!("{lines}</Invoice>"));
    assert_eq!(Invoice::read(&xml), None);
}

#[test]
fn deep_nesting_is_refused_or_read_but_never_a_crash() {
    let deep = format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000));
    let xml = small().replace("</Invoice>", &format!("{deep}</Invoice>"));
    // On the small stack of a worker.
    let read = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || Invoice::read(&xml).map(|invoice| invoice.lines.len()))
        .unwrap();
    assert!(matches!(read.join().unwrap(), None | Some(1)));
}

#[test]
fn the_published_examples_are_read_whole() {
    let folder = std::env::var_os("FUMIKURA_CORPUS").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus")),
        Into::into,
    );
    let Ok(files) = std::fs::read_dir(folder.join("jp-pint")) else {
        println!("left out: no JP PINT corpus (set FUMIKURA_CORPUS)");
        return;
    };
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "xml") {
            continue;
        }
        let xml = std::fs::read_to_string(&path).unwrap();
        let invoice = Invoice::read(&xml).unwrap_or_else(|| panic!("{}", path.display()));
        assert!(!invoice.seller.name.is_empty() && !invoice.buyer.name.is_empty());
        let fact = |fact| invoice.facts.iter().any(|(one, _)| *one == fact);
        assert!(
            fact(Fact::Number) && fact(Fact::IssueDate),
            "{}",
            path.display()
        );
        let due = invoice.totals.last().unwrap();
        assert_eq!(due.0, Total::Due, "{}", path.display());
        assert!(xml.contains(&format!(">{}<", due.1.amount)));
        let stated = xml.matches("<cac:InvoiceLine>").count();
        assert_eq!(invoice.lines.len(), stated, "{}", path.display());
        for line in &invoice.lines {
            assert!(
                !line.name.is_empty() && line.amount.is_some(),
                "{}",
                path.display()
            );
        }
        count += 1;
    }
    assert!(count >= 16, "{count} examples");
}
