//! Findings of certificate path validation (RFC 5280 §6).

finding_codes! { TABLE:
    PATH_VALID Info "RFC 5280 §6.1" {
        en: "The certification path from {0} to the trust anchor {1} is valid at {2}.",
        ja: "{0} から信頼点 {1} までの認証パスは {2} の時点で有効です。" }
    ANCHOR_IS_TARGET Info "EN 319 102-1 §5.2.6.4" {
        en: "The certificate {0} is itself a trust anchor.",
        ja: "証明書 {0} はそれ自体が信頼点です。" }
    ANCHOR_OUT_OF_PERIOD Info "RFC 5280 §6.1.1 (d)" {
        en: "The certificate of the trust anchor {0} is outside of its period at {1}. A trust anchor is trusted by decision, not by its period.",
        ja: "信頼点 {0} の証明書は {1} の時点で有効期間外です。信頼点は期間ではなく利用者の判断によって信頼されます。" }
    NO_TRUST_ANCHORS Error "RFC 5280 §6.1.1 (d)" {
        en: "No trust anchor was given, so nothing can be said about the trust in {0}.",
        ja: "信頼点が指定されていないため、{0} の信頼性は判断できません。" }
    NO_PATH_FOUND Error "RFC 5280 §6.1" {
        en: "No certification path from {0} to a trust anchor was found; its issuer is {1}.",
        ja: "{0} から信頼点への認証パスが見つかりません。発行者は {1} です。" }
    PATH_TOO_LONG Error "RFC 5280 §6.1" {
        en: "A path from {0} was given up after {1} certificates.",
        ja: "{0} からのパスは証明書 {1} 枚で打ち切られました。" }
    BUDGET_EXHAUSTED Error "RFC 5280 §8" {
        en: "The search was given up: {0}.",
        ja: "探索を打ち切りました: {0}。" }
    CERTIFICATE_MALFORMED Error "RFC 5280 §4.1" {
        en: "A certificate cannot be read: {0}.",
        ja: "証明書を読み取れません: {0}。" }
    CERTIFICATE_LEFT_OUT Info "RFC 5280 §4.1" {
        en: "A certificate among the given material was left out: {0}.",
        ja: "与えられた資料のうち 1 枚の証明書を除外しました: {0}。" }
    CERTIFICATE_EXPIRED Error "RFC 5280 §6.1.3 (a)(2)" {
        en: "The certificate {0} ended at {1}, before {2}.",
        ja: "証明書 {0} は {1} に満了しており、{2} の時点では有効期間外です。" }
    CERTIFICATE_NOT_YET_VALID Error "RFC 5280 §6.1.3 (a)(2)" {
        en: "The certificate {0} starts at {1}, after {2}.",
        ja: "証明書 {0} の有効期間は {1} に始まり、{2} の時点ではまだ有効ではありません。" }
    CERTIFICATE_SIGNATURE_INVALID Error "RFC 5280 §6.1.3 (a)(1)" {
        en: "The signature on the certificate {0} does not verify under the key of {1}.",
        ja: "証明書 {0} の署名は {1} の鍵で検証できません。" }
    CERTIFICATE_SIGNATURE_UNSUPPORTED Error "RFC 5280 §6.1.3 (a)(1)" {
        en: "The signature on the certificate {0} could not be computed: {1}.",
        ja: "証明書 {0} の署名を計算できません: {1}。" }
    CERTIFICATE_ALGORITHM_MISMATCH Error "RFC 5280 §4.1.1.2" {
        en: "The certificate {0} names two different signature algorithms.",
        ja: "証明書 {0} の内側と外側の署名アルゴリズムが一致しません。" }
    CERTIFICATE_REVOKED Error "RFC 5280 §6.1.3 (a)(3)" {
        en: "The certificate {0} was revoked at {1} (reason: {2}).",
        ja: "証明書 {0} は {1} に失効しています (理由: {2})。" }
    ISSUER_NAME_MISMATCH Error "RFC 5280 §6.1.3 (a)(4)" {
        en: "The issuer name of {0} is not the subject name of the next certificate.",
        ja: "{0} の発行者名が次の証明書の主体者名と一致しません。" }
    ISSUER_NOT_VERSION_3 Error "RFC 5280 §6.1.4 (k)" {
        en: "The issuer certificate {0} has no version 3, so nothing says that it is a certificate authority.",
        ja: "発行者の証明書 {0} はバージョン 3 ではなく、認証局であることを確認できません。" }
    ISSUER_NOT_CA Error "RFC 5280 §6.1.4 (k)" {
        en: "The issuer certificate {0} is not that of a certificate authority (basicConstraints).",
        ja: "発行者の証明書 {0} は認証局のものではありません (basicConstraints)。" }
    PATH_LENGTH_EXCEEDED Error "RFC 5280 §6.1.4 (l), (m)" {
        en: "More certificates stand below {0} than its path length allows.",
        ja: "{0} の下位にある証明書の数がパス長制約を超えています。" }
    KEY_CERT_SIGN_MISSING Error "RFC 5280 §6.1.4 (n)" {
        en: "The key usage of the issuer certificate {0} does not allow it to sign certificates.",
        ja: "発行者の証明書 {0} の鍵用途は証明書への署名を許していません。" }
    KEY_USAGE_NOT_SIGNATURE Error "RFC 5280 §4.2.1.3" {
        en: "The key usage of the certificate {0} allows neither digital signature nor non-repudiation.",
        ja: "証明書 {0} の鍵用途は電子署名も否認防止も許していません。" }
    EXTENDED_KEY_USAGE_MISSING Error "RFC 5280 §4.2.1.12" {
        en: "The certificate {0} is not meant for the purpose {1}.",
        ja: "証明書 {0} は用途 {1} のためのものではありません。" }
    EXTENDED_KEY_USAGE_NOT_CRITICAL Error "RFC 3161 §2.3" {
        en: "The extended key usage of the time-stamping certificate {0} is not critical.",
        ja: "タイムスタンプ用証明書 {0} の拡張鍵用途がクリティカルではありません。" }
    EXTENDED_KEY_USAGE_NOT_SOLE Error "RFC 3161 §2.3" {
        en: "The time-stamping certificate {0} has other purposes beside time-stamping.",
        ja: "タイムスタンプ用証明書 {0} にタイムスタンプ以外の用途が含まれています。" }
    EXTENDED_KEY_USAGE_CA Error "RFC 5280 §4.2.1.12" {
        en: "The certificate authority {0} is restricted to purposes other than {1}.",
        ja: "認証局 {0} の用途は {1} 以外に限定されています。" }
    EXTENSION_UNKNOWN_CRITICAL Error "RFC 5280 §6.1.4 (o), §6.1.5 (f)" {
        en: "The certificate {0} has the critical extension {1}, which this program does not know.",
        ja: "証明書 {0} には、本プログラムが対応していないクリティカル拡張 {1} があります。" }
    EXTENSION_MALFORMED Error "RFC 5280 §4.2" {
        en: "The extension {1} of the certificate {0} cannot be read.",
        ja: "証明書 {0} の拡張 {1} を読み取れません。" }
    NAME_NOT_PERMITTED Error "RFC 5280 §6.1.3 (b)" {
        en: "The name {1} in the certificate {0} lies outside of what a certificate authority above it permits.",
        ja: "証明書 {0} の名前 {1} は、上位認証局が許可する範囲の外にあります。" }
    NAME_EXCLUDED Error "RFC 5280 §6.1.3 (c)" {
        en: "The name {1} in the certificate {0} is excluded by a certificate authority above it.",
        ja: "証明書 {0} の名前 {1} は、上位認証局によって除外されています。" }
    NAME_CONSTRAINT_UNSUPPORTED Error "RFC 5280 §4.2.1.10" {
        en: "A name constraint above the certificate {0} has a form that cannot be evaluated, and the certificate has a name of that form: {1}.",
        ja: "証明書 {0} の上位に評価できない形式の名前制約があり、証明書にその形式の名前があります: {1}。" }
    ISSUER_NAME_EMPTY Error "RFC 5280 §4.1.2.4" {
        en: "The certificate {0} does not name its issuer.",
        ja: "証明書 {0} の発行者名が空です。" }
    SUBJECT_NAME_EMPTY Error "RFC 5280 §4.1.2.6" {
        en: "The certificate with the {0} has no subject name where it must have one, and no critical subjectAltName in its place.",
        ja: "証明書 ({0}) に必要な主体者名がなく、代わりとなるクリティカルな subjectAltName もありません。" }
    AUTHORITY_WITHOUT_FLAG Error "RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.10" {
        en: "The certificate {0} is not that of a certificate authority, but has what only such a certificate may have: the key usage keyCertSign, a path length or name constraints.",
        ja: "証明書 {0} は認証局のものではありませんが、認証局の証明書にのみ許される keyCertSign、パス長制約または名前制約を含んでいます。" }
    EXTENSION_CRITICALITY Error "RFC 5280 §4.2.1" {
        en: "The extension {1} of the certificate {0} is critical where it must not be, or not critical where it must be.",
        ja: "証明書 {0} の拡張 {1} のクリティカル指定が RFC 5280 の要求と異なります。" }
    EXTENSION_MISSING Error "RFC 5280 §4.2.1" {
        en: "The certificate {0} lacks the extension {1}, which its issuer should have put there.",
        ja: "証明書 {0} に、発行者が含めるべき拡張 {1} がありません。" }
    SERIAL_NUMBER_FORM Error "RFC 5280 §4.1.2.2" {
        en: "The serial number {1} of the certificate {0} is zero, negative or longer than 20 octets.",
        ja: "証明書 {0} のシリアル番号 {1} が 0、負数、または 20 オクテットを超えています。" }
    POLICY_MAPPING_ANY Error "RFC 5280 §6.1.4 (a)" {
        en: "The certificate {0} maps to or from anyPolicy.",
        ja: "証明書 {0} は anyPolicy との間のポリシーマッピングを含んでいます。" }
    POLICY_REQUIRED Error "RFC 5280 §6.1.3 (f), §6.1.5 (g)" {
        en: "An explicit certificate policy is demanded, and no acceptable one holds for the whole path (at {0}).",
        ja: "明示的な証明書ポリシーが要求されていますが、パス全体で有効な許容ポリシーがありません ({0})。" }
}
