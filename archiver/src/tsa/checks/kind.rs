//! What is checked, in order and in words.

use crate::cli::lang::Lang;

/// One check of an answer. The order is that in which they are made and reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The answer is a `TimeStampResp` and nothing else.
    Response,
    /// The status grants a token and names no failure.
    Status,
    /// The token is a `SignedData` over a `TSTInfo` of version 1.
    Token,
    /// The hash algorithm is the one asked for.
    DigestAlgorithm,
    /// The imprint is the one sent.
    Imprint,
    /// The nonce is the one sent.
    Nonce,
    /// The policy is the one asked for.
    Policy,
    /// The time lies between sending and answer, by our clock, with some tolerance.
    Clock,
    /// The accuracy is stated and good enough.
    Accuracy,
    /// The time does not lie before that of an earlier token of the same authority.
    Order,
    /// Exactly one signer.
    Signers,
    /// The token carries its signer's certificate.
    Certificate,
    /// Signed attributes, message digest and signature hold.
    Signature,
    /// The signed attributes name the signer's certificate (ESSCertID or ESSCertIDv2).
    Binding,
    /// The algorithms are trusted today.
    Algorithm,
    /// The extended key usage is there, critical, and time-stamping alone.
    Usage,
    /// The signer's certificate was valid at the time of the token.
    Validity,
    /// A path leads to a configured trust anchor.
    Path,
    /// No certificate of the path is revoked, and it can be told.
    Revocation,
    /// Whatever else a verifier looks at.
    Verification,
    /// Certificates and algorithms hold for long enough.
    Remaining,
}

impl Check {
    /// All checks, in order.
    pub const ALL: &[Self] = &[
        Self::Response,
        Self::Status,
        Self::Token,
        Self::DigestAlgorithm,
        Self::Imprint,
        Self::Nonce,
        Self::Policy,
        Self::Clock,
        Self::Accuracy,
        Self::Order,
        Self::Signers,
        Self::Certificate,
        Self::Signature,
        Self::Binding,
        Self::Algorithm,
        Self::Usage,
        Self::Validity,
        Self::Path,
        Self::Revocation,
        Self::Verification,
        Self::Remaining,
    ];

    /// A name for machines.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// The clause that demands it.
    #[must_use]
    pub fn clause(self) -> &'static str {
        self.row().clause
    }

    /// What is checked, in one line.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        let row = self.row();
        lang.pick(row.ja, row.en)
    }

    fn row(self) -> &'static Row {
        let found = ROWS.iter().find(|row| row.check == self);
        // A test looks every check up.
        found.unwrap_or(&ROWS[0])
    }
}

/// A check in words.
struct Row {
    check: Check,
    id: &'static str,
    clause: &'static str,
    ja: &'static str,
    en: &'static str,
}

const fn row(
    check: Check,
    id: &'static str,
    clause: &'static str,
    ja: &'static str,
    en: &'static str,
) -> Row {
    Row {
        check,
        id,
        clause,
        ja,
        en,
    }
}

const ROWS: [Row; Check::ALL.len()] = [
    row(
        Check::Response,
        "response",
        "RFC 3161 §2.4.2",
        "応答を読み取れる",
        "the answer is a timestamp response",
    ),
    row(
        Check::Status,
        "status",
        "RFC 3161 §2.4.2",
        "要求が受け入れられた",
        "the request is granted",
    ),
    row(
        Check::Token,
        "token",
        "RFC 3161 §2.4.2",
        "トークンを読み取れる",
        "the token can be read",
    ),
    row(
        Check::DigestAlgorithm,
        "digest-algorithm",
        "RFC 3161 §2.2",
        "要求したハッシュ関数である",
        "the hash function is the one asked for",
    ),
    row(
        Check::Imprint,
        "imprint",
        "RFC 3161 §2.2",
        "送ったダイジェストに対するものである",
        "it is over the digest that was sent",
    ),
    row(
        Check::Nonce,
        "nonce",
        "RFC 3161 §2.2",
        "ナンスが一致する",
        "the nonce is the one sent",
    ),
    row(
        Check::Policy,
        "policy",
        "RFC 3161 §2.2",
        "要求したポリシーである",
        "the policy is the one asked for",
    ),
    row(
        Check::Clock,
        "clock",
        "RFC 3161 §2.2",
        "時刻がこちらの時計と合う",
        "the time agrees with our clock",
    ),
    row(
        Check::Accuracy,
        "accuracy",
        "RFC 3161 §2.4.2",
        "時刻の精度が要求を満たす",
        "the accuracy is good enough",
    ),
    row(
        Check::Order,
        "order",
        "RFC 3161 §2.4.2",
        "同じ局の以前のトークンより前の時刻ではない",
        "it does not lie before an earlier token of this TSA",
    ),
    row(
        Check::Signers,
        "signers",
        "RFC 3161 §2.4.2",
        "署名者が一人だけである",
        "there is exactly one signer",
    ),
    row(
        Check::Certificate,
        "certificate",
        "RFC 3161 §2.4.1",
        "署名者の証明書が含まれている",
        "the signer's certificate is in it",
    ),
    row(
        Check::Signature,
        "signature",
        "RFC 5652 §5.6",
        "署名が正しい",
        "the signature holds",
    ),
    row(
        Check::Binding,
        "binding",
        "RFC 5816 §2.2.1",
        "署名者の証明書が署名対象に含まれる (ESSCertID)",
        "it signs which certificate made it (ESSCertID)",
    ),
    row(
        Check::Algorithm,
        "algorithm",
        "EN 319 102-1 §5.2.8",
        "アルゴリズムが現在信頼できる",
        "its algorithms are trusted today",
    ),
    row(
        Check::Usage,
        "usage",
        "RFC 3161 §2.3",
        "証明書の用途がタイムスタンプ専用でクリティカルである",
        "the certificate is for timestamping alone, and critically so",
    ),
    row(
        Check::Validity,
        "validity",
        "RFC 5280 §6.1.3",
        "証明書がその時刻に有効である",
        "the certificate is valid at that time",
    ),
    row(
        Check::Path,
        "path",
        "RFC 5280 §6.1",
        "設定した信頼点まで認証パスがつながる",
        "a path leads to a configured trust anchor",
    ),
    row(
        Check::Revocation,
        "revocation",
        "RFC 5280 §6.3",
        "失効しておらず、そう確認できる",
        "nothing is revoked, and that can be told",
    ),
    row(
        Check::Verification,
        "verification",
        "EN 319 102-1 §5.4",
        "検証のその他の項目に問題がない",
        "a verifier finds nothing else against it",
    ),
    row(
        Check::Remaining,
        "remaining",
        "RFC 4998 §5",
        "更新が必要になるまで十分な期間がある",
        "it holds for long enough before it must be renewed",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_row_in_order() {
        for (check, row) in Check::ALL.iter().zip(&ROWS) {
            assert_eq!(*check, row.check);
            assert!(!check.id().is_empty() && !check.clause().is_empty());
            assert_ne!(check.text(Lang::Ja), check.text(Lang::En));
        }
        assert!(Check::ALL.is_sorted());
    }
}
