//! A UBL 2.1 invoice or credit note as people read one: parties, lines, taxes, totals (JP PINT business terms in brackets).
//!
//! Values are shown as the document states them; nothing is computed, corrected or left out because it looks wrong.

use roxmltree::{Document, Node, ParsingOptions};

use crate::intake::ubl::{AGGREGATE, BASIC, DOCUMENTS};

/// An invoice, as it states itself. Every text is as the document has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoice {
    /// Whether it is a credit note.
    pub is_credit_note: bool,
    /// Facts of the whole: number (IBT-001), dates (IBT-002, IBT-009), period (IBG-14), references.
    pub facts: Vec<(Fact, String)>,
    /// Who asks for payment (IBG-04).
    pub seller: Party,
    /// Who is to pay (IBG-07).
    pub buyer: Party,
    /// What was delivered (IBG-25).
    pub lines: Vec<Line>,
    /// Allowances and charges of the whole document (IBG-20, IBG-21).
    pub adjustments: Vec<Adjustment>,
    /// Taxes by category (IBG-23).
    pub taxes: Vec<Tax>,
    /// Sums of the whole (IBG-22).
    pub totals: Vec<(Total, Money)>,
    /// How to pay (IBG-16, IBG-33).
    pub payment: Vec<String>,
    /// Remarks (IBT-022).
    pub notes: Vec<String>,
    /// Documents that it names or carries (IBG-24).
    pub attachments: Vec<String>,
}

/// A fact of the whole invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// IBT-001.
    Number,
    /// IBT-002.
    IssueDate,
    /// IBT-009.
    DueDate,
    /// IBT-003, as its code.
    TypeCode,
    /// IBT-073 to IBT-074.
    Period,
    /// IBT-072.
    DeliveryDate,
    /// IBT-013.
    Order,
    /// IBT-025: the invoice that this one corrects.
    Preceding,
    /// IBT-010.
    BuyerReference,
}

/// A sum of the whole invoice (IBG-22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// IBT-106.
    Lines,
    /// IBT-107.
    Allowances,
    /// IBT-108.
    Charges,
    /// IBT-109.
    WithoutTax,
    /// IBT-110.
    Tax,
    /// IBT-112.
    WithTax,
    /// IBT-113.
    Paid,
    /// IBT-114.
    Rounding,
    /// IBT-115.
    Due,
}

/// An amount as the document writes it, with its currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// The digits as they stand there.
    pub amount: String,
    /// ISO 4217, or what stands there.
    pub currency: String,
}

/// A party of the invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// IBT-027, IBT-044.
    pub name: String,
    /// IBT-028, IBT-045, where it differs.
    pub trading_name: Option<String>,
    /// IBT-031, IBT-048.
    pub registration_number: Option<String>,
    /// IBG-05, IBG-08: from the post code to the building.
    pub address: Vec<String>,
    /// IBG-06, IBG-09: name, telephone, mail.
    pub contact: Vec<String>,
}

/// One line (IBG-25).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// IBT-126.
    pub id: String,
    /// IBT-153.
    pub name: String,
    /// IBT-154, IBT-127 and the attributes of the item (IBG-32).
    pub details: Vec<String>,
    /// IBT-129.
    pub quantity: String,
    /// Its unit: in the words of the trade where they are given (IBT-161), or its code (IBT-130, UN/ECE Recommendation 20).
    pub unit: String,
    /// IBT-146.
    pub price: Option<Money>,
    /// IBT-151 and IBT-152.
    pub tax: String,
    /// IBT-131.
    pub amount: Option<Money>,
    /// IBG-27, IBG-28.
    pub adjustments: Vec<Adjustment>,
}

/// An allowance or a charge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adjustment {
    /// Whether it adds to the sum.
    pub is_charge: bool,
    /// Why.
    pub reason: String,
    /// How much.
    pub amount: Option<Money>,
}

/// One tax category (IBG-23).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tax {
    /// IBT-118 and IBT-119.
    pub category: String,
    /// IBT-116.
    pub taxable: Option<Money>,
    /// IBT-117.
    pub tax: Option<Money>,
}

impl Invoice {
    /// Reads an invoice or credit note, also one inside an envelope. `None` for anything else: other documents, document type declarations, more than
    /// [`NODES_MAX`] nodes.
    #[must_use]
    pub fn read(xml: &str) -> Option<Self> {
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: NODES_MAX,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(xml, options).ok()?;
        let root = document.descendants().find(|node| {
            let name = node.tag_name();
            DOCUMENTS.contains(&(name.namespace().unwrap_or_default(), name.name()))
        })?;
        Some(Self::of(root))
    }

