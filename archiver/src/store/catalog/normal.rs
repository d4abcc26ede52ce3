//! Names as people compare them.

use unicode_normalization::UnicodeNormalization;

/// The text in the form in which names are compared.
///
/// Equal are: full and half width letters, digits and kana (NFKC); upper and lower case; hiragana and katakana; all hyphens; the
/// ways to write a form of company (`㈱`, `(株)`, `（株）`, `株式会社`); and texts that differ in white space only.
pub(super) fn normalise(text: &str) -> String {
    let folded: String = text
        .nfkc()
        .filter(|letter| !letter.is_whitespace())
        .flat_map(char::to_lowercase)
        .map(fold)
        .collect();
    COMPANY_FORMS
        .iter()
        .fold(folded, |text, (short, long)| match text.contains(short) {
            true => text.replace(short, long),
            false => text,
        })
}

fn fold(letter: char) -> char {
    match letter {
        // Hiragana stand 0x60 below the katakana.
        '\u{3041}'..='\u{3096}' | '\u{309D}' | '\u{309E}' => {
            char::from_u32(u32::from(letter) + 0x60).unwrap_or(letter)
        }
        // Hyphens and the minus sign; not the long vowel mark, which is a letter.
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        letter => letter,
    }
}

/// Short forms after normalisation, and what they stand for.
const COMPANY_FORMS: [(&str, &str); 7] = [
    ("(株)", "株式会社"),
    ("(有)", "有限会社"),
    ("(資)", "合資会社"),
    ("(名)", "合名会社"),
    ("(同)", "合同会社"),
    ("(財)", "財団法人"),
    ("(社)", "社団法人"),
];

#[cfg(test)]
mod tests {
    use super::normalise;

    fn same(a: &str, b: &str) -> bool {
        normalise(a) == normalise(b)
    }

    #[test]
    fn forms_of_company_are_equal() {
        for written in [
            "㈱文蔵",
            "(株)文蔵",
            "（株）文蔵",
            "（株) 文蔵",
            "㍿文蔵",
            "株式会社　文蔵",
        ] {
            assert!(same(written, "株式会社文蔵"), "{written}");
        }
        assert!(same("文蔵㈲", "文蔵有限会社"));
        assert!(!same("㈱文蔵", "㈲文蔵"));
        assert!(!same("㈱文蔵", "文蔵"));
        assert!(!same("株文蔵", "株式会社文蔵"));
    }

    #[test]
    fn widths_are_equal() {
        assert!(same("ＡＢＣ１２３", "ABC123"));
        assert!(same("ﾌﾐｸﾗ", "フミクラ"));
        assert!(same("ｶﾞｷﾞﾊﾟ", "ガギパ"));
        assert!(same("ｶﾌﾞｼｷｶﾞｲｼｬ", "カブシキガイシャ"));
        assert!(!same("ﾊﾊ", "パパ"));
        assert!(!same("フミクラ", "フミクフ"));
    }

    #[test]
    fn case_kana_spaces_and_hyphens_are_equal() {
        assert!(same("Acme Corp", "ＡＣＭＥ　ｃｏｒｐ"));
        assert!(same("ふみくら", "フミクラ"));
        assert!(same("ゔぁ", "ヴァ"));
        assert!(same("A‐1", "A−1"));
        assert!(same("STRASSE", "strasse"));
        assert!(!same("コーヒー", "コ-ヒ-"));
        assert!(!same("Acme", "Acne"));
        assert_eq!(normalise(" \u{3000}\t"), "");
    }
}
