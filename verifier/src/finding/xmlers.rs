//! Findings about evidence records in XML (RFC 6283). What they share with those in ASN.1 is said in the same words.

finding_codes! { TABLE:
    XML_EVIDENCE_MALFORMED Error "RFC 6283 §8" {
        en: "The XML evidence record cannot be read: {0}.",
        ja: "XML 証拠記録を読み取れません: {0}。" }
    XML_EVIDENCE_TOO_LARGE Error "RFC 6283 §8" {
        en: "The XML evidence record is larger than is judged here: {0}.",
        ja: "XML 証拠記録が、検証できる大きさを超えています: {0}。" }
    XML_EVIDENCE_ENCRYPTED Error "RFC 6283 §5" {
        en: "The XML evidence record is over encrypted data; this is not judged by this version.",
        ja: "XML 証拠記録は暗号化されたデータに対するものであり、この版では検証できません。" }
    XML_EVIDENCE_SUPPORTING_INFORMATION Warning "RFC 6283 §9.4" {
        en: "The XML evidence record carries {0} pieces of supporting information, which no time-stamp protects; they are not used.",
        ja: "XML 証拠記録に補足情報が {0} 個ありますが、どのタイムスタンプにも保護されていないため使用しません。" }
    XML_EVIDENCE_INFORMATION_NOT_USED Warning "RFC 6283 §3.1.3" {
        en: "{0} pieces of validation material are of a kind that is not used here.",
        ja: "検証用情報のうち {0} 個は、対応していない種類のため使用しません。" }
    XML_EVIDENCE_ORDER_GAPS Warning "RFC 6283 §2.1" {
        en: "The Order attributes ascend but do not count from 1 without gaps.",
        ja: "Order 属性は昇順ですが、1 からの連番になっていません。" }
    XML_EVIDENCE_ATTRIBUTES_UNPROTECTED Error "RFC 6283 §3.1" {
        en: "The archive time-stamp carries attributes that nothing protects.",
        ja: "アーカイブタイムスタンプに保護されていない属性があります。" }
    XML_EVIDENCE_TOKEN_KIND Error "RFC 6283 §3.1.2" {
        en: "The time-stamp is of the type {0}; only RFC3161 is judged by this version.",
        ja: "タイムスタンプの種類は {0} です。この版で検証できるのは RFC3161 だけです。" }
    XML_EVIDENCE_DIGEST_UNKNOWN Error "RFC 6283 §4.1.1" {
        en: "The digest algorithm {0} is not known here, so the archive time-stamp cannot be computed.",
        ja: "ダイジェストアルゴリズム {0} に対応していないため、アーカイブタイムスタンプを計算できません。" }
    XML_EVIDENCE_DIGEST_CONTRADICTS Error "RFC 6283 §4.1.1" {
        en: "The chain names {0}, but the token is over a digest of {1}.",
        ja: "連鎖のアルゴリズムは {0} ですが、トークンは {1} のダイジェストに対するものです。" }
    XML_EVIDENCE_DIGEST_NOT_STRONGER Info "RFC 6283 §4.1.1" {
        en: "The hash tree was renewed under {0}, which is not longer than {1} of the chain before it; each is judged until the time when the next one took over.",
        ja: "ハッシュ木は {0} で更新されていますが、直前の連鎖の {1} より長くありません。それぞれ、次の連鎖に引き継がれた時点まで有効かどうかを判断します。" }
    XML_EVIDENCE_CANONICALIZATION_UNKNOWN Error "RFC 6283 §4.1.2" {
        en: "The canonicalization method {0} is not known here, so what the chain covers cannot be computed.",
        ja: "正規化方式 {0} に対応していないため、連鎖の対象を計算できません。" }
    XML_EVIDENCE_CANONICALIZATION_FAILED Error "RFC 6283 §4.1.2" {
        en: "A part of the record has no canonical form here ({0}), so what the archive time-stamp covers cannot be computed.",
        ja: "証拠記録の一部を正規化できない ({0}) ため、アーカイブタイムスタンプの対象を計算できません。" }
    XML_EVIDENCE_TOKEN_REPEATED Error "RFC 6283 §4.2" {
        en: "The archive time-stamp repeats the token of an earlier one: nothing was renewed.",
        ja: "アーカイブタイムスタンプが以前のトークンを再び使用しています。更新になっていません。" }
    XML_EVIDENCE_ROOT_MISMATCH Error "RFC 6283 §3.3, step 3" {
        en: "The root of the hash tree is not the digest in the time-stamp: the tree or the token was altered.",
        ja: "ハッシュ木の根がタイムスタンプ内のダイジェストと一致しません。木又はトークンが改変されています。" }
    XML_EVIDENCE_DATA_NOT_COVERED Error "RFC 6283 §3.3, step 2" {
        en: "{0} is not covered by the evidence record: its digest does not stand in the first list of the hash tree.",
        ja: "{0} は証拠記録の対象ではありません。そのダイジェストがハッシュ木の最初のリストにありません。" }
    XML_EVIDENCE_DATA_NOT_RENEWED Error "RFC 6283 §4.3, step 3" {
        en: "{0} is not covered by the renewed hash tree of this chain.",
        ja: "{0} は、この連鎖で更新されたハッシュ木の対象ではありません。" }
    XML_EVIDENCE_RENEWED_WITHOUT_DATA Error "RFC 6283 §4.2.2" {
        en: "The renewed hash tree covers the chains before it, but no data object.",
        ja: "更新されたハッシュ木は以前の連鎖だけを対象とし、データを対象としていません。" }
    XML_EVIDENCE_DATA_MISSING Error "RFC 6283 §3.3" {
        en: "The data that the evidence record covers was not given: nothing is proven about any document.",
        ja: "証拠記録の対象データが与えられていないため、文書については何も証明されません。" }
    XML_EVIDENCE_DIGEST_NOT_GIVEN Error "RFC 6283 §3.3, step 1" {
        en: "The digest of {0} under {1} is not known, so it cannot be compared.",
        ja: "{0} の {1} によるダイジェストが不明なため、照合できません。" }
    XML_EVIDENCE_BARE_DIGEST Warning "RFC 6283 §3.3" {
        en: "Of {0} only a digest was given; whether it is that of a document cannot be told. Of an XML document the digest of its canonical form counts.",
        ja: "{0} についてはダイジェストだけが与えられました。文書のダイジェストかどうかは確認できません。XML 文書の場合は、正規化した形のダイジェストが対象です。" }
    XML_EVIDENCE_DATA_CANONICAL Info "RFC 6283 §3.2, step 2" {
        en: "{0} is XML: its canonical form ({1}) is what the record covers.",
        ja: "{0} は XML です。その正規化した形 ({1}) が証拠記録の対象です。" }
    XML_EVIDENCE_DATA_AS_IS Warning "RFC 6283 §3.2, step 2" {
        en: "{0} is XML, but the record covers its bytes as they are, not its canonical form as the standard asks. They are proven all the same.",
        ja: "{0} は XML ですが、証拠記録の対象は標準が求める正規化した形ではなく、ファイルのバイト列そのものです。存在の証明としては有効です。" }
    XML_EVIDENCE_DATA_NOT_CANONICAL Error "RFC 6283 §3.2, step 2" {
        en: "{0} may be XML that has no canonical form here (a document type, another version or encoding, a relative namespace name, an unknown method, or too large). Its bytes as they are do not stand in the first list of the hash tree; whether the canonical form does cannot be told.",
        ja: "{0} は XML の可能性がありますが、ここでは正規化できません (文書型宣言、ほかの版又は文字符号化、相対的な名前空間名、未対応の方式、又は大きすぎる)。バイト列そのもののダイジェストはハッシュ木の最初のリストになく、正規化した形については判断できません。" }
    XML_EVIDENCE_DATA_NOT_AT_HAND Error "RFC 6283 §3.2, step 2" {
        en: "Of {0} only digests are at hand, and they do not stand in the first list of the hash tree. If it is XML, its canonical form may be covered all the same, which cannot be told.",
        ja: "{0} についてはダイジェストだけがあり、ハッシュ木の最初のリストにありません。XML であれば正規化した形が対象の可能性がありますが、判断できません。" }
    XML_EVIDENCE_GROUP_INCOMPLETE Info "RFC 6283 §3.3, step 2" {
        en: "The first list of the hash tree has {0} values, of which {1} belong to the given data or the chains before: they are proven, and that nothing else belongs to the group is not.",
        ja: "ハッシュ木の最初のリストには値が {0} 個あり、与えられたデータ又は以前の連鎖に対応するのは {1} 個です。これらの存在は証明されますが、グループの完全性は証明されません。" }
    XML_EVIDENCE_GROUP_NOT_EXACT Error "RFC 6283 §3.3, step 2" {
        en: "The first list of the hash tree has {0} values, but {1} were expected.",
        ja: "ハッシュ木の最初のリストの値は {0} 個ですが、{1} 個でなければなりません。" }
    XML_EVIDENCE_LINK_BROKEN Error "RFC 6283 §4.3, step 2" {
        en: "The archive time-stamp does not cover the time-stamp before it.",
        ja: "アーカイブタイムスタンプが直前のタイムスタンプを対象としていません。" }
    XML_EVIDENCE_CHAIN_LINK_BROKEN Error "RFC 6283 §4.3, step 3" {
        en: "The renewed hash tree does not cover the chains before it.",
        ja: "更新されたハッシュ木が以前の連鎖を対象としていません。" }
    XML_EVIDENCE_FOREIGN_VALUES Info "RFC 6283 §4.2.1" {
        en: "The renewed time-stamp covers {0} more values, those of other records.",
        ja: "更新されたタイムスタンプは、ほかの記録の値 {0} 個も対象にしています。" }
    XML_EVIDENCE_ORDER_WRONG Error "RFC 6283 §4.1" {
        en: "The time-stamp states {0}, earlier than the one before it, {1}.",
        ja: "タイムスタンプの時刻 {0} が、直前のもの {1} より前です。" }
    XML_EVIDENCE_READ_AS_SET Warning "RFC 6283 §3.2.1" {
        en: "The hash tree holds only if equal values count once.",
        ja: "ハッシュ木は、同じ値を 1 つと数える場合にのみ成立します。" }
    XML_EVIDENCE_READ_DOUBLE_HASH Error "RFC 6283 §3.1.1" {
        en: "The hash tree leads to the time-stamp only if a single value is hashed once more, which the standard does not do: nothing is proven.",
        ja: "ハッシュ木は、単独の値をもう一度ハッシュする場合にのみタイムスタンプと一致します。規格にない計算方法のため、何も証明されません。" }
    XML_EVIDENCE_VALUE_LENGTH Warning "RFC 6283 §3.2.1" {
        en: "{0} values in the hash tree do not have the length of {1}.",
        ja: "ハッシュ木の値のうち {0} 個の長さが {1} のものではありません。" }
}
