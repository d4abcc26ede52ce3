//! One preservation class: the fields that Td1.3 lists, as a strict TOML file.

use std::fmt;

use formats::cades::Level;
use formats::digest::DigestAlgorithm;
use serde::Deserialize;

use crate::cli::lang::Lang;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// The text in one language.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &str {
        lang.pick(&self.ja, &self.en)
    }
}

/// A preservation class (保管要件), Td1.3(1).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PreservationClass {
    /// The schema of this file: `urn:fumikura:class:1`.
    pub schema: String,
    /// The name by which records and commands refer to the class.
    pub id: String,
    /// What people call it.
    pub title: Bilingual,
    /// 法的要求事項: the laws that ask for these records. Empty where no law does.
    #[serde(default)]
    pub legal_basis: Vec<LegalBasis>,
    /// 目標とする保管期間.
    pub period: Period,
    /// 保管方法: as received, or in a standard form.
    pub storage_method: Bilingual,
    /// 保管に使用する媒体.
    pub media: Bilingual,
    /// 必要とする検索性: the search keys that a record of this class should have.
    pub search_keys: Vec<SearchKey>,
    /// Whether each line of a record can be proven alone: for logs.
    #[serde(default)]
    pub line_tree: bool,
    /// Whose name in an invoice is the counterparty.
    #[serde(default)]
    pub counterparty: Counterparty,
    /// 法的要求への対応方式.
    pub compliance: Bilingual,
    /// 見読性の維持の方法.
    pub readability: Bilingual,
    /// 可視性の確保の方法: display and print.
    pub visibility: Bilingual,
    /// バージョン管理についての要求.
    pub versions: Bilingual,
    /// 電子署名.
    pub signature: SignatureDemand,
    /// タイムスタンプ.
    pub timestamp: TimestampDemand,
    /// 検証手段、検証内容、検証手順.
    pub verification: Bilingual,
    /// 対象情報の完全性の確保手段および物理的な保存方式の方針.
    pub integrity: Integrity,
    /// 長期保管に適応した暗号化アルゴリズムの方針.
    pub algorithms: Bilingual,
    /// 長期タイムスタンプ付与や再スタンプ処理、ESフォーマット等々の指定.
    pub long_term: LongTerm,
    /// アナログ情報の電子化を伴う場合における作成要件（入力プロセス）.
    #[serde(default)]
    pub scan: Option<ScanConditions>,
    /// 保管についての物理的な条件.
    pub physical: Bilingual,
    /// 廃棄の手順.
    pub disposal: Disposal,
    /// 審査、決定 and the periodic review (Td1.3(1), (2)).
    pub review: Review,
}

/// A law that asks for the records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LegalBasis {
    /// The law and its article.
    pub law: String,
    /// The e-Gov id of the law.
    #[serde(default)]
    pub law_id: Option<String>,
}

/// How long the records are to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Period {
    /// The period in whole years; absent = no end is set.
    #[serde(default)]
    pub years: Option<u16>,
    /// From when it runs and what lengthens it, in words.
    pub text: Bilingual,
}

/// The typed search keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchKey {
    /// 取引年月日その他の日付.
    Date,
    /// 取引金額.
    Amount,
    /// 取引先.
    Counterparty,
    /// 表題.
    Title,
    /// 書類番号.
    DocumentNumber,
}

impl SearchKey {
    /// The key as `--meta` writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Amount => "amount",
            Self::Counterparty => "counterparty",
            Self::Title => "title",
            Self::DocumentNumber => "document-number",
        }
    }
}

/// Which party of an invoice the archive's owner deals with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counterparty {
    /// The supplier: the document was received.
    #[default]
    Supplier,
    /// The customer: the document was issued.
    Customer,
}

/// What is asked of electronic signatures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignatureDemand {
    /// Whether a document without a signature is unacceptable.
    pub required: bool,
    /// Whose certificates count, and what is done with signed documents.
    pub text: Bilingual,
}

/// What is asked of timestamps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimestampDemand {
    /// Whether each record is timestamped.
    pub required: bool,
    /// Whether only an accredited authority's timestamp meets the demand.
    pub accredited: bool,
    /// By when, and from whom.
    pub text: Bilingual,
}