    fn of(root: Node<'_, '_>) -> Self {
        let is_credit_note = root.tag_name().name() == "CreditNote";
        let tag = if is_credit_note {
            "CreditNoteLine"
        } else {
            "InvoiceLine"
        };
        let party = |tag| at(root, &[tag, "Party"]).map(Party::of).unwrap_or_default();
        Self {
            is_credit_note,
            facts: facts(root),
            seller: party("AccountingSupplierParty"),
            buyer: party("AccountingCustomerParty"),
            lines: all(root, tag).map(Line::of).collect(),
            adjustments: all(root, "AllowanceCharge").map(Adjustment::of).collect(),
            taxes: all(root, "TaxTotal")
                .flat_map(|total| all(total, "TaxSubtotal"))
                .map(Tax::of)
                .collect(),
            totals: totals(root),
            payment: payment(root),
            notes: texts(root, "Note"),
            attachments: all(root, "AdditionalDocumentReference")
                .map(attachment)
                .collect(),
        }
    }
}

fn facts(root: Node<'_, '_>) -> Vec<(Fact, String)> {
    let plain = [
        (Fact::Number, &["ID"][..]),
        (Fact::IssueDate, &["IssueDate"]),
        (Fact::DueDate, &["DueDate"]),
        (Fact::TypeCode, &["InvoiceTypeCode"]),
        (Fact::TypeCode, &["CreditNoteTypeCode"]),
        (Fact::DeliveryDate, &["Delivery", "ActualDeliveryDate"]),
        (Fact::Order, &["OrderReference", "ID"]),
        (
            Fact::Preceding,
            &["BillingReference", "InvoiceDocumentReference", "ID"],
        ),
        (Fact::BuyerReference, &["BuyerReference"]),
    ];
    let mut facts: Vec<(Fact, String)> = plain
        .into_iter()
        .filter_map(|(fact, path)| Some((fact, text_at(root, path)?)))
        .collect();
    if let Some(period) = at(root, &["InvoicePeriod"]) {
        let day = |tag| text_at(period, &[tag]).unwrap_or_default();
        let period = format!("{} – {}", day("StartDate"), day("EndDate"));
        facts.push((Fact::Period, period));
    }
    facts
}

fn totals(root: Node<'_, '_>) -> Vec<(Total, Money)> {
    let sums = [
        (Total::Lines, "LineExtensionAmount"),
        (Total::Allowances, "AllowanceTotalAmount"),
        (Total::Charges, "ChargeTotalAmount"),
        (Total::WithoutTax, "TaxExclusiveAmount"),
        (Total::WithTax, "TaxInclusiveAmount"),
        (Total::Paid, "PrepaidAmount"),
        (Total::Rounding, "PayableRoundingAmount"),
        (Total::Due, "PayableAmount"),
    ];
    let mut totals: Vec<(Total, Money)> = sums
        .into_iter()
        .filter_map(|(total, tag)| Some((total, money(root, &["LegalMonetaryTotal", tag])?)))
        .collect();
    // A second one states the tax in another currency (IBT-111).
    for total in all(root, "TaxTotal") {
        if let Some(tax) = money(total, &["TaxAmount"]) {
            let place = totals
                .iter()
                .position(|(total, _)| *total == Total::WithTax);
            totals.insert(place.unwrap_or(totals.len()), (Total::Tax, tax));
        }
    }
    totals
}

