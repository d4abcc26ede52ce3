//! What a record is searched by: given with `--meta KEY=VALUE`, or read out of the document.

use std::collections::BTreeMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::{amount, date};
use crate::class::SearchKey;
use crate::cli::lang::Lang;

/// Typed search metadata. Every field is optional; every value is in its one normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentMetadata {
    /// 取引年月日その他の日付, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// 取引金額, a plain decimal number.
    pub amount: Option<String>,
    /// Three letters of ISO 4217.
    pub currency: Option<String>,
    /// 取引先.
    pub counterparty: Option<String>,
    /// 表題.
    pub title: Option<String>,
    /// 書類番号.
    pub document_number: Option<String>,
    /// 適格請求書発行事業者登録番号: `T` and 13 digits.
    pub registration_number: Option<String>,
    /// The party that supplies and invoices.
    pub supplier: Option<String>,
    /// The party that buys and pays.
    pub customer: Option<String>,
    /// Everything else, by key.
    pub additional: BTreeMap<String, String>,
}

/// A `--meta` argument that says nothing usable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// No `=` between key and value. Holds the argument.
    NoValue(String),
    /// The key is not `[a-z][a-z0-9-]*` of at most 64 characters. Holds the key.
    BadKey(String),
    /// The key was given before. Holds the key.
    Repeated(String),
    /// The value does not have the key's form.
    BadValue {
        /// The key.
        key: String,
        /// The value as it was given.
        value: String,
        /// The form that the key takes.
        form: ValueForm,
    },
    /// More than [`ADDITIONAL_MAX`] further keys.
    TooMany,
}

/// The forms of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueForm {
    /// A day.
    Date,
    /// A number.
    Amount,
    /// ISO 4217.
    Currency,
    /// `T` and 13 digits.
    RegistrationNumber,
    /// One line of text.
    Text,
}

impl DocumentMetadata {
    /// Reads `KEY=VALUE` arguments. The typed keys also have Japanese names (日付, 金額, 取引先 …).
    ///
    /// # Errors
    /// The first argument that is malformed.
    pub fn from_arguments<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, MetadataError> {
        let mut metadata = Self::default();
        let mut implied_currency = None;
        for argument in arguments {
            let (key, value) = argument
                .split_once('=')
                .ok_or_else(|| MetadataError::NoValue(argument.to_owned()))?;
            let key = key_of(key.trim());
            let implied = metadata.set_given(key, value)?;
            implied_currency = implied_currency.or(implied);
        }
        if metadata.currency.is_none() {
            metadata.currency = implied_currency.map(str::to_owned);
        }
        Ok(metadata)
    }

    /// Fills what is not given from what the document says. What a person gave wins.
    ///
    /// An amount and its currency belong together: the document's currency is not put beside a given amount unless
    /// the amounts agree.
    #[must_use]
    pub fn or(self, document: Self) -> Self {
        let takes_amount = self.amount.is_none() || self.amount == document.amount;
        let mut additional = document.additional;
        additional.extend(self.additional);
        Self {
            currency: self
                .currency
                .or(if takes_amount { document.currency } else { None }),
            date: self.date.or(document.date),
            amount: self.amount.or(document.amount),
            counterparty: self.counterparty.or(document.counterparty),
            title: self.title.or(document.title),
            document_number: self.document_number.or(document.document_number),
            registration_number: self.registration_number.or(document.registration_number),
            supplier: self.supplier.or(document.supplier),
            customer: self.customer.or(document.customer),
            additional,
        }
    }

    /// Whether the record can be found by this key.
    #[must_use]
    pub fn has(&self, key: SearchKey) -> bool {
        match key {
            SearchKey::Date => self.date.is_some(),
            SearchKey::Amount => self.amount.is_some(),
            SearchKey::Counterparty => self.counterparty.is_some(),
            SearchKey::Title => self.title.is_some(),
            SearchKey::DocumentNumber => self.document_number.is_some(),
        }
    }