/// How integrity is kept physically.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Integrity {
    /// The least number of copies on separate media.
    pub copies_min: u8,
    /// Duplication, third parties and degradation, in words.
    pub text: Bilingual,
}

/// A level of CAdES.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CadesLevel(pub Level);

impl TryFrom<String> for CadesLevel {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let known = "not one of ES-BES, ES-T, ES-C, ES-X Long, ES-A, B-B, B-T, B-LT, B-LTA";
        Level::from_name(&name).map(Self).ok_or(known)
    }
}

/// The digest of the archive's signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum CadesDigest {
    /// SHA-256.
    #[default]
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-512.
    #[serde(rename = "SHA-512")]
    Sha512,
}

impl CadesDigest {
    /// The algorithm.
    #[must_use]
    pub const fn algorithm(self) -> DigestAlgorithm {
        match self {
            Self::Sha256 => DigestAlgorithm::Sha256,
            Self::Sha512 => DigestAlgorithm::Sha512,
        }
    }
}

/// How proof outlives certificates and algorithms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LongTerm {
    /// The evidence form, for example `RFC 4998 evidence record`.
    pub es_format: String,
    /// The level of the archive's own CAdES signature over each record, by a name of either family: `ES-A` or `B-LTA`. Absent: none.
    #[serde(default)]
    pub cades: Option<CadesLevel>,
    /// The digest of that signature.
    #[serde(default)]
    pub cades_digest: CadesDigest,
    /// When and how re-stamping is done.
    pub restamp: Bilingual,
}

/// What a scan must fulfil.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScanConditions {
    /// The least resolution in dots per inch.
    pub resolution_dpi_min: u16,
    /// The least colour depth in bits per pixel.
    pub depth_bits_min: u8,
    /// The input process in words.
    pub text: Bilingual,
}

/// How records end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disposal {
    /// The method, for example `cryptographic-erasure`.
    pub method: String,
    /// The procedure in words.
    pub text: Bilingual,
}

/// Who looked at this class.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Review {
    /// The person who reviewed the legal terms; empty = nobody yet.
    pub reviewed_by: String,
    /// When, as `YYYY-MM-DD`; empty = not yet.
    pub reviewed_on: String,
    /// Months between reviews.
    pub interval_months: u16,
}

/// Why a class text is no class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// Not TOML, a field is missing, or a field is not known. Holds the parser's words, which name line and field.
    Syntax(String),
    /// `schema` is not [`PreservationClass::SCHEMA`].
    Schema,
    /// `id` is not 1 to 64 of `a-z 0-9 -`, starting with a letter.
    Id,
    /// A field is empty that Td1.3 asks for. Holds the field.
    Empty(&'static str),
}

impl PreservationClass {
    /// The schema id of class files.
    pub const SCHEMA: &str = "urn:fumikura:class:1";

    /// Reads one class file. Unknown fields are refused: a misspelt demand must not silently be no demand.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let class: Self = toml::from_str(text).map_err(|error| {
            PolicyError::Syntax(error.to_string().trim_end().replace('\n', " "))
        })?;
        if class.schema != Self::SCHEMA {
            return Err(PolicyError::Schema);
        }
        if !is_class_id(&class.id) {
            return Err(PolicyError::Id);
        }
        class.check_filled()?;
        Ok(class)
    }

    /// Whether a person has reviewed the legal terms.
    #[must_use]
    pub fn is_reviewed(&self) -> bool {
        !self.review.reviewed_by.is_empty() && !self.review.reviewed_on.is_empty()
    }

    /// 廃棄の手順 and the other texts are part of the specification before the first deposit (A078).
    fn check_filled(&self) -> Result<(), PolicyError> {
        let fields = [
            ("title", &self.title),
            ("period.text", &self.period.text),
            ("storage-method", &self.storage_method),
            ("media", &self.media),
            ("compliance", &self.compliance),
            ("readability", &self.readability),
            ("visibility", &self.visibility),
            ("versions", &self.versions),
            ("signature.text", &self.signature.text),
            ("timestamp.text", &self.timestamp.text),
            ("verification", &self.verification),
            ("integrity.text", &self.integrity.text),
            ("algorithms", &self.algorithms),
            ("long-term.restamp", &self.long_term.restamp),
            ("physical", &self.physical),
            ("disposal.text", &self.disposal.text),
        ];
        for (name, text) in fields {
            if text.ja.trim().is_empty() || text.en.trim().is_empty() {
                return Err(PolicyError::Empty(name));
            }
        }
        if self.disposal.method.trim().is_empty() {
            return Err(PolicyError::Empty("disposal.method"));
        }
        Ok(())
    }
}

