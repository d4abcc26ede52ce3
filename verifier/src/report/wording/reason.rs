//! A sentence for each sub-indication (EN 319 102-1 §5.1.3, tables 5 and 6): the cause, and what to do next.

use super::Words;
use crate::verdict::{Conclusion, SubIndication};

/// Why a verdict is not "passed".
pub(in crate::report) fn reason(sub: SubIndication) -> Words {
    let found = REASONS.iter().find(|(known, _)| *known == sub);
    // Whatever the standard adds before it gets a sentence here; a test holds the list complete.
    found.map_or(CUSTOM, |(_, words)| *words)
}

const CUSTOM: Words = Words::new(
    "この検証プログラムでは判断できない部分があります。",
    "There is a part that this program cannot judge.",
);

const REASONS: &[(SubIndication, Words)] = &[
    (
        SubIndication::FormatFailure,
        Words::new(
            "証拠のファイルが壊れているか、定められた形になっていません。",
            "A file of the evidence is damaged, or does not have the prescribed form.",
        ),
    ),
    (
        SubIndication::HashFailure,
        Words::new(
            "文書又は証拠が、証拠が作られた時のものと一致しません。",
            "A document or a part of the evidence is not what it was when the evidence was made.",
        ),
    ),
    (
        SubIndication::SigCryptoFailure,
        Words::new(
            "証拠に付けられた電子署名が正しくありません。後から変更されたか、名乗っている者が付けたものではありません。",
            "An electronic signature in the evidence is wrong: something was changed afterwards, or it was not made by the one who is named.",
        ),
    ),
    (
        SubIndication::Revoked,
        Words::new(
            "証拠を作った者の証明書は、証拠が作られたとされる時より前に失効していました。",
            "The certificate of whoever made the evidence had been withdrawn before the time at which the evidence is said to have been made.",
        ),
    ),
    (
        SubIndication::Expired,
        Words::new(
            "証拠を作った者の証明書は、証拠が作られたとされる時には有効期間が終わっていました。",
            "The certificate of whoever made the evidence had ended before the time at which the evidence is said to have been made.",
        ),
    ),
    (
        SubIndication::NotYetValid,
        Words::new(
            "証拠を作った者の証明書は、証拠が作られたとされる時にはまだ有効ではありませんでした。",
            "The certificate of whoever made the evidence was not yet valid at the time at which the evidence is said to have been made.",
        ),
    ),
    (
        SubIndication::NoSigningCertificateFound,
        Words::new(
            "証拠を作った者の証明書が見つかりません。",
            "The certificate of whoever made the evidence was not found.",
        ),
    ),
    (
        SubIndication::NoCertificateChainFound,
        Words::new(
            "証拠を作った者の証明書が、信頼するものとして示された証明書（信頼の起点）につながっていません。",
            "The certificate of whoever made the evidence does not lead to any certificate that was given as trusted.",
        ),
    ),
    (
        SubIndication::NoCertificateChainFoundNoPoe,
        Words::new(
            "証拠が作られた時に有効だった証明書のつながりが見つかりません。",
            "No chain of certificates was found that was valid when the evidence was made.",
        ),
    ),
    (
        SubIndication::ChainConstraintsFailure,
        Words::new(
            "証明書のつながりが、定められた条件を満たしていません。",
            "The chain of certificates does not fulfil the conditions that apply to it.",
        ),
    ),
    (
        SubIndication::CertificateChainGeneralFailure,
        Words::new(
            "証明書のつながりを最後まで確かめることができません。",
            "The chain of certificates could not be checked to its end.",
        ),
    ),
    (
        SubIndication::RevokedNoPoe,
        Words::new(
            "証拠を作った者の証明書が失効しており、証拠が失効の前からあったことを示すものがありません。",
            "The certificate of whoever made the evidence was withdrawn, and nothing shows that the evidence is older than that.",
        ),
    ),
    (
        SubIndication::RevokedCaNoPoe,
        Words::new(
            "証明書を発行した機関の証明書が失効しており、証拠が失効の前からあったことを示すものがありません。",
            "The certificate of an authority in the chain was withdrawn, and nothing shows that the evidence is older than that.",
        ),
    ),
    (
        SubIndication::OutOfBoundsNotRevoked,
        Words::new(
            "証明書の有効期間が終わっており（失効はしていません）、証拠が期間内に作られたことを示すものがありません。",
            "The certificate has ended (it was not withdrawn), and nothing shows that the evidence was made before that.",
        ),
    ),
    (
        SubIndication::OutOfBoundsNoPoe,
        Words::new(
            "証明書の有効期間が終わっており、その前に証拠が更新されたことを示すものがありません。",
            "The certificate has ended, and nothing shows that the evidence was renewed before that.",
        ),
    ),
    (
        SubIndication::RevocationOutOfBoundsNoPoe,
        Words::new(
            "証明書の失効情報を出した機関の証明書の有効期間が終わっており、情報がその前に出されたことを示すものがありません。",
            "The certificate of whoever told about withdrawals has ended, and nothing shows that this was told before that.",
        ),
    ),
    (
        SubIndication::TryLater,
        Words::new(
            "証明書が失効していないかどうかを確かめる情報がないか、古すぎます。",
            "Information on whether the certificate was withdrawn is missing or too old.",
        ),
    ),
    (
        SubIndication::SigConstraintsFailure,
        Words::new(
            "証拠が、規格又は検証の方針の定める条件を満たしていません。",
            "The evidence does not fulfil a condition of its standard or of the verification policy.",
        ),
    ),
    (
        SubIndication::CryptoConstraintsFailure,
        Words::new(
            "証拠に使われた暗号の方式は、使われた時に既に安全と認められていませんでした。",
            "A cryptographic method of the evidence was no longer regarded as safe when it was used.",
        ),
    ),
    (
        SubIndication::CryptoConstraintsFailureNoPoe,
        Words::new(
            "証拠に使われた暗号の方式は現在では安全と認められず、安全だった間に作られたことを示すものがありません。",
            "A cryptographic method of the evidence is no longer regarded as safe, and nothing shows that it was used while it was.",
        ),
    ),
    (
        SubIndication::PolicyProcessingError,
        Words::new(
            "検証の方針を処理することができません。",
            "The verification policy could not be processed.",
        ),
    ),
    (
        SubIndication::SignaturePolicyNotAvailable,
        Words::new(
            "署名が従うとしている規則が手元にありません。",
            "The rules that the signature says it follows are not at hand.",
        ),
    ),
    (
        SubIndication::TimestampOrderFailure,
        Words::new(
            "証拠の中の時刻の順序が矛盾しています。",
            "The times in the evidence contradict each other.",
        ),
    ),
    (
        SubIndication::NoPoe,
        Words::new(
            "その時に存在したことの証明が足りません。",
            "A proof that it existed at the time is missing.",
        ),
    ),
    (
        SubIndication::SignedDataNotFound,
        Words::new(
            "証拠の対象となる文書の全部又は一部が与えられていません。",
            "Some or all of what the evidence is about was not given.",
        ),
    ),
    (SubIndication::Custom, CUSTOM),
];