    /// The names of the fields that are set, in the order of the manifest's members.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let fields = [
            ("date", &self.date),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("counterparty", &self.counterparty),
            ("title", &self.title),
            ("document-number", &self.document_number),
            ("registration-number", &self.registration_number),
            ("supplier", &self.supplier),
            ("customer", &self.customer),
        ];
        fields
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|_| name))
            .chain(self.additional.keys().map(String::as_str))
    }

    fn set_given(
        &mut self,
        key: &str,
        value: &str,
    ) -> Result<Option<&'static str>, MetadataError> {
        let (field, form) = match key {
            "date" => (&mut self.date, ValueForm::Date),
            "amount" => (&mut self.amount, ValueForm::Amount),
            "currency" => (&mut self.currency, ValueForm::Currency),
            "counterparty" => (&mut self.counterparty, ValueForm::Text),
            "title" => (&mut self.title, ValueForm::Text),
            "document-number" => (&mut self.document_number, ValueForm::Text),
            "registration-number" => (&mut self.registration_number, ValueForm::RegistrationNumber),
            "supplier" => (&mut self.supplier, ValueForm::Text),
            "customer" => (&mut self.customer, ValueForm::Text),
            _ => return self.set_additional(key, value).map(|()| None),
        };
        if field.is_some() {
            return Err(MetadataError::Repeated(key.to_owned()));
        }
        let normal = form.normalise(value).ok_or_else(|| bad(key, value, form))?;
        *field = Some(normal);
        let is_amount = form == ValueForm::Amount;
        Ok(if is_amount { amount::parse(value).and_then(|amount| amount.currency) } else { None })
    }

    fn set_additional(&mut self, key: &str, value: &str) -> Result<(), MetadataError> {
        if !is_key(key) {
            return Err(MetadataError::BadKey(key.to_owned()));
        }
        if self.additional.contains_key(key) {
            return Err(MetadataError::Repeated(key.to_owned()));
        }
        if self.additional.len() >= ADDITIONAL_MAX {
            return Err(MetadataError::TooMany);
        }
        let form = ValueForm::Text;
        let normal = form.normalise(value).ok_or_else(|| bad(key, value, form))?;
        self.additional.insert(key.to_owned(), normal);
        Ok(())
    }
}

impl ValueForm {
    /// The value in its one normal form; `None` if it does not have the form.
    #[must_use]
    pub fn normalise(self, value: &str) -> Option<String> {
        match self {
            Self::Date => date::parse(value),
            Self::Amount => amount::parse(value).map(|amount| amount.decimal),
            Self::Currency => {
                let code = folded(value).to_ascii_uppercase();
                let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
                is_code.then_some(code)
            }
            Self::RegistrationNumber => registration_number(value),
            Self::Text => {
                let text = value.trim();
                let is_line = !text.is_empty()
                    && text.len() <= TEXT_BYTES_MAX
                    && !text.chars().any(char::is_control);
                is_line.then(|| text.to_owned())
            }
        }
    }

    fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Date => lang.pick(
                "2026-01-31、2026/1/31、2026年1月31日、令和8年1月31日 のような実在する日付",
                "an existing day such as 2026-01-31, 2026/1/31 or 令和8年1月31日",
            ),
            Self::Amount => lang.pick(
                "110000、110,000、¥110,000、-5000、1234.50 のような数",
                "a number such as 110000, 110,000, ¥110,000, -5000 or 1234.50",
            ),
            Self::Currency => lang.pick(
                "JPY のような ISO 4217 の3文字",
                "the three letters of ISO 4217, such as JPY",
            ),
            Self::RegistrationNumber => lang.pick(
                "T と13桁の数字 (T1234567890123)",
                "T and 13 digits (T1234567890123)",
            ),
            Self::Text => lang.pick(
                "空でない1行の文字列 (1024 バイトまで)",
                "one line of text, not empty, at most 1024 bytes",
            ),
        }
    }
}

impl MetadataError {
    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::NoValue(argument) => {
                let argument = argument.escape_debug();
                lang.pick(
                    format!("--meta {argument}: キー=値 の形で書いてください (例: --meta amount=110000)"),
                    format!("--meta {argument}: write KEY=VALUE (for example --meta amount=110000)"),
                )
            }
            Self::BadKey(key) => {
                let key = key.escape_debug();
                lang.pick(
                    format!("--meta のキー \"{key}\": 英小文字で始まる a-z 0-9 - の64文字以内、または {TYPED_KEYS} にしてください"),
                    format!("--meta key \"{key}\": use at most 64 of a-z 0-9 - starting with a letter, or one of {TYPED_KEYS}"),
                )
            }
            Self::Repeated(key) => lang.pick(
                format!("--meta {key}: 二度指定されています。一つにしてください"),
                format!("--meta {key}: given twice; give it once"),
            ),
            Self::BadValue { key, value, form } => {
                let value = value.escape_debug();
                let form = form.text(lang);
                lang.pick(
                    format!("--meta {key}: \"{value}\" は使えません。{form}にしてください"),
                    format!("--meta {key}: \"{value}\" cannot be used; give {form}"),
                )
            }
            Self::TooMany => lang.pick(
                format!("--meta: 任意のキーは {ADDITIONAL_MAX} 個までです"),
                format!("--meta: at most {ADDITIONAL_MAX} keys of your own"),
            ),
        }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for MetadataError {}

/// `T` and 13 digits (消費税法 第57条の2), out of what people and documents write around them.
pub(super) fn registration_number(text: &str) -> Option<String> {
    let folded = folded(text).to_ascii_uppercase();
    let digits: String = folded
        .strip_prefix('T')?
        .chars()
        .filter(|character| !matches!(character, '-' | ' '))
        .collect();
    let is_number = digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("T{digits}"))
}