impl PolicyError {
    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Syntax(words) => lang.pick(
                format!("保管要件ファイルとして読めません: {words}"),
                format!("not a class file: {words}"),
            ),
            Self::Schema => lang.pick(
                format!(
                    "schema は \"{}\" でなければなりません",
                    PreservationClass::SCHEMA
                ),
                format!("schema must be \"{}\"", PreservationClass::SCHEMA),
            ),
            Self::Id => lang.pick(
                "id は英小文字で始まる 1〜64 文字の a-z 0-9 - です".to_owned(),
                "id must be 1 to 64 of a-z 0-9 -, starting with a letter".to_owned(),
            ),
            Self::Empty(field) => lang.pick(
                format!("{field} が空です。日英両方を書いてください"),
                format!("{field} is empty: write it in both languages"),
            ),
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for PolicyError {}

fn is_class_id(id: &str) -> bool {
    id.len() <= CLASS_ID_LEN_MAX
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Class ids become parts of file names and log lines.
const CLASS_ID_LEN_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const GENERAL: &str = include_str!("../../classes/general.toml");

    #[test]
    fn the_general_class_parses() {
        let class = PreservationClass::parse(GENERAL).unwrap();
        assert_eq!(class.id, "general");
        assert!(!class.is_reviewed());
    }

    #[test]
    fn unknown_field_is_refused() {
        let text = GENERAL.replacen("search-keys", "serach-keys", 1);
        assert!(matches!(
            PreservationClass::parse(&text),
            Err(PolicyError::Syntax(words)) if words.contains("serach-keys")
        ));
    }

    #[test]
    fn bad_id_schema_and_empty_text_are_refused() {
        let id = GENERAL.replacen("id = \"general\"", "id = \"../general\"", 1);
        assert_eq!(PreservationClass::parse(&id), Err(PolicyError::Id));
        let schema = GENERAL.replacen("urn:fumikura:class:1", "urn:fumikura:class:9", 1);
        assert_eq!(PreservationClass::parse(&schema), Err(PolicyError::Schema));
        let mut class = PreservationClass::parse(GENERAL).unwrap();
        class.disposal.text.en = " ".to_owned();
        assert_eq!(
            class.check_filled(),
            Err(PolicyError::Empty("disposal.text"))
        );
    }

    #[test]
    fn the_level_of_signatures_has_names_of_both_families() {
        let read = |line: &str| {
            let text = GENERAL.replacen("[long-term]", &format!("[long-term]\n{line}"), 1);
            PreservationClass::parse(&text).map(|class| class.long_term)
        };
        let level = |line| read(line).unwrap().cades.map(|level| level.0);
        assert_eq!(level("cades = \"ES-A\""), Some(Level::A));
        assert_eq!(level("cades = \"B-LT\""), Some(Level::XLong));
        assert_eq!(level(""), None);
        assert!(read("cades = \"ES-Z\"").is_err());
        assert!(read("cades = 3").is_err());
        let digest = |line| read(line).map(|long_term| long_term.cades_digest);
        assert_eq!(digest(""), Ok(CadesDigest::Sha256));
        let sha512 = digest("cades-digest = \"SHA-512\"");
        assert_eq!(sha512.unwrap().algorithm(), DigestAlgorithm::Sha512);
        assert!(digest("cades-digest = \"SHA-1\"").is_err());
    }

    #[test]
    fn not_toml_is_refused_in_one_line() {
        let Err(error) = PreservationClass::parse("id = \nx") else {
            panic!("accepted");
        };
        assert!(!error.text(Lang::Ja).contains('\n'));
        assert!(!error.text(Lang::En).contains('\n'));
    }
}
