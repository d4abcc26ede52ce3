//! What a record is searched by: given with `--meta KEY=VALUE`, or read out of the document.

use std::collections::BTreeMap;
use std::fmt;

use formats::limits::{KEY_BYTES_MAX, METADATA_ADDITIONAL_MAX};
pub use formats::manifest::Metadata;
use formats::manifest::{Amount, Currency, RegistrationNumber};
use unicode_normalization::UnicodeNormalization;

use super::{amount, date};
use crate::class::SearchKey;
use crate::cli::lang::Lang;

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
    /// More than [`METADATA_ADDITIONAL_MAX`] further keys.
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

/// Reads `KEY=VALUE` arguments. The typed keys also have Japanese names (日付, 金額, 取引先 …).
///
/// # Errors
/// The first argument that is malformed.
pub fn from_arguments<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<Metadata, MetadataError> {
    let mut metadata = Metadata::default();
    let mut has_yen = false;
    for argument in arguments {
        let (key, value) = argument
            .split_once('=')
            .ok_or_else(|| MetadataError::NoValue(argument.to_owned()))?;
        let key = key_of(key.trim());
        set(&mut metadata, key, value)?;
        has_yen |= key == "amount" && amount::parse(value).is_some_and(|amount| amount.has_yen);
    }
    if has_yen && metadata.currency.is_none() {
        metadata.currency = Some(Currency::JPY);
    }
    Ok(metadata)
}

/// Fills what a person did not give from what the document says. What was given wins.
///
/// An amount and its currency belong together: the document's currency is not put beside a given amount unless the
/// amounts agree.
#[must_use]
pub fn merge(given: Metadata, document: Metadata) -> Metadata {
    let takes_amount = given.amount.is_none() || given.amount == document.amount;
    let mut additional = document.additional;
    additional.extend(given.additional);
    Metadata {
        currency: given.currency.or(if takes_amount {
            document.currency
        } else {
            None
        }),
        date: given.date.or(document.date),
        amount: given.amount.or(document.amount),
        counterparty: given.counterparty.or(document.counterparty),
        title: given.title.or(document.title),
        document_number: given.document_number.or(document.document_number),
        registration_number: given.registration_number.or(document.registration_number),
        supplier: given.supplier.or(document.supplier),
        customer: given.customer.or(document.customer),
        additional,
    }
}

/// Whether a record with this metadata can be found by a key.
#[must_use]
pub fn has(metadata: &Metadata, key: SearchKey) -> bool {
    match key {
        SearchKey::Date => metadata.date.is_some(),
        SearchKey::Amount => metadata.amount.is_some(),
        SearchKey::Counterparty => metadata.counterparty.is_some(),
        SearchKey::Title => metadata.title.is_some(),
        SearchKey::DocumentNumber => metadata.document_number.is_some(),
    }
}

/// The names of the fields that are set, in the order of the manifest's members.
pub fn keys(metadata: &Metadata) -> impl Iterator<Item = &str> {
    let fields = [
        ("date", metadata.date.is_some()),
        ("amount", metadata.amount.is_some()),
        ("currency", metadata.currency.is_some()),
        ("counterparty", metadata.counterparty.is_some()),
        ("title", metadata.title.is_some()),
        ("document-number", metadata.document_number.is_some()),
        (
            "registration-number",
            metadata.registration_number.is_some(),
        ),
        ("supplier", metadata.supplier.is_some()),
        ("customer", metadata.customer.is_some()),
    ];
    fields
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
        .chain(metadata.additional.keys().map(String::as_str))
}

fn set(metadata: &mut Metadata, key: &str, value: &str) -> Result<(), MetadataError> {
    let argument = Argument { key, value };
    match key {
        "date" => argument.put(&mut metadata.date, ValueForm::Date, date::parse),
        "amount" => argument.put(&mut metadata.amount, ValueForm::Amount, amount_value),
        "currency" => argument.put(&mut metadata.currency, ValueForm::Currency, currency),
        "registration-number" => argument.put(
            &mut metadata.registration_number,
            ValueForm::RegistrationNumber,
            registration_number,
        ),
        "counterparty" => argument.put(&mut metadata.counterparty, ValueForm::Text, line),
        "title" => argument.put(&mut metadata.title, ValueForm::Text, line),
        "document-number" => argument.put(&mut metadata.document_number, ValueForm::Text, line),
        "supplier" => argument.put(&mut metadata.supplier, ValueForm::Text, line),
        "customer" => argument.put(&mut metadata.customer, ValueForm::Text, line),
        _ => argument.put_additional(&mut metadata.additional),
    }
}

/// One `--meta` argument.
#[derive(Clone, Copy)]
struct Argument<'a> {
    key: &'a str,
    value: &'a str,
}