const FAILED: Words = Words::new(
    "この証拠に頼らないでください。渡した人に、変更されていない元のファイル一式をあらためて求めてください。",
    "Do not rely on this evidence. Ask whoever handed it over for the unaltered originals.",
);

/// What the reader of a verdict can do next.
pub(in crate::report) fn next_step(conclusion: Conclusion, sub: SubIndication) -> Words {
    let (steps, otherwise) = match conclusion {
        Conclusion::TotalPassed => return NOTHING,
        Conclusion::TotalFailed => (AFTER_FAILURE, FAILED),
        Conclusion::Indeterminate => (WHILE_OPEN, ASK_AN_EXPERT),
    };
    let found = steps.iter().find(|(subs, _)| subs.contains(&sub));
    found.map_or(otherwise, |(_, words)| *words)
}

const NOTHING: Words = Words::new("必要なことはありません。", "Nothing has to be done.");

/// What is left is about rules, order and methods: nothing that its reader can add decides it.
const ASK_AN_EXPERT: Words = Words::new(
    "2 ページ以降の理由を専門家に確かめてください。それまで、証明されたものとして扱わないでください。",
    "Show the reasons on the following pages to an expert. Until then, do not treat it as proven.",
);

/// Steps for some sub-indications.
type Steps = &'static [(&'static [SubIndication], Words)];