fn folded(text: &str) -> String {
    let folded: String = text.nfkc().collect();
    folded.trim().to_owned()
}

fn bad(key: &str, value: &str, form: ValueForm) -> MetadataError {
    MetadataError::BadValue {
        key: key.to_owned(),
        value: value.to_owned(),
        form,
    }
}

/// The key that a Japanese name stands for.
fn key_of(name: &str) -> &str {
    match name {
        "日付" | "取引年月日" => "date",
        "金額" | "取引金額" => "amount",
        "通貨" => "currency",
        "取引先" => "counterparty",
        "表題" | "件名" => "title",
        "書類番号" | "請求書番号" => "document-number",
        "登録番号" => "registration-number",
        "売手" => "supplier",
        "買手" => "customer",
        other => other,
    }
}

fn is_key(key: &str) -> bool {
    key.len() <= KEY_LEN_MAX
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

const TYPED_KEYS: &str = "date (日付), amount (金額), currency (通貨), counterparty (取引先), title (表題), \
    document-number (書類番号), registration-number (登録番号), supplier (売手), customer (買手)";

/// Keys are labels, not content.
const KEY_LEN_MAX: usize = 64;

/// One line of a form; longer text belongs into a document.
const TEXT_BYTES_MAX: usize = 1024;

/// The search keeps every record's metadata; 32 keys of one's own are far more than any form has.
pub const ADDITIONAL_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &[&str]) -> Result<DocumentMetadata, MetadataError> {
        DocumentMetadata::from_arguments(arguments.iter().copied())
    }

    #[test]
    fn typed_keys_are_normalised() {
        let metadata = given(&[
            "date=２０２６/1/31",
            "amount=￥110,000",
            "counterparty= ㈱文蔵商事 ",
            "registration-number=ｔ1234-5678-90123",
            "department=sales",
        ])
        .unwrap();
        assert_eq!(metadata.date.as_deref(), Some("2026-01-31"));
        assert_eq!(metadata.amount.as_deref(), Some("110000"));
        assert_eq!(metadata.currency.as_deref(), Some("JPY"));
        assert_eq!(metadata.counterparty.as_deref(), Some("㈱文蔵商事"));
        assert_eq!(metadata.registration_number.as_deref(), Some("T1234567890123"));
        assert_eq!(metadata.additional["department"], "sales");
        let keys: Vec<&str> = metadata.keys().collect();
        assert_eq!(
            keys,
            ["date", "amount", "currency", "counterparty", "registration-number", "department"]
        );
    }

    #[test]
    fn japanese_names_are_the_same_keys() {
        assert_eq!(
            given(&["日付=令和8年1月31日", "金額=１１万"]).unwrap_err(),
            bad("amount", "１１万", ValueForm::Amount)
        );
        assert_eq!(given(&["取引先=A=B"]), given(&["counterparty=A=B"]));
    }

    #[test]
    fn malformed_arguments_are_named_in_one_line() {
        let cases: [(&[&str], &str); 9] = [
            (&["amount"], "amount"),
            (&["=5"], "\"\""),
            (&["Amount=5"], "\"Amount\""),
            (&["date=2026-02-30"], "2026-02-30"),
            (&["currency=YEN!"], "YEN!"),
            (&["registration-number=T123"], "T123"),
            (&["title="], "title"),
            (&["title=a\nb"], "a\\nb"),
            (&["x=1", "x=2"], "x"),
        ];
        for (arguments, shown) in cases {
            let error = given(arguments).unwrap_err();
            for lang in [Lang::Ja, Lang::En] {
                let text = error.text(lang);
                assert!(text.contains(shown) && !text.contains('\n'), "{text}");
            }
        }
    }

    #[test]
    fn too_long_and_too_many_are_refused() {
        let long = format!("title={}", "x".repeat(TEXT_BYTES_MAX + 1));
        assert!(matches!(given(&[&long]), Err(MetadataError::BadValue { .. })));
        let many: Vec<String> = (0..=ADDITIONAL_MAX).map(|n| format!("k{n}=v")).collect();
        let result = DocumentMetadata::from_arguments(many.iter().map(String::as_str));
        assert_eq!(result, Err(MetadataError::TooMany));
    }

    #[test]
    fn what_is_given_wins_over_the_document() {
        let document = given(&["date=2026-01-01", "amount=5", "currency=USD", "supplier=S"]).unwrap();
        let merged = given(&["amount=7", "note=n"]).unwrap().or(document.clone());
        assert_eq!(merged.amount.as_deref(), Some("7"));
        assert_eq!(merged.currency, None);
        assert_eq!(merged.date.as_deref(), Some("2026-01-01"));
        assert_eq!(merged.supplier.as_deref(), Some("S"));
        let same_amount = given(&["amount=5"]).unwrap().or(document);
        assert_eq!(same_amount.currency.as_deref(), Some("USD"));
    }
}