impl Argument<'_> {
    fn put<T>(
        self,
        field: &mut Option<T>,
        form: ValueForm,
        parse: fn(&str) -> Option<T>,
    ) -> Result<(), MetadataError> {
        if field.is_some() {
            return Err(MetadataError::Repeated(self.key.to_owned()));
        }
        *field = Some(parse(self.value).ok_or_else(|| self.bad(form))?);
        Ok(())
    }

    fn put_additional(
        self,
        additional: &mut BTreeMap<String, String>,
    ) -> Result<(), MetadataError> {
        if !is_key(self.key) {
            return Err(MetadataError::BadKey(self.key.to_owned()));
        }
        if additional.len() >= METADATA_ADDITIONAL_MAX {
            return Err(MetadataError::TooMany);
        }
        let mut field = additional.get(self.key).cloned();
        self.put(&mut field, ValueForm::Text, line)?;
        additional.insert(self.key.to_owned(), field.unwrap_or_default());
        Ok(())
    }

    fn bad(self, form: ValueForm) -> MetadataError {
        MetadataError::BadValue {
            key: self.key.to_owned(),
            value: self.value.to_owned(),
            form,
        }
    }
}

pub(super) fn amount_value(text: &str) -> Option<Amount> {
    amount::parse(text)?.decimal.parse().ok()
}

/// The three letters of ISO 4217.
pub(super) fn currency(text: &str) -> Option<Currency> {
    folded(text).to_ascii_uppercase().parse().ok()
}

/// One line of text.
pub(super) fn line(text: &str) -> Option<String> {
    let text = text.trim();
    let is_line =
        !text.is_empty() && text.len() <= LINE_BYTES_MAX && !text.chars().any(char::is_control);
    is_line.then(|| text.to_owned())
}

impl ValueForm {
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
                    format!(
                        "--meta {argument}: キー=値 の形で書いてください (例: --meta amount=110000)"
                    ),
                    format!(
                        "--meta {argument}: write KEY=VALUE (for example --meta amount=110000)"
                    ),
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
                format!("--meta: 任意のキーは {METADATA_ADDITIONAL_MAX} 個までです"),
                format!("--meta: at most {METADATA_ADDITIONAL_MAX} keys of your own"),
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
pub(super) fn registration_number(text: &str) -> Option<RegistrationNumber> {
    let folded = folded(text).to_ascii_uppercase();
    let digits: String = folded
        .strip_prefix('T')?
        .chars()
        .filter(|character| !matches!(character, '-' | ' '))
        .collect();
    format!("T{digits}").parse().ok()
}

fn folded(text: &str) -> String {
    let folded: String = text.nfkc().collect();
    folded.trim().to_owned()
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
    key.len() <= KEY_BYTES_MAX
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

const TYPED_KEYS: &str = "date (日付), amount (金額), currency (通貨), counterparty (取引先), title (表題), \
    document-number (書類番号), registration-number (登録番号), supplier (売手), customer (買手)";

/// One line of a form; longer text belongs into a document. The manifest would take more.
const LINE_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(field: &Option<impl ToString>) -> String {
        field.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    fn given(arguments: &[&str]) -> Result<Metadata, MetadataError> {
        from_arguments(arguments.iter().copied())
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
        assert_eq!(text(&metadata.date), "2026-01-31");
        assert_eq!(text(&metadata.amount), "110000");
        assert_eq!(metadata.currency, Some(Currency::JPY));
        assert_eq!(metadata.counterparty.as_deref(), Some("㈱文蔵商事"));
        assert_eq!(text(&metadata.registration_number), "T1234567890123");
        assert_eq!(metadata.additional["department"], "sales");
        let keys: Vec<&str> = keys(&metadata).collect();
        assert_eq!(
            keys,
            [
                "date",
                "amount",
                "currency",
                "counterparty",
                "registration-number",
                "department"
            ]
        );
    }

    #[test]
    fn japanese_names_are_the_same_keys() {
        assert_eq!(
            given(&["日付=令和8年1月31日", "金額=１１万"]).unwrap_err(),
            Argument {
                key: "amount",
                value: "１１万"
            }
            .bad(ValueForm::Amount)
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
        let long = format!("title={}", "x".repeat(LINE_BYTES_MAX + 1));
        assert!(matches!(
            given(&[&long]),
            Err(MetadataError::BadValue { .. })
        ));
        let many: Vec<String> = (0..=METADATA_ADDITIONAL_MAX)
            .map(|n| format!("k{n}=v"))
            .collect();
        let result = from_arguments(many.iter().map(String::as_str));
        assert_eq!(result, Err(MetadataError::TooMany));
    }

    #[test]
    fn what_is_given_wins_over_the_document() {
        let document =
            given(&["date=2026-01-01", "amount=5", "currency=USD", "supplier=S"]).unwrap();
        let merged = merge(given(&["amount=7", "note=n"]).unwrap(), document.clone());
        assert_eq!(text(&merged.amount), "7");
        assert_eq!(merged.currency, None);
        assert_eq!(text(&merged.date), "2026-01-01");
        assert_eq!(merged.supplier.as_deref(), Some("S"));
        let same_amount = merge(given(&["amount=5"]).unwrap(), document);
        assert_eq!(text(&same_amount.currency), "USD");
    }
}
