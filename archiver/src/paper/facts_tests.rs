use time::macros::date;

use super::*;

fn of(text: &str) -> PaperFacts {
    PaperFacts::of(text, Counterparty::Supplier)
}

#[test]
fn an_invoice_in_japanese_gives_all_even_with_characters_that_only_look_the_same() {
    // As a browser prints it: ⽇, ⽉, ⾦ and ⽂ are other characters than 日, 月, 金 and 文.
    let text = "請求書\n⽂蔵商事株式会社 御中\n\n請求書番号: INV-2026-0815\nお⽀払期限 2026年10⽉31⽇\n請求⽇: 2026年9⽉30⽇\n\
        株式会社⻘空⽂具\n登録番号 T1234567890123\nご請求⾦額 ¥120,800-\n品名 数量 ⾦額\nお茶 2 10,000\n⼩計 110,000円\n合計 120,800円\n";
    let found = of(text);
    assert_eq!(
        found,
        PaperFacts {
            date: Some(date!(2026 - 09 - 30)),
            amount: Some("120800".to_owned()),
            currency: Some("JPY"),
            counterparty: Some("株式会社青空文具".to_owned()),
            number: Some("INV-2026-0815".to_owned()),
        }
    );
}

#[test]
fn an_invoice_in_english_gives_all() {
    let text = "Invoice\nInvoice number: A/77-3\nInvoice date: 2026-03-01\nDue 2026-03-31\nAcme Tools, Inc.\nSubtotal 1,000.00\nTotal: USD 1,080.50\n";
    let found = of(text);
    assert_eq!(
        found,
        PaperFacts {
            date: Some(date!(2026 - 03 - 01)),
            amount: Some("1080.50".to_owned()),
            currency: Some("USD"),
            counterparty: Some("Acme Tools, Inc.".to_owned()),
            number: Some("A/77-3".to_owned()),
        }
    );
}

#[test]
fn dates_of_japanese_eras_and_other_signs_are_read_and_impossible_ones_are_not() {
    for (text, expected) in [
        ("令和8年1月5日", Some(date!(2026 - 01 - 05))),
        ("発行日 令和元年12月31日", Some(date!(2019 - 12 - 31))),
        ("R8.2.28", Some(date!(2026 - 02 - 28))),
        ("日付: 2026/2/28", Some(date!(2026 - 02 - 28))),
        ("2026.02.30", None),
        ("支払期限 2026年2月28日", None),
        ("電話 03-1234-5678", None),
        ("2026年13月1日 2026年3月1日", Some(date!(2026 - 03 - 01))),
    ] {
        assert_eq!(of(text).date, expected, "{text}");
    }
}

#[test]
fn what_is_to_be_paid_is_told_from_parts_of_it() {
    for (text, expected) in [
        ("小計 1,000円\n合計 1,100円", Some("1100")),
        ("合計\n¥5,500", Some("5500")),
        ("合計 900円\n消費税 90円\n総合計 990円", Some("990")),
        ("お支払金額 3,300円\n合計 9,999円", Some("3300")),
        ("領収金額 ￥1,234", Some("1234")),
        ("金 55,000 円也", Some("55000")),
        ("数量 3", None),
    ] {
        let found = of(text).amount;
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn the_addressee_is_not_the_counterparty() {
    for (text, expected) in [
        ("株式会社甲 御中\n乙株式会社", Some("乙株式会社")),
        ("甲合同会社様", None),
        ("有限会社乙", Some("有限会社乙")),
        ("a person", None),
    ] {
        let found = of(text).counterparty;
        assert_eq!(found.as_deref(), expected, "{text}");
    }
    for (text, expected) in [
        ("乙株式会社\n株式会社甲 御中", Some("株式会社甲")),
        ("甲合同会社様", Some("甲合同会社")),
        ("株式会社甲", None),
    ] {
        let found = PaperFacts::of(text, Counterparty::Customer).counterparty;
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn any_text_is_borne() {
    for text in [
        "",
        "\u{0}",
        "合計",
        "請求日",
        &"合計 1".repeat(50_000),
        &"9".repeat(60_000),
    ] {
        let _facts = of(text);
    }
}