fn payment(root: Node<'_, '_>) -> Vec<String> {
    let mut lines = Vec::new();
    for means in all(root, "PaymentMeans") {
        let name = at(means, &["PaymentMeansCode"]).and_then(|code| {
            let name = code.attribute("name").map(str::to_owned);
            name.or_else(|| text(code))
        });
        let account = at(means, &["PayeeFinancialAccount"]);
        let parts = [
            name,
            account.and_then(|account| text_at(account, &["ID"])),
            account.and_then(|account| text_at(account, &["Name"])),
            text_at(means, &["PaymentID"]),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        lines.push(parts.join(" / "));
    }
    lines.extend(all(root, "PaymentTerms").flat_map(|terms| texts(terms, "Note")));
    lines.retain(|line| !line.is_empty());
    lines
}

fn attachment(reference: Node<'_, '_>) -> String {
    let file = at(reference, &["Attachment", "EmbeddedDocumentBinaryObject"])
        .and_then(|object| object.attribute("filename"))
        .map(str::to_owned);
    let parts = [
        text_at(reference, &["ID"]),
        text_at(reference, &["DocumentDescription"]),
        file,
        text_at(reference, &["Attachment", "ExternalReference", "URI"]),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" / ")
}

impl Party {
    fn of(party: Node<'_, '_>) -> Self {
        let registered = text_at(party, &["PartyLegalEntity", "RegistrationName"]);
        let trading = text_at(party, &["PartyName", "Name"]);
        let name = registered.or_else(|| trading.clone()).unwrap_or_default();
        let place = at(party, &["PostalAddress"]);
        let contact = at(party, &["Contact"]);
        let of = |node: Option<Node<'_, '_>>, tags: &[&str]| {
            let texts = tags.iter().filter_map(|tag| text_at(node?, &[tag]));
            texts.collect::<Vec<_>>()
        };
        let mut address = of(
            place,
            &[
                "PostalZone",
                "CountrySubentity",
                "CityName",
                "StreetName",
                "AdditionalStreetName",
            ],
        );
        address.extend(place.and_then(|place| text_at(place, &["AddressLine", "Line"])));
        Self {
            trading_name: trading.filter(|trading| *trading != name),
            registration_number: text_at(party, &["PartyTaxScheme", "CompanyID"]),
            address,
            contact: of(contact, &["Name", "Telephone", "ElectronicMail"]),
            name,
        }
    }
}

impl Line {
    fn of(line: Node<'_, '_>) -> Self {
        let item = at(line, &["Item"]);
        let quantity = at(line, &["InvoicedQuantity"]).or_else(|| at(line, &["CreditedQuantity"]));
        let mut details: Vec<String> = item
            .and_then(|item| text_at(item, &["Description"]))
            .into_iter()
            .collect();
        details.extend(texts(line, "Note"));
        let mut unit = quantity.and_then(|quantity| quantity.attribute("unitCode"));
        let mut shown_unit = None;
        for property in item
            .into_iter()
            .flat_map(|item| all(item, "AdditionalItemProperty"))
        {
            let word = |tag| text_at(property, &[tag]).unwrap_or_default();
            let (name, value) = (word("Name"), word("Value"));
            // JP PINT: the unit in the words of the trade.
            if name == UNIT_NAME {
                unit = None;
                shown_unit = Some(value);
            } else {
                details.push(format!("{name}: {value}"));
            }
        }
        let unit = shown_unit
            .or_else(|| unit.map(str::to_owned))
            .unwrap_or_default();
        Self {
            id: text_at(line, &["ID"]).unwrap_or_default(),
            name: item
                .and_then(|item| text_at(item, &["Name"]))
                .unwrap_or_default(),
            details,
            quantity: quantity.and_then(text).unwrap_or_default(),
            unit,
            price: money(line, &["Price", "PriceAmount"]),
            tax: item
                .and_then(|item| at(item, &["ClassifiedTaxCategory"]))
                .map(category)
                .unwrap_or_default(),
            amount: money(line, &["LineExtensionAmount"]),
            adjustments: all(line, "AllowanceCharge").map(Adjustment::of).collect(),
        }
    }
}

impl Adjustment {
    fn of(node: Node<'_, '_>) -> Self {
        let reason = text_at(node, &["AllowanceChargeReason"]);
        Self {
            is_charge: text_at(node, &["ChargeIndicator"]).as_deref() == Some("true"),
            reason: reason
                .or_else(|| text_at(node, &["AllowanceChargeReasonCode"]))
                .unwrap_or_default(),
            amount: money(node, &["Amount"]),
        }
    }
}

impl Tax {
    fn of(node: Node<'_, '_>) -> Self {
        Self {
            category: at(node, &["TaxCategory"]).map(category).unwrap_or_default(),
            taxable: money(node, &["TaxableAmount"]),
            tax: money(node, &["TaxAmount"]),
        }
    }
}

/// A tax category and its rate: `S 10%`.
fn category(node: Node<'_, '_>) -> String {
    let code = text_at(node, &["ID"]).unwrap_or_default();
    match text_at(node, &["Percent"]) {
        Some(percent) => format!("{code} {percent}%").trim().to_owned(),
        None => code,
    }
}

fn money(node: Node<'_, '_>, path: &[&str]) -> Option<Money> {
    let node = at(node, path)?;
    Some(Money {
        amount: text(node)?,
        currency: node.attribute("currencyID").unwrap_or_default().to_owned(),
    })
}

/// The children of UBL with this name.
fn all<'a, 'input>(
    node: Node<'a, 'input>,
    tag: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| is_ubl(*child, tag))
}

fn is_ubl(node: Node<'_, '_>, tag: &str) -> bool {
    let name = node.tag_name();
    name.name() == tag && [AGGREGATE, BASIC].contains(&name.namespace().unwrap_or_default())
}

/// The first element at a path below `node`.
fn at<'a, 'input>(node: Node<'a, 'input>, path: &[&str]) -> Option<Node<'a, 'input>> {
    let mut place = node;
    for tag in path {
        place = place.children().find(|child| is_ubl(*child, tag))?;
    }
    Some(place)
}

fn text_at(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    text(at(node, path)?)
}

fn texts(node: Node<'_, '_>, tag: &'static str) -> Vec<String> {
    all(node, tag).filter_map(text).collect()
}

/// The text of an element, whole; `None` where there is none. A comment inside it does not end it.
fn text(node: Node<'_, '_>) -> Option<String> {
    let whole: String = node
        .children()
        .filter_map(|child| child.text().filter(|_| child.is_text()))
        .collect();
    let text = whole.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The attribute in which JP PINT keeps the name of the unit (IBT-160).
const UNIT_NAME: &str = "表示単位名称";

/// Nodes of an invoice that is shown: some 2,000 lines.
pub const NODES_MAX: u32 = 200_000;

#[cfg(test)]
#[path = "invoice_tests.rs"]
pub(crate) mod tests;
