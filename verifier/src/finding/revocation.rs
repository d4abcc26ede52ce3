//! Findings about revocation information (RFC 5280 §5 and §6.3).

finding_codes! { TABLE:
    REVOCATION_CHECKED Info "RFC 5280 §6.3.3" {
        en: "The certificate {0} is not revoked at {1}, by a CRL of {2} issued at {3}.",
        ja: "証明書 {0} は {1} の時点で失効していません ({2} が {3} に発行した CRL による)。" }
    REVOKED_LATER Info "EN 319 102-1 §5.2.6.4" {
        en: "The certificate {0} was revoked at {1}, after the time that is judged.",
        ja: "証明書 {0} は判断対象の時点より後の {1} に失効しています。" }
    REVOCATION_UNKNOWN Error "RFC 5280 §6.3.3" {
        en: "Whether the certificate {0} was revoked at {1} cannot be told from the given material.",
        ja: "証明書 {0} が {1} の時点で失効していたかどうかは、与えられた資料からは判断できません。" }
    REVOCATION_NOT_NAMED Info "RFC 5280 §4.2.1.13" {
        en: "The certificate {0} names no revocation service and none was given, so its revocation was not checked.",
        ja: "証明書 {0} は失効情報の提供元を示しておらず、資料も与えられていないため、失効は確認していません。" }
    REVOCATION_NOT_CHECKED Info "RFC 5280 §6.1.3 (a)(3)" {
        en: "By the policy, the revocation of the certificate {0} was not checked.",
        ja: "検証ポリシーにより、証明書 {0} の失効は確認していません。" }
    CRL_MALFORMED Info "RFC 5280 §5.1" {
        en: "A CRL was left out, because it cannot be read: {0}.",
        ja: "CRL を読み取れないため除外しました: {0}。" }
    CRL_NOT_YET_ISSUED Info "RFC 5280 §5.1.2.4" {
        en: "A CRL of {0} was left out: it was issued at {1}, after {2}.",
        ja: "{0} の CRL を除外しました: 発行日時 {1} が {2} より後です。" }
    CRL_OUT_OF_DATE Info "RFC 5280 §6.3.3 (d)" {
        en: "A CRL of {0} was left out: it says nothing about {2}, since its next update was due at {1}.",
        ja: "{0} の CRL を除外しました: 次回更新予定は {1} であり、{2} の時点については何も示しません。" }
    CRL_WITHOUT_NEXT_UPDATE Info "RFC 5280 §5.1.2.5" {
        en: "A CRL of {0} was left out: it does not say when the next one is due.",
        ja: "{0} の CRL を除外しました: 次回更新日時の記載がありません。" }
    CRL_AFTER_CERTIFICATE Info "RFC 5280 §5.1.2.6" {
        en: "A CRL of {0} was left out: it was issued at {1}, after the end of the certificate, when revoked certificates may have been dropped.",
        ja: "{0} の CRL を除外しました: 証明書の満了後の {1} に発行されており、失効情報が既に削除されている可能性があります。" }
    CRL_UNKNOWN_CRITICAL Info "RFC 5280 §5.2" {
        en: "A CRL of {0} was left out: it has the critical extension {1}, which this program does not know.",
        ja: "{0} の CRL を除外しました: 対応していないクリティカル拡張 {1} があります。" }
    CRL_FORM Info "RFC 5280 §5.2" {
        en: "A CRL of {0} was left out: its extension {1} is missing, critical where it must not be, or not critical where it must be.",
        ja: "{0} の CRL を除外しました: 拡張 {1} がないか、クリティカル指定が RFC 5280 の要求と異なります。" }
    CRL_SIGNATURE_INVALID Warning "RFC 5280 §6.3.3 (g)" {
        en: "A CRL of {0} was left out: its signature does not verify.",
        ja: "{0} の CRL を除外しました: 署名を検証できません。" }
    CRL_SIGNATURE_UNSUPPORTED Info "RFC 5280 §6.3.3 (g)" {
        en: "A CRL of {0} was left out: its signature could not be computed: {1}.",
        ja: "{0} の CRL を除外しました: 署名を計算できません: {1}。" }
    CRL_ISSUER_UNTRUSTED Info "RFC 5280 §6.3.3 (f)" {
        en: "A CRL of {0} was left out: no valid path leads from its signer to the trust anchor of the certificate.",
        ja: "{0} の CRL を除外しました: 署名者から証明書の信頼点への有効なパスがありません。" }
    CRL_OUT_OF_SCOPE Info "RFC 5280 §6.3.3 (b)" {
        en: "A CRL of {0} was left out: the certificate {1} is not in its scope.",
        ja: "{0} の CRL を除外しました: 証明書 {1} は対象範囲外です。" }
    CRL_DELTA_WITHOUT_BASE Info "RFC 5280 §6.3.3 (c)" {
        en: "A delta CRL of {0} was left out: no complete CRL that it can be combined with was given.",
        ja: "{0} の差分 CRL を除外しました: 組み合わせることのできる完全な CRL がありません。" }
    CRL_REASONS_INCOMPLETE Info "RFC 5280 §6.3.3" {
        en: "The CRLs at hand for {0} cover only some of the reasons for revocation.",
        ja: "{0} に関する CRL は、失効理由の一部しか対象としていません。" }
    REVOCATION_CHECKED_OCSP Info "RFC 6960 §3.2" {
        en: "The certificate {0} is not revoked at {1}, by an OCSP response of {2} that was right at {3}.",
        ja: "証明書 {0} は {1} の時点で失効していません ({2} による {3} 現在の OCSP 応答による)。" }
    REVOCATION_KNOWN_UNTIL Warning "EN 319 102-1 §5.2.5" {
        en: "The certificate {0} was not revoked at {1}, after what is judged was made. Newer information was due before {2} but is not at hand, so a later revocation for a compromised key would not be seen.",
        ja: "証明書 {0} は、判断対象の作成後である {1} の時点で失効していません。{2} までに更新されるはずの失効情報がないため、その後の鍵の危殆化による失効は確認できません。" }
    FETCHED Info "RFC 5280 §4.2.1.13, §4.2.2.1" {
        en: "Fetched at {0} from {1}, as the certificate {2} names it: {3} bytes.",
        ja: "{0} に {1} から取得しました (証明書 {2} の示すアドレス、{3} バイト)。" }
    NOT_FETCHED Info "RFC 5280 §4.2.1.13, §4.2.2.1" {
        en: "Nothing was fetched at {0} from {1}, as the certificate {2} names it: {3}.",
        ja: "{0} に {1} から取得できませんでした (証明書 {2} の示すアドレス): {3}。" }
    OCSP_MALFORMED Info "RFC 6960 §4.2.1" {
        en: "An OCSP response was left out, because it cannot be read: {0}.",
        ja: "OCSP 応答を読み取れないため除外しました: {0}。" }
    OCSP_NO_ANSWER Info "RFC 6960 §2.3" {
        en: "An OCSP response was left out: it has the status {0} and no answer.",
        ja: "OCSP 応答を除外しました: 状態 {0} であり、回答がありません。" }
    OCSP_OTHER_CERTIFICATE Info "RFC 6960 §3.2 (1)" {
        en: "None of the OCSP responses at hand ({0}) is about the certificate {1} of its issuer.",
        ja: "手元の OCSP 応答 ({0} 件) に、証明書 {1} とその発行者に関するものはありません。" }
    OCSP_STATUS_UNKNOWN Info "RFC 6960 §2.2" {
        en: "The OCSP responder {0} does not know the certificate {1}.",
        ja: "OCSP レスポンダ {0} は証明書 {1} を把握していません。" }
    OCSP_NOT_YET_ISSUED Info "RFC 6960 §3.2 (5)" {
        en: "An OCSP response of {0} was left out: it is of {1}, after {2}.",
        ja: "{0} の OCSP 応答を除外しました: 日時 {1} が {2} より後です。" }
    OCSP_OUT_OF_DATE Info "RFC 6960 §3.2 (6)" {
        en: "An OCSP response of {0} was left out: it says nothing about {2}, since its next update was due at {1}.",
        ja: "{0} の OCSP 応答を除外しました: 次回更新予定は {1} であり、{2} の時点については何も示しません。" }
    OCSP_WITHOUT_NEXT_UPDATE Info "RFC 6960 §4.2.2.1" {
        en: "An OCSP response of {0} was left out: it is right at {1} only, since newer information is always available.",
        ja: "{0} の OCSP 応答を除外しました: 常に新しい情報が提供されるため、{1} の時点についてのみ有効です。" }
    OCSP_TIMES_CONTRADICT Info "RFC 6960 §4.2.2.1" {
        en: "An OCSP response of {0} was left out: its next update is before its own time.",
        ja: "{0} の OCSP 応答を除外しました: 次回更新日時が発行日時より前です。" }
    OCSP_AFTER_CERTIFICATE Info "RFC 6960 §4.4.4" {
        en: "An OCSP response of {0} was left out: it is of {1}, after the end of the certificate, and does not say that the responder still remembers revocations from before.",
        ja: "{0} の OCSP 応答を除外しました: 証明書の満了後の {1} のもので、それ以前の失効情報を保持しているとの記載がありません。" }
    OCSP_UNKNOWN_CRITICAL Info "RFC 6960 §4.4" {
        en: "An OCSP response of {0} was left out: it has the critical extension {1}, which this program does not know.",
        ja: "{0} の OCSP 応答を除外しました: 対応していないクリティカル拡張 {1} があります。" }
    OCSP_SIGNATURE_INVALID Warning "RFC 6960 §3.2 (2)" {
        en: "An OCSP response of {0} was left out: its signature does not verify.",
        ja: "{0} の OCSP 応答を除外しました: 署名を検証できません。" }
    OCSP_SIGNATURE_UNSUPPORTED Info "RFC 6960 §3.2 (2)" {
        en: "An OCSP response of {0} was left out: its signature could not be computed: {1}.",
        ja: "{0} の OCSP 応答を除外しました: 署名を計算できません: {1}。" }
    OCSP_RESPONDER_UNKNOWN Info "RFC 6960 §3.2 (3)" {
        en: "An OCSP response of {0} was left out: the certificate of the responder is not at hand.",
        ja: "{0} の OCSP 応答を除外しました: レスポンダの証明書がありません。" }
    OCSP_RESPONDER_NOT_AUTHORIZED Warning "RFC 6960 §4.2.2.2" {
        en: "An OCSP response of {0} was left out: the responder is neither the issuer of the certificate nor designated by it for OCSP.",
        ja: "{0} の OCSP 応答を除外しました: レスポンダは証明書の発行者でも、発行者が OCSP 用に指定した者でもありません。" }
    OCSP_RESPONDER_INVALID Info "RFC 6960 §4.2.2.2" {
        en: "An OCSP response of {0} was left out: the responder's certificate was not valid when it answered.",
        ja: "{0} の OCSP 応答を除外しました: 応答の時点でレスポンダの証明書は有効ではありませんでした。" }
}
