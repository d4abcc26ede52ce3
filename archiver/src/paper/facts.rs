//! Date, amount, counterparty and number in the text of an invoice or a receipt, Japanese or English.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use time::{Date, Month};
use unicode_normalization::UnicodeNormalization;

use crate::class::Counterparty;

/// What was found; every part may be missing, and may be wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperFacts {
    /// Of the transaction: the date of issue.
    pub date: Option<Date>,
    /// To be paid, taxes included, in decimal digits with `.`.
    pub amount: Option<String>,
    /// ISO 4217 code of the currency.
    pub currency: Option<&'static str>,
    /// The other company.
    pub counterparty: Option<String>,
    /// Its number.
    pub number: Option<String>,
}

impl PaperFacts {
    /// Looks for them in a text. Only its beginning counts. Which company is wanted, `side` says: who wrote it, or to whom it is addressed.
    #[must_use]
    pub fn of(text: &str, side: Counterparty) -> Self {
        let characters = text.chars().take(CHARACTERS_MAX);
        let text: String = characters.map(unified).nfkc().collect();
        let (amount, currency) = match amount(&text) {
            Some((amount, currency)) => (Some(amount), currency),
            None => (None, None),
        };
        Self {
            date: date(&text),
            amount,
            currency,
            counterparty: counterparty(&text, side),
            number: number(&text),
        }
    }
}

/// Fonts name some ideographs by radicals that look the same and have no compatibility mapping (Unicode EquivalentUnifiedIdeograph).
const fn unified(character: char) -> char {
    match character {
        '⺠' => '民',
        '⻁' => '虎',
        '⻄' => '西',
        '⻆' => '角',
        '⻑' => '長',
        '⻘' => '青',
        '⻝' => '食',
        '⻤' => '鬼',
        '⻨' => '麦',
        '⻩' => '黄',
        '⻫' => '斉',
        '⻭' => '歯',
        '⻯' => '竜',
        '⻲' => '亀',
        other => other,
    }
}

/// The date that is said to be the document's; else the first one that is no term of payment.
fn date(text: &str) -> Option<Date> {
    let of_line = |label: Option<&Regex>, line: &str| {
        DATE.captures_iter(line).find_map(|found| {
            let before = line.get(..found.get(0)?.start())?;
            let is_wanted = match label {
                Some(label) => label.is_match(before),
                None => !TERM.is_match(before),
            };
            is_wanted.then(|| date_of(&found)).flatten()
        })
    };
    let lines = || text.lines();
    lines()
        .find_map(|line| of_line(Some(&ISSUED), line))
        .or_else(|| lines().find_map(|line| of_line(None, line)))
}

fn date_of(found: &Captures<'_>) -> Option<Date> {
    let number = |name: &str| found.name(name)?.as_str().parse::<i32>().ok();
    let year = match found.name("era") {
        // 令和元年 is 2019.
        Some(era) if era.as_str() == "元" => 2019,
        Some(era) => 2018 + era.as_str().parse::<i32>().ok()?,
        None => number("year")?,
    };
    let month = u8::try_from(number("month")?).ok()?;
    let day = u8::try_from(number("day")?).ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// What is to be paid: behind a word for it, else the last sum; with its currency.
fn amount(text: &str) -> Option<(String, Option<&'static str>)> {
    let to_pay = TO_PAY.captures_iter(text).next();
    let found = to_pay.or_else(|| SUM.captures_iter(text).last())?;
    let digits: String = found.name("number")?.as_str().replace(',', "");
    let whole = found.get(0)?.as_str();
    let behind = text.get(found.get(0)?.end()..)?;
    let behind: String = behind.chars().take(5).collect();
    let signs = format!("{whole}{behind}");
    let has = |marks: &[&str]| marks.iter().any(|mark| signs.contains(mark));
    let currency = if has(&["¥", "円", "JPY"]) {
        Some("JPY")
    } else if has(&["€", "EUR"]) {
        Some("EUR")
    } else if has(&["$", "USD"]) {
        Some("USD")
    } else {
        None
    };
    Some((digits, currency))
}

/// The first company that is, or is not, the addressee.
fn counterparty(text: &str, side: Counterparty) -> Option<String> {
    let wants_addressee = side == Counterparty::Customer;
    for line in text.lines() {
        for found in COMPANY.find_iter(line) {
            let behind = line.get(found.end()..).unwrap_or_default().trim_start();
            let is_addressee = ADDRESSEE.iter().any(|mark| behind.starts_with(mark))
                || ADDRESSEE.iter().any(|mark| found.as_str().ends_with(mark));
            if is_addressee == wants_addressee {
                let name = found.as_str().trim();
                let name = ADDRESSEE
                    .iter()
                    .fold(name, |name, mark| name.trim_end_matches(mark));
                return Some(name.trim().to_owned());
            }
        }
    }
    None
}

fn number(text: &str) -> Option<String> {
    let found = NUMBER.captures(text)?;
    Some(found.name("number")?.as_str().to_owned())
}

const ADDRESSEE: [&str; 3] = ["御中", "様", "殿"];

/// Where on the first pages these things stand.
const CHARACTERS_MAX: usize = 50_000;

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:(?P<year>(?:19|20)\d{2})|(?:令和|R)\s*(?P<era>元|\d{1,2}))\s*[年/.\-]\s*(?P<month>\d{1,2})\s*[月/.\-]\s*(?P<day>\d{1,2})",
    )
});

/// A word before the date of issue.
static ISSUED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:請求日|発行日|領収日|取引日|納品日|注文日|作成日|利用日|日付|(?:invoice|issue|receipt)\s+date|date\s+of\s+issue|^\s*date)[^\d]{0,12}$",
    )
});

/// A word before a date that is none of the document.
static TERM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:期限|期日|まで|有効|due|until|支払)[^\d]{0,12}$"));

static TO_PAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:請求(?:合計)?(?:金額|額)|支払(?:い)?(?:金額|額)|領収(?:金額|額)|amount\s+due|balance\s+due|total\s+due)[^\d\n]{0,20}\n?[^\d\n]{0,10}(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,13}(?:\.\d{1,2})?)",
    )
});

static SUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:合\s*計|総額|(?:^|[^a-z])total|金)[^\d\n]{0,20}\n?[^\d\n]{0,10}(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,13}(?:\.\d{1,2})?)",
    )
});

static COMPANY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:株式会社|有限会社|合同会社|合資会社|合名会社)[^\s、。,()「」:|/]{1,40}|[^\s、。,()「」:|/]{1,40}(?:株式会社|有限会社|合同会社|合資会社|合名会社)|[A-Z][\w&.\- ]{1,40}?(?:,? Inc\.|,? Ltd\.|,? LLC|,? GmbH|,? Corporation)",
    )
});

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:(?:請求書?|領収書?|納品書?|注文書?|見積書?|伝票|書類)\s*(?:番号|no\.?)|(?:invoice|receipt)\s*(?:no\.?|number|#))\s*[:#]?\s*(?P<number>[A-Za-z0-9][A-Za-z0-9\-/_]{1,39})",
    )
});

/// All of them are constants, and each is used by a test.
#[expect(clippy::expect_used, reason = "a constant pattern that is tested")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
