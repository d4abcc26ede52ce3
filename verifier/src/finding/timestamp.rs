//! Findings about time-stamp tokens (RFC 3161, RFC 5652, RFC 5816).

finding_codes! { TABLE:
    TOKEN_READ Info "RFC 3161 §2.4.2" {
        en: "The time-stamp states {0} (accuracy {1}) and was made by {2}.",
        ja: "タイムスタンプの時刻は {0} (精度 {1})、発行者は {2} です。" }
    TOKEN_MALFORMED Error "RFC 3161 §2.4.2" {
        en: "The time-stamp token cannot be read: {0}.",
        ja: "タイムスタンプトークンを読み取れません: {0}。" }
    RESPONSE_MALFORMED Error "RFC 3161 §2.4.2" {
        en: "The time-stamp response cannot be read: {0}.",
        ja: "タイムスタンプ応答を読み取れません: {0}。" }
    RESPONSE_WITHOUT_TOKEN Error "RFC 3161 §2.4.2" {
        en: "The authority refused the request: the response has the status {0} and holds no token.",
        ja: "時刻認証局は要求を拒否しました。応答の状態は {0} で、トークンがありません。" }
    RESPONSE_STATUS_CONTRADICTS Error "RFC 3161 §2.4.2" {
        en: "The response has the status {0} and yet holds a token.",
        ja: "応答の状態は {0} ですが、トークンが含まれています。" }
    RESPONSE_GRANTED_WITH_MODIFICATIONS Error "RFC 3161 §2.4.2" {
        en: "The authority granted the request with modifications; without the request it cannot be told which.",
        ja: "時刻認証局は要求を変更したうえで受け入れました。要求がないため、変更点は確認できません。" }
    REQUEST_MALFORMED Error "RFC 3161 §2.4.1" {
        en: "The time-stamp request cannot be read: {0}.",
        ja: "タイムスタンプ要求を読み取れません: {0}。" }
    REQUEST_ALONE Error "RFC 3161 §2.4.1" {
        en: "This is only a request for a time-stamp over the {0} digest {1}. It proves nothing; the answer to it was not given.",
        ja: "これは {0} のダイジェスト {1} に対するタイムスタンプの要求であり、何も証明しません。応答が与えられていません。" }
    REQUEST_ANSWERED Info "RFC 3161 §2.4.2" {
        en: "The time-stamp is the answer to this request.",
        ja: "タイムスタンプはこの要求への応答です。" }
    REQUEST_IMPRINT_DIFFERS Error "RFC 3161 §2.4.2" {
        en: "The time-stamp is over the digest {0}, but {1} was requested.",
        ja: "タイムスタンプのダイジェストは {0} ですが、要求されたのは {1} です。" }
    REQUEST_NONCE_DIFFERS Error "RFC 3161 §2.4.2" {
        en: "The time-stamp has the nonce {0}, the request {1}: it was not made for this request.",
        ja: "タイムスタンプのノンスは {0}、要求のノンスは {1} です。この要求への応答ではありません。" }
    REQUEST_POLICY_DIFFERS Error "RFC 3161 §2.4.2" {
        en: "The time-stamp was made under the policy {0}, but {1} was requested.",
        ja: "タイムスタンプのポリシーは {0} ですが、要求されたのは {1} です。" }
    REQUEST_CERTIFICATE_MISSING Error "RFC 3161 §2.4.1" {
        en: "The request asked for the certificate of the authority, but the time-stamp does not carry it.",
        ja: "要求では時刻認証局の証明書を求めていますが、タイムスタンプに含まれていません。" }
    REQUEST_CERTIFICATE_UNWANTED Error "RFC 3161 §2.4.1" {
        en: "The time-stamp carries certificates although the request did not ask for them.",
        ja: "要求では証明書を求めていませんが、タイムスタンプに含まれています。" }
    CMS_VERSION_WRONG Error "RFC 5652 §5.1" {
        en: "The SignedData has version {0}, but its content demands {1}.",
        ja: "SignedData のバージョンは {0} ですが、内容からは {1} でなければなりません。" }
    CMS_VERSION_OLD Info "RFC 5652 §5.1" {
        en: "The SignedData has version 3 although it holds OCSP responses, as many authorities write it; the standard demands 5.",
        ja: "SignedData は OCSP 応答を含みながらバージョン 3 です。多くの認証局がこの形で発行しますが、規格では 5 です。" }
    CMS_DIGEST_NOT_DECLARED Error "RFC 5652 §5.1" {
        en: "The digest algorithm of the signer, {0}, is not among those that the SignedData declares.",
        ja: "署名者のダイジェストアルゴリズム {0} が SignedData の宣言に含まれていません。" }
    CMS_DIGEST_DECLARED_TOO_MUCH Error "RFC 5652 §5.1" {
        en: "The SignedData declares the digest algorithm {0}, which no signer uses.",
        ja: "SignedData が宣言するダイジェストアルゴリズム {0} を使う署名者がありません。" }
    ALGORITHM_PARAMETERS_WRONG Error "RFC 5754 §2" {
        en: "The parameters of {0} are neither absent nor NULL.",
        ja: "{0} のパラメータが、省略でも NULL でもありません。" }
    TOKEN_SIGNER_COUNT Error "RFC 3161 §2.4.2" {
        en: "The token has {0} signers; exactly one is allowed.",
        ja: "トークンの署名者が {0} 人います。1 人でなければなりません。" }
    SIGNER_VERSION_WRONG Error "RFC 5652 §5.3" {
        en: "The SignerInfo has version {0}, but the way in which it names its certificate demands {1}.",
        ja: "SignerInfo のバージョンは {0} ですが、証明書の指定方法からは {1} でなければなりません。" }
    SIGNED_ATTRIBUTES_MISSING Error "RFC 5652 §5.3" {
        en: "The token has no signed attributes.",
        ja: "トークンに署名属性がありません。" }
    SIGNED_ATTRIBUTE_COUNT Error "RFC 5652 §11" {
        en: "The signed attribute {0} must stand exactly once with one value.",
        ja: "署名属性 {0} は値を 1 つだけ持ち、1 回だけ現れなければなりません。" }
    CONTENT_TYPE_ATTRIBUTE_WRONG Error "RFC 5652 §11.1" {
        en: "The signed content type is not that of the content.",
        ja: "署名された内容型が実際の内容の型と一致しません。" }
    MESSAGE_DIGEST_MISMATCH Error "RFC 5652 §11.2" {
        en: "The signed digest is not the digest of the content: the time-stamp was altered.",
        ja: "署名されたダイジェストが内容のダイジェストと一致しません。タイムスタンプが改変されています。" }
    SIGNATURE_INVALID Error "RFC 5652 §5.6" {
        en: "The signature of the time-stamp does not verify under the key of {0}.",
        ja: "タイムスタンプの署名を {0} の鍵で検証できません。" }
    SIGNATURE_UNSUPPORTED Error "RFC 5652 §5.6" {
        en: "The signature of the time-stamp cannot be computed here: {0}.",
        ja: "タイムスタンプの署名を計算できません: {0}。" }
    SIGNED_ATTRIBUTES_SORTED Warning "RFC 5652 §5.4" {
        en: "The signed attributes do not stand in DER order; the signature is over the sorted form.",
        ja: "署名属性が DER の順序になっていません。署名は並べ替えた形に対するものです。" }
    SIGNED_ATTRIBUTES_UNSORTED Error "RFC 5652 §5.4" {
        en: "The signed attributes do not stand in DER order; the signature is over the bytes as they stand, and not over their DER encoding as it must be.",
        ja: "署名属性が DER の順序になっていません。署名は、規格が求める DER 符号化ではなく、現状のバイト列に対するものです。" }
    DIGEST_UNKNOWN Error "RFC 5652 §10.1.1" {
        en: "The digest algorithm {0} is not known here.",
        ja: "ダイジェストアルゴリズム {0} に対応していません。" }
    SIGNER_CERTIFICATE_NOT_FOUND Error "RFC 5652 §5.3" {
        en: "The certificate of the signer is not in the token and was not given.",
        ja: "署名者の証明書がトークンになく、指定もされていません。" }
    SIGNING_CERTIFICATE_ATTRIBUTE_MISSING Error "RFC 5816 §2.2.1" {
        en: "The token does not sign which certificate it was made with (no ESSCertID).",
        ja: "トークンは自身の証明書を署名対象にしていません (ESSCertID がありません)。" }
    SIGNING_CERTIFICATE_MALFORMED Error "RFC 5035 §3" {
        en: "The signed reference to the certificate cannot be read: {0}.",
        ja: "署名された証明書参照を読み取れません: {0}。" }
    SIGNING_CERTIFICATE_MISMATCH Error "RFC 5035 §5" {
        en: "The certificate is not the one that the token signed as its own.",
        ja: "証明書が、トークンが自身のものとして署名した証明書と一致しません。" }
    SIGNING_CERTIFICATE_SHA1 Info "RFC 5816 §2.2.1" {
        en: "The token names its certificate by SHA-1 alone.",
        ja: "トークンは自身の証明書を SHA-1 だけで示しています。" }
    SIGNING_CERTIFICATE_NAME_DIFFERS Warning "RFC 5035 §4" {
        en: "The signed reference to the certificate has the right digest, but another issuer or serial number.",
        ja: "署名された証明書参照のダイジェストは正しいものの、発行者又はシリアル番号が異なります。" }
    TOKEN_UNSIGNED_ATTRIBUTES Error "RFC 3161 §2.4.2" {
        en: "The token carries {0} unsigned attributes, which nothing protects.",
        ja: "トークンに保護されていない非署名属性が {0} 個あります。" }
    TOKEN_UNSIGNED_ATTRIBUTES_COVERED Info "RFC 3161 §2.4.2" {
        en: "The token carries {0} unsigned attributes; a later time-stamp protects them.",
        ja: "トークンに非署名属性が {0} 個ありますが、後のタイムスタンプが保護しています。" }
    TOKEN_CERTIFICATE_UNPROVEN Error "RFC 5652 §5.1" {
        en: "The token carries the certificate {0}, which is not needed and cannot be proven.",
        ja: "トークンに含まれる証明書 {0} は不要であり、正しさを確認できません。" }
    TOKEN_REVOCATION_UNPROVEN Error "RFC 5652 §5.1" {
        en: "The token carries revocation information that cannot be proven ({0}).",
        ja: "トークンに含まれる失効情報の正しさを確認できません ({0})。" }
    IMPRINT_MISMATCH Error "RFC 3161 §2.4.2" {
        en: "The time-stamp is not over {0}: the digest in the token is another one.",
        ja: "タイムスタンプの対象は {0} ではありません。トークン内のダイジェストが異なります。" }
    IMPRINT_NOT_CHECKED Error "RFC 3161 §2.4.2" {
        en: "The data that the time-stamp covers was not given: nothing is proven about any document.",
        ja: "タイムスタンプの対象データが与えられていないため、文書については何も証明されません。" }
    IMPRINT_DIGEST_UNKNOWN Error "RFC 3161 §2.4.1" {
        en: "The digest of {0} under {1} is not known, so the time-stamp cannot be compared with it.",
        ja: "{0} の {1} によるダイジェストが不明なため、タイムスタンプと照合できません。" }
    IMPRINT_BARE_DIGEST Warning "RFC 3161 §2.4.1" {
        en: "Of {0} only a digest was given; whether it is that of a document cannot be told.",
        ja: "{0} についてはダイジェストだけが与えられました。文書のダイジェストかどうかは確認できません。" }
    IMPRINT_LENGTH_WRONG Error "RFC 3161 §2.4.1" {
        en: "The digest in the token does not have the length of {0}.",
        ja: "トークン内のダイジェストの長さが {0} のものではありません。" }
    TOKEN_EXTENSION_CRITICAL Error "RFC 3161 §2.4.2" {
        en: "The token has a critical extension that is not known here: {0}.",
        ja: "トークンに未対応のクリティカルな拡張があります: {0}。" }
    TOKEN_TIME_IN_FUTURE Error "EN 319 102-1 §5.4.4" {
        en: "The time-stamp states {0}, which lies after the time of the judgement, {1}.",
        ja: "タイムスタンプの時刻 {0} は、検証の基準時刻 {1} より後です。" }
    TOKEN_BEFORE_CERTIFICATE Error "EN 319 102-1 §5.6.2.2" {
        en: "The time-stamp states {0}, when its certificate was not valid.",
        ja: "タイムスタンプの時刻 {0} に、その証明書は有効ではありませんでした。" }
    TOKEN_EXPIRED_NO_POE Error "EN 319 102-1 §5.6.2.2" {
        en: "The certificate path of the time-stamp was valid at {0} but is not at {1}, and no later time-stamp covers it.",
        ja: "タイムスタンプの認証パスは {0} には有効でしたが {1} には無効であり、後のタイムスタンプによる保護もありません。" }
    TOKEN_REVOKED_NO_POE Error "EN 319 102-1 §5.6.2.2" {
        en: "The time-stamp states {0}, before its certificate was revoked, but that it existed by then is not proven by anything else (judged as of {1}).",
        ja: "タイムスタンプの時刻 {0} は証明書の失効より前ですが、失効前に存在したことがほかに証明されていません ({1} の時点で判断)。" }
    TOKEN_SIGNED_OUTSIDE Error "RFC 5652 §11.3" {
        en: "The token says that it was signed at {0}, when its certificate was not valid.",
        ja: "トークンの署名時刻 {0} に、その証明書は有効ではありませんでした。" }
}
