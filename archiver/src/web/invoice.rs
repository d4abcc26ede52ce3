//! An e-invoice as a sheet that accounting reads: parties, lines, taxes, totals, each as the document states it.

use maud::{Markup, html};

use super::text::foreign;
use crate::cli::lang::Lang;
use crate::cli::output::grouped_amount;
use crate::preview::Invoice;
use crate::preview::invoice::{Adjustment, Fact, Line, Money, Party, Tax, Total};

/// The sheet of an invoice or credit note.
pub(super) fn invoice(invoice: &Invoice, lang: Lang) -> Markup {
    html! {
        section.sheet.invoice aria-label=(title(invoice, lang)) {
            h2 { (title(invoice, lang)) }
            p.hint { (lang.pick("電子インボイス(UBL)の記載をそのまま並べたものです。計算や訂正はしていません。", "What the e-invoice (UBL) states, as it states it: nothing is computed or corrected.")) }
            div.columns {
                dl.facts { @for (fact, text) in &invoice.facts { dt { (fact_title(*fact, lang)) } dd { (foreign(text)) } } }
                (party(&invoice.seller, lang.pick("売り手", "Seller"), lang))
                (party(&invoice.buyer, lang.pick("買い手", "Buyer"), lang))
            }
            (lines(invoice, lang))
            div.columns { (taxes(&invoice.taxes, lang)) (totals(invoice, lang)) }
            (texts(&invoice.payment, lang.pick("支払", "Payment")))
            (texts(&invoice.notes, lang.pick("備考", "Remarks")))
            (texts(&invoice.attachments, lang.pick("添付・参照文書", "Documents attached or named")))
        }
    }
}

fn title(invoice: &Invoice, lang: Lang) -> &'static str {
    match invoice.is_credit_note {
        true => lang.pick("返還請求書(クレジットノート)", "Credit note"),
        false => lang.pick("請求書", "Invoice"),
    }
}

fn party(party: &Party, role: &str, lang: Lang) -> Markup {
    html! { div {
        h3 { (role) }
        p { strong { (foreign(&party.name)) }
            @if let Some(name) = &party.trading_name { br; (foreign(name)) }
            @if let Some(number) = &party.registration_number { br; span.hint { (lang.pick("登録番号 ", "Registration number ")) } (foreign(number)) }
            @if !party.address.is_empty() { br; (foreign(&party.address.join(" "))) }
            @for line in &party.contact { br; span.hint { (foreign(line)) } }
        }
    } }
}

fn lines(invoice: &Invoice, lang: Lang) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th scope="col" { (lang.pick("行", "Line")) } th scope="col" { (lang.pick("品名", "Item")) }
                th.number scope="col" { (lang.pick("数量", "Quantity")) } th.number scope="col" { (lang.pick("単価", "Price")) }
                th scope="col" { (lang.pick("税", "Tax")) } th.number scope="col" { (lang.pick("金額", "Amount")) }
            } }
            tbody {
                @for one in &invoice.lines { (line(one, lang)) }
                @for one in &invoice.adjustments { tr { td {} td colspan="4" { (adjustment(one, lang)) } td.number { (sum(one.amount.as_ref())) } } }
            }
        } }
    }
}

fn line(line: &Line, lang: Lang) -> Markup {
    html! { tr {
        td { (foreign(&line.id)) }
        td { (foreign(&line.name))
            @for detail in &line.details { br; span.hint { (foreign(detail)) } }
            @for one in &line.adjustments { br; span.hint { (adjustment(one, lang)) " " (sum(one.amount.as_ref())) } }
        }
        td.number { (foreign(&line.quantity)) " " (foreign(unit(&line.unit, lang))) } td.number { (sum(line.price.as_ref())) }
        td { (category(&line.tax, lang)) } td.number { (sum(line.amount.as_ref())) }
    } }
}

fn adjustment(one: &Adjustment, lang: Lang) -> Markup {
    let kind = match one.is_charge {
        true => lang.pick("追加請求: ", "Charge: "),
        false => lang.pick("返還・値引: ", "Allowance: "),
    };
    html! { (kind) (foreign(&one.reason)) }
}

fn taxes(taxes: &[Tax], lang: Lang) -> Markup {
    html! { @if !taxes.is_empty() { div {
        h3 { (lang.pick("税の内訳", "Taxes")) }
        table {
            thead { tr { th scope="col" { (lang.pick("区分", "Category")) } th.number scope="col" { (lang.pick("対象額", "Taxable")) } th.number scope="col" { (lang.pick("税額", "Tax")) } } }
            tbody { @for one in taxes { tr { td { (category(&one.category, lang)) } td.number { (sum(one.taxable.as_ref())) } td.number { (sum(one.tax.as_ref())) } } } }
        }
    } } }
}

