//! Findings about signatures (RFC 5652, EN 319 122-1, RFC 5126).

finding_codes! { TABLE:
    SIGNATURE_MALFORMED Error "RFC 5652 §5.1" {
        en: "The signature cannot be read: {0}.",
        ja: "署名を読み取れません: {0}。" }
    SIGNATURE_WITHOUT_SIGNER Error "RFC 5652 §5.1" {
        en: "The file has no signer: nothing is signed.",
        ja: "署名者がいないため、何も署名されていません。" }
    SIGNATURE_TOO_MANY Error "EN 319 102-1 §5.1.3" {
        en: "There is more to judge than this program allows ({0}); the rest was left out.",
        ja: "検証対象が上限 ({0}) を超えているため、残りは検証していません。" }
    SIGNATURE_PART_NOT_JUDGED Error "EN 319 122-1 §5" {
        en: "The signature carries a part that this version recognises but does not judge yet: {0}.",
        ja: "署名に、この版では検証しない部分があります: {0}。" }
    SIGNATURE_MATERIAL_UNREADABLE Warning "RFC 5126 §6.3" {
        en: "Certificates or revocation information in the signature cannot be read and were left out: {0}.",
        ja: "署名内の証明書又は失効情報を読み取れないため除外しました: {0}。" }
    SIGNATURE_VERSION_ODD Info "RFC 5652 §5.3" {
        en: "The SignerInfo has version {0}; the standard demands {1}.",
        ja: "SignerInfo のバージョンは {0} ですが、規格では {1} です。" }
    SIGNATURE_WITHOUT_ATTRIBUTES Error "EN 319 122-1 §5.1" {
        en: "The signature has no signed attributes: it does not say which certificate it was made with.",
        ja: "署名属性がないため、どの証明書による署名かが示されていません。" }
    SIGNATURE_CONTENT_TYPE_WRONG Error "RFC 5652 §11.1" {
        en: "The signed content type is {0}, but that of the content is {1}.",
        ja: "署名された内容型は {0} ですが、実際の内容の型は {1} です。" }
    SIGNATURE_ATTRIBUTE_COUNT Error "RFC 5652 §11" {
        en: "The signed attribute {0} must stand exactly once with one value.",
        ja: "署名属性 {0} は値を 1 つだけ持ち、1 回だけ現れなければなりません。" }
    SIGNATURE_POLICY_NAMED Warning "EN 319 102-1 §5.2.4" {
        en: "The signature names the signature policy {0}. It is not at hand; the signature is judged by the rules of this program alone.",
        ja: "署名は署名ポリシー {0} を示していますが、手元にないため、このプログラムの規則だけで判断しました。" }
    SIGNATURE_POLICY_MALFORMED Error "EN 319 102-1 §5.2.4" {
        en: "The signature names a signature policy in a way that cannot be read: {0}.",
        ja: "署名が示す署名ポリシーを読み取れません: {0}。" }
    COUNTERSIGNATURE_CONTENT_TYPE Warning "RFC 5652 §11.4" {
        en: "The countersignature states the content type {0}; it must state none.",
        ja: "副署名に内容型 {0} が記載されていますが、副署名には記載できません。" }
    SIGNING_REFERENCE_NAME_DIFFERS Warning "RFC 5035 §4" {
        en: "The signed reference to the certificate has the right digest, but another issuer or serial number.",
        ja: "署名された証明書参照のダイジェストは正しいものの、発行者又はシリアル番号が異なります。" }
    SIGNATURE_CONTENT_STAMP_LATE Error "EN 319 102-1 §5.5.4" {
        en: "The content-time-stamp, which is signed, states {0}, later than the proof of the signature at {1}.",
        ja: "署名対象に含まれる内容タイムスタンプの時刻 {0} が、署名の存在証明の時刻 {1} より後です。" }
    SIGNING_TIME_AFTER_PROOF Warning "EN 319 102-1 §5.5.4" {
        en: "The signer claims to have signed at {0}, but the signature is proven to have existed at {1} already.",
        ja: "署名者は {0} に署名したと主張していますが、署名は {1} には既に存在していました。" }
    SIGNED_TOO_LATE Error "EN 319 102-1 §5.3.4" {
        en: "The signature was made after {0}, the time of its content-time-stamp, when the certificate of the signer did not hold any more.",
        ja: "署名は内容タイムスタンプの時刻 {0} より後に行われており、その時点で署名者の証明書は既に有効ではありませんでした。" }
    SIGNATURE_DIGEST_UNKNOWN Error "RFC 5652 §5.4" {
        en: "The digest algorithm is not known here: {0}.",
        ja: "ダイジェストアルゴリズムに対応していません: {0}。" }
    SIGNATURE_DATA_MISSING Error "RFC 5652 §5.2" {
        en: "The signature is detached, and what it signs was not given.",
        ja: "署名対象が別になっており、与えられていません。" }
    SIGNATURE_DATA_DIGEST_NOT_GIVEN Error "RFC 5652 §5.4" {
        en: "The digest of {0} under {1} is not known, so the signature cannot be compared with it.",
        ja: "{0} の {1} によるダイジェストが不明なため、署名と照合できません。" }
    SIGNATURE_DIGEST_MISMATCH Error "RFC 5652 §11.2" {
        en: "The signed digest is not that of {0}: the content was altered, or it is not what was signed.",
        ja: "署名されたダイジェストが {0} のものと一致しません。内容が改変されたか、署名の対象ではありません。" }
    SIGNATURE_BARE_DIGEST Warning "RFC 5652 §5.4" {
        en: "Of {0} only a digest was given; whether it is that of a document cannot be told.",
        ja: "{0} についてはダイジェストだけが与えられました。文書のダイジェストかどうかは確認できません。" }
    SIGNING_REFERENCE_MALFORMED Error "RFC 5035 §3" {
        en: "The signed reference to the certificate cannot be read, or stands several times: {0}.",
        ja: "署名された証明書参照を読み取れないか、複数あります: {0}。" }
    SIGNING_REFERENCE_MISSING Error "EN 319 122-1 §5.2.2" {
        en: "The signature does not sign which certificate it was made with: it is CMS, but not CAdES.",
        ja: "署名は自身の証明書を署名対象にしていません。CMS 署名ですが CAdES ではありません。" }
    SIGNING_REFERENCE_MISMATCH Error "EN 319 102-1 §5.2.3" {
        en: "None of the certificates at hand is the one that the signature signed as its own.",
        ja: "署名が自身のものとして署名した証明書が、手元の証明書の中にありません。" }
    SIGNER_CERTIFICATE_MISSING Error "RFC 5652 §5.3" {
        en: "The certificate of the signer is not in the signature and was not given.",
        ja: "署名者の証明書が署名になく、指定もされていません。" }
    SIGNATURE_ATTRIBUTES_UNSORTED Info "RFC 5652 §5.4" {
        en: "The signed attributes do not stand in DER order.",
        ja: "署名属性が DER の順序になっていません。" }
    SIGNATURE_OVER_UNSORTED Error "RFC 5652 §5.4" {
        en: "The signature is over the signed attributes in the order in which they are stored, and not over their DER encoding as it must be.",
        ja: "署名は、規格が求める署名属性の DER 符号化ではなく、保存されている順序のままの署名属性に対するものです。" }
    SIGNED_ALGORITHMS_DIFFER Error "RFC 6211 §3" {
        en: "The digest and signature algorithms that were signed are not those that are stated: they were exchanged.",
        ja: "署名されたダイジェスト及び署名アルゴリズムが、記載されているものと一致しません。差し替えられています。" }
    SIGNED_ALGORITHMS_MALFORMED Error "RFC 6211 §2" {
        en: "The signed statement of the algorithms cannot be read, or stands several times: {0}.",
        ja: "署名されたアルゴリズムの記載を読み取れないか、複数あります: {0}。" }
    SIGNATURE_RECORD_MISPLACED Error "ETSI TS 119 122-3" {
        en: "The evidence record stands in the attribute for {0} records: that for internal ones belongs in a signature that holds its content, that for external ones in a detached signature.",
        ja: "証拠記録が {0} 用の属性に置かれています。internal は内容を含む署名、external は分離署名のための属性です。" }
    SIGNATURE_OVER_DATA_ITSELF Error "RFC 5652 §5.4" {
        en: "The detached signature has no signed attributes, so it is over {0} as a whole; that cannot be computed here.",
        ja: "分離署名に署名属性がなく、{0} 全体に対する署名であるため、計算できません。" }
    SIGNATURE_VALUE_INVALID Error "RFC 5652 §5.6" {
        en: "The signature does not verify under the key of {0}.",
        ja: "署名を {0} の鍵で検証できません。" }
    SIGNATURE_VALUE_UNSUPPORTED Error "RFC 5652 §5.6" {
        en: "The signature cannot be computed here: {0}.",
        ja: "署名を計算できません: {0}。" }
    SIGNATURE_DIGESTS_DIFFER Error "RFC 5652 §5.4" {
        en: "The signature is over a digest of {0}, but the signer states {1}.",
        ja: "署名は {0} のダイジェストに対するものですが、署名者の記載は {1} です。" }
    SIGNATURE_DIGESTS_DIFFER_PSS Info "RFC 4056 §3" {
        en: "The signature is over a digest of {0}, that of the content is {1}.",
        ja: "署名は {0}、内容のダイジェストは {1} によるものです。" }
    SIGNATURE_STAMP_ORDER Error "EN 319 102-1 §5.6.2.1" {
        en: "A time-stamp of {0} covers one that states the later time {1}.",
        ja: "{0} のタイムスタンプが、それより後の時刻 {1} のタイムスタンプを対象にしています。" }
    SIGNATURE_INDEX_MISSING Error "EN 319 122-1 §5.5.2" {
        en: "The archive time-stamp has no hash index, so what it covers is not known.",
        ja: "アーカイブタイムスタンプにハッシュ索引がなく、対象が不明です。" }
    SIGNATURE_INDEX_MALFORMED Error "EN 319 122-1 §5.5.2" {
        en: "The hash index of the archive time-stamp cannot be read: {0}.",
        ja: "アーカイブタイムスタンプのハッシュ索引を読み取れません: {0}。" }
    SIGNATURE_INDEX_UNMATCHED Error "EN 319 122-1 §5.5.2" {
        en: "The hash index of the archive time-stamp names {0} parts that are not in the signature: they were removed or altered.",
        ja: "アーカイブタイムスタンプのハッシュ索引が示す部分のうち {0} 個が署名にありません。削除又は改変されています。" }
    SIGNATURE_STAMP_OPEN Error "RFC 5126 §6.3.5, §6.4.1" {
        en: "What this {0} is over cannot be put together in any of the known ways, so it proves nothing: something was changed, or its maker took the attributes in another way.",
        ja: "この {0} の対象を既知のどの方法でも再構成できないため、何も証明されません。改変されたか、作成者が属性を別の方法で扱っています。" }
    SIGNATURE_STAMP_NOT_COUNTED Warning "EN 319 102-1 §5.5.4" {
        en: "The time-stamp {0} is {1} ({2}): it was not counted as a proof of the signature.",
        ja: "タイムスタンプ {0} は {1} ({2}) のため、署名の存在証明として扱っていません。" }
    SIGNATURE_STAMP_WRAPPED Error "RFC 5126 §6.1.1" {
        en: "The time-stamp stands inside an OCTET STRING.",
        ja: "タイムスタンプが OCTET STRING の中に置かれています。" }
    SIGNATURE_PADDED Warning "RFC 5652 §5.1" {
        en: "The signature is followed by {0} zero bytes, as if cut out of a PDF.",
        ja: "署名の後に 0 のバイトが {0} 個続いています (PDF から切り出された形)。" }
    SIGNER_NOT_TRUSTED Info "EN 319 102-1 §5.5.4" {
        en: "The certificate of the signer was judged as of {0}, the earliest time at which the signature is proven to exist.",
        ja: "署名者の証明書は、署名の存在が証明される最も早い時刻 {0} の時点で判断しました。" }
}