const AFTER_FAILURE: Steps = &[(
    &[
        SubIndication::Revoked,
        SubIndication::Expired,
        SubIndication::NotYetValid,
    ],
    Words::new(
        "この証拠に頼らないでください。同じ文書に別の証拠（別の機関のタイムスタンプなど）がないか、渡した人に確かめてください。",
        "Do not rely on this evidence. Ask whoever handed it over for other evidence of the same document, such as a time-stamp of another authority.",
    ),
)];

const WHILE_OPEN: Steps = &[
    (
        &[SubIndication::NoCertificateChainFound],
        Words::new(
            "証拠を作った機関（タイムスタンプ局など）の証明書を、その機関から直接受け取り、信頼するものとして指定して検証し直してください（オプション --trust）。",
            "Get the root certificate of whoever made the evidence, such as the time-stamping authority, from that authority itself, and verify again with it (option --trust).",
        ),
    ),
    (
        &[SubIndication::SignedDataNotFound],
        Words::new(
            "証拠の対象となる文書を用意し、あわせて指定して検証し直してください（オプション --data）。",
            "Get what the evidence is about, and verify again together with it (option --data).",
        ),
    ),
    (
        &[
            SubIndication::TryLater,
            SubIndication::RevocationOutOfBoundsNoPoe,
        ],
        Words::new(
            "証明書の失効情報を、発行した機関から受け取り、指定して検証し直してください（オプション --crl、--ocsp）。",
            "Get the current information on withdrawn certificates from the authority, and verify again with it (options --crl and --ocsp).",
        ),
    ),
    (
        &[SubIndication::NoSigningCertificateFound],
        Words::new(
            "証拠を作った者の証明書を含む、完全な証拠を渡した人に求めてください。",
            "Ask whoever handed the evidence over for one that contains the certificate of its maker.",
        ),
    ),
    (
        &[
            SubIndication::PolicyProcessingError,
            SubIndication::SignaturePolicyNotAvailable,
        ],
        Words::new(
            "規則の文書を手に入れ、専門家に確かめてください。",
            "Get the document with the rules, and ask an expert.",
        ),
    ),
    (
        &[
            SubIndication::OutOfBoundsNoPoe,
            SubIndication::OutOfBoundsNotRevoked,
            SubIndication::RevokedNoPoe,
            SubIndication::RevokedCaNoPoe,
            SubIndication::CryptoConstraintsFailureNoPoe,
            SubIndication::NoCertificateChainFoundNoPoe,
            SubIndication::NoPoe,
        ],
        Words::new(
            "更新された証拠（より新しいタイムスタンプを含むもの）がないか、渡した人に確かめてください。",
            "Ask whoever handed it over for renewed evidence, with a more recent time-stamp.",
        ),
    ),
    (
        &[
            SubIndication::FormatFailure,
            SubIndication::HashFailure,
            SubIndication::SigCryptoFailure,
        ],
        Words::new(
            "ファイルが途中で壊れていないか確かめ、もう一度受け取って検証し直してください。",
            "Make sure that no file was damaged on its way, get them again, and verify again.",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::finding::Language;

    const LANGUAGES: [Language; 2] = [Language::Japanese, Language::English];

    #[test]
    fn every_sub_indication_has_a_cause_of_its_own() {
        for language in LANGUAGES {
            let all: BTreeSet<&str> = SubIndication::ALL
                .iter()
                .map(|sub| reason(*sub).text(language))
                .collect();
            assert_eq!(all.len(), SubIndication::ALL.len());
        }
    }

    #[test]
    fn every_verdict_has_a_next_step_in_plain_words() {
        for sub in SubIndication::ALL {
            for conclusion in [Conclusion::Indeterminate, Conclusion::TotalFailed] {
                for language in LANGUAGES {
                    let next = next_step(conclusion, *sub).text(language);
                    for text in [reason(*sub).text(language), next] {
                        assert!(text.ends_with(['。', '.']), "{text}");
                        assert_plain(text);
                    }
                }
            }
        }
    }

    /// Words with two capitals in a row are acronyms.
    fn assert_plain(text: &str) {
        let characters: Vec<char> = text.chars().collect();
        let acronym = characters
            .windows(2)
            .any(|pair| pair.iter().all(char::is_ascii_uppercase));
        assert!(!acronym, "{text}");
    }
}