fn totals(invoice: &Invoice, lang: Lang) -> Markup {
    html! { div {
        h3 { (lang.pick("合計", "Totals")) }
        table { tbody { @for (total, money) in &invoice.totals {
            tr { th scope="row" { (total_title(*total, lang)) } td.number {
                @if *total == Total::Due { strong { (sum(Some(money))) } } @else { (sum(Some(money))) }
            } }
        } } }
    } }
}

fn texts(texts: &[String], title: &str) -> Markup {
    html! { @if !texts.is_empty() { h3 { (title) } ul { @for text in texts { li { (foreign(text)) } } } } }
}

/// An amount with separators where it is a number, and as it stands there where it is none.
fn sum(money: Option<&Money>) -> Markup {
    let Some(money) = money else {
        return html! {};
    };
    html! { (foreign(&grouped_amount(&money.amount))) " " span.hint { (foreign(&money.currency)) } }
}

/// The units that invoices are full of, in words; others as they stand there (UN/ECE Recommendation 20).
fn unit(code: &str, lang: Lang) -> &str {
    match code {
        "H87" | "C62" | "EA" => lang.pick("個", "pcs"),
        "KGM" => "kg",
        "GRM" => "g",
        "LTR" => "L",
        "MTR" => "m",
        "MTK" => "m²",
        "HUR" => lang.pick("時間", "h"),
        "DAY" => lang.pick("日", "days"),
        "MON" => lang.pick("か月", "months"),
        code => code,
    }
}

/// A tax category in words (UNCL5305, as JP PINT uses it).
fn category(text: &str, lang: Lang) -> Markup {
    let (code, rate) = text.split_once(' ').unwrap_or((text, ""));
    let name = match code {
        "S" => lang.pick("標準税率", "standard rate"),
        "AA" => lang.pick("軽減税率", "reduced rate"),
        "Z" => lang.pick("税率 0", "zero rate"),
        "G" => lang.pick("輸出免税", "export"),
        "E" => lang.pick("非課税", "exempt"),
        "O" => lang.pick("不課税", "out of scope"),
        _ => code,
    };
    html! { (foreign(name)) " " (foreign(rate)) }
}

fn fact_title(fact: Fact, lang: Lang) -> &'static str {
    match fact {
        Fact::Number => lang.pick("番号", "Number"),
        Fact::IssueDate => lang.pick("発行日", "Issued"),
        Fact::DueDate => lang.pick("支払期日", "Due"),
        Fact::TypeCode => lang.pick("種別コード", "Type code"),
        Fact::Period => lang.pick("対象期間", "Period"),
        Fact::DeliveryDate => lang.pick("納品日", "Delivered"),
        Fact::Order => lang.pick("発注番号", "Order"),
        Fact::Preceding => lang.pick("元の請求書", "Preceding invoice"),
        Fact::BuyerReference => lang.pick("買い手の参照", "Buyer's reference"),
    }
}

fn total_title(total: Total, lang: Lang) -> &'static str {
    match total {
        Total::Lines => lang.pick("明細の合計", "Lines"),
        Total::Allowances => lang.pick("返還・値引", "Allowances"),
        Total::Charges => lang.pick("追加請求", "Charges"),
        Total::WithoutTax => lang.pick("税抜合計", "Without tax"),
        Total::Tax => lang.pick("消費税", "Tax"),
        Total::WithTax => lang.pick("税込合計", "With tax"),
        Total::Paid => lang.pick("支払済み", "Paid"),
        Total::Rounding => lang.pick("端数調整", "Rounding"),
        Total::Due => lang.pick("請求金額", "Amount due"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_separators_and_what_is_none_stays_as_it_is() {
        let money = |amount: &str| {
            let currency = "JPY".to_owned();
            let money = Money {
                amount: amount.to_owned(),
                currency,
            };
            sum(Some(&money)).into_string()
        };
        assert!(money("289490").contains("289,490"));
        assert!(money("-1234.5").contains("-1,234.5"));
        assert!(money("<b>").contains("&lt;b&gt;"));
        assert!(sum(None).into_string().is_empty());
    }

    #[test]
    fn categories_are_words_and_unknown_ones_their_code() {
        let shown = category("AA 8%", Lang::Ja).into_string();
        assert!(
            shown.contains("軽減税率") && shown.contains("8%"),
            "{shown}"
        );
        assert!(category("XX", Lang::En).into_string().contains("XX"));
    }
}
