//! Findings about evidence records (RFC 4998).

finding_codes! { TABLE:
    EVIDENCE_RECORD_MALFORMED Error "RFC 4998 §3.1" {
        en: "The evidence record cannot be read: {0}.",
        ja: "証拠記録を読み取れません: {0}。" }
    EVIDENCE_RECORD_ENCRYPTED Error "RFC 4998 §6.1" {
        en: "The evidence record is over encrypted data; this is not judged by this version.",
        ja: "証拠記録は暗号化されたデータに対するものであり、この版では検証できません。" }
    EVIDENCE_CRYPTO_INFOS Warning "RFC 4998 §3.1" {
        en: "The evidence record carries {0} crypto infos, which no time-stamp protects; they are not used.",
        ja: "証拠記録に暗号情報が {0} 個ありますが、どのタイムスタンプにも保護されていないため使用しません。" }
    EVIDENCE_ATTRIBUTES_UNPROTECTED Error "RFC 4998 §4.1" {
        en: "The archive time-stamp carries attributes that nothing protects.",
        ja: "アーカイブタイムスタンプに保護されていない属性があります。" }
    EVIDENCE_DIGEST_NOT_DECLARED Error "RFC 4998 §3.1" {
        en: "The evidence record uses {0} but does not declare it.",
        ja: "証拠記録は {0} を使用していますが、宣言していません。" }
    EVIDENCE_DIGEST_UNUSED Warning "RFC 4998 §3.1" {
        en: "The evidence record declares {0} but does not use it.",
        ja: "証拠記録は {0} を宣言していますが、使用していません。" }
    EVIDENCE_DIGEST_UNKNOWN Error "RFC 4998 §4.1" {
        en: "The digest algorithm {0} is not known here, so the archive time-stamp cannot be computed.",
        ja: "ダイジェストアルゴリズム {0} に対応していないため、アーカイブタイムスタンプを計算できません。" }
    EVIDENCE_DIGEST_CONTRADICTS Error "RFC 4998 §4.1" {
        en: "The archive time-stamp names {0}, but its token is over a digest of {1}.",
        ja: "アーカイブタイムスタンプのアルゴリズムは {0} ですが、トークンは {1} のダイジェストに対するものです。" }
    EVIDENCE_DIGEST_CHANGES_IN_CHAIN Error "RFC 4998 §5.2" {
        en: "The digest algorithm changes from {0} to {1} inside one chain.",
        ja: "1 つの連鎖の途中でダイジェストアルゴリズムが {0} から {1} に変わっています。" }
    EVIDENCE_DIGEST_NOT_STRONGER Info "RFC 4998 §5.3" {
        en: "The hash tree was renewed under {0}, which is not longer than {1} of the chain before it; each is judged until the time when the next one took over.",
        ja: "ハッシュ木は {0} で更新されていますが、直前の連鎖の {1} より長くありません。それぞれ、次の連鎖に引き継がれた時点まで有効かどうかを判断します。" }
    EVIDENCE_TOKEN_REPEATED Error "RFC 4998 §5.2" {
        en: "The archive time-stamp repeats the token of an earlier one: nothing was renewed.",
        ja: "アーカイブタイムスタンプが以前のトークンを再び使用しています。更新になっていません。" }
    EVIDENCE_ROOT_MISMATCH Error "RFC 4998 §4.3" {
        en: "The root of the hash tree is not the digest in the time-stamp: the tree or the token was altered.",
        ja: "ハッシュ木の根がタイムスタンプ内のダイジェストと一致しません。木又はトークンが改変されています。" }
    EVIDENCE_DATA_NOT_COVERED Error "RFC 4998 §4.3" {
        en: "{0} is not covered by the evidence record: its digest does not stand in the first list of the hash tree.",
        ja: "{0} は証拠記録の対象ではありません。そのダイジェストがハッシュ木の最初のリストにありません。" }
    EVIDENCE_DATA_NOT_RENEWED Error "RFC 4998 §5.3" {
        en: "{0} is not covered by the renewed hash tree of this chain.",
        ja: "{0} は、この連鎖で更新されたハッシュ木の対象ではありません。" }
    EVIDENCE_DATA_MISSING Error "RFC 4998 §4.3" {
        en: "The data that the evidence record covers was not given: nothing is proven about any document.",
        ja: "証拠記録の対象データが与えられていないため、文書については何も証明されません。" }
    EVIDENCE_DIGEST_NOT_GIVEN Error "RFC 4998 §5.3" {
        en: "The digest of {0} under {1} is not known, so it cannot be compared.",
        ja: "{0} の {1} によるダイジェストが不明なため、照合できません。" }
    EVIDENCE_BARE_DIGEST Warning "RFC 4998 §4.3" {
        en: "Of {0} only a digest was given; whether it is that of a document cannot be told.",
        ja: "{0} についてはダイジェストだけが与えられました。文書のダイジェストかどうかは確認できません。" }
    EVIDENCE_GROUP_INCOMPLETE Info "RFC 4998 §4.3" {
        en: "The first list of the hash tree has {0} values, of which {1} belong to the given data: they are proven, and that nothing else belongs to the group is not.",
        ja: "ハッシュ木の最初のリストには値が {0} 個あり、与えられたデータに対応するのは {1} 個です。これらの存在は証明されますが、グループの完全性は証明されません。" }
    EVIDENCE_GROUP_NOT_EXACT Error "RFC 4998 §4.3" {
        en: "The evidence record covers a group of {0} objects, but {1} were expected.",
        ja: "証拠記録の対象グループは {0} 個ですが、{1} 個でなければなりません。" }
    EVIDENCE_LINK_BROKEN Error "RFC 4998 §5.3" {
        en: "The archive time-stamp does not cover the time-stamp before it.",
        ja: "アーカイブタイムスタンプが直前のタイムスタンプを対象としていません。" }
    EVIDENCE_FOREIGN_VALUES Info "RFC 4998 §5.2" {
        en: "The renewed time-stamp covers {0} more values, those of other records.",
        ja: "更新されたタイムスタンプは、ほかの記録の値 {0} 個も対象にしています。" }
    EVIDENCE_ORDER_WRONG Error "RFC 4998 §5.1" {
        en: "The time-stamp states {0}, earlier than the one before it, {1}.",
        ja: "タイムスタンプの時刻 {0} が、直前のもの {1} より前です。" }
    EVIDENCE_READ_AS_SET Warning "RFC 4998 §4.2" {
        en: "The hash tree holds only if equal values count once.",
        ja: "ハッシュ木は、同じ値を 1 つと数える場合にのみ成立します。" }
    EVIDENCE_READ_DOUBLE_HASH Error "RFC 4998 §4.2" {
        en: "The hash tree leads to the time-stamp only if a single value is hashed once more, which the standard does not do: nothing is proven.",
        ja: "ハッシュ木は、単独の値をもう一度ハッシュする場合にのみタイムスタンプと一致します。規格にない計算方法のため、何も証明されません。" }
    EVIDENCE_READ_SORTED Warning "RFC 4998 §5.2, erratum 7411" {
        en: "The renewed hash tree holds only if document digest and chain digest are sorted before they are put together.",
        ja: "更新されたハッシュ木は、文書と連鎖のダイジェストを並べ替えて連結する場合にのみ成立します。" }
    EVIDENCE_VALUE_LENGTH Warning "RFC 4998 §4.2" {
        en: "{0} values in the hash tree do not have the length of {1}.",
        ja: "ハッシュ木の値のうち {0} 個の長さが {1} のものではありません。" }
    EVIDENCE_TRUSTED_UNTIL Info "EN 319 102-1 §5.6.2.4" {
        en: "This proof has to be renewed before {0}: then {1} ends.",
        ja: "この証明は {0} までに更新が必要です。その時点で {1} の信頼期間が終わります。" }
    EVIDENCE_PATH_UNTIL Info "EN 319 102-1 §5.6.2.4" {
        en: "This proof has to be renewed before {0}: then the certificates that it rests on end.",
        ja: "この証明は {0} までに更新が必要です。その時点で、もとになる証明書の有効期間が終わります。" }
}
